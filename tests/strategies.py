"""Random legal objects: grids in any pose, axis orders, volumes, masks and label maps."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.core.volume import AxisOrder, Geometry, LabelMap, Mask, Volume

SMALL_SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)


def axis_orders() -> st.SearchStrategy[AxisOrder]:
    """Draw one of the 48 ways to list a grid's voxels."""
    return st.sampled_from(AxisOrder.all())


@st.composite
def rotations(draw: st.DrawFn) -> np.ndarray:
    """Draw a rotation matrix, shape (3, 3), of any angle, from a unit quaternion."""
    numbers = st.floats(-1, 1, allow_subnormal=False)
    quaternion = np.array([draw(numbers) for _ in range(4)])
    length = np.linalg.norm(quaternion)
    a, b, c, d = quaternion / length if length > 1e-3 else np.array([1.0, 0.0, 0.0, 0.0])
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


@st.composite
def geometries(
    draw: st.DrawFn,
    shapes: st.SearchStrategy[tuple[int, ...]] = SMALL_SHAPES,
    *,
    is_oblique: bool | None = None,
    is_float32: bool = False,
) -> Geometry:
    """Draw a grid: anisotropic, in any of the 48 axis orders, turned by any angle if oblique.

    Parameters
    ----------
    shapes : strategy
        Voxels along (k, j, i) before the axis order is drawn.
    is_oblique : bool, optional
        None draws both kinds.
    is_float32 : bool
        Whether the affine is one that single precision holds, as NIfTI files have it.
    """
    shape = draw(shapes)
    spacing_mm = [draw(st.floats(0.1, 8.0)) for _ in range(3)]
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1] * spacing_mm
    if draw(st.booleans()) if is_oblique is None else is_oblique:
        affine[:3, :3] = draw(rotations()) @ affine[:3, :3]
    affine[:3, 3] = [draw(st.floats(-500, 500)) for _ in range(3)]
    grid = Geometry((shape[0], shape[1], shape[2]), affine).reordered(draw(axis_orders()))
    affine = grid.affine.astype(np.float32).astype(np.float64) if is_float32 else grid.affine
    return Geometry(grid.shape, affine + 0.0)


@st.composite
def volumes(
    draw: st.DrawFn,
    grids: st.SearchStrategy[Geometry] | None = None,
    dtype: Any = np.int16,
    **elements: Any,
) -> Volume:
    """Draw intensities; ``elements`` bounds them as :func:`hypothesis.extra.numpy.from_dtype`."""
    grid = draw(grids if grids is not None else geometries())
    numbers = hnp.from_dtype(np.dtype(dtype), **elements)
    return Volume(draw(hnp.arrays(dtype, grid.shape, elements=numbers)), grid)


@st.composite
def masks(
    draw: st.DrawFn,
    grids: st.SearchStrategy[Geometry] | None = None,
    *,
    is_empty: bool | None = None,
) -> Mask:
    """Draw one object, in any number of pieces.

    Parameters
    ----------
    is_empty : bool, optional
        True: no voxel. False: at least one. None draws both.
    """
    grid = draw(grids if grids is not None else geometries())
    array = draw(hnp.arrays(np.bool_, grid.shape)) if is_empty is not True else np.zeros(grid.shape)
    array = array.astype(bool)
    if is_empty is False and not array.any():
        array[tuple(draw(st.integers(0, n - 1)) for n in grid.shape)] = True
    return Mask(array, grid)


@st.composite
def label_maps(
    draw: st.DrawFn,
    grids: st.SearchStrategy[Geometry] | None = None,
    *,
    largest: int = 4,
) -> LabelMap:
    """Draw labels from 0 (background) to ``largest``; all background now and then."""
    grid = draw(grids if grids is not None else geometries())
    values = st.integers(0, largest)
    return LabelMap(draw(hnp.arrays(np.uint16, grid.shape, elements=values)), grid)
