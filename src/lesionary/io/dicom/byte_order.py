"""Turn big-endian values into little-endian ones.

Source: DICOM PS3.5 §7.3 (byte ordering), §6.2 (which VRs are made of words, and of what size).
"""

import array
from collections.abc import Mapping

from lesionary.ingest.deidentify.elements import Buffer

NUMBER_BYTES: Mapping[str, int] = {
    "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8, "AT": 4,
    "US or SS": 2,
}  # fmt: skip
"""Bytes of one number of the VRs whose values are numbers, each of them whole."""

_WORD_BYTES: Mapping[str, int] = {
    **NUMBER_BYTES, "AT": 2, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8,
}  # fmt: skip
_TYPE_CODES = {2: "H", 4: "I", 8: "Q"}


def swapped(value: Buffer, word_bytes: int) -> Buffer:
    r"""Turn each word around; bytes after the last whole word stay as they are.

    Parameters
    ----------
    value : bytes-like
    word_bytes : int
        2, 4 or 8; anything else gives the value back untouched.

    Examples
    --------
    >>> swapped(bytes([1, 2, 3, 4, 5]), 2)
    b'\x02\x01\x04\x03\x05'
    """
    code = _TYPE_CODES.get(word_bytes)
    if code is None or len(value) < word_bytes:
        return value
    n_whole = len(value) // word_bytes * word_bytes
    words = array.array(code)
    words.frombytes(value[:n_whole])
    words.byteswap()
    return words.tobytes() + bytes(value[n_whole:])


def to_little_endian(value: Buffer, vr: str) -> Buffer:
    """Turn a big-endian value of a VR into the little-endian one: texts and bytes are the same."""
    return swapped(value, _WORD_BYTES.get(vr, 1))


def pixel_word_bytes(vr: str, bits_allocated: int) -> int:
    """Return the size of the words in which native pixels of a big-endian file were written.

    Cells of more than 8 bits are words of their own size, whatever the VR claims; smaller ones lie
    two by two in the 16-bit words of OW, and by themselves in OB.
    """
    if vr in {"OF", "OD"}:
        return _WORD_BYTES[vr]
    if bits_allocated > 8:
        return bits_allocated // 8
    return 2 if vr == "OW" else 1
