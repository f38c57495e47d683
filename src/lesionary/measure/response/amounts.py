"""Millimetres as decimals: read from text, added and compared without any rounding."""

import re
from decimal import Context, Decimal
from fractions import Fraction

EXACT = Context(prec=100)
"""Holds every sum of amounts as they are accepted here, and a fifth more, without rounding."""

LARGEST_MM = Decimal(10_000)
"""No body holds a longer lesion: more is a wrong unit or a code for missing."""

MOST_DECIMALS = 20
"""More than the shortest text of any float64 from a caliper needs."""

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST = 60


def parse_mm(text: str) -> Decimal:
    """Read a length.

    Digits with a decimal point, with an exponent as floats are written; spaces around it do not
    matter. No sign, no comma, no digit groups, neither NaN nor infinity.

    Raises
    ------
    ValueError
        With what is wrong, as a clause.

    Examples
    --------
    >>> parse_mm(" 12.50 ")
    Decimal('12.50')
    >>> parse_mm("1e1") == 10
    True
    """
    text = text.strip()
    if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
        raise ValueError("a length below 0")
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise ValueError("no number with a decimal point, such as 12.5")
    value = Decimal(text)
    if why := fault_of_mm(value):
        raise ValueError(why)
    return value


def fault_of_mm(value: Decimal) -> str:
    """Return what makes a decimal no length in a body; an empty text where nothing does."""
    if not value.is_finite():
        return "no finite number"
    if value < 0:
        return "a length below 0"
    if value > LARGEST_MM:
        return f"a length above {LARGEST_MM} mm"
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        return f"more than {MOST_DECIMALS} decimals"
    return ""


def total(amounts: list[Decimal]) -> Decimal:
    """Add exactly; nothing adds up to 0."""
    whole = Decimal(0)
    for amount in amounts:
        whole = EXACT.add(whole, amount)
    return whole


def difference(first: Decimal, second: Decimal) -> Decimal:
    """Return first minus second, exactly."""
    return EXACT.subtract(first, second)


def percent_of(change: Decimal, whole: Decimal) -> float | None:
    """Return a change in percent of the whole, rounded once at the end; None of a whole of 0."""
    return float(100 * Fraction(change) / Fraction(whole)) if whole else None
