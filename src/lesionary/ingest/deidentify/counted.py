"""Judge numbers by what their element counts: too many of them, or too long, are something else."""

import math
from functools import lru_cache
from itertools import repeat

from lesionary.ingest.deidentify import values
from lesionary.ingest.deidentify.dictionary import standard_vr
from lesionary.ingest.deidentify.particulars import COUNTS, RECORD_DIGITS
from lesionary.ingest.deidentify.spelled import is_spelled

_CACHED = 65_536


def kept_binary(tag: int, value: bytes, vr: str) -> bytes:
    """Return binary numbers; none where they spell a word, are tags that nobody knows, or too many.

    What has more values than its element may have holds something else.
    """
    n_values = len(value) // values.WORD_BYTES[vr]
    if n_values > most_values(tag) or is_spelled(value):
        return b""
    if vr == "AT" and not all(map(_is_known_tag, range(0, len(value), 4), repeat(value))):
        return b""
    return values.clean_binary(value, vr)


@lru_cache(maxsize=_CACHED)
def most_values(tag: int) -> float:
    """Return how many values an element may have at most, by the dictionary; bytes have no number.

    Examples
    --------
    >>> most_values(0x00280010), most_values(0x00281201)
    (1, inf)
    """
    from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR

    if not dictionary_has_tag(tag) or dictionary_VR(tag)[0] == "O":
        return math.inf
    most = dictionary_VM(tag).split("-")[-1]
    return int(most) if most.isdigit() else math.inf


def _is_known_tag(at: int, value: bytes) -> bool:
    group, number = (int.from_bytes(value[at + k : at + k + 2], "little") for k in (0, 2))
    return bool(standard_vr(group << 16 | number))


def is_record_number(tag: int, value: bytes, vr: str) -> bool:
    """Tell whether one of several numbers is too long for what its element counts."""
    n_digits = RECORD_DIGITS.get(vr)
    if n_digits is None or len(value) < n_digits or tag in COUNTS:
        return False
    return any(
        one.isdigit() and len(one.lstrip(b"0")) >= n_digits
        for one in value.replace(b"-", b"").split(b"\\")
    )
