"""Write records as a DICOM file, of which every byte is known.

The preamble is NUL, the file meta information is made anew, and whatever the file's own encoding
was, its elements are written with explicit VR, little-endian, in ascending order and with defined
lengths. Compressed pixels stay in the syntax they came in.

Source: DICOM PS3.5 §6.2.2 (values too long for their VR), §7.1, annex A.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lesionary.ingest.deidentify.elements import Buffer, DataSet, Element, Instance, PixelData
from lesionary.io.dicom.elements import IMPLICIT_LITTLE
from lesionary.io.dicom.tree_encoding import (
    VIEW_BYTES,
    encoded,
    encoded_pixels,
    is_too_long,
    item_head,
    sequence_head,
)
from lesionary.io.dicom.tree_fragments import has_sound_table, require_encapsulated
from lesionary.io.dicom.tree_heads import is_passed_over
from lesionary.io.dicom.tree_meta import FileMeta, file_beginning
from lesionary.io.dicom.tree_vrs import block_of, is_creator, is_private

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"

_EXTENDED_OFFSETS, _EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002


def write_instance(instance: Instance, *, meta: FileMeta | None = None) -> list[Buffer]:
    """Return a file as chunks to be written one after another.

    Odd values are padded, texts with a space and all others with NUL. A private block's creator is
    written where elements of the block are, and nowhere else. Offset tables that do not fit the
    fragments are left out. For values that are too long for explicit VR see
    :func:`written_syntax`.

    Parameters
    ----------
    instance : Instance
        Neither it nor its values are changed.
    meta : FileMeta, optional
        By default that of this program.

    Returns
    -------
    list of bytes-like
        Values of 64 KiB and more are the very buffers of the instance.

    Raises
    ------
    InputError
        ``sop_missing`` without UIDs of class and instance, or where these are no UIDs;
        ``size_claim`` for a value or sequence that no length can tell; ``wrong_vr`` for a VR that
        is none.
    UnreadableSeriesError
        ``unsupported_syntax`` for compressed pixels without a syntax that is one.
    """
    syntax = written_syntax(instance)
    body = _Backwards(is_implicit=syntax == IMPLICIT_LITTLE)
    body.run(instance.data_set, instance.pixels)
    head = file_beginning(instance.data_set, syntax, meta or FileMeta())
    return _joined([head, *reversed(body.chunks)])


def written_syntax(instance: Instance) -> str:
    """Return the UID of the transfer syntax in which an instance is written.

    That is Explicit VR Little Endian, or what compressed pixels came in. Where a value is too long
    for the 16-bit length of its VR, like the contours of many a structure set, it is Implicit VR
    Little Endian: the standard's other way, to call the value UN, few readers follow. Beside
    compressed pixels there is no other way.

    Raises
    ------
    UnreadableSeriesError
        ``unsupported_syntax``.
    """
    pixels = instance.pixels
    if pixels is not None and pixels.native is None:
        require_encapsulated(instance.transfer_syntax)
        return instance.transfer_syntax
    return IMPLICIT_LITTLE if _has_long_value(instance.data_set) else EXPLICIT_LITTLE


def _has_long_value(data_set: DataSet) -> bool:
    todo = [data_set]
    while todo:
        for element in todo.pop().elements.values():
            if element.items is not None:
                todo.extend(element.items)
            elif is_too_long(element):
                return True
    return False


@dataclass(slots=True)
class _Begin:
    """What is left to be written of an item or a sequence, once all inside it has been."""

    tag: int | None
    n_bytes_behind: int


@dataclass(slots=True)
class _Backwards:
    """Writes from the last byte to the first, so that lengths are known where they are due."""

    is_implicit: bool
    chunks: list[Buffer] = field(default_factory=list)
    n_bytes: int = 0
    todo: list[Element | DataSet | _Begin] = field(default_factory=list)

    def run(self, data_set: DataSet, pixels: PixelData | None) -> None:
        """Write a data set of the top level, and its pixels among its elements."""
        elements = _with_creators(data_set)
        if pixels is not None:
            elements = _with_sound_tables(elements, pixels)
            behind = [element for element in elements if element.tag > pixels.tag]
            self._write(behind)
            for chunk in reversed(encoded_pixels(pixels, is_implicit=self.is_implicit)):
                self._emit(chunk)
            elements = [element for element in elements if element.tag < pixels.tag]
        self._write(elements)

    def _write(self, elements: Iterable[Element]) -> None:
        todo = self.todo
        todo.extend(elements)
        while todo:
            one = todo.pop()
            if isinstance(one, Element):
                if one.items is None:
                    for chunk in reversed(encoded(one, is_implicit=self.is_implicit)):
                        self._emit(chunk)
                else:
                    todo.append(_Begin(one.tag, self.n_bytes))
                    todo.extend(one.items)
            elif isinstance(one, DataSet):
                todo.append(_Begin(None, self.n_bytes))
                todo.extend(_with_creators(one))
            else:
                self._begin(one)

    def _begin(self, begin: _Begin) -> None:
        length = self.n_bytes - begin.n_bytes_behind
        if begin.tag is None:
            self._emit(item_head(length))
        else:
            self._emit(sequence_head(begin.tag, length, is_implicit=self.is_implicit))

    def _emit(self, chunk: Buffer) -> None:
        self.chunks.append(chunk)
        self.n_bytes += len(chunk)


def _with_creators(data_set: DataSet) -> list[Element]:
    """Return the elements in order, with the creators of the private blocks that they are in."""
    elements = data_set.elements
    used = {block_of(tag) for tag in elements if is_private(tag) and not is_creator(tag)}
    creators = [
        Element(block & 0xFFFF0000 | block >> 8 & 0xFF, "LO", name.encode("latin-1", "replace"))
        for block, name in data_set.private_creators.items()
        if block in used
    ]
    taken = {creator.tag for creator in creators}
    kept = [
        element for tag, element in elements.items() if tag not in taken and not is_passed_over(tag)
    ]
    return sorted(kept + creators, key=_tag_of)


def _tag_of(element: Element) -> int:
    return element.tag


def _with_sound_tables(elements: list[Element], pixels: PixelData) -> list[Element]:
    """Leave out an extended offset table that does not fit the fragments: it may be anything."""
    values = {element.tag: element.value for element in elements}
    is_sound = pixels.native is None and has_sound_table(
        values.get(_EXTENDED_OFFSETS, b""), values.get(_EXTENDED_LENGTHS, b""), pixels.fragments
    )
    tables = set() if is_sound else {_EXTENDED_OFFSETS, _EXTENDED_LENGTHS}
    return [element for element in elements if element.tag not in tables]


def _joined(chunks: Iterable[Buffer]) -> list[Buffer]:
    """Join what is short with its neighbours; what is long stays the buffer it is."""
    joined: list[Buffer] = []
    short: list[Buffer] = []
    for chunk in chunks:
        if len(chunk) < VIEW_BYTES:
            short.append(chunk)
            continue
        joined.append(b"".join(short))
        joined.append(chunk)
        short = []
    return [*joined, b"".join(short)] if short else joined
