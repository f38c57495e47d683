import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from lesionary.core.errors import WorkflowError
from lesionary.core.identity import canonical_json
from lesionary.io.registry import tables
from lesionary.io.registry.chain import breaks
from lesionary.io.registry.health import kept_counts, missing_guards, true_counts
from lesionary.io.registry.migrations import schema_1
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry
from lesionary.io.registry.revision import revision_of
from lesionary.io.registry.status import read_status
from lesionary.io.registry.upgrade import Upgraded, steps, upgrade_registry
from lesionary.io.registry.version import SCHEMA_VERSION
from old_registries import connected, old_rows, opened, schema_of
from registry_rows import faults_of

MIB = 2**20


def old_values(place, name):
    table = schema_1.metadata.tables[name]
    with connected(place) as connection:
        query = sa.select(table).order_by(*table.primary_key)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_the_golden_registry_has_rows_of_every_kind(old):
    rows = old_rows(old)
    assert all(rows.values())
    assert {row["author"] for row in old_values(old, "annotation")} >= {"given", "anna", "model"}
    outcomes = {row["outcome"] for row in old_values(old, "finding")}
    assert outcomes == {"warned", "left_out", "ignored", "ingested"}
    assert {row["state"] for row in old_values(old, "unit")} == {"done", "failed"}


def test_rows_are_carried_over_whole(old):
    names = [table.name for table in schema_1.metadata.sorted_tables]
    before = {name: old_values(old, name) for name in names}
    upgrade_registry(old)
    with opened(old) as registry:
        for name in names:
            table = tables.metadata.tables[name]
            after = registry.rows(table, order_by=[column.name for column in table.primary_key])
            kept = set(table.columns.keys()) & set(before[name][0])
            kept -= {"subset"}  # worked out anew: see the next test
            changed = {"schema"} if name == "meta" else set()
            for was, now in zip(before[name], after, strict=True):
                if was.get("key") not in changed:
                    assert {key: now[key] for key in kept} == {key: was[key] for key in kept}
        moved = {"timepoint", "timepoint_name", "study_date"}
        for was, now in zip(before["series"], registry.all_series(), strict=True):
            assert {key: now[key] for key in moved} == {key: was[key] for key in moved}


def test_what_schema_1_did_not_know_is_worked_out_or_null(old):
    upgrade_registry(old)
    with opened(old) as registry:
        subjects = registry.rows(tables.subject, order_by=["number"])
        series = registry.all_series()
        annotations = registry.rows(tables.annotation)
        boxes = registry.rows(tables.box)
        units = registry.rows(tables.unit)
    assert [row["is_from_file"] for row in subjects] == [False, False, True, False, True]
    assert [row["ingest"] for row in series] == [1, 1, 2, 2, 2, 2]
    assert {row["pixel_hash"] for row in series} == {None}
    assert {row["subset"] for row in series} == {""}, "no folder parted training from test"
    assert {(row["author"] == "given", row["role"]) for row in annotations} == {
        (True, "unknown"),
        (False, "reader"),
    }
    assert {(row["ingest"], row["source"].split("#")[0]) for row in annotations} == {
        (1, "1"),
        (2, "2"),
    }
    assert {row["generation"] or row["parent_id"] for row in annotations} == {None}
    assert [row["ingest"] for row in boxes] == [2]
    assert {row["version"] for row in units} == {1}
    assert {row["inputs"] or row["model"] or row["run_id"] for row in units} == {None}
    assert {row["output"] is None for row in units if row["state"] == "failed"} == {True}


def test_json_is_canonical_and_missing_values_are_null(old):
    upgrade_registry(old)
    with connected(old) as connection:
        for table in tables.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, tables.StoredJson):
                    texts = connection.execute(sa.select(sa.type_coerce(column, sa.Text)))
                    for text in texts.scalars():
                        assert text is None or text == canonical_json(json.loads(text)).decode()
                        assert text != "null"


