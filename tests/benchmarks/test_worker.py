"""A contestant's process: what is made anew before a call is no part of it, nor left behind."""

import subprocess
import sys

from benchmarks.lasting import emptied
from benchmarks.race import Contestant, Row
from benchmarks.worker import prepared, processor_s, timed

from benchmarks import volumes


def test_what_is_renewed_is_new_before_every_call(tmp_path):
    counts = iter(range(10))
    row = Row("9", "A task", (), ())
    one = Contestant(
        "one", lambda number: number, renew=lambda start: {"number": start + next(counts)},
        prepare=lambda: {"start": 100},
    )  # fmt: skip
    ready = prepared(row, one, tmp_path)
    assert [timed(ready()).result for _ in range(3)] == [100, 101, 102]


def test_inputs_come_as_they_are_without_anything_to_renew(tmp_path, monkeypatch):
    monkeypatch.setattr(volumes, "MAKERS", {})
    row = Row("9", "A task", ("folder",), ())
    ready = prepared(row, Contestant("one", lambda folder: folder), tmp_path)
    assert ready()() == tmp_path / "folder"


def test_processor_time_counts_processes_that_ended():
    before = processor_s()
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert processor_s() > before


def test_a_folder_is_emptied_and_made(tmp_path):
    folder = tmp_path / "out"
    assert emptied(folder) == folder
    (folder / "old").mkdir()
    (folder / "old" / "file").touch()
    assert list(emptied(folder).iterdir()) == []
