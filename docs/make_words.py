"""Make the last section of the list of words that may stay: ``python docs/make_words.py``.

It takes words from the meanings of the codes in the standard's context groups and from the names of
its elements, as pydicom has them, and leaves out what is somebody's name or address in any language
that Faker (for developers only) knows. It refuses the list if a word written by hand in ``plain``
is such a name: those belong to ``needed``, ``body``, ``shy`` or
``company``.
"""

import importlib
import pkgutil
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lesionary.ingest.deidentify.vocabulary import folded, sections

LIST = Path(__file__).parents[1] / "src/lesionary/ingest/deidentify/data/words.txt"

BREEDS_AND_PEOPLE = {7480, 7481, 7482, 7483, 7484, 7485, 7486, 7487, 7488, 7489, 7490, 5001, 5002}
"""Context groups whose meanings are full of places: species, strains, breeds, languages."""

NEVER = frozenset(
    """
    name names address phone telephone email mail street city country state county town village
    zip postal region hospital clinic university institute institution medical centre school
    physician physicians doctor nurse operator operators technologist radiologists person persons
    mother father parent parents sister brother son daughter spouse wife husband child children
    born birth death dead married widowed divorced religion religious race ethnic ethnicity african
    american asian european english french german spanish italian japanese chinese indian jewish
    office home house road avenue lane court square suite apartment floor room ward building bridge
    hill lake park river valley mountain beach island spring field forest
    user users account password login server host center station consoles
    monday tuesday wednesday thursday friday saturday sunday
    king queen prince duke lord lady sir miss
    """.upper().split()
)
"""Words around identities."""

SHORTEST = 3
FEWEST_ELEMENTS = 2


def main() -> int:
    """Write the section, unless the hand-written words are not what they should be."""
    text = LIST.read_text(encoding="utf-8")
    parts = sections(text)
    people, places = names_of("person"), names_of("address")
    wrong = sorted(word for word in parts["plain"].split() if len(word) > 2 and word in people)
    others = [set(parts[name].split()) for name in ("needed", "body", "shy")]
    others.append({line.split(":")[0] for line in parts["company"].splitlines()})
    wrong += sorted(set.union(*others) & set(parts["plain"].split()))
    if wrong:
        sys.stderr.write(f"names among the plain words, or words of two sections: {wrong}\n")
        return 1
    known = set.union(set(parts["plain"].split()), *others)
    made = sorted(set(standard_words()) - known - people - places - NEVER)
    head = text.partition("[standard]\n")[0]
    remark = "# From codes' meanings and elements' names; made by docs/make_words.py.\n"
    LIST.write_text(head + "[standard]\n" + remark + wrapped(made), encoding="utf-8")
    return 0


def standard_words() -> Iterator[str]:
    """Yield words of the standard.

    Of codes' meanings only those that are written small somewhere: the others may be eponyms.
    """
    from pydicom._dicom_dict import DicomDictionary
    from pydicom.sr._concepts_dict import concepts

    for scheme in concepts.values():
        for codes in scheme.values():
            for meaning, groups in codes.values():
                if not BREEDS_AND_PEOPLE.issuperset(groups):
                    words = re.findall(r"[^\W\d_]+", meaning)
                    yield from (folded(one) for one in words if is_word(one) and one.islower())
    counted = Counter(
        word.upper()
        for *_, keyword in DicomDictionary.values()
        for word in re.findall("[A-Z][a-z]+", keyword)
    )
    yield from (
        word for word, n in counted.items() if n >= FEWEST_ELEMENTS and len(word) >= SHORTEST
    )


def is_word(text: str) -> bool:
    """Return whether a piece of a meaning is long enough, and in letters that fold to ASCII."""
    return len(text) >= SHORTEST and folded(text).isascii()


def names_of(provider: str) -> set[str]:
    """Return all words in the lists of one of Faker's providers, in all its languages."""
    package = importlib.import_module(f"faker.providers.{provider}")
    found: set[str] = set()
    for module in pkgutil.iter_modules(package.__path__):
        lists = importlib.import_module(f"{package.__name__}.{module.name}").Provider
        for attribute in dir(lists):
            if not attribute.startswith("_") and "format" not in attribute:
                found.update(words_in(getattr(lists, attribute)))
    return found


def words_in(value: object) -> Iterator[str]:
    """Yield the Latin words of a text or of nested lists of texts."""
    if isinstance(value, str):
        yield from re.findall(r"[A-Z]{2,}", folded(value))
    elif isinstance(value, (list, tuple, set, frozenset, dict)):
        for one in value:
            yield from words_in(one)


def wrapped(words: list[str]) -> str:
    """Return words in lines of at most a hundred letters."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) >= 100:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
