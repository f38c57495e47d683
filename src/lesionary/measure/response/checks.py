"""What is refused before anything is judged: faults of rows, of lesions, of subjects."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from lesionary.measure.response.baselines import (
    baseline_faults,
    beyond_guideline,
    other_warnings,
)
from lesionary.measure.response.best import BACKWARDS
from lesionary.measure.response.courses import KNOWN_ROLES, Course, course_of, is_known_hot_spot
from lesionary.measure.response.faults import RowFault, refuse
from lesionary.measure.response.merges import merge_faults
from lesionary.measure.response.notices import visit_warnings
from lesionary.measure.response.records import Observation, Role
from lesionary.measure.response.row_checks import no_names, row_reasons
from lesionary.measure.response.sightings import is_pet_ct, modality_of
from lesionary.measure.response.timepoints import (
    dates_of,
    differently_dated,
    ordered_timepoints,
    reader_order_faults,
)

NAMELESS = "rows without a reader, where others name one: judged as one reader of no name"
NO_BASELINE_ROW = "a target or non-target lesion needs a row at the baseline"
CONTESTED = "readers date this time point differently: this reader's own date, else the earliest"
READER_NOT_THERE = "this reader has no row at the subject's first time point, the baseline"
REPEATED = "a repeated row: neither parts of a split nor another modality tell them apart"
PART_OR_WHOLE = "parts and a row without part for one lesion at one time point"
ROLE_CHANGES = "the lesion has another role elsewhere"
KIND_CHANGES = "the lesion is of another kind elsewhere"

_Key = TypeVar("_Key", bound=Hashable)


def checked_courses(
    observations: Sequence[Observation], faults: Iterable[RowFault] = (), *, is_strict: bool = False
) -> list[Course]:
    """Check everything, then put each subject and reader in order.

    Parameters
    ----------
    observations : sequence of Observation
    faults : iterable of RowFault
        Found before, while rows were read. What hangs on such a row is not judged a second time.
    is_strict : bool
        Refuse targets beyond the guideline at baseline.

    Returns
    -------
    list of Course
        By subject and reader.

    Raises
    ------
    InputError
        Code ``bad_rows``, with every faulty row.
    """
    rows = [
        row if row.row else replace(row, row=place)
        for place, row in enumerate(observations, start=1)
    ]
    found = list(faults)
    unread = {one.row for one in found}
    found += [
        RowFault(row.row, why) for row in rows if row.row not in unread for why in row_reasons(row)
    ]
    faulty = {one.row for one in found}
    found += [RowFault(row.row, why) for row in rows if row.row in unread for why in no_names(row)]
    named = [row for row in rows if not any(no_names(row))]
    for of_subject in _grouped(named, lambda row: row.subject).values():
        found += _subject_faults(of_subject, faulty, is_strict=is_strict)
    refuse(found)
    return [
        course
        for of_subject in _grouped(rows, lambda row: row.subject).values()
        for course in _courses(of_subject)
    ]


def _subject_faults(
    of_subject: Sequence[Observation], faulty: set[int], *, is_strict: bool
) -> Iterator[RowFault]:
    """Find what is wrong with one subject's rows, taken together."""
    timepoints, no_order = ordered_timepoints(of_subject)
    yield from no_order
    baseline = None if no_order else timepoints[0]
    for reader, of_reader in _by_reader(of_subject).items():
        own = [row for row in of_subject if row.reader == reader]
        if baseline is not None and not any(row.timepoint == baseline for row in own):
            yield from (RowFault(row.row, READER_NOT_THERE) for row in own)
            yield from _course_faults(own, None, faulty)
            continue
        yield from _course_faults(of_reader, baseline, faulty)
        if baseline is not None:
            yield from reader_order_faults(of_reader, of_subject, timepoints)
        if is_strict and baseline is not None:
            yield from _strict_faults(of_reader, baseline, faulty)


def _by_reader(of_subject: Sequence[Observation]) -> dict[str, list[Observation]]:
    """Group one subject's rows by reader.

    Markers of nobody are every reader's, but for whom has rows of that marker. What else has no
    reader is of one reader of no name.
    """
    groups = _grouped(of_subject, lambda row: row.reader)
    nobody = groups.get("", [])
    if len(groups) > 1 and all(row.role is Role.MARKER for row in nobody):
        groups.pop("", None)
    shared = [row for row in nobody if row.role is Role.MARKER]
    return {name: _with_markers(name, rows, shared) for name, rows in groups.items()}


