"""Tumours of one patient over time: how they grow, and which becomes which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count, pairwise
from string import ascii_uppercase

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray
from lesionary.phantoms.anatomy import Anatomy
from lesionary.phantoms.lesions import LesionShape, Lobe, draw_lobe
from lesionary.phantoms.sites import Sites, find_sites


class Course(StrEnum):
    """What becomes of a tumour over the time points."""

    GROWING = "growing"
    SHRINKING = "shrinking"
    NEW = "new"
    VANISHING = "vanishing"
    MERGING = "merging"
    SPLITTING = "splitting"
    STABLE = "stable"
    REAPPEARING = "reappearing"


USUAL_COURSES = tuple(course for course in Course if course is not Course.REAPPEARING)
"""All but a tumour that is missing at the second time point and there again at the third."""


class Relation(StrEnum):
    """How a tumour at one time point relates to one at the next."""

    SAME = "same"
    SPLIT = "split"
    MERGE = "merge"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class LesionPlan:
    """How many tumours, how large, and what becomes of them.

    Parameters
    ----------
    counts : mapping of str to int
        Tumours of each label; a merging pair counts as one here and has two tracks. Known are
        ``t,lung``, ``m,lung``, ``m,liver``, ``n,mediastinum`` and ``n,retroperitoneal``.
    courses : sequence of Course
        Dealt out in turn to metastases, and to nodes, which neither split nor merge. A primary
        grows. By default all but ``reappearing``.
    smallest_mm, largest_mm : float
        Longest diameters when first seen, spread evenly over their logarithm. A primary is
        half as large again; a tumour that finds no room is made smaller.
    """

    counts: Mapping[str, int]
    courses: Sequence[Course] = USUAL_COURSES
    smallest_mm: float = 8.0
    largest_mm: float = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One tumour at one time point, in patient mm.

    ``tracks`` are those it carries: several where tumours have merged. ``part`` counts from 1
    where a track has fallen into several pieces. ``lineage`` names what never divides further:
    two pieces are related where they share some of it.
    """

    tracks: tuple[str, ...]
    part: int
    lineage: frozenset[str]
    label: str
    shape: LesionShape


@dataclass(frozen=True, slots=True)
class Link:
    """True relation between tumours of two successive time points; None where there is none."""

    track: str
    from_timepoint: int
    from_value: int | None
    to_value: int | None
    relation: Relation


_PAIRED = frozenset({Course.SPLITTING, Course.MERGING})
_MERGED, _APART = 1.25, 0.70
"""Diameters of a pair's lobes, as shares of the distance between their centres."""


_ROUGHNESS = ((0.06, 0.22), (0.10, 0.34))
"""Of tumours elsewhere, and in the lung, where the rougher ones get spicules."""


