"""Words in descriptions: how a pattern of a rule is laid on free text.

A text is read as words of letters, digits and ``+``, without regard to case: ``PET_NAC (2D)`` is
``pet nac 2d``. A pattern is one or more words in this order; ``*`` stands for any end, beginning
or middle of a word. So ``nac`` is in ``PET_NAC`` and not in ``BUNACLE``.
"""

import difflib
import functools
import re
from collections.abc import Sequence


def folded(text: str) -> str:
    """Return the words of a text, each with a space before and behind."""
    return f" {' '.join(re.findall('[a-z0-9+]+', text.lower()))} "


@functools.lru_cache(maxsize=1 << 10)
def _compiled(pattern: str) -> re.Pattern[str]:
    words = re.findall("[a-z0-9+*]+", pattern.lower())
    escaped = [re.escape(word).replace(r"\*", "[^ ]*") for word in words]
    return re.compile(f" {' '.join(escaped)} ")


def has_words(pattern: str) -> bool:
    """Tell whether a pattern asks for anything."""
    return re.search("[a-z0-9+]", pattern.lower()) is not None


def first_found(patterns: Sequence[str], text: str | None) -> str | None:
    """Return the first pattern that a text has, or None.

    Examples
    --------
    >>> first_found(["no ac", "nac"], "WB_NAC (2D)")
    'nac'
    >>> first_found(["loc*"], "3-plane Localizer")
    'loc*'
    >>> first_found(["ac"], "PET NAC")
    """
    return _found(tuple(patterns), text) if text else None


@functools.lru_cache(maxsize=1 << 17)
def _found(patterns: tuple[str, ...], text: str) -> str | None:
    words = folded(text)
    return next((pattern for pattern in patterns if _compiled(pattern).search(words)), None)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word that is meant most likely, whatever its case; None where none is near.

    Examples
    --------
    >>> nearest("MRI", ["CT", "MR", "PT"])
    'MR'
    >>> nearest("modalty", ["slices", "modality"])
    'modality'
    >>> nearest("liver", ["CT", "MR"])
    """
    plain = {one.casefold(): one for one in reversed(known)}
    found = difflib.get_close_matches(word.casefold(), plain, n=1)
    return plain[found[0]] if found else None


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return the end of a sentence that proposes the nearest known word, or nothing."""
    found = nearest(word, known)
    return "" if found is None else f": did you mean '{found}'?"


def listed(words: Sequence[str], last: str = "or") -> str:
    """Write a list for a sentence: ``a``, ``a or b``, ``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
