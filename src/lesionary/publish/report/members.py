"""Which lesions and series each line of the report's tables describes."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from lesionary.publish.report.burden import BurdenPoint
from lesionary.publish.report.data import LesionRow, Method, ReviewState, SeriesRow
from lesionary.publish.report.groups import Group, groups_of

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

Maker = tuple[ReviewState, Method, str]
"""How far a mask was reviewed, how it was made, and by which algorithm."""

ALL_LESIONS, ALL_LABELS = "all lesions", "all labels"
_DRAFTS = frozenset({Method.AUTOMATIC, Method.SEMIAUTOMATIC})


def kinds_of(lesions: Sequence[LesionRow]) -> list[Group]:
    """Return each kind of lesion, and all together."""
    return [*groups_of(lesions), Group(ALL_LESIONS, tuple(lesions), "", "o")]


def labels_of(lesions: Iterable[LesionRow]) -> dict[str, list[LesionRow]]:
    """Return the lesions of each label, the most frequent first."""
    found = grouped_by((row.label, row) for row in lesions)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def subjects_of(
    series: Sequence[SeriesRow], lesions: Iterable[LesionRow]
) -> dict[str, list[LesionRow]]:
    """Return the lesions of each subject: also of those that have none."""
    found = grouped_by((row.subject, row) for row in lesions)
    names = sorted({scan.subject for scan in series} | found.keys())
    return {name: found.get(name, []) for name in names}


def subject_label(subject: str, label: str) -> str:
    """Name a subject's lesions of one label."""
    return f"{subject}, {label}"


def visits_of(points: Iterable[BurdenPoint]) -> dict[int, list[BurdenPoint]]:
    """Return the subjects' burdens at each time point."""
    found = grouped_by((point.timepoint, point) for point in points)
    return dict(sorted(found.items()))


def visit_name(modality: str, timepoint: int) -> str:
    """Name a time point of one modality."""
    return f"{modality}, time point {timepoint}"


def makers_of(lesions: Iterable[LesionRow]) -> dict[Maker, list[LesionRow]]:
    """Return the lesions by how far the mask was reviewed and who made it."""
    found = grouped_by(((row.state, row.method, row.segmenter or ""), row) for row in lesions)
    return dict(sorted(found.items()))


def reason_name(step: str, reason: str) -> str:
    """Name the series that one step of curation leaves out for one reason."""
    return f"{step} – {reason}"


def ignored_name(code: str, reason: str) -> str:
    """Name what was passed over for one reason."""
    return f"{code}: {reason}"


def maker_name(maker: Maker) -> str:
    """Name a way of making masks."""
    return ", ".join(part for part in maker if part)


def unreviewed(lesions: Iterable[LesionRow], *, are_drafts: bool) -> list[LesionRow]:
    """Return the lesions that no reader has seen: an algorithm's drafts, or all others."""
    return [
        row
        for row in lesions
        if row.state is ReviewState.UNREVIEWED and (row.method in _DRAFTS) == are_drafts
    ]


def without_segmenter(lesions: Iterable[LesionRow]) -> list[LesionRow]:
    """Return the lesions that no algorithm touched."""
    return [row for row in lesions if row.segmenter is None]


def grouped_by(pairs: Iterable[tuple[K, R]]) -> dict[K, list[R]]:
    """Collect the second of each pair under the first, in the order in which they come."""
    found: dict[K, list[R]] = {}
    for key, row in pairs:
        found.setdefault(key, []).append(row)
    return found
