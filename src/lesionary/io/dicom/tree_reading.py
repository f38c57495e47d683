"""Read a whole DICOM file into records that rules can work on.

Every level of every sequence is read, with a stack instead of recursion, going only forward: a
hostile file costs no more than its bytes. What is there is read whatever it claims to be: a missing
preamble or meta, a transfer syntax that lies, unknown elements that hide sequences, implicit items
among explicit ones. What cannot be read is refused with a code, never made up.

Source: DICOM PS3.5 §6.2.2 (unknown VR), §7.1 (elements), §7.5 (nesting), annex A.
"""

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import Buffer, DataSet, Element, Instance, PixelData
from lesionary.io.dicom.elements import (
    ITEM,
    ITEM_END,
    ITEM_GROUP,
    PIXEL_TAGS,
    UNDEFINED,
)
from lesionary.io.dicom.tree_errors import cut, not_dicom, over_limit, too_deep, truncated
from lesionary.io.dicom.tree_heads import (
    SEQUENCE_END,
    UNPACK_TAG,
    Head,
    hides_sequence,
    is_passed_over,
    looks_explicit,
    read_head,
)
from lesionary.io.dicom.tree_levels import Level
from lesionary.io.dicom.tree_pixels import little_endian_pixels, read_pixels
from lesionary.io.dicom.tree_rest import ends_too_late, is_only_trailing, is_plausible
from lesionary.io.dicom.tree_start import Stream, open_stream
from lesionary.io.dicom.tree_values import Values
from lesionary.io.limits import MIB, Limits

INFLATED_BYTES = 256 * MIB
"""A deflated instance with a larger data set is no slice."""

MOST_STEPS = 2_000_000
"""Elements, items and their ends in one file. Each takes 25 times its bytes once it is read."""

_BYTE_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})


def read_instance(
    buffer: Buffer, *, limits: Limits | None = None, inflated_limit: int = INFLATED_BYTES
) -> Instance:
    """Read all elements of a file.

    Left out are the preamble, the file meta information (but for its transfer syntax), groups 0000
    and 0002, group lengths and padding. Creators of private blocks are in ``private_creators``
    only. Of a tag that one data set holds twice the first is kept: readers do not agree on which
    one counts, so what a rule has not seen must not be written.

    Parameters
    ----------
    buffer : bytes-like
        The whole file. Pixels and values of 64 KiB and more are views of it unless their bytes had
        to be turned around.
    limits : Limits, optional
        ``nesting`` levels of sequences are too many.
    inflated_limit : int
        Bytes that a deflated data set may have.

    Returns
    -------
    Instance
        All values little-endian. Unknown elements have the VR of the dictionary where there is
        one and the value fits it; numbers that are not whole become ``UN``. Where there are no
        pixel data, ``pixels`` is None.

    Raises
    ------
    UnreadableSeriesError
        ``not_dicom``, ``truncated``, ``too_deep``, ``archive_limit`` (a deflated data set over
        the limit), ``size_claim`` (millions of elements) or ``unsupported_syntax`` (compressed
        pixels of no syntax we know).
    """
    whole = buffer if isinstance(buffer, bytes) else memoryview(buffer).cast("B")
    reader = _Reader(open_stream(whole, inflated_limit), (limits or Limits()).nesting)
    reader.run()
    return reader.instance()


