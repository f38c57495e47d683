"""The gate: whether a candidate is one whole, regular volume, and which.

Slices are ordered by their positions along row × column, never by InstanceNumber, and the spacing
comes from positions, never from SliceThickness. What the gate leaves out it leaves out with a
sentence, as data: nothing here raises. The table of codes is ``docs/reference/gate.md``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.grouping import SeriesCandidate
from lesionary.ingest.header import InstanceHeader, PixelFormat
from lesionary.ingest.place import depth_mm
from lesionary.ingest.stack import check_stack, stack_of

SQUARE_COSINE = math.sin(math.radians(0.1))
"""Rows and columns are square to each other within 0.1°."""

LARGEST = 3e38
"""Voxels of other than whole numbers are 32-bit floats."""

BITS_ALLOCATED = frozenset({8, 16, 32})

Slices: TypeAlias = Sequence[InstanceHeader]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a candidate.

    Parameters
    ----------
    slices : tuple of InstanceHeader
        In order along ``k``.
    geometry : Geometry, optional
        Of the volume they make; None where the series is left out.
    findings : tuple of Finding
        All reasons, not only the first.
    """

    slices: tuple[InstanceHeader, ...]
    geometry: Geometry | None
    findings: tuple[Finding, ...]

    @property
    def is_admitted(self) -> bool:
        """Whether the series may be read."""
        return self.geometry is not None


def judge(candidate: SeriesCandidate, *, volume_bytes: int, has_subject: bool = False) -> Verdict:
    """Judge whether a candidate is one whole, regular volume.

    Parameters
    ----------
    candidate : SeriesCandidate
        From :func:`lesionary.ingest.grouping.group_series`.
    volume_bytes : int
        Bytes that one volume may have, as its headers claim them.
    has_subject : bool
        Whether the user named the subject, for files without PatientID.

    Returns
    -------
    Verdict
        With the geometry where the series is admitted.
    """
    slices = tuple(sorted(candidate.slices, key=depth_mm))
    findings = list(candidate.findings)
    findings += _check_files(slices)
    # What a damaged file lacks besides is the damage's doing, and no second reason.
    if sound := [header for header in slices if not _is_refused(header.faults)]:
        for check in _CHECKS:
            findings += check(sound)
        findings += _check_subject(sound, has_subject=has_subject)
    findings += _check_size(slices, volume_bytes)
    geometry = None
    if not _is_refused(findings):
        stack = stack_of(slices)
        findings += check_stack(stack)
        geometry = None if _is_refused(findings) else stack.geometry()
    return Verdict(slices, geometry, tuple(dict.fromkeys(findings)))


def _is_refused(findings: Sequence[Finding]) -> bool:
    return any(finding.outcome in {Outcome.LEFT_OUT, Outcome.IGNORED} for finding in findings)


def _left_out(code: str, reason: str, hint: str = "") -> list[Finding]:
    return [Finding(code, Outcome.LEFT_OUT, reason, hint)]


def _some(n: int, n_all: int) -> str:
    """Write ``3 of 40 slices``."""
    return f"{n} of {n_all} slices" if n_all > 1 else "the slice"


def _check_files(slices: Slices) -> list[Finding]:
    """Hand on what is wrong with single files, each sentence once."""
    return list(dict.fromkeys(fault for header in slices for fault in header.faults))


def _check_subject(slices: Slices, *, has_subject: bool) -> list[Finding]:
    if has_subject or all(header.subject_key is not None for header in slices):
        return []
    return _left_out(
        "subject_missing", "the files name no patient", "name the subject with --subject NAME"
    )


def _check_pixels(slices: Slices) -> list[Finding]:
    absent = sum(header.pixels is None or header.pixels.length == 0 for header in slices)
    findings = []
    if absent:
        findings += _left_out(
            "no_pixels",
            f"{_some(absent, len(slices))} without pixel data",
            "export the series again, with its images",
        )
    cut = sum(_is_cut(header) for header in slices)
    if cut:
        findings += _left_out(
            "truncated",
            f"the pixel data of {_some(cut, len(slices))} stop before their end",
            "copy the files again from where they came",
        )
    claimed = sum(_claims_too_much(header) for header in slices)
    if claimed:
        findings += _left_out(
            "size_claim",
            f"{_some(claimed, len(slices))} claim more pixels than the file holds",
            "export the series again from where it came from",
        )
    return findings


def _is_cut(header: InstanceHeader) -> bool:
    pixels = header.pixels
    return pixels is not None and (pixels.length or 0) > pixels.available


def _claims_too_much(header: InstanceHeader) -> bool:
    pixels, grid = header.pixels, header.pixel_format
    if pixels is None or grid is None or not pixels.length:
        return False
    return grid.frame_bytes > pixels.length


def _check_format(slices: Slices) -> list[Finding]:
    missing = sum(header.pixel_format is None for header in slices)
    if missing:
        return _left_out(
            "no_pixels",
            f"{_some(missing, len(slices))} without rows, columns or bits of their pixels",
            "export the series again, with its images",
        )
    formats = {header.pixel_format for header in slices if header.pixel_format is not None}
    findings = []
    for grid in sorted(formats, key=repr):
        findings += _check_one_format(grid)
    return findings


