"""Wrong command lines, unwritable places and damaged studies: an answer each, never a traceback."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicom_factory import ct_series, write_series
from lesionary.cli.main import run_command
from small_scans import write_scans

Command = Callable[..., tuple[int, Any]]
UNUSABLE = 2
BOX = "10,20,10,20,5,11"


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    def _run(*arguments: object) -> tuple[int, Any]:
        code = run_command([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, json.loads(out, parse_constant=pytest.fail)

    return _run


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_scans(tmp_path / "scans", 1) / "p0_ct_image.nii.gz"


@pytest.fixture
def study(tmp_path: Path, run: Command, image: Path) -> Path:
    folder = tmp_path / "Stüdie mit Leerzeichen"
    assert run("new", folder)[0] == 0
    assert run("ingest", folder, image.parent)[0] == 0
    return folder


@pytest.mark.parametrize(
    "box",
    ["", "1,2,3", "a,b,c,d,e,f", "1,2,1,2,1,2,3", "-1,5,1,5,1,5", "5,1,1,5,1,5", "5,5,1,5,1,5",
     "0,45,0,40,0,24", "1.5,3,1,3,1,3", "nan,2,1,2,1,2", "99999999999999999999,9,1,2,1,2"],
)  # fmt: skip
def test_a_bad_box_is_an_error_and_no_output(run, image, tmp_path, box):
    code, document = run("file", "segment", image, f"--box={box}", "-o", tmp_path / "o.nii.gz")
    assert (code, document["error"]["code"]) == (UNUSABLE, "box")
    assert not (tmp_path / "o.nii.gz").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",), ("file", "nosuch"), ("ingest",), ("file", "measure"), ("run", "nostudy"),
        ("status", "nostudy"), ("verify", "nostudy"), ("publish", "scans"), ("new", "scans"),
        ("new", "n", "--protocol", "nosuch"), ("new", "n", "--protocol", "latin.toml"),
        ("ingest", "nostudy", "scans"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_command_line_is_answered_as_json(run, image, tmp_path, arguments):
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    before = set(tmp_path.rglob("*"))
    code, document = run(*arguments)
    assert code == UNUSABLE
    assert document["error"]["message"]
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["a folder.nii.gz", "x" * 300 + ".nii.gz", "none/o.nii.gz"])
def test_an_output_that_cannot_be_written_is_named_and_leaves_nothing(run, image, tmp_path, name):
    (tmp_path / "a folder.nii.gz").mkdir()
    before = set(tmp_path.rglob("*"))
    for command in (("segment", image, "--box", BOX, "-o", name), ("convert", image, name)):
        code, document = run("file", *command)
        assert code == UNUSABLE
        assert document["error"]["code"] in {"not_writable", "not_a_file"}
        assert document["error"]["source"] == name
    assert set(tmp_path.rglob("*")) == before


def test_an_input_is_never_written_over(run, image, tmp_path):
    content = image.read_bytes()
    (tmp_path / "link.nii.gz").hardlink_to(image)
    for output in (image, tmp_path / "link.nii.gz"):
        for command in (("segment", image, "--box", BOX, "-o", output), ("convert", image, output)):
            code, document = run("file", *command)
            assert (code, document["error"]["code"]) == (UNUSABLE, "usage")
            assert document["error"]["source"] == str(output)
            assert image.read_bytes() == content


def test_a_mask_taken_for_an_image_and_an_image_for_a_mask(run, image):
    code, document = run("file", "measure", image, image)
    assert (code, document["error"]["code"]) == (UNUSABLE, "mask_not_integer")


def test_the_same_input_twice_is_taken_once(run, study, image):
    code, document = run("ingest", study, image, image, image.parent)
    assert code == 0
    assert [row["id"] for row in document["series"]] == ["ser-0001"]
    assert [row["id"] for row in run("status", study)[1]["series"]] == ["ser-0001"]


@pytest.mark.parametrize(
    "content", [b"", b"noise" * 2000, None], ids=["emptied", "overwritten", "cut"]
)
@pytest.mark.parametrize("command", ["status", "ingest", "run", "verify", "publish"])
def test_a_damaged_registry_is_said_to_be_damaged(run, study, image, content, command):
    damaged = study.with_name("damaged")
    leftovers = shutil.ignore_patterns("*-wal", "*-shm")  # of this very process
    run("status", study)
    shutil.copytree(study, damaged, ignore=leftovers)
    path = damaged / "registry.db"
    path.write_bytes(path.read_bytes()[:9000] if content is None else content)
    code, document = run(command, damaged, *([image] if command == "ingest" else []))
    assert (code, document["error"]["code"]) == (UNUSABLE, "registry_damaged")


@pytest.mark.parametrize("title", ['a "quoted" \\ title', "two\nlines", "\x00\x1f\x7f", "[study]"])
def test_any_title_makes_a_study_that_opens(run, tmp_path, title):
    assert run("new", "titled", "--title", title)[0] == 0
    assert run("run", "titled")[0] == 0


def test_one_sop_uid_in_two_series_is_a_conflict_across_ingests_too(run, tmp_path):
    first = write_series(ct_series(series=5), tmp_path / "first")
    other = ct_series(series=6)
    for ds, before in zip(other, ct_series(series=5), strict=True):
        ds.SOPInstanceUID = before.SOPInstanceUID
        ds.PixelData = bytes(len(ds.PixelData))
    write_series(other, tmp_path / "other")
    assert first
    run("new", "study")
    assert run("ingest", "study", tmp_path / "first")[0] == 0
    code, document = run("ingest", "study", tmp_path / "other")
    assert code == UNUSABLE
    assert [row["code"] for row in document["left_out"]] == ["sop_conflict"]


def test_one_series_of_two_patients_is_a_conflict_across_ingests_too(run, tmp_path):
    write_series(ct_series(series=5), tmp_path / "first")
    write_series(ct_series(series=5, patient="another"), tmp_path / "other")
    run("new", "study")
    assert run("ingest", "study", tmp_path / "first")[0] == 0
    code, document = run("ingest", "study", tmp_path / "other")
    assert code in {1, UNUSABLE}
    assert [row["code"] for row in document["left_out"]] == ["subject_conflict"]


def test_an_unwritable_source_map_stops_before_anything_is_taken(run, study, image, tmp_path):
    shutil.copy(image, tmp_path / "again_ct.nii.gz")
    before = run("status", study)[1]
    code, _ = run("ingest", study, tmp_path / "again_ct.nii.gz", "--source-map", tmp_path)
    assert code == UNUSABLE
    assert run("status", study)[1] == before


INTERRUPTED = """
import os, signal, sys
import {module} as module
def stop(*_, **__): os.kill(os.getpid(), signal.SIGINT)
module.{function} = stop
from lesionary.cli import main
main(sys.argv[1:])
"""


def interrupted(*words: object, at: tuple[str, str]) -> tuple[int, str, str]:
    script = INTERRUPTED.format(module=at[0], function=at[1])
    command = [sys.executable, "-c", script, *map(str, words)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


READING = ("lesionary.io.image_file", "read_image_file")
LOADING = ("typer", "Typer")
"""Two moments of a command; the other is before there is one."""


@pytest.mark.parametrize("at", [READING, LOADING], ids=["reading", "loading"])
def test_an_interrupt_is_130_and_one_document(study, image, at):
    code, out, err = interrupted("ingest", study, image, "--json", at=at)
    error = json.loads(out)["error"]
    assert (code, error["code"], err) == (130, "interrupted", "")
    assert set(error) == {"code", "message", "hint", "source", "sources"}
    assert "goes on" in error["hint"]
    assert not list(study.rglob(".partial-*"))


@pytest.mark.parametrize("at", [READING, LOADING], ids=["reading", "loading"])
def test_an_interrupt_is_one_line_that_says_how_to_go_on(study, image, at):
    code, out, err = interrupted("ingest", study, image, at=at)
    assert (code, out, err.count("\n")) == (130, "", 1)
    assert "run the same command again: it goes on" in err


def test_an_interrupted_file_verb_does_not_claim_to_go_on(image, tmp_path):
    words = ("file", "segment", image, "--box", BOX, "-o", tmp_path / "o.nii.gz")
    code, out, err = interrupted(*words, at=("lesionary.app.files.single", "open_sources"))
    assert (code, out, err) == (130, "", "interrupted; run the same command again\n")
