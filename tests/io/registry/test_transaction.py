import datetime as dt
import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import registry as registry_module
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Draft, Head, breaks
from lesionary.io.registry.guards import drop_guards
from lesionary.io.registry.registry import Registry, utc_now
from lesionary.io.registry.transaction import CLOCK_TOLERANCE, Transaction
from registry_rows import (
    a_decision,
    a_reported_diameter,
    a_role_decision,
    a_run,
    a_series,
    a_subject,
    a_timepoint,
    a_unit,
    an_annotation,
    faults_of,
)

REVIEW = {
    "id": "review-1", "annotation_id": "annotation-1", "reader": "ben", "verdict": "accepted",
    "likert": 5, "comment": "", "seconds": 12,
}  # fmt: skip
LESION = {"id": "lesion-1", "subject_id": "sub-0001", "name": "A", "label": "tumour"}
TRACK = {
    "id": "track-1", "lesion_id": "lesion-1", "from_series_id": "ser-0001", "from_lesion": 1,
    "to_series_id": None, "to_lesion": None, "relation": "gone", "reader": "ben",
}  # fmt: skip


@pytest.fixture
def full(registry):
    """A registry with a row of every permanent table."""
    with registry.writing(why="to be kept") as writing:
        writing.insert(tables.subject, [a_subject()])
        writing.insert(tables.timepoint, [a_timepoint()])
        writing.insert_series(a_series(), ["2.25.7", "2.25.8"])
        writing.insert(tables.annotation, [an_annotation()])
        writing.insert(tables.review, [REVIEW])
        writing.insert(tables.lesion, [LESION])
        writing.insert(tables.track, [TRACK])
        writing.insert(tables.decision, [a_decision()])
        writing.insert(tables.role_decision, [a_role_decision()])
        writing.insert(tables.reported_diameter, [a_reported_diameter()])
    return registry


def counts(registry):
    return {row["name"]: row["n"] for row in registry.rows(tables.tally) if row["n"]}


def everything(registry):
    return {table.name: registry.rows(table) for table in tables.metadata.sorted_tables}


def assert_holds(registry):
    assert list(breaks(registry.events(), registry.head())) == []
    assert faults_of(registry) == []


def test_rows_and_events_agree(full):
    assert_holds(full)
    assert [event.why for event in full.events()] == ["to be kept"] * 10


@pytest.mark.parametrize(
    ("frames", "changed"), [((), 1), ((1, 2), None), ((1, 2), 3), ((None, 2), 1), ((2, 1), 1)]
)
def test_the_numbers_of_frames_are_in_the_fact(full, frames, changed):
    with full.writing() as writing:
        writing.insert_series(a_series(2), ["2.25.9", "2.25.9"], frames)
    found = full.rows(tables.instance, series_id="ser-0002", order_by=("k",))
    assert [row["frame"] for row in found] == list(frames or (None, None))
    assert_holds(full)
    with full.engine.begin() as connection:
        drop_guards(connection, tables.instance)
        first = sa.and_(tables.instance.c.series_id == "ser-0002", tables.instance.c.k == 0)
        connection.execute(sa.update(tables.instance).where(first).values(frame=changed))
    assert [fault.object for fault in faults_of(full)] == ["series/ser-0002"]


@pytest.mark.parametrize("seconds", [12, 12.5, None])
def test_a_number_without_a_fraction_is_the_same_fact(full, seconds):
    row = REVIEW | {"id": "review-2", "seconds": seconds}
    with full.writing() as writing:
        writing.insert(tables.review, [row])
        writing.insert_series(a_series(2, suv_factor=seconds), [])
    assert_holds(full)


def test_an_exception_in_the_block_leaves_nothing(full):
    before = everything(full)

    def write_half():
        with full.writing() as writing:
            writing.insert(tables.subject, [a_subject(2)])
            writing.record_units([a_unit()], {})
            writing.count("subject", 7)
            writing.say(Draft("created", "study"))
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert everything(full) == before


def test_counts_follow_the_rows(full):
    findings = [
        {
            "id": n, "ingest": 1, "source": f"1#{n}", "series_id": None, "code": "torn",
            "outcome": outcome, "reason": "", "hint": "", "instances": 1, "by_rule": False,
        }
        for n, outcome in enumerate(["left_out", "left_out", "ignored"])
    ]  # fmt: skip
    with full.writing() as writing:
        writing.insert(tables.finding, findings)
        writing.record_units([a_unit("a"), a_unit("b", state="failed")], {})
    expected = {
        "subject": 1, "timepoint": 1, "series": 1, "annotation": 1, "review": 1, "lesion": 1,
        "decision": 1, "role_decision": 1, "reported_diameter": 1,
        "track": 1, "finding:left_out": 2, "finding:ignored": 1,
        "unit:measure:done": 1, "unit:measure:failed": 1,
    }  # fmt: skip
    assert counts(full) == expected
    full.record_units([a_unit("b", key="k2")])
    expected["unit:measure:done"] = 2
    del expected["unit:measure:failed"]
    assert counts(full) == expected
    full.forget_units("measure", ["a", "b"], why="")
    with full.writing() as writing:
        writing.delete(tables.finding, findings[0], why="it was a mistake")
    del expected["unit:measure:done"]
    expected["finding:left_out"] = 1
    assert counts(full) == expected
    assert_holds(full)


