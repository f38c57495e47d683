"""A run killed at any moment, and run again, gives what an undisturbed run gives, byte for byte.

``make torture`` does the same with hundreds of kills, on both databases.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lesionary.app.study import Study
from lesionary.app.verify import verify_target
from lesionary.core.identity import canonical_json
from lesionary.io.nifti import write_nifti
from lesionary.io.registry import tables
from small_scans import scan, write_scans
from warm_process import AFTER, BEFORE, Crash, WarmProcess, spread

N_CRASHES, N_KILLS = 10, 10
ENTERED = (
    tables.subject,
    tables.timepoint,
    tables.series,
    tables.instance,
    tables.annotation,
    tables.box,
    tables.finding,
)
PATTERN = "{subject}/{timepoint}/{reader}_*.nii.gz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        made = tmp_path_factory.mktemp("killed")
        patch.setenv("LESIONARY_VAULT", str(made / "vault"))
        yield made


@pytest.fixture(scope="module")
def scans(folder):
    """Two scans with boxes, one with a reader's mask, and one that is broken."""
    written = write_scans(folder / "scans", 2)
    (written / "broken_image.nii.gz").write_bytes(b"no scan")
    drawn = written / "p2" / "0"
    drawn.mkdir(parents=True)
    volume, truth = scan(2)
    write_nifti(drawn / "CT_image.nii.gz", volume)
    write_nifti(drawn / "anna_tumour.nii.gz", truth)
    return written


@pytest.fixture(scope="module")
def empty(folder):
    study = Study.create(folder / "empty")
    protocol = study.files.protocol
    protocol.write_text(protocol.read_text().replace("gallery = 60", "gallery = 1"))
    return study.files.root


@pytest.fixture(scope="module")
def warm(folder, scans, empty):
    """A process that has done all of it once."""
    with WarmProcess() as process:
        first = copy_of(empty, folder / "first")
        assert process.warm_up("ingest", first, scans, "--reader-from", PATTERN, "--json") == 1
        assert process.warm_up("run", first, "--json") == 0
        assert process.warm_up("publish", first, "--json") == 0
        yield process


@pytest.fixture(scope="module")
def calm_ingest(warm, folder, scans, empty):
    """Return a study that came in undisturbed, and what its ingest wrote."""
    study = copy_of(empty, folder / "ingested")
    done = ingest(warm, study, scans)
    assert done.code == 1  # the broken scan was left out
    return study, done


@pytest.fixture(scope="module")
def calm_run(warm, folder, calm_ingest):
    """Return a study that was run undisturbed, and what its run wrote."""
    study = copy_of(calm_ingest[0], folder / "ran")
    done = warm.do("run", study, "--json")
    assert done.code == 0
    assert len(files_below(study / "release")) > 10
    return study, done


def copy_of(study: Path, place: Path) -> Path:
    return Path(shutil.copytree(study, place))


def ingest(warm, study, scans, **how):
    return warm.do("ingest", study, scans, "--reader-from", PATTERN, "--json", **how)


def files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(study: Path, *chosen) -> dict[str, list[bytes]]:
    opened = Study.open(study)
    try:
        return {
            table.name: sorted(canonical_json(dict(row)) for row in opened.registry.rows(table))
            for table in chosen
        }
    finally:
        opened.registry.close()


def units_of(study: Path) -> dict[str, tuple[str, str]]:
    opened = Study.open(study)
    try:
        rows = opened.registry.rows(tables.unit)
        return {f"{row['stage']}/{row['name']}": (row["key"], row["state"]) for row in rows}
    finally:
        opened.registry.close()


def drawings_of(study: Path) -> dict[str, bytes]:
    opened = Study.open(study)
    try:
        masks = opened.registry.rows(tables.annotation)
        assert masks
        return {row["id"]: opened.objects.path_of(row["object_id"]).read_bytes() for row in masks}
    finally:
        opened.registry.close()


def assert_nothing_is_lost(study: Path, calm: Path) -> None:
    assert rows_of(study, *ENTERED) == rows_of(calm, *ENTERED)
    assert drawings_of(study) == drawings_of(calm)
    assert verify_target(study).failed == []


def assert_is_as_if_undisturbed(study: Path, calm: Path) -> None:
    assert files_below(study / "release") == files_below(calm / "release")
    assert_nothing_is_lost(study, calm)
    assert units_of(study) == units_of(calm)
    assert list(study.rglob(".partial-*")) == []
    assert list((study / "holders").iterdir()) == []


