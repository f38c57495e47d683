"""What is refused before anything is judged: faults of rows, of lesions, of subjects."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
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
from lesionary.measure.response.records import Observation
from lesionary.measure.response.row_checks import no_names, row_reasons
from lesionary.measure.response.sightings import is_pet
from lesionary.measure.response.timepoints import dates_of, ordered_timepoints

NO_BASELINE_ROW = "a target or non-target lesion needs a row at the baseline"
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
        timepoints, no_order = ordered_timepoints(of_subject)
        found += no_order
        for of_reader in _grouped(of_subject, lambda row: row.reader).values():
            found += _course_faults(of_reader, None if no_order else timepoints[0], faulty)
            if is_strict and not no_order:
                found += _strict_faults(of_reader, timepoints[0], faulty)
    refuse(found)
    return [
        _course(of_reader, ordered_timepoints(of_subject)[0], of_subject)
        for of_subject in _grouped(rows, lambda row: row.subject).values()
        for of_reader in _grouped(of_subject, lambda row: row.reader).values()
    ]


def _course(
    rows: Sequence[Observation], timepoints: Sequence[str], of_subject: Sequence[Observation]
) -> Course:
    dates = dates_of(of_subject)
    known = {row.lesion for row in rows if row.role in KNOWN_ROLES}
    warnings: dict[str, tuple[str, ...]] = {}
    for name, at in _grouped(rows, lambda row: row.timepoint).items():
        said = visit_warnings(at, known)
        if name == timepoints[0]:
            said = [one.warning for one in beyond_guideline(at)] + other_warnings(at) + said
        before = [dates[one] for one in timepoints[: timepoints.index(name)] if one in dates]
        if before and name in dates and dates[name] < max(before):
            said.append(BACKWARDS)
        warnings[name] = tuple(said)
    return course_of(rows, timepoints, dates, warnings)


def _course_faults(
    rows: Sequence[Observation], baseline: str | None, faulty: set[int]
) -> Iterator[RowFault]:
    """Find what is wrong with one subject's rows by one reader, taken together."""
    by_visit = _grouped(rows, lambda row: row.timepoint)
    for at in by_visit.values():
        yield from _repeated(at)
        if not any(row.row in faulty for row in at):
            yield from merge_faults(at)
    if baseline is not None and baseline not in by_visit:
        yield from (RowFault(row.row, READER_NOT_THERE) for row in rows)
        return
    known = {row.lesion for row in rows if row.role in KNOWN_ROLES}
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
    return "PET" if is_pet(row) else row.modality.strip().upper()


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
