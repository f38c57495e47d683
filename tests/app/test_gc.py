"""Garbage collection: what no row names goes when it is old, and nothing else ever."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from lesionary.app.study import Study
from lesionary.app.tidy import tidy_study
from lesionary.app.verify import verify_target
from lesionary.core.errors import InputError, WorkflowError
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.objects import ObjectStore
from small_scans import write_scans
from tampering import copy_study, make_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("made")).files.root


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Study:
    return Study.open(copy_study(made, tmp_path / "study"))


def put_garbage(store: ObjectStore, n: int = 3, *, age_hours: float = 48.0) -> list[str]:
    """Store objects that no row names, as if some time ago."""
    names = []
    for value in range(1, n + 1):
        array = np.full((2, 3, 4), value, np.uint16)
        names.append(store.put_label_map(LabelMap(array, Geometry((2, 3, 4), np.eye(4)))))
        make_old(store.path_of(names[-1]), age_hours)
    return names


def make_old(path: Path, age_hours: float) -> None:
    then = path.stat().st_mtime - age_hours * 3600
    os.utime(path, (then, then))


def test_what_no_row_names_goes_and_all_else_stays(study):
    kept = list(study.objects.list_ids())
    for name in kept:
        make_old(study.objects.path_of(name), 999)
    garbage = put_garbage(study.objects)
    n_bytes = sum(study.objects.size_of(name) for name in garbage)
    report = tidy_study(study)
    assert report.document() == {
        "removed": 3,
        "leftovers": 0,
        "bytes": n_bytes,
        "kept": len(kept),
        "dry_run": False,
    }
    assert list(study.objects.list_ids()) == kept
    (event,) = study.registry.events(of="objects")
    assert event.action == "collected"
    assert '"removed":3' in event.details
    study.registry.close()
    assert verify_target(study.files.root).failed == []


def test_a_dry_run_removes_nothing_and_leaves_no_event(study):
    put_garbage(study.objects)
    before, head = list(study.objects.list_ids()), study.registry.head()
    report = tidy_study(study, dry_run=True)
    assert (report.n_removed, report.n_kept, report.is_dry_run) == (3, len(before) - 3, True)
    assert list(study.objects.list_ids()) == before
    assert study.registry.head() == head
    assert tidy_study(study).n_removed == 3


def test_what_is_young_stays(study):
    put_garbage(study.objects, age_hours=2)
    assert tidy_study(study).n_removed == 0
    assert tidy_study(study, older_than_hours=1).n_removed == 3


def test_nothing_to_collect_leaves_no_event(study):
    head = study.registry.head()
    assert tidy_study(study, older_than_hours=0).n_removed == 0
    assert study.registry.head() == head


@pytest.mark.parametrize("hours", [-1.0, float("nan")])
def test_a_grace_period_is_a_number_of_hours(study, hours):
    with pytest.raises(InputError):
        tidy_study(study, older_than_hours=hours)


def test_nothing_is_collected_while_somebody_works(study):
    put_garbage(study.objects)
    with study.running(), pytest.raises(WorkflowError) as error:
        tidy_study(study)
    assert error.value.code == "busy"


def test_a_clock_that_is_behind_collects_nothing(study):
    put_garbage(study.objects)
    before = list(study.objects.list_ids())
    with study.registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE head SET at = '2999-01-01T00:00:00.000+00:00'")
    with pytest.raises(WorkflowError) as error:
        tidy_study(study, older_than_hours=0)
    assert error.value.code == "clock_set_back"
    assert list(study.objects.list_ids()) == before


def test_any_word_in_any_row_keeps_its_object(study):
    """A future stage may name objects where nobody looks for them today."""
    names = put_garbage(study.objects, 5)
    with study.registry.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE unit SET inputs = ? WHERE name = 'ser-0001' AND stage = 'measure'",
            (f'{{"deep":[{{"x":"{names[0]}"}}]}}',),
        )
        connection.exec_driver_sql(
            "INSERT INTO meta VALUES ('model', ?), ('two', ?)", (f"m:{names[1]}", names[2] + "x")
        )
        connection.exec_driver_sql("UPDATE series SET technical = ?", (f'"{names[3]}"',))
    assert tidy_study(study, older_than_hours=0).n_removed == 1
    left = set(study.objects.list_ids())
    assert set(names) & left == set(names[:4])


def test_a_run_after_a_collection_finds_all_it_needs(made, tmp_path):
    """Work that is due anew may put the very object that was collected a moment before."""
    study = Study.open(copy_study(made, tmp_path / "study"))
    for stage in ("annotate", "measure", "track", "respond"):
        names = list(study.registry.units(stage))
        study.registry.forget_units(stage, names, why="for a test")
    for name in study.objects.list_ids():
        make_old(study.objects.path_of(name), 99)
    assert tidy_study(study).n_removed > 0
    assert study.run().document()["failed"] == []
    study.registry.close()
    assert verify_target(study.files.root).failed == []


def test_a_study_on_a_server_is_collected_alike(tmp_path, postgres_url):
    study = Study.create(tmp_path / "study", registry=postgres_url)
    study.ingest([write_scans(tmp_path / "scans", 1)])
    study.run()
    kept = list(study.objects.list_ids())
    put_garbage(study.objects)
    for name in kept:
        make_old(study.objects.path_of(name), 999)
    assert tidy_study(study).n_removed == 3
    assert list(study.objects.list_ids()) == kept
    study.registry.close()


def test_a_store_that_is_gone_has_nothing_to_collect(study):
    shutil.rmtree(study.files.objects)
    assert tidy_study(study).document()["kept"] == 0