def test_a_crash_at_any_write_of_a_run_changes_nothing_in_the_end(
    warm, calm_ingest, calm_run, tmp_path
):
    ingested, (calm, done) = calm_ingest[0], calm_run
    assert {"sync", "rename", "commit"} == set(done.writes)
    for crash in spread(len(done.writes), N_CRASHES):
        study = copy_of(ingested, tmp_path / f"run-{crash.n}-{crash.when}")
        assert warm.do("run", study, "--json", crash=crash).code == -9, crash
        assert_nothing_is_lost(study, calm)
        assert warm.do("run", study, "--json").code == 0
        assert_is_as_if_undisturbed(study, calm)


def test_a_run_killed_again_and_again_changes_nothing_in_the_end(
    warm, calm_ingest, calm_run, tmp_path
):
    ingested, (calm, done) = calm_ingest[0], calm_run
    rng = np.random.default_rng(20)
    n_kills, n_studies = 0, 0
    while n_kills < N_KILLS:
        n_studies += 1
        study = copy_of(ingested, tmp_path / f"killed-{n_studies}")
        code = -9
        while code == -9 and n_kills < N_KILLS:
            moment_s = rng.uniform(0.05, 1) * done.took_s
            code = warm.do("run", study, "--json", kill_after_s=moment_s).code
            assert code in {-9, 0}
            n_kills += code == -9
            assert_nothing_is_lost(study, calm)
        assert warm.do("run", study, "--json").code == 0
        assert_is_as_if_undisturbed(study, calm)


def test_an_ingest_that_crashes_at_any_write_leaves_all_or_nothing(
    warm, calm_ingest, scans, empty, tmp_path
):
    calm, done = calm_ingest
    last_commit = Crash(len(done.writes) - 1 - done.writes[::-1].index("commit"), AFTER)
    for crash in {*spread(len(done.writes), N_CRASHES), last_commit}:
        study = copy_of(empty, tmp_path / f"ingest-{crash.n}-{crash.when}")
        assert ingest(warm, study, scans, crash=crash).code == -9, crash
        if rows_of(study, *ENTERED) != rows_of(calm, *ENTERED):
            assert not any(rows_of(study, *ENTERED).values())
            assert crash != last_commit
            assert ingest(warm, study, scans).code == 1
        assert_nothing_is_lost(study, calm)


def test_a_publish_that_crashes_between_release_and_record_is_made_good_by_a_run(
    warm, calm_run, tmp_path
):
    calm = calm_run[0]
    writes = warm.do("publish", copy_of(calm, tmp_path / "calm"), "--json").writes
    settled = writes.index("exchange")
    told = len(writes) - 1 - writes[::-1].index("commit")
    for crash in (Crash(settled, BEFORE), Crash(settled, AFTER), Crash(told, BEFORE)):
        study = copy_of(calm, tmp_path / f"publish-{crash.n}-{crash.when}")
        assert warm.do("publish", study, "--json", crash=crash).code == -9, crash
        assert_nothing_is_lost(study, calm)
        assert warm.do("run", study, "--json").code == 0
        assert_is_as_if_undisturbed(study, calm)


def test_a_crash_while_a_release_replaces_another_leaves_one_of_the_two(warm, calm_run, tmp_path):
    changed = copy_of(calm_run[0], tmp_path / "changed")
    protocol = changed / "study.toml"
    protocol.write_text(protocol.read_text().replace('"caliper"', '"as_published"'))
    calm = copy_of(changed, tmp_path / "calm")
    writes = warm.do("run", calm, "--json").writes
    settled = writes.index("exchange")
    old, new = (files_below(study / "release") for study in (changed, calm))
    assert old != new
    for crash, release in ((Crash(settled, BEFORE), old), (Crash(settled, AFTER), new)):
        study = copy_of(changed, tmp_path / crash.when)
        assert warm.do("run", study, "--json", crash=crash).code == -9
        assert files_below(study / "release") == release
        assert verify_target(study).failed == []
        assert warm.do("run", study, "--json").code == 0
        assert_is_as_if_undisturbed(study, calm)


def test_a_second_run_does_nothing(warm, calm_run, tmp_path):
    study = copy_of(calm_run[0], tmp_path / "study")
    before = {path: path.stat().st_mtime_ns for path in (study / "release").rglob("*")}
    done = warm.do("run", study, "--json")
    assert (done.code, set(done.writes)) == (0, {"commit"})
    assert before == {path: path.stat().st_mtime_ns for path in (study / "release").rglob("*")}


def test_the_commands_own_process_gives_what_a_warm_one_gives(calm_ingest, calm_run, tmp_path):
    study = copy_of(calm_ingest[0], tmp_path / "study")
    command = [sys.executable, "-m", "lesionary", "run", str(study), "--json"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0
    assert_is_as_if_undisturbed(study, calm_run[0])
