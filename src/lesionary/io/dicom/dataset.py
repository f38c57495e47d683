"""Open one small DICOM object whole, or not at all.

Structure sets and segmentations are trees of sequences, which pydicom reads well. It is lenient,
though: a file cut short gives a shorter tree, without a word. So the elements are walked first.
"""

import mmap
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.core.errors import LesionaryError, UnreadableSeriesError
from lesionary.io.dicom.elements import End, Wanted
from lesionary.io.dicom.walk import read_elements
from lesionary.io.limits import Limits, in_words
from lesionary.io.opening import opened, size_of

if TYPE_CHECKING:
    from pydicom import Dataset

SOP_CLASS = 0x00080016

_BROKEN = (
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom, and who asks it for an element, meets in broken bytes; and two of its own."""


@contextmanager
def opened_dataset(
    path: Path, sop_classes: Mapping[str, str], limits: Limits
) -> Iterator["Dataset"]:
    """Read a DICOM object and watch over what is taken from it.

    Inside the block an element that is missing, or is not what it should be, becomes an
    :class:`UnreadableSeriesError` of code ``not_dicom``, whatever pydicom raises over it.

    Parameters
    ----------
    path : pathlib.Path
        The file, with or without a preamble.
    sop_classes : mapping of str to str
        The classes that are read, by UID, in words.
    limits : Limits
        ``volume_bytes`` bounds the file, also once inflated; ``nesting`` its sequences.

    Raises
    ------
    UnreadableSeriesError
        ``not_dicom``, ``truncated``, ``too_deep``, ``size_claim``, and what
        :func:`lesionary.io.opening.opened` refuses.
    """
    try:
        with opened(path) as file, _values_are_not_judged():
            _require_sound(file, sop_classes, limits)
            with _broken_is_refused():
                from pydicom import dcmread

                yield dcmread(file, force=True)
    except LesionaryError as error:
        error.at(str(path))
        raise


@contextmanager
def _values_are_not_judged() -> Iterator[None]:
    """Keep pydicom from warning of values that break their VR: its warnings quote them."""
    from pydicom.config import IGNORE, settings

    before = settings.reading_validation_mode
    settings.reading_validation_mode = IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        settings.reading_validation_mode = before


@contextmanager
def _broken_is_refused() -> Iterator[None]:
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        yield
    except LesionaryError:
        raise
    except (*_BROKEN, BytesLengthException, InvalidDicomError) as error:
        # without its cause: pydicom's messages quote values
        raise UnreadableSeriesError(
            f"the header lacks an element, or holds one that cannot be read "
            f"({type(error).__name__})",
            code="not_dicom",
        ) from None


def _require_sound(file: BufferedReader, sop_classes: Mapping[str, str], limits: Limits) -> None:
    """Walk the file's elements: whole, of a known class, within the limits."""
    n_bytes = size_of(file)
    if n_bytes > limits.volume_bytes:
        raise UnreadableSeriesError(
            f"the file has {in_words(n_bytes)}: more than the limit of "
            f"{in_words(limits.volume_bytes)}",
            code="size_claim",
        )
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        header = read_elements(
            buffer, Wanted(frozenset({SOP_CLASS})), inflated_limit=limits.volume_bytes
        )
    if header is None or header.end is End.BROKEN:
        raise UnreadableSeriesError("this is not DICOM", code="not_dicom")
    if header.end is End.TRUNCATED:
        raise UnreadableSeriesError("the file ends inside an element", code="truncated")
    if header.depth >= limits.nesting:
        raise UnreadableSeriesError(
            f"sequences are nested {header.depth} deep: the limit is {limits.nesting}",
            code="too_deep",
        )
    element = header.elements.get(SOP_CLASS)
    uid = element.value.decode("latin-1").strip("\0 ") if element else ""
    if uid not in sop_classes:
        expected = " or ".join(sop_classes.values())
        raise UnreadableSeriesError(f"this is no {expected}", code="not_dicom")
