"""Look-up tables: kept if they are as long as their descriptors say, and hold such numbers.

A table of any other length is none, and may be a text.

Sources: DICOM PS3.3 C.11.1.1.1 (modality LUT), C.11.2.1.1 (VOI LUT), C.7.6.3.1.5 (palettes).
"""

from collections.abc import Mapping

from lesionary.ingest.deidentify.elements import Buffer, DataSet

_LUT_DESCRIPTOR = 0x00283002
_DESCRIPTOR_OF: Mapping[int, int] = {
    0x00283006: _LUT_DESCRIPTOR,
    0x00281201: 0x00281101,
    0x00281202: 0x00281102,
    0x00281203: 0x00281103,
    0x00281204: 0x00281104,
}
"""Descriptor of each kind of table."""

_ALL_NUMBERS = 65536
_BITS = range(8, 17)


def unsound_luts(data_set: DataSet) -> frozenset[int]:
    """Return the tags of those tables in a data set, items apart, that are not what they say.

    Parameters
    ----------
    data_set : DataSet
        At any level of nesting.
    """
    return frozenset(
        tag
        for tag, descriptor in _DESCRIPTOR_OF.items()
        if tag in data_set.elements and not _is_sound(data_set, tag, descriptor)
    )


def is_sound_lut(descriptor: Buffer, data: Buffer) -> bool:
    """Tell whether a table is as long as its descriptor says and no number in it is too large.

    Parameters
    ----------
    descriptor : bytes-like
        Three little-endian words: how many numbers (0 for 65536), the first one mapped, and how
        many bits each takes.
    data : bytes-like
        Little-endian words; of eight bits also bytes, padded with 0 to an even length. An empty
        table is sound.
    """
    if len(data) == 0:
        return True
    if len(descriptor) != 6:
        return False
    n_numbers = int.from_bytes(descriptor[:2], "little") or _ALL_NUMBERS
    n_bits = int.from_bytes(descriptor[4:6], "little")
    if n_bits not in _BITS:
        return False
    if len(data) == 2 * n_numbers:
        # Palettes of eight bits are also found as words that hold them in the upper half.
        return n_bits in {8, 16} or max(memoryview(bytes(data)).cast("H")) >> n_bits == 0
    if n_bits != 8 or len(data) != n_numbers + n_numbers % 2:
        return False
    return n_numbers % 2 == 0 or data[-1] == 0


def _is_sound(data_set: DataSet, tag: int, descriptor_tag: int) -> bool:
    table, descriptor = data_set.elements[tag], data_set.get(descriptor_tag)
    if table.items is not None or descriptor is None or descriptor.items is not None:
        return False
    return is_sound_lut(descriptor.value, table.value)
