"""Box to mask by random walks that image edges hold back.

The default for PET, where lesions are small, blurred and much brighter than what surrounds them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lesionary.annotate.prompts import BoxPrompt
from lesionary.annotate.segmenter import SegmenterInfo
from lesionary.core.volume import FloatArray, Mask, Volume
from lesionary.engines._grid import Field, WorkingGrid
from lesionary.engines._region import RegionModel, Smoother, segment_region

REACH = 0.12
"""How far a walk gets on even ground before it stops, as a share of the box's half extent."""

EDGE = 0.15
"""Step in brightness, of 1 in all, that a walk crosses e times less often than even ground."""

TOLERANCE = 1e-6
MAX_ITERATIONS = 200
"""Conjugate gradients stop here; real tumours take 7 to 22 rounds."""


class WalkerSegmenter:
    """Every block belongs as likely as a random walk from it ends on a block that does.

    Random walks with a prior [1]_: a walk may stop at each step, and where it stops the region
    model says how likely that block belongs to the lesion.

    References
    ----------
    .. [1] Grady, CVPR 2005, 763-770: multilabel random walker with prior models.
    """

    info = SegmenterInfo(
        name="walker",
        version="1",
        modalities=("PT", "CT", "MR", "OT"),
        licence="Apache-2.0",
    )

    def segment(self, volume: Volume, prompt: BoxPrompt) -> Mask:
        """Return the lesion in the prompt's box; never empty, never beyond the box."""
        return segment_region(volume, prompt, _walks_on)


def _walks_on(grid: WorkingGrid, model: RegionModel) -> Smoother:
    return _Ground.of(grid, model.brightness_of(grid)).walk_from


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """How easily a walk passes between neighbours, one array an axis, shorter by one along it."""

    passes: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def of(cls, grid: WorkingGrid, brightness: FloatArray) -> "_Ground":
        k, j, i = (
            (REACH * grid.half_extent_mm / spacing_mm) ** 2
            * np.exp(-((np.diff(brightness, axis=axis) / EDGE) ** 2))
            for axis, spacing_mm in enumerate(grid.spacing_mm)
        )
        return cls((k, j, i))

    def walk_from(self, log_odds: Field) -> Field:
        """Return the chance of ending on the lesion: ``x`` with ``x + L x = p``.

        ``L`` is the graph's Laplacian and ``p`` the chance by the region model. Solved by conjugate
        gradients; sums are numpy's own, so that the result does not depend on BLAS.
        """
        target = 1.0 / (1.0 + np.exp(-log_odds.astype(np.float64)))
        diagonal = self._diagonal(target.shape)
        chance = target.copy()
        residual = target - self._apply(chance)
        direction = residual / diagonal
        energy = float((residual * direction).sum())
        tolerance = TOLERANCE * float((target * target).sum())
        for _ in range(MAX_ITERATIONS):
            if energy <= tolerance:
                break
            image = self._apply(direction)
            step = energy / float((direction * image).sum())
            chance += step * direction
            residual -= step * image
            previous, energy = energy, float((residual * residual / diagonal).sum())
            direction = residual / diagonal + (energy / previous) * direction
        return chance.astype(np.float32)

    def _apply(self, field: FloatArray) -> FloatArray:
        """Return ``x + L x``."""
        result = field.copy()
        for axis, passes in enumerate(self.passes):
            flow = passes * np.diff(field, axis=axis)
            result[_without_end(axis, "last")] -= flow
            result[_without_end(axis, "first")] += flow
        return result

    def _diagonal(self, shape: tuple[int, ...]) -> FloatArray:
        diagonal = np.ones(shape)
        for axis, passes in enumerate(self.passes):
            diagonal[_without_end(axis, "last")] += passes
            diagonal[_without_end(axis, "first")] += passes
        return diagonal


def _without_end(axis: int, end: Literal["first", "last"]) -> tuple[slice, ...]:
    """Index all blocks but the first or last along one axis."""
    part = slice(1, None) if end == "first" else slice(None, -1)
    return tuple(part if a == axis else slice(None) for a in range(3))