class _Reader:
    """One pass over a data set, with the open items and sequences on a stack."""

    def __init__(self, stream: Stream, nesting: int) -> None:
        self.stream = stream
        self.nesting = nesting
        self.buffer = stream.buffer
        self.at = self.root_at = stream.start
        self.root = DataSet()
        self.level = Level(
            len(stream.buffer), False, stream.is_implicit, stream.is_big_endian, self.root
        )
        self.n_open = 0
        self.n_trailing_bytes = stream.n_trailing_bytes
        self.pixels: PixelData | None = None
        self.values = Values(stream.buffer)

    def run(self) -> None:
        """Read until the end of the file, or until only trailing bytes are left."""
        steps = iter(range(MOST_STEPS))
        while True:
            try:
                for _ in steps:
                    if not self._advance():
                        return
            except UnreadableSeriesError as error:
                if error.code == "too_deep":
                    raise
                if self._take_back_guess():
                    continue
                if not self._is_rest_trailing():
                    raise
                self.n_trailing_bytes += len(self.buffer) - self.root_at
                return
            raise over_limit(f"the header has more than {MOST_STEPS} elements", "size_claim")

    def instance(self) -> Instance:
        """Return what was read, every VR resolved."""
        if not self.root.elements and self.pixels is None:
            raise not_dicom("the file holds no element")
        self.values.settle()
        return Instance(
            data_set=self.root,
            transfer_syntax=self.stream.transfer_syntax,
            pixels=little_endian_pixels(self.pixels, self.root, self.stream),
            n_trailing_bytes=self.n_trailing_bytes,
            media_storage=self.stream.media_storage,
        )

    def _advance(self) -> bool:
        """Go past one element or delimiter; return False at the end of the file."""
        level = self.level
        if self.at >= level.bound:
            if level.parent is None:
                return False
            if level.is_open_ended and level.bound == len(self.buffer):
                raise truncated("the file stops within a sequence")
            self._close()
        elif level.items is not None:
            self._item(level, level.items)
        elif level.parent is not None:
            self._element(level)
        else:
            self._root_element(level)
        return True

    def _root_element(self, level: Level) -> None:
        at = self.root_at = self.at
        head = self._head(level, at)
        if head.tag >> 16 == ITEM_GROUP or not is_plausible(
            level, head, is_behind_pixels=self.pixels is not None
        ):
            raise not_dicom("the header is broken: an element is out of place")
        if head.tag in PIXEL_TAGS:
            self.pixels, self.at = read_pixels(self.stream, head)
            level.last_tag = head.tag
        else:
            self._value_of(level, head)

    def _element(self, level: Level) -> None:
        head = self._head(level, self.at)
        if head.tag >> 16 == ITEM_GROUP:
            self._delimiter(level, head.tag & 0xFFFF)
        else:
            self._value_of(level, head)

    def _head(self, level: Level, at: int) -> Head:
        return read_head(
            self.buffer,
            at,
            level.bound,
            is_implicit=level.is_implicit,
            is_big_endian=level.is_big_endian,
        )

    def _value_of(self, level: Level, head: Head) -> None:
        """Take a value, or go into a sequence."""
        if head.length == UNDEFINED:
            if head.tag in PIXEL_TAGS or head.vr in _BYTE_VRS:
                self.at = self.values.take_fragments(level, head)
                level.last_tag = head.tag
            else:
                self._open(level, head)
            return
        end = head.value_at + head.length
        if end > level.bound:
            raise ends_too_late(self.buffer, level, head)
        if head.vr == "SQ" or hides_sequence(
            self.buffer, head, level.data_set, is_big_endian=level.is_big_endian
        ):
            self._open(level, head)
            return
        if not is_passed_over(head.tag):
            self.values.take(level, head)
        level.last_tag = head.tag
        self.at = end

    def _open(self, level: Level, head: Head) -> None:
        """Go into a sequence; an unknown one is implicit and little-endian inside (§6.2.2)."""
        self.at = head.value_at
        self.n_open += 1
        if self.n_open >= self.nesting:
            raise too_deep(self.nesting)
        is_unknown = head.vr == "UN"
        sequence = Level(
            level.bound if head.length == UNDEFINED else head.value_at + head.length,
            head.length == UNDEFINED,
            is_unknown or level.is_implicit or not head.vr,
            level.is_big_endian and not is_unknown,
            level.data_set,
            level,
            [],
            head,
        )
        if not is_passed_over(head.tag):
            self.values.put(Element(head.tag, "SQ", items=sequence.items), level)
        level.last_tag = head.tag
        self.level = sequence

    def _item(self, level: Level, items: list[DataSet]) -> None:
        """Open the next item of a sequence, or end the sequence."""
        if self.at + 8 > level.bound:
            raise cut(self.buffer, level.bound)
        is_big_endian = level.is_big_endian
        group, number, length = UNPACK_TAG[is_big_endian](self.buffer, self.at)
        if group != ITEM_GROUP or number not in {ITEM, SEQUENCE_END}:
            raise not_dicom("the header is broken: a sequence holds something else than items")
        self.at += 8
        if number == SEQUENCE_END:
            if level.is_open_ended:
                self._close()
            return
        bound = level.bound if length == UNDEFINED else self.at + length
        if bound > level.bound:
            raise cut(self.buffer, level.bound, bound)
        data_set = DataSet()
        items.append(data_set)
        is_implicit = level.is_implicit and not looks_explicit(
            self.buffer, self.at, bound, is_big_endian=is_big_endian
        )
        self.level = Level(bound, length == UNDEFINED, is_implicit, is_big_endian, data_set, level)

    def _delimiter(self, level: Level, number: int) -> None:
        """Meet a delimiter among an item's elements; one missing before it is made up for."""
        if number == ITEM_END:
            self.at += 8
        elif not level.is_open_ended:
            raise not_dicom("the header is broken: a delimiter inside an item")
        if level.is_open_ended:
            self._close()

    def _close(self) -> None:
        level = self.level
        if level.parent is not None:
            self.n_open -= level.items is not None
            self.level = level.parent

    def _take_back_guess(self) -> bool:
        """Leave the innermost sequence that was only guessed, and keep its bytes as they are."""
        while self.level.parent is not None:
            head, is_guess = self.level.head, self.level.is_guess
            is_kept = self._forget()
            if head is not None and is_guess:
                self.at = head.value_at + head.length
                if is_kept:
                    self.values.take_raw(self.level, head)
                return True
        return False

    def _forget(self) -> bool:
        """Leave a level; take a sequence out again, and tell whether it was there."""
        level = self.level
        self._close()
        if level.items is None or level.head is None:
            return False
        element = level.data_set.get(level.head.tag)
        is_there = element is not None and element.items is level.items
        if is_there:
            level.data_set.drop(level.head.tag)
        return is_there

    def _is_rest_trailing(self) -> bool:
        """Tell whether the data set was whole before the element that could not be read."""
        while self.level.parent is not None:
            self._forget()
        return self.pixels is not None or is_only_trailing(
            self.buffer[self.root_at :],
            self.root,
            last_tag=self.level.last_tag,
            is_implicit=self.level.is_implicit,
            is_big_endian=self.level.is_big_endian,
        )
