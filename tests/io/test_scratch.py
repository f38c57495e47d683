import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lesionary.core.errors import WorkflowError
from lesionary.io.scratch import LOCK, PREFIX, clear_abandoned, scratch_folder

N_ROUNDS = 200
HOLDER = """
from lesionary.io.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "deep").mkdir()
    (folder / "deep" / "slice.dcm").write_bytes(b"a patient")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_is_ours_alone_and_goes_with_its_block(temporary):
    with scratch_folder() as folder:
        assert folder.parent == temporary
        assert folder.name.startswith(PREFIX)
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "slice.dcm").write_bytes(b"a patient")
        assert clear_abandoned() == 0
        assert (folder / "slice.dcm").read_bytes() == b"a patient"
    assert list(temporary.iterdir()) == []


def test_a_folder_goes_when_its_block_raises(temporary):
    with pytest.raises(ZeroDivisionError), scratch_folder():
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_holds_stays(temporary):
    command = [sys.executable, "-c", HOLDER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as dead, subprocess.Popen(command, **pipes) as alive:
        left, held = (Path(one.stdout.readline().strip()) for one in (dead, alive))
        dead.send_signal(signal.SIGKILL)
        dead.wait(20)
        assert (left / "deep" / "slice.dcm").exists()
        assert clear_abandoned() == 1
        assert list(temporary.iterdir()) == [held]
        assert (held / "deep" / "slice.dcm").exists()
        alive.communicate("\n", timeout=20)
    assert list(temporary.iterdir()) == []


def test_a_folder_whose_maker_died_before_it_held_the_lock_goes(temporary):
    (temporary / f"{PREFIX}early").mkdir()
    assert clear_abandoned() == 1
    assert list(temporary.iterdir()) == []


def test_nothing_else_is_touched_and_no_link_is_followed(temporary):
    theirs = temporary / "theirs"
    theirs.mkdir()
    (theirs / "kept").write_text("kept")
    (temporary / f"{PREFIX}link").symlink_to(theirs)
    (temporary / f"{PREFIX}file").write_text("kept")
    before = sorted(temporary.rglob("*"))
    assert clear_abandoned() == 0
    assert sorted(temporary.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_stays(temporary):
    theirs = temporary / f"{PREFIX}theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    assert clear_abandoned() == 0
    assert list(theirs.iterdir()) == []


def test_where_nothing_can_be_written_it_is_said_in_words(temporary, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "gone"))
    with pytest.raises(WorkflowError) as refusal, scratch_folder():
        pass
    assert refusal.value.code == "not_writable"
    assert clear_abandoned() == 0


def test_where_the_disk_knows_no_locks_there_is_a_folder_all_the_same(temporary, monkeypatch):
    monkeypatch.setattr("lesionary.io.lock._try_lock", lambda _descriptor: False)
    with scratch_folder() as folder:
        (folder / "slice.dcm").write_bytes(b"a patient")
        assert clear_abandoned() == 0
        assert (folder / "slice.dcm").exists()
    assert list(temporary.iterdir()) == []


def make_and_clear(answers):
    """Hold folders for a moment while others clear; tell which were taken away meanwhile."""
    n_lost = 0
    for _ in range(N_ROUNDS):
        with scratch_folder() as folder:
            clear_abandoned()
            n_lost += not (folder / LOCK).exists()
        clear_abandoned()
    answers.put(n_lost)


def test_no_folder_in_use_is_cleared_by_those_who_come_at_the_same_moment(temporary):
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    processes = [spawn.Process(target=make_and_clear, args=(answers,)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=60) for _ in processes] == [0, 0, 0]
    for process in processes:
        process.join(20)
    assert list(temporary.iterdir()) == []
