"""Contours of several readers in one JSON file, without images, as LIDC-IDRI's are passed on.

The file is a list of lesions::

    [{"patient_id": "…", "pixel_spacing": 0.7, "slice_z": [−120.0, −117.5, …],
      "raters": [{"contours": [{"inclusion": true, "z": −117.5, "xy": [[364, 301], …]}]}]}]

``xy`` are pixel indices (column, row); ``slice_z`` lists every slice of the scan, so the whole
image is known: ``rows`` and ``columns``, where absent, are the 512 × 512 of LIDC-IDRI's CT.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray, Geometry

CT_MATRIX = 512
_FEWEST_READERS = 2
_SAME_SLICE_MM = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class ReaderContour:
    """One closed outline.

    Parameters
    ----------
    is_included : bool
        False for an outline around what is not lesion.
    points : array, shape (points, 3)
        Indices ``(k, j, i)``, whole numbers: the pixels of the outline.
    """

    is_included: bool
    points: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ContouredLesion:
    """One lesion as each reader outlined it.

    Parameters
    ----------
    subject : str
        ``1``, ``2``, … in the order in which the file first names each patient.
    geometry : Geometry
        The whole image.
    readers : tuple of tuples of ReaderContour
        One tuple a reader; empty where a reader drew nothing.
    """

    subject: str
    geometry: Geometry
    readers: tuple[tuple[ReaderContour, ...], ...]


def parse_reader_contours(text: str) -> tuple[ContouredLesion, ...]:
    """Read the file.

    Raises
    ------
    InputError
        Code ``bad_contours``: no JSON, no list of lesions, or a lesion that lacks a field, lies on
        a slice that the image does not have, or has fewer than two readers. The message counts
        lesions from 1.
    """
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise _bad(f"this is not JSON: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise _bad("the file is no list of lesions")
    subjects: dict[Any, str] = {}
    lesions = []
    for number, entry in enumerate(entries, start=1):
        try:
            patient = str(entry["patient_id"])
            subject = subjects.setdefault(patient, str(len(subjects) + 1))
            lesions.append(_lesion(entry, subject))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            said = error.message if isinstance(error, InputError) else "a field is missing or wrong"
            raise _bad(f"lesion {number}: {said}") from None
    return tuple(lesions)


def _lesion(entry: Any, subject: str) -> ContouredLesion:
    z_mm = np.unique(np.array(entry["slice_z"], dtype=np.float64))
    if len(entry["raters"]) < _FEWEST_READERS:
        raise _bad("agreement needs two readers or more")
    return ContouredLesion(
        subject,
        _geometry(entry, z_mm),
        tuple(
            tuple(_contour(contour, z_mm) for contour in rater["contours"])
            for rater in entry["raters"]
        ),
    )


def _geometry(entry: Any, z_mm: FloatArray) -> Geometry:
    gaps_mm = np.diff(z_mm)
    if gaps_mm.size and np.ptp(gaps_mm) > max(0.01, 0.01 * float(gaps_mm.min())):
        raise _bad("its slices are unevenly spaced")
    pixel_mm = float(entry["pixel_spacing"])
    slice_mm = float(gaps_mm.mean()) if gaps_mm.size else float(entry["slice_thickness"])
    if not (pixel_mm > 0 and slice_mm > 0):
        raise _bad("a spacing is not above zero")
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = slice_mm, pixel_mm, pixel_mm, 1.0
    affine[2, 3] = z_mm[0]
    rows, columns = int(entry.get("rows", CT_MATRIX)), int(entry.get("columns", CT_MATRIX))
    return Geometry((len(z_mm), rows, columns), affine)


def _contour(contour: Any, z_mm: FloatArray) -> ReaderContour:
    xy = np.array(contour["xy"], dtype=np.float64).reshape(-1, 2)
    nearest = int(np.argmin(np.abs(z_mm - float(contour["z"]))))
    if not abs(z_mm[nearest] - float(contour["z"])) <= _SAME_SLICE_MM:  # NaN is not either
        raise _bad("a contour lies on none of its slices")
    if not isinstance(contour["inclusion"], bool):
        raise _bad("inclusion is neither true nor false")
    points = np.column_stack([np.full(len(xy), nearest), xy[:, 1], xy[:, 0]])
    return ReaderContour(contour["inclusion"], points)


def _bad(message: str) -> InputError:
    return InputError(
        message,
        code="bad_contours",
        hint="give a list of lesions with patient_id, pixel_spacing, slice_z and raters",
    )
