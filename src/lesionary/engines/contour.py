"""Box to mask by a closed surface of least area that best parts the lesion from its surroundings.

The default for CT and MR.
"""

import numpy as np

from lesionary.annotate.prompts import BoxPrompt
from lesionary.annotate.segmenter import SegmenterInfo
from lesionary.core.volume import Mask, Volume
from lesionary.engines._grid import Field, WorkingGrid
from lesionary.engines._region import RegionModel, Smoother, segment_region

STIFFNESS = 0.17
"""Surface tension: radius of the smallest ball that log-odds of 3 keep, as a share of the box's
half extent."""

N_ITERATIONS = 100


class ContourSegmenter:
    """An active contour whose energy is convex, so that it needs no start and no time step."""

    info = SegmenterInfo(
        name="contour",
        version="1",
        modalities=("CT", "MR", "PT", "OT"),
        licence="Apache-2.0",
    )

    def segment(self, volume: Volume, prompt: BoxPrompt) -> Mask:
        """Return the lesion in the prompt's box; never empty, never beyond the box."""
        return segment_region(volume, prompt, _surface_of)


def _surface_of(grid: WorkingGrid, _model: RegionModel) -> Smoother:
    weights = STIFFNESS * grid.half_extent_mm / np.array(grid.spacing_mm)

    def smooth(log_odds: Field) -> Field:
        from lesionary.engines._kernels import least_weighted_surface

        start = (log_odds > 0).astype(np.float32)
        surface: Field = least_weighted_surface(log_odds, start, weights, N_ITERATIONS)
        return surface

    return smooth
