"""Rules that look at one series at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from lesionary.ingest.curation.facts import SeriesFacts
from lesionary.ingest.curation.modalities import MODALITIES
from lesionary.ingest.curation.places import PLACES, places
from lesionary.ingest.curation.readings import (
    Phase,
    Plane,
    Weighting,
    is_enhanced,
    phase,
    plane,
    weighting,
)
from lesionary.ingest.curation.verdict import Settings, Unfit, Unknown, Verdict
from lesionary.ingest.curation.words import first_found, listed


def _between(
    value: float | None, element: str, unit: str, limits: tuple[float | None, float | None]
) -> Verdict:
    if value is None:
        return Unknown(element)
    low, high = limits
    if low is not None and not value >= low:
        return Unfit(f"{element} below {low:g}{unit}", f"{value:g}{unit}")
    if high is not None and not value <= high:
        return Unfit(f"{element} above {high:g}{unit}", f"{value:g}{unit}")
    return None


@dataclass(frozen=True, slots=True)
class _OneOf(Settings):
    """A fact of the rule's own name is one of these words, in whatever case."""

    name: ClassVar[str]
    any_of: tuple[str, ...]

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether it is."""
        value = getattr(facts, self.name)
        if value is None:
            return Unknown(self.name)
        if value.casefold() in {one.casefold() for one in self.any_of}:
            return None
        return Unfit(f"{self.name} is not {listed(self.any_of)}")


@dataclass(frozen=True, slots=True)
class Modality(_OneOf):
    """``any_of = ["CT"]``."""

    name: ClassVar[str] = "modality"
    vocabulary: ClassVar[tuple[str, ...]] = MODALITIES


@dataclass(frozen=True, slots=True)
class Collection(_OneOf):
    """``any_of = ["tcga_luad"]``: an archive's collections."""

    name: ClassVar[str] = "collection"


@dataclass(frozen=True, slots=True)
class Units(_OneOf):
    """``any_of = ["BQML"]``: what PET voxels count."""

    name: ClassVar[str] = "units"


@dataclass(frozen=True, slots=True)
class Sex(_OneOf):
    """``any_of = ["F"]``."""

    name: ClassVar[str] = "sex"
    vocabulary: ClassVar[tuple[str, ...]] = ("F", "M", "O")


@dataclass(frozen=True, slots=True)
class Licence(Settings):
    """``any_of = ["CC BY *"]``: patterns of words that licences have."""

    name: ClassVar[str] = "licence"
    any_of: tuple[str, ...]

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the licence has one of the patterns."""
        if facts.licence is None:
            return Unknown(self.name)
        is_allowed = first_found(self.any_of, facts.licence)
        return None if is_allowed else Unfit(f"licence is not {listed(self.any_of)}")


@dataclass(frozen=True, slots=True)
class Region(Settings):
    """``shows = ["liver"]``: at least one of these places."""

    name: ClassVar[str] = "region"
    vocabulary: ClassVar[tuple[str, ...]] = PLACES
    shows: tuple[str, ...]

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the series shows one of the places."""
        shown = places(facts)
        if shown is None:
            return Unknown("the part of the body")
        return None if shown & set(self.shows) else Unfit(f"does not show {listed(self.shows)}")


@dataclass(frozen=True, slots=True)
class Contrast(Settings):
    """``enhanced = true``, and ``phases = ["arterial"]`` where the phase matters."""

    name: ClassVar[str] = "contrast"
    vocabulary: ClassVar[tuple[str, ...]] = tuple(Phase)
    enhanced: bool | None = None
    phases: tuple[str, ...] = ()

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether agent and phase are those asked for."""
        if self.enhanced is not None:
            found = is_enhanced(facts)
            if found is None:
                return Unknown("contrast agent")
            if found != self.enhanced:
                return Unfit("no contrast agent" if self.enhanced else "contrast agent given")
        if self.phases:
            named = phase(facts)
            if named is None:
                return Unknown("contrast phase")
            if named not in self.phases:
                return Unfit(f"{named} phase, not {listed(self.phases)}")
        return None


@dataclass(frozen=True, slots=True)
class SliceThickness(Settings):
    """``at_least = 0.5``, ``at_most = 5`` mm."""

    name: ClassVar[str] = "slice_thickness_mm"
    at_least: float | None = None
    at_most: float | None = None

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the nominal thickness is within."""
        limits = (self.at_least, self.at_most)
        return _between(facts.slice_thickness_mm, "slice thickness", " mm", limits)


