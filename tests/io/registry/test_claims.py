import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from lesionary.io.registry import tables
from lesionary.io.registry.chain import breaks
from lesionary.io.registry.claims import LOCK_SUFFIX, claiming
from lesionary.io.registry.registry import Registry
from registry_rows import a_unit

N_PROCESSES, N_UNITS = 8, 2000

WORKER = """
import json, sys
from pathlib import Path
from lesionary.io.registry.claims import claiming
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.records import UnitRecord
from lesionary.io.registry.registry import Registry

path, url, study, folder, first, n = sys.argv[1:]
registry = Registry.open(RegistryPlace(Path(path), url or None, study))
names = [f"unit-{number:04d}" for number in range(int(n))]
start = int(first) * len(names) // 8
names = names[start:] + names[:start]  # everybody begins elsewhere and meets the others
did = []
with claiming(registry, Path(folder)) as claims:
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        known = registry.unit_states("measure", names)
        names = [name for name in names if name not in known]
        if not names:
            break
        taken = claims.take("measure", dict.fromkeys(names[:40], 0))
        mine = sorted(taken.mine)
        records = [UnitRecord("measure", name, "k", "done", {"by": first}) for name in mine]
        if records:
            registry.record_units(records, holder=claims.holder)
        elif taken.held:
            names = names[40:] + names[:40]
        did += mine
registry.close()
print(json.dumps(did), flush=True)
"""

