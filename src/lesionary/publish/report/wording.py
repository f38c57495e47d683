"""Numbers as a reader of a report wants them: rounded, with a real minus, never NaN."""

import math
from decimal import ROUND_HALF_UP, Decimal

from lesionary.core.volume import Quantity

DASH = "–"
"""Stands for a value that is not defined."""

_THIN = "\u202f"
_UNITS = {
    Quantity.HU: "HU",
    Quantity.BQML: "Bq/ml",
    Quantity.SUVBW: "SUVbw",
    Quantity.COUNTS: "counts",
    Quantity.ARBITRARY: "a.u.",
}


def unit_of(quantity: Quantity) -> str:
    """Name the unit of an intensity."""
    return _UNITS[quantity]


def rounded(value: float | None, decimals: int) -> str:
    """Write ``value`` with so many decimals, half up as diameters are recorded; None is a dash."""
    if value is None or not math.isfinite(value):
        return DASH
    step = Decimal(1).scaleb(-decimals)
    exact = Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP)
    text = f"{abs(exact):,.{decimals}f}".replace(",", _THIN)
    return f"−{text}" if exact < 0 else text


def millimetres(value: float | None) -> str:
    """Write a diameter: one decimal."""
    return rounded(value, 1)


def millilitres(value: float | None) -> str:
    """Write a volume: two significant digits below 1 ml, one decimal below 100 ml, else none."""
    if value is None or not math.isfinite(value):
        return DASH
    size = abs(value)
    if size >= 100 or size == 0:
        return rounded(value, 0)
    if size >= 1:
        return rounded(value, 1)
    return rounded(value, 1 - math.floor(math.log10(size)))


def intensity(value: float | None, quantity: Quantity) -> str:
    """Write a mean intensity without its unit: SUV with two decimals, Bq/ml with none."""
    return rounded(value, {Quantity.SUVBW: 2, Quantity.BQML: 0}.get(quantity, 1))


def window_text(level: float, width: float) -> str:
    """Write a window; a narrow one, as of SUV, with decimals."""
    decimals = 0 if width >= 20 else 1
    return f"level {rounded(level, decimals)}, width {rounded(width, decimals)}"


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """Write ``1 lesion``, ``2 lesions``, ``12 345 lesions``."""
    many = plural or f"{singular}s"
    if singular == "series":
        many = "series"
    return f"{grouped(n)} {singular if n == 1 else many}"


def grouped(n: int) -> str:
    """Write an integer with thin spaces between thousands."""
    return f"{n:,}".replace(",", _THIN)


def listed(parts: list[str]) -> str:
    """Join with commas and a final ``and``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def shortened(text: str, length: int = 24) -> str:
    """Keep both ends of a text that is longer than ``length`` characters."""
    if len(text) <= length:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[-(length - 1 - head) :]}"


def probability(p: float | None) -> str:
    """Write a p value with two significant digits; what underflows is ``< 1e-300``."""
    if p is None:
        return DASH
    if p < 1e-300:
        return "< 1e−300"
    if p < 0.001:
        mantissa, exponent = f"{p:.1e}".split("e")
        return f"{mantissa}e−{abs(int(exponent))}"
    return rounded(p, 3 if p < 0.1 else 2)
