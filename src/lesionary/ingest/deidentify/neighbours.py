"""Judge words and numbers by what is beside them: names, dates, record numbers come in pieces."""

import re
from collections.abc import Sequence

from lesionary.ingest.deidentify.chunks import (
    UNITS,
    YEARS,
    Chunk,
    Kind,
    is_b_term,
    is_b_value,
    is_old_age,
    is_quantity,
)

TITLES = frozenset({"DR", "MR", "MS", "PT"})
"""Modalities, but a title or a patient where a full stop follows."""

LINKS = frozenset({"DE", "OF", "TH", "ST", "ND", "RD"})
"""What may stand between a month and its day."""

B_WORDS = frozenset({"B", "BVAL", "BVALS", "BVALUE", "BVALUES"})
UNIT_GAPS = frozenset({" ", "-", "_"})
B_GAPS = " =-_,;/+"
B_VALUES_AT_MOST = 12

NAMES = frozenset({Kind.BODY, Kind.SHY, Kind.COMPANY})
NAMELIKE = NAMES | {Kind.DROPPED, Kind.LETTER}
SURE = frozenset({Kind.WORD, Kind.TERM})

RUN_DIGITS = 6
"""Digits that numbers in a row may have together, where one of them has decimals."""

RUN_INTEGERS = {1: 3, 2: 4}
"""The same for whole numbers, by how many there are; of three and more: 3."""

_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3])\.[0-5][0-9]")
"""A decimal, or a time of day: beside what went, the latter."""

_CALENDAR = range(1, 32)
_MILLENNIUM = range(1000, 3000)


def kept(chunks: Sequence[Chunk], gaps: Sequence[str]) -> list[bool]:
    """Return which runs of letters and digits stay.

    Parameters
    ----------
    chunks : sequence of Chunk
        As judged by themselves.
    gaps : sequence of str
        What stands before the first, between any two, and behind the last.

    Returns
    -------
    list of bool
    """
    kinds = [chunk.kind for chunk in chunks]
    _drop_titles(chunks, gaps, kinds)
    if Kind.NUMBER in kinds:
        _settle_quantities(chunks, gaps, kinds)
        if any(chunk.is_month for chunk in chunks):
            _drop_dates(chunks, kinds)
        _drop_runs(chunks, gaps, kinds)
    if not NAMES.isdisjoint(kinds):
        _drop_lonely(chunks, gaps, kinds)
    if Kind.DROPPED in kinds or Kind.MONTH in kinds:
        _spread(chunks, kinds)
    return [kind > 1 for kind in kinds]