HOLDER = """
import sys
import time
from pathlib import Path
from lesionary.io.registry.claims import claiming
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry

path, url, study, folder = sys.argv[1:]
registry = Registry.open(RegistryPlace(Path(path), url or None, study))
with claiming(registry, Path(folder)) as claims:
    taken = claims.take("measure", {"a": 0, "b": 0})
    print(*sorted(taken.mine), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "holders"


@contextmanager
def processes(program, commands):
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for words in commands
    ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.fixture
def holding(place, folder):
    """A second process that holds the units ``a`` and ``b``."""

    @contextmanager
    def hold():
        words = (place.path, place.url or "", place.study_id, folder)
        with processes(HOLDER, [words]) as (other,):
            assert other.stdout.readline().split() == ["a", "b"]
            yield other

    return hold


def test_eight_processes_share_the_work_without_an_error_or_a_duplicate(registry, place, folder):
    words = (place.path, place.url or "", place.study_id, folder)
    commands = [(*words, number, N_UNITS) for number in range(N_PROCESSES)]
    with processes(WORKER, commands) as running:
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120)[0] for process in running]
        assert [process.returncode for process in running] == [0] * N_PROCESSES
    done = Counter(name for answer in answers for name in json.loads(answer))
    assert len(done) == N_UNITS
    assert set(done.values()) == {1}  # nobody did what another did
    events = list(registry.events())
    assert len({event.object for event in events}) == len(events) == N_UNITS
    assert list(breaks(events, registry.head())) == []
    units = registry.rows(tables.unit)
    assert len(units) == N_UNITS
    assert {row["version"] for row in units} == {1}
    assert registry.rows(tables.claim) == []
    assert [(row["name"], row["n"]) for row in registry.rows(tables.tally)] == [
        ("unit:measure:done", N_UNITS)
    ]
    assert not folder.exists() or list(folder.iterdir()) == []


def test_what_a_living_process_holds_is_not_taken(registry, folder, holding):
    with holding(), claiming(registry, folder) as claims:
        for _ in range(3):
            taken = claims.take("measure", {"a": 0, "b": 0, "c": 0})
            assert (taken.mine, taken.held) == ({"c"}, {"a", "b"})


def test_what_a_killed_process_held_is_free_at_once(registry, folder, holding):
    with holding() as other, claiming(registry, folder) as claims:
        os.kill(other.pid, signal.SIGKILL)
        other.wait(20)
        taken = wait_for(lambda: claims.take("measure", {"a": 0, "b": 0}), registry)
        assert (taken.mine, taken.held) == ({"a", "b"}, frozenset())
    assert not folder.exists() or list(folder.iterdir()) == []


def wait_for(take, registry):
    """A server notices the end of a session when it reads from its socket: soon, not at once."""
    for _ in range(200):
        taken = take()
        if taken.mine or registry.place.url is None:
            return taken
        time.sleep(0.02)
    return taken


def test_what_a_process_held_that_ended_well_is_free(registry, folder, holding):
    with holding() as other:
        other.communicate("done\n", timeout=20)
        assert len(registry.rows(tables.claim)) == 2
    with claiming(registry, folder) as claims:
        assert claims.take("measure", {"a": 0}).mine == {"a"}


def test_what_was_held_in_a_block_that_failed_is_free(registry, folder, place):
    def claim_and_fail():
        with claiming(registry, folder) as claims:
            claims.take("measure", {"a": 0})
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        claim_and_fail()
    other = Registry.open(place)
    with claiming(other, folder) as claims:
        assert claims.take("measure", {"a": 0}).mine == {"a"}
    other.close()
    assert not folder.exists() or list(folder.iterdir()) == []


def test_taking_again_what_is_mine_changes_nothing(registry, folder):
    with claiming(registry, folder) as claims:
        for _ in range(2):
            assert claims.take("measure", {"a": 0, "b": 0}).mine == {"a", "b"}
        assert len(registry.rows(tables.claim)) == 2


def test_what_was_recorded_since_it_was_planned_is_not_taken(registry, folder):
    registry.record_units([a_unit("a")])
    with claiming(registry, folder) as claims:
        taken = claims.take("measure", {"a": 0, "b": 0})
        assert (taken.recorded, taken.mine) == ({"a"}, {"b"})
        assert claims.take("measure", {"a": 1}).mine == {"a"}  # due again, and planned as it is now


def test_claims_of_one_stage_are_not_those_of_another(registry, folder, holding):
    with holding(), claiming(registry, folder) as claims:
        assert claims.take("agree", {"a": 0, "b": 0}).mine == {"a", "b"}


def test_recording_ends_the_claims_of_its_holder_only(registry, folder, holding):
    with holding(), claiming(registry, folder) as claims:
        claims.take("measure", {"c": 0, "d": 0})
        registry.record_units([a_unit("a"), a_unit("c")], holder=claims.holder)
        left = {
            (row["name"], row["holder"] == claims.holder) for row in registry.rows(tables.claim)
        }
    assert left == {("a", False), ("b", False), ("d", True)}


def test_nothing_wanted_is_nothing_taken(registry, folder):
    with claiming(registry, folder) as claims:
        taken = claims.take("measure", {})
    assert not taken.mine | taken.held | taken.recorded


def test_locks_of_the_dead_are_removed(registry, place, folder, holding):
    if place.url is not None:
        pytest.skip("a server's locks go with the session")
    with holding() as other, claiming(registry, folder) as claims:
        other.kill()
        other.wait(20)
        assert len(list(folder.glob(f"*{LOCK_SUFFIX}"))) == 2
        claims.take("measure", {"a": 0})
        assert [path.stem for path in folder.iterdir()] == [claims.holder]


def test_who_lives_on_when_the_server_is_started_anew_keeps_what_it_claims(
    registry, place, folder, request
):
    if place.url is None:
        pytest.skip("a file has no server")
    server = request.getfixturevalue("postgres_server")
    other = Registry.open(place)
    with claiming(registry, folder) as claims, claiming(other, folder) as others:
        claims.take("measure", {"a": 0})
        server.kill()
        server.start()
        assert claims.take("measure", {"a": 0, "b": 0}).mine == {"a", "b"}
        assert others.take("measure", {"a": 0, "b": 0, "c": 0}).held == {"a", "b"}
        assert claims.take("measure", {"c": 0}).held == {"c"}
    other.close()