def test_a_change_counts_the_version_on(full):
    (row,) = full.rows(tables.timepoint)
    with full.writing() as writing:
        writing.change(tables.timepoint, row, why="an earlier scan arrived", number=1)
    (after,) = full.rows(tables.timepoint)
    assert (after["number"], after["version"]) == (1, 2)
    *_, event = full.events()
    assert (event.action, event.why) == ("changed", "an earlier scan arrived")
    assert_holds(full)


def test_of_two_changes_to_one_row_the_second_is_refused(full):
    (row,) = full.rows(tables.timepoint)
    with full.writing() as writing:
        writing.change(tables.timepoint, row, why="one", number=1)
    before = everything(full)
    with pytest.raises(WorkflowError) as refused, full.writing() as writing:
        writing.change(tables.timepoint, row, why="two", number=2)
    assert refused.value.code == "changed_meanwhile"
    assert everything(full) == before


def test_what_is_gone_cannot_be_deleted_again(full):
    with full.writing() as writing:
        writing.insert(tables.subject, [a_subject(2)])
    with full.writing() as writing:
        writing.delete(tables.subject, a_subject(2), why="withdrawn")
    before = everything(full)
    with pytest.raises(WorkflowError) as refused, full.writing() as writing:
        writing.delete(tables.subject, a_subject(2), why="withdrawn")
    assert refused.value.code == "changed_meanwhile"
    assert everything(full) == before


def test_a_unit_done_twice_under_one_key_is_recorded_once(registry):
    registry.record_units([a_unit(output={"by": "one"})])
    registry.record_units([a_unit(output={"by": "two"})])
    (unit,) = registry.units("measure").values()
    assert (unit.output, unit.version) == ({"by": "one"}, 1)
    assert registry.head().seq == 1


def test_a_unit_that_failed_is_recorded_anew_under_the_same_key(registry):
    registry.record_units([a_unit(state="failed", reason="torn")])
    registry.record_units([a_unit()])
    (unit,) = registry.units("measure").values()
    assert (unit.state, unit.version, unit.reason) == ("done", 2, None)
    assert [event.action for event in registry.events()] == ["failed", "done"]


@pytest.mark.parametrize("table", tables.PERMANENT, ids=lambda table: table.name)
def test_what_is_permanent_is_neither_changed_nor_deleted(full, table):
    before = everything(full)
    column = next(column for column in table.columns if isinstance(column.type, sa.String))
    statements = [
        sa.update(table).values({column.name: "forged"}),
        sa.delete(table),
    ]
    if full.place.url is not None:
        statements.append(sa.text(f"TRUNCATE {table.name} CASCADE"))
    for statement in statements:
        refused = pytest.raises(sa.exc.DBAPIError, match="never changed")
        with refused, full.engine.begin() as connection:
            connection.execute(statement)
    assert everything(full) == before


@pytest.mark.parametrize("table", tables.PERMANENT, ids=lambda table: table.name)
def test_what_is_permanent_is_not_replaced(full, table):
    """SQLite's REPLACE deletes the row in its way, and calls no trigger for that."""
    if full.place.url is not None:
        pytest.skip("PostgreSQL has no REPLACE")
    before = everything(full)
    replacing = f"REPLACE INTO {table.name} SELECT * FROM {table.name}"  # noqa: S608
    refused = pytest.raises(sqlite3.IntegrityError, match="never changed")
    with closing(sqlite3.connect(full.place.path)) as stranger, refused:
        stranger.execute(replacing)
    assert everything(full) == before


@contextmanager
def clock_at(monkeypatch, moment):
    with monkeypatch.context() as patch:
        patch.setattr(registry_module, "utc_now", lambda: moment.isoformat(timespec="milliseconds"))
        yield


def test_a_clock_that_was_set_back_is_named(registry, monkeypatch):
    registry.record_units([a_unit("a")])
    last = dt.datetime.fromisoformat(registry.head().at)
    with clock_at(monkeypatch, last - CLOCK_TOLERANCE - dt.timedelta(seconds=1)):
        with pytest.raises(WorkflowError) as refused:
            registry.record_units([a_unit("b")])
        assert refused.value.code == "clock_set_back"
        assert set(registry.units("measure")) == {"a"}
        with registry.writing(accepts_clock=True) as writing:
            writing.say(Draft("accepted", "clock", "the last time was wrong"))
        registry.record_units([a_unit("b")])
    assert set(registry.units("measure")) == {"a", "b"}
    assert_holds(registry)


