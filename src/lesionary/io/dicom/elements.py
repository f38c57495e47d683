"""The raw elements of a DICOM file: what they are, and where its data set starts.

Source: DICOM PS3.5 §7 (data set), annex A (transfer syntaxes); PS3.10 §7 (file).
"""

import functools
import mmap
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from lesionary.io.limits import MIB

Buffer: TypeAlias = bytes | mmap.mmap
Path: TypeAlias = tuple[int, ...]

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

INFLATED_BYTES = 256 * MIB
"""A deflated instance may have as large a data set, no larger."""

MOST_LISTED = 100_000
"""Items of one sequence that are kept apart; no scanner writes as many frames into a file."""

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
UNDEFINED = 0xFFFFFFFF
ITEM_GROUP = 0xFFFE
ITEM, ITEM_END = 0xE000, 0xE00D
TRANSFER_SYNTAX = 0x00020010
MEDIA_STORAGE: Mapping[int, int] = {0x0002: 0x00080016, 0x0003: 0x00080018}
"""Elements of group 0002 that say what the data set says: UIDs of class and instance."""

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
PIXEL_DATA = 0x7FE00010

LONG_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
_TEXT_VRS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM")
)
SHORT_VRS = _TEXT_VRS | frozenset(("AT", "FD", "FL", "SL", "SS", "UI", "UL", "US"))
VRS = LONG_VRS | SHORT_VRS
VR_BYTES = frozenset(vr.encode() for vr in VRS)
VR_NAMES: Mapping[bytes, str] = {vr.encode(): vr for vr in VRS}
ITEM_BYTES = b"\xfe\xff\x00\xe0"


class Element(NamedTuple):
    """One element as it lies in the file."""

    vr: str
    value: bytes


class End(Enum):
    """How the walk came to its end."""

    WHOLE = auto()
    TRUNCATED = auto()
    BROKEN = auto()


@dataclass(frozen=True, slots=True)
class RawPixels:
    """Where the pixel data lie in the (inflated) file; no length means encapsulated."""

    tag: int
    vr: str
    offset: int
    length: int | None


@dataclass(slots=True)
class RawHeader:
    """What the walk found.

    ``nested`` is keyed by the path of sequence tags with the element's tag last, first items only;
    behind a sequence whose items are all listed stands the item's number, from 0. ``n_items``
    counts the items of each such path. ``size`` is that of the buffer walked: of the inflated data
    set where the syntax is deflated.
    """

    size: int
    elements: dict[int, Element] = field(default_factory=dict)
    nested: dict[Path, Element] = field(default_factory=dict)
    n_items: dict[Path, int] = field(default_factory=dict)
    transfer_syntax: str = ""
    is_little_endian: bool = True
    is_deflated: bool = False
    pixels: RawPixels | None = None
    end: End = End.WHOLE
    depth: int = 0
    odd_vrs: list[int] = field(default_factory=list)
    media_storage: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which elements the walk copies out.

    Parameters
    ----------
    tags : frozenset of int
        Elements of the top level.
    paths : frozenset of tuple of int
        Sequences, as paths of tags, whose first item is copied whole.
    listed : frozenset of tuple of int
        Those of them whose items are all copied.
    private_groups : frozenset of int
        Odd groups whose short elements are copied, for their creators to be looked up.
    """

    tags: frozenset[int]
    paths: frozenset[Path] = frozenset()
    listed: frozenset[Path] = frozenset()
    private_groups: frozenset[int] = frozenset()

    def takes(self, tag: int, length: int) -> bool:
        """Tell whether an element of the top level is copied."""
        return tag in self.tags or (tag >> 16 in self.private_groups and length <= 64)


@functools.lru_cache(maxsize=16_384)
def dictionary_vr(tag: int) -> str:
    """Return the standard's value representation, or an empty text where the tag is unknown."""
    from pydicom.datadict import dictionary_VR

    if tag & 0xFFFF == 0:
        return "UL"
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


def inflate(packed: Buffer, limit: int) -> tuple[bytes, bool]:
    """Inflate a deflated data set, at most ``limit`` bytes; tell whether that was all of it."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, limit)
    except zlib.error:
        return b"", False
    return data, inflater.eof


def data_set_start(buffer: Buffer) -> int:
    """Return where the data set after the file meta information starts."""
    start = start_of(buffer)
    return read_meta(buffer, start or 0, RawHeader(size=len(buffer)))


def start_of(buffer: Buffer) -> int | None:
    """Return where the elements begin, after the preamble if there is one; None if nowhere."""
    if bytes(buffer[PREAMBLE_BYTES : PREAMBLE_BYTES + 4]) == MAGIC:
        return PREAMBLE_BYTES + 4
    if len(buffer) < 8:
        return None
    group, number = struct.unpack_from("<HH", buffer)
    looks_little = group in {0x0002, 0x0008} and number < 0x0100
    looks_big = group in {0x0200, 0x0800} and number & 0xFF == 0
    return 0 if looks_little or looks_big else None


def read_meta(buffer: Buffer, start: int, raw: RawHeader) -> int:
    """Read group 0002, always explicit and little-endian; return where it ends."""
    at = start
    while at + 8 <= len(buffer):
        group, number, vr, length = struct.unpack_from("<HH2sH", buffer, at)
        if group != 0x0002 or vr not in VR_BYTES:
            break
        value_at = at + 8
        if VR_NAMES[vr] in LONG_VRS:
            if at + 12 > len(buffer):
                break
            length = struct.unpack_from("<L", buffer, at + 8)[0]
            value_at = at + 12
        value = bytes(buffer[value_at : value_at + length])
        if group << 16 | number == TRANSFER_SYNTAX:
            raw.transfer_syntax = value.decode("latin-1").strip("\0 ")
        elif number in MEDIA_STORAGE:
            raw.media_storage[MEDIA_STORAGE[number]] = value
        at = value_at + length
    return at
