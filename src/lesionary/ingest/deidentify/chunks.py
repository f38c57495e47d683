"""Judge one run of letters and digits by itself: word, term, letter, number, or nothing that stays.

A run such as ``LiverTumor``, ``B30f``, ``T1w`` or ``2.5x2.5x5`` stays as a whole or not at all.
"""

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from lesionary.ingest.deidentify.counted_numerals import COUNTED, is_numeral, without_numeral
from lesionary.ingest.deidentify.signs import (
    CALENDAR,
    LABELS,
    LARGE_UNITS,
    MONTHS,
    NUMERALS,
    PARAMETERS,
    UNITS,
    VOLUMES,
    YEARS,
)
from lesionary.ingest.deidentify.vocabulary import Vocabulary, folded, package_sections


class Kind(IntEnum):
    """What a run of letters and digits is."""

    DROPPED = 0
    MONTH = 1
    """Name of a month; goes, and the numbers around it go too."""
    NUMBER = 2
    LETTER = 3
    BODY = 4
    SHY = 5
    COMPANY = 6
    TERM = 7
    """Stays, and says nothing of what is beside it: a short word, a kernel, a number with unit."""
    WORD = 8
    """Stays, and no name looks like it."""


class Chunk(NamedTuple):
    """One run of letters and digits.

    ``key`` is the text in capitals without diacritics; ``n_digits`` counts decimals too.
    ``is_small`` says of a number that it may stay, if what is beside it does not speak against
    that, ``is_month`` of any word that it is a month's name too, ``is_name`` of a word that it is a
    surname too, ``is_numeral`` that it may be a Roman numeral. ``companions`` are the keys beside
    one of which a ``COMPANY`` may stay.
    """

    kind: Kind
    key: str
    n_digits: int = 0
    is_integer: bool = False
    is_small: bool = False
    is_month: bool = False
    companions: frozenset[str] = frozenset()
    is_name: bool = False
    is_numeral: bool = False


MIXED_CASE = frozenset({"Dr", "Fr", "Hr", "Mr", "Mrs", "Ms", "Sr", "Uhr"})
"""Terms in capitals, but somebody's title, or German for o'clock, like this."""

_PARTS = re.compile(r"[0-9]+(?:\.[0-9]+)*|[^\W\d_]+")
_HUMPS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_VERSION = re.compile(r"V[0-9]{1,2}(\.[0-9]{1,2}){0,3}")
_B_VALUE = re.compile(r"B(?:VAL(?:UES?)?)?([0-9]{1,4})")
_SIZES = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:X[0-9]+(?:\.[0-9]+)?){1,2}(?:[MC]M)?")
_CLOCK = re.compile(r"[0-9]{1,2}H[0-9]{2}(?:M[0-9]{2}|MIN)?")
_AGE = re.compile(rf"([0-9]{{1,3}})(?:\.[0-9]+)?(?:{'|'.join(sorted(YEARS))})")
_SEXED_AGE = re.compile(r"[FM]?([0-9]{2,3})[FM]?|([0-9]{2,3})W")
_COORDINATE = re.compile(r"[0-9]+\.[0-9]+[NEWO]|[NEWO][0-9]+\.[0-9]{2,}")
_CIPHER = re.compile(
    r"0[0-9]*[A-Z]+[0-9]+|(?![137]T)[0-9]+[ABCE-WYZ][0-9]+"
    r"|(?!(?:[BCDHLPSTV][0-9]+)+$)(?:[A-Z][0-9]+){2,}"
)
"""Single letters among digits, as in postal codes: ``0B6``, ``K1A2``; vertebrae are ``L4L5``."""

DOSES_CGY = range(2100, 8201, 10)

OLDEST_YEARS = 89
"""So few are older that the age alone may name them."""

_OLDEST = range(OLDEST_YEARS + 1, 120)

_RUN_LETTERS = 64
_DECIMALS = 4
_MATRIX_STEP = 8
_VOLUME_DIGITS = 9
_LETTERS_ALLOWED = 3
_DIGITS_AMONG_WORDS = 4
_DIGITS_AMONG_LETTERS = 3
_HUMP_LETTERS = 3
_VOUCHING_LETTERS = 4
_SEAM_LETTERS = 4


