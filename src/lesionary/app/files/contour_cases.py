"""Readers' contours without images, as label maps on the part of the image that they touch."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.volume import FloatArray, Geometry, LabelMap
from lesionary.ingest.reader_contours import ContouredLesion, parse_reader_contours
from lesionary.io.limits import Limits
from lesionary.prepare.pixel_outlines import inside_of

READER_NAMES = "reader {}"


@dataclass(frozen=True, slots=True, eq=False)
class CroppedCase:
    """One case whose label maps are a crop; the rest of the image nobody drew on.

    Parameters
    ----------
    key : CaseKey
        Its name.
    readers : tuple of str
        Their names.
    maps : tuple of LabelMap
        One a reader.
    n_voxels : int
        Of the whole image: the domain.
    """

    key: CaseKey
    readers: tuple[str, ...]
    maps: tuple[LabelMap, ...]
    n_voxels: int


def read_contour_cases(path: Path, name: str, limits: Limits) -> Iterator[CroppedCase]:
    """Read a JSON file of readers' contours, one lesion after the other.

    Raises
    ------
    InputError
        If it cannot be read, is no such file, or a contour reaches beyond its image; it names the
        file. Code ``size_claim`` where a lesion's part of the image would exceed the limits.
    """
    try:
        lesions = parse_reader_contours(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        message = f"the contours cannot be read: {error.strerror}"
        raise InputError(message, code="unreadable", source=name) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8 text", code="bad_contours", source=name) from None
    except (RecursionError, OverflowError):
        message = "its values are nested too deep or too large"
        raise InputError(message, code="bad_contours", source=name) from None
    except LesionaryError as error:
        raise error.at(name) from None
    for number, lesion in enumerate(lesions, start=1):
        try:
            yield _case(number, lesion, limits)
        except LesionaryError as error:
            raise error.at(name) from None


def _case(number: int, lesion: ContouredLesion, limits: Limits) -> CroppedCase:
    points = [contour.points for reader in lesion.readers for contour in reader]
    everything = np.concatenate([np.zeros((0, 3)), *points])
    _require_inside(everything, lesion.geometry, number)
    if not len(everything):
        everything = np.zeros((1, 3))
    low = np.maximum(everything.min(axis=0).astype(int) - 1, 0)
    high = np.minimum(everything.max(axis=0).astype(int) + 2, lesion.geometry.shape)
    _require_modest(tuple((high - low).tolist()), limits, number)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    geometry = lesion.geometry.cropped((box[0], box[1], box[2]))
    names = tuple(READER_NAMES.format(n) for n in range(1, len(lesion.readers) + 1))
    return CroppedCase(
        CaseKey("", lesion.subject, str(number)),
        names,
        tuple(_drawn(lesion, reader, low, geometry) for reader in range(len(names))),
        lesion.geometry.n_voxels,
    )


def _require_inside(points: FloatArray, geometry: Geometry, number: int) -> None:
    is_inside = (points >= 0) & (points < geometry.shape) & (points == np.floor(points))
    if not is_inside.all():
        raise InputError(
            f"lesion {number}: a contour leaves its image, or the middle of its pixels",
            code="bad_contours",
            hint="points are whole pixels (column, row); rows and columns default to 512",
        )


def _require_modest(shape: tuple[int, ...], limits: Limits, number: int) -> None:
    n_bytes = prod(shape) * np.dtype(np.uint16).itemsize
    if n_bytes > limits.volume_bytes:
        raise InputError(
            f"lesion {number}: its contours span {n_bytes} bytes of voxels; the limit of one volume"
            f" is {limits.volume_bytes} bytes",
            code="size_claim",
            hint="raise the limit if the file is to be trusted",
        )


def _drawn(
    lesion: ContouredLesion,
    reader: int,
    low: NDArray[np.int64],
    geometry: Geometry,
) -> LabelMap:
    contours = [one for one in lesion.readers[reader] if len(one.points)]
    included = [one.points - low for one in contours if one.is_included]
    excluded = [one.points - low for one in contours if not one.is_included]
    inside = inside_of(included, excluded, geometry)
    return LabelMap(inside.astype(np.uint16), geometry)
