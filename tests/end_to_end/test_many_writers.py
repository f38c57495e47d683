"""Several processes at one study: nothing is done twice, nothing is left, whoever dies."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from uuid import uuid4

import pytest

from lesionary.app.ingest import ingest_paths
from lesionary.app.study import Study
from lesionary.app.verify import verify_target
from lesionary.io.registry import tables
from lesionary.io.registry.chain import breaks
from lesionary.io.registry.place import URL_VARIABLE, RegistryPlace
from lesionary.io.registry.registry import Registry
from small_scans import write_scans

N_PROCESSES, N_UNITS, N_RUNS = 8, 2000, 3
DOOMED = 3

WORKER = """
import json, os, signal, sys, time
from pathlib import Path
from lesionary.io.registry.claims import claiming
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.records import UnitRecord
from lesionary.io.registry.registry import Registry

path, url, study, folder, number, n_units, doomed = sys.argv[1:]
registry = Registry.open(RegistryPlace(Path(path), url or None, study))
names = [f"unit-{unit:04d}" for unit in range(int(n_units))]
names = names[int(number) * 250:] + names[:int(number) * 250]
did = []

def take():
    global names
    taken = claims.take("measure", dict.fromkeys(names[:25], 0))
    waits = [name for name in names[:25] if name in taken.held]
    names = names[25:] + waits
    if waits == names:
        time.sleep(0.05)
    return sorted(taken.mine)

def record(mine):
    records = [UnitRecord("measure", name, "k", "done", number) for name in mine]
    if records:
        registry.record_units(records, holder=claims.holder)
    did.extend(mine)

with claiming(registry, Path(folder)) as claims:
    if number == doomed:
        record(take())
        held = take()
    print("ready", flush=True)
    sys.stdin.readline()
    if number == doomed:
        held += take()
        print(json.dumps([did, held]), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    while names:
        record(take())
registry.close()
print(json.dumps(did), flush=True)
"""


@contextmanager
def processes(commands):
    running = [
        subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, monkeypatch):
    """The address of a database, or nothing for a file."""
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else None


@pytest.fixture
def registry(tmp_path, url):
    made = Registry.create(RegistryPlace(tmp_path / "registry.db", url, str(uuid4())))
    yield made
    made.close()


def test_what_a_killed_process_had_claimed_is_done_by_the_other_seven(registry, tmp_path):
    place, folder = registry.place, tmp_path / "holders"
    words = (place.path, place.url or "", place.study_id, folder)
    commands = [
        (sys.executable, "-c", WORKER, *words, number, N_UNITS, DOOMED)
        for number in range(N_PROCESSES)
    ]
    with processes(commands) as running:
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120) for process in running]
        codes = [process.returncode for process in running]
    assert codes == [-9 if number == DOOMED else 0 for number in range(N_PROCESSES)], answers
    told = [json.loads(out) for out, _ in answers]
    recorded, held = told.pop(DOOMED)
    assert (len(recorded), len(held)) >= (25, 25)
    done = Counter(name for names in told for name in names)
    assert set(done.values()) == {1}
    assert set(held) <= set(done)
    assert len(done) + len(recorded) == N_UNITS
    units = registry.rows(tables.unit)
    assert len(units) == N_UNITS
    assert {row["version"] for row in units} == {1}
    assert {row["name"] for row in units if row["output"] == str(DOOMED)} == set(recorded)
    events = list(registry.events())
    assert len({event.object for event in events}) == len(events) == N_UNITS
    assert list(breaks(events, registry.head())) == []
    assert registry.rows(tables.claim) == []
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.fixture
def study(tmp_path, url, monkeypatch):
    """A study with three scans taken in."""
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    made = Study.create(tmp_path / "study", registry=url)
    ingest_paths(made, [write_scans(tmp_path / "scans")])
    yield made
    made.registry.close()


def test_three_runs_at_once_share_the_work_and_publish_once(study, url, tmp_path):
    root = study.files.root
    alone = tmp_path / "alone"
    command = (sys.executable, "-m", "lesionary", "run")
    if url is None:
        study.registry.close()
        shutil.copytree(root, alone)
    with processes([(*command, root, "--json")] * N_RUNS) as running:
        answers = [process.communicate(timeout=240) for process in running]
        assert [process.returncode for process in running] == [0] * N_RUNS, answers
    documents = [json.loads(out) for out, _ in answers]
    done = Counter(unit for document in documents for unit in document["done"])
    assert len(done) == 3 * 5 + 1  # three series, each of a subject of its own, and the release
    assert set(done.values()) == {1}
    assert {len(document["done"]) + document["up_to_date"] for document in documents} == {len(done)}
    assert all(document["lesions"] == documents[0]["lesions"] for document in documents)
    told = Counter(
        event.object for event in study.registry.events() if event.object.startswith("unit/")
    )
    assert told == {f"unit/{unit}": 1 for unit in done}
    assert study.registry.rows(tables.claim) == []
    assert verify_target(root).failed == []
    if url is None:
        assert Study.open(alone).run().published.is_new
        assert content(alone / "release") == content(root / "release")


def content(release):
    return {
        path.relative_to(release): path.read_bytes()
        for path in release.rglob("*")
        if path.is_file()
    }
