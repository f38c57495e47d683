"""The words of the package's list, by how far each is trusted.

``data/words.txt`` says which there are; ``docs/make_words.py`` makes its last section.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# fmt: off
_UNDIACRITICAL = str.maketrans({
    "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ı": "i",
})
# fmt: on
_SECTION = re.compile(r"^\[(\w+)\]$", re.MULTILINE)
_REMARK = re.compile(r"#.*")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which words may stay, in capitals without diacritics.

    Parameters
    ----------
    plain : frozenset of str
        Stay wherever they stand.
    body : frozenset of str
        Names too, so they stay only where no name can be around them.
    shy : frozenset of str
        The same, and only where another word of the list is in the text.
    company : mapping of str to frozenset of str
        Names too, which stay beside one of these companions only; those that are shy, too, need
        either a companion or another word.
    seams : frozenset of str
        Words of which two may be written as one; no name is made of two.
    """

    plain: frozenset[str]
    body: frozenset[str]
    shy: frozenset[str]
    company: Mapping[str, frozenset[str]]
    seams: frozenset[str]

    def with_words(self, extra: Collection[str]) -> "Vocabulary":
        """Return a vocabulary in which other words stay wherever they stand.

        Of a text of several words each is taken; what is not made of letters is ignored.
        """
        words = {word for text in extra for word in re.findall(r"[^\W\d_]+", folded(text))}
        return Vocabulary(self.plain | words, self.body, self.shy, self.company, self.seams)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a value of one code string may say, in capitals, blanks as underscores.

    Parameters
    ----------
    names : frozenset of str
    is_closed : bool
        Whether nothing else may stand there; otherwise words of the list may, too.
    """

    names: frozenset[str]
    is_closed: bool


def folded(text: str) -> str:
    """Return a text in capitals without diacritics; other scripts stay what they are.

    Examples
    --------
    >>> folded("Schädel")
    'SCHADEL'
    """
    if text.isascii():
        return text.upper()
    bare = unicodedata.normalize("NFKD", text.translate(_UNDIACRITICAL))
    return "".join(one for one in bare if not unicodedata.combining(one)).upper()


@cache
def package_vocabulary() -> Vocabulary:
    """Return the vocabulary of the package's list."""
    parts = _package_text()
    plain = {word for name in ("plain", "needed", "standard") for word in parts[name].split()}
    company = [line.split(":") for line in parts["company"].splitlines() if line]
    return Vocabulary(
        frozenset(plain),
        frozenset(parts["body"].split()),
        frozenset(parts["shy"].split()),
        {word: frozenset(companions.split()) for word, companions in company},
        frozenset(parts["plain"].split()),
    )


@cache
def package_sections() -> Mapping[str, frozenset[str]]:
    """Return the sections of the package's list by their names, each as a set."""
    return {name: frozenset(part.split()) for name, part in _package_text().items()}


@cache
def element_terms() -> Mapping[int, tuple[Terms, ...]]:
    """Return what the commonest code strings may say: a tag's terms, value by value."""
    found: dict[int, tuple[Terms, ...]] = {}
    for line in filter(str.strip, _package_text()["elements"].splitlines()):
        tags, _, places = line.partition(":")
        terms = tuple(
            Terms(frozenset(place.replace("!", "").split()), "!" in place)
            for place in places.split("|")
        )
        found.update((int(tag, 16), terms) for tag in tags.split())
    return found


@cache
def _package_text() -> dict[str, str]:
    return sections(files(__package__).joinpath("data", "words.txt").read_text(encoding="utf-8"))


def sections(text: str) -> dict[str, str]:
    """Return the sections of a list of words by their names, without remarks."""
    parts = _SECTION.split(_REMARK.sub("", text))
    return dict(zip(parts[1::2], parts[2::2], strict=True))