def is_b_value(digits: str) -> bool:
    """Return whether a number may be a b-value in s/mm², 0 to 5000.

    Thousands are multiples of 50; 1900 and 1950 are years.
    """
    if len(digits) > 4:
        return False
    value = int(digits)
    if len(digits) > 3:
        return value <= 5000 and value % 50 == 0 and value not in {1900, 1950}
    return value % 5 == 0


def is_dose(digits: str) -> bool:
    """Return whether a number behind a plan's volume is its dose in cGy: 2100 to 8200, in tens.

    So no year of a birth is one.
    """
    return len(digits) == 4 and digits.isdecimal() and int(digits) in DOSES_CGY


def judge(text: str, vocabulary: Vocabulary) -> Chunk:
    """Return what a run of letters and digits is by itself.

    Parameters
    ----------
    text : str
        A run as ``words.CHUNK`` finds it, in NFKC.
    vocabulary : Vocabulary

    Returns
    -------
    Chunk
        Of a number: also one that no context lets stay; the context decides.
    """
    if len(text) > _RUN_LETTERS:
        return Chunk(Kind.DROPPED, "", sum(map(str.isdigit, text)))
    key = folded(text)
    if not key.isascii() or text in MIXED_CASE:
        return Chunk(Kind.DROPPED, key)
    if key.isalpha():
        kind = _judge_letters(text, key, vocabulary)
        companions = vocabulary.company.get(key, frozenset())
        numeral = is_numeral(text)
        if numeral and kind in {Kind.DROPPED, Kind.COMPANY}:
            kind, companions = Kind.COMPANY, companions | COUNTED
        is_month, is_name = key in MONTHS, key in package_sections()["needed"]
        names = (is_month, companions, is_name, numeral)
        return Chunk(kind, key, 0, False, False, *names)
    if _NUMBER.fullmatch(key):
        n_digits = len(key.replace(".", ""))
        return Chunk(Kind.NUMBER, key, n_digits, "." not in key, _is_small(key))
    if "/" in key:  # w/ and w/o
        return Chunk(Kind.TERM, key)
    return Chunk(_judge_mixed(text, key, vocabulary), key, sum(map(str.isdigit, key)))


def _judge_letters(text: str, key: str, vocabulary: Vocabulary) -> Kind:
    if len(key) == 1:
        return Kind.LETTER
    if (kind := _listed(key, vocabulary)) is not Kind.DROPPED:
        return kind
    if key in MONTHS:
        return Kind.MONTH
    if (counted := without_numeral(text)) != text:
        return min(_listed(folded(counted), vocabulary), Kind.TERM)
    humps = [folded(one) for one in _HUMPS.findall(text)]
    if len(humps) > 1:
        return _judge_humps(humps, vocabulary)
    return Kind.WORD if _is_seamed(key, vocabulary) else Kind.DROPPED


def _listed(key: str, vocabulary: Vocabulary) -> Kind:
    if key in vocabulary.plain:
        return Kind.WORD if len(key) >= _VOUCHING_LETTERS else Kind.TERM
    if key in vocabulary.body:
        return Kind.BODY
    if key in vocabulary.shy:
        return Kind.SHY
    return Kind.COMPANY if key in vocabulary.company else Kind.DROPPED


def _judge_humps(humps: Sequence[str], vocabulary: Vocabulary) -> Kind:
    """Judge ``LiverTumor`` by its parts: one of them must be a word that no name looks like."""
    kinds = {_listed(one, vocabulary) for one in humps}
    if min(map(len, humps)) < _HUMP_LETTERS or kinds & {Kind.DROPPED, Kind.COMPANY}:
        return Kind.DROPPED
    return Kind.WORD if Kind.WORD in kinds else Kind.DROPPED


def _is_seamed(key: str, vocabulary: Vocabulary) -> bool:
    """Return whether two words were written as one: ``PELVISDELAY``."""
    places = range(_SEAM_LETTERS, len(key) - _SEAM_LETTERS + 1)
    return any(key[:at] in vocabulary.seams and key[at:] in vocabulary.seams for at in places)


def _judge_mixed(text: str, key: str, vocabulary: Vocabulary) -> Kind:
    if _CLOCK.fullmatch(key) or _COORDINATE.fullmatch(key) or is_old_age(key):
        return Kind.DROPPED
    is_named = key in vocabulary.plain or key in NUMERALS
    if is_named or any(is_fit(key) for is_fit in _TECHNICAL):
        return Kind.TERM
    if _CIPHER.fullmatch(key):
        return Kind.DROPPED
    return _judge_parts(_PARTS.findall(text), vocabulary)


