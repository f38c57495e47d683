"""Decode texts of every Specific Character Set, without ever failing.

What cannot be decoded comes out as U+FFFD, which the allow-list of words lets go with its word.

Source: DICOM PS3.3 §C.12.1.1.2, PS3.5 §6.1; the codecs are those of ``pydicom.charset``.
"""

import codecs
import re
from collections.abc import Mapping, Sequence
from functools import cache

_ESCAPE = b"\x1b"
_ESCAPED = re.compile(rb"\x1b(\$?[()*+\-./]?[@-~])")
_DELIMITER = re.compile(rb"[\\^=\r\n\f\t]")
_LINE_END = re.compile(rb"[\r\n\f\t]")
_PAIRED = frozenset({b"$@", b"$B", b"$(D"})
"""Escapes into sets of two bytes below 128 a character: there a backslash is half a character."""

_SELF_ESCAPING = frozenset({"iso2022_jp", "iso2022_jp_2"})
"""Codecs that want to see the escape sequence."""

_STANDALONE = frozenset({"ISO_IR 192", "GB18030", "GBK"})


def decode(value: bytes, charsets: Sequence[str]) -> str:
    """Decode the bytes of a text.

    Parameters
    ----------
    value : bytes
    charsets : sequence of str
        Values of Specific Character Set, none for the default. Unknown ones count as the default.

    Returns
    -------
    str
        In the default repertoire, bytes beyond ASCII are read as UTF-8 where they are, else as
        Latin-1: many writers forget to say which they use. NUL and blanks at the end are gone.

    Examples
    --------
    >>> decode("Schädel".encode("latin-1"), ["ISO_IR 100"])
    'Schädel'
    """
    value = bytes(value).rstrip(b" \0")
    if value.isascii() and _ESCAPE not in value:
        return value.decode("ascii")
    terms = [term.strip().replace("ISO IR", "ISO_IR") for term in charsets]
    first = terms[0] if terms else ""
    if first in _STANDALONE or _ESCAPE not in value:
        return _plain(value, first)
    return _with_escapes(value, first)


def _plain(value: bytes, term: str) -> str:
    codec = _codecs().get(term)
    if codec is not None and term not in {"", "ISO_IR 6", "ISO 2022 IR 6"}:
        return value.decode(codec, "replace")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _with_escapes(value: bytes, first: str) -> str:
    """Decode piece by piece; a delimiter takes every piece back to the first character set."""
    pieces = _ESCAPED.split(value)
    text = _plain(pieces[0], first) if pieces[0] else ""
    for sequence, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        end = (_LINE_END if sequence in _PAIRED else _DELIMITER).search(piece)
        cut = end.start() if end else len(piece)
        text += _escaped(sequence, piece[:cut]) + (_plain(piece[cut:], first) if end else "")
    return text


def _escaped(sequence: bytes, piece: bytes) -> str:
    codec = _escapes().get(sequence)
    if codec is None:
        return "\ufffd" if piece else ""
    if codec in _SELF_ESCAPING:
        return (_ESCAPE + sequence + piece).decode(codec, "replace")
    return piece.decode(codec, "replace")


@cache
def _codecs() -> Mapping[str, str]:
    from pydicom.charset import python_encoding

    named = {**python_encoding, "ISO_IR 203": "iso8859_15", "ISO 2022 IR 203": "iso8859_15"}
    return {term: codecs.lookup(name).name for term, name in named.items()}


@cache
def _escapes() -> Mapping[bytes, str]:
    from pydicom.charset import CODES_TO_ENCODINGS

    return {code[1:]: codecs.lookup(name).name for code, name in CODES_TO_ENCODINGS.items()}
