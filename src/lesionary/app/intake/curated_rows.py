"""Rows of curation: one for each series that ever came, with what became of it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lesionary.app.curation_steps import GATE
from lesionary.app.intake.curating import Curated, HeldSeries, distinct
from lesionary.app.intake.journal import Journal
from lesionary.ingest.curation import SeriesFacts, Stay, technical_facts
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.io.registry.ingest import IngestTransaction


def held_series(study: "Study", *, are_compared: bool) -> HeldSeries:
    """Return what the study holds; its facts only where a rule compares series."""
    images: dict[str, str] = {}
    facts: dict[str, SeriesFacts] = {}
    uids: dict[str, str] = {}
    hashes = {}
    if are_compared:
        hashes = {row["id"]: row["identity_hash"] for row in study.registry.rows(tables.subject)}
    for row in study.registry.all_series():
        uids[row["id"]] = row["series_uid"]
        images[row["series_uid"]] = row["series_uid"]
        if are_compared:
            facts[row["series_uid"]] = _facts(row, hashes[row["subject_id"]])
    for row in study.registry.rows(tables.curation, outcome=Stay.IN.value):
        images[row["series_key"]] = uids[row["series_id"]]
    return HeldSeries(facts, images)


def ruled_out_before(study: "Study") -> set[str]:
    """Return the keyed names of series that rules left out in earlier ingests."""
    rows = study.registry.rows(tables.curation, outcome=Stay.OUT.value)
    return {row["series_key"] for row in rows if row["rule"] != GATE}


def _facts(row: Mapping[str, Any], subject: str) -> SeriesFacts:
    known = technical_facts(row["technical"]) | {
        "modality": row["modality"],
        "region": row["region"],
        "n_slices": row["shape"][0],
        "frame_of_reference": row["frame_uid"],
    }
    return SeriesFacts(row["series_uid"], row["study_uid"], subject, **known)


def write_curation(
    ingest: "IngestTransaction",
    journal: Journal,
    curated: Iterable[Curated],
    ids: Mapping[str, str],
) -> None:
    """Write what became of every series; of one that was out before, what became of it now."""
    known = {row["series_key"]: row for row in ingest.rows(tables.curation)}
    number = ingest.next_number(tables.curation.c.id)
    fresh: list[dict[str, Any]] = []
    for one in distinct(curated):
        values = _values(one, journal, ids)
        before = known.get(one.key)
        if before is None:
            fresh.append({"id": number + len(fresh), "version": 1} | values)
        elif before["outcome"] == Stay.OUT and _said(before) != _said(values):
            ingest.change(tables.curation, before, why=f"ingest {journal.ingest}", **values)
    ingest.insert(tables.curation, fresh)


def _values(one: Curated, journal: Journal, ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "series_key": one.key,
        "ingest": journal.ingest,
        "source": journal.token(one.number),
        "series_id": None if one.image is None else ids[one.image],
        "outcome": one.outcome.value,
        "rule": one.rule,
        "label": one.label,
        "reason": one.reason,
        "shared_reason": one.shared_reason,
        "unchecked": [list(pair) for pair in one.unchecked],
    }


def _said(row: Mapping[str, Any]) -> list[Any]:
    return [row[name] for name in ("outcome", "rule", "label", "reason", "unchecked")]
