"""Received objects: whole or not there, named once, found again."""

import os
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.durable import PARTIAL
from lesionary.io.received import Put, ReceivedFiles

SERIES, INSTANCE = "2.25.11", "2.25.12"


@pytest.fixture
def files(tmp_path):
    files = ReceivedFiles(tmp_path)
    with files.open():
        yield files


def names(files):
    return sorted(path.name for path in files.folder.rglob("*") if path.is_file())


def test_a_file_is_stored_once_and_never_replaced(files):
    path = files.place_of(SERIES, INSTANCE)
    assert files.put(path, [b"one ", memoryview(b"object")]) is Put.NEW
    assert files.put(path, [b"one object"]) is Put.SAME
    assert files.put(path, [b"another"]) is Put.OTHER
    assert path.read_bytes() == b"one object"
    assert names(files) == [f"{INSTANCE}.dcm"]
    assert list(files.stored()) == [path]


def test_many_threads_that_store_the_same_name_give_it_once(files):
    path = files.place_of(SERIES, INSTANCE)
    outcomes = Counter()
    start = threading.Barrier(12)

    def put(number):
        start.wait()
        outcomes[files.put(path, [b"x" * 10_000 if number % 2 else b"y" * 10_000])] += 1

    threads = [threading.Thread(target=put, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {Put.NEW: 1, Put.SAME: 5, Put.OTHER: 6}
    assert len(names(files)) == 1


def test_a_disk_without_hard_links_gives_names_once_too(files, monkeypatch):
    def no_link(*_):
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", no_link)
    path = files.place_of(SERIES, INSTANCE)
    assert [files.put(path, [b"a"]), files.put(path, [b"a"]), files.put(path, [b"b"])] == [
        Put.NEW,
        Put.SAME,
        Put.OTHER,
    ]


NO_UIDS = ["", "..", "../1.2", "/1.2", "1", "1..2", "1.02", "3.1", "1.2\n", "1." + "2" * 64]


@given(st.one_of(st.sampled_from(NO_UIDS), st.text(st.characters(exclude_categories=["Nd"]))))
def test_only_uids_become_names(text):
    for uids in ((SERIES, text), (text, INSTANCE)):
        with pytest.raises(InputError) as caught:
            ReceivedFiles(Path("never-touched")).place_of(*uids)
        assert caught.value.code == "no_uid"


def test_leftovers_go_when_the_first_comes_and_stay_while_another_works(tmp_path):
    files = ReceivedFiles(tmp_path)
    with files.open():
        files.put(files.place_of(SERIES, INSTANCE), [b"content"])
        leftover = files.folder / SERIES / f"{PARTIAL}x"
        leftover.touch()
        with ReceivedFiles(tmp_path).open():
            assert leftover.exists(), "it may be another process's, on its way"
    with ReceivedFiles(tmp_path).open():
        assert not leftover.exists()
    assert names(files) == [f"{INSTANCE}.dcm"]


def test_a_full_disk_leaves_nothing(small_disk):
    disk = small_disk(2)
    files = ReceivedFiles(disk.path)
    with files.open():
        disk.fill(leave_bytes=200_000)
        with pytest.raises(WorkflowError) as caught:
            files.put(files.place_of(SERIES, INSTANCE), [b"x" * 1_000_000])
        assert caught.value.code == "not_writable"
        assert names(files) == []
        assert files.put(files.place_of(SERIES, INSTANCE), [b"x" * 1000]) is Put.NEW


def test_a_study_that_was_moved_away_is_not_made_again(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    files = ReceivedFiles(study)
    with files.open():
        study.rename(tmp_path / "elsewhere")
        with pytest.raises(WorkflowError):
            files.put(files.place_of(SERIES, INSTANCE), [b"x"])
    assert not study.exists()
