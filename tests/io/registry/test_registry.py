from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.registry.chain import breaks
from lesionary.io.registry.registry import Registry
from registry_rows import a_run, a_series, a_subject, a_timepoint, a_unit


def test_an_ingest_that_fails_leaves_nothing(registry):
    def ingest_half():
        with registry.ingest() as ingest:
            ingest.insert(tables.subject, [a_subject(1)])
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        ingest_half()
    assert registry.rows(tables.subject) == []
    assert registry.head().seq == 0
    with registry.ingest() as ingest:
        assert ingest.number == 1


def test_ingests_are_numbered_one_after_the_other(registry):
    numbers = []
    for _ in range(3):
        with registry.ingest() as ingest:
            numbers.append(ingest.number)
    assert numbers == [1, 2, 3]


def test_a_row_that_points_nowhere_is_refused(registry):
    with pytest.raises(sa.exc.IntegrityError), registry.ingest() as ingest:
        ingest.insert(tables.timepoint, [a_timepoint(subject=2)])


def test_writers_at_the_same_time_queue_and_lose_nothing(registry, place):
    def write(worker: int) -> None:
        own = Registry.open(place)
        for number in range(10):
            own.record_units([a_unit(f"{worker}-{number}", output={"n": number})])
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(registry.units("measure")) == 40
    assert registry.head().seq == 40
    assert list(breaks(registry.events(), registry.head())) == []


def test_a_registry_of_a_newer_lesionary_is_refused(registry, place):
    registry.set_meta("schema", "999")
    registry.close()
    with pytest.raises(WorkflowError, match="999") as refused:
        Registry.open(place)
    assert refused.value.code == "schema_new"


def test_a_missing_registry_is_named(place):
    with pytest.raises(WorkflowError) as refused:
        Registry.open(place)
    assert refused.value.code == "registry_missing"


def test_what_is_there_already_is_not_made_again(registry, place):
    registry.add_run(a_run())
    with pytest.raises((WorkflowError, sa.exc.DBAPIError)):
        Registry.create(place)
    assert len(registry.rows(tables.run)) == 1


def test_rows_come_back_as_they_went_in(registry):
    series = a_series(technical={"ratio": 0.1, "words": ["ä", "½", "日本"], "none": None})
    with registry.ingest() as ingest:
        ingest.insert(tables.subject, [a_subject()])
        ingest.insert(tables.timepoint, [a_timepoint(name="week 2")])
        ingest.insert_series(series, ["2.25.7", "2.25.8"])
    (found,) = registry.all_series()
    point = {"timepoint": 0, "study_date": "2020-01-31", "timepoint_name": "week 2"}
    assert dict(found) == series | point
    assert registry.sop_uids() == {"2.25.7", "2.25.8"}


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_are_all_series_in_the_order_of_their_numbers(registry, size):
    with registry.ingest() as ingest:
        ingest.insert(tables.subject, [a_subject()])
        ingest.insert(tables.timepoint, [a_timepoint()])
        for number in (5, 1, 4, 2, 3):
            ingest.insert_series(a_series(number), [])
    pages = list(registry.series_pages(size))
    assert [row for page in pages for row in page] == registry.all_series()
    assert [row["number"] for page in pages for row in page] == [1, 2, 3, 4, 5]
    assert all(len(page) == size for page in pages[:-1])


def test_a_unit_is_recorded_with_all_that_it_depends_on(registry):
    registry.add_run(a_run())
    unit = a_unit(
        inputs={"object": "a"}, model={"name": "walker", "generation": 3}, seed=7, run_id="run-1"
    )
    registry.record_units([unit], {"ser-0001": "new"})
    (found,) = registry.units("measure").values()
    assert found.version == 1
    assert (found.inputs, found.model, found.seed) == (unit.inputs, unit.model, unit.seed)
    (event,) = registry.events(of="unit/measure/ser-0001")
    assert (event.action, event.why, event.run_id) == ("done", "new", "run-1")


def test_a_unit_of_a_run_that_nobody_began_is_refused(registry):
    with pytest.raises(sa.exc.IntegrityError):
        registry.record_units([a_unit(run_id="never")])


def test_forgotten_units_are_due_again_and_leave_an_event(registry):
    registry.record_units([a_unit("a"), a_unit("b")])
    registry.forget_units("measure", ["a", "never"], why="drawn on")
    assert set(registry.units("measure")) == {"b"}
    *_, event = registry.events()
    assert (event.action, event.object, event.fact) == ("forgotten", "unit/measure/a", None)
    assert event.why == "drawn on"


def test_nothing_to_forget_leaves_no_event(registry):
    registry.forget_units("measure", [], why="")
    registry.forget_units("measure", ["never"], why="")
    assert registry.head().seq == 0


def test_settings_are_stored_in_place_of_older_ones(registry):
    assert registry.meta("planned:evaluate") is None
    for value in ("1", "2"):
        registry.set_meta("planned:evaluate", value)
    assert registry.meta("planned:evaluate") == "2"


def test_events_are_told_by_object_and_from_a_number_on(registry):
    for name in ("a", "b", "a"):
        registry.record_units([a_unit(name, key=f"{name}{registry.head().seq}")])
    assert [event.seq for event in registry.events()] == [1, 2, 3]
    assert [event.seq for event in registry.events(after=1)] == [2, 3]
    assert [event.seq for event in registry.events(of="unit/measure/a")] == [1, 3]


def test_two_studies_share_a_server_and_nothing_else(registry, place):
    if place.url is None:
        pytest.skip("a file holds one study")
    other = Registry.create(type(place)(place.path, place.url, "other"))
    other.record_units([a_unit()])
    assert registry.units("measure") == {}
    other.close()


def test_a_server_that_refuses_is_said_without_its_password(place, monkeypatch):
    if place.url is None:
        pytest.skip("a file has no password")
    monkeypatch.setenv("LESIONARY_REGISTRY_WAIT_S", "0.01")
    password = place.url.partition("lesionary:")[2].partition("@")[0]
    wrong = place.url.replace(password, "not-this-one")
    with pytest.raises(WorkflowError) as refused:
        Registry.open(type(place)(place.path, wrong, place.study_id))
    assert refused.value.code == "registry_refused"
    assert "not-this-one" not in str(refused.value) + str(refused.value.hint)