def _check_one_format(grid: PixelFormat) -> list[Finding]:
    if grid.samples != 1 or not grid.photometric.startswith("MONOCHROME"):
        return _left_out(
            "secondary_capture",
            f"a colour picture ({grid.samples} values a pixel): a screenshot or an overlay,"
            " not a measurement",
            "ingest the images it was made from",
        )
    is_layout_sound = (
        grid.bits_allocated in BITS_ALLOCATED
        and 1 <= grid.bits_stored <= grid.high_bit + 1 <= grid.bits_allocated
    )
    if not is_layout_sound:
        return _left_out(
            "unsupported_pixels",
            f"pixels of {grid.bits_stored} bits in {grid.bits_allocated}"
            f" with high bit {grid.high_bit}",
            "8, 16 and 32 bits are read",
        )
    return []


def _check_rescale(slices: Slices) -> list[Finding]:
    n_with = sum(header.rescale is not None for header in slices)
    if any(header.has_modality_lut for header in slices):
        return _left_out(
            "rescale_missing",
            "the values need a look-up table in place of slope and intercept",
            "export the series with rescale slope and intercept",
        )
    if 0 < n_with < len(slices):
        return _left_out(
            "rescale_mixed",
            f"only {n_with} of {len(slices)} slices have rescale slope and intercept",
            "export the series again: its slices come from different sources",
        )
    if any(header.rescale is not None and header.rescale[0] == 0 for header in slices):
        return _left_out(
            "rescale_missing",
            "the rescale slope is 0: every value would be the same",
            "export the series again from where it came from",
        )
    if any(_overflows(header) for header in slices):
        return _left_out(
            "rescale_missing",
            "rescale slope and intercept make numbers beyond what a voxel can hold",
            "export the series again from where it came from",
        )
    modality = slices[0].modality
    if n_with == 0 and modality in {"CT", "PT"}:
        unit = "HU" if modality == "CT" else "activity"
        return _left_out(
            "rescale_missing",
            f"{modality} without rescale slope and intercept: its values are not {unit}",
            "export the series again from where it came from",
        )
    return []


def _overflows(header: InstanceHeader) -> bool:
    if header.rescale is None or header.pixel_format is None:
        return False
    slope, intercept = header.rescale
    return abs(slope) * 2.0 ** min(header.pixel_format.bits_stored, 64) + abs(intercept) > LARGEST


def _check_units(slices: Slices) -> list[Finding]:
    units = {header.pet.units for header in slices if header.pet is not None}
    if len(units) < 2:
        return []
    return _left_out(
        "rescale_mixed",
        f"the values of the slices are in {len(units)} different units",
        "export the series again: its slices come from different sources",
    )


def _check_place(slices: Slices) -> list[Finding]:
    elements = {
        "ImageOrientationPatient": sum(header.orientation is None for header in slices),
        "ImagePositionPatient": sum(header.position_mm is None for header in slices),
        "PixelSpacing": sum(header.pixel_spacing_mm is None for header in slices),
    }
    lacking = [f"{keyword} in {_some(n, len(slices))}" for keyword, n in elements.items() if n]
    if lacking:
        return _nowhere(f"missing: {', '.join(lacking)}")
    spacing_mm = slices[0].pixel_spacing_mm
    if spacing_mm is not None and min(spacing_mm) <= 0:
        return _nowhere(f"PixelSpacing {spacing_mm[0]:g} × {spacing_mm[1]:g} mm")
    return _check_cosines(slices[0])


def _nowhere(reason: str) -> list[Finding]:
    return _left_out("no_orientation", reason, "export the series again from where it came from")


def _check_cosines(header: InstanceHeader) -> list[Finding]:
    cosines = np.array(header.orientation).reshape(2, 3)
    lengths = np.linalg.norm(cosines, axis=1)
    if np.abs(lengths - 1.0).max() > 0.01:
        return _nowhere("ImageOrientationPatient is not two unit vectors")
    if abs(float(cosines[0] @ cosines[1])) > SQUARE_COSINE:
        angle_deg = math.degrees(math.acos(float(cosines[0] @ cosines[1]) / float(lengths.prod())))
        return _left_out(
            "sheared",
            f"rows and columns meet at {angle_deg:.2f}° in place of 90°",
            "export the series on a square grid",
        )
    return []


def _check_size(slices: Slices, volume_bytes: int) -> list[Finding]:
    claimed = sum(header.pixel_format.frame_bytes for header in slices if header.pixel_format)
    if claimed <= volume_bytes:
        return []
    return _left_out(
        "size_claim",
        f"the headers claim a volume of {claimed / 2**30:.3g} GiB,"
        f" more than the limit of {volume_bytes / 2**30:.3g} GiB",
        "raise the limit if this is right",
    )


_CHECKS: tuple[Callable[[Slices], list[Finding]], ...] = (
    _check_pixels,
    _check_format,
    _check_rescale,
    _check_units,
    _check_place,
)
