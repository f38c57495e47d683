"""A header's own identifiers as whole texts: however they are separated, whatever touches them.

``48-213`` is in ``CT48-213``, in ``48_213mm`` and in ``x48 213y``. Words and numbers that stand
alone are the business of ``own_tokens``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from lesionary.ingest.deidentify.chunks import is_b_term, is_quantity
from lesionary.ingest.deidentify.nobodys import listed_words
from lesionary.ingest.deidentify.vocabulary import folded, package_vocabulary

GONE = "\u3042"
"""A letter of no word: marks in a text where an own word stood."""

NUMBER_DIGITS = 4
"""Shorter numbers are everybody's."""

_MIXED = 3
_LONG = 5
_DEVICE = 5
_ORDER_DIGITS = 3
_REMEMBERED = 1024

_GAPS = re.compile(r"[\W_]+")
_PARTS = re.compile(r"([^\W_])([\W_]*)")
_LETTERS = re.compile(r"[^\W\d_]+")
_EVERYBODYS = re.compile(r"T[12]W|T1[0-2]|[CTLS][1-9][-/][CTLS]?[1-9]")
"""Weightings, vertebrae and what is between two of them."""

_STARTS_SHORT = re.compile(r"[0-9]{1,3}(?![0-9])")
_ENDS_SHORT = re.compile(r"(?<![0-9])[0-9]{1,3}$")
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)[\W_]?([A-Z]+)")


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """Letters with digits, or digits, that number one patient, study, order or device.

    Parameters
    ----------
    spelled : str
        As the header writes it, folded.
    is_loose : bool
        Whether it is the same with separators where the header has none: ``AB12`` is ``AB 12``,
        but ``CT1`` is not what begins ``CT 1 mm``.
    """

    spelled: str
    is_loose: bool = True

    @property
    def key(self) -> str:
        """Its letters and digits; of a number, without leading zeros."""
        bare = _GAPS.sub("", self.spelled)
        return bare.lstrip("0") if bare.isdigit() else bare


@lru_cache(_REMEMBERED)
def identifier_of(
    text: str, *, is_device: bool = False, is_order: bool = False
) -> Identifier | None:
    """Return the identifier that a whole text is; None where it is everybody's.

    Parameters
    ----------
    text : str
    is_device : bool
        Stations are often called after what they are, so only a long one counts that has a word
        of its own.
    is_order : bool
        Steps of a procedure are often called what they are, so words of the list need a number.

    Returns
    -------
    Identifier or None
        Needs four digits where it is only digits, else a digit, a letter and three of both.

    Examples
    --------
    >>> identifier_of("Case 5").key, identifier_of("T2"), identifier_of("123")
    ('CASE5', None, None)
    """
    found = Identifier(folded(text).strip())
    key = found.key
    if key.isdigit():
        return found if len(key) >= (_DEVICE if is_device else NUMBER_DIGITS) else None
    if key.isalpha() or len(key) < _MIXED or not any(map(str.isdigit, key)):
        return None
    words = [one for one in _LETTERS.findall(found.spelled) if len(one) > 1]
    is_public = all(one in listed_words() for one in words)
    if is_device:
        return None if is_public or len(key) < _DEVICE else found
    if is_order and is_public and sum(map(str.isdigit, key)) < _ORDER_DIGITS:
        return None
    if len(key) < _LONG:
        is_chance = bool(words) and is_public
        return None if _is_everybodys(found) else Identifier(found.spelled, not is_chance)
    return found


def _is_everybodys(identifier: Identifier) -> bool:
    """Tell whether a short identifier is everybody's term: ``T2W``, ``L4-5``, ``1.5T``."""
    quantity = _QUANTITY.fullmatch(identifier.spelled)
    return (
        identifier.key in package_vocabulary().plain
        or _EVERYBODYS.fullmatch(identifier.spelled) is not None
        or is_b_term(identifier.key)
        or (quantity is not None and is_quantity(quantity[1], quantity[2]))
    )


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, folded.

    Examples
    --------
    >>> squeezed("ct48-213 Schädel")
    'CT48213SCHADEL'
    """
    return _GAPS.sub("", folded(text))


def without(text: str, identifiers: Iterable[Identifier]) -> str:
    """Return a text with ``GONE`` where identifiers stood; folded, if it is not in ASCII.

    Examples
    --------
    >>> without("CT48-213 5 mm", [identifier_of("48213")])
    'CT あ 5 mm'
    """
    bare = squeezed(text)
    for one in identifiers:
        if one.key in bare:
            pattern = pattern_of(one)
            plain = text if text.isascii() else folded(text)
            text = pattern.sub(_gone, plain) if pattern.search(plain) else text
    return text


def _gone(found: re.Match[str]) -> str:
    """Return the mark, with blanks towards the letters and digits that were glued to it."""
    text, start, end = found.string, found.start(), found.end()
    before = " " if text[start - 1 : start].isalnum() else ""
    return f"{before}{GONE}{' ' if text[end : end + 1].isalnum() else ''}"


@lru_cache(_REMEMBERED)
def pattern_of(identifier: Identifier) -> re.Pattern[str]:
    """Return the regular expression of an identifier: its characters, and what may be between.

    A short run of digits at an end is another number where more digits touch it: ``CASE 5`` is not
    in ``CASE 50``. An identifier of three or four characters is found glued to others, or written
    apart, but not both at once: ``S07`` is not in ``SERIES 07``.
    """
    parts = _PARTS.findall(identifier.spelled)
    if identifier.key.isdigit():
        parts = parts[len(parts) - len(identifier.key) :]
    written = _joined(parts, r"[\W_]*", "")
    if len(identifier.key) >= _LONG or identifier.key.isdigit():
        body = _joined(parts, r"[\W_]*", r"[\W_]*") if identifier.is_loose else written
    elif identifier.is_loose:
        apart = _joined(parts, r"[\W_]{0,2}", r"[\W_]{0,2}")
        body = rf"(?:{written}|(?<![^\W_]){apart}(?![^\W_]))"
    else:
        body = written
    before = r"(?<![0-9])(?<![0-9]\.)" if _STARTS_SHORT.match(identifier.key) else ""
    behind = r"(?!\.?[0-9])" if _ENDS_SHORT.search(identifier.key) else ""
    return re.compile(f"{before}{body}{behind}", re.IGNORECASE)


def _joined(parts: list[tuple[str, str]], at_gaps: str, elsewhere: str) -> str:
    last = len(parts) - 1
    return "".join(
        re.escape(one) + ("" if at == last else at_gaps if gap else elsewhere)
        for at, (one, gap) in enumerate(parts)
    )