def test_clocks_of_two_machines_may_differ_a_little(registry, monkeypatch):
    registry.record_units([a_unit("a")])
    last = dt.datetime.fromisoformat(registry.head().at)
    with clock_at(monkeypatch, last - CLOCK_TOLERANCE):
        registry.record_units([a_unit("b")])
    assert set(registry.units("measure")) == {"a", "b"}


def test_writers_queue_from_the_first_moment_of_a_transaction(registry, place):
    entered, may_end = threading.Event(), threading.Event()
    order = []

    def first():
        own = Registry.open(place)
        with own.writing() as writing:
            entered.set()
            may_end.wait(20)
            writing.say(Draft("said", "first"))
            order.append("first")
        own.close()

    def second():
        own = Registry.open(place)
        with own.writing() as writing:
            order.append("second")
            writing.say(Draft("said", "second"))
        own.close()

    one = threading.Thread(target=first)
    one.start()
    assert entered.wait(20)
    two = threading.Thread(target=second)
    two.start()
    two.join(0.3)
    assert order == []
    may_end.set()
    one.join(20)
    two.join(20)
    assert order == ["first", "second"]
    assert [event.object for event in registry.events()] == ["first", "second"]
    assert_holds(registry)


def test_a_reader_is_not_held_up_by_a_writer_and_sees_the_state_before(registry):
    with registry.writing() as writing:
        writing.insert(tables.subject, [a_subject()])
        writing.connection.execute(sa.select(tables.subject))
        assert registry.rows(tables.subject) == []
    assert len(registry.rows(tables.subject)) == 1


def test_a_writer_that_waits_too_long_says_so(registry, place, monkeypatch):
    monkeypatch.setenv("LESIONARY_REGISTRY_WAIT_S", "0.1")
    impatient = Registry.open(place)
    with registry.writing(), pytest.raises(WorkflowError) as refused, impatient.writing():
        pass
    assert refused.value.code == "busy"
    impatient.close()


def test_a_write_whose_answer_was_lost_is_not_done_twice(registry, monkeypatch):
    """The server commits and goes away before it says so."""
    begin, calls = registry.engine.begin, []

    @contextmanager
    def losing_the_answer():
        with begin() as connection:
            yield connection
        calls.append("committed")
        if len(calls) == 1:
            raise WorkflowError("gone", code="registry_unreachable")

    monkeypatch.setattr(registry.engine, "begin", losing_the_answer)
    registry.add_run(a_run())
    assert calls == ["committed", "committed"]
    assert len(registry.rows(tables.run)) == 1
    assert registry.head().seq == 1
    assert_holds(registry)


def test_a_write_without_events_is_repeated_when_it_failed(registry, monkeypatch):
    registry.record_units([a_unit()])
    begin, calls = registry.engine.begin, []

    @contextmanager
    def failing_once():
        with begin() as connection:
            yield connection
            calls.append("tried")
            if len(calls) == 1:
                raise WorkflowError("gone", code="registry_unreachable")

    monkeypatch.setattr(registry.engine, "begin", failing_once)
    registry.write(
        lambda transaction: transaction.connection.execute(
            sa.insert(tables.claim), {"stage": "s", "name": "n", "holder": "h"}
        )
    )
    assert len(registry.rows(tables.claim)) == 1


def test_a_transaction_that_says_nothing_leaves_the_chain_alone(registry):
    before = registry.head()
    with registry.writing():
        pass
    assert registry.head() == before


def test_the_head_is_the_last_event(full):
    *_, last = full.events()
    assert full.head() == Head(last.seq, last.hash, last.at)


def test_events_name_who_acts(registry, monkeypatch):
    monkeypatch.setenv("LESIONARY_ACTOR", "dr. anna")
    registry.say(Draft("created", "study"))
    (event,) = registry.events()
    assert (event.actor, event.action) == ("dr. anna", "created")
    assert event.at <= utc_now()


def test_one_row_twice_in_an_insert_leaves_nothing(registry):
    with pytest.raises(sa.exc.IntegrityError), registry.writing() as writing:
        writing.insert(tables.subject, [a_subject(), a_subject()])
    assert registry.rows(tables.subject) == []
    assert counts(registry) == {}


def test_numbers_go_on_after_the_highest(registry):
    with registry.engine.begin() as connection:
        writing = Transaction(connection, at=utc_now(), actor="anna")
        assert writing.next_number(tables.subject.c.number) == 1
        writing.insert(tables.subject, [a_subject(7)])
        assert writing.next_number(tables.subject.c.number) == 8
        writing.finish()
