"""Curation protocols: rules that a user reads, and what was published by the like of them."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError
from lesionary.ingest.curate import listed_rules
from lesionary.ingest.curation import (
    Curation,
    Rule,
    RuleError,
    SeriesFacts,
    Stay,
    rules_of_tables,
    table_of,
)
from lesionary.ingest.curation.verdict import SeriesRule
from lesionary.io.curation_text import curation_text
from lesionary.publish.curation_figure import FlowStep, figure_flow
from lesionary.publish.tables import csv_text

if TYPE_CHECKING:
    from lesionary.app.protocol import CurateSection

_PUBLISHED_KEYS: Mapping[str, type] = {
    "result": str,
    "description": list,
    "modality": str,
    "unit": str,
    "count": int,
}
MOST_NAMES = 6
"""Words of a rule that a flow chart names; of more it tells how many they are."""
DECISION_COLUMNS = ("series", "outcome", "step", "rule", "reason")


@dataclass(frozen=True, slots=True)
class Published:
    """What a paper says it selected, and where its results lie in the archive.

    Parameters
    ----------
    result : str
        ``analysis_result_id`` of the archive.
    descriptions : tuple of str
        Patterns of words in the results' SeriesDescription.
    modality : str
        Of the images they were made from.
    unit : str
        What ``count`` counts: series or pairs.
    count : int
        As printed.
    """

    result: str
    descriptions: tuple[str, ...]
    modality: str
    unit: str
    count: int


@dataclass(frozen=True, slots=True)
class CurationProtocol:
    """Rules in their order, under a name."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    published: Published | None = None

    @property
    def collections(self) -> tuple[str, ...] | None:
        """Return the collections that a first rule of this name asks for, or None: all."""
        first = self.rules[0] if self.rules else None
        return getattr(first, "any_of", None) if first and first.name == "collection" else None


def read_curation(name: str) -> CurationProtocol:
    """Read the curation of a shipped protocol or of a file.

    Raises
    ------
    InputError
        Code ``protocol``: no such protocol, no TOML, a wrong rule, key or value; the message names
        it and what is allowed.
    """
    text = curation_text(name)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"this is not TOML: {error}", code="protocol", source=name, hint="mend that line"
        ) from None
    curate = document.get("curate", {})
    tables = curate.get("rule") if isinstance(curate, dict) else None
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise InputError(
            "there are no rules", code="protocol", source=name, hint="add a [[curate.rule]]"
        )
    try:
        rules = rules_of_tables(tables)
        published = _published(document.get("published"))
    except RuleError as error:
        message = _line_in_words(error, text) + error.message
        raise InputError(message, code="protocol", source=name, hint=_HINT) from None
    return CurationProtocol(
        str(document.get("name", name)), str(document.get("title", "")), rules, published
    )


_HINT = "docs/how-to/curate.md has every rule with its keys"


def _line_in_words(error: RuleError, text: str) -> str:
    from lesionary.app.protocol import line_of

    line = line_of(error.path, text) if error.path else None
    return f"line {line}: " if line else ""


def _published(table: object) -> Published | None:
    if table is None:
        return None
    keys = ", ".join(f"`{key}`" for key in _PUBLISHED_KEYS)
    if not isinstance(table, dict):
        raise RuleError("published", f"should be a table with {keys}")
    for key in table:
        if key not in _PUBLISHED_KEYS:
            raise RuleError(f"published.{key}", f"is no key: there are {keys}")
    for key, kind in _PUBLISHED_KEYS.items():
        if not isinstance(table.get(key), kind):
            raise RuleError(f"published.{key}", f"is missing, or no {kind.__name__}")
    words = tuple(str(word) for word in table["description"])
    return Published(table["result"], words, table["modality"], table["unit"], table["count"])


_AT_PUBLISHING = frozenset({"lesion_mm"})
"""Rules that ask for what only measuring tells."""


def ingest_rules(section: "CurateSection") -> tuple[Rule, ...]:
    """Return what ingest lays on series: the two lists of ``[curate]``, then its rules."""
    rules = rules_of_tables(section.rule)
    listed = listed_rules(section.modalities, section.regions)
    return (*listed, *(rule for rule in rules if rule.name not in _AT_PUBLISHING))


