"""Keep of a text what an allow-list of words names, and let everything else go.

What a text holds is judged twice: each run of letters and digits by itself (``chunks``), then by
what is beside it (``neighbours``), because a name comes with other names, a patient's number in
groups, a date in three parts. ``docs/reference/deidentification.md`` has the rules.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache

from lesionary.ingest.deidentify.chunks import judge
from lesionary.ingest.deidentify.neighbours import kept
from lesionary.ingest.deidentify.vocabulary import package_vocabulary

_SPLIT = re.compile(r"((?<![^\W_])[wW]/[wW]?[oO](?![^\W_])|(?:[^\W_]|(?<=[0-9])\.(?=[0-9]))+)")
"""Runs of letters and digits with their decimal points, or ``w/o``; between them the gaps."""

CACHED_TEXTS = 1 << 15
CACHED_CHUNKS = 1 << 14
CACHED_LETTERS = 256
"""Longer texts come once, and are not remembered."""

GAP_LETTERS = 8
"""What stands between two words is cut here."""

_GONE = "\u3042"
"""A letter of no word: stands for what could not be decoded, and for addresses of all kinds."""

_MAIL = re.compile(r"\S*@\S*")
_URL = re.compile(r"\S*://\S*|www\.\S*", re.IGNORECASE)
_PATH = re.compile(r"\\\\\S+|(?<![^\W_])[A-Za-z]:[\\/]\S*|(?<!\S)/[^\s/]+/\S*")
_DOTTED = re.compile(r"\.[^\W\d_]")
_HOST = re.compile(
    r"(?<![^\W_])[^\W_][\w-]*(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|mil|int|info|biz|io|local|lan|"
    r"localdomain|internal|intern|intranet|corp|home|host|med|health|hospital|clinic|"
    r"de|fr|it|es|uk|us|nl|pl|pt|ch|at|be|ca|au|jp|cn|br|eu|se|no|dk|fi|ru|gr|cz|ie|tr|kr|mx|za)"
    r"(?![^\W_])\S*",
    re.IGNORECASE,
)
"""Host names that end in a domain of organisations or countries; up to the next blank."""

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
        plain = text if text.isascii() and text.isprintable() else _without_tricks(text)
        plain = _without_addresses(plain)
        while (cleaned := self._clean_once(plain)) != plain:
            plain = cleaned
        return cleaned

    def _clean_once(self, text: str) -> str:
        pieces = _SPLIT.split(text)
        texts, gaps = pieces[1::2], pieces[::2]
        judged = self._judge
        chunks = [judged(one) for one in texts]
        stay = kept(chunks, gaps)
        if all(stay) and texts and text.isascii() and len(max(gaps, key=len)) <= GAP_LETTERS:
            return text.strip()
        return _joined(texts, gaps, stay)


def _without_addresses(text: str) -> str:
    if "@" in text:
        text = _MAIL.sub(_GONE, text)
    if "://" in text or "ww." in text.lower():
        text = _URL.sub(_GONE, text)
    if "\\" in text or "/" in text:
        text = _PATH.sub(_GONE, text)
    return _HOST.sub(_GONE, text) if _DOTTED.search(text) else text


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


def _without_tricks(text: str) -> str:
    """Return a text in NFKC without invisible characters and loose accents.

    What could not be decoded becomes a letter, so that no piece of a word passes for a word.
    """
    normal = unicodedata.normalize("NFKC", text.replace("\ufffd", _GONE))
    return "".join(
        one for one in normal if one in "\t\r\n\f" or unicodedata.category(one)[0] not in "CM"
    )