def test_every_row_is_in_the_audit_and_the_audit_holds(old):
    upgrade_registry(old)
    with opened(old) as registry:
        events = list(registry.events())
        assert list(breaks(events, registry.head())) == []
        assert faults_of(registry) == []
    ends = [n for n, event in enumerate(events) if event.action == "upgraded"]
    assert [events[n].object for n in ends] == ["registry/schema"] * 2
    assert ends[1] == len(events) - 1
    first, then = events[: ends[0]], events[ends[0] + 1 : -1]
    for before, steps_events in ((1, first), (2, then)):
        assert {(event.action, event.why) for event in steps_events} == {
            ("carried_over", f"upgrade from schema {before}")
        }
    assert {event.object.split("/")[0] for event in first} == {
        "subject", "timepoint", "series", "finding", "annotation", "box", "unit",
    }  # fmt: skip
    assert {event.object.split("/")[0] for event in then} == {"subject"}


def test_counts_are_those_of_the_rows(old):
    upgrade_registry(old)
    document = read_status(old, "x")
    assert document["counts"] == {
        "subjects": len(document["series"]) - 1,  # one subject came twice
        "series": len(document["series"]),
        "masks": len(document["masks"]),
        "left_out": len(document["left_out"]),
        "ignored": len(document["ignored"]),
        "failed": len(document["failed"]),
    }
    with connected(old) as connection:
        assert kept_counts(connection) == true_counts(connection)
        assert list(missing_guards(connection)) == []
    stages = {row["stage"]: row for row in document["stages"]}
    assert (stages["agree"]["done"], stages["agree"]["due"]) == (2, 0)
    assert (stages["prepare"]["done"], stages["prepare"]["due"]) == (6, 0)


def test_the_registry_can_be_written_after_it(outdated):
    upgrade_registry(outdated)
    with opened(outdated) as registry:
        with registry.ingest() as ingest:
            assert ingest.number == 3
            row = registry.rows(tables.timepoint, order_by=["number"])[0]
            ingest.change(tables.timepoint, row, why="an earlier scan arrived", number=7)
        assert list(breaks(registry.events(), registry.head())) == []
        with pytest.raises(sa.exc.DBAPIError), registry.engine.begin() as connection:
            connection.execute(sa.delete(tables.annotation))


def test_an_upgraded_registry_is_built_like_a_new_one(outdated, tmp_path):
    upgrade_registry(outdated)
    new = RegistryPlace(tmp_path / "new.db", outdated.url, f"{outdated.study_id}-new")
    Registry.create(new).close()
    assert structure(outdated) == structure(new)
    for place in (outdated, new):
        with connected(place) as connection:
            assert differences(connection) == []


def test_a_new_registry_has_the_newest_revision(registry):
    with registry.reading() as connection:
        context = MigrationContext.configure(connection)
        newest = ScriptDirectory.from_config(steps(connection, None)).get_current_head()
        assert context.get_current_revision() == newest == revision_of(SCHEMA_VERSION)


def test_the_first_step_makes_the_tables_that_old_studies_have(place, tmp_path, make_old):
    with connected(place) as connection:
        if place.url is not None:
            connection.execute(sa.schema.CreateSchema(place.schema))
        command.upgrade(steps(connection, None), "0001")
    golden = RegistryPlace(tmp_path / "golden.db", place.url, f"{place.study_id}-golden")
    make_old(golden)
    assert structure(place, "alembic_version") == structure(golden)


def differences(connection):
    def is_ours(thing, name, kind, _reflected, _compared):
        return not (kind == "table" and name == "alembic_version")

    context = MigrationContext.configure(connection, opts={"include_object": is_ours})
    return compare_metadata(context, tables.metadata)


