"""Fill in what ``docs/reference/registry.md`` says of tables: ``python docs/make_registry.py``.

A test compares the page with what this script makes, so no table or column stays undocumented.
"""

import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa

PAGE = Path(__file__).parent / "reference" / "registry.md"

ROWS = {
    "meta": "setting: `schema`, how many ingests there were, what the last run planned",
    "tally": "count that `status` shows, kept up in the same transaction as the rows",
    "subject": "person or animal, by a keyed hash of the identity",
    "timepoint": "visit of a subject; its number grows when an earlier scan comes in",
    "series": "image: where it lies in space, its object, where it came from",
    "source_instance": "slice: SOP instance UID (keyed unless `keep_uids` is set), frame therein",
    "finding": "remark of the gate: fixed, warned, left out, ignored",
    "curation": "series that ever came: in or out, by which rule, and why",
    "annotation": "mask that came in: whose, how drawn, of which object",
    "box": "box around a lesion",
    "review": "reader's verdict on a mask",
    "lesion": "tumour whose identity a reader has affirmed; its id is the TrackingUID's",
    "track": "link that a reader has affirmed, as it was then",
    "decision": "reader's word on a link: on which lesions of which masks, and what it shall be",
    "role_decision": "reader's word on what a lesion is to RECIST",
    "reported_diameter": "diameter as a report states it; a correction names what it replaces",
    "split": "subject's part and fold in one split",
    "declared_set": "identity, as a keyed hash, or a scan's pixel hash, of a set outside the study",
    "run": "stage in one command: code, part of the protocol, cluster, who, when",
    "unit": "result of one stage on one series, or why there is none; its inputs and its run",
    "claim": "unit that a living process works on",
    "event": "change of the study: who, what, when, on which object, why",
    "head": "end of the chain of events, the only row; writers queue at it",
}
"""What one row of each table is."""


def page() -> str:
    """Return the page's text as it is, with the two lists as they should be."""
    from lesionary.io.registry.tables import metadata

    tables = list(metadata.tables.values())
    lines = ["| table | | one row is a |", "|---|---|---|"]
    lines += [f"| `{one.name}` | {kept(one)} | {ROWS[one.name]} |" for one in tables]
    text = filled(PAGE.read_text(encoding="utf-8"), "tables", "\n".join(lines))
    return filled(text, "columns", "\n\n".join(map(columns, tables)))


def filled(text: str, place: str, content: str) -> str:
    """Put content between ``<!-- place -->`` and the next ``<!-- end -->``."""
    marked = re.compile(rf"(<!-- {place} -->\n).*?(<!-- end -->)", re.DOTALL)
    made, n_places = marked.subn(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", text)
    if n_places != 1:
        raise ValueError(place)
    return made


def kept(table: sa.Table) -> str:
    """Return whether a table's rows may change, and whether that is told."""
    from lesionary.io.registry.facts import AUDITED
    from lesionary.io.registry.tables import PERMANENT

    if table in PERMANENT:
        return "permanent"
    return "audited" if table in [one.table for one in AUDITED] else "unaudited"


def columns(table: sa.Table) -> str:
    """Return a table's columns, one line each."""
    lines = [f"### `{table.name}`", "", "| column | type | |", "|---|---|---|"]
    lines += [f"| `{one.name}` | {type_of(one)} | {remarks(one)} |" for one in table.columns]
    return "\n".join(lines)


def type_of(column: sa.Column[Any]) -> str:
    """Return a column's type in a word, and whether it may be null."""
    from lesionary.io.registry.tables import StoredJson

    kind = "JSON" if isinstance(column.type, StoredJson) else column.type.__visit_name__
    words = {"string": "text", "text": "text", "big_integer": "integer"}
    return words.get(kind, kind) + (" or null" if column.nullable else "")


def remarks(column: sa.Column[Any]) -> str:
    """Return what is said of a column: its part in the key, what it refers to, its meaning."""
    said = ["key"] if column.primary_key else []
    said += [f"→ `{key.target_fullname}`" for key in column.foreign_keys]
    return "; ".join([*said, *([column.doc] if column.doc else [])])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
