"""Rows that tests of the registry write, and what the audit has against rows."""

from typing import Any

from lesionary.io.registry.checks import RowFault, row_faults, snapshot
from lesionary.io.registry.facts import AUDITED
from lesionary.io.registry.records import RunRecord, UnitRecord
from lesionary.io.registry.registry import Registry


def a_subject(number: int = 1) -> dict[str, Any]:
    return {
        "id": f"sub-{number:04d}",
        "number": number,
        "identity_hash": f"{number:064x}",
        "sex": None,
        "age": None,
        "is_from_file": False,
        "released_id": None,
    }


def a_timepoint(subject: int = 1, **values: Any) -> dict[str, Any]:
    row = {
        "id": f"timepoint-{subject}",
        "subject_id": f"sub-{subject:04d}",
        "number": 0,
        "study_date": "2020-01-31",
        "name": None,
        "version": 1,
    }
    return row | values


def a_series(number: int = 1, **values: Any) -> dict[str, Any]:
    row = {
        "id": f"ser-{number:04d}",
        "number": number,
        "ingest": 1,
        "subject_id": "sub-0001",
        "timepoint_id": "timepoint-1",
        "study_uid": "2.25.1",
        "series_uid": f"2.25.2.{number}",
        "frame_uid": None,
        "modality": "CT",
        "quantity": "hu",
        "region": "thorax",
        "subset": "train",
        "shape": [2, 3, 4],
        "spacing_mm": [2.0, 0.7, 0.7],
        "affine": [1.0, 0.0, 0.0, -1.5],
        "technical": {"KVP": 120, "Ärzte": "½"},
        "suv_factor": None,
        "suv_reason": "not a PET",
        "object_id": "0" * 64,
        "pixel_hash": None,
        "source": "1#0",
        "outcome": "ingested",
    }
    return row | values


def an_annotation(number: int = 1, **values: Any) -> dict[str, Any]:
    row = {
        "id": f"annotation-{number}",
        "series_id": "ser-0001",
        "object_id": "1" * 64,
        "author": "anna",
        "role": "reader",
        "version": None,
        "generation": None,
        "method": "MANUAL",
        "parent_id": None,
        "review_state": "unreviewed",
        "ingest": 1,
        "source": "1#1",
    }
    return row | values


def a_decision(number: int = 1, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "subject_id": "sub-0001",
        "verdict": "relink",
        "from_series_id": "ser-0001",
        "from_lesion": 1,
        "from_object": "1" * 64,
        "to_series_id": "ser-0001",
        "to_lesion": None,
        "to_object": "1" * 64,
        "further": [{"series": "ser-0001", "lesion": 2, "object": "1" * 64}],
        "reader": "anna",
        "at": "2020-01-31T00:00:00.000+00:00",
    }
    return row | values


def a_role_decision(number: int = 1, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "subject_id": "sub-0001",
        "series_id": "ser-0001",
        "lesion": 1,
        "object_id": "1" * 64,
        "role": "target",
        "reader": "anna",
        "at": "2020-01-31T00:00:00.000+00:00",
    }
    return row | values


def a_reported_diameter(number: int = 1, **values: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "subject_id": "sub-0001",
        "timepoint_id": "timepoint-1",
        "lesion": "A",
        "series_id": "ser-0001",
        "number": 1,
        "object_id": "1" * 64,
        "diameter_mm": "12.30",
        "source": "report",
        "reader": "anna",
        "at": "2020-01-31T00:00:00.000+00:00",
        "replaces": None,
    }
    return row | values


def a_run() -> RunRecord:
    return RunRecord(
        "run-1", "measure", 1, {"label": None}, "1.0", "2" * 64, "none", "anna", "2020-01-31"
    )


def a_unit(
    name: str = "ser-0001", key: str = "k", state: str = "done", **values: Any
) -> UnitRecord:
    output = {"n": 1} if state == "done" else None
    return UnitRecord("measure", name, key, state, **({"output": output} | values))


def faults_of(registry: Registry) -> list[RowFault]:
    """Return every row of any table that is not what its last event says."""
    with snapshot(registry) as connection:
        return [fault for audited in AUDITED for fault in row_faults(connection, audited)]
