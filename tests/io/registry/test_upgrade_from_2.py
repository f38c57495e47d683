"""From schema 2 on the audit has a history: an upgrade continues it, and covers nothing up."""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.chain import breaks
from lesionary.io.registry.guards import drop_guards
from lesionary.io.registry.health import (
    changed_definitions,
    kept_counts,
    missing_guards,
    true_counts,
)
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry
from lesionary.io.registry.soundness import faults
from lesionary.io.registry.upgrade import upgrade_registry
from old_registries import TABLES, connected, old_rows, opened
from registry_rows import a_series, a_subject, a_timepoint

N_EVENTS = 27
ADDED = {("subject", "released_id"), ("source_instance", "frame")}


def all_rows(place):
    """Every row as stored, by table, in the columns that schema 2 has."""
    found = {}
    with connected(place) as connection:
        for table in TABLES[2].sorted_tables:
            query = sa.select(table).order_by(*table.primary_key)
            found[table.name] = [dict(row) for row in connection.execute(query).mappings()]
    return found


def faults_in(place):
    with opened(place) as registry, registry.reading() as connection:
        return [(fault.object, fault.code) for fault in faults(connection)]


def test_the_golden_registry_has_rows_of_every_kind_and_a_history(old_2):
    rows = old_rows(old_2)
    assert {name for name, found in rows.items() if not found} == {"claim"}
    assert {row["action"] for row in all_rows(old_2)["event"]} == {
        "added", "changed", "removed", "started", "done", "failed", "forgotten",
    }  # fmt: skip


def test_rows_and_history_are_carried_over_as_they_are(old_2):
    before = all_rows(old_2)
    upgrade_registry(old_2)
    after = all_rows(old_2)
    assert after["event"][:N_EVENTS] == before["event"]
    for name in before.keys() - {"event", "head", "meta"}:
        assert after[name] == before[name], name
    with opened(old_2) as registry:
        for table, column in ADDED:
            rows = registry.rows(tables.metadata.tables[table])
            assert {row[column] for row in rows} == {None}
        assert registry.rows(tables.curation) == []
        assert registry.meta("ingests") == "2"


def test_the_chain_goes_on_and_tells_of_what_has_another_hash_now(old_2):
    upgrade_registry(old_2)
    with opened(old_2) as registry:
        events = list(registry.events())
        assert list(breaks(events, registry.head())) == []
    told = [(event.action, event.object, event.why) for event in events[N_EVENTS:]]
    why = "upgrade from schema 2"
    assert told == [
        ("carried_over", "subject/sub-0001", why),
        ("carried_over", "subject/sub-0002", why),
        ("upgraded", "registry/schema", why),
    ]
    assert events[-1].details == '{"after":3,"before":2}'
    assert faults_in(old_2) == []


def test_it_is_as_sound_as_a_new_one(old_2):
    upgrade_registry(old_2)
    with connected(old_2) as connection:
        assert kept_counts(connection) == true_counts(connection)
        assert missing_guards(connection) == []
        assert changed_definitions(connection) == []


@pytest.mark.parametrize(
    ("table", "change", "fault"),
    [
        ("subject", {"sex": "F"}, ("subject/sub-0001", "row_changed")),
        ("series", {"region": "head"}, ("series/ser-0001", "row_changed")),
        ("annotation", {"author": "eve"}, ("annotation/annotation-1", "row_changed")),
        ("source_instance", {"sop_uid": "2.25.9"}, ("series/ser-0001", "row_changed")),
        ("event", {"why": "else"}, ("event/1", "event_changed")),
    ],
)
def test_what_was_changed_past_us_before_it_is_found_after_it(old_2, table, change, fault):
    changed = TABLES[2].tables[table]
    with connected(old_2) as connection:
        drop_guards(connection, changed)
        first = sa.select(sa.func.min(next(iter(changed.primary_key)))).scalar_subquery()
        where = next(iter(changed.primary_key)) == first
        connection.execute(sa.update(changed).where(where).values(**change))
    upgrade_registry(old_2)
    assert faults_in(old_2) == [fault]


def test_what_was_added_past_us_before_it_is_found_after_it(old_2):
    subject = TABLES[2].tables["subject"]
    row = {name: value for name, value in a_subject(9).items() if name in subject.columns}
    with connected(old_2) as connection:
        connection.execute(sa.insert(subject), row)
    upgrade_registry(old_2)
    assert faults_in(old_2) == [("subject/sub-0009", "row_added")]


@pytest.mark.parametrize("statement", ["DELETE FROM head", "UPDATE head SET seq = 3"])
def test_an_audit_that_does_not_end_where_it_should_is_not_continued(old_2, statement):
    with connected(old_2) as connection:
        connection.exec_driver_sql(statement)
    before = old_rows(old_2)
    with pytest.raises(WorkflowError) as refused:
        upgrade_registry(old_2)
    assert refused.value.code == "head_changed"
    assert old_rows(old_2) == before


def test_a_tail_that_was_cut_off_before_it_is_found_after_it(old_2):
    event = TABLES[2].tables["event"]
    with connected(old_2) as connection:
        drop_guards(connection, event)
        connection.execute(sa.delete(event).where(event.c.seq == N_EVENTS))
    upgrade_registry(old_2)
    assert ("event/28", "event_removed") in faults_in(old_2)


def test_rows_that_contradict_each_other_are_refused_whole(tmp_path, make_old):
    place = RegistryPlace(tmp_path / "registry.db")
    make_old(place, 2)
    with closing(sqlite3.connect(place.path)) as connection, connection:
        connection.execute("UPDATE box SET series_id = 'ser-0404'")
    before = old_rows(place)
    with pytest.raises(WorkflowError) as refused:
        upgrade_registry(place)
    assert refused.value.code == "registry_damaged"
    assert old_rows(place) == before


def test_a_server_keeps_the_first_schemas_rows_and_nothing_between(place, make_old):
    if place.url is None:
        pytest.skip("a file is copied")
    make_old(place)
    kept = upgrade_registry(place).backup
    with connected(place) as connection:
        found = {name for name in sa.inspect(connection).get_schema_names() if "study" in name}
    assert found == {place.schema, kept}


def test_a_registry_of_schema_2_that_grew_early_keeps_what_it_has(place):
    """While schema 3 was built, its first parts came under the number 2."""
    registry = Registry.create(place)
    with registry.ingest() as ingest:
        ingest.insert(tables.subject, [a_subject() | {"released_id": 7}])
        ingest.insert(tables.timepoint, [a_timepoint()])
        ingest.insert_series(a_series(), ["2.25.11", "2.25.12"])
        ingest.insert(tables.curation, [CURATED])
    head = registry.head()
    registry.set_meta("schema", "2")
    registry.close()
    with connected(place) as connection:
        connection.exec_driver_sql("ALTER TABLE source_instance DROP COLUMN frame")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    assert upgrade_registry(place).before == 2
    assert faults_in(place) == []
    with opened(place) as registry:
        assert [row["released_id"] for row in registry.rows(tables.subject)] == [7]
        assert registry.rows(tables.curation) == [CURATED]
        assert registry.head().seq == head.seq + 1
    with connected(place) as connection:
        assert changed_definitions(connection) == []
        assert kept_counts(connection) == true_counts(connection)


CURATED = {
    "id": 1,
    "series_key": "2.25.77",
    "ingest": 1,
    "source": "1#0",
    "series_id": "ser-0001",
    "outcome": "in",
    "rule": "",
    "label": "",
    "reason": "",
    "shared_reason": "",
    "unchecked": [],
    "version": 1,
}
