"""RECIST 1.1 over thousands of possible courses at once: the rules of ``measure.response``.

Sizes are whole picometres, so that no threshold is blurred by floating point: 1 mm is
:data:`UNIT`. What each course says is what :func:`lesionary.measure.response.judging.respond` says.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lesionary.measure.response.records import Response
from lesionary.measure.response.sightings import NORMAL_NODE_MM
from lesionary.measure.response.targets import LEAST_RISE_MM

Codes: TypeAlias = NDArray[np.int8]
Picometres: TypeAlias = NDArray[np.int64]

UNIT = 10**9
"""Picometres in a millimetre."""

CATEGORIES = (
    Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.NON_CR_NON_PD,
)  # fmt: skip
"""By code; :data:`NOTHING` stands for no response at all."""

NOTHING = len(CATEGORIES)
_CR, _PR, _SD, _PD, _NE, _NON = range(NOTHING)
_NODE = int(NORMAL_NODE_MM) * UNIT
_RISE = int(LEAST_RISE_MM) * UNIT


def picometres(size_mm: Decimal) -> int:
    """Return a length in whole picometres; decimals beyond the ninth are rounded."""
    return int((size_mm * UNIT).to_integral_value())


def code_of(response: Response | None) -> int:
    """Return a category's code."""
    return NOTHING if response is None else CATEGORIES.index(response)


@dataclass(frozen=True, slots=True)
class VisitRules:
    """What one visit makes of sizes, and what of it does not depend on them.

    Parameters
    ----------
    cells : tuple of int
        Places of the sizes that add up to the target sum.
    fixed : int
        What else does, in picometres: lesions too small to measure.
    nodes : tuple of int
        Places of the sizes of nodes that are disease from 10 mm on.
    is_complete : bool
        Whether all targets are evaluable.
    has_disease, has_other_disease : bool
        Whether a target shows disease whatever its size; whether a non-target does.
    has_certain_disease : bool
        As ``has_disease``, but for nodes that were not measured: they may be normal.
    non_target : int
        Code of the response of non-targets.
    is_new : bool
        Whether a new lesion counts.
    """

    cells: tuple[int, ...]
    fixed: int
    nodes: tuple[int, ...]
    is_complete: bool
    has_disease: bool
    has_other_disease: bool
    has_certain_disease: bool
    non_target: int
    is_new: bool


@dataclass(slots=True)
class _Past:
    """What the visits so far have come to, one value a course."""

    baseline: Picometres
    nadir: Picometres
    has_responded: NDArray[np.bool_]
    was_complete: NDArray[np.bool_]


def sums_of(visit: VisitRules, sizes: Picometres) -> Picometres:
    """Add up one visit's targets, shape (courses,)."""
    found: Picometres = sizes[:, visit.cells].sum(axis=1) + visit.fixed
    return found


def judge_courses(visits: tuple[VisitRules, ...], sizes: Picometres, *, has_targets: bool) -> Codes:
    """Judge every visit of every course.

    Parameters
    ----------
    visits : tuple of VisitRules
        The first is the baseline.
    sizes : array, shape (courses, cells)
        In picometres.
    has_targets : bool
        Without, the non-targets decide.

    Returns
    -------
    array, shape (courses, visits)
        Codes of the overall response; the baseline's is :data:`NOTHING`.
    """
    n_courses = len(sizes)
    codes = np.full((n_courses, len(visits)), NOTHING, dtype=np.int8)
    baseline = sums_of(visits[0], sizes)
    nobody = np.zeros(n_courses, dtype=np.bool_)
    past = _Past(baseline, baseline, nobody, nobody.copy())
    for place, visit in enumerate(visits[1:], start=1):
        codes[:, place] = _overall(visit, sizes, past, has_targets=has_targets)
    return codes


def _overall(visit: VisitRules, sizes: Picometres, past: _Past, *, has_targets: bool) -> Codes:
    shows = _shows_disease(visit, sizes)
    is_pd: NDArray[np.bool_] = past.was_complete & (shows | visit.has_other_disease)
    if visit.is_new or visit.non_target == _PD:
        is_pd[:] = True
    if has_targets:
        overall = _target(visit, sizes, shows, past)
        if visit.non_target in {_NON, _NE}:
            overall[overall == _CR] = _PR
    else:
        overall = np.full(len(sizes), visit.non_target, dtype=np.int8)
    overall[is_pd] = _PD
    past.was_complete = past.was_complete | (overall == _CR)
    return overall


def _shows_disease(visit: VisitRules, sizes: Picometres) -> NDArray[np.bool_]:
    if visit.has_disease:
        return np.ones(len(sizes), dtype=np.bool_)
    return _has_large_node(visit, sizes)


def _has_large_node(visit: VisitRules, sizes: Picometres) -> NDArray[np.bool_]:
    return np.asarray((sizes[:, visit.nodes] >= _NODE).any(axis=1), dtype=np.bool_)


def _target(visit: VisitRules, sizes: Picometres, shows: NDArray[np.bool_], past: _Past) -> Codes:
    """Judge the targets, and keep what that means for later visits."""
    found = sums_of(visit, sizes)
    rise = found - past.nadir
    has_grown = (rise >= _RISE) & (5 * rise >= past.nadir)
    if visit.is_complete:
        has_shrunk = past.has_responded | (10 * found <= 7 * past.baseline)
        codes = np.where(has_grown, _PD, np.where(has_shrunk, _PR, _SD)).astype(np.int8)
        codes[~shows] = _CR
        past.nadir = np.minimum(past.nadir, found)
    else:
        is_no_cr = visit.has_certain_disease | _has_large_node(visit, sizes)
        codes = np.where(has_grown & is_no_cr, _PD, _NE).astype(np.int8)
    has_responded = (codes == _CR) | (codes == _PR)
    past.has_responded = (past.has_responded | has_responded) & (codes != _PD)
    return codes
