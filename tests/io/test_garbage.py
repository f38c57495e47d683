import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from lesionary.core.errors import InputError, WorkflowError
from lesionary.core.volume import Geometry, Quantity, Volume
from lesionary.io import garbage
from lesionary.io.durable import PARTIAL
from lesionary.io.garbage import GRACE_S, LEAVING, collect
from lesionary.io.object_survey import Fault, FaultKind, faulty_objects, strangers
from lesionary.io.objects import ObjectStore

LONG_AGO_S = 10 * GRACE_S


@pytest.fixture
def store(tmp_path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def a_volume(seed: int) -> Volume:
    array = np.full((2, 3, 4), seed, np.int16)
    return Volume(array, Geometry(array.shape, np.eye(4)), "CT", Quantity.HU)


def put(store: ObjectStore, seed: int, *, age_s: float = LONG_AGO_S) -> str:
    object_id = store.put_volume(a_volume(seed))
    age(store.path_of(object_id), age_s)
    return object_id


def age(path: Path, age_s: float) -> None:
    then = time.time() - age_s
    os.utime(path, (then, then))


def test_what_no_row_names_goes_and_what_one_names_stays(store):
    ids = sorted(put(store, seed) for seed in range(30))
    sizes = {object_id: store.size_of(object_id) for object_id in ids}
    collected = collect(store, set(ids[::3]))
    assert list(store.list_ids()) == ids[::3]
    gone = [object_id for object_id in ids if object_id not in ids[::3]]
    assert list(collected.ids) == gone
    assert collected.n_objects == 20
    assert collected.n_bytes == sum(sizes[object_id] for object_id in gone)
    assert collect(store, set(ids[::3])).n_objects == 0


def test_the_registry_is_asked_folder_by_folder(store):
    ids = {put(store, seed) for seed in range(30)}
    asked = []

    def named(some):
        asked.append(list(some))
        return [object_id for object_id in some if object_id in ids]

    assert collect(store, named).n_objects == 0
    assert {object_id for some in asked for object_id in some} == ids
    assert all(len({object_id[:2] for object_id in some}) == 1 for some in asked)


def test_the_young_stay(store):
    young, old = put(store, 1, age_s=10), put(store, 2, age_s=1000)
    assert collect(store, (), older_than_s=100).ids == (old,)
    assert store.has(young)
    assert collect(store, (), older_than_s=0).ids == (young,)


def test_a_day_is_the_grace_when_none_is_given(store):
    young, old = put(store, 1, age_s=GRACE_S - 60), put(store, 2, age_s=GRACE_S + 60)
    assert collect(store, ()).ids == (old,)
    assert store.has(young)


def test_a_clock_set_back_removes_nothing(store):
    future = put(store, 1, age_s=-LONG_AGO_S)
    present = put(store, 2, age_s=0)
    assert collect(store, (), older_than_s=60).ids == ()
    assert collect(store, (), older_than_s=0, now_s=time.time() - LONG_AGO_S).ids == ()
    assert store.has(future)
    assert store.has(present)


@pytest.mark.parametrize("grace_s", [-1.0, float("nan")])
def test_a_grace_period_that_is_none_is_refused(store, grace_s):
    with pytest.raises(InputError):
        collect(store, (), older_than_s=grace_s)


def test_a_dry_run_removes_nothing_and_tells_the_same(store):
    for seed in range(5):
        put(store, seed)
    leftover = store.root / f"{PARTIAL}0-x"
    leftover.write_bytes(b"half")
    age(leftover, LONG_AGO_S)
    files = sorted(store.root.rglob("*"))
    told = collect(store, (), dry_run=True)
    assert sorted(store.root.rglob("*")) == files
    assert collect(store, ()) == told
    assert (told.n_objects, told.n_leftovers) == (5, 1)


def test_half_written_files_go_when_they_are_old(store):
    object_id = put(store, 1)
    for folder in (store.root, store.path_of(object_id).parent):
        for name, age_s in (("old", LONG_AGO_S), ("young", 0)):
            path = folder / f"{PARTIAL}0-{name}"
            path.write_bytes(b"12345")
            age(path, age_s)
    collected = collect(store, {object_id})
    assert (collected.n_leftovers, collected.n_bytes, collected.ids) == (2, 10, ())
    left = [path.name for path in store.root.rglob(f"{PARTIAL}*")]
    assert left == [f"{PARTIAL}0-young"] * 2


def test_files_of_others_are_left_alone(store):
    object_id = put(store, 1)
    shelf = store.path_of(object_id).parent
    others = [store.root / "notes.txt", shelf / "notes.txt", store.root / "attic" / ("0" * 62)]
    others[2].parent.mkdir()
    for path in others:
        path.write_text("mine")
        age(path, LONG_AGO_S)
    (shelf / ("0" * 62)).mkdir()
    assert collect(store, ()).ids == (object_id,)
    assert all(path.exists() for path in others)


def test_no_store_is_no_garbage(store):
    assert collect(store, ()).n_objects == 0


def test_an_object_put_once_more_before_it_is_put_aside_stays(store, monkeypatch):
    object_id = put(store, 1)
    rename = Path.replace

    def put_first(path, target):
        if Path(target).name.startswith(LEAVING):
            store.put_volume(a_volume(1))
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", put_first)
    assert collect(store, ()).ids == ()
    store.verify(object_id)
    assert [path for path in store.root.rglob("*") if path.is_file()] == [store.path_of(object_id)]


def test_an_object_put_once_more_while_it_is_aside_is_there_at_the_end(store, monkeypatch):
    object_id = put(store, 1)
    rename = Path.replace

    def put_behind(path, target):
        result = rename(path, target)
        if Path(target).name.startswith(LEAVING):
            monkeypatch.undo()
            store.put_volume(a_volume(1))
        return result

    monkeypatch.setattr(Path, "replace", put_behind)
    collect(store, ())
    store.verify(object_id)


def test_an_object_that_is_put_at_the_same_time_is_never_lost(store):
    ids = [put(store, seed) for seed in range(40)]
    is_over = threading.Event()

    def collect_on():
        while not is_over.is_set():
            collect(store, (), older_than_s=GRACE_S)

    collector = threading.Thread(target=collect_on)
    collector.start()
    try:
        for _ in range(15):
            for seed, object_id in enumerate(ids):
                store.put_volume(a_volume(seed))
                path = store.path_of(object_id)
                # a collection that met the touch halfway gives the name back in a moment
                assert path.exists() or _comes_back(path)
                with suppress(FileNotFoundError):
                    age(path, LONG_AGO_S)
    finally:
        is_over.set()
        collector.join()


def _comes_back(path: Path) -> bool:
    until = time.monotonic() + 5
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.001)
    return path.exists()