def publish_rules(section: "CurateSection") -> tuple[SeriesRule, ...]:
    """Return the rules that wait for measures, wherever they stand among the others."""
    rules = rules_of_tables(section.rule)
    return tuple(
        rule for rule in rules if rule.name in _AT_PUBLISHING and isinstance(rule, SeriesRule)
    )


def decisions_csv(curation: Curation) -> str:
    """Return ``curation.csv``: one line a series, in the order given."""
    return csv_text(
        DECISION_COLUMNS,
        (
            {
                "series": one.series,
                "outcome": one.outcome.value,
                "step": None if one.step is None else one.step + 1,
                "rule": one.rule,
                "reason": one.reason,
            }
            for one in curation.decisions
        ),
    )


def flow_rows(curation: Curation, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return the flow of counts for JSON: a row a rule, with its settings."""
    return [
        {
            "rule": step.rule,
            "settings": {key: value for key, value in table_of(rule).items() if key != "rule"},
            "before": step.n_before,
            "left": step.n_left,
            "left_out": [{"reason": reason, "series": n} for reason, n in step.reasons],
            "unchecked": [{"reason": reason, "series": n} for reason, n in step.unchecked],
        }
        for step, rule in zip(curation.steps, rules, strict=True)
    ]


def flow_files(
    curation: Curation, rules: Sequence[Rule], *, title: str, series: Sequence[SeriesFacts]
) -> list[tuple[str, bytes]]:
    """Return ``curation.csv`` and the flow chart as SVG and PNG."""
    steps = [
        FlowStep(
            wording(rule),
            step.n_before,
            step.n_left,
            step.reasons,
            sum(n for _, n in step.unchecked),
        )
        for step, rule in zip(curation.steps, rules, strict=True)
    ]
    kept = {one.series for one in curation.decisions if one.outcome is Stay.IN}
    left = [facts for facts in series if facts.series in kept]
    counts = {
        "series": len(left),
        "studies": len({facts.study for facts in left}),
        "subjects": len({facts.subject for facts in left}),
    }
    if curation.pairs:
        counts = {"pairs": len(curation.pairs)} | counts
    picture = figure_flow(title, len(series), steps, counts)
    return [("curation.csv", decisions_csv(curation).encode()), *picture.files()]


_WORDINGS = {
    "modality": "Modality",
    "collection": "Collection",
    "licence": "Licence",
    "units": "PET units",
    "sex": "Sex",
    "region": "Part of the body",
    "contrast": "Contrast agent",
    "slice_thickness_mm": "Slice thickness",
    "slices": "Slices",
    "sequence_type": "MR sequence",
    "plane": "Plane",
    "age_years": "Age",
    "lesion_mm": "Size of lesions",
    "recist_evaluated": "RECIST",
    "description": "Description",
    "image_type": "Image type",
    "pet_ct_pair": "PET/CT pairs",
    "exclude_pairs": "Outside PET/CT pairs",
    "one_per": "One series of several",
}


def wording(rule: Rule) -> str:
    """Name a rule as a figure does: ``Modality: CT or PT``."""
    name = _WORDINGS[rule.name]
    asked = _asked(rule)
    return rule.label or (f"{name}: {asked}" if asked else name)


def _asked(rule: Rule) -> str:
    """Say in a few words what a rule asks for; nothing where its name says it."""
    table = table_of(rule)
    words = table.get("any_of") or table.get("shows")
    if words:
        return ", ".join(words) if len(words) <= MOST_NAMES else f"one of {len(words)}"
    if any(key in table for key in _PATTERNS):
        return _patterns_text(table)
    low, high = table.get("at_least"), table.get("at_most")
    if low is not None or high is not None:
        return f"{_range_text(low, high)}{_UNITS.get(rule.name, '')}"
    return "none missing" if table.get("complete") else ""


_PATTERNS = {"include": "", "exclude": "not "}


def _patterns_text(table: Mapping[str, Any]) -> str:
    """Name the patterns of a rule, or tell how many they are."""
    parts = []
    for key, prefix in _PATTERNS.items():
        words = table.get(key, ())
        named = ", ".join(words) if len(words) <= MOST_NAMES else f"any of {len(words)} patterns"
        parts += [prefix + named] if words else []
    return "; ".join(parts)


_UNITS = {"slice_thickness_mm": " mm", "lesion_mm": " mm", "age_years": " years"}


def _range_text(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low:g}"
    return f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
