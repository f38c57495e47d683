"""Keep of a text what an allow-list of words names, and let everything else go.

What a text holds is judged twice: each run of letters and digits by itself (``chunks``), then by
what is beside it (``neighbours``), because a name comes with other names, a patient's number in
groups, a date in three parts. ``docs/reference/deidentification.md`` has the rules.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache

from lesionary.ingest.deidentify.addresses import GONE, without_addresses
from lesionary.ingest.deidentify.chunks import Kind, judge
from lesionary.ingest.deidentify.neighbours import kept
from lesionary.ingest.deidentify.vocabulary import package_vocabulary

_SPLIT = re.compile(r"((?<![^\W_])[wW]/[wW]?[oO](?![^\W_])|(?:[^\W_]|(?<=[0-9])\.(?=[0-9]))+)")
"""Runs of letters and digits with their decimal points, or ``w/o``; between them the gaps."""

CACHED_TEXTS = 1 << 15
CACHED_CHUNKS = 1 << 14
CACHED_LETTERS = 256
"""Longer texts come once, and are not remembered."""

LETTERS_READ = 1 << 16
"""What comes behind so many letters goes unread: no report is longer."""

ROUNDS = 6
"""A text that still changes after so many cleanings was made to: only its plain words stay."""

MARKS = 4
"""Accents on one letter; more are no writing, and slow to put in order."""

GAP_LETTERS = 8
"""What stands between two words is cut here."""

_FOREIGN_GAP = re.compile(r"[^\x20-\x7e\t\r\n\f°±×·–—’‘“”…]")
_REPEATED = frozenset({"_", ",", ";", "/", "+", "-", "^", "&", "|"})
"""What may stand twice around what went, and once where it was."""

_BLANKS = re.compile(" {2,}")
_BRACKET = re.compile(r"[()\[\]{}]")
_BRACKETS = {")": "(", "]": "[", "}": "{"}


class Words:
    """The allow-list at work. It may be asked from several threads at once.

    Parameters
    ----------
    extra : collection of str
        Words of a study's own that stay wherever they stand: structures, a trial's terms.

    Examples
    --------
    >>> words = Words()
    >>> words.clean("CT CHEST W/O CONTRAST 5.0 B30f")
    'CT CHEST W/O CONTRAST 5.0 B30f'
    >>> words.clean("Liver lesion, Anna Q. Smith, MRN 0012345, seen 12 Mar 2020")
    'Liver lesion seen'
    """

    def __init__(self, extra: Collection[str] = ()) -> None:
        self._extra = tuple(extra)
        vocabulary = package_vocabulary().with_words(extra)
        self._judge = lru_cache(CACHED_CHUNKS)(lambda text: judge(text, vocabulary))
        self._remember = lru_cache(CACHED_TEXTS)(self._settle)

    def with_extra(self, extra: Collection[str]) -> "Words":
        """Return a list with more words that stay wherever they stand."""
        return Words((*self._extra, *extra))

    def clean(self, text: str) -> str:
        """Return what may stay of a text: cleaning that again changes nothing.

        Parameters
        ----------
        text : str
            Any text, of several lines too.

        Returns
        -------
        str
            Allowed words in their own spelling (NFKC), with what stood between them; empty where
            none is allowed.
        """
        return self._remember(text) if len(text) <= CACHED_LETTERS else self._settle(text)

    def _settle(self, text: str) -> str:
        """Clean until nothing changes: what went may have kept two numbers apart."""
        plain = _shortened(text)
        if not (plain.isascii() and plain.isprintable()):
            plain = _shortened(_without_tricks(plain))
        for _ in range(ROUNDS):
            cleaned = self._clean_once(without_addresses(plain))
            if cleaned == plain:
                return cleaned
            plain = cleaned
        return self._plain_words(plain)

    def _plain_words(self, text: str) -> str:
        """Return the words that stay whatever is beside them: no neighbour changes that again."""
        judged = [(one, self._judge(one)) for one in _SPLIT.findall(text)]
        return " ".join(
            one for one, chunk in judged if chunk.kind is Kind.WORD and not chunk.is_month
        )

    def _clean_once(self, text: str) -> str:
        pieces = _SPLIT.split(text)
        texts, gaps = pieces[1::2], pieces[::2]
        judged = self._judge
        chunks = [judged(one) for one in texts]
        stay = kept(chunks, gaps)
        if all(stay) and texts and text.isascii() and len(max(gaps, key=len)) <= GAP_LETTERS:
            return text.strip()
        return _joined(texts, gaps, stay)


def _joined(texts: Sequence[str], gaps: Sequence[str], stay: Sequence[bool]) -> str:
    """Write what stays with what stood between it; where something went, a blank."""
    pieces: list[str] = []
    open_gaps = [gaps[0]]
    for text, gap, stays in zip(texts, gaps[1:], stay, strict=True):
        if stays:
            if pieces or len(open_gaps) == 1:
                pieces.append(_gap(open_gaps))
            pieces.append(text)
            open_gaps = []
        open_gaps.append(gap)
    if not pieces:
        return ""
    if len(open_gaps) == 1:
        pieces.append(_gap(open_gaps))
    written = "".join(pieces).strip()
    return written if all(stay) else _balanced(written)


def _gap(gaps: Sequence[str]) -> str:
    """Return what to write between two words: their own gap, if nothing went, or a short one."""
    first = gaps[0]
    if len(gaps) == 1:
        return (first if first.isascii() else _FOREIGN_GAP.sub(" ", first))[:GAP_LETTERS]
    if first.strip() in _REPEATED and all(one == first for one in gaps):
        return first
    return "\n" if any("\n" in one for one in gaps) else " "


def _balanced(text: str) -> str:
    """Return a text without brackets that lost their other half."""
    if not _BRACKET.search(text):
        return text
    opened: list[int] = []
    lonely = set()
    for at, one in enumerate(text):
        if one in _BRACKETS.values():
            opened.append(at)
        elif one in _BRACKETS:
            if opened and text[opened[-1]] == _BRACKETS[one]:
                opened.pop()
            else:
                lonely.add(at)
    lonely.update(opened)
    if not lonely:
        return text
    pieces = (" " if at in lonely else one for at, one in enumerate(text))
    return _BLANKS.sub(" ", "".join(pieces)).strip()


def _shortened(text: str) -> str:
    """Return as much of a text as is read; no word is cut in two."""
    if len(text) <= LETTERS_READ:
        return text
    start = text[:LETTERS_READ]
    return start if text[LETTERS_READ].isspace() else start[: _last_blank(start)]


def _last_blank(text: str) -> int:
    return max(text.rfind(" "), text.rfind("\n"), text.rfind("\t"), 0)


def _without_tricks(text: str) -> str:
    """Return a text in NFKC without invisible characters and loose accents.

    What could not be decoded becomes a letter, so that no piece of a word passes for a word.
    """
    normal = unicodedata.normalize("NFKC", _with_few_marks(text.replace("\ufffd", GONE)))
    return "".join(
        one for one in normal if one in "\t\r\n\f" or unicodedata.category(one)[0] not in "CM"
    )


def _with_few_marks(text: str) -> str:
    """Return a text without the accents that are piled on others."""
    pieces, n_marks = [], 0
    for one in text:
        n_marks = n_marks + 1 if unicodedata.combining(one) else 0
        if n_marks <= MARKS:
            pieces.append(one)
    return "".join(pieces)
