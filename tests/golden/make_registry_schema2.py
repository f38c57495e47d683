"""Make the golden registry of schema 2: rows of every kind and a history, as SQL text.

Run with the last Lesionary that wrote schema 2 (commit 004077d)::

    PYTHONPATH=<that commit's src>:<its tests> python tests/golden/make_registry_schema2.py OUT.sql
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from unittest import mock

from lesionary.io.registry import registry as module
from lesionary.io.registry import tables
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry
from registry_rows import (  # as that commit had them, without what schema 3 added
    a_run,
    a_series,
    a_subject,
    a_timepoint,
    a_unit,
    an_annotation,
)

GIVEN = {"author": "given", "role": "unknown", "method": None}


def fill(registry: Registry) -> None:
    """Write what ingests, stages, people and splits leave."""
    with registry.ingest() as ingest:
        ingest.insert(tables.subject, [a_subject(1), a_subject(2) | {"is_from_file": True}])
        ingest.insert(tables.timepoint, [a_timepoint(1), a_timepoint(2, study_date=None)])
        ingest.insert_series(a_series(1), ["2.25.11", "2.25.12"])
        ingest.insert_series(a_series(2, subject_id="sub-0002", timepoint_id="timepoint-2"), [])
        ingest.insert(tables.annotation, [an_annotation(1, **GIVEN), an_annotation(2)])
        ingest.insert(tables.annotation, [an_annotation(3, author="ben")])
        ingest.insert(tables.finding, [_finding(1, "ser-0001"), _finding(2, None)])
        ingest.insert(tables.box, [_box()])
        ingest.count("series_of_several_readers", 1)
    with registry.ingest() as ingest:
        ingest.insert(tables.timepoint, [a_timepoint(1, id="timepoint-3", study_date="2019-01-31")])
        later = next(row for row in ingest.rows(tables.timepoint) if row["id"] == "timepoint-1")
        ingest.change(tables.timepoint, later, why="an earlier scan came in", number=1)
        one = a_series(3, timepoint_id="timepoint-3", suv_factor=1.5, ingest=2, source="2#1")
        ingest.insert_series(one, [f"2.25.3{k}" for k in range(12)])
    registry.add_run(a_run())
    registry.record_units([a_unit(), a_unit("ser-0002", state="failed", reason="½ of it")])
    registry.record_units([a_unit(key="l", run_id="run-1", seed=2**40)])
    registry.forget_units("measure", ["ser-0002"], why="tried again")
    with registry.writing(why="read") as transaction:
        transaction.insert(tables.review, [_review()])
        transaction.insert(tables.lesion, [_lesion()])
        transaction.insert(tables.track, [_track()])
        transaction.insert(tables.split, [_split(1), _split(2)])
        transaction.insert(tables.declared_set, [_declared()])
        transaction.delete(tables.split, _split(2), why="taken out")


def _finding(number: int, series: str | None) -> dict[str, object]:
    left_out = {"code": "torn", "outcome": "left_out", "reason": "torn", "hint": "copy it again"}
    warned = {"code": "odd", "outcome": "warned", "reason": "½ odd", "hint": ""}
    of_all = {"id": number, "ingest": 1, "source": f"1#{number}", "series_id": series}
    return of_all | (left_out if series is None else warned) | {"instances": 1, "by_rule": False}


def _box() -> dict[str, object]:
    bounds = [0, 1, 0, 2, 0, 3]
    return {
        "id": 1, "ingest": 1, "series_id": "ser-0001", "name": "A", "label": "lesion",
        "bounds": bounds, "source": "1#4",
    }  # fmt: skip


def _review() -> dict[str, object]:
    return {
        "id": "review-1", "annotation_id": "annotation-2", "reader": "anna", "verdict": "accepted",
        "likert": 4, "comment": "", "seconds": 12.0,
    }  # fmt: skip


def _lesion() -> dict[str, object]:
    return {"id": "lesion-1", "subject_id": "sub-0001", "name": "A", "label": "lesion"}


def _track() -> dict[str, object]:
    return {
        "id": "track-1", "lesion_id": "lesion-1", "from_series_id": "ser-0003", "from_lesion": 1,
        "to_series_id": "ser-0001", "to_lesion": 2, "relation": "same", "reader": None,
    }  # fmt: skip


def _split(subject: int) -> dict[str, object]:
    return {
        "name": "main", "subject_id": f"sub-{subject:04d}", "part": "train", "fold": subject,
        "origin": "drawn", "seed": 2**40,
    }  # fmt: skip


def _declared() -> dict[str, object]:
    return {
        "name": "public", "kind": "pixels", "value": "3" * 64, "role": "train", "label": "line 1",
    }  # fmt: skip


def main(out: Path) -> None:
    """Write the registry's SQL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "registry.db"
        told = {"this_actor": lambda: "anna", "utc_now": lambda: "2025-01-31T09:00:00.000+00:00"}
        with mock.patch.multiple(module, **told):
            registry = Registry.create(RegistryPlace(path))
            fill(registry)
            registry.close()
        with closing(sqlite3.connect(path)) as connection:
            lines = list(connection.iterdump())
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
