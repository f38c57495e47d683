"""Binary numbers whose bytes are letters: what somebody wrote where a number belongs.

A number of 32 or 64 bits that happens to look so is one in a million; a name never looks otherwise.
"""

import re

_WORD = rb"(?:[A-Z]?[a-z]+|[A-Z]+)"
_BETWEEN = rb"[\t\r\n -/:-@\[-`{-~]"
_WORDS = re.compile(
    rb"(?=.*[A-Za-z]{4})" + _BETWEEN + rb"*" + _WORD + rb"(?:" + _BETWEEN + rb"+" + _WORD + rb")*",
    re.DOTALL,
)
_NUMBER = re.compile(rb"[A-Z]{0,4}[0-9]{5,}")
_LETTERS_AT_LEAST = 5

_ITEM = b"\xfe\xff\x00\xe0"
_RUN, _RUN_BYTES = re.compile(rb"[A-Z]?[a-z]{7}|[A-Z]{7}|[A-Z][a-z]{6}"), 1024
_TEXT, _TEXT_BYTES = re.compile(rb"[\t\r\n\f -~]+"), 16


def is_spelled(value: bytes) -> bool:
    r"""Return whether the bytes of binary numbers are words, or a record's number.

    All of them are, in UTF-16 too, or seven letters in a row within a short value, or all of a
    longer one can be typed and is no constant. Items of a sequence that lost its VR are words too.

    Examples
    --------
    >>> is_spelled(b"Smithson"), is_spelled(bytes(8)), is_spelled(b"AB1234567\0")
    (True, False, True)
    """
    if value.startswith(_ITEM):
        return True
    is_wide = len(value) >= 2 * _LETTERS_AT_LEAST and not any(value[1:1024:2])
    text = (value[:1024:2] if is_wide else value).rstrip(b" \0")
    if len(text) < _LETTERS_AT_LEAST:
        return False
    if _NUMBER.fullmatch(text) or _WORDS.fullmatch(text):
        return True
    if len(text) <= _RUN_BYTES and any(not _is_ramp(run[0]) for run in _RUN.finditer(text)):
        return True
    is_text = len(text) >= _TEXT_BYTES and _TEXT.fullmatch(text) is not None
    return is_text and not _is_ramp(text)


def _is_ramp(text: bytes) -> bool:
    """Return whether bytes only rise, only fall or stay the same, as in tables of grey values."""
    return bytes(sorted(text)) in {text, text[::-1]}
