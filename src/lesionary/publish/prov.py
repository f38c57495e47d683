"""W3C PROV-JSON: entities, activities and agents, and how they hang together.

Records are made here one by one and know nothing of files, so a document of one number and one of
a whole study are made by the same words. Names are valid qualified names: everything but letters,
digits, dot, hyphen and underscore is percent-encoded.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

OWN = "lsn"
"""Prefix of what belongs to one study."""

TERMS = "lesionary"
"""Prefix of Lesionary's own words: types and attributes."""

TERMS_URI = "urn:lesionary:terms:"

SECTIONS = (
    "entity",
    "activity",
    "agent",
    "used",
    "wasGeneratedBy",
    "wasDerivedFrom",
    "wasAssociatedWith",
    "wasAttributedTo",
    "actedOnBehalfOf",
)
"""Parts of a document, in their order."""

_ENDS = {
    "used": ("activity", "entity"),
    "wasGeneratedBy": ("entity", "activity"),
    "wasDerivedFrom": ("generatedEntity", "usedEntity"),
    "wasAssociatedWith": ("activity", "agent"),
    "wasAttributedTo": ("entity", "agent"),
    "actedOnBehalfOf": ("delegate", "responsible"),
}
"""Of every relation, what PROV calls its two ends."""

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One member of a document: in which section, under which name, with which attributes.

    ``is_shared`` marks what many things refer to, and so comes again: agents, plans.
    """

    section: str
    name: str
    attributes: Attributes
    is_shared: bool = False


def prefixes(study_id: str) -> dict[str, str]:
    """Return the namespaces of a document of one study."""
    return {OWN: f"urn:lesionary:study:{study_id}:", TERMS: TERMS_URI}


def named(*parts: object) -> str:
    """Return the qualified name of something of the study.

    Examples
    --------
    >>> named("reader", "Dr. A. Münch")
    'lsn:reader.Dr.%20A.%20M%C3%BCnch'
    """
    return f"{OWN}:" + ".".join(quote(str(part), safe="").replace("~", "%7E") for part in parts)


def entity(name: str, kind: str, label: str, /, **facts: Any) -> Record:
    """Return a thing: an image, a mask, a table's value, a plan."""
    return Record("entity", name, _attributes(f"{TERMS}:{kind}", label, facts))


def activity(
    name: str, kind: str, label: str, /, *, start: str = "", end: str = "", **facts: Any
) -> Record:
    """Return something that was done; times are ISO, UTC."""
    times = {"prov:startTime": start, "prov:endTime": end}
    known = {key: at for key, at in times.items() if at}
    return Record("activity", name, known | _attributes(f"{TERMS}:{kind}", label, facts))


def agent(name: str, kind: str, label: str, /, **facts: Any) -> Record:
    """Return who or what acted: ``kind`` is ``prov:Person``, ``prov:SoftwareAgent`` or the like."""
    return Record("agent", name, _attributes(kind, label, facts), is_shared=True)


def relation(section: str, first: str, second: str, **more: str) -> Record:
    """Return how two things hang together; ``more`` are its other ends, such as ``plan``.

    The relation's own name follows from its ends: the same relation is the same record.
    """
    ends = dict(zip(_ENDS[section], (first, second), strict=True)) | more
    own = "__".join(value.partition(":")[2] for value in ends.values())
    attributes = {f"prov:{end}": value for end, value in ends.items()}
    return Record(section, f"_:{section}__{own}", attributes)


def shared(record: Record) -> Record:
    """Mark a record as one that many things refer to."""
    return replace(record, is_shared=True)


def document(study_id: str, records: Iterable[Record]) -> dict[str, Any]:
    """Return a whole document: sections in their order, names in that of the alphabet."""
    sections: dict[str, dict[str, Attributes]] = {name: {} for name in SECTIONS}
    for record in records:
        sections[record.section].setdefault(record.name, record.attributes)
    parts = {name: dict(sorted(found.items())) for name, found in sections.items() if found}
    return {"prefix": prefixes(study_id)} | parts


def fresh(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records without shared ones that came before; memory is that of the shared ones."""
    seen: set[tuple[str, str]] = set()
    for record in records:
        if record.is_shared:
            if (record.section, record.name) in seen:
                continue
            seen.add((record.section, record.name))
        yield record


def line_of(record: Record) -> str:
    """Return one member of a section, as JSON text."""
    return f"{json.dumps(record.name)}: {json.dumps(record.attributes, allow_nan=False)}"


def _attributes(kind: str, label: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "prov:type": {"$": kind, "type": "prov:QUALIFIED_NAME"},
        "prov:label": label,
    }
    for name, value in facts.items():
        if value is not None:
            attributes[f"{TERMS}:{name}"] = _literal(value)
    return attributes


def _literal(value: Any) -> Any:
    """Return a value as PROV-JSON has it; what is no plain value becomes JSON text."""
    if isinstance(value, bool):
        return {"$": "true" if value else "false", "type": "xsd:boolean"}
    if isinstance(value, int):
        return {"$": str(value), "type": "xsd:long"}
    if isinstance(value, float):
        return {"$": repr(value), "type": "xsd:double"}
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
