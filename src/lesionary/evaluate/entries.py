"""Evaluations of many cases, taken apart: one entry for each case and reference.

Summaries read the JSON documents of :mod:`lesionary.evaluate.evaluation`, so that what was computed
case by case, on whatever machine, is put together without any mask.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lesionary.core.cases import CaseKey
from lesionary.evaluate.means import Document

ONE = "reference"
"""Name of the reference where a case has but one, and the document does not name it."""

MEAN, CONSENSUS = "mean", "consensus"
"""Names of what is made of several references; no reference may have them."""

LabelKey = tuple[bool, str]
"""Whether a composite, and its name: what rows of all cases are grouped by."""

Cases = Iterable[tuple[CaseKey, Document]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One case against one reference.

    Parameters
    ----------
    key : CaseKey
        Group, subject and case.
    reference : str
        A reader's name, ``mean``, ``consensus``, or ``reference`` where there is but one.
    document : Document
        With ``labels`` at least; a ``mean`` has no lesions and nothing as published.
    """

    key: CaseKey
    reference: str
    document: Document

    def rows(self) -> Iterator[tuple[LabelKey, Document, Document | None]]:
        """Yield each label's row, and what the authors would print of it."""
        labels = self.document["labels"]
        published = self.document.get("as_published", {}).get("labels", [None] * len(labels))
        for row, printed in zip(labels, published, strict=True):
            yield label_key(row), row, printed


def label_key(row: Document) -> LabelKey:
    """Name a row's label: by its text, else its value."""
    return "composite" in row, str(row["label"])


def entries(cases: Cases) -> list[Entry]:
    """Take documents apart, of one reference or of several."""
    return [entry for key, document in cases for entry in _of_case(key, document)]


def _of_case(key: CaseKey, document: Document) -> Iterator[Entry]:
    if "references" not in document:
        yield Entry(key, document.get("reference", ONE), document)
        return
    for one in document["references"]:
        yield Entry(key, one["reference"], one)
    yield Entry(key, MEAN, document["mean"])
    if document["consensus"] is not None:
        yield Entry(key, CONSENSUS, document["consensus"])


def against(cases: Cases, reference: str) -> list[tuple[CaseKey, Document]]:
    """Keep what was scored against one reference; cases without it are left out.

    Parameters
    ----------
    cases : iterable of (CaseKey, Document)
        Of several references each.
    reference : str
        A reader's name, ``mean`` or ``consensus``.
    """
    found = entries(cases)
    return [(entry.key, entry.document) for entry in found if entry.reference == reference]


def case_rows(cases: Cases) -> list[dict[str, Any]]:
    """Lay out every score of every case, ready for CSV.

    Parameters
    ----------
    cases : iterable of (CaseKey, Document)
        Of one reference or of several.

    Returns
    -------
    list of dict
        One a case, reference and label: ``group``, ``subject``, ``case``, ``reference``, the
        label's fields without its lesions, its detection as ``detection_…``, and what the authors
        would print as ``as_published_…``. A mean over references says of each value on how many of
        them it rests, as ``n_references_dsc`` and so on.
    """
    rows = []
    for entry in entries(cases):
        key = entry.key
        name = {"group": key.group, "subject": key.subject, "case": key.case}
        for (is_composite, _), row, shown in entry.rows():
            flat = {field: value for field, value in row.items() if field not in _NESTED}
            flat |= {"reference": entry.reference, "composite": is_composite}
            flat |= {f"n_references_{metric}": n for metric, n in row.get("n", {}).items()}
            reason = dict(row.get("reason", {}))
            for prefix, part in (("detection_", row.get("detection")), ("as_published_", shown)):
                fields, reasons = _flat(prefix, part or {})
                flat, reason = flat | fields, reason | reasons
            rows.append(name | flat | ({"reason": reason} if reason else {}))
    return rows


_NESTED = frozenset({"detection", "by_size", "reason", "values", "n"})
_NAMING = frozenset({"label", "value", "values", "composite"})


def _flat(prefix: str, part: Document) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a part's own fields and its reasons, each under the prefix; lists become one text."""
    reasons = {f"{prefix}{name}": text for name, text in part.get("reason", {}).items()}
    fields = {
        f"{prefix}{name}": "; ".join(value) if isinstance(value, list) else value
        for name, value in part.items()
        if name not in _NESTED | _NAMING
    }
    return fields, reasons