def _settle_quantities(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Make numbers with a unit behind them, and b-values behind a b, what stays."""
    number = Kind.NUMBER
    for at, kind in enumerate(kinds):
        if kind is not number:
            continue
        before = chunks[at - 1].key if at else ""
        if before in B_WORDS or is_b_term(before):
            _settle_b_values(chunks, gaps, kinds, at)
        elif at + 1 < len(kinds):
            unit = chunks[at + 1].key
            if unit in UNITS and gaps[at + 1] in UNIT_GAPS and is_quantity(chunks[at].key, unit):
                kinds[at] = Kind.TERM
            elif unit in YEARS and is_old_age(chunks[at].key + unit):
                kinds[at] = Kind.DROPPED


def _settle_b_values(
    chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind], start: int
) -> None:
    for at in range(start, min(len(chunks), start + B_VALUES_AT_MOST)):
        number = chunks[at]
        is_next = number.is_integer and gaps[at].strip(B_GAPS) == ""
        if not is_next or not is_b_value(number.key):
            return
        kinds[at] = Kind.TERM


def _drop_dates(chunks: Sequence[Chunk], kinds: list[Kind]) -> None:
    """Drop a month with its day or year, and the numbers around it, with ``de`` between or not."""
    for at, chunk in enumerate(chunks):
        if not chunk.is_month:
            continue
        around = [_beyond_link(chunks, at, step) for step in (-1, 1)]
        numbers = [one for one in around if one is not None and kinds[one] is Kind.NUMBER]
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


def _drop_runs(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop numbers in a row that have too many digits, or look like a date or a time."""
    number, end = Kind.NUMBER, 0
    for at, kind in enumerate(kinds):
        if kind is not number or at < end:
            continue
        end = at + 1
        while end < len(kinds) and kinds[end] is number and _goes_on(chunks, gaps[end], end):
            end += 1
        is_alone = end == at + 1 and chunks[at].is_small
        if not (is_alone or _is_harmless(chunks[at:end], gaps[at + 1 : end])):
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
    if not all(chunk.is_small for chunk in run):
        return False
    if any(":" in gap for gap in gaps) or _is_day(run, gaps):
        return False
    n_digits = sum(chunk.n_digits for chunk in run)
    if all(chunk.is_integer for chunk in run):
        return n_digits <= RUN_INTEGERS.get(len(run), 3)
    return n_digits <= RUN_DIGITS


def _is_day(run: Sequence[Chunk], gaps: Sequence[str]) -> bool:
    """Return whether two whole numbers with a stroke between are a day and a month: ``12/3``."""
    if len(run) != 2 or not all(chunk.is_integer for chunk in run) or gaps[0] != "/":
        return False
    first, second = (int(chunk.key) for chunk in run)
    return max(first, second) > 9 and min(first, second) in range(1, 13) and max(first, second) < 32


def _drop_titles(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    for at, chunk in enumerate(chunks):
        if chunk.key in TITLES and gaps[at + 1].startswith("."):
            kinds[at] = Kind.DROPPED


def _drop_lonely(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop names without their companions, at a caret, among names, and in a text of names only."""
    is_wordless = not SURE & set(kinds)
    for at, kind in enumerate(kinds):
        if kind not in NAMES:
            continue
        if (
            (kind is Kind.SHY and is_wordless)
            or (kind is Kind.COMPANY and not _has_companion(chunks, at))
            or _is_at_caret(gaps, kinds, at)
            or _is_among_names(chunks, kinds, at)
        ):
            kinds[at] = Kind.DROPPED


def _has_companion(chunks: Sequence[Chunk], at: int) -> bool:
    around = chunks[max(0, at - 1) : at + 2]
    return any(chunk.key in chunks[at].companions for chunk in around)


def _is_at_caret(gaps: Sequence[str], kinds: Sequence[Kind], at: int) -> bool:
    before = at > 0 and "^" in gaps[at] and kinds[at - 1] in NAMELIKE
    after = at + 1 < len(kinds) and "^" in gaps[at + 1] and kinds[at + 1] in NAMELIKE
    return before or after


def _is_among_names(chunks: Sequence[Chunk], kinds: Sequence[Kind], at: int) -> bool:
    """Return whether a name is beside another one without a word on either side of the row."""
    start, end = at, at + 1
    while start > 0 and chunks[start - 1].kind in NAMES:
        start -= 1
    while end < len(kinds) and chunks[end].kind in NAMES:
        end += 1
    has_word = Kind.WORD in kinds[max(0, start - 1) : start] or Kind.WORD in kinds[end : end + 1]
    return end - start > 1 and not has_word and chunks[at].kind is not Kind.COMPANY


def _spread(chunks: Sequence[Chunk], kinds: list[Kind]) -> None:
    """Let go what is beside what went, for as long as that goes on: names, letters, numbers."""
    waiting = [at for at, kind in enumerate(kinds) if kind <= Kind.MONTH]
    while waiting:
        gone = waiting.pop()
        for at in (gone - 1, gone + 1):
            if 0 <= at < len(kinds) and _follows(chunks[at], kinds[at]):
                kinds[at] = Kind.DROPPED
                waiting.append(at)


def _follows(chunk: Chunk, kind: Kind) -> bool:
    if kind is Kind.NUMBER:
        return chunk.n_digits > 1 and (chunk.is_integer or _CLOCK.fullmatch(chunk.key) is not None)
    if kind is Kind.TERM:
        return chunk.n_digits > 1 and sum(map(str.isalpha, chunk.key)) == 1
    return kind is Kind.LETTER or kind in NAMES
