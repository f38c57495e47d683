"""Judge numbers by what is beside them: units, ages, dates, places, identifiers in pieces."""

from collections.abc import Sequence
from itertools import pairwise

from lesionary.ingest.deidentify.chunks import (
    Chunk,
    Kind,
    is_b_term,
    is_b_value,
    is_dose,
    is_old_age,
    is_oldest,
    is_quantity,
)
from lesionary.ingest.deidentify.signs import COUNTERS, LABELS, SEXES, UNITS, VOLUMES, YEARS

LINKS = frozenset({"DE", "OF", "TH", "ST", "ND", "RD"})
"""What may stand between a month and its day."""

B_WORDS = frozenset({"B", "BVAL", "BVALS", "BVALUE", "BVALUES"})
UNIT_GAPS = frozenset({" ", "-", "_"})
B_GAPS = " =-_,;/+"
B_VALUES_AT_MOST = 12

LABEL_REACH = 3
"""So many runs further on a number still belongs to its label: ``MRN is no 4711``."""

DATE_GAPS = frozenset({"/", "-", ".", "–", "—", "|", "\\"})
"""What stands between the parts of a date."""

POLES = frozenset({"N", "S", "E", "W", "O"})
"""Where a degree of latitude or longitude counts to."""

RUN_DIGITS = 6
"""Digits that numbers in a row may have together, where one of them has decimals."""

RUN_INTEGERS = {1: 3, 2: 4}
"""The same for whole numbers, by how many there are; of three and more: 3."""

_CALENDAR = range(1, 32)
_MONTHS = range(1, 13)
_MILLENNIUM = range(1000, 3000)


