"""Headers of a sound CT series, without files, for tests of grouping and gate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lesionary.ingest.grouping import SeriesCandidate
from lesionary.ingest.header import InstanceHeader, InstanceKind, PixelFormat, PixelLocation

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
GRID = PixelFormat(12, 10, 16, 16, 15, is_signed=True)
PIXELS = PixelLocation("1.2.840.10008.1.2.1", 900, GRID.frame_bytes, GRID.frame_bytes)


def slice_header(number: int, position_mm: Sequence[float], **changes: Any) -> InstanceHeader:
    """Return one axial CT slice at a place; anything else may be changed."""
    x, y, z = (float(v) for v in position_mm)
    values: dict[str, Any] = {
        "number": number,
        "path": Path("none"),
        "place": f"scans/{number}.dcm",
        "kind": InstanceKind.IMAGE,
        "sop_instance_uid": f"1.2.3.{number}",
        "series_instance_uid": "1.2.3",
        "study_instance_uid": "1.2",
        "frame_of_reference_uid": "1.9",
        "subject_key": "007",
        "modality": "CT",
        "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
        "orientation": AXIAL,
        "position_mm": (x, y, z),
        "pixel_spacing_mm": (0.8, 0.7),
        "slice_thickness_mm": 3.0,
        "pixel_format": GRID,
        "pixels": PIXELS,
        "rescale": (1.0, -1024.0),
    }
    return InstanceHeader(**(values | changes))


def stack(depths_mm: Sequence[float], **changes: Any) -> list[InstanceHeader]:
    """Return axial slices at these depths, all with the same changes."""
    return [slice_header(k, (5.0, 6.0, z), **changes) for k, z in enumerate(depths_mm)]


def even(n: int = 10, spacing_mm: float = 3.0, **changes: Any) -> list[InstanceHeader]:
    """Return a sound stack."""
    return stack((np.arange(n) * spacing_mm).tolist(), **changes)


def candidate(slices: Sequence[InstanceHeader]) -> SeriesCandidate:
    """Return slices as they come out of grouping."""
    return SeriesCandidate(tuple(slices), (), len(slices))
