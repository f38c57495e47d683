"""Tumours whose true shape, volume and diameters are known exactly.

A lobe is star-shaped: an ellipsoid whose radius is modulated by a few waves over the sphere. A
lesion is the union of its lobes, so that two tumours can grow into one and one fall apart.
"""

from dataclasses import dataclass, replace

import numpy as np

from lesionary.core.volume import AnyArray, BoolArray, FloatArray
from lesionary.phantoms.canvas import Pose
from lesionary.phantoms.noise import random_directions, random_rotation


@dataclass(frozen=True, slots=True, eq=False)
class Lobe:
    """One star-shaped body.

    Parameters
    ----------
    centre_mm : array, shape (3,)
        LPS.
    radii_mm : array, shape (3,)
        Of the ellipsoid beneath.
    axes : array, shape (3, 3)
        Its axes as columns.
    waves, phases, heights : arrays, shape (n, 3), (n,), (n,)
        The relief: ``ρ(d) = 1 + Σ height · cos(wave · d + phase)`` over unit directions ``d``.
    """

    centre_mm: FloatArray
    radii_mm: FloatArray
    axes: FloatArray
    waves: FloatArray
    phases: FloatArray
    heights: FloatArray

    def relief(self, directions: AnyArray) -> FloatArray:
        """Evaluate ``ρ`` for unit vectors, shape (..., 3), in the ellipsoid's own axes."""
        angles = np.asarray(directions, dtype=np.float64) @ self.waves.T + self.phases
        relief: FloatArray = 1 + np.cos(angles) @ self.heights
        return relief

    def depth(self, points_mm: AnyArray) -> FloatArray:
        """Share of the way from the centre to the surface, shape (...): below 1 is inside."""
        scaled = ((points_mm - self.centre_mm) @ self.axes) / self.radii_mm
        lengths = np.linalg.norm(scaled, axis=-1)
        directions = scaled / np.maximum(lengths, 1e-12)[..., None]
        depth: FloatArray = lengths / self.relief(directions)
        return depth

    def surface(self, directions: AnyArray) -> FloatArray:
        """Surface points in mm for unit vectors in the ellipsoid's own axes, shape (..., 3)."""
        scaled = directions * self.relief(directions)[..., None]
        points: FloatArray = (scaled * self.radii_mm) @ self.axes.T + self.centre_mm
        return points

    @property
    def reach_mm(self) -> float:
        """No point of the lobe is further from its centre."""
        return float(self.radii_mm.max() * (1 + np.abs(self.heights).sum()))

    def scaled(self, factor: float) -> "Lobe":
        """Return the lobe grown by ``factor`` about its centre."""
        return replace(self, radii_mm=self.radii_mm * factor)

    def posed(self, pose: Pose) -> "Lobe":
        """Return the lobe as it lies in the scanner."""
        return replace(
            self, centre_mm=pose.to_scanner(self.centre_mm), axes=pose.rotation @ self.axes
        )


@dataclass(frozen=True, slots=True, eq=False)
class LesionShape:
    """The union of one or more lobes."""

    lobes: tuple[Lobe, ...]

    def depth(self, points_mm: AnyArray) -> FloatArray:
        """Depth in the lobe that holds a point deepest: below 1 is inside, shape (...)."""
        depth = self.lobes[0].depth(points_mm)
        for lobe in self.lobes[1:]:
            depth = np.minimum(depth, lobe.depth(points_mm))
        return depth

    def holds(self, points_mm: AnyArray) -> BoolArray:
        """Tell which points, shape (..., 3), lie inside."""
        inside: BoolArray = self.depth(points_mm) < 1
        return inside

    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner of a box that holds it all."""
        lows = [lobe.centre_mm - lobe.reach_mm for lobe in self.lobes]
        highs = [lobe.centre_mm + lobe.reach_mm for lobe in self.lobes]
        return np.min(lows, axis=0), np.max(highs, axis=0)

    @property
    def centre_mm(self) -> FloatArray:
        """Middle of the lobes' centres, weighted by their size."""
        weights = [float(np.prod(lobe.radii_mm)) for lobe in self.lobes]
        centre: FloatArray = np.average([b.centre_mm for b in self.lobes], axis=0, weights=weights)
        return centre

    def volume_mm3(self) -> float:
        """Volume, by quadrature over the sphere: ``abc/3 ∫ ρ³`` for each lobe, less the overlap."""
        total = 0.0
        for number, lobe in enumerate(self.lobes):
            total += _volume_outside(lobe, self.lobes[:number])
        return total

    def posed(self, pose: Pose) -> "LesionShape":
        """Return the shape as it lies in the scanner."""
        return LesionShape(tuple(lobe.posed(pose) for lobe in self.lobes))

    def axial_axes_mm(self) -> tuple[float, float]:
        """Longest axis in any plane across z, and the longest chord perpendicular to it there.

        Edge to edge, as calipers measure. Sampled: within about 0.5 % of the true values.
        """
        outline = np.concatenate([_meridians(lobe) for lobe in self.lobes])
        heights = np.linspace(outline[..., 2].min(), outline[..., 2].max(), 42)[1:-1]
        sections = [section for z in heights if len(section := _section(outline, z)) > 3]
        widths = [_widths(section).max() for section in sections]
        best = sections[int(np.argmax(widths))]
        return float(max(widths)), _longest_chord_across(best)


