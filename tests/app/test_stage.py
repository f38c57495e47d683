from types import SimpleNamespace

import pytest

from lesionary.app.executor import InlineExecutor
from lesionary.app.progress import Silent
from lesionary.app.running import Running, run_stage
from lesionary.app.stage import Stage, Work, finished
from lesionary.app.study import Study
from lesionary.core.errors import InputError
from lesionary.io.registry.claims import claiming


def double(request: int) -> int:
    if request == 13:
        raise InputError("thirteen is refused", code="unlucky", hint="take another")
    if request == 99:
        raise ZeroDivisionError
    return 2 * request


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study whose series are numbers: what a stage plans is what the test says."""
    made = Study.create(tmp_path / "study")
    numbers = [1, 2, 13]
    monkeypatch.setattr(
        made.registry, "series_pages", lambda: iter([[{"id": f"u{n}"} for n in numbers]])
    )
    yield SimpleNamespace(
        registry=made.registry,
        protocol=made.protocol,
        files=made.files,
        home=made.home,
        numbers=numbers,
    )
    made.registry.close()


def a_stage(version: int = 1, *, planned=lambda _name: True) -> Stage:
    def plan(_study, rows):
        names = [row["id"] for row in rows if planned(row["id"])]
        return [Work(name, {"n": int(name[1:])}, int(name[1:])) for name in names]

    return Stage("double", version, plan, double, ("measure",))


def run(study, stage):
    with claiming(study.registry, study.files.holders) as claims:
        return run_stage(study, stage, Running(InlineExecutor(), claims, "none", Silent()))


def test_one_failed_unit_stops_no_other_and_says_why(study):
    report = run(study, a_stage())
    assert report.done == ("u1", "u2")
    (failed,) = report.failed
    assert (failed.name, failed.code, failed.hint) == ("u13", "unlucky", "take another")
    assert finished(study, a_stage()) == {"u1": 2, "u2": 4}


def test_a_second_run_does_only_what_failed(study):
    run(study, a_stage())
    report = run(study, a_stage())
    assert (report.done, report.up_to_date) == ((), 2)
    assert [record.name for record in report.failed] == ["u13"]


def test_a_new_version_of_a_stage_redoes_everything(study):
    run(study, a_stage())
    assert finished(study, a_stage(version=2)) == {}
    assert run(study, a_stage(version=2)).done == ("u1", "u2")


def test_units_that_are_no_longer_planned_are_forgotten(study):
    run(study, a_stage())
    run(study, a_stage(planned=lambda name: name == "u2"))
    assert list(study.registry.units("double")) == ["u2"]
    (told,) = [e for e in study.registry.events() if e.object == "unit/double/u1"][1:]
    assert (told.action, told.fact) == ("forgotten", None)


def test_a_fault_of_our_own_is_recorded_with_an_event_and_without_values(study):
    study.numbers[:] = [99, 1]
    report = run(study, a_stage())
    assert report.done == ("u1",)
    assert report.failed[0].code == "bug"
    assert "division" not in report.failed[0].reason


def test_every_unit_names_its_run_and_what_it_depends_on(study):
    run(study, a_stage())
    record = study.registry.units("double")["u2"]
    assert record.inputs == {"n": 2}
    (row,) = study.registry.rows(_run_table(), id=record.run_id)
    assert row["stage"] == "double"
    assert row["section"].keys() == {"measure"}
    assert len(row["code_digest"]) == 64


def test_the_audit_says_why_a_unit_was_due(study):
    run(study, a_stage())
    run(study, a_stage(version=2))
    whys = [e.why for e in study.registry.events() if e.object == "unit/double/u1"]
    assert whys == ["it is due for the first time", "the stage has a new version"]


def test_a_unit_that_another_process_holds_is_waited_for(study):
    """The other process records it while this one waits; it is not done twice."""
    import threading

    with claiming(study.registry, study.files.holders) as other:
        other.take("double", {"u1": 0})

        def record_later():
            import time

            from lesionary.io.registry.records import UnitRecord

            time.sleep(0.5)
            key = a_stage().key_of(Work("u1", {"n": 1}, 1))
            study.registry.record_units(
                [UnitRecord("double", "u1", key, "done", output=2)], holder=other.holder
            )

        thread = threading.Thread(target=record_later)
        thread.start()
        report = run(study, a_stage())
        thread.join()
    assert (report.done, report.up_to_date) == (("u2",), 1)
    assert study.registry.units("double")["u1"].version == 1


def test_a_unit_whose_holder_died_is_taken_over(study):
    with claiming(study.registry, study.files.holders) as dead:
        dead.take("double", {"u1": 0, "u2": 0})
    assert run(study, a_stage()).done == ("u1", "u2")


def _run_table():
    from lesionary.io.registry import tables

    return tables.run


def test_a_unit_that_was_changed_past_us_is_told_of_before_it_is_replaced(study):
    run(study, a_stage())
    with study.registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE unit SET key = 'forged' WHERE name = 'u1'")
    run(study, a_stage())
    actions = [e.action for e in study.registry.events() if e.object == "unit/double/u1"]
    assert actions == ["done", "found changed", "done"]
