"""How a rule is written: on one line, or as a table of a protocol.

::

    RULE     name[:SETTING[,SETTING…]]
    SETTING  a rule's own one, without a name, or name=value

    intensity:-300..500HU,keep_enclosed=yes     low_hu, high_hu; one of them may be missing
    within:5+6,dilate=3mm,components=no         labels of the map itself are the anatomy
    within:structures=10+11,dilate=3mm          labels of another mask are; none: all of it
    diameter:3..30mm                            low_mm, high_mm; one of them may be missing
    largest:2,labels=1+2+3                      n
    centremost:0.5                              min_share
    min_voxels:50                               voxels

Every rule takes ``labels=1+2`` (by default all) and ``readers=yes`` (by default no). Labels are
values, or texts in double quotes: ``labels="m,liver"+"lesion"``. Units may be left out. A table
has the same names with their units: ``{rule = "within", anatomy = [5, 6], dilate_mm = 3}``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, cast

from lesionary.annotate.clean_up.drawn import Labels, RuleError
from lesionary.annotate.clean_up.rules import (
    Centremost,
    Diameter,
    Intensity,
    Largest,
    MinVoxels,
    Rule,
)
from lesionary.annotate.clean_up.within import Within
from lesionary.core.components import MAX_LABEL


@dataclass(frozen=True, slots=True)
class _Form:
    """How one rule is written on a line: what stands first, and names that differ from fields."""

    make: Callable[..., Rule]
    first: tuple[str, ...]
    unit: str = ""
    short: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys of its table but ``rule``."""
        return tuple(entry.name for entry in fields(cast("Any", self.make)))

    @property
    def required(self) -> tuple[str, ...]:
        """Keys without a default."""
        entries = fields(cast("Any", self.make))
        return tuple(entry.name for entry in entries if entry.default is MISSING)


_FORMS: Mapping[str, _Form] = {
    "intensity": _Form(Intensity, ("low_hu", "high_hu"), "HU"),
    "within": _Form(Within, ("anatomy",), "mm", {"dilate": "dilate_mm"}),
    "diameter": _Form(Diameter, ("low_mm", "high_mm"), "mm"),
    "largest": _Form(Largest, ("n",)),
    "centremost": _Form(Centremost, ("min_share",)),
    "min_voxels": _Form(MinVoxels, ("voxels",)),
}
RULE_NAMES = tuple(_FORMS)
"""Names of all rules."""

_NUMBERS = ("low_hu", "high_hu", "low_mm", "high_mm", "dilate_mm", "min_share")
_WHOLE = ("n", "voxels")
_YES_NO = ("keep_enclosed", "components", "readers")
_LABEL = r'(?:"[^"]+"|[^+",]+)'
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def rule_of_table(table: Mapping[str, Any]) -> Rule:
    """Make a rule of a table such as ``{"rule": "diameter", "low_mm": 3, "high_mm": 30}``.

    Raises
    ------
    RuleError
        An unknown rule or key, a missing one, or a value that is not allowed.
    """
    form = _form_of(table.get("rule"))
    name = table["rule"]
    given = {key: value for key, value in table.items() if key != "rule"}
    for key in given:
        if key not in form.keys:
            raise RuleError(key, f"is no key of {name}, which has {_listed(form.keys)}")
    for key in form.required:
        if key not in given:
            raise RuleError(key, f"is missing: {name} needs it")
    return form.make(**{key: _checked(key, value) for key, value in given.items()})


def table_of(rule: Rule) -> dict[str, Any]:
    """Return the table that :func:`rule_of_table` reads, defaults spelled out; JSON."""
    table: dict[str, Any] = {"rule": rule.name}
    for key in _FORMS[rule.name].keys:
        value = getattr(rule, key)
        if value not in {None, ()}:
            table[key] = list(value) if isinstance(value, tuple) else value
    return table


def _form_of(name: object) -> _Form:
    form = _FORMS.get(name) if isinstance(name, str) else None
    if form is None:
        allowed = ", ".join(f"'{known}'" for known in RULE_NAMES[:-1]) + f" or '{RULE_NAMES[-1]}'"
        if name is None:
            raise RuleError("rule", f"is missing: it should be {allowed}")
        raise RuleError("rule", f"should be {allowed}, not {name!r}")
    return form


