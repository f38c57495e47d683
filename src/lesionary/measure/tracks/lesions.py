"""From a label map and its measured rows to what matching needs."""

import numpy as np

from lesionary.core.components import components
from lesionary.core.errors import InputError
from lesionary.core.terms import parse_label
from lesionary.core.volume import LabelMap, Mask
from lesionary.measure.lesions import Measured, MeasuredLesion
from lesionary.measure.tracks.records import Place, TrackedLesion
from lesionary.measure.tracks.registration import Transform


def tracked_lesions(
    labels: LabelMap,
    measured: Measured,
    place: Place,
    to_reference: Transform | None = None,
) -> tuple[TrackedLesion, ...]:
    """Cut every measured lesion out of its label map.

    Parameters
    ----------
    labels : LabelMap
        What was measured.
    measured : Measured
        Its rows, as :func:`~lesionary.measure.lesions.measure_lesions` gives them.
    place : Place
        Time point and series; the number of each row becomes its ``lesion``.
    to_reference : Transform, optional
        To the space of the time point's reference series; none where they share a frame of
        reference.

    Raises
    ------
    InputError
        If a row is no lesion of this label map.
    """
    found = {(piece.value, piece.first): piece for piece in components(labels.array)}
    lesions = []
    for row in measured.lesions:
        piece = found.get((row.value, row.first))
        if piece is None:
            raise InputError(f"row {row.lesion} was not measured in this label map")
        geometry = labels.geometry.cropped(piece.box)
        if to_reference is not None:
            geometry = to_reference.moved(geometry)
        mask = Mask(piece.crop(), geometry)
        lesions.append(_tracked(row, mask, place))
    return tuple(lesions)


def _tracked(row: MeasuredLesion, mask: Mask, place: Place) -> TrackedLesion:
    label = parse_label(str(row.label))
    return TrackedLesion(
        place=Place(place.timepoint, place.series, row.lesion),
        label=str(row.label),
        kind=row.kind,
        organ="" if label is None else label.organ,
        volume_ml=float(np.maximum(row.volume_ml, 1e-9)),
        diameter_mm=row.diameter_mm,
        mask=mask,
    )
