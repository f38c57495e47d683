"""What is unpacked on the way in are patients' scans: a killed ingest must not leave them about."""

import json
import signal
import subprocess
import sys
import tarfile
import zipfile

import pytest

from dicom_factory import ct_series, write_series
from lesionary.app.study import Study

NAME = "Meier"
KILLED = (
    "import os, signal, sys\n"
    "import lesionary.app.ingest as module\n"
    "module.pair = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    "from lesionary.cli import main\n"
    "main(sys.argv[1:])\n"
)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


@pytest.fixture(params=["scans.zip", "scans.tar.gz"])
def archive(tmp_path, request):
    scans = write_series(ct_series(series=1, patient=NAME), tmp_path / NAME)
    assert scans
    packed = tmp_path / request.param
    if request.param.endswith(".zip"):
        with zipfile.ZipFile(packed, "w") as made:
            for path in sorted((tmp_path / NAME).rglob("*.dcm")):
                made.write(path, f"{NAME}/{path.name}")
    else:
        with tarfile.open(packed, "w:gz") as made:
            made.add(tmp_path / NAME, NAME)
    return packed


def test_scans_that_a_killed_ingest_unpacked_go_with_the_next_of_any_study(
    tmp_path, temporary, archive
):
    killed, other = (Study.create(tmp_path / name).files.root for name in ("killed", "other"))
    command = [sys.executable, "-c", KILLED, "ingest", str(killed), str(archive)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    left = [path for path in temporary.rglob("*") if path.suffix == ".dcm"]
    assert left
    command = [sys.executable, "-m", "lesionary", "ingest", str(other), str(archive), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0
    assert list(temporary.iterdir()) == []
    assert len(json.loads(ran.stdout)["series"]) == 1
    log = (other / "logs" / "study.jsonl").read_text()
    assert '"scratch_folders": 1' in log
    assert NAME not in ran.stdout + ran.stderr + log
