"""Whether slices stand square above each other at even distances, and the grid they make."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import FloatArray, Geometry
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.place import normal_of

UNEVEN_MM = 0.01
UNEVEN_SHARE = 0.01
"""Gaps may differ from their median by the larger of the two: 0.01 mm, 1 % of the spacing."""

MAX_TILT_DEG = 0.1
STRAIGHT_MM = 1e-3
"""A stack that drifts sideways by less over its whole length is taken to be straight."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices of one matrix, pixel spacing and orientation, in order of their depth.

    Parameters
    ----------
    positions_mm : array, shape (slices, 3)
        Centre of each slice's first voxel, LPS.
    row_step_mm, column_step_mm : array, shape (3,)
        From one row to the next, and from one column to the next.
    normal : array, shape (3,)
        Row × column cosines, of length 1.
    matrix : tuple of int
        Rows and columns.
    thickness_mm : float, optional
        SliceThickness, for a stack of a single slice only.
    """

    positions_mm: FloatArray
    row_step_mm: FloatArray
    column_step_mm: FloatArray
    normal: FloatArray
    matrix: tuple[int, int]
    thickness_mm: float | None
    frame_of_reference_uid: str | None

    @property
    def depths_mm(self) -> FloatArray:
        """Where the slices lie along the normal."""
        depths: FloatArray = self.positions_mm @ self.normal
        return depths

    @property
    def lateral_mm(self) -> FloatArray:
        """The positions less their part along the normal, shape (slices, 3)."""
        lateral: FloatArray = self.positions_mm - np.outer(self.depths_mm, self.normal)
        return lateral

    @property
    def slice_step_mm(self) -> FloatArray:
        """From one slice to the next."""
        n_gaps = len(self.positions_mm) - 1
        if n_gaps == 0:
            return self.normal * (self.thickness_mm or 0.0)
        whole: FloatArray = self.positions_mm[-1] - self.positions_mm[0]
        rise_mm = float(whole @ self.normal)
        if np.linalg.norm(whole - rise_mm * self.normal) <= STRAIGHT_MM:
            # Rounded positions must not shear the grid by a breath.
            whole = rise_mm * self.normal
        step: FloatArray = whole / n_gaps
        return step

    def geometry(self) -> Geometry:
        """Return the grid: ``(k, j, i)`` to LPS mm (PS3.3 C.7.6.2.1.1)."""
        affine = np.eye(4)
        affine[:3, 0] = self.slice_step_mm
        affine[:3, 1] = self.row_step_mm
        affine[:3, 2] = self.column_step_mm
        affine[:3, 3] = self.positions_mm[0]
        shape = (len(self.positions_mm), *self.matrix)
        return Geometry(shape, affine, self.frame_of_reference_uid)


def stack_of(slices: Sequence[InstanceHeader]) -> Stack:
    """Gather the geometry of slices that the gate has found complete.

    Raises
    ------
    InputError
        If the first slice has no matrix, pixel spacing or orientation.
    """
    first = slices[0]
    grid, spacing_mm, orientation = first.pixel_format, first.pixel_spacing_mm, first.orientation
    if grid is None or spacing_mm is None or orientation is None:
        raise InputError("a slice without a place", code="no_orientation")
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    return Stack(
        positions_mm=np.array([header.position_mm for header in slices], dtype=np.float64),
        row_step_mm=along_column / np.linalg.norm(along_column) * spacing_mm[0],
        column_step_mm=along_row / np.linalg.norm(along_row) * spacing_mm[1],
        normal=normal_of(orientation),
        matrix=(grid.rows, grid.columns),
        thickness_mm=first.slice_thickness_mm,
        frame_of_reference_uid=first.frame_of_reference_uid or None,
    )


def check_stack(stack: Stack) -> list[Finding]:
    """Say what keeps the slices from being one regular grid; nothing where they are one."""
    if len(stack.positions_mm) == 1:
        return _check_single(stack.thickness_mm)
    depths, lateral = stack.depths_mm, stack.lateral_mm
    return [
        *_check_tilt(depths, lateral),
        *_check_spacing(depths),
        *_check_straight(depths, lateral),
    ]


def _left_out(code: str, reason: str, hint: str) -> list[Finding]:
    return [Finding(code, Outcome.LEFT_OUT, reason, hint)]


def _check_single(thickness_mm: float | None) -> list[Finding]:
    if thickness_mm is None or thickness_mm <= 0:
        return _left_out(
            "single_slice",
            "a single slice without SliceThickness has no depth",
            "export the series again, with all its slices",
        )
    reason = (
        f"a single slice: its depth is taken from SliceThickness, {thickness_mm:g} mm,"
        " and so are volumes"
    )
    return [Finding("single_slice", Outcome.WARNED, reason)]


def _check_tilt(depths: FloatArray, lateral: FloatArray) -> list[Finding]:
    rise_mm = float(depths[-1] - depths[0])
    drift_mm = float(np.linalg.norm(lateral[-1] - lateral[0]))
    tilt_deg = math.degrees(math.atan2(drift_mm, rise_mm))
    if drift_mm <= STRAIGHT_MM or tilt_deg <= MAX_TILT_DEG:
        return []
    return _left_out(
        "gantry_tilt",
        f"the slices are stacked {tilt_deg:.2f}° off their normal",
        "export a reconstruction without gantry tilt",
    )


def _check_spacing(depths: FloatArray) -> list[Finding]:
    gaps = np.diff(depths)
    spacing_mm = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    tolerance_mm = max(UNEVEN_MM, UNEVEN_SHARE * spacing_mm)
    # Decimal positions such as 0.01 are no exact floats: a nanometre decides nothing.
    if np.abs(gaps - spacing_mm).max() <= tolerance_mm + 1e-6:
        return []
    if spacing_mm > 0:
        steps = np.round(gaps / spacing_mm)
        off_mm = np.abs(gaps - steps * spacing_mm)
        if bool(((steps >= 1) & (off_mm <= tolerance_mm * steps)).all()):
            return _missing(depths, steps, spacing_mm)
    at = int(np.argmax(np.abs(gaps - spacing_mm)))
    return _left_out(
        "uneven_spacing",
        f"slice spacing from {gaps.min():.3f} to {gaps.max():.3f} mm (median {spacing_mm:.3f} mm),"
        f" the worst between positions {depths[at]:.1f} and {depths[at + 1]:.1f} mm",
        "export the series with even spacing",
    )


def _missing(depths: FloatArray, steps: FloatArray, spacing_mm: float) -> list[Finding]:
    holes = np.flatnonzero(steps > 1)
    n_missing = int((steps[holes] - 1).sum())
    at = int(holes[0])
    noun = "1 slice is" if n_missing == 1 else f"{n_missing} slices are"
    first = "" if len(holes) == 1 else f" in {len(holes)} places, the first"
    return _left_out(
        "missing_slice",
        f"{noun} missing{first} between positions {depths[at]:.1f} and {depths[at + 1]:.1f} mm"
        f" (spacing {spacing_mm:.3g} mm)",
        "export or copy the series again, with all its slices",
    )


def _check_straight(depths: FloatArray, lateral: FloatArray) -> list[Finding]:
    """Check that no slice is shifted sideways off the line from the first to the last."""
    length_mm = max(float(depths[-1] - depths[0]), 1e-9)
    line = lateral[0] + np.outer((depths - depths[0]) / length_mm, lateral[-1] - lateral[0])
    shifts_mm = np.linalg.norm(lateral - line, axis=1)
    worst = int(np.argmax(shifts_mm))
    if shifts_mm[worst] <= max(UNEVEN_MM, UNEVEN_SHARE * length_mm / (len(depths) - 1)):
        return []
    return _left_out(
        "uneven_spacing",
        f"the slice at {depths[worst]:.1f} mm is shifted {shifts_mm[worst]:.3f} mm sideways",
        "export the series on one regular grid",
    )
