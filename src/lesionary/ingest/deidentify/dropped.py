"""Count the words that cleaning dropped, for who knows the data and may extend the list.

Such a table holds names: it is made only where somebody asks for it, and never leaves the machine.
"""

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from threading import Lock
from typing import NamedTuple

from lesionary.ingest.deidentify.dictionary import keyword_of
from lesionary.ingest.deidentify.own_tokens import OwnTokens
from lesionary.ingest.deidentify.vocabulary import Vocabulary, folded, package_vocabulary

MOST_ROWS = 100_000
"""More different words are no vocabulary: what comes behind them is not counted."""

_WORD = re.compile(r"[^\W\d_]{2,}")


class Outcome(StrEnum):
    """Why a word went.

    ``NOT_LISTED``: the list does not have it; a study may add it. ``BESIDE``: listed, but it is a
    name too, or was written with what went. ``OWN``: the header itself calls somebody so.
    """

    NOT_LISTED = "not_listed"
    BESIDE = "beside"
    OWN = "own"


class DroppedWord(NamedTuple):
    """A word in capitals, the element it stood in, why it went."""

    keyword: str
    word: str
    outcome: Outcome


class DroppedWords:
    """Counts dropped words. Several threads may tell it at once."""

    def __init__(self) -> None:
        self._counts: Counter[DroppedWord] = Counter()
        self._lock = Lock()

    def note(self, tag: int, before: str, after: str, own: OwnTokens) -> None:
        """Count the words of an element's value that are not in what was made of it.

        Parameters
        ----------
        tag : int
        before, after : str
            The value's text, and what cleaning left of it.
        own : OwnTokens
            The words of the instance's own header.
        """
        gone = _words_of(before) - _words_of(after)
        if not gone:
            return
        keyword = keyword_of(tag) or f"{tag >> 16:04X}xx{tag & 0xFF:02X}"
        rows = {
            DroppedWord(keyword, word, _outcome(word, own, package_vocabulary())): count
            for word, count in gone.items()
        }
        with self._lock:
            for row, count in rows.items():
                if row in self._counts or len(self._counts) < MOST_ROWS:
                    self._counts[row] += count

    def rows(self) -> Iterator[tuple[str, str, int, str]]:
        """Yield keyword, word, count and outcome, the most frequent first."""
        with self._lock:
            counted = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        for row, count in counted:
            yield row.keyword, row.word, count, row.outcome.value


def _words_of(text: str) -> Counter[str]:
    return Counter(word.upper() for word in _WORD.findall(text))


def _outcome(word: str, own: OwnTokens, vocabulary: Vocabulary) -> Outcome:
    if own and own.occur_in(word):
        return Outcome.OWN
    key = folded(word)
    listed = (vocabulary.plain, vocabulary.body, vocabulary.shy, vocabulary.company)
    return Outcome.BESIDE if any(key in part for part in listed) else Outcome.NOT_LISTED
