"""Which received series are still arriving: told by locks, and by the time of their last object."""

import os
import time

import pytest

from lesionary.io.arrivals import FOLDER, Arrivals, arriving_series
from lesionary.io.received import ReceivedFiles

SERIES, OTHER = "2.25.11", "2.25.22"


@pytest.fixture
def files(tmp_path):
    files = ReceivedFiles(tmp_path)
    with files.open():
        for series in (SERIES, OTHER):
            files.put(files.place_of(series, "2.25.1"), [b"an object"])
            os.utime(files.folder / series, (0, time.time() - 3600))
        yield files


def test_a_series_arrives_as_long_as_an_association_that_brings_it(files):
    files.arrivals.note(1, SERIES)
    files.arrivals.note(2, SERIES)
    files.arrivals.note(2, OTHER)
    assert files.arriving() == {SERIES, OTHER}
    files.arrivals.end(2)
    assert files.arriving() == {SERIES}
    files.arrivals.end(1)
    files.arrivals.end(3)
    assert files.arriving() == frozenset()
    assert not list((files.root / FOLDER).iterdir())


def test_a_new_object_makes_its_series_young(files):
    files.put(files.place_of(SERIES, "2.25.2"), [b"another object"])
    assert files.arriving() == {SERIES}
    assert files.arriving(quiet_s=0) == frozenset()


def test_a_clock_that_runs_behind_holds_a_series_back_no_longer_than_the_quiet_time(files):
    then = time.time() + 3600
    os.utime(files.folder / SERIES, (then, then))
    assert files.arriving() == frozenset()


def test_whole_series_are_divided_from_those_that_arrive(files):
    files.arrivals.note(1, SERIES)
    whole, arriving = files.divided()
    assert [path.parent.name for path in (*whole, *arriving)] == [OTHER, SERIES]
    assert files.divided(quiet_s=0)[1] == []


def test_a_study_into_which_nobody_ever_received_has_nothing_that_arrives(tmp_path):
    Arrivals(tmp_path).end(1)
    assert arriving_series(tmp_path, tmp_path / "received") == frozenset()
    assert not list(tmp_path.iterdir())
