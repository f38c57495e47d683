"""What cases are called: by a pattern, or by where their files lie."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError
from lesionary.ingest.reader_pattern import FIELDS, NamedParts, ReaderPattern, parse_pattern

CASE_FIELDS = ("group", *FIELDS)
"""Fields of a pattern that sorts masks into cases."""


def case_pattern(text: str) -> ReaderPattern:
    """Read a pattern that sorts masks into cases.

    Raises
    ------
    InputError
        Code ``usage``, if it names a field that does not exist, or none.
    """
    try:
        return parse_pattern(text, CASE_FIELDS)
    except InputError as error:
        error.code = "usage"
        raise


def key_of(parts: NamedParts, otherwise: str) -> CaseKey:
    """Name a case by its group, subject and time point; ``otherwise`` where it has none of them."""
    named = [part for part in (parts.group, parts.subject, parts.timepoint) if part is not None]
    case = "/".join(named) or otherwise
    return CaseKey(parts.group or "", parts.subject or case, case)


def case_keys(places: Sequence[str], pattern: str | None) -> dict[str, CaseKey]:
    """Name the cases that lie at ``places``.

    Where a pattern gives two of them one name, each is called by its place.

    Raises
    ------
    InputError
        Code ``usage``, if the pattern says nothing or fits none of them. Places that it does not
        fit are cases, and subjects, of their own.
    """
    if pattern is None:
        return {place: CaseKey("", place, place) for place in places}
    wanted = case_pattern(pattern)
    parts = {place: wanted.match(place) for place in places}
    if not any(parts.values()):
        raise InputError(
            "the pattern fits no case",
            code="usage",
            hint="it is matched against the place below the folder, without the ending",
            source=places[0] if places else None,
        )
    keys = {place: key_of(found or NamedParts(), place) for place, found in parts.items()}
    taken = Counter(key.case for key in keys.values())
    return {
        place: key if taken[key.case] == 1 else CaseKey(key.group, key.subject, place)
        for place, key in keys.items()
    }


def short_names(paths: Sequence[Path]) -> list[str]:
    """Call folders by their last part, where that tells them apart; else as they were given.

    ``mean`` and ``consensus`` tell nothing: so is called what is made of all.
    """
    from lesionary.evaluate.evaluation import RESERVED

    short = [path.resolve().name for path in paths]
    is_telling = len(set(short)) == len(short) and all(short) and not RESERVED & set(short)
    return short if is_telling else [str(path) for path in paths]
