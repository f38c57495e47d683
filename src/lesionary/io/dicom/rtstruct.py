"""Read an RT Structure Set (PS3.3 A.19): contours in patient space.

A file is taken whole or not at all: one contour that cannot be trusted refuses it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.planes import FARTHEST_MM
from lesionary.core.volume import FloatArray, read_only
from lesionary.ingest.structures import References, Roi, StructureSet
from lesionary.io.dicom.dataset import opened_dataset
from lesionary.io.dicom.referenced import image_references, items_of, text_of, uids_of
from lesionary.io.limits import Limits

if TYPE_CHECKING:
    from pydicom import Dataset

RT_STRUCTURE_SET = {"1.2.840.10008.5.1.4.1.1.481.3": "RT structure set"}

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"})
"""Contours that enclose something; the standard spells the second, some writers the third."""

OPEN = frozenset({"POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"})

_TEXTS = ("StructureSetLabel", "StructureSetName", "StructureSetDescription")
_CONTOUR_DATA = 0x30060050
_BYTES_AT_ONCE = 1 << 20


def read_rtstruct(path: Path, *, limits: Limits | None = None) -> StructureSet:
    """Read a structure set with every closed planar contour of every structure.

    Open contours, points, and closed contours of fewer than three points enclose nothing: they are
    passed over with a finding of code ``open_contour``.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    limits : Limits, optional
        What the file may ask of this machine.

    Raises
    ------
    UnreadableSeriesError
        ``truncated`` or ``size_claim`` where a contour has more or fewer coordinates than it should
        have, ``wrong_vr`` where one is no finite number, ``not_dicom`` where the file contradicts
        itself, and what :func:`lesionary.io.dicom.dataset.opened_dataset` refuses.
    """
    with opened_dataset(path, RT_STRUCTURE_SET, limits or Limits()) as dataset:
        return _structure_set(dataset)


def _structure_set(dataset: "Dataset") -> StructureSet:
    declared = list(items_of(dataset, "StructureSetROISequence"))
    numbers = [int(item.ROINumber) for item in declared]
    drawn = _contours_by_roi(dataset, numbers)
    types = _interpreted_types(dataset)
    frames = _frame_references(dataset)
    passed_over: Counter[str] = Counter()
    rois = []
    for number, item in zip(numbers, declared, strict=True):
        outlines, images = _outlines(number, drawn.get(number, ()), passed_over)
        frame_uid = text_of(item, "ReferencedFrameOfReferenceUID")
        whole = frames.get(frame_uid, References())
        references = References(
            images.sop_instance_uids or whole.sop_instance_uids,
            whole.series_instance_uids,
            uids_of(item, "ReferencedFrameOfReferenceUID"),
            images.last_frames or whole.last_frames,
        )
        name = text_of(item, "ROIName")
        rois.append(Roi(number, name, types.get(number, ""), outlines, references))
    own_frame = References(frame_of_reference_uids=uids_of(dataset, "FrameOfReferenceUID"))
    references = References.union([own_frame, *frames.values(), *(roi.references for roi in rois)])
    texts = tuple(text_of(dataset, keyword) for keyword in _TEXTS)
    return StructureSet(tuple(rois), references, _findings(passed_over), texts)


def _contours_by_roi(dataset: "Dataset", numbers: list[int]) -> Mapping[int, Iterable["Dataset"]]:
    """Sort the contours by structure; each is declared once and drawn at most once."""
    if len(set(numbers)) < len(numbers):
        raise UnreadableSeriesError("two structures have one number", code="not_dicom")
    if numbers and "ROIContourSequence" not in dataset:
        raise UnreadableSeriesError(
            f"{len(numbers)} structures are declared, and no contours follow", code="truncated"
        )
    drawn: dict[int, Iterable[Dataset]] = {}
    for item in items_of(dataset, "ROIContourSequence"):
        number = int(item.ReferencedROINumber)
        if number not in numbers:
            raise UnreadableSeriesError(
                f"contours belong to structure {number}, which is not declared", code="not_dicom"
            )
        if number in drawn:
            raise UnreadableSeriesError(
                f"structure {number} has two lists of contours", code="not_dicom"
            )
        drawn[number] = items_of(item, "ContourSequence")
    return drawn


def _interpreted_types(dataset: "Dataset") -> dict[int, str]:
    """Read what each structure was drawn as; where observers differ, a tumour stays one."""
    types: defaultdict[int, list[str]] = defaultdict(list)
    for item in items_of(dataset, "RTROIObservationsSequence"):
        types[int(item.ReferencedROINumber)].append(text_of(item, "RTROIInterpretedType").upper())
    return {n: "GTV" if "GTV" in found else found[0] for n, found in types.items()}


def _frame_references(dataset: "Dataset") -> dict[str, References]:
    """Read which series and images each frame of reference stands for."""
    frames: dict[str, References] = {}
    for frame in items_of(dataset, "ReferencedFrameOfReferenceSequence"):
        series = list(items_of(frame, "RTReferencedStudySequence", "RTReferencedSeriesSequence"))
        images = image_references(
            image for item in series for image in items_of(item, "ContourImageSequence")
        )
        uid = text_of(frame, "FrameOfReferenceUID")
        found = References(
            images.sop_instance_uids,
            frozenset().union(*(uids_of(item, "SeriesInstanceUID") for item in series)),
            uids_of(frame, "FrameOfReferenceUID"),
            images.last_frames,
        )
        frames[uid] = References.union([frames.get(uid, found), found])
    return frames


def _outlines(
    number: int, contours: Iterable["Dataset"], passed_over: Counter[str]
) -> tuple[tuple[FloatArray, ...], References]:
    """Read the closed contours of one structure and the images they name."""
    outlines: list[FloatArray] = []
    images: list[Dataset] = []
    for position, contour in enumerate(contours, start=1):
        kind = text_of(contour, "ContourGeometricType").upper()
        if kind in OPEN:
            passed_over[kind] += 1
            continue
        where = f"contour {position} of structure {number}"
        if kind not in CLOSED:
            raise UnreadableSeriesError(f"{where} is of no known type", code="not_dicom")
        points_mm = _points_mm(contour, where)
        if len(points_mm) < 3:
            passed_over["fewer than three points"] += 1
            continue
        outlines.append(points_mm)
        images.extend(items_of(contour, "ContourImageSequence"))
    return tuple(outlines), image_references(images)


def _points_mm(contour: "Dataset", where: str) -> FloatArray:
    """Read a contour's points, shape (points, 3); refuse what is not exactly that."""
    # As bytes: pydicom would make an object of each of what may be millions of numbers.
    element = contour.get_item(_CONTOUR_DATA)
    text = bytes(element.value or b"").strip(b"\0 ") if element is not None else b""
    if not text:
        raise UnreadableSeriesError(f"{where} has no points", code="truncated")
    try:
        numbers = _numbers(text)
    except ValueError:
        raise UnreadableSeriesError(
            f"{where} holds a coordinate that is no number", code="wrong_vr"
        ) from None
    if len(numbers) % 3:
        raise UnreadableSeriesError(
            f"{where} has {len(numbers)} coordinates, which is no multiple of three",
            code="truncated",
        )
    claimed = contour.get("NumberOfContourPoints")
    if claimed is not None and int(claimed) != len(numbers) // 3:
        raise UnreadableSeriesError(
            f"{where} claims {int(claimed)} points and has {len(numbers) // 3}", code="size_claim"
        )
    if not np.abs(numbers).max() <= FARTHEST_MM:  # NaN is not either
        raise UnreadableSeriesError(
            f"{where} holds a coordinate that is no place in a patient", code="wrong_vr"
        )
    return read_only(numbers.reshape(-1, 3))


def _numbers(text: bytes) -> FloatArray:
    """Parse decimal strings, a bounded piece at a time."""
    if b"_" in text:  # which Python takes for a thousands separator
        raise ValueError
    parts = []
    start = 0
    while start <= len(text):
        stop = text.find(b"\\", start + _BYTES_AT_ONCE)
        stop = len(text) if stop < 0 else stop
        parts.append(np.array([float(word) for word in text[start:stop].split(b"\\")]))
        start = stop + 1
    return np.concatenate(parts)


def _findings(passed_over: Counter[str]) -> tuple[Finding, ...]:
    if not passed_over:
        return ()
    kinds = ", ".join(f"{n} × {kind}" for kind, n in sorted(passed_over.items()))
    reason = f"contours that enclose nothing were passed over: {kinds}"
    return (Finding("open_contour", Outcome.WARNED, reason),)
