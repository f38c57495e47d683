"""One person's anatomy: all parts in the order they are painted."""

from dataclasses import dataclass

import numpy as np

from lesionary.phantoms.canvas import Canvas, Field, Warp
from lesionary.phantoms.noise import SmoothNoise
from lesionary.phantoms.organs import (
    bowel_parts,
    heart_parts,
    lung_parts,
    organ_parts,
    trunk_wall,
)
from lesionary.phantoms.skeleton import skeleton_parts
from lesionary.phantoms.torso import Part
from lesionary.phantoms.tubes import Tubes
from lesionary.phantoms.vessels import vessel_parts


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """A person: the parts from outside in, and the warp from the canonical body."""

    parts: tuple[Part, ...]
    warp: Warp

    def large_vessels(self, *, least_radius_mm: float) -> Tubes:
        """All vessels at least that wide, in patient mm."""
        tubes = [
            part.shape
            for part in self.parts
            if isinstance(part.shape, Tubes) and part.name.endswith(("vessel", "vein", "artery"))
        ]
        wide = [np.minimum(t.start_radii_mm, t.end_radii_mm) >= least_radius_mm for t in tubes]
        pairs = list(zip(tubes, wide, strict=True))
        return Tubes(
            np.concatenate([tube.starts[w] for tube, w in pairs]),
            np.concatenate([tube.ends[w] for tube, w in pairs]),
            np.concatenate([tube.start_radii_mm[w] for tube, w in pairs]),
            np.concatenate([tube.end_radii_mm[w] for tube, w in pairs]),
        )


def draw_anatomy(seed: np.random.SeedSequence) -> Anatomy:
    """Draw a person."""
    rng = np.random.default_rng(seed)
    warp = _draw_warp(rng)
    parts = [
        *trunk_wall(rng),
        *lung_parts(rng),
        *bowel_parts(rng),
        *organ_parts(rng),
        *heart_parts(),
        *skeleton_parts(rng, warp),
        *vessel_parts(rng, warp),
    ]
    return Anatomy(tuple(parts), warp)


def _draw_warp(rng: np.random.Generator) -> Warp:
    broad = SmoothNoise.draw(rng, 190, 3.0, n_components=3, n_waves=12)
    fine = SmoothNoise.draw(rng, 62, 0.8, n_components=3, n_waves=16)
    scale = rng.uniform((0.93, 0.92, 0.96), (1.03, 1.05, 1.02))
    return Warp(broad + fine, scale)


def paint_hu(canvas: Canvas, parts: tuple[Part, ...]) -> None:
    """Paint what a CT sees."""
    for part in parts:
        if isinstance(part.shape, Tubes):
            hu = part.hu if not callable(part.hu) else 0.0
            canvas.paint_tubes(part.shape, hu, opacity=part.opacity)
        else:
            _paint_field(canvas, part, part.shape, part.hu)


def paint_suv(canvas: Canvas, parts: tuple[Part, ...]) -> None:
    """Paint what an FDG PET sees, before blur."""
    for part in parts:
        if isinstance(part.shape, Tubes):
            canvas.paint_tubes(part.shape, part.suv, opacity=part.opacity)
        else:
            _paint_field(canvas, part, part.shape, part.suv)


def _paint_field(canvas: Canvas, part: Part, shape: Field, value: float | Field) -> None:
    canvas.paint(shape, value, bounds=part.bounds, step_mm=part.step_mm, opacity=part.opacity)
