"""How far voxels and slices alone put a diameter off (R8).

A caliper runs from the outer edge of one voxel to that of another, so it reads longer than the
lesion is; what it reads varies with where the grid lies. The largest section lies up to half a
slice from the nearest slice, so that it reads shorter. The constants were measured on 4,000 random
ellipsoids, as ``docs/explanation/uncertainty.md`` tells.
"""

from collections.abc import Sequence

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.core.volume import FloatArray

PIXEL_SD = 0.29
"""Standard deviation of a caliper's error in pixels; of long axes 0.24, of short ones 0.29."""

SLICE_SD = 0.28
"""Of what a missed largest section costs, times slice spacing squared over the diameter; of short
axes 0.15."""

USUAL_FLATNESS = 0.7
"""Height over diameter that is taken where nobody gave the height."""

LONGEST_PIXELS = 1.0
"""No long axis was further off than this many pixels."""

SHORT_PIXELS = 1.25
"""No short axis was."""


def sampling_sd_mm(sizes_mm: FloatArray, slices_mm: FloatArray, pixel_mm: float) -> FloatArray:
    """Return the standard deviation of a diameter's error from sampling.

    Parameters
    ----------
    sizes_mm, slices_mm : array, shape (n,)
        Diameters above 0, slice spacings of 0 or more.
    pixel_mm : float
        In-plane spacing.
    """
    slice_part = SLICE_SD * slices_mm**2 / sizes_mm
    slice_part = np.minimum(slice_part, sizes_mm / 4)
    found: FloatArray = np.hypot(PIXEL_SD * pixel_mm, slice_part)
    return found


def sampling_bound_mm(
    diameter_mm: float,
    *,
    pixel_mm: float,
    slice_mm: float,
    kind: LesionKind = LesionKind.TUMOUR,
    height_mm: float | None = None,
) -> float:
    """Return the most by which voxels and slices put one diameter off.

    Parameters
    ----------
    diameter_mm : float
        As read.
    pixel_mm : float
        The larger in-plane spacing.
    slice_mm : float
        Distance of slices.
    kind : LesionKind
        A node's short axis is bound a little wider.
    height_mm : float, optional
        Extent across slices; 0.7 of the diameter where left out, which one lesion in a thousand
        exceeds.

    Returns
    -------
    float
        A pixel, and what an ellipsoid loses where its largest section lies midway between slices.

    Raises
    ------
    InputError
        If a length is none.

    Examples
    --------
    >>> round(sampling_bound_mm(20, pixel_mm=0.7, slice_mm=5), 2)
    2.02
    """
    height_mm = USUAL_FLATNESS * diameter_mm if height_mm is None else height_mm
    lengths = (diameter_mm, pixel_mm, slice_mm, height_mm)
    if not all(np.isfinite(one) and one >= 0 for one in lengths):
        raise InputError(f"lengths of 0 mm or more are needed, not {lengths}")
    pixels = LONGEST_PIXELS if kind is LesionKind.TUMOUR else SHORT_PIXELS
    if diameter_mm == 0:
        return pixels * pixel_mm
    share = min(slice_mm / height_mm, 1.0) if height_mm else 1.0
    return pixels * pixel_mm + diameter_mm * (1 - float(np.sqrt(1 - share**2)))


def sum_bound_mm(bounds_mm: Sequence[float]) -> float:
    """Return the most by which a sum of diameters is off: all of them, the same way."""
    return float(sum(bounds_mm))
