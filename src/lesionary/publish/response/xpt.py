"""SAS transport files, version 5, as authorities take them: the same rows give the same bytes.

Records of 80 bytes, big-endian, numbers in the floating point of IBM's mainframes. The dates in the
headers are SAS's day zero, for a file should tell what it holds and not when it was written.

References
----------
.. [1] SAS Institute, TS-140: Record layout of a SAS version 5 or 6 data set in transport format.
"""

import math
import struct
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.core.errors import InputError

LONGEST_TEXT = 200
"""Bytes of a text; a longer one is cut, and ends in three dots."""
LONGEST_LABEL = 40
LONGEST_NAME = 8

_RECORD = 80
_DAY_ZERO = b"01JAN60:00:00:00"
_VERSION, _SYSTEM = b"9.4     ", b"        "
_MISSING = b"." + b"\0" * 7
_NUMBER_BYTES = 8
_NAMESTR = struct.Struct(">hhhh8s40s8shhh2s8shhl52s")
_FRACTION_BITS = 56
_BIAS = 64


@dataclass(frozen=True, slots=True)
class Variable:
    """A column: its name of at most 8 characters, its label of at most 40, text or number."""

    name: str
    label: str
    is_number: bool = False

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= LONGEST_NAME and len(self.label) <= LONGEST_LABEL):
            raise InputError(
                f"variable {self.name!r} needs a name of 1 to {LONGEST_NAME} characters and a "
                f"label of at most {LONGEST_LABEL}"
            )


def xpt_bytes(
    name: str, label: str, variables: Sequence[Variable], rows: Sequence[Mapping[str, Any]]
) -> bytes:
    """Write one data set.

    Parameters
    ----------
    name : str
        Of the data set, at most 8 characters.
    label : str
        At most 40.
    variables : sequence of Variable
        In the order of the columns.
    rows : sequence of mapping
        A value that a row lacks, or None, is missing.

    Returns
    -------
    bytes
        A text column is as wide as its longest text, and one at least. Texts are ASCII: accents are
        dropped, other letters become question marks.

    Raises
    ------
    InputError
        If a name or label is too long, or a number is beyond the format.

    Examples
    --------
    >>> len(xpt_bytes("TU", "", [Variable("TUSEQ", "", is_number=True)], [{"TUSEQ": 1}])) % 80
    0
    """
    if not (0 < len(name) <= LONGEST_NAME and len(label) <= LONGEST_LABEL):
        raise InputError(f"data set {name!r} needs a shorter name or label")
    columns = [_column(variable, rows) for variable in variables]
    widths = [len(column[0]) if column else 1 for column in columns]
    widths = [
        _NUMBER_BYTES if variable.is_number else width
        for variable, width in zip(variables, widths, strict=True)
    ]
    parts = [
        _heading("LIBRARY", b"0" * 30),
        b"SAS     SAS     SASLIB  " + _VERSION + _SYSTEM + b" " * 24 + _DAY_ZERO,
        _DAY_ZERO.ljust(_RECORD),
        _heading("MEMBER", b"000000000000000001600000000140"),
        _heading("DSCRPTR", b"0" * 30),
        b"SAS     " + _text(name, 8) + b"SASDATA " + _VERSION + _SYSTEM + b" " * 24 + _DAY_ZERO,
        _DAY_ZERO + b" " * 16 + _text(label, 40) + b" " * 8,
        _heading("NAMESTR", f"000000{len(variables):04d}".encode() + b"0" * 20),
        _padded(b"".join(_namestrs(variables, widths))),
        _heading("OBS", b"0" * 30),
        _padded(b"".join(b"".join(row) for row in zip(*columns, strict=True))),
    ]
    return b"".join(parts)


def plain_text(text: str) -> str:
    """Return a text as transport files can hold it: ASCII, at most 200 characters.

    Examples
    --------
    >>> plain_text("−30 % of Röntgen’s")
    "-30 % of Rontgen's"
    """
    for letter, plain in (("−", "-"), ("–", "-"), ("’", "'"), ("µ", "u"), ("×", "x"), ("≥", ">=")):
        text = text.replace(letter, plain)
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    found = bare.encode("ascii", "replace").decode("ascii")
    return found if len(found) <= LONGEST_TEXT else found[: LONGEST_TEXT - 3] + "..."


def ibm_float(value: float) -> bytes:
    """Encode a number in IBM's floating point: base 16, excess 64, 56 bits of fraction.

    Every float64 within the range keeps its value, for the fraction has room for 53 bits.

    Raises
    ------
    InputError
        If the number is not finite, or its exponent is beyond the format's.

    Examples
    --------
    >>> ibm_float(1.0).hex()
    '4110000000000000'
    """
    if not math.isfinite(value):
        raise InputError("a transport file has no place for NaN or infinity")
    if value == 0:
        return b"\0" * _NUMBER_BYTES
    mantissa, exponent = math.frexp(abs(value))  # mantissa in [0.5, 1)
    sixteenths = -(-exponent // 4)
    if not 0 <= sixteenths + _BIAS < 2 * _BIAS:
        raise InputError(f"{value!r} is beyond the numbers of a transport file")
    fraction = int(math.ldexp(mantissa, _FRACTION_BITS + exponent - 4 * sixteenths))
    sign = 0x80 if value < 0 else 0
    return bytes([sign | (sixteenths + _BIAS)]) + fraction.to_bytes(7, "big")


def _heading(kind: str, numbers: bytes) -> bytes:
    text = f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!".encode() + numbers
    return text.ljust(_RECORD)


def _text(text: str, width: int) -> bytes:
    return plain_text(text).encode("ascii").ljust(width)


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % _RECORD)


def _column(variable: Variable, rows: Sequence[Mapping[str, Any]]) -> list[bytes]:
    values = [row.get(variable.name) for row in rows]
    if variable.is_number:
        return [_MISSING if value is None else ibm_float(float(value)) for value in values]
    texts = ["" if value is None else plain_text(str(value)) for value in values]
    width = max([1, *map(len, texts)])
    return [_text(text, width) for text in texts]


def _namestrs(variables: Sequence[Variable], widths: Sequence[int]) -> list[bytes]:
    found = []
    start = 0
    for number, (variable, width) in enumerate(zip(variables, widths, strict=True), 1):
        found.append(
            _NAMESTR.pack(
                1 if variable.is_number else 2,
                0,
                width,
                number,
                _text(variable.name, 8),
                _text(variable.label, 40),
                b" " * 8,
                0,
                0,
                0,
                b"\0\0",
                b" " * 8,
                0,
                0,
                start,
                b"\0" * 52,
            )
        )
        start += width
    return found
