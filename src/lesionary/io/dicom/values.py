"""Turn the raw bytes of DICOM elements into texts and numbers.

The VR in the file is believed, so that rows stored as text are still rows; what cannot be read is
remembered by keyword, for the gate to say whether it was needed.

Source: DICOM PS3.5 §6.2 (value representations).
"""

import functools
import math
import struct
from collections.abc import Mapping

from lesionary.io.dicom.elements import Element, Path, RawHeader, dictionary_vr

_BINARY: Mapping[str, str] = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
    "US or SS": "H", "US or OW": "H", "US or SS or OW": "H",
}  # fmt: skip
_CHARSET = 0x00080005
_PADDING = b" \0"


@functools.lru_cache(maxsize=1024)
def tag_of(keyword: str) -> int:
    """Return the tag of a keyword of the standard.

    Raises
    ------
    KeyError
        If the standard has no such keyword.
    """
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag)


class HeaderValues:
    """Reads elements by keyword.

    Parameters
    ----------
    raw : RawHeader
        What the walk copied out.

    Attributes
    ----------
    lost : set of str
        Keywords whose values could not be read.
    """

    def __init__(self, raw: RawHeader) -> None:
        self.raw = raw
        self.lost: set[str] = set()

    def text(self, keyword: str, *, within: Path = ()) -> str:
        """Return the element's first value as text; empty where it is absent or empty."""
        return self._decode(self._element(keyword, within)).split("\\")[0].strip()

    def texts(self, keyword: str, *, within: Path = ()) -> tuple[str, ...]:
        """Return all values as text; none where the element is absent or empty."""
        text = self._decode(self._element(keyword, within))
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def numbers(
        self, keyword: str, *, within: Path = (), is_signed: bool = False
    ) -> tuple[float, ...]:
        """Return all values as finite numbers; none where it is absent, empty or unreadable."""
        element = self._element(keyword, within)
        if element is None:
            return ()
        try:
            numbers = _numbers(element, self.raw.is_little_endian, is_signed)
        except (ValueError, struct.error):
            numbers = (math.nan,)
        if not all(map(math.isfinite, numbers)):
            self.lost.add(keyword)
            return ()
        return numbers

    def number(self, keyword: str, *, within: Path = (), is_signed: bool = False) -> float | None:
        """Return the first value as a finite number, or None."""
        numbers = self.numbers(keyword, within=within, is_signed=is_signed)
        return numbers[0] if numbers else None

    def integer(self, keyword: str, *, is_signed: bool = False) -> int | None:
        """Return the first value as an integer, or None; a fraction counts as unreadable."""
        number = self.number(keyword, is_signed=is_signed)
        if number is None:
            return None
        if number != int(number):
            self.lost.add(keyword)
            return None
        return int(number)

    def values(self, keyword: str, *, within: Path = ()) -> tuple[str | float, ...]:
        """Return numbers where the element's VR is binary, else texts."""
        element = self._element(keyword, within)
        if element is not None and element.vr in _BINARY:
            return self.numbers(keyword, within=within)
        return self.texts(keyword, within=within)

    def private_text(self, group: int, creator: str, number: int) -> str:
        """Return a private element by its creator's name and its number within the block."""
        for block in range(0x10, 0x100):
            owner = self.raw.elements.get(group << 16 | block)
            if owner is not None and self._decode(owner).strip() == creator:
                element = self.raw.elements.get(group << 16 | block << 8 | number)
                return self._decode(element).strip()
        return ""

    def has(self, keyword: str) -> bool:
        """Tell whether the top level holds the element with a value."""
        element = self._element(keyword, ())
        return element is not None and bool(element.value)

    def _element(self, keyword: str, within: Path) -> Element | None:
        tag = tag_of(keyword)
        return self.raw.nested.get((*within, tag)) if within else self.raw.elements.get(tag)

    def _decode(self, element: Element | None) -> str:
        if element is None:
            return ""
        value = element.value.strip(_PADDING)
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            return _decode_by(value, self._charset())

    def _charset(self) -> str:
        element = self.raw.elements.get(_CHARSET)
        names = (element.value if element else b"").decode("latin-1").split("\\")
        return next((name.strip(" \0") for name in names if name.strip(" \0")), "")


def _decode_by(value: bytes, charset: str) -> str:
    from pydicom.charset import python_encoding

    for encoding in (python_encoding.get(charset, "utf-8"), "utf-8"):
        try:
            return value.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return value.decode("latin-1")


def _numbers(element: Element, is_little_endian: bool, is_signed: bool) -> tuple[float, ...]:
    code = _BINARY.get(element.vr)
    if code is None:
        text = element.value.strip(_PADDING)
        return tuple(float(part) for part in text.split(b"\\")) if text else ()
    if is_signed and code == "H":
        code = "h"
    order = "<" if is_little_endian else ">"
    count, rest = divmod(len(element.value), struct.calcsize(order + code))
    if rest:
        raise ValueError("a length that is no multiple of the value's")
    return struct.unpack(f"{order}{count}{code}", element.value)


def keyword_of(tag: int) -> str:
    """Return the standard's keyword for a tag, or an empty text."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) if dictionary_vr(tag) else ""
