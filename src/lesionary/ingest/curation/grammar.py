"""How rules are written in a protocol: one table a rule, in the order in which they are laid on.

::

    [[curate.rule]]
    rule = "slices"
    at_least = 20
    missing = "keep"           # what the rule asks about is not known: keep or leave_out (default)
    label = "Whole scans"      # what the flow chart calls it
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from lesionary.ingest.curation.modalities import MODALITIES
from lesionary.ingest.curation.rules import SERIES_RULES
from lesionary.ingest.curation.sets import SET_RULES
from lesionary.ingest.curation.verdict import Rule, RuleError
from lesionary.ingest.curation.words import did_you_mean, has_words

_RULES: Mapping[str, Any] = {cast("Any", kind).name: kind for kind in (*SERIES_RULES, *SET_RULES)}
RULE_NAMES = tuple(_RULES)
"""Names of all rules."""


def rule_of_table(table: Mapping[str, Any]) -> Rule:
    """Make a rule of a table such as ``{"rule": "modality", "any_of": ["CT"]}``.

    Raises
    ------
    RuleError
        An unknown rule or key, a missing one, or a value that is not allowed: the message names the
        key and what is allowed.

    Examples
    --------
    >>> rule_of_table({"rule": "slices", "at_least": 20}).at_least
    20
    """
    name = table.get("rule")
    kind = _RULES.get(name) if isinstance(name, str) else None
    if kind is None:
        allowed = _either(RULE_NAMES)
        if name is None:
            raise RuleError("rule", f"is missing: it should be {allowed}")
        hint = did_you_mean(name, RULE_NAMES) if isinstance(name, str) else ""
        raise RuleError("rule", f"should be {allowed}, not {name!r}{hint}")
    own = sorted(fields(kind), key=lambda entry: entry.name in _COMMON)
    known = {entry.name: entry for entry in own}
    types = _types_of(kind)
    given = {key: value for key, value in table.items() if key != "rule"}
    for key in given:
        if key not in known:
            keys = ", ".join(f"`{one}`" for one in known)
            hint = did_you_mean(key, tuple(known))
            raise RuleError(key, f"is no key of {name}, which has {keys}{hint}")
    for key, entry in known.items():
        if entry.default is MISSING and key not in given:
            raise RuleError(key, f"is missing: {name} needs it")
    _require_something(str(name), given)
    vocabulary = getattr(kind, "vocabulary", ())
    values = {key: _checked(key, value, types[key], vocabulary) for key, value in given.items()}
    rule: Rule = kind(**values)
    _require_range(rule)
    return rule


def rules_of_tables(tables: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Make all rules of a protocol.

    Raises
    ------
    RuleError
        As :func:`rule_of_table`; the key is preceded by the rule's place, from 1.
    """
    rules = []
    for place, table in enumerate(tables, start=1):
        try:
            rules.append(rule_of_table(table))
        except RuleError as error:
            path = ("curate", "rule", str(place - 1), error.key)
            key = f"{place_in_words(place, table)}: {error.key}"
            raise RuleError(key, error.problem, path) from None
    return tuple(rules)


def modalities_of(names: Sequence[str]) -> list[str]:
    """Return modalities as DICOM spells them.

    Raises
    ------
    RuleError
        One that DICOM does not know; without a key, since the list stands alone.
    """
    return [_spelled("", name, MODALITIES) for name in names]


def place_in_words(place: int, table: Mapping[str, Any]) -> str:
    """Name a rule of a protocol by its place, from 1, and by its name where that is known.

    Examples
    --------
    >>> place_in_words(2, {"rule": "slices"})
    'curate.rule 2 (slices)'
    """
    name = table.get("rule")
    return f"curate.rule {place} ({name})" if name in RULE_NAMES else f"curate.rule {place}"


def table_of(rule: Rule) -> dict[str, Any]:
    """Return the table that :func:`rule_of_table` reads; what is not set is left out."""
    table: dict[str, Any] = {"rule": rule.name}
    for entry in fields(cast("Any", rule)):
        value = getattr(rule, entry.name)
        if value not in {None, (), ""}:
            table[entry.name] = [str(one) for one in value] if isinstance(value, tuple) else value
    return table


_COMMON = ("missing", "label")
"""Keys of every rule, named last."""

_ASKED = {
    "contrast": ("enhanced", "phases"),
    "slice_thickness_mm": ("at_least", "at_most"),
    "slices": ("at_least", "at_most", "complete"),
    "age_years": ("at_least", "at_most"),
    "description": ("include", "exclude"),
    "image_type": ("include", "exclude"),
}
"""Rules that ask nothing unless one of these keys is given."""


def _require_something(name: str, given: Mapping[str, Any]) -> None:
    asked = _ASKED.get(name, ())
    if asked and not any(key in given for key in asked):
        raise RuleError(asked[0], f"is missing: {name} needs {_either(asked)}")


def _require_range(rule: Rule) -> None:
    low, high = getattr(rule, "at_least", None), getattr(rule, "at_most", None)
    if low is not None and high is not None and low > high:
        raise RuleError("at_most", f"should be at least {low:g}, as `at_least` is, not {high:g}")


@functools.cache
def _types_of(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _checked(key: str, value: Any, wanted: Any, vocabulary: tuple[str, ...]) -> Any:
    """Check a value against the type of the rule's field."""
    types = get_args(wanted)
    if get_origin(wanted) is Literal:
        if value not in types:
            raise RuleError(key, f"should be {_either(types)}, not {value!r}")
        return value
    if get_origin(wanted) is tuple:
        return _checked_words(key, value, vocabulary)
    if wanted is str:
        if not isinstance(value, str) or not value.isprintable():
            raise RuleError(key, f"should be one line of text, not {value!r}")
        return value
    if bool in (types or (wanted,)):
        if not isinstance(value, bool):
            raise RuleError(key, f"should be true or false, not {value!r}")
        return value
    return _checked_number(key, value, is_whole=float not in (types or (wanted,)))


def _checked_number(key: str, value: Any, *, is_whole: bool) -> float:
    wanted = "a whole number" if is_whole else "a number"
    is_number = isinstance(value, int if is_whole else int | float)
    if not is_number or isinstance(value, bool) or not 0 <= value < 1e9:  # NaN is not either
        raise RuleError(key, f"should be {wanted} of at least 0, not {value!r}")
    return int(value) if is_whole else float(value)


def _checked_words(key: str, value: Any, allowed: tuple[str, ...]) -> tuple[str, ...]:
    is_list = isinstance(value, list | tuple) and len(value) > 0
    if not is_list or not all(isinstance(word, str) and has_words(word) for word in value):
        raise RuleError(key, f"should be a list of words, not {value!r}")
    return tuple(_spelled(key, word, allowed) for word in value) if allowed else tuple(value)


def _spelled(key: str, word: str, allowed: tuple[str, ...]) -> str:
    """Return a word as the vocabulary spells it; case does not matter."""
    known = {one.casefold(): one for one in allowed}
    if word.strip().casefold() not in known:
        hint = did_you_mean(word, allowed)
        raise RuleError(key, f"should be of {_some(allowed)}, not {word!r}{hint}")
    return known[word.strip().casefold()]


_MOST_NAMED = 20


def _some(words: Sequence[str]) -> str:
    """List words, of many only the first."""
    if len(words) <= _MOST_NAMED:
        return _either(words)
    named = ", ".join(f"'{word}'" for word in words[:_MOST_NAMED])
    return f"{named} or {len(words) - _MOST_NAMED} others that DICOM knows"


def _either(words: Sequence[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or '{words[-1]}'"
