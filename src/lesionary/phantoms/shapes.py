"""Functions that are positive inside a shape, roughly in mm, to build an anatomy from."""

from collections.abc import Callable, Sequence

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.phantoms.canvas import Bounds, Field, Points
from lesionary.phantoms.noise import Float32Array

Triple = tuple[float, float, float]
Profile = Sequence[tuple[float, ...]]
"""Rows of ``z`` and the values there, in order of ascending ``z``."""

_PROFILE_STEP = 1.0


def turn(*, x: float = 0, y: float = 0, z: float = 0) -> FloatArray:
    """Rotate about the z, then y, then x axis, in degrees, shape (3, 3)."""
    out = np.eye(3)
    for axis, degrees in ((0, x), (1, y), (2, z)):
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        step = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        step[a, a] = step[b, b] = cos
        step[a, b], step[b, a] = -sin, sin
        out = out @ step
    return out


def ellipsoid(
    centre: Triple, radii: Triple, *, power: float = 2.0, turned: FloatArray | None = None
) -> Field:
    """Superellipsoid: ``power`` 2 is an ellipsoid, more is boxier."""
    axes = np.eye(3) if turned is None else turned

    def inside(p: Points) -> Float32Array:
        offset = [c - np.float32(o) for c, o in zip((p.x, p.y, p.z), centre, strict=True)]
        total = np.zeros(p.x.shape, dtype=np.float32)
        for axis, radius in zip(axes.T, radii, strict=True):
            along = sum(
                (np.float32(a / radius) * o for a, o in zip(axis, offset, strict=True) if a),
                start=np.zeros((), dtype=np.float32),
            )
            total += _power(np.abs(along), power)
        return np.float32(min(radii)) * (1 - _power(total, 1 / power))

    return inside


def bounds_of(centre: Triple, radii: Triple) -> Bounds:
    """Bounds that hold an ellipsoid however it is turned about its shorter axes."""
    x, y, z = ((c - r, c + r) for c, r in zip(centre, radii, strict=True))
    return (x, y, z)


def profiled(profile: Profile, *, power: float = 2.0) -> Field:
    """Upright body with a superelliptic section.

    Each row of ``profile`` is ``z, half width, half depth, centre y``.
    """
    rows = np.asarray(profile, dtype=np.float64)

    def inside(p: Points) -> Float32Array:
        width, depth, centre = (interpolate(p.z, rows[:, 0], rows[:, c]) for c in (1, 2, 3))
        total = _power(np.abs(p.x / width), power)
        total += _power(np.abs((p.y - centre) / depth), power)
        return np.minimum(width, depth) * (1 - _power(total, 1 / power))

    return inside


def interpolate(z: Float32Array, at: FloatArray, values: FloatArray) -> Float32Array:
    """Interpolate a profile at ``z``."""
    step = _PROFILE_STEP
    table = np.interp(np.arange(at[0], at[-1] + 2 * step, step), at, values).astype(np.float32)
    position = np.clip((z - np.float32(at[0])) * np.float32(1 / step), 0, len(table) - 1.001)
    below = position.astype(np.int32)
    low = table[below]
    out: Float32Array = low + (position - below) * (table[below + 1] - low)
    return out.astype(np.float32, copy=False)


def beyond(normal: Triple, through: Triple) -> Field:
    """Half-space on the side that ``normal`` points to."""
    n = np.asarray(normal, dtype=np.float64) / np.linalg.norm(normal)
    offset = np.float32(n @ np.asarray(through))

    def inside(p: Points) -> Float32Array:
        out: Float32Array = (
            np.float32(n[0]) * p.x + np.float32(n[1]) * p.y + np.float32(n[2]) * p.z - offset
        )
        return out

    return inside


def both(*fields: Field) -> Field:
    """Inside all of them."""
    return _combine(np.minimum, fields)


def either(*fields: Field) -> Field:
    """Inside at least one of them."""
    return _combine(np.maximum, fields)


def outside(shape: Field, *, by_mm: float = 0.0) -> Field:
    """Return everything else, at least ``by_mm`` away."""
    return lambda p: -shape(p) - np.float32(by_mm)


def shrunk(shape: Field, by_mm: float) -> Field:
    """Return the same shape, smaller by about ``by_mm`` all around; negative grows it."""
    return lambda p: shape(p) - np.float32(by_mm)


def shell(shape: Field, thickness_mm: float) -> Field:
    """Return the outermost ``thickness_mm`` of a shape."""

    def inside(p: Points) -> Float32Array:
        depth = shape(p)
        out: Float32Array = np.minimum(depth, np.float32(thickness_mm) - depth)
        return out

    return inside


def remembered(name: str, shape: Field) -> Field:
    """Evaluate a shape once for the same points, however many parts are made of it."""

    def inside(p: Points) -> Float32Array:
        if name not in p.known:
            p.known[name] = shape(p)
        return p.known[name]

    return inside


def depth_mm(shape: Field, points_mm: FloatArray) -> FloatArray:
    """Distance of points, shape (n, 3), from the wall of ``shape``, positive inside; (n,).

    First order: exact near the wall of a smooth shape.
    """
    step = 0.5
    slopes = []
    for axis in range(3):
        nudge = np.zeros(3)
        nudge[axis] = step
        ahead, behind = (shape(Points.of(points_mm + s * nudge)) for s in (1, -1))
        slopes.append((ahead - behind) / (2 * step))
    steepness = np.sqrt(sum(np.square(s, dtype=np.float64) for s in slopes))
    return np.asarray(shape(Points.of(points_mm)) / np.maximum(steepness, 1e-3), dtype=np.float64)


def _combine(
    pick: Callable[[Float32Array, Float32Array], Float32Array], fields: Sequence[Field]
) -> Field:
    def inside(p: Points) -> Float32Array:
        out = fields[0](p)
        for other in fields[1:]:
            out = pick(out, other(p))
        return out

    return inside


def _power(base: Float32Array, exponent: float) -> Float32Array:
    if exponent == 2:
        return np.square(base)
    if exponent == 0.5:
        return np.sqrt(base)
    return np.power(base, np.float32(exponent))
