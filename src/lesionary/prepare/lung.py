"""Where a CT shows lung: air-like tissue that the body encloses."""

from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import AnyArray, BoolArray, Volume

LUNG_HU = (-980.0, -500.0)
BODY_HU = -300.0
LUNG_SHARE_OF_BODY = 0.04
"""Bowel gas is smaller than this share of the body's section, lung from its bases on larger."""

_PIXELS_ACROSS = 128


@dataclass(frozen=True, slots=True)
class LungExtent:
    """How much of a CT is lung.

    Parameters
    ----------
    share : float
        Share of slices, across the patient, that show lung; 0 … 1.
    has_apex : bool
        Whether the uppermost slice lies beyond the lungs.
    """

    share: float
    has_apex: bool


def lung_extent(volume: Volume) -> LungExtent:
    """Find the lungs of a CT, on a coarse grid of some 128 pixels a side.

    Parameters
    ----------
    volume : Volume, shape (slices, rows, columns)
        CT in HU.
    """
    across = volume.geometry.superior_axis
    slices = np.moveaxis(volume.array, across, 0)
    steps = [max(1, n // _PIXELS_ACROSS) for n in slices.shape[1:]]
    shows_lung = [_shows_lung(section) for section in slices[:, :: steps[0], :: steps[1]]]
    is_upwards = volume.geometry.directions[2, across] > 0
    return LungExtent(float(np.mean(shows_lung)), not shows_lung[-1 if is_upwards else 0])


def _shows_lung(section_hu: AnyArray) -> bool:
    body = section_hu > BODY_HU
    enclosed = _enclosed(section_hu < LUNG_HU[1])
    lung = enclosed & (section_hu > LUNG_HU[0])
    n_body = np.count_nonzero(body | enclosed)
    return bool(n_body) and bool(np.count_nonzero(lung) > LUNG_SHARE_OF_BODY * n_body)


def _enclosed(air: BoolArray) -> BoolArray:
    """Return the air that does not reach the picture's edge."""
    from scipy.ndimage import label

    numbers, _ = label(air)
    edge = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]])
    enclosed: BoolArray = air & ~np.isin(numbers, np.unique(edge))
    return enclosed
