"""A DICOM instance as plain records: what a codec reads, what the rules change, what it writes.

Values are little-endian bytes as they stand in an Explicit VR Little Endian data set, whatever the
file's own syntax was, so that no byte reaches an output which a rule has not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Buffer: TypeAlias = bytes | memoryview


@dataclass(slots=True, repr=False)
class Element:
    """One element: bytes, or the items of a sequence.

    Parameters
    ----------
    tag : int
        ``0xGGGGEEEE``.
    vr : str
        Two letters; never empty. ``UN`` where neither the file nor the dictionary knows.
    value : bytes-like, optional
        Little-endian; of even length once written. Empty for a sequence.
    items : list of DataSet, optional
        The items of a sequence; None for anything else.
    """

    tag: int
    vr: str
    value: Buffer = b""
    items: "list[DataSet] | None" = None


@dataclass(slots=True, repr=False)
class DataSet:
    """Elements by tag; written in ascending order of tags, whatever the order here.

    ``private_creators`` holds, for each block ``0xGGGGBB00`` (group and reserved block), the
    creator's name as it stood in this very data set.
    """

    elements: dict[int, Element] = field(default_factory=dict)
    private_creators: dict[int, str] = field(default_factory=dict)

    def get(self, tag: int) -> Element | None:
        """Return an element, or None."""
        return self.elements.get(tag)

    def put(self, element: Element) -> None:
        """Add or replace an element."""
        self.elements[element.tag] = element

    def drop(self, tag: int) -> None:
        """Take an element out, if it is there."""
        self.elements.pop(tag, None)

    def __iter__(self) -> Iterator[Element]:
        return iter(sorted(self.elements.values(), key=lambda element: element.tag))


@dataclass(frozen=True, slots=True, repr=False)
class PixelData:
    """The pixel data, untouched.

    Parameters
    ----------
    tag : int
        ``7FE00008``, ``7FE00009`` or ``7FE00010``.
    vr : str
    native : bytes-like, optional
        All of the value, little-endian; None where it is encapsulated.
    fragments : sequence of bytes-like
        The fragments after the basic offset table, where it is encapsulated.
    offsets : bytes-like
        The basic offset table, maybe empty.
    """

    tag: int
    vr: str
    native: Buffer | None = None
    fragments: Sequence[Buffer] = ()
    offsets: Buffer = b""


@dataclass(slots=True, repr=False)
class Instance:
    """A whole instance.

    Parameters
    ----------
    data_set : DataSet
        All but the file meta information and the pixel data of the top level.
    transfer_syntax : str
        UID as the file named it; the empty text where it named none.
    pixels : PixelData, optional
    n_trailing_bytes : int
        What lay behind the last element; it is read by nobody and never written.
    media_storage : mapping of int to bytes
        UIDs of class and instance as the file meta information gave them, by their tags in the
        data set. Never written from here.
    """

    data_set: DataSet
    transfer_syntax: str
    pixels: PixelData | None = None
    n_trailing_bytes: int = 0
    media_storage: Mapping[int, bytes] = field(default_factory=dict)

    def completed(self) -> "Instance":
        """Return the instance with those of its two UIDs that only the file's head has."""
        missing = {
            tag: value
            for tag, value in self.media_storage.items()
            if not bytes(self.data_set.elements.get(tag, Element(tag, "UI")).value).strip(b" \0")
        }
        if not missing:
            return self
        filled = DataSet(dict(self.data_set.elements), self.data_set.private_creators)
        for tag, value in missing.items():
            filled.put(Element(tag, "UI", value))
        return replace(self, data_set=filled)
