"""Simulated readers: they draw a little too large or too small, unsteadily, and miss things."""

from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import BoolArray, Box, FloatArray, Geometry, LabelMap
from lesionary.phantoms.noise import SmoothNoise


@dataclass(frozen=True, slots=True)
class ReaderHabits:
    """How one reader draws.

    Parameters
    ----------
    bias_mm : float
        How far the outline lies outside the truth on average; negative is inside.
    noise_mm : float
        Standard deviation of the outline about that.
    wavelength_mm : float
        Distance over which the outline wanders.
    miss_below_mm : float
        Tumours whose sphere of equal volume is thinner than this are never seen.
    miss_rate : float
        Share of the others that is overlooked, from 0 to 1.
    seed : int
        Two readers with the same habits but other seeds draw differently.
    """

    bias_mm: float = 0.0
    noise_mm: float = 0.5
    wavelength_mm: float = 14.0
    miss_below_mm: float = 0.0
    miss_rate: float = 0.0
    seed: int = 0


def simulate_reader(truth: LabelMap, habits: ReaderHabits) -> LabelMap:
    """Draw what a reader with these habits would draw.

    The drawn volume is that of the truth with its surface moved by ``bias_mm`` (Steiner's formula),
    so the bias is met to within a voxel's share even where voxels are thick. Where outlines of two
    tumours meet, the one with the lower value keeps the ground; none is drawn over another's
    truth. An empty truth gives an empty map.

    Returns
    -------
    LabelMap
        On the truth's grid, with its values and texts.
    """
    drawn = np.zeros_like(truth.array)
    for value in np.unique(truth.array[truth.array > 0]):
        # Seeded by lesion, so that one more or less leaves the others as they are.
        rng = np.random.default_rng(np.random.SeedSequence([habits.seed, int(value)]))
        mask = truth.array == value
        box = _box_around(mask, truth.geometry, habits)
        part = mask[box]
        if _is_missed(part, truth.geometry, habits, rng):
            continue
        outline = _redraw(part, truth.geometry.cropped(box), habits, rng)
        others = (truth.array[box] != 0) & ~part
        view = drawn[box]
        view[outline & ~others & (view == 0)] = value
    return truth.with_array(drawn)


def _is_missed(
    mask: BoolArray, geometry: Geometry, habits: ReaderHabits, rng: np.random.Generator
) -> bool:
    volume_mm3 = float(mask.sum()) * geometry.voxel_volume_mm3
    return (
        2 * _sphere_radius_mm(volume_mm3) < habits.miss_below_mm or rng.random() < habits.miss_rate
    )


def _sphere_radius_mm(volume_mm3: float) -> float:
    return float(np.cbrt(volume_mm3 * 3 / (4 * np.pi)))


def _box_around(mask: BoolArray, geometry: Geometry, habits: ReaderHabits) -> Box:
    margin_mm = max(habits.bias_mm, 0) + 4 * habits.noise_mm
    ranges = []
    for axis, spacing in enumerate(geometry.spacing_mm):
        others = tuple(a for a in range(3) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        margin = int(np.ceil(margin_mm / spacing)) + 3
        stop = min(int(hits[-1]) + 1 + margin, mask.shape[axis])
        ranges.append(slice(max(int(hits[0]) - margin, 0), stop))
    return (ranges[0], ranges[1], ranges[2])


def _redraw(
    mask: BoolArray, geometry: Geometry, habits: ReaderHabits, rng: np.random.Generator
) -> BoolArray:
    """Rank voxels by how far inside a wandering outline they lie; keep the volume asked for."""
    distance = _signed_distance_mm(mask, geometry)
    wander = SmoothNoise.draw(rng, habits.wavelength_mm, habits.noise_mm)
    ranks = distance + wander.on_lattice(geometry.affine, geometry.shape)[0]
    volume_mm3 = _moved_volume_mm3(mask, geometry, habits.bias_mm)
    n_voxels = min(round(volume_mm3 / geometry.voxel_volume_mm3), mask.size)
    drawn = np.zeros(mask.size, dtype=np.bool_)
    drawn[np.argsort(-ranks, axis=None, kind="stable")[:n_voxels]] = True
    return drawn.reshape(mask.shape)


def _signed_distance_mm(mask: BoolArray, geometry: Geometry) -> FloatArray:
    """Distance to the mask's edge, positive inside: half-way between voxel centres it is 0."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    padded = np.pad(mask, 1)
    spacing = geometry.spacing_mm
    inside = distance_transform_edt(padded, sampling=spacing)
    outside = distance_transform_edt(~padded, sampling=spacing)
    # Smoothing takes the steps of the voxel grid out of the ranks, not out of the mask's volume.
    smooth = gaussian_filter(inside - outside, 0.6)
    distance: FloatArray = smooth[1:-1, 1:-1, 1:-1]
    return distance


def _moved_volume_mm3(mask: BoolArray, geometry: Geometry, by_mm: float) -> float:
    """Volume once the surface is moved: ``V + S b + M b² + 4π/3 b³``, M that of a sphere."""
    volume = float(mask.sum()) * geometry.voxel_volume_mm3
    radius = _sphere_radius_mm(volume)
    if by_mm <= -radius:
        return 0.0
    surface = max(_surface_mm2(mask, geometry), 4 * np.pi * radius**2)
    moved = volume + surface * by_mm + 4 * np.pi * (radius * by_mm**2 + by_mm**3 / 3)
    return max(moved, 0.0)


def _surface_mm2(mask: BoolArray, geometry: Geometry) -> float:
    """Area of the surface: the integral of the smoothed mask's gradient."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.pad(mask, 4).astype(np.float64), 1.0)
    slopes = np.gradient(smooth, *geometry.spacing_mm)
    steepness = np.sqrt(sum(slope**2 for slope in slopes))
    return float(steepness.sum() * geometry.voxel_volume_mm3)
