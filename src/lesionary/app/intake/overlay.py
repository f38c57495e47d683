"""Lay an RTSTRUCT or a SEG on the grid of its image: as label maps with the vocabulary's texts."""

from dataclasses import dataclass, field
from typing import Any

from lesionary.annotate.layers import Layers
from lesionary.core.errors import LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import BoolArray, Box, Geometry, LabelMap
from lesionary.ingest.header import InstanceHeader, InstanceKind
from lesionary.ingest.labels import (
    LabelRules,
    is_known_roi,
    is_known_segment,
    roi_label,
    segment_label,
    unknown_labels,
)
from lesionary.ingest.segmentation import SegObject
from lesionary.ingest.structures import StructureSet
from lesionary.io.limits import Limits

Drawing = StructureSet | SegObject


@dataclass(slots=True)
class Overlay:
    """A drawing on its image.

    Parameters
    ----------
    label_maps : list of (str or None, LabelMap)
        SegmentAlgorithmType, None where not stated, and a layer; more than one where objects
        overlap.
    notes, refusals : list of Finding
        What was warned of, and single objects that were left out.
    unknown : list of str
        What names beyond the vocabulary became: ``lesion`` or ``structure``, once for each.
    """

    label_maps: list[tuple[str | None, LabelMap]] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read_drawing(header: InstanceHeader, limits: Limits) -> Drawing:
    """Read an RTSTRUCT or SEG file.

    Raises
    ------
    LesionaryError
        With a code of the gate's table.
    """
    if header.kind is InstanceKind.RTSTRUCT:
        from lesionary.io.dicom.rtstruct import read_rtstruct

        return read_rtstruct(header.path, limits=limits)
    from lesionary.io.dicom.seg import read_seg

    return read_seg(header.path, limits=limits)


def lay_on(drawing: Drawing, geometry: Geometry, rules: LabelRules) -> Overlay:
    """Put every object of a drawing on a grid.

    Raises
    ------
    GeometryMismatchError
        If a SEG does not cover the grid, pixel on pixel. A contour that does not lie on the slices
        is a refusal of that one structure.
    """
    overlay = Overlay(notes=list(drawing.findings))
    by_method: dict[str | None, Layers] = {}
    if isinstance(drawing, StructureSet):
        _draw_rois(drawing, by_method.setdefault(None, Layers(geometry)), overlay, rules)
    else:
        for segment in drawing.segments:
            layers = by_method.setdefault(segment.algorithm_type or None, Layers(geometry))
            mask = drawing.mask_on(geometry, segment.number)
            label = segment_label(segment, rules)
            if _add(layers, mask.array, label) and not is_known_segment(segment, rules):
                overlay.unknown.append(label)
    overlay.notes += unknown_labels(overlay.unknown)
    overlay.label_maps = [
        (method, label_map)
        for method, layers in by_method.items()
        for label_map in layers.label_maps()
    ]
    return overlay


def as_finding(error: LesionaryError, *, code: str | None = None) -> Finding:
    """Turn an error about one input into the finding that leaves it out."""
    return Finding(code or error.code, Outcome.LEFT_OUT, error.message, error.hint or "")


def _draw_rois(
    structures: StructureSet, layers: Layers, overlay: Overlay, rules: LabelRules
) -> None:
    from lesionary.prepare.contours import draw

    for roi in structures.rois:
        try:
            drawn = draw(roi.outlines_mm, layers.geometry)
        except LesionaryError as error:
            overlay.refusals.append(as_finding(error))
            continue
        overlay.notes += drawn.findings
        label = roi_label(roi, rules)
        if _add(layers, drawn.mask.array, label) and not is_known_roi(roi, rules):
            overlay.unknown.append(label)


def _add(layers: Layers, array: BoolArray, label: str) -> bool:
    """Lay an object on its grid; tell whether it holds a voxel."""
    box = _box_of(array)
    if box is not None:
        layers.add(array[box], box, label)
    return box is not None


def _box_of(array: BoolArray) -> Box | None:
    from scipy.ndimage import find_objects

    found: list[Any] = find_objects(array.view("uint8"))
    return found[0] if found else None
