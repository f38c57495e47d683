"""A study with rows in every table, and the ways somebody could change it behind its back."""
# ruff: noqa: S608 - SQL here is a test's own

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

from lesionary.app.study import Study
from lesionary.io.registry import tables
from registry_rows import a_decision, a_reported_diameter, a_role_decision
from small_scans import write_scans

SPEAKS_OF_ROWS = frozenset({"row_changed", "row_removed", "row_added"})


def make_study(folder: Path) -> Study:
    """Make a study with a release, and with rows in every table that events speak of."""
    study = Study.create(folder / "study")
    study.ingest([write_scans(folder / "scans", 3)])
    study.ingest([write_scans(folder / "drawn", 1, with_masks=True)])
    add_rows(study)
    study.run()
    study.registry.close()
    return study


def add_rows(study: Study) -> None:
    """Add one row of everything that no command writes yet."""
    (series, *_) = study.registry.rows(tables.series, order_by=("number",))
    (mask, *_) = study.registry.rows(tables.annotation)
    names = [str(UUID(int=n)) for n in range(1, 4)]
    subject = {"subject_id": series["subject_id"]}
    with study.registry.writing(why="for a test") as told:
        told.insert_series(
            series | {"id": "ser-0099", "number": 99, "series_uid": "2.25.99", "region": "abdomen"},
            ["1.2", "1.3", "1.4"],
        )
        review = {"reader": "anna", "verdict": "accept", "likert": 4, "comment": "", "seconds": 2.5}
        told.insert(tables.review, [{"id": names[0], "annotation_id": mask["id"], **review}])
        told.insert(tables.lesion, [{"id": names[1], "name": "A", "label": "m,liver", **subject}])
        track = {"from_series_id": series["id"], "from_lesion": 1, "to_series_id": "ser-0099"}
        told.insert(
            tables.track,
            [
                {"id": names[2], "lesion_id": names[1], "to_lesion": 2, "relation": "same"}
                | track
                | {"reader": None}
            ],
        )
        (point, *_) = study.registry.rows(tables.timepoint, id=series["timepoint_id"])
        ends = {"from_series_id": series["id"], "to_series_id": series["id"], **subject}
        told.insert(tables.decision, [a_decision(**ends)])
        told.insert(tables.role_decision, [a_role_decision(series_id=series["id"], **subject)])
        told.insert(
            tables.reported_diameter,
            [a_reported_diameter(series_id=series["id"], timepoint_id=point["id"], **subject)],
        )
        told.insert(
            tables.split,
            [
                {"name": "default", "part": "train", "fold": 1, "origin": "drawn", "seed": 0}
                | subject
            ],
        )
        declared = {"name": "others", "kind": "pixels", "value": "ab" * 32, "role": "pretraining"}
        told.insert(tables.declared_set, [declared | {"label": "item 1"}])


class Intruder:
    """Somebody with the right to write the registry's file, who drops the triggers first."""

    def __init__(self, study: Path) -> None:
        self.path = study / "registry.db"
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in self.connection.execute(names).fetchall():
            self.connection.execute(f"DROP TRIGGER {name}")

    def __enter__(self) -> "Intruder":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def execute(self, statement: str, *values: object) -> list[tuple]:
        """Run one statement."""
        return self.connection.execute(statement, values).fetchall()

    def rows(self, table: str) -> list[dict[str, object]]:
        """Return a table's rows as SQLite holds them."""
        cursor = self.connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def add(self, table: str, row: dict[str, object]) -> None:
        """Insert a row."""
        marks = ", ".join("?" * len(row))
        self.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())

    def remove(self, table: str, row: dict[str, object]) -> None:
        """Delete one row."""
        same = " AND ".join(f"{name} IS ?" for name in row)
        self.execute(f"DELETE FROM {table} WHERE {same}", *row.values())

    def replace(self, table: str, before: dict[str, object], after: dict[str, object]) -> None:
        """Put one row in another's place."""
        self.execute("BEGIN")
        self.remove(table, before)
        self.add(table, after)
        self.execute("COMMIT")


def flipped(value: object, rng: random.Random) -> object:
    """Return a value that differs in one character, or in its last digit."""
    if value is None:
        return "x"
    if isinstance(value, int):
        return value + 1000
    if isinstance(value, float):
        return value * (1 + 2**-52)
    if not value:
        return "x"
    place = rng.randrange(len(value))
    other = "1" if value[place] == "0" else "0"
    return value[:place] + other + value[place + 1 :]


def copy_study(study: Path, target: Path) -> Path:
    """Copy a closed study."""
    shutil.copytree(study, target)
    return target


def content(registry: Path) -> list[str] | None:
    """Return what a registry says, as SQL; None where SQLite cannot read it."""
    try:
        with closing(sqlite3.connect(registry)) as connection:
            return list(connection.iterdump())
    except (sqlite3.Error, UnicodeDecodeError):
        return None
