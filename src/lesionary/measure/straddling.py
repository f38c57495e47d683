"""Lesions that another definition of size would put on the other side of a threshold (R8, X3).

One mask has several sizes: a long axis from edge to edge, the published rectangle from pixel centre
to pixel centre, the diameter of the sphere that holds the same volume. Where a threshold lies
between them the definition decides, not the disease, and a reader should know.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.response.measurability import least_measurable_mm
from lesionary.measure.response.sightings import NORMAL_NODE_MM


class Size(StrEnum):
    """Definitions of a lesion's size, all in mm."""

    CALIPER = "caliper"
    LONG_AXIS = "long_axis"
    RECTANGLE = "as_published"
    SPHERE = "volume"


PARTIAL = 0.7
"""Share of its own baseline at which a lesion has shrunk as a partial response does."""

PROGRESSION = 1.2
"""Share of its own smallest size at which a lesion has grown as progression does."""

GROWTH_MM = 5.0
"""What progression grows by at least."""


@dataclass(frozen=True, slots=True)
class LesionSizes:
    """One lesion at one time point, in every definition that has a value.

    Parameters
    ----------
    timepoint, lesion : str
    kind : LesionKind
    sizes_mm : mapping of Size to float
        Of a node calipers mean the short axis. A definition without a value is left out.
    slice_thickness_mm : float or None
    reported : Size
        The definition that the report goes by.
    """

    timepoint: str
    lesion: str
    kind: LesionKind
    sizes_mm: Mapping[Size, float]
    slice_thickness_mm: float | None = None
    reported: Size = Size.CALIPER


@dataclass(frozen=True, slots=True)
class Straddle:
    """One threshold that lies between two definitions.

    Parameters
    ----------
    timepoint, lesion : str
    threshold : str
        ``measurable``, ``node_target``, ``node_normal``, ``shrunk`` or ``grown``.
    limit : float
        In mm for the first three, else in percent of change.
    definition : Size
        The one that disagrees with the report's.
    reported, other : float
        The report's value and the other's, in the threshold's unit.
    """

    timepoint: str
    lesion: str
    threshold: str
    limit: float
    definition: Size
    reported: float
    other: float


def sphere_mm(volume_ml: float) -> float:
    """Return the diameter of the sphere of this volume.

    Examples
    --------
    >>> round(sphere_mm(0.5235987755982988), 9)
    10.0
    """
    return math.cbrt(6000 * volume_ml / math.pi)


def straddling(course: Sequence[LesionSizes]) -> tuple[Straddle, ...]:
    """List where a definition puts one lesion on the other side of a threshold than the report.

    Parameters
    ----------
    course : sequence of LesionSizes
        One lesion through time, in order; the first is its baseline.

    Returns
    -------
    tuple of Straddle
        In order of time points, thresholds, definitions. Sizes are held against their own past in
        the same definition. An empty course has none.

    Raises
    ------
    InputError
        If the course tells of several lesions, or a time point has no size by the report.
    """
    if len({one.lesion for one in course}) > 1:
        raise InputError("one course is one lesion's")
    if any(one.reported not in one.sizes_mm for one in course):
        raise InputError("every time point needs the diameter that the report says")
    found = [
        straddle
        for place, now in enumerate(course)
        for straddle in (*_by_size(now), *_by_change(now, course[:place]))
    ]
    return tuple(found)


def _by_size(now: LesionSizes) -> Iterator[Straddle]:
    reported = now.sizes_mm[now.reported]
    for threshold, limit_mm in _limits_mm(now):
        for definition, other in _others(now):
            if (reported >= limit_mm) != (other >= limit_mm):
                yield Straddle(
                    now.timepoint, now.lesion, threshold, limit_mm, definition, reported, other
                )


def _limits_mm(one: LesionSizes) -> Iterator[tuple[str, float]]:
    thickness_mm = one.slice_thickness_mm
    least_mm = least_measurable_mm(
        one.kind, None if thickness_mm is None else Decimal(repr(thickness_mm))
    )
    if one.kind is LesionKind.NODE:
        yield "node_normal", float(NORMAL_NODE_MM)
        yield "node_target", float(least_mm)
    else:
        yield "measurable", float(least_mm)


def _by_change(now: LesionSizes, before: Sequence[LesionSizes]) -> Iterator[Straddle]:
    reported = _Change.of(now.reported, now, before)
    if reported is None:
        return
    others = [(name, _Change.of(name, now, before)) for name, _ in _others(now)]
    for threshold, limit, percent, is_beyond in (
        ("shrunk", 100 * (PARTIAL - 1), "from_baseline_percent", "is_shrunk"),
        ("grown", 100 * (PROGRESSION - 1), "from_nadir_percent", "is_grown"),
    ):
        for name, other in others:
            if other is not None and getattr(reported, is_beyond) != getattr(other, is_beyond):
                values = getattr(reported, percent), getattr(other, percent)
                yield Straddle(now.timepoint, now.lesion, threshold, limit, name, *values)


def _others(one: LesionSizes) -> Iterator[tuple[Size, float]]:
    for definition in Size:
        if definition is not one.reported and definition in one.sizes_mm:
            yield definition, one.sizes_mm[definition]


@dataclass(frozen=True, slots=True)
class _Change:
    """How one definition's size changed since its baseline and its smallest."""

    from_baseline_percent: float
    from_nadir_percent: float
    is_shrunk: bool
    is_grown: bool

    @classmethod
    def of(
        cls, definition: Size, now: LesionSizes, before: Sequence[LesionSizes]
    ) -> "_Change | None":
        """Return None where a past visit lacks the definition, or its size was 0."""
        if not before or any(definition not in one.sizes_mm for one in before):
            return None
        past = [one.sizes_mm[definition] for one in before]
        size, baseline, nadir = now.sizes_mm[definition], past[0], min(past)
        if nadir <= 0:
            return None
        return cls(
            from_baseline_percent=100 * (size / baseline - 1),
            from_nadir_percent=100 * (size / nadir - 1),
            is_shrunk=size <= PARTIAL * baseline,
            is_grown=size >= PROGRESSION * nadir and size >= nadir + GROWTH_MM,
        )
