"""Judge words and numbers by what is beside them: names, dates, record numbers come in pieces."""

import re
from collections.abc import Sequence

from lesionary.ingest.deidentify.chunks import Chunk, Kind
from lesionary.ingest.deidentify.counted_numerals import counted_numerals
from lesionary.ingest.deidentify.numbers import settle_numbers
from lesionary.ingest.deidentify.persons import (
    NAMES,
    drop_codes,
    drop_initials,
    drop_spoken_numbers,
    drop_titles,
)
from lesionary.ingest.deidentify.signs import NUMERALS

SIDES = frozenset({"L", "R"})
"""Letters that stand behind a comma without being an initial."""

# fmt: off
AMBIGUOUS = frozenset({
    "AI", "AN", "AS", "AT", "AU", "BE", "BI", "BY", "CA", "CE", "CO", "DE", "DU", "ET", "FA",
    "HI", "IF", "IN", "IS", "IT", "KO", "LE", "LI", "LM", "MA", "MIN", "NA", "NO", "OF", "ON", "OP",
    "OR", "OS", "PI", "RES", "RHO", "RI", "SE", "SO", "TA", "TE", "TI", "TIL", "TO", "UM", "UNI",
    "UP", "VA", "WO", "ZE",
})
"""Short words of the list that are names too, and stay only where another word is in the text."""
# fmt: on

NAMELIKE = NAMES | {Kind.DROPPED, Kind.LETTER}
SURE = frozenset({Kind.WORD, Kind.TERM})

_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-3])\.[0-5][0-9]")
"""A decimal, or a time of day: beside what went, the latter."""


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
    drop_titles(chunks, gaps, kinds)
    if Kind.LETTER in kinds:
        drop_initials(chunks, gaps, kinds)
    if any(chunk.key in NUMERALS for chunk in chunks):
        drop_spoken_numbers(chunks, kinds)
    if any(chunk.n_digits for chunk in chunks):
        drop_codes(chunks, kinds)
        settle_numbers(chunks, gaps, kinds)
    _keep_counted(chunks, gaps, kinds)
    _drop_unvouched(chunks, kinds)
    if any(kind in NAMES or _is_named(chunk) for kind, chunk in zip(kinds, chunks, strict=True)):
        _drop_lonely(chunks, gaps, kinds)
    if Kind.DROPPED in kinds or Kind.MONTH in kinds:
        _spread(chunks, kinds)
    return [kind > 1 for kind in kinds]


def _keep_counted(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Keep numerals behind what they count: without them all segments of a liver were one."""
    if any(chunk.is_numeral for chunk in chunks):
        for at in counted_numerals(chunks, gaps):
            kinds[at] = Kind.TERM if kinds[at] > Kind.MONTH else kinds[at]


def _drop_unvouched(chunks: Sequence[Chunk], kinds: list[Kind]) -> None:
    """Drop short words that are names too, if no other word says what the text is about."""
    is_vouched = any(
        kind in SURE and chunk.key not in AMBIGUOUS
        for kind, chunk in zip(kinds, chunks, strict=True)
    )
    for at, chunk in enumerate(chunks):
        if chunk.key in AMBIGUOUS and not is_vouched:
            kinds[at] = Kind.DROPPED


def _drop_lonely(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop names without their companions, at a caret, among names, and in a text of names only."""
    is_wordless = not SURE & set(kinds)
    crowded = _crowded(chunks, kinds)
    for at, kind in enumerate(kinds):
        is_name = kind in NAMES
        if (
            (kind is Kind.SHY and is_wordless and not _has_companion(chunks, at))
            or (kind is Kind.COMPANY and not _has_companion(chunks, at))
            or (is_name and at in crowded)
            or ((is_name or _is_named(chunks[at])) and _is_of_person(gaps, chunks, kinds, at))
        ):
            kinds[at] = Kind.DROPPED


def _is_named(chunk: Chunk) -> bool:
    """Return whether a word that stays is somebody's name, too."""
    return chunk.is_name or chunk.key in AMBIGUOUS


def _has_companion(chunks: Sequence[Chunk], at: int) -> bool:
    around = chunks[max(0, at - 1) : at + 2]
    return any(chunk.key in chunks[at].companions for chunk in around)


def _is_of_person(
    gaps: Sequence[str], chunks: Sequence[Chunk], kinds: Sequence[Kind], at: int
) -> bool:
    """Return whether a name has a caret and another name beside it, or a comma and an initial."""
    last = len(kinds) - 1
    beside = [at - 1] * (at > 0 and "^" in gaps[at])
    beside += [at + 1] * (at < last and "^" in gaps[at + 1])
    if any(kinds[one] in NAMELIKE or chunks[one].key in AMBIGUOUS for one in beside):
        return True
    if at == last or gaps[at + 1].strip() != ",":
        return False
    is_first = at == 0 or kinds[at - 1] is Kind.DROPPED
    is_initial = kinds[at + 1] is Kind.LETTER and chunks[at + 1].key not in SIDES
    return is_initial or (is_first and kinds[at + 1] is Kind.DROPPED)


def _crowded(chunks: Sequence[Chunk], kinds: Sequence[Kind]) -> set[int]:
    """Return which names are beside another one without a word on either side of the row."""
    crowded: set[int] = set()
    end = 0
    for start, chunk in enumerate(chunks):
        if chunk.kind not in NAMES or start < end:
            continue
        end = start + 1
        while end < len(chunks) and chunks[end].kind in NAMES:
            end += 1
        beside = {*kinds[max(0, start - 1) : start], *kinds[end : end + 1]}
        if end - start > 1 and Kind.WORD not in beside:
            crowded.update(at for at in range(start, end) if chunks[at].kind is not Kind.COMPANY)
    return crowded


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
