"""Which VR an element has where the file does not say, or says only that it does not know.

Source: DICOM PS3.5 §6.2.2 (unknown VR), annex A.1 (implicit VR); PS3.6 (the dictionary).
"""

import functools

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.io.dicom.byte_order import NUMBER_BYTES
from lesionary.io.dicom.elements import VRS, dictionary_vr

BITS_ALLOCATED, PIXEL_REPRESENTATION = 0x00280100, 0x00280103
_WAVEFORM_BITS_ALLOCATED = 0x54001004
_LUT_DESCRIPTOR = 0x00283002
_WAVEFORM_GROUP = 0x5400
_INTEGERS = frozenset({"US", "SS", "UL", "SL"})


def is_private(tag: int) -> bool:
    """Tell elements of odd groups."""
    return bool(tag & 0x10000)


def is_creator(tag: int) -> bool:
    """Tell an element that reserves a block of its private group."""
    return is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF


def block_of(tag: int) -> int:
    """Return the block ``0xGGGGBB00`` that a creator reserves, or that a private element is in.

    Examples
    --------
    >>> hex(block_of(0x00090010)), hex(block_of(0x00091027))
    ('0x91000', '0x91000')
    """
    if is_creator(tag):
        return tag & 0xFFFF0000 | (tag & 0xFF) << 8
    return tag & 0xFFFFFF00


def looked_up(tag: int, data_set: DataSet) -> str:
    """Return the VR that the dictionaries give, maybe an ambiguous one; ``UN`` where none does.

    Private elements are looked up by the creator that the same data set names before them.
    """
    if not is_private(tag):
        return dictionary_vr(tag) or "UN"
    if is_creator(tag):
        return "LO"
    creator = data_set.private_creators.get(block_of(tag))
    return "UN" if creator is None else _private_vr(tag, creator)


@functools.lru_cache(maxsize=16_384)
def _private_vr(tag: int, creator: str) -> str:
    from pydicom.datadict import private_dictionary_VR

    try:
        vr = private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"
    return vr if vr in VRS or is_ambiguous(vr) else "UN"


def fits(vr: str, n_bytes: int) -> bool:
    """Tell whether a value may have so many bytes: numbers come whole."""
    return n_bytes % NUMBER_BYTES.get(vr, 1) == 0


def is_ambiguous(vr: str) -> bool:
    """Tell a VR of the dictionary that depends on other elements: ``US or SS`` and the like."""
    return " or " in vr


def resolved(element: Element, enclosing: tuple[DataSet, ...]) -> str:
    """Return the one VR of an element whose VR the dictionary leaves open.

    Parameters
    ----------
    element : Element
        Of an ambiguous VR.
    enclosing : tuple of DataSet
        The data set it lies in, then those around that: the nearest that has the deciding element
        decides. Where none has it, the values are unsigned, and bytes are 16-bit words. A table is
        one of words, unless its own descriptor says that it has one entry.
    """
    if element.vr == "OB or OW":
        return _bytes_or_words(element.tag, enclosing)
    if element.vr == "US or OW":
        return "US" if nearest_integer(enclosing[:1], _LUT_DESCRIPTOR) == 1 else "OW"
    if element.vr == "US or SS or OW" and len(element.value) > 2:
        return "OW"
    return "SS" if nearest_integer(enclosing, PIXEL_REPRESENTATION) == 1 else "US"


def _bytes_or_words(tag: int, enclosing: tuple[DataSet, ...]) -> str:
    group = tag >> 16
    if group == _WAVEFORM_GROUP:
        return "OB" if nearest_integer(enclosing, _WAVEFORM_BITS_ALLOCATED) == 8 else "OW"
    if group & 0xFF00 in {0x5000, 0x6000}:
        return "OW"
    bits = nearest_integer(enclosing, BITS_ALLOCATED)
    return "OB" if bits is not None and bits <= 8 else "OW"


def nearest_integer(enclosing: tuple[DataSet, ...], tag: int) -> int | None:
    """Return the first binary integer of the nearest data set that has the element, or None."""
    for data_set in enclosing:
        element = data_set.get(tag)
        if element is not None and element.vr in _INTEGERS and element.value:
            return int.from_bytes(element.value[: NUMBER_BYTES[element.vr]], "little")
    return None
