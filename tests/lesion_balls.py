"""Ball-shaped lesions at chosen places, for what follows lesions through time."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from lesionary.core.terms import kind_of_text, parse_label
from lesionary.core.volume import Geometry, Mask
from lesionary.measure.tracks.records import Place, TimepointLesions, TrackedLesion, View
from lesionary.measure.tracks.registration import Transform

Ball = tuple[Sequence[float], float, str]
"""Centre in mm, diameter in mm, label."""


def grid(
    low: Sequence[float] = (-150, -150, -200),
    high: Sequence[float] = (150, 150, 200),
    spacing_mm: Sequence[float] = (2.0, 2.0, 2.0),
) -> Geometry:
    """Return an axial grid from ``low`` to ``high``; spacing along ``(k, j, i)``."""
    dk, dj, di = spacing_mm
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = dk, dj, di, 1.0
    affine[:3, 3] = low
    nx, ny, nz = ((b - a) / s for a, b, s in zip(low, high, (di, dj, dk), strict=True))
    return Geometry((int(nz) + 1, int(ny) + 1, int(nx) + 1), affine)


def ball(place: Place, ball: Ball, geometry: Geometry) -> TrackedLesion:
    """Draw one on a grid, cropped."""
    centre, diameter_mm, label = np.asarray(ball[0], dtype=float), ball[1], ball[2]
    index = geometry.to_index(centre)
    reach = np.ceil(diameter_mm / 2 / np.array(geometry.spacing_mm)).astype(int) + 1
    low = np.clip(np.floor(index).astype(int) - reach, 0, None)
    high = np.minimum(np.ceil(index).astype(int) + reach + 1, geometry.shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    cropped = geometry.cropped(box)
    points = cropped.to_world(np.moveaxis(np.indices(cropped.shape), 0, -1))
    inside = np.linalg.norm(points - centre, axis=-1) <= diameter_mm / 2
    parsed = parse_label(label)
    return TrackedLesion(
        place=place,
        label=label,
        kind=kind_of_text(label),
        organ="" if parsed is None else parsed.organ,
        volume_ml=float(inside.sum()) * geometry.voxel_volume_mm3 / 1000,
        diameter_mm=diameter_mm,
        mask=Mask(inside, cropped),
    )


def visit(
    timepoint: str,
    balls: Sequence[Ball],
    *,
    geometry: Geometry | None = None,
    series: str = "ct",
    has_mask: bool = True,
    subject: str = "s",
) -> TimepointLesions:
    """Return a time point with one series and these lesions, numbered from 1."""
    geometry = geometry or grid()
    lesions = [ball(Place(timepoint, series, n), b, geometry) for n, b in enumerate(balls, 1)]
    view = View(series, geometry, "CT", has_mask)
    return TimepointLesions(subject, timepoint, (view,), tuple(lesions))


def still(*timepoints: TimepointLesions) -> Mapping[tuple[str, str], Transform]:
    """Return transforms between successive time points of a patient who never moved."""
    names = [each.timepoint for each in timepoints]
    return {pair: Transform(np.eye(4)) for pair in pairwise(names)}