@dataclass(frozen=True, slots=True)
class Slices(Settings):
    """``at_least = 20``, ``at_most = 1000``, ``complete = true``: no slice is missing."""

    name: ClassVar[str] = "slices"
    at_least: int | None = None
    at_most: int | None = None
    complete: bool | None = None

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether number and completeness of the slices are as asked."""
        if self.at_least is not None or self.at_most is not None:
            verdict = _between(
                facts.n_slices, "number of slices", "", (self.at_least, self.at_most)
            )
            if verdict is not None:
                return verdict
        if self.complete is not None:
            if facts.is_complete is None:
                return Unknown("whether slices are missing")
            if facts.is_complete != self.complete:
                return Unfit("slices are missing" if self.complete else "no slice is missing")
        return None


@dataclass(frozen=True, slots=True)
class SequenceType(Settings):
    """``any_of = ["T2"]``: the weighting of an MR series."""

    name: ClassVar[str] = "sequence_type"
    vocabulary: ClassVar[tuple[str, ...]] = tuple(Weighting)
    any_of: tuple[str, ...]

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the weighting is one of these, and by what it was told."""
        read = weighting(facts)
        if read is None:
            return Unknown("weighting")
        found, evidence = read
        if found in self.any_of:
            return None
        return Unfit(f"{found}, not {listed(self.any_of)}", f"by {evidence}")


@dataclass(frozen=True, slots=True)
class InPlane(Settings):
    """``any_of = ["axial"]``: how the slices lie, where the description says it."""

    name: ClassVar[str] = "plane"
    vocabulary: ClassVar[tuple[str, ...]] = tuple(Plane)
    any_of: tuple[str, ...]

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the slices lie so."""
        found = plane(facts)
        if found is None:
            return Unknown("plane")
        return None if found in self.any_of else Unfit(f"{found}, not {listed(self.any_of)}")


@dataclass(frozen=True, slots=True)
class Age(Settings):
    """``at_least = 18`` years at the scan."""

    name: ClassVar[str] = "age_years"
    at_least: float | None = None
    at_most: float | None = None

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the subject is of this age; the reason does not tell the age."""
        age = facts.age_years
        if age is None:
            return Unknown("age")
        if self.at_least is not None and age < self.at_least:
            return Unfit(f"younger than {self.at_least:g} years")
        if self.at_most is not None and age > self.at_most:
            return Unfit(f"older than {self.at_most:g} years")
        return None


@dataclass(frozen=True, slots=True)
class LesionDiameter(Settings):
    """``at_least = 10``: one lesion at least has such a longest diameter, in mm."""

    name: ClassVar[str] = "lesion_mm"
    at_least: float

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the largest lesion is large enough; no lesion is none large enough."""
        diameters = facts.lesion_diameters_mm
        if diameters is None:
            return Unknown("lesion diameters")
        if not diameters:
            return Unfit("no lesion")
        return _between(max(diameters), "largest lesion", " mm", (self.at_least, None))


@dataclass(frozen=True, slots=True)
class RecistEvaluated(Settings):
    """Response of the subject was read by RECIST."""

    name: ClassVar[str] = "recist_evaluated"

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether it was."""
        if facts.is_recist_evaluated is None:
            return Unknown("whether RECIST was read")
        return None if facts.is_recist_evaluated else Unfit("not evaluated by RECIST")


@dataclass(frozen=True, slots=True)
class Description(Settings):
    """``include`` and ``exclude``: patterns of words in the ``series`` or ``study`` description."""

    name: ClassVar[str] = "description"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    of: Literal["series", "study"] = "series"

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the words are there, and the others not; the reason quotes the pattern."""
        text = facts.description if self.of == "series" else facts.study_description
        element = f"description of the {self.of}"
        if not (text or "").strip():
            return Unknown(element)
        if found := first_found(self.exclude, text):
            return Unfit(f"{self.of} described as `{found}`")
        if self.include and not first_found(self.include, text):
            return Unfit(f"{self.of} not described as {listed(self.include)}")
        return None


@dataclass(frozen=True, slots=True)
class ImageType(Settings):
    """``include`` and ``exclude`` values of ImageType: ``exclude = ["LOCALIZER"]``."""

    name: ClassVar[str] = "image_type"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the values are there, and the others not."""
        if facts.image_type is None:
            return Unknown("image type")
        values = {value.strip().casefold() for value in facts.image_type}
        for value in self.exclude:
            if value.casefold() in values:
                return Unfit(f"image type has {value}")
        if self.include and not values & {value.casefold() for value in self.include}:
            return Unfit(f"image type is not {listed(self.include)}")
        return None


SERIES_RULES: tuple[Callable[..., Any], ...] = (
    *(Modality, Collection, Licence, Units, Sex, Region, Contrast, SliceThickness, Slices),
    *(SequenceType, InPlane, Age, LesionDiameter, RecistEvaluated, Description, ImageType),
)
