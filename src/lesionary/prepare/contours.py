"""Contours to voxels: which voxel centres lie inside.

A voxel belongs to a contour when its centre does, by the even–odd rule, and all contours of one
slice are combined by exclusive or. So a hole may be drawn as an inner contour or, joined to the
outer one by a slit of no width, as a keyhole, and a contour drawn twice encloses nothing.

A centre that lies exactly on an outline is inside where the interior follows along the two in-plane
array axes, and outside where it ends there: the interval along each is closed below and open above.
So two contours with a common edge share no voxel and leave none out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionary.core.errors import GeometryMismatchError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.planes import ON_SLICE, Outlines, place_outlines
from lesionary.core.volume import BoolArray, FloatArray, Geometry, Mask

SNAP_DECIMALS = 6
"""Index coordinates are rounded to this, so that a vertex on a centre stays there in float64."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The voxels that contours enclose, and what had to be said of them.

    Parameters
    ----------
    mask : Mask
        Empty where no contour was drawn.
    n_contours, n_beyond : int
        Contours in all, and how many of them lie on planes beyond the image: those are not in the
        mask.
    findings : tuple of Finding
        Warnings, where contours lie beyond the image, between its slices or are cut at its edge.
    """

    mask: Mask
    n_contours: int
    n_beyond: int
    findings: tuple[Finding, ...]


def draw(outlines_mm: Sequence[FloatArray], geometry: Geometry) -> Drawing:
    """Fill the contours of one object on the grid of an image.

    Parameters
    ----------
    outlines_mm : sequence of arrays, shape (points, 3)
        Closed planar contours in LPS millimetres; the last point joins the first. Contours of fewer
        than three points enclose nothing.
    geometry : Geometry
        The image's grid: axial, sagittal, oblique, in any axis order. Contour planes must be
        parallel to its slices along one axis and lie within half a slice of one.

    Returns
    -------
    Drawing
        With an empty mask where there are no contours.

    Raises
    ------
    GeometryMismatchError
        If the planes are not parallel to the grid's slices, if none lies on the grid, or if two
        different planes would fall on one slice.

    Examples
    --------
    >>> grid = Geometry((1, 4, 4), np.eye(4))
    >>> square = np.array([[0, 0.5, 0.5], [0, 2.5, 0.5], [0, 2.5, 2.5], [0, 0.5, 2.5]])
    >>> draw([square], grid).mask.array[0].astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    outlines = place_outlines(outlines_mm, geometry)
    if outlines is None:
        raise GeometryMismatchError("the contours' planes are not parallel to the image's slices")
    n_slices = geometry.shape[outlines.axis]
    is_inside = (outlines.slices >= 0) & (outlines.slices < n_slices)
    n_contours, n_beyond = len(is_inside), int(np.count_nonzero(~is_inside))
    if n_contours and n_beyond == n_contours:
        raise GeometryMismatchError(f"none of the {n_contours} contours lies on the image's slices")
    _require_one_plane_a_slice(outlines, geometry.spacing_mm[outlines.axis])
    mask = Mask(_fill(outlines, geometry.shape), geometry)
    return Drawing(mask, n_contours, n_beyond, _findings(outlines, is_inside, geometry))


def _require_one_plane_a_slice(outlines: Outlines, spacing_mm: float) -> None:
    """Refuse planes drawn on a finer stack: exclusive or would take one from the other."""
    order = np.lexsort((outlines.planes, outlines.slices))
    is_same_slice = np.diff(outlines.slices[order]) == 0
    gaps = np.diff(outlines.planes[order])[is_same_slice]
    if gaps.size and gaps.max() > ON_SLICE:
        raise GeometryMismatchError(
            f"contours of planes {gaps.max() * spacing_mm:.2f} mm apart fall on one slice: "
            f"the image's slices are {spacing_mm:.2f} mm apart",
            hint="give the image that the contours were drawn on",
        )


def _findings(outlines: Outlines, is_inside: BoolArray, geometry: Geometry) -> tuple[Finding, ...]:
    """Say what is not as drawn: each of these may change a volume."""
    n_contours = len(is_inside)
    spacing_mm = geometry.spacing_mm[outlines.axis]
    is_between = is_inside & (outlines.offsets > ON_SLICE)
    reasons = []
    n_beyond = int(np.count_nonzero(~is_inside))
    if n_beyond:
        reasons.append(f"{n_beyond} of {n_contours} contours lie beyond the image's slices")
    if is_between.any():
        farthest_mm = float(outlines.offsets[is_between].max()) * spacing_mm
        reasons.append(
            f"{int(np.count_nonzero(is_between))} of {n_contours} contours lie up to "
            f"{farthest_mm:.2f} mm from the slice they were put on"
        )
    n_cut = _count_cut(outlines, geometry.shape)
    if n_cut:
        reasons.append(f"{n_cut} of {n_contours} contours are cut at the image's edge")
    hint = "check that this is the image the contours were drawn on"
    return tuple(Finding("grid_mismatch", Outcome.WARNED, reason, hint) for reason in reasons)


def _count_cut(outlines: Outlines, shape: tuple[int, int, int]) -> int:
    """Count contours that reach more than a voxel beyond the outer voxel centres."""
    if len(outlines.planes) == 0:
        return 0
    in_plane = list(_in_plane_axes(outlines))
    ends = np.array(shape)[in_plane]
    points = outlines.points[:, in_plane]
    is_out = ((points < -1) | (points > ends)).any(axis=1)
    return int(np.count_nonzero(np.logical_or.reduceat(is_out, outlines.starts[:-1])))


def _fill(outlines: Outlines, shape: tuple[int, int, int]) -> BoolArray:
    """Mark where each row's state changes, then carry the state along the rows."""
    from lesionary.prepare._kernels import flip_crossings

    row_axis, column_axis = _in_plane_axes(outlines)
    order = (outlines.axis, row_axis, column_axis)
    parity = np.zeros([shape[axis] for axis in order], dtype=np.uint8)
    rows = np.round(outlines.points[:, row_axis], SNAP_DECIMALS)
    columns = np.round(outlines.points[:, column_axis], SNAP_DECIMALS)
    flip_crossings(rows, columns, outlines.starts, outlines.slices, parity)
    for index in np.unique(outlines.slices):
        if 0 <= index < len(parity):
            np.bitwise_xor.accumulate(parity[index], axis=1, out=parity[index])
    return np.ascontiguousarray(parity.view(np.bool_).transpose(np.argsort(order)))


def _in_plane_axes(outlines: Outlines) -> tuple[int, int]:
    row_axis, column_axis = (axis for axis in range(3) if axis != outlines.axis)
    return row_axis, column_axis