def _with_markers(
    reader: str, own: Sequence[Observation], shared: Sequence[Observation]
) -> list[Observation]:
    known = {row.lesion for row in own}
    more = (replace(row, reader=reader) for row in shared if row.lesion not in known)
    return [*own, *more]


def _courses(of_subject: Sequence[Observation]) -> Iterator[Course]:
    timepoints = ordered_timepoints(of_subject)[0]
    contested = differently_dated(of_subject)
    by_reader = _by_reader(of_subject)
    for reader, of_reader in by_reader.items():
        dates = dates_of(of_reader, of_subject)
        warnings = _warnings(of_reader, timepoints, dates, contested)
        if not reader and len(by_reader) > 1:
            warnings[timepoints[0]] += (NAMELESS,)
        yield course_of(of_reader, timepoints, dates, warnings)


def _warnings(
    rows: Sequence[Observation],
    timepoints: Sequence[str],
    dates: Mapping[str, datetime.date],
    contested: set[str],
) -> dict[str, tuple[str, ...]]:
    """Say by time point what looks odd in one reader's rows."""
    known = {row.lesion for row in rows if row.role in KNOWN_ROLES}
    by_visit = _grouped(rows, lambda row: row.timepoint)
    latest = datetime.date.min
    warnings: dict[str, tuple[str, ...]] = {}
    for name in timepoints:
        date = dates.get(name, latest)
        if at := by_visit.get(name):
            said = visit_warnings(at, known)
            if name == timepoints[0]:
                said = [one.warning for one in beyond_guideline(at)] + other_warnings(at) + said
            said += [BACKWARDS] * (date < latest) + [CONTESTED] * (name in contested)
            warnings[name] = tuple(said)
        latest = max(latest, date)
    return warnings


def _course_faults(
    rows: Sequence[Observation], baseline: str | None, faulty: set[int]
) -> Iterator[RowFault]:
    """Find what is wrong with one subject's rows by one reader, taken together."""
    known = {row.lesion for row in rows if row.role in KNOWN_ROLES}
    for at in _grouped(rows, lambda row: row.timepoint).values():
        yield from _repeated(at)
        if not any(row.row in faulty for row in at):
            yield from merge_faults(at, known)
    for group in _grouped(rows, lambda row: row.lesion).values():
        if any(row.row in faulty for row in group):
            continue
        own = [row for row in group if not is_known_hot_spot(row, known)]
        yield from _changes(own)
        if baseline is not None:
            yield from _at_baseline(group, baseline)


def _at_baseline(group: Sequence[Observation], baseline: str) -> Iterator[RowFault]:
    at_baseline = [row for row in group if row.timepoint == baseline]
    known = [row for row in group if row.role in KNOWN_ROLES]
    if known and not any(row.role in KNOWN_ROLES for row in at_baseline):
        yield from (RowFault(row.row, NO_BASELINE_ROW) for row in known)
    for of_role in _grouped(at_baseline, lambda row: row.role).values():
        yield from baseline_faults(of_role)


def _changes(group: Sequence[Observation]) -> Iterator[RowFault]:
    for name, why in (("role", ROLE_CHANGES), ("kind", KIND_CHANGES)):
        if len({getattr(row, name) for row in group}) > 1:
            yield from (RowFault(row.row, why) for row in group)


def _repeated(rows: Sequence[Observation]) -> Iterator[RowFault]:
    """Find rows of one lesion at one time point that nothing tells apart."""
    for of_lesion in _grouped(rows, lambda row: (row.lesion, _modality(row))).values():
        for same in _grouped(of_lesion, lambda row: row.part).values():
            if len(same) > 1:
                yield from (RowFault(row.row, REPEATED) for row in same)
        if len({bool(row.part) for row in of_lesion}) > 1:
            yield from (RowFault(row.row, PART_OR_WHOLE) for row in of_lesion)


def _modality(row: Observation) -> str:
    return row.modality.strip().upper() if is_pet_ct(row) else modality_of(row)


def _strict_faults(
    rows: Sequence[Observation], baseline: str, faulty: set[int]
) -> Iterator[RowFault]:
    at_baseline = [row for row in rows if row.timepoint == baseline and row.row not in faulty]
    for one in beyond_guideline(at_baseline):
        yield from (RowFault(row.row, one.refusal) for row in one.rows)


def _grouped(
    rows: Iterable[Observation], key: Callable[[Observation], _Key]
) -> dict[_Key, list[Observation]]:
    """Group rows by a key; groups are in order of their key, rows in order of their place."""
    groups: dict[_Key, list[Observation]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(sorted(groups.items()))