def structure(place, *left_out):
    """Everything that the database says about tables, columns, keys, indexes and triggers."""
    with connected(place) as connection:
        if place.url is None:
            query = "SELECT type, name, tbl_name, sql FROM sqlite_master"
            found = {tuple(row) for row in connection.exec_driver_sql(query)}
            return {row for row in found if row[2] not in left_out}
        found = set()
        for query in CATALOGUE:
            found |= {tuple(row) for row in connection.exec_driver_sql(query)}
        plain = {tuple(str(part).replace(place.schema, "") for part in row) for row in found}
        return {row for row in plain if not row[0].startswith(left_out or "-")}


CATALOGUE = (
    "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default,"
    " character_maximum_length FROM information_schema.columns"
    " WHERE table_schema = current_schema",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = current_schema::regnamespace",
    "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t"
    " JOIN pg_class c ON c.oid = tgrelid"
    " WHERE NOT tgisinternal AND relnamespace = current_schema::regnamespace",
    "SELECT relname, obj_description(oid) FROM pg_class"
    " WHERE relnamespace = current_schema::regnamespace",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema::regnamespace",
)


def test_a_current_registry_is_left_alone(registry, place):
    head = registry.head()
    registry.close()
    assert upgrade_registry(place) == Upgraded(3, 3, None)
    with opened(place) as again:
        assert again.head() == head
    assert list(place.path.parent.glob("*backup*")) == []


def test_a_second_upgrade_has_nothing_to_do(outdated):
    before = schema_of(outdated)
    assert upgrade_registry(outdated).before == before
    with opened(outdated) as registry:
        head = registry.head()
    assert upgrade_registry(outdated) == Upgraded(3, 3, None)
    with opened(outdated) as registry:
        assert registry.head() == head


def test_a_registry_of_a_newer_lesionary_is_refused(registry, place):
    registry.set_meta("schema", "999")
    registry.close()
    with pytest.raises(WorkflowError, match="999") as refused:
        upgrade_registry(place)
    assert refused.value.code == "schema_new"


def test_an_old_registry_is_not_opened_but_told_how(outdated):
    with pytest.raises(WorkflowError) as refused:
        Registry.open(outdated)
    assert refused.value.code == "schema_old"
    assert "lesionary upgrade" in refused.value.hint


def test_a_missing_registry_is_named(place):
    with pytest.raises(WorkflowError) as refused:
        upgrade_registry(place)
    assert refused.value.code == "registry_missing"


def test_a_registry_without_its_schema_is_damaged(outdated):
    with connected(outdated) as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'schema'")
    with pytest.raises(WorkflowError) as refused:
        upgrade_registry(outdated)
    assert refused.value.code == "registry_damaged"


def test_the_old_rows_are_kept(outdated):
    before, schema = old_rows(outdated), schema_of(outdated)
    kept = upgrade_registry(outdated).backup
    if outdated.url is None:
        assert kept == f"registry-schema{schema}-backup.db"
        assert old_rows(RegistryPlace(outdated.path.with_name(kept))) == before
        return
    with connected(outdated) as connection:
        connection.exec_driver_sql(f'SET search_path = "{kept}"')
        for name, rows in before.items():
            query = f"SELECT count(*) FROM {name}"  # noqa: S608
            assert len(rows) == connection.exec_driver_sql(query).scalar()


def test_an_earlier_copy_is_never_overwritten(tmp_path, make_old):
    place = RegistryPlace(tmp_path / "registry.db")
    names = []
    for _ in range(3):
        for part in ("", "-wal", "-shm"):
            place.path.with_name(f"registry.db{part}").unlink(missing_ok=True)
        make_old(place)
        names.append(upgrade_registry(place).backup)
    assert len(set(names)) == 3
    contents = {tmp_path.joinpath(name).read_bytes() for name in names}
    assert len(contents) == 1


class StoppedError(Exception):
    """Something went wrong in the middle."""


