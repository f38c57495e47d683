"""Find in a row of runs what stands around people: titles, initials, letters that spell a name."""

import re
from collections.abc import Callable, Iterator, Sequence

from lesionary.ingest.deidentify.chunks import Chunk, Kind
from lesionary.ingest.deidentify.signs import INTRODUCING, NUMERALS, SEXES

TITLES = frozenset({"DR", "FR", "HR", "MR", "MS", "PT", "SR"})
"""Modalities and the like, but a title or a patient where a full stop follows."""

ABBREVIATED = frozenset({"A", "L", "M", "N", "R", "V"})
"""Letters with a full stop that begin a description: artery, left, muscle, nerve, right, vein."""

APOSTROPHES = frozenset({"'", "’", "`"})

SPELLED_LETTERS = 4
"""So many single letters in a row are harmless one by one, and together ``S m i t h``."""

SPOKEN_DIGITS = 3
"""So many numerals in a row are somebody's number: ``four one one``."""

CODE_LETTERS, CODE_DIGITS = 3, 4
"""So many different letters, and more digits, are no levels of a spine: ``A12 B34 C56``."""

_CODE = re.compile(r"[A-Z][0-9]{1,3}")

NAMES = frozenset({Kind.BODY, Kind.SHY, Kind.COMPANY})
_HABITUAL = re.compile(
    r"[APLR]{2,3}|(?:P[PV])*E?N?H?[CT]?A?P?(?:W(?:C|O|O?AW|IV)?)?(?:[OI]P)?(?:FS)?C?"
)
"""Letters in a row by habit: directions; ``C/A/P W/O``, chest, abdomen, pelvis without."""


def drop_titles(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop a title with its full stop, the name behind who is named there, and whose is what."""
    last = len(chunks) - 1
    for at, chunk in enumerate(chunks):
        if chunk.key in TITLES and gaps[at + 1].startswith("."):
            kinds[at] = Kind.DROPPED
        elif chunk.key in INTRODUCING and at < last and chunks[at + 1].key not in SEXES:
            kinds[at + 1] = Kind.DROPPED if kinds[at + 1] in NAMES else kinds[at + 1]
        elif chunk.key == "S" and at and gaps[at] in APOSTROPHES and chunks[at - 1].kind in NAMES:
            kinds[at - 1 : at + 1] = [Kind.DROPPED] * 2


def drop_initials(chunks: Sequence[Chunk], gaps: Sequence[str], kinds: list[Kind]) -> None:
    """Drop letters with a full stop before another one, before a name, and where a text begins.

    Two letters before a name go without a full stop, too, and letters that spell a word.
    """
    for at, chunk in enumerate(chunks):
        if chunk.kind is not Kind.LETTER or not gaps[at + 1].startswith("."):
            continue
        following = chunks[at + 1].kind if at + 1 < len(chunks) else Kind.TERM
        if following is Kind.LETTER or following in NAMES:
            kinds[at : at + 2] = [Kind.DROPPED] * 2
        elif at == 0 and chunk.key not in ABBREVIATED:
            kinds[at] = Kind.DROPPED
    for start, end in _rows(chunks, lambda chunk: chunk.kind is Kind.LETTER):
        following = chunks[end].kind if end < len(chunks) else Kind.TERM
        letters = "".join(chunk.key for chunk in chunks[start:end])
        is_initials = end - start > 1 and following in NAMES
        if _HABITUAL.fullmatch(letters) is None and (
            is_initials or len(letters) >= SPELLED_LETTERS
        ):
            kinds[start : end + is_initials] = [Kind.DROPPED] * (end + is_initials - start)


def drop_spoken_numbers(chunks: Sequence[Chunk], kinds: list[Kind]) -> None:
    """Drop numerals that say a number or a day together: ``four one one``, ``first of May``."""
    for start, end in _rows(chunks, lambda chunk: chunk.key in NUMERALS):
        is_known = all(kind > Kind.MONTH for kind in kinds[start:end])
        is_number = end - start >= SPOKEN_DIGITS or (end - start > 1 and not is_known)
        around = [*chunks[max(0, start - 2) : start], *chunks[end : end + 2]]
        if is_number or any(one.is_month and one.kind < Kind.TERM for one in around):
            kinds[start:end] = [Kind.DROPPED] * (end - start)


def drop_codes(chunks: Sequence[Chunk], kinds: list[Kind]) -> None:
    """Drop letters with digits in a row, as of a number in groups: ``A12 B34 C56``."""
    for start, end in _rows(chunks, lambda chunk: _CODE.fullmatch(chunk.key) is not None):
        n_letters = len({chunk.key[0] for chunk in chunks[start:end]})
        n_digits = sum(chunk.n_digits for chunk in chunks[start:end])
        if n_letters >= CODE_LETTERS and n_digits > CODE_DIGITS:
            kinds[start:end] = [Kind.DROPPED] * (end - start)


def _rows(chunks: Sequence[Chunk], belongs: Callable[[Chunk], bool]) -> Iterator[tuple[int, int]]:
    """Yield where rows of runs of one sort start and end."""
    end = 0
    for start, chunk in enumerate(chunks):
        if start < end or not belongs(chunk):
            continue
        end = start + 1
        while end < len(chunks) and belongs(chunks[end]):
            end += 1
        yield start, end