def settle_numbers(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Make of every number what stays or goes.

    Parameters
    ----------
    chunks : sequence of Chunk
        As judged by themselves.
    gaps : sequence of str
        What stands before the first, between any two, and behind the last.
    kinds : list of Kind
        What each is by now; changed in place.
    """
    _drop_labelled(chunks, gaps, kinds)
    if not any(chunk.kind is Kind.NUMBER for chunk in chunks):
        return
    _drop_ages(chunks, gaps, kinds)
    _settle_quantities(chunks, gaps, kinds)
    if any(chunk.is_month for chunk in chunks):
        _drop_dates(chunks, kinds)
    _drop_coordinates(chunks, gaps, kinds)
    _drop_runs(chunks, gaps, kinds)


def _drop_labelled(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop the numbers behind a label, and those of several digits behind ``#`` or ``no``."""
    reach, n_digits, is_first = 0, 1, True
    for at, chunk in enumerate(chunks):
        if "#" in gaps[at] and not reach:
            reach, n_digits, is_first = 1, 2, True
        if chunk.key in LABELS or _is_serial(chunks, gaps, at):
            reach, n_digits, is_first = LABEL_REACH, 1, True
        elif chunk.key in COUNTERS and not reach:
            reach, n_digits, is_first = 1, 2, True
        elif reach and chunk.n_digits >= n_digits and (chunk.kind is not Kind.TERM or is_first):
            kinds[at] = Kind.DROPPED
            is_first = False
        elif reach:
            is_over = chunk.kind is Kind.WORD or chunk.n_digits
            reach = 0 if is_over else reach - 1


def _is_serial(chunks: Sequence[Chunk], gaps: Sequence[str], at: int) -> bool:
    return chunks[at].key == "N" and at > 0 and chunks[at - 1].key == "S" and gaps[at] == "/"


def _drop_ages(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop ages above 89: beside years, a sex, with a plus, and with a blank between digits."""
    for at, chunk in enumerate(chunks):
        if kinds[at] is not Kind.NUMBER:
            continue
        before = chunks[at - 1].key if at else ""
        after = chunks[at + 1].key if at + 1 < len(chunks) else ""
        is_old = is_oldest(chunk.key) and (
            gaps[at + 1].startswith("+") or before in SEXES or after in SEXES
        )
        is_split = after in YEARS and len(chunk.key) == len(before) == 1 and before.isdecimal()
        if is_old or (after in YEARS and is_old_age(chunk.key + after)):
            kinds[at] = Kind.DROPPED
        elif is_split and is_oldest(before + chunk.key):
            kinds[at - 1 : at + 1] = [Kind.DROPPED] * 2


def _settle_quantities(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Make numbers with a unit behind them, b-values and doses of volumes what stays."""
    number = Kind.NUMBER
    for at, kind in enumerate(kinds):
        if kind is not number:
            continue
        before = chunks[at - 1].key if at else ""
        if before in B_WORDS or is_b_term(before):
            _settle_b_values(chunks, gaps, kinds, at)
        elif before == "ST" and gaps[at] == " " and not chunks[at].is_integer:
            kinds[at - 1] = Kind.TERM  # slice thickness
        elif before in VOLUMES and gaps[at] in UNIT_GAPS and is_dose(chunks[at].key):
            kinds[at] = Kind.TERM
        elif at + 1 < len(kinds):
            unit = chunks[at + 1].key
            if unit in UNITS and gaps[at + 1] in UNIT_GAPS and is_quantity(chunks[at].key, unit):
                kinds[at] = Kind.TERM


def _settle_b_values(
    chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind], start: int
) -> None:
    for at in range(start, min(len(chunks), start + B_VALUES_AT_MOST)):
        number = chunks[at]
        is_next = number.is_integer and gaps[at].strip(B_GAPS) == ""
        if kinds[at] is not Kind.NUMBER or not is_next or not is_b_value(number.key):
            return
        kinds[at] = Kind.TERM


def _drop_dates(chunks: Sequence[Chunk], kinds: list[Kind]) -> None:
    """Drop a month with its day or year, and the numbers around it, with ``de`` between or not."""
    for at, chunk in enumerate(chunks):
        if not chunk.is_month:
            continue
        around = [_beyond_link(chunks, at, step) for step in (-1, 1)]
        numbers = [one for one in around if one is not None and chunks[one].kind is Kind.NUMBER]
        if kinds[at] is Kind.MONTH or any(_is_of_date(chunks[one]) for one in numbers):
            for one in (at, *numbers):
                kinds[one] = Kind.MONTH


def _beyond_link(chunks: Sequence[Chunk], at: int, step: int) -> int | None:
    place = at + step
    if 0 <= place < len(chunks) and chunks[place].key in LINKS:
        place += step
    return place if 0 <= place < len(chunks) else None


def _is_of_date(chunk: Chunk) -> bool:
    if not chunk.is_integer or len(chunk.key) > 4:
        return False
    return int(chunk.key) in _CALENDAR or int(chunk.key) in _MILLENNIUM


def _drop_coordinates(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop degrees of latitude and longitude."""
    for at, (kind, following) in enumerate(pairwise(list(kinds))):
        is_pair = kind is following is Kind.NUMBER
        if is_pair and _is_place(chunks[at], chunks[at + 1], gaps[at + 1]):
            kinds[at : at + 2] = [Kind.DROPPED] * 2
        elif kind is Kind.NUMBER and chunks[at + 1].key in POLES and _is_between(chunks, at + 1):
            kinds[at : at + 3] = [Kind.DROPPED] * 3


def _is_between(chunks: Sequence[Chunk], at: int) -> bool:
    """Return whether a chunk is between two decimals: ``51.5 N, 0.12 W``."""
    around = [*chunks[at - 1 : at], *chunks[at + 1 : at + 2]]
    return len(around) == 2 and all(
        one.kind is Kind.NUMBER and not one.is_integer for one in around
    )


def _is_place(first: Chunk, second: Chunk, gap: str) -> bool:
    if first.is_integer or second.is_integer:
        return False
    if len(gap) > 1 and gap.endswith("-"):
        return True
    numbers = [one.key.split(".") for one in (first, second)]
    is_exact = any(len(decimals) > 1 for _, decimals in numbers)
    is_far = any(len(whole) > 1 for whole, _ in numbers)
    return gap.strip(" °") in {",", ";", "/"} and is_exact and is_far


def _drop_runs(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop numbers in a row that have too many digits, or look like a date or a time."""
    number, end = Kind.NUMBER, 0
    for at, kind in enumerate(kinds):
        if kind is not number or at < end:
            continue
        end = at + 1
        while end < len(kinds) and kinds[end] is number and _goes_on(chunks, gaps[end], end):
            end += 1
        if not _is_harmless(chunks[at:end], gaps[at : end + 1]):
            kinds[at:end] = [Kind.DROPPED] * (end - at)


def _goes_on(chunks: Sequence[Chunk], gap: str, at: int) -> bool:
    """Return whether a number goes on with the next: not beyond a cross, nor in a list."""
    if any(one in gap for one in "*×"):
        return False
    if gap.strip() != ",":
        return True
    before, after = chunks[at - 1], chunks[at]
    if not (before.is_integer and after.is_integer):
        return False
    is_thousands = len(after.key) == 3 and before.key != "0"
    return is_thousands or len(before.key) == len(after.key) == 2


def _is_harmless(run: Sequence[Chunk], gaps: Sequence[str]) -> bool:
    """Return whether numbers in a row may stay; the gaps are those around them, too."""
    if not all(chunk.is_small for chunk in run) or _is_dated(run, gaps):
        return False
    if len(run) == 1:
        return True
    if any(":" in gap for gap in gaps[1:-1]):
        return False
    n_digits = sum(chunk.n_digits for chunk in run)
    if all(chunk.is_integer for chunk in run):
        return n_digits <= RUN_INTEGERS.get(len(run), 3)
    return n_digits <= RUN_DIGITS


def _is_dated(run: Sequence[Chunk], gaps: Sequence[str]) -> bool:
    """Return whether a date is in a row of numbers: ``12/3``, ``14.05``, ``'19``, ``1/2/3``."""
    if gaps[0].endswith(("'", "’", "`", "‘")) and len(run[0].key) == 2:
        return True
    if any(_is_day_of_year(chunk.key, gap) for chunk, gap in zip(run, gaps[1:], strict=True)):
        return True
    between = [gap.strip() in DATE_GAPS for gap in gaps[1:-1]]
    if any(first and second for first, second in pairwise(between)):
        return True
    if "°" in "".join(gaps[1:-1]) and gaps[-1].startswith(("'", "’", "′")):
        return True
    if gaps[-1].startswith(".") and any(gap.strip() == "." for gap in gaps[1:-1]):
        return True
    is_share = gaps[-1].startswith("%")
    return not is_share and any(
        _is_pair(first.key, second.key) and (is_date or _is_padded(first.key, second.key))
        for is_date, (first, second) in zip(between, pairwise(run), strict=True)
    )


def _is_pair(first: str, second: str) -> bool:
    """Return whether two whole numbers may be a day, a week or a month, and a month or a year."""
    if "." in first + second or max(len(first), len(second)) != 2:
        return False
    return int(first) > 0 and int(second) > 0


def _is_padded(first: str, second: str) -> bool:
    """Return whether one of two numbers has a zero before it: ``03 64``."""
    return len(first) == len(second) == 2 and "0" in (first[0], second[0])


def _is_day_of_year(number: str, gap: str) -> bool:
    """Return whether a decimal is a day and a month, or month and year: ``31.12``, ``03.64``."""
    whole, _, decimals = number.partition(".")
    if not decimals or len(whole) > 2 or len(decimals) > 2:
        return False
    if len(whole) == 2 and whole[0] == "0":
        return True
    is_closed = gap.startswith(".") and int(whole) in _CALENDAR
    if int(whole) == 0 or (len(decimals) == 1 and not is_closed):
        return False
    if int(decimals) in _MONTHS:
        return True
    return len(whole) == 2 and int(whole) in _MONTHS and int(decimals) > 0