def plan_lesions(
    anatomy: Anatomy,
    plan: LesionPlan,
    n_timepoints: int,
    height_mm: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[tuple[Piece, ...], ...]:
    """Place tumours in an anatomy and follow them over ``n_timepoints``.

    ``height_mm`` is the lowest and highest z that every scan shows, in patient mm.

    Returns
    -------
    tuple of tuple of Piece
        The pieces at each time point, in order of tracks.

    Raises
    ------
    InputError
        If there is no room for a tumour, or no place for a label.
    """
    sites = {label: find_sites(anatomy, label, height_mm, rng) for label in plan.counts}
    taken: list[tuple[FloatArray, float]] = []
    tracks = _track_names()
    timepoints: list[list[Piece]] = [[] for _ in range(n_timepoints)]
    for label, course in _deal(plan):
        diameter = float(np.exp(rng.uniform(np.log(plan.smallest_mm), np.log(plan.largest_mm))))
        diameter *= 1.5 if label.startswith("t") else 1.0
        if course in _PAIRED:
            lobes = _draw_pair(sites[label], max(diameter, 20.0), taken, rng)
            states = _follow_pair(lobes, tracks, course, n_timepoints)
        else:
            largest = max(factor or 0.0 for factor in _factors(course, n_timepoints)) or 1.0
            lobe = _draw_one(sites[label], label, diameter, largest, taken, rng)
            states = _follow_one(lobe, next(tracks), course, n_timepoints)
        for pieces, state in zip(timepoints, states, strict=True):
            pieces += [replace(piece, label=label) for piece in state]
    return tuple(tuple(pieces) for pieces in timepoints)


def link(timepoints: Sequence[Mapping[int, Piece]]) -> tuple[Link, ...]:
    """Tell the true relations; each time point maps label values to pieces."""
    links: list[Link] = []
    for t, (before, after) in enumerate(pairwise(timepoints)):
        pairs = [
            (a, b)
            for a, old in before.items()
            for b, new in after.items()
            if old.lineage & new.lineage
        ]
        ahead, back = [a for a, _ in pairs], [b for _, b in pairs]
        for a, b in pairs:
            relation = Relation.SAME
            if ahead.count(a) > 1:
                relation = Relation.SPLIT
            elif back.count(b) > 1:
                relation = Relation.MERGE
            links.append(Link(before[a].tracks[0], t, a, b, relation))
        gone, new = set(before) - set(ahead), set(after) - set(back)
        links += [Link(before[a].tracks[0], t, a, None, Relation.GONE) for a in sorted(gone)]
        links += [Link(after[b].tracks[0], t, None, b, Relation.NEW) for b in sorted(new)]
    return tuple(links)


def _deal(plan: LesionPlan) -> list[tuple[str, Course]]:
    """Give each tumour its course; metastases of all organs take turns."""
    rounds = max(plan.counts.values(), default=0)
    labels = [label for n in range(rounds) for label, total in plan.counts.items() if n < total]
    single = [course for course in plan.courses if course not in _PAIRED]
    turns = {"m": count(), "n": count()}
    dealt = []
    for label in labels:
        courses = plan.courses if label.startswith("m") else single
        if label.startswith("t") or not courses:
            dealt.append((label, Course.GROWING))
        else:
            dealt.append((label, courses[next(turns[label[0]]) % len(courses)]))
    return dealt


def _track_names() -> Iterator[str]:
    """Count A … Z, then A1 … Z1, A2 …."""
    for n in count():
        for letter in ascii_uppercase:
            yield f"{letter}{n}" if n else letter


def _factors(course: Course, n: int) -> list[float | None]:
    """Diameter at each time point as a share of the first; None where the tumour is not there."""
    match course:
        case Course.GROWING:
            return [1.25**t for t in range(n)]
        case Course.SHRINKING:
            return [0.72**t for t in range(n)]
        case Course.NEW:
            return [None, *(1.2**t for t in range(n - 1))]
        case Course.VANISHING:
            return [*(0.6**t for t in range(n - 1)), None] if n > 1 else [1.0]
        case Course.REAPPEARING:
            return [None if t == 1 else 1.0 for t in range(n)]
        case _:
            return [(1.0, 1.02, 0.99)[t % 3] for t in range(n)]


def _follow_one(lobe: Lobe, track: str, course: Course, n: int) -> list[list[Piece]]:
    return [
        [_piece((track,), (lobe.scaled(factor),))] if factor else []
        for factor in _factors(course, n)
    ]


def _follow_pair(
    lobes: tuple[Lobe, Lobe], tracks: Iterator[str], course: Course, n: int
) -> list[list[Piece]]:
    """Two tumours that are one at the last time point, or one that is two from the second on."""
    is_merging = course is Course.MERGING
    names = (next(tracks), next(tracks)) if is_merging else (next(tracks),)
    states = []
    for t in range(n):
        is_one = (t == n - 1 > 0) if is_merging else t == 0
        shrinkage = 1.0 if is_one else 0.95 ** (n - 2 - t if is_merging else t - 1)
        first, second = (b.scaled((_MERGED if is_one else _APART) * shrinkage) for b in lobes)
        if is_one:
            states.append([_piece(names, (first, second))])
        elif is_merging:
            states.append([_piece(names[:1], (first,)), _piece(names[1:], (second,))])
        else:
            states.append([_piece(names, (first,), part=1), _piece(names, (second,), part=2)])
    return states


def _piece(tracks: tuple[str, ...], lobes: tuple[Lobe, ...], *, part: int | None = None) -> Piece:
    """Make a piece of one lobe or of both; a split track's lineage is told apart by part."""
    if part is not None:
        lineage = frozenset({f"{tracks[0]}/{part}"})
    elif len(lobes) > len(tracks):
        lineage = frozenset({f"{tracks[0]}/{p}" for p in (1, 2)})
    else:
        lineage = frozenset(tracks)
    return Piece(tracks, part or 1, lineage, "", LesionShape(lobes))


def _draw_one(
    sites: Sites,
    label: str,
    diameter_mm: float,
    largest: float,
    taken: list[tuple[FloatArray, float]],
    rng: np.random.Generator,
) -> Lobe:
    """Draw a tumour with room to grow by the factor ``largest``."""
    is_node = label.startswith("n")
    roughness = 0.05 if is_node else float(rng.uniform(*_ROUGHNESS[label.endswith("lung")]))
    elongation = float(rng.uniform(1.3, 1.7)) if is_node else float(rng.uniform(1.05, 1.4))
    while diameter_mm > 3:
        lobe = draw_lobe(rng, np.zeros(3), diameter_mm, roughness=roughness, elongation=elongation)
        reach_mm = lobe.reach_mm * largest
        centre = sites.pick(reach_mm, taken, rng)
        if centre is not None:
            taken.append((centre, reach_mm))
            return replace(lobe, centre_mm=centre)
        diameter_mm *= 0.85
    raise InputError(f"no room for another tumour '{label}'", hint="ask for fewer or smaller ones")


def _draw_pair(
    sites: Sites,
    diameter_mm: float,
    taken: list[tuple[FloatArray, float]],
    rng: np.random.Generator,
) -> tuple[Lobe, Lobe]:
    """Draw two lobes side by side; their diameters are 1, to be scaled by their distance.

    They lie along a row or a column of the image, where voxels are small enough to tell them
    apart.
    """
    distance_mm = float(np.clip(diameter_mm, 22.0, 26.0))
    while distance_mm > 12:
        lobes = [
            draw_lobe(rng, np.zeros(3), distance_mm, roughness=0.05, elongation=1.15)
            for _ in range(2)
        ]
        reach_mm = max(lobe.reach_mm for lobe in lobes) * _MERGED + distance_mm / 2
        centre = sites.pick(0.8 * reach_mm, taken, rng)
        if centre is not None:
            taken.append((centre, reach_mm))
            offset = np.eye(3)[rng.integers(2)] * distance_mm / 2
            return (
                replace(lobes[0], centre_mm=centre - offset),
                replace(lobes[1], centre_mm=centre + offset),
            )
        distance_mm *= 0.9
    raise InputError("no room for a pair of tumours", hint="ask for fewer or smaller ones")