def test_what_a_killed_collection_put_aside_gets_its_name_back(store):
    object_id = put(store, 1)
    path = store.path_of(object_id)
    path.rename(path.with_name(LEAVING + path.name))
    assert collect(store, {object_id}).ids == ()
    store.verify(object_id)


def test_what_was_put_aside_and_written_again_goes(store):
    object_id = put(store, 1)
    path = store.path_of(object_id)
    path.rename(path.with_name(LEAVING + path.name))
    put(store, 1)
    assert collect(store, {object_id}).ids == ()
    assert [entry for entry in store.root.rglob("*") if entry.is_file()] == [path]


def test_an_object_that_cannot_be_looked_at_keeps_its_name(store, monkeypatch):
    object_id = put(store, 1)

    def refuses(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(garbage.os, "fstat", refuses)
    with pytest.raises(WorkflowError) as refused:
        collect(store, ())
    assert refused.value.code == "not_writable"
    monkeypatch.undo()
    store.verify(object_id)


def test_a_read_only_store_is_told_and_whole(store, read_only):
    object_id = put(store, 1)
    with read_only(store.root):
        with pytest.raises(WorkflowError) as refused:
            collect(store, ())
        assert refused.value.code == "not_writable"
        assert collect(store, (), dry_run=True).ids == (object_id,)
    store.verify(object_id)


def test_a_full_disk_can_be_collected(small_disk):
    disk = small_disk(1)
    store = ObjectStore(disk.path / "objects")
    object_id = put(store, 1)
    disk.fill()
    assert collect(store, ()).ids == (object_id,)


def test_the_survey_finds_what_is_wrong_with_named_objects(store):
    fine, missing, damaged, misnamed, other = (put(store, seed) for seed in range(5))
    store.path_of(missing).unlink()
    cut = store.path_of(damaged)
    cut.write_bytes(cut.read_bytes()[:-5])
    store.path_of(misnamed).write_bytes(store.path_of(other).read_bytes())
    assert list(faulty_objects(store, [fine, missing, damaged, misnamed, other])) == [
        Fault(FaultKind.MISSING, missing),
        Fault(FaultKind.DAMAGED, damaged),
        Fault(FaultKind.MISNAMED, misnamed, other),
    ]


def test_the_survey_tells_strangers_from_leftovers(store):
    object_id = put(store, 1)
    shelf = store.path_of(object_id).parent
    (store.root / "notes.txt").write_text("")
    (shelf / f"{PARTIAL}0-x").write_text("")
    (shelf / f"{LEAVING}{'0' * 62}").write_text("")
    (shelf / ("1" * 62)).mkdir()
    found = {(fault.kind, fault.name) for fault in strangers(store)}
    assert found == {
        (FaultKind.FOREIGN, "notes.txt"),
        (FaultKind.LEFTOVER, f"{shelf.name}/{PARTIAL}0-x"),
        (FaultKind.LEFTOVER, f"{shelf.name}/{LEAVING}{'0' * 62}"),
        (FaultKind.FOREIGN, f"{shelf.name}/{'1' * 62}"),
    }
    assert list(strangers(ObjectStore(store.root / "nowhere"))) == []
