"""The engine: one instance in, the same instance without identity out, or a reason why not.

Every element of every level passes one rule. What the profile names goes by the profile; what it
does not name goes by its kind of value; what nobody can judge (private elements that are not listed
as safe, unknown ones, overlays, curves, icons) goes. References stay whole because every UID
is replaced by the same keyed hash wherever it stands.

Sources: DICOM PS3.15 annex E (profiles), PS3.16 CID 7050 (methods), PS3.3 C.12.1 and C.7.1.1.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lesionary.ingest.deidentify.cleaning import Cleaner, Surroundings, charsets_of
from lesionary.ingest.deidentify.dictionary import standard_vr
from lesionary.ingest.deidentify.dropped import DroppedWords
from lesionary.ingest.deidentify.elements import DataSet, Element, Instance
from lesionary.ingest.deidentify.kept_uids import naming, reason_against_uids
from lesionary.ingest.deidentify.labels import Labels
from lesionary.ingest.deidentify.luts import unsound_luts
from lesionary.ingest.deidentify.own_days import own_days_of
from lesionary.ingest.deidentify.own_sources import own_tokens_of, tokens_beside
from lesionary.ingest.deidentify.own_told import Source
from lesionary.ingest.deidentify.pixels import BlankingRule, clean_pixels
from lesionary.ingest.deidentify.private import safe_private
from lesionary.ingest.deidentify.profile import Action, Option, Profile
from lesionary.ingest.deidentify.quarantine import (
    MODALITY,
    ObjectFacts,
    Quarantined,
    facts_of,
    reason_of_options,
    reason_to_quarantine,
    text_of,
)
from lesionary.ingest.deidentify.report_items import report_item
from lesionary.ingest.deidentify.statement import state_what_was_done
from lesionary.ingest.deidentify.values import WORD_BYTES
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser

ActionLog: TypeAlias = Mapping[tuple[int, Action], int]
"""How often each action met each tag; private tags as ``ggggxxee``. Never a value."""

_CHARSET = 0x00080005
_UTF_8 = b"ISO_IR 192"
_EXCUSED: Mapping[Option, Source] = {
    Option.DEVICE_IDENTITY: Source.DEVICE,
    Option.INSTITUTION_IDENTITY: Source.PLACE,
}
"""What a header tells that may stand again where the option lets it stay."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a patient becomes.

    Parameters
    ----------
    number : str
        New patient ID and name.
    shift_days : int
        By how many days dates move back; 0 for an instance that was de-identified under this very
        key before.
    identity_hash : str
        The keyed hash of who it was, where that is known. It never enters the instance.
    """

    number: str
    shift_days: int
    identity_hash: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Released:
    """An instance that may go out.

    Parameters
    ----------
    instance : Instance
    log : ActionLog
    """

    instance: Instance
    log: ActionLog


@dataclass(frozen=True, slots=True, repr=False)
class Deidentifier:
    """Applies one profile under one key. Holds no state: threads may share it.

    Parameters
    ----------
    profile : Profile
    pseudonyms : Pseudonymiser
        Its ``keep_uids`` and ``keep_dated_uids`` follow the profile's options.
    words : Words
        What free text may say.
    blanking : collection of BlankingRule
        Regions of pixels to blank.
    dropped : DroppedWords, optional
        Is told which words cleaning dropped, where somebody asked for that.
    """

    profile: Profile
    pseudonyms: Pseudonymiser
    words: Words
    blanking: Collection[BlankingRule] = ()
    dropped: DroppedWords | None = None

    def apply(self, instance: Instance, subject: Subject) -> Released | Quarantined:
        """De-identify one instance; the one given is not changed.

        Raises
        ------
        UnreadableSeriesError
            If its pixel data are not what its header claims.
        """
        modality = text_of(instance.data_set, MODALITY)
        rule = next(
            (
                rule
                for rule in self.blanking
                if rule.fits(instance.data_set, instance.pixels, modality)
            ),
            None,
        )
        against = self._reason_against(facts_of(instance), is_blanked=rule is not None)
        if against is not None:
            return against
        pixels = instance.pixels
        if pixels is not None and rule is not None:
            pixels = rule.blank(instance.data_set, pixels)
        if pixels is not None:
            cleaned = clean_pixels(instance.data_set, pixels, instance.transfer_syntax)
            if isinstance(cleaned, Quarantined):
                return cleaned
            pixels = cleaned
        names = naming(self.pseudonyms, instance.data_set)
        is_first = bool(subject.shift_days)
        passage = _Passage(self, self._cleaner(instance.data_set, subject, names))
        data_set = passage.through(instance.data_set, charsets_of(instance.data_set, ("",)))
        against = reason_against_uids(instance.data_set, data_set, names, is_first=is_first)
        if against is not None:
            return against
        state_what_was_done(
            data_set,
            self.profile,
            number=subject.number,
            is_blanked=rule is not None,
            before=instance.data_set,
        )
        if instance.data_set.get(_CHARSET) is not None:
            data_set.put(Element(_CHARSET, "CS", _UTF_8))
        return Released(Instance(data_set, instance.transfer_syntax, pixels), passage.log)

    def _cleaner(self, data_set: DataSet, subject: Subject, names: Pseudonymiser) -> Cleaner:
        """Return who cleans this instance, knowing what its header says."""
        options = self.profile.options
        own = own_tokens_of(data_set, subject.number)
        excused = {source for option, source in _EXCUSED.items() if option in options}
        beside = own
        if excused:
            beside = tokens_beside(data_set, subject.number, excused, self._keeps)
        days = own_days_of(
            data_set,
            are_kept=Option.LONGITUDINAL_FULL in options,
            is_first=bool(subject.shift_days),
        )
        return Cleaner(
            self.words,
            names,
            subject.shift_days,
            own,
            self.dropped,
            own_beside=beside,
            days=days,
        )

    def _keeps(self, tag: int) -> bool:
        return any(self.profile.decide(tag, vr) is Action.KEEP for vr in standard_vr(tag))

    def _reason_against(self, facts: ObjectFacts, *, is_blanked: bool) -> Quarantined | None:
        options = self.profile.options
        return reason_to_quarantine(facts, is_blanked=is_blanked) or reason_of_options(
            facts,
            cleans_pixels=Option.CLEAN_PIXEL_DATA in options,
            cleans_faces=Option.CLEAN_VISUAL_FEATURES in options,
            is_blanked=is_blanked,
        )


@dataclass(slots=True, repr=False)
class _Passage:
    """One instance on its way through."""

    engine: Deidentifier
    cleaner: Cleaner
    labels: Labels = field(default_factory=Labels)
    log: Counter[tuple[int, Action]] = field(default_factory=Counter)

    def through(self, data_set: DataSet, charsets: tuple[str, ...]) -> DataSet:
        """Return what stays of a data set; ``charsets`` are those of its own texts."""
        made = DataSet()
        data_set, overruling = report_item(data_set, self.engine.profile.options)
        around = Surroundings(data_set, charsets)
        unsound = unsound_luts(data_set)
        for element in data_set.elements.values():
            tag = element.tag
            if tag in unsound:
                self.log[tag, Action.REMOVE] += 1
                continue
            if tag >> 16 & 1:
                self._private(element, data_set, made, around)
                continue
            vrs = standard_vr(tag)
            vr = _judged_by(element.vr, vrs)
            action = overruling.get(tag) or self.engine.profile.decide(tag, vr)
            kept = self._take(element, vr, action, around) if vr else None
            self.log[tag, action if kept is not None else Action.REMOVE] += 1
            if kept is not None:
                made.put(kept)
        return made

    def _take(
        self, element: Element, vr: str, action: Action, around: Surroundings
    ) -> Element | None:
        if action is Action.REMOVE:
            return None
        if (element.items is not None) != (vr == "SQ"):
            return None
        if element.items is not None:
            is_kept = action is Action.RECURSE
            items = self._items(element.items, around) if is_kept else []
            return Element(element.tag, vr, items=items)
        value = _HANDLERS[action](self.cleaner, element, vr, around)
        if action in {Action.CLEAN, Action.DUMMY}:
            value = self.labels.told_apart(element, value, around.data_set)
        return Element(element.tag, vr, value)

    def _items(self, items: list[DataSet], around: Surroundings) -> list[DataSet]:
        return [self.through(item, charsets_of(item, around.charsets)) for item in items]

    def _private(
        self, element: Element, data_set: DataSet, made: DataSet, around: Surroundings
    ) -> None:
        """Keep a private element that is listed as safe, with its creator."""
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if number < 0x1000:
            return
        block = element.tag & 0xFFFFFF00
        creator = data_set.private_creators.get(block, "")
        vr = self._safe(creator, group, number & 0xFF)
        value = None
        if vr is not None and element.items is None and element.vr in {vr, "UN"}:
            value = self.cleaner.clean(Element(element.tag, vr, element.value), vr, around)
        if vr is None or not value:
            self.log[element.tag & 0xFFFF00FF, Action.REMOVE] += 1
            return
        self.log[element.tag & 0xFFFF00FF, Action.CLEAN] += 1
        reserving = group << 16 | number >> 8
        made.put(Element(reserving, "LO", creator.encode("ascii")))
        made.put(Element(element.tag, vr, value))

    def _safe(self, creator: str, group: int, number: int) -> str | None:
        if Option.SAFE_PRIVATE not in self.engine.profile.options:
            return None
        return safe_private(creator, group, number)


def _judged_by(vr: str, allowed: Sequence[str]) -> str:
    """Return the VR by which a value is judged; the empty text where it can be none of its tag's.

    Bytes of a text are no number, whatever the dictionary says of the tag.
    """
    if not allowed or vr in allowed:
        return vr if allowed else ""
    is_other_kind = vr != "UN" and (vr in WORD_BYTES) != (allowed[0] in WORD_BYTES)
    return "" if is_other_kind else allowed[0]


_Handler: TypeAlias = Callable[[Cleaner, Element, str, Surroundings], bytes]

_HANDLERS: Mapping[Action, _Handler] = {
    Action.EMPTY: lambda *_: b"",
    Action.DUMMY: Cleaner.dummy,
    Action.UID: Cleaner.uid,
    Action.KEEP: Cleaner.keep,
    Action.CLEAN: Cleaner.clean,
}
