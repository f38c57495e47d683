"""Which private elements may stay: those known to hold a number or a code of the technique.

A private element means something only by the creator that reserved its block, so it is looked up by
group, creator and the low byte of its element number. What is not on the list goes. What is on it
is read as the VR of the list says, whatever the file claims, and its value is cleaned like any
other.

Sources: DICOM PS3.15 table E.3.10-1 and those that ``data/safe_private.csv`` names.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from lesionary.ingest.deidentify.table import read_data


def safe_private(creator: str, group: int, element_low_byte: int) -> str | None:
    """Return the VR of a private element that may stay, or None.

    Parameters
    ----------
    creator : str
        Private creator of the block; blanks around it do not count.
    group : int
        Odd.
    element_low_byte : int
        ``0x09`` of ``(7053,1009)``.
    """
    return safe_elements().get((group, creator.strip(" \0"), element_low_byte))


@lru_cache(maxsize=1)
def safe_elements() -> Mapping[tuple[int, str, int], str]:
    """Return VRs by group, creator and low byte; read once."""
    return MappingProxyType(
        {
            (int(row["group"], 16), row["creator"], int(row["element"], 16)): row["vr"]
            for row in read_data("safe_private.csv")
        }
    )