@contextmanager
def stopping_at(number):
    """Raise at the n-th statement that changes something."""
    seen = []

    def count(_connection, _cursor, statement, *_rest):
        if statement.split(maxsplit=1)[0] not in {"SELECT", "PRAGMA", "BEGIN"}:
            seen.append(statement)
            if len(seen) == number:
                raise StoppedError

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)


def test_an_upgrade_that_fails_anywhere_leaves_the_old_registry_whole(outdated):
    before, built = old_rows(outdated), structure(outdated)
    n_statements = 1
    while True:
        with stopping_at(n_statements) as seen:
            try:
                upgrade_registry(outdated)
            except StoppedError:
                pass
            else:
                break
        assert old_rows(outdated) == before
        assert structure(outdated) == built
        n_statements += 7
    assert len(seen) > 50
    with opened(outdated) as registry:
        assert list(breaks(registry.events(), registry.head())) == []


KILLED = """
import os, signal, sys
import sqlalchemy as sa
from pathlib import Path
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.upgrade import upgrade_registry

@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def die(_connection, _cursor, statement, *_rest):
    if statement.startswith("INSERT INTO unit"):
        os.kill(os.getpid(), signal.SIGKILL)

upgrade_registry(RegistryPlace(Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3]))
"""


def test_a_killed_upgrade_leaves_the_old_registry_whole_and_can_be_repeated(outdated):
    before = old_rows(outdated)
    words = [
        sys.executable,
        "-c",
        KILLED,
        str(outdated.path),
        outdated.url or "",
        outdated.study_id,
    ]
    done = subprocess.run(words, timeout=60, check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert old_rows(outdated) == before
    assert upgrade_registry(outdated).after == 3


def test_a_full_disk_leaves_the_old_registry_whole(small_disk, make_old):
    disk = small_disk(4)
    place = RegistryPlace(disk.path / "registry.db", None, "study")
    make_old(place)
    before = old_rows(place)
    for leave_bytes in (0, 64 * 1024, MIB // 2):
        disk.fill(leave_bytes)
        with pytest.raises(WorkflowError) as refused:
            upgrade_registry(place)
        assert refused.value.code == "not_writable"
        disk.relieve()
        assert old_rows(place) == before
    assert list(disk.path.glob(".partial-*")) == []
    assert upgrade_registry(place).after == 3


def test_two_upgrades_at_once_make_one(outdated):
    schema = schema_of(outdated)
    place = [str(outdated.path), outdated.url or "", outdated.study_id]
    words = [sys.executable, "-c", TWICE, *place]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = sorted(int(process.communicate(timeout=60)[0]) for process in running)
    assert found == [schema, 3]
    with opened(outdated) as registry:
        assert list(breaks(registry.events(), registry.head())) == []


TWICE = """
import sys
from pathlib import Path
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.upgrade import upgrade_registry

print(upgrade_registry(RegistryPlace(Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3])).before)
"""


def test_an_old_value_that_json_has_no_word_for_becomes_null(tmp_path, make_old):
    place = RegistryPlace(tmp_path / "registry.db")
    make_old(place)
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("""UPDATE series SET technical = '{"KVP": NaN}' WHERE number = 1""")
    upgrade_registry(place)
    with opened(place) as registry:
        assert registry.all_series()[0]["technical"] == {"KVP": None}


def test_series_of_one_visit_share_their_time_point(tmp_path, make_old):
    place = RegistryPlace(tmp_path / "registry.db")
    make_old(place)
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute(
            "UPDATE series SET subject_id = 'sub-0001', study_date = NULL,"
            " timepoint_name = CASE number WHEN 1 THEN NULL ELSE '' END, timepoint = 3"
            " WHERE number IN (1, 2, 3)"
        )
    upgrade_registry(place)
    with opened(place) as registry:
        shared = {row["timepoint_id"] for row in registry.all_series()[:3]}
        (point,) = registry.rows(tables.timepoint, subject_id="sub-0001")
        assert shared == {point["id"]}
        assert point["number"] == 3
        assert list(breaks(registry.events(), registry.head())) == []
