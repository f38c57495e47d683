"""Rules that compare series of one study: pairs of PET and CT, and one series of several."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Literal

from lesionary.ingest.curation.facts import SeriesFacts
from lesionary.ingest.curation.readings import is_attenuation_corrected
from lesionary.ingest.curation.verdict import Pair, Selection, Settings, Unfit, Unknown, Verdict
from lesionary.ingest.curation.words import first_found

_LAST = 1 << 31


def by_study(series: Iterable[SeriesFacts]) -> list[list[SeriesFacts]]:
    """Group series by their study, in order of its identifier."""
    ordered = sorted(series, key=lambda facts: (facts.study, facts.series))
    return [list(group) for _, group in groupby(ordered, key=lambda facts: facts.study)]


def rank(patterns: Sequence[str], facts: SeriesFacts) -> int:
    """Return the place of the first pattern that the description has; their number if none."""
    found = first_found(patterns, facts.description)
    return len(patterns) if found is None else patterns.index(found)


@dataclass(frozen=True, slots=True)
class _Pairing:
    """How a PET finds its CT within one DICOM study.

    The PET is the attenuation-corrected one; of several the one that says so in words or header,
    then the one with most slices, then the first. Its CT is of the same frame of reference where
    that is known; of several it is the one with the first of the ``prefer_ct`` words, then of the
    nearest number of slices, then the first.
    """

    corrected: bool
    prefer_ct: tuple[str, ...]
    is_unknown_kept: bool

    def pair(self, series: Sequence[SeriesFacts]) -> tuple[Pair | None, dict[str, Verdict]]:
        """Pair one study's PET with its CT; say of every PET that is not it why."""
        verdicts: dict[str, Verdict] = {}
        fit = []
        for pet in (facts for facts in series if facts.modality == "PT"):
            verdict = self._judge_pet(pet)
            if verdict is not None:
                verdicts[pet.series] = verdict
            if verdict is None or (self.is_unknown_kept and isinstance(verdict, Unknown)):
                fit.append(pet)
        scans = [facts for facts in series if facts.modality == "CT"]
        if not fit or not scans:
            reason = "no CT in its DICOM study" if fit else "no corrected PET in its DICOM study"
            alone = fit or scans
            return None, verdicts | {facts.series: Unfit(reason) for facts in alone}
        best = min(fit, key=self._rank_pet)
        nearest = min(scans, key=lambda ct: self._rank_ct(ct, best))
        unchecked = verdicts.get(best.series)
        verdicts |= {facts.series: Unfit("another PET of its study") for facts in fit}
        verdicts |= {facts.series: Unfit("another CT of its study") for facts in scans}
        verdicts |= {best.series: unchecked, nearest.series: None}
        return Pair(best.study, best.series, nearest.series), verdicts

    def _judge_pet(self, pet: SeriesFacts) -> Verdict:
        if not self.corrected:
            return None
        found = is_attenuation_corrected(pet)
        if found is None:
            return Unknown("attenuation correction")
        return None if found else Unfit("not corrected for attenuation")

    @staticmethod
    def _rank_pet(pet: SeriesFacts) -> tuple[int, int, int, str]:
        number = _LAST if pet.series_number is None else pet.series_number
        is_said = is_attenuation_corrected(pet) is True
        return (0 if is_said else 1, -(pet.n_slices or 0), number, pet.series)

    def _rank_ct(self, ct: SeriesFacts, pet: SeriesFacts) -> tuple[int, int, int, int, str]:
        frames = (ct.frame_of_reference, pet.frame_of_reference)
        is_foreign = None not in frames and frames[0] != frames[1]
        number = _LAST if ct.series_number is None else ct.series_number
        apart = abs((ct.n_slices or 0) - (pet.n_slices or 0))
        return (int(is_foreign), rank(self.prefer_ct, ct), apart, number, ct.series)


@dataclass(frozen=True, slots=True)
class PetCtPair(Settings):
    """Attenuation-corrected PET with its CT, one pair a DICOM study."""

    name: ClassVar[str] = "pet_ct_pair"
    corrected: bool = True
    prefer_ct: tuple[str, ...] = ()

    def select(self, series: Sequence[SeriesFacts]) -> Selection:
        """Keep the members of pairs; every other series is out and told why."""
        pairing = _Pairing(self.corrected, self.prefer_ct, self.missing == "keep")
        verdicts: dict[str, Verdict] = {}
        pairs = []
        for study in by_study(series):
            pair, said = pairing.pair(study)
            verdicts |= said
            others = (facts for facts in study if facts.modality not in {"PT", "CT"})
            verdicts |= {facts.series: Unfit("neither PET nor CT") for facts in others}
            if pair is not None:
                pairs.append(pair)
        return Selection(verdicts, tuple(pairs))


@dataclass(frozen=True, slots=True)
class ExcludePairs(Settings):
    """Series that are no member of such a pair: put it before a rule that leaves out the PET."""

    name: ClassVar[str] = "exclude_pairs"
    at_least: int | None = None
    corrected: bool = True
    prefer_ct: tuple[str, ...] = ()

    def select(self, series: Sequence[SeriesFacts]) -> Selection:
        """Leave out the members of pairs; only series of ``at_least`` slices make pairs."""
        pairing = _Pairing(self.corrected, self.prefer_ct, self.missing == "keep")
        least = self.at_least or 0
        long = (facts for facts in series if (facts.n_slices or 0) >= least)
        found = [pair for study in by_study(long) if (pair := pairing.pair(study)[0])]
        verdicts: dict[str, Verdict] = {}
        for pair in found:
            verdicts |= dict.fromkeys((pair.pet, pair.ct), Unfit("member of a PET/CT pair"))
        return Selection(verdicts, tuple(found))


@dataclass(frozen=True, slots=True)
class OnePer(Settings):
    """One series of each ``study`` or ``subject``: of the words first, then by ``take``."""

    name: ClassVar[str] = "one_per"
    of: Literal["study", "subject"] = "study"
    prefer: tuple[str, ...] = ()
    take: Literal["last", "first", "most_slices"] = "last"

    def select(self, series: Sequence[SeriesFacts]) -> Selection:
        """Keep the one that is preferred; ties go to the series identifier."""
        groups: dict[str, list[SeriesFacts]] = {}
        for facts in series:
            groups.setdefault(facts.study if self.of == "study" else facts.subject, []).append(
                facts
            )
        verdicts: dict[str, Verdict] = {}
        for group in groups.values():
            best = min(group, key=self._rank)
            others = (facts for facts in group if facts.series != best.series)
            verdicts |= {facts.series: Unfit(f"another of its {self.of}") for facts in others}
        return Selection(verdicts)

    def _rank(self, facts: SeriesFacts) -> tuple[int, int, int, str]:
        number = facts.series_number
        slices = facts.n_slices or 0
        if self.take == "most_slices":
            order = (-slices, _LAST if number is None else -number)
        elif number is None:
            order = (_LAST, -slices)
        else:
            order = (-number if self.take == "last" else number, -slices)
        return (rank(self.prefer, facts), *order, facts.series)


SET_RULES = (PetCtPair, ExcludePairs, OnePer)
