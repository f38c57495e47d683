"""A DICOM file in the making: a pydicom data set, and the bytes that pydicom would not write."""

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from .identities import Mint, Token

RELEASED, QUARANTINED, REFUSED = "released", "quarantined", "refused"
ITEM_END, SEQUENCE_END = (struct.pack("<HHL", 0xFFFE, element, 0) for element in (0xE00D, 0xE0DD))


@dataclass(frozen=True, slots=True)
class Kept:
    """Words that say nothing of a patient, and the element that has to keep them."""

    tag: int
    words: tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """A file in the making.

    Parameters
    ----------
    path : str
        In the corpus.
    mint : Mint
    outcome : str
        What the door has to say of it.
    data_set : Dataset
    syntax : str
    preamble : bytes, optional
        None: no preamble and no ``DICM``.
    meta : bytes
        More elements of the file meta information, after the transfer syntax.
    raw : dict of int to bytes
        Whole elements, encoded, by tag.
    tail : bytes
        Behind the last element.
    """

    path: str
    mint: Mint
    outcome: str = RELEASED
    code: str = ""
    data_set: Dataset = field(default_factory=Dataset)
    syntax: str = ExplicitVRLittleEndian
    preamble: bytes | None = bytes(128)
    meta: bytes = b""
    raw: dict[int, bytes] = field(default_factory=dict)
    tail: bytes = b""
    tokens: list[Token] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    encoded: bytes | None = None

    def token(self, text: str, kind: str, place: str, *, is_obfuscated: bool = False) -> str:
        """Note that a text was planted here, and return it."""
        self.tokens.append(Token(text, kind, self.path, place, is_obfuscated))
        return text

    def forget(self, *places: str) -> None:
        """Take back what stood where something else is going to stand."""
        self.tokens = [token for token in self.tokens if token.place not in places]

    def name(self, place: str) -> str:
        """Plant a person."""
        return self.token(self.mint.name(), "name", place)

    def word(self, place: str) -> str:
        """Plant a family name."""
        return self.token(self.mint.word(), "name", place)

    def number(self, place: str, n_digits: int = 8) -> str:
        """Plant a number of a record."""
        return self.token(self.mint.number(n_digits), "number", place)

    def text(self, keyword: str, phrase: str, data_set: Dataset | None = None) -> None:
        """Write a phrase with a name in it; its own words have to stay."""
        target = self.data_set if data_set is None else data_set
        setattr(target, keyword, phrase.format(self.word(keyword)))
        words = phrase.replace("{}", " ").split()
        self.kept.append(Kept(int(target.data_element(keyword).tag), tuple(words)))

    def put(self, tag: int, vr: str, value: bytes, data_set: Dataset | None = None) -> None:
        """Write bytes as an element, whatever its VR says of them."""
        target = self.data_set if data_set is None else data_set
        target[Tag(tag)] = raw_element(tag, vr, value)

    def content(self) -> bytes:
        """Return the file."""
        if self.encoded is not None:
            return self.encoded
        body = encode(self.data_set, self.syntax, self.raw) + self.tail
        if self.syntax == DeflatedExplicitVRLittleEndian:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            body = packer.compress(body) + packer.flush()
            body += b"\0" * (len(body) % 2)
        if self.preamble is None:
            return body
        return self.preamble + b"DICM" + self._meta() + body

    def _meta(self) -> bytes:
        ds = self.data_set
        parts = element(0x00020001, "OB", b"\0\1")
        parts += element(0x00020002, "UI", str(ds.get("SOPClassUID", "")).encode())
        parts += element(0x00020003, "UI", str(ds.get("SOPInstanceUID", "")).encode())
        parts += element(0x00020010, "UI", self.syntax.encode())
        parts += element(0x00020012, "UI", b"1.2.276.0.7230010.3.0.3.6.7") + self.meta
        return element(0x00020000, "UL", struct.pack("<L", len(parts))) + parts


def raw_element(tag: int, vr: str, value: bytes) -> RawDataElement:
    """Return an element that pydicom writes without looking at it."""
    value += b"\0" * (len(value) % 2)
    return RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def element(tag: int, vr: str, value: bytes) -> bytes:
    """Encode an element, explicit and little-endian."""
    value += (b"\0" if vr in {"UI", "OB", "UN"} else b" ") * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}:
        return head + struct.pack("<HL", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def implicit(tag: int, value: bytes) -> bytes:
    """Encode an element without its VR."""
    value += b" " * (len(value) % 2)
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def item(value: bytes) -> bytes:
    """Encode an item."""
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(value)) + value


def encode(data_set: Dataset, syntax: str, raw: dict[int, bytes] | None = None) -> bytes:
    """Encode a data set element by element, with raw ones among them."""
    raw = raw or {}
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax == ImplicitVRLittleEndian
    buffer.is_little_endian = syntax != ExplicitVRBigEndian
    charset: Any = data_set.get("SpecificCharacterSet", "")
    from pydicom.charset import convert_encodings

    encodings = convert_encodings(charset)
    correct_ambiguous_vr(data_set, buffer.is_little_endian)
    for tag in sorted({*map(int, data_set.keys()), *raw}):
        if tag in raw:
            buffer.write(raw[tag])
        else:
            write_data_element(buffer, data_set.get_item(Tag(tag)), encodings)
    return io.BytesIO(buffer.getvalue()).getvalue()
