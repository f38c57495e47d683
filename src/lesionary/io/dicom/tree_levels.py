"""The open items and sequences of a data set that is being read."""

from dataclasses import dataclass

from lesionary.ingest.deidentify.elements import Buffer, DataSet
from lesionary.io.dicom.tree_heads import Head
from lesionary.io.dicom.tree_vrs import block_of

_CREATOR_CHARACTERS = 64


@dataclass(slots=True)
class Level:
    """An open item or sequence.

    Parameters
    ----------
    bound : int
        Where it ends at the latest: never beyond its parent.
    is_open_ended : bool
        Whether a delimiter ends it.
    is_implicit, is_big_endian : bool
        How its elements are written.
    data_set : DataSet
        The item's, or the one that a sequence lies in.
    parent : Level, optional
        None for the data set of the top level.
    items : list of DataSet, optional
        Those of a sequence; None for an item.
    head : Head, optional
        Of a sequence.
    last_tag : int
        The last element's.
    """

    bound: int
    is_open_ended: bool
    is_implicit: bool
    is_big_endian: bool
    data_set: DataSet
    parent: "Level | None" = None
    items: list[DataSet] | None = None
    head: Head | None = None
    last_tag: int = 0

    @property
    def is_guess(self) -> bool:
        """Whether its bytes only look like a sequence, which they may not be."""
        head = self.head
        return head is not None and head.vr != "SQ" and not self.is_open_ended

    def enclosing(self) -> tuple[DataSet, ...]:
        """Return the data set of an item and those around it, innermost first."""
        found: list[DataSet] = []
        level: Level | None = self
        while level is not None:
            if level.items is None:
                found.append(level.data_set)
            level = level.parent
        return tuple(found)


def note_creator(data_set: DataSet, tag: int, value: Buffer) -> None:
    """Remember who reserved a private block: the first one to do so, if it is a name at all.

    Nothing longer than an LO is one, nor what is empty: its block then belongs to nobody.
    """
    name = bytes(value[: 2 * _CREATOR_CHARACTERS]).decode("latin-1").strip(" \0")
    if 0 < len(name) <= _CREATOR_CHARACTERS:
        data_set.private_creators.setdefault(block_of(tag), name)
