from types import SimpleNamespace

import pytest

from lesionary.annotate.prompts import parse_box
from lesionary.app.executor import Failure, InlineExecutor, executor_for
from lesionary.app.progress import Silent
from lesionary.app.stage import Stage, Work, finished, run_stage
from lesionary.core.errors import InputError
from lesionary.io.registry import Registry


def double(request: int) -> int:
    if request == 13:
        raise InputError("thirteen is refused", code="unlucky", hint="take another")
    if request == 99:
        raise ZeroDivisionError
    return 2 * request


@pytest.fixture
def study(tmp_path):
    registry = Registry.create(tmp_path / "registry.db")
    yield SimpleNamespace(registry=registry, numbers=[1, 2, 13])
    registry.close()


def a_stage(version: int = 1) -> Stage:
    return Stage(
        "double", version, lambda study: [Work(f"u{n}", n, n) for n in study.numbers], double
    )


def run(study, stage):
    return run_stage(study, stage, InlineExecutor(), Silent())


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


def test_units_that_are_gone_are_forgotten(study):
    run(study, a_stage())
    study.numbers = [2]
    run(study, a_stage())
    assert list(study.registry.units("double")) == ["u2"]


def test_a_fault_of_our_own_is_recorded_with_an_event_and_without_values(study):
    study.numbers = [99, 1]
    report = run(study, a_stage())
    assert report.done == ("u1",)
    assert report.failed[0].code == "bug"
    assert "division" not in report.failed[0].reason


def test_dask_workers_give_the_same_as_this_process():
    requests = ["1,2,3,4,5,6", "0,9,0,9,3,3", "0,1,0,1,0,1"]  # the second box is empty
    inline = dict(InlineExecutor().run(parse_box, requests))
    with executor_for("local", n_workers=2) as executor:
        remote = dict(executor.run(parse_box, requests))
    assert remote == inline
    assert isinstance(remote[1], Failure)