def draw_lobe(
    rng: np.random.Generator,
    centre_mm: FloatArray,
    diameter_mm: float,
    *,
    roughness: float = 0.12,
    elongation: float = 1.25,
) -> Lobe:
    """Draw a lobe of about that longest diameter.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the shape comes from.
    centre_mm : array, shape (3,)
        LPS.
    diameter_mm : float
        Longest diameter, before the relief.
    roughness : float
        How far the relief goes up and down, as a share of the radius; below 0.4.
    elongation : float
        Longest by shortest radius.
    """
    n_waves = 10
    shares = np.array([1.0, rng.uniform(1 / elongation, 1.0), 1 / elongation])
    frequencies = rng.uniform(1.6, 7.0, (n_waves, 1))
    heights = rng.normal(0, 1, n_waves) / frequencies[:, 0] ** 0.6
    heights *= roughness / np.abs(heights).sum() * 2.0
    return Lobe(
        centre_mm=np.asarray(centre_mm, dtype=np.float64),
        radii_mm=diameter_mm / 2 * shares,
        axes=random_rotation(rng),
        waves=random_directions(rng, n_waves) * frequencies,
        phases=rng.uniform(0, 2 * np.pi, n_waves),
        heights=heights,
    )


def _sphere(n_polar: int, n_around: int) -> tuple[FloatArray, FloatArray]:
    """Directions, shape (n, 3), and weights that integrate smooth functions over the sphere."""
    cosines, weights = np.polynomial.legendre.leggauss(n_polar)
    around = 2 * np.pi * np.arange(n_around) / n_around
    sines = np.sqrt(1 - cosines**2)
    directions = np.stack(
        (
            np.outer(sines, np.cos(around)),
            np.outer(sines, np.sin(around)),
            np.repeat(cosines[:, None], n_around, axis=1),
        ),
        axis=-1,
    )
    return directions.reshape(-1, 3), np.repeat(weights * 2 * np.pi / n_around, n_around)


def _volume_outside(lobe: Lobe, others: tuple[Lobe, ...]) -> float:
    """Volume of the part of ``lobe`` that lies in none of ``others``."""
    directions, weights = _sphere(32, 64)
    relief = lobe.relief(directions)
    scale = float(np.prod(lobe.radii_mm))
    if not others:
        return scale / 3 * float(weights @ relief**3)
    shares, radial = np.polynomial.legendre.leggauss(48)
    shares, radial = (shares + 1) / 2, radial / 2
    total = 0.0
    for share, weight in zip(shares, radial, strict=True):
        points = lobe.centre_mm + (share * (lobe.surface(directions) - lobe.centre_mm))
        free = np.all([other.depth(points) >= 1 for other in others], axis=0)
        total += weight * share**2 * float(weights @ (relief**3 * free))
    return scale * total


def _meridians(lobe: Lobe) -> FloatArray:
    """Surface points along meridians, shape (around, along, 3), poles included."""
    polar = np.linspace(0, np.pi, 61)
    around = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    sines = np.sin(polar)
    directions = np.stack(
        (
            np.outer(np.cos(around), sines),
            np.outer(np.sin(around), sines),
            np.broadcast_to(np.cos(polar), (96, 61)),
        ),
        axis=-1,
    )
    return lobe.surface(directions)


def _section(outline: FloatArray, z_mm: float) -> FloatArray:
    """Points, shape (n, 2), where the meridians pass through the plane at ``z_mm``."""
    here, there = outline[:, :-1], outline[:, 1:]
    above, below = here[..., 2] - z_mm, there[..., 2] - z_mm
    passes = (above >= 0) != (below >= 0)
    share = above[passes] / (above[passes] - below[passes])
    points: FloatArray = here[passes] + share[:, None] * (there[passes] - here[passes])
    return points[:, :2]


def _directions_in_plane() -> FloatArray:
    angles = np.deg2rad(np.arange(0, 180, 1.0))
    return np.stack((np.cos(angles), np.sin(angles)))


def _widths(points: FloatArray) -> FloatArray:
    """Extent of points, shape (n, 2), along each degree of the half circle, shape (180,)."""
    along = points @ _directions_in_plane()
    widths: FloatArray = along.max(axis=0) - along.min(axis=0)
    return widths


def _longest_chord_across(points: FloatArray) -> float:
    """Longest chord of the points' convex hull perpendicular to their longest axis."""
    from scipy.spatial import ConvexHull

    axis = _directions_in_plane()[:, int(np.argmax(_widths(points)))]
    turned = points @ np.array([[axis[0], -axis[1]], [axis[1], axis[0]]])
    hull = turned[ConvexHull(turned).vertices]
    first, last = int(np.argmin(hull[:, 0])), int(np.argmax(hull[:, 0]))
    around = np.roll(hull, -first, axis=0)  # counter-clockwise from the leftmost point
    split = (last - first) % len(hull)
    lower, upper = around[: split + 1], np.vstack((around[split:], around[:1]))[::-1]
    at = np.linspace(hull[first, 0], hull[last, 0], 200)
    heights = np.interp(at, *upper.T) - np.interp(at, *lower.T)
    return float(heights.max())