def _checked(key: str, value: Any) -> Any:
    if key in _YES_NO:
        if not isinstance(value, bool):
            raise RuleError(key, f"should be true or false, not {value!r}")
        return value
    if key in _WHOLE:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise RuleError(key, f"should be a whole number of at least 1, not {value!r}")
        return value
    if key in _NUMBERS:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) < 1e15:  # NaN is not either
            raise RuleError(key, f"should be a finite number, not {value!r}")
        return float(value)
    return _checked_labels(key, value)


def _checked_labels(key: str, value: Any) -> Labels:
    is_list = isinstance(value, list | tuple) and len(value) > 0
    if not is_list or not all(_is_label(label) for label in value):
        wanted = f"a list of values from 1 to {MAX_LABEL} or of texts"
        raise RuleError(key, f"should be {wanted}, not {value!r}")
    return tuple(value)


def _is_label(label: object) -> bool:
    if isinstance(label, str):
        return bool(label) and '"' not in label
    return isinstance(label, int) and not isinstance(label, bool) and 1 <= label <= MAX_LABEL


def parse_rule(text: str) -> Rule:
    """Read a rule from one line.

    Raises
    ------
    RuleError
        If it is written wrong, with what is allowed.

    Examples
    --------
    >>> parse_rule("diameter:3..30mm").low_mm
    3.0
    >>> text_of(parse_rule("largest:n=2,labels=1+2+3"))
    'largest:2,labels=1+2+3'
    """
    name, _, rest = (part.strip() for part in text.partition(":"))
    form = _form_of(name)
    table: dict[str, Any] = {"rule": name}
    settings = re.findall(r'(?:[^,"]|"[^"]*"?)+', rest)
    for place, setting in enumerate(part.strip() for part in settings):
        found = re.match(r"([a-z_]+)\s*=\s*(.*)", setting, re.DOTALL)
        if found:
            key = form.short.get(found[1], found[1])
            entry = {key: _read(key, found[2], form)}
        elif place == 0:
            entry = _read_first(setting, form)
        else:
            raise RuleError(setting, "should be written name=value")
        if entry.keys() & table.keys():
            raise RuleError(next(iter(entry)), "is given twice")
        table |= entry
    return rule_of_table(table)


def _read_first(text: str, form: _Form) -> dict[str, Any]:
    """Read what a rule's line may begin with: a range, or its one main value."""
    if len(form.first) == 1:
        (key,) = form.first
        return {key: _read(key, text, form)}
    found = re.fullmatch(rf"({_NUMBER})?\.\.({_NUMBER})?\s*(?:{form.unit})?", text, re.IGNORECASE)
    if found is None:
        raise RuleError(text, f"should be a range such as 3..30 in {form.unit}")
    return {
        key: float(number)
        for key, number in zip(form.first, found.groups(), strict=True)
        if number is not None
    }


def _read(key: str, text: str, form: _Form) -> Any:
    """Read a value as TOML would have it; what cannot be read stays text and is refused later."""
    if key in _YES_NO:
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    if key in _WHOLE:
        return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else text
    if key in _NUMBERS:
        found = re.fullmatch(rf"({_NUMBER})\s*(?:{form.unit})?", text, re.IGNORECASE)
        return float(found[1]) if found else text
    if key in form.keys and re.fullmatch(rf"{_LABEL}(?:\+{_LABEL})*", text):
        return [_read_label(part) for part in re.findall(_LABEL, text)]
    return text


def _read_label(text: str) -> int | str:
    word = text.strip()
    if re.fullmatch(r"[0-9]{1,18}", word):
        return int(word)
    return word.strip('"')


def text_of(rule: Rule) -> str:
    """Return the line that :func:`parse_rule` reads, without what is as by default."""
    form = _FORMS[rule.name]
    first = [getattr(rule, key) for key in form.first]
    unit = form.unit if len(first) > 1 and first[-1] is not None else ""
    settings = ["..".join(_written(value) for value in first) + unit]
    names = {key: short for short, key in form.short.items()}
    for entry in fields(cast("Any", rule)):
        value = getattr(rule, entry.name)
        if entry.name not in form.first and value != entry.default:
            unit = form.unit if entry.name in form.short.values() else ""
            settings.append(f"{names.get(entry.name, entry.name)}={_written(value)}{unit}")
    line = ",".join(setting for setting in settings if setting)
    return f"{rule.name}:{line}" if line else rule.name


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "+".join(f'"{label}"' if isinstance(label, str) else str(label) for label in value)
    return repr(value).removesuffix(".0")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