def is_old_age(key: str) -> bool:
    """Return whether a run is an age of more than 89 years: ``92Y``, ``94F``."""
    if found := _AGE.fullmatch(key):
        return int(found[1]) > OLDEST_YEARS
    sexed = _SEXED_AGE.fullmatch(key)
    return sexed is not None and is_oldest(sexed[1] or sexed[2])


def is_oldest(number: str) -> bool:
    """Return whether a number may be the age of somebody older than 89."""
    return len(number) <= 3 and number.isdecimal() and int(number) in _OLDEST


def _is_version(key: str) -> bool:
    return bool(_VERSION.fullmatch(key)) and sum(map(str.isdigit, key)) <= 4


def is_b_term(key: str) -> bool:
    """Return whether a run is a b with its value: ``b1000``."""
    found = _B_VALUE.fullmatch(key)
    return found is not None and is_b_value(found[1])


def _is_measure(key: str) -> bool:
    number = _NUMBER.match(key)
    return number is not None and is_quantity(number[0], key[number.end() :])


def _is_small(key: str) -> bool:
    """Return whether a number has at most 3 digits and some decimals, and is no area code."""
    whole, _, decimals = key.partition(".")
    is_padded = len(whole) == 3 and whole[0] == "0"
    return len(whole) <= 3 and len(whole + decimals) <= 5 and not is_padded


def is_quantity(number: str, unit: str) -> bool:
    """Return whether a number and what stands behind it are a quantity: ``120KV``, ``1500ms``."""
    if unit not in UNITS:
        return False
    whole, _, decimals = number.partition(".")
    return len(whole) <= (4 if unit in LARGE_UNITS else 3) and len(decimals) <= _DECIMALS


def _is_sizes(key: str) -> bool:
    numbers = _NUMBER.findall(key) if _SIZES.fullmatch(key) else ()
    if sum(map(len, numbers)) >= _VOLUME_DIGITS and "." not in key:
        return sum(int(one) % _MATRIX_STEP == 0 for one in numbers) > 1
    return bool(numbers) and all(map(_is_size, numbers))


def _is_size(number: str) -> bool:
    """Return whether a number is a length or a matrix's side; such of four digits are even."""
    whole, _, decimals = number.partition(".")
    if len(whole) == 4:
        return not decimals and int(whole) % _MATRIX_STEP == 0
    return len(whole) < 4 and len(decimals) <= _DECIMALS


_TECHNICAL: tuple[Callable[[str], bool], ...] = (_is_version, is_b_term, _is_measure, _is_sizes)


def _judge_parts(parts: Sequence[str], vocabulary: Vocabulary) -> Kind:
    """Judge ``T13DFL`` or ``LSPR16`` part by part: any unknown part lets the whole go.

    Digits between letters more than once are letters in disguise: ``M3y3r``.
    """
    if sum(part[0].isdigit() for part in parts[1:-1]) > 1:
        return Kind.DROPPED
    n_letters = n_digits = 0
    kinds = set()
    for before, part in pairwise(["", *parts]):
        if part[0].isdigit():
            n_whole = len(part.partition(".")[0])
            is_setting = n_whole == 3 and folded(before) in PARAMETERS
            is_setting |= folded(before) in VOLUMES and is_dose(part)
            is_day = n_whole > 1 and folded(before) in CALENDAR
            if part.count(".") > 1 or is_day or (n_whole > 2 and not is_setting):
                return Kind.DROPPED
            n_digits += len(part.replace(".", ""))
            continue
        key = folded(part)
        if key in MONTHS or key in LABELS:
            return Kind.DROPPED
        n_letters += len(key) == 1
        kinds.add(Kind.TERM if key in UNITS else _judge_letters(part, key, vocabulary))
    if kinds & {Kind.DROPPED, Kind.COMPANY, Kind.MONTH} or n_letters > _LETTERS_ALLOWED:
        return Kind.DROPPED
    is_wordy = any(part.isalpha() and len(part) > 1 for part in parts)
    if n_digits > (_DIGITS_AMONG_WORDS if is_wordy else _DIGITS_AMONG_LETTERS):
        return Kind.DROPPED
    return Kind.SHY if kinds & {Kind.SHY, Kind.BODY} else Kind.TERM
