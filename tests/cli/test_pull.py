"""``lesionary pull`` and ``listen --forward`` against an Orthanc."""

import base64
import io
import json
import os
import subprocess
import sys

import pytest
from pydicom import dcmread

from dicom_factory import ct_series, encapsulated_document, uid, write_series
from lesionary.app.study import Study
from lesionary.cli.main import run_command
from planted import TOKEN, identified
from servers import dcmtk
from servers.listening import Listening
from servers.orthanc import OrthancServer, what_is_missing
from servers.requirements import require


@pytest.fixture(scope="module")
def orthanc():
    lack = what_is_missing()
    require("orthanc", not lack, lack)
    with OrthancServer() as server:
        yield server


@pytest.fixture
def study(tmp_path):
    Study.create(tmp_path / "study").registry.close()
    return tmp_path / "study"


def run(*arguments, **options):
    command = [sys.executable, "-m", "lesionary", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, **options
    )


@pytest.fixture
def filled(orthanc, tmp_path):
    """Return the Orthanc with two patients' series and a document, all of them identified."""
    orthanc.delete_all()
    others = identified(ct_series(series=3), patient="2")
    for ds in others:
        ds.StudyInstanceUID = uid(3)
    slices = identified(ct_series()) + others
    slices.append(identified([encapsulated_document()], patient="2")[0])
    write_series(slices, tmp_path / "scans")
    for path in sorted((tmp_path / "scans").iterdir()):
        orthanc.add(path.read_bytes())
    return orthanc


def stored(study):
    return sorted((study / "received").rglob("*.dcm"))


def test_all_of_a_server_comes_through_the_door(filled, study):
    done = run("pull", study, "--dicomweb", filled.url, "--all", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (document["released"], document["quarantined"], document["unfetched"]) == (16, 1, 0)
    files = stored(study)
    assert len(files) == 16
    for place in (study, *files):
        assert TOKEN not in place.name
    everything = b"".join(path.read_bytes() for path in study.rglob("*") if path.is_file())
    assert TOKEN.encode() not in everything
    assert TOKEN not in done.stdout + done.stderr
    again = json.loads(run("pull", study, "--dicomweb", filled.url, "--all", "--json").stdout)
    assert (again["released"], again["duplicate"]) == (0, 16)
    events = [one for one in Study(study).registry.events() if one.action == "received"]
    assert len(events) == 2


def test_only_what_matches_is_fetched_and_its_identity_stands_in_no_command_line(filled, study):
    done = run(
        "pull", study, "--dicomweb", filled.url, "--match", "-", "--modality", "CT", "--json",
        input=f"PatientID={TOKEN}-2\n",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert (document["series"], document["released"]) == (1, 8)
    assert TOKEN not in done.stdout + done.stderr
    none = run("pull", study, "--dicomweb", filled.url, "--match", "-", input="PatientID=nobody\n")
    assert none.returncode == 2


def test_what_to_fetch_must_be_said(study):
    done = run("pull", study, "--dicomweb", "http://127.0.0.1:9/dicom-web")
    assert done.returncode == 2
    assert "nothing says what to fetch" in done.stderr
    wrong = run(
        "pull", study, "--dicomweb", "http://127.0.0.1:9/", "--match", "-", input="nonsense"
    )
    assert wrong.returncode == 2
    assert "nonsense" not in wrong.stderr


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("PatientId=ZQXPLANTED\n", "line 1 does not begin with the keyword"),
        ("\nModality=CT\nPatientID=\n", "line 3 has no value"),
        ("PatientID=ZQXPLANTED\nPatientID=2\n", "line 2 names a keyword that a line before"),
        ("\n", "what to match by is empty"),
    ],
)
def test_a_line_that_would_fetch_everything_or_the_wrong_thing_is_refused(
    study, monkeypatch, capsys, lines, said
):
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    address = ("--dicomweb", "http://127.0.0.1:9/", "--match", "-")
    assert run_command(["pull", str(study), *address]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "PatientID=…" in error
    assert "ZQXPLANTED" not in error


@pytest.mark.slow
def test_a_server_with_a_password_wants_it(study):
    lack = what_is_missing()
    require("orthanc", not lack, lack)
    with OrthancServer(user="reader", password="secret") as server:  # noqa: S106
        refused = run("pull", study, "--dicomweb", server.url, "--all", "--json")
        assert json.loads(refused.stdout)["error"]["code"] == "dicomweb_refused"
        header = base64.b64encode(b"reader:secret").decode()
        environment = os.environ | {"LESIONARY_DICOMWEB_AUTH": f"Basic {header}"}
        let_in = run("pull", study, "--dicomweb", server.url, "--all", env=environment)
        assert "secret" not in let_in.stderr
        assert header not in let_in.stderr
        assert let_in.returncode == 2, "an empty server brings nothing"


def test_what_is_received_goes_on_to_orthanc_deidentified(orthanc, study, tmp_path):
    require("dcmtk", not dcmtk.what_is_missing(), dcmtk.PACKAGE)
    orthanc.delete_all()
    write_series(identified(ct_series()), tmp_path / "scans")
    with Listening(study, "--once", "--forward", orthanc.url) as receiver:
        dcmtk.send(receiver.port, [tmp_path / "scans"])
        code, document = receiver.wait()
    assert (code, document["forwarded"]["sent"], document["forwarded"]["waiting"]) == (0, 8, 0)
    there = [orthanc.get(f"/instances/{one}/file") for one in orthanc.get("/instances")]
    assert len(there) == 8
    assert all(TOKEN.encode() not in content for content in there)
    here = {dcmread(path).SOPInstanceUID for path in stored(study)}
    assert {dcmread(io.BytesIO(content)).SOPInstanceUID for content in there} == here
    with Listening(study, "--idle-s", "0.1", "--forward", orthanc.url) as receiver:
        _, again = receiver.wait()
    assert again["forwarded"]["sent"] == 0, "the ledger knows what is there"


@pytest.mark.slow
def test_what_a_dead_server_did_not_take_goes_on_with_the_next_start(orthanc, study, tmp_path):
    require("dcmtk", not dcmtk.what_is_missing(), dcmtk.PACKAGE)
    orthanc.delete_all()
    write_series(identified(ct_series()), tmp_path / "scans")
    with Listening(study, "--forward", "http://127.0.0.1:9/dicom-web") as receiver:
        assert dcmtk.send(receiver.port, [tmp_path / "scans"]).returncode == 0
        code, document = receiver.end()
    assert (code, document["released"], document["forwarded"]["waiting"]) == (1, 8, 8)
    with Listening(study, "--idle-s", "0.1", "--forward", orthanc.url) as receiver:
        code, document = receiver.wait()
    assert (code, document["forwarded"]["sent"]) == (0, 8)
    assert len(orthanc.get("/instances")) == 8
