"""Values on their way from a file's bytes into the records: of one VR, and little-endian."""

from lesionary.ingest.deidentify.elements import Buffer, Element
from lesionary.io.dicom.byte_order import to_little_endian
from lesionary.io.dicom.tree_fragments import read_fragments
from lesionary.io.dicom.tree_heads import Head
from lesionary.io.dicom.tree_levels import Level, note_creator
from lesionary.io.dicom.tree_vrs import fits, is_ambiguous, is_creator, looked_up, resolved

VIEW_BYTES = 64 * 1024
"""Values from this length on are views of the file's bytes, not copies of them."""


class Values:
    """Puts elements into the data sets they belong to.

    Parameters
    ----------
    buffer : bytes or memoryview
        The whole data set.
    """

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._ambiguous: list[tuple[Element, Level]] = []

    def put(self, element: Element, level: Level) -> None:
        """Add an element, unless its data set has one of that tag."""
        elements = level.data_set.elements
        if element.tag in elements:
            return
        elements[element.tag] = element
        if is_ambiguous(element.vr):
            self._ambiguous.append((element, level))

    def take(self, level: Level, head: Head) -> None:
        """Add a plain element, or remember who reserves a private block.

        Numbers that are not whole, and bytes that should be a sequence and are none, are UN.
        """
        tag, vr = head.tag, head.vr
        value = self._bytes(head)
        if is_creator(tag):
            note_creator(level.data_set, tag, value)
            return
        if vr in {"", "UN"}:
            vr = looked_up(tag, level.data_set)
        if vr == "SQ" or not fits(vr, head.length):
            vr = "UN"
        elif level.is_big_endian and head.vr != "UN":
            value = to_little_endian(value, vr)
        self.put(Element(tag, vr, value), level)

    def take_raw(self, level: Level, head: Head) -> None:
        """Add an element as the bytes it has."""
        self.put(Element(head.tag, head.vr or "UN", self._bytes(head)), level)

    def take_fragments(self, level: Level, head: Head) -> int:
        """Add a compressed value that is not the instance's pixels, an icon's; return its end.

        Raises
        ------
        UnreadableSeriesError
            ``truncated`` or ``not_dicom``.
        """
        _, fragments, end = read_fragments(
            self._buffer, head.value_at, level.bound, is_big_endian=level.is_big_endian
        )
        if not is_creator(head.tag):
            self.put(Element(head.tag, "OB", b"".join(fragments)), level)
        return end

    def settle(self) -> None:
        """Give one VR to each element that has an ambiguous one, once all is read."""
        for element, level in self._ambiguous:
            element.vr = resolved(element, level.enclosing())

    def _bytes(self, head: Head) -> Buffer:
        end = head.value_at + head.length
        if head.length >= VIEW_BYTES:
            return memoryview(self._buffer)[head.value_at : end]
        return bytes(self._buffer[head.value_at : end])
