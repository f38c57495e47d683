"""``ingest --received`` takes a series once it is whole, and says so of slices that come later."""

import json
import os
import time
from contextlib import contextmanager

import pytest

from dicom_factory import ct_series, encode
from lesionary.app.reception import Tally, receiving
from lesionary.app.study import Study
from lesionary.app.study_door import study_door
from lesionary.cli.main import run_command
from structure_objects import SERIES_UID, contour, rtstruct, save_rtstruct

SQUARE = [(-18, -28, 40), (-15, -28, 40), (-15, -25, 40), (-18, -25, 40)]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.chdir(tmp_path)

    def command(*arguments) -> tuple[int, dict]:
        capsys.readouterr()
        code = run_command([*(str(argument) for argument in arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    assert command("new", "study")[0] == 0
    return command


@contextmanager
def listening():
    """Receive; what is yielded takes files on an association that stays open, or ends it."""
    study = Study.open("study")
    with study_door(study) as opened, receiving(study, opened.door) as reception:
        tally = Tally()

        def take(paths, *, association=1, is_last=False):
            for path in paths:
                assert reception.take(path.read_bytes(), tally, association).is_stored
            if is_last:
                reception.end(tally, association, "released", "C-STORE")

        yield take
    study.registry.close()


@pytest.fixture
def slices(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    paths = [folder / f"{number}.dcm" for number in range(8)]
    for path, ds in zip(paths, ct_series(series=3), strict=True):
        ds.SeriesInstanceUID = SERIES_UID
        encode(ds, path)
    return paths


def age(seconds: float) -> None:
    """Let the last object of every series be so old."""
    then = time.time() - seconds
    for series in (Study.open("study").files.root / "received").iterdir():
        os.utime(series, (then, then))


def received(run) -> tuple[dict, dict]:
    status = run("status", "study")[1]
    return status["received"], status["arriving"]


def test_a_series_waits_while_its_sender_is_there(run, slices):
    with listening() as take:
        take(slices[:4])
        age(3600)
        code, first = run("ingest", "study", "--received")
        assert (code, first["series"], first["left_out"]) == (0, [], [])
        assert first["arriving"] == {"series": 1, "objects": 4}
        assert received(run) == ({"stored": 4, "waiting": 4}, {"series": 1, "objects": 4})
        take(slices[4:], is_last=True)
        age(3600)
        code, whole = run("ingest", "study", "--received")
        assert (code, len(whole["series"]), whole["series"][0]["shape"][0]) == (0, 1, 8)
        assert received(run) == ({"stored": 8, "waiting": 0}, {"series": 0, "objects": 0})


def test_a_series_waits_a_while_for_a_sender_that_comes_again(run, slices):
    with listening() as take:
        take(slices[:4], is_last=True)
        assert run("ingest", "study", "--received")[1]["arriving"]["objects"] == 4
        age(30)
        assert run("ingest", "study", "--received", "--quiet-s", "20")[1]["new"]["series"] == 1


def test_quiet_s_0_takes_what_is_there(run, slices):
    with listening() as take:
        take(slices[:4])
        code, first = run("ingest", "study", "--received", "--quiet-s", "0")
        assert (code, first["new"]["series"], first["arriving"]["objects"]) == (0, 1, 0)


def test_where_nobody_listens_any_more_nothing_is_waited_for(run, slices):
    with listening() as take:
        take(slices)
    code, first = run("ingest", "study", "--received")
    assert (code, first["new"]["series"], first["arriving"]["series"]) == (0, 1, 0)


def test_an_association_of_a_process_that_died_holds_nothing_back(run, slices):
    with listening() as take:
        take(slices)
    folder = Study.open("study").files.root / "received.arriving"
    (folder / "dead.lock").touch()
    (folder / "dead.series").write_text(next(folder.parent.glob("received/*")).name)
    with listening():
        assert not list(folder.iterdir())
        (folder / "dead.lock").touch()
        (folder / "dead.series").write_text(next(folder.parent.glob("received/*")).name)
        age(3600)
        assert run("ingest", "study", "--received")[1]["new"]["series"] == 1


def test_a_drawing_on_a_series_that_waits_is_no_orphan(run, slices, tmp_path):
    import pydicom

    first = pydicom.dcmread(slices[0])
    built = rtstruct({1: [contour(SQUARE)]}, names={1: "GTV"}, types={1: "GTV"})
    built.PatientID, built.SeriesInstanceUID = first.PatientID, "1.2.3.8"
    built.StudyInstanceUID = first.StudyInstanceUID
    drawn = tmp_path / "drawn.dcm"
    save_rtstruct(drawn, built)
    with listening() as take:
        take([drawn], is_last=True)
        age(3600)
        take(slices[:4], association=2)
        code, first = run("ingest", "study", "--received")
        assert (code, first["left_out"]) == (0, [])
        assert [row["code"] for row in first["ignored"]] == ["still_arriving"]
        take(slices[4:], association=2, is_last=True)
    code, whole = run("ingest", "study", "--received")
    assert (code, whole["new"]["series"], whole["new"]["masks"]) == (0, 1, 1)
    assert run("status", "study")[1]["counts"]["ignored"] == 0


def test_slices_that_come_after_their_series_are_said_to_be_so(run, slices):
    with listening() as take:
        take(slices[:4])
    assert run("ingest", "study", "--received")[1]["new"]["series"] == 1
    with listening() as take:
        take(slices[4:])
    code, grown = run("ingest", "study", "--received")
    row = grown["left_out"][0]
    assert (code, row["code"], row["reason"].split()[0]) == (2, "series_grown", "4")
    assert "new study" in row["hint"]
    code, again = run("ingest", "study", "--received")
    assert (code, again["left_out"], again["again"]["left_out"]) == (0, [], 1)
    assert run("status", "study")[1]["counts"]["left_out"] == 1
    assert run("verify", "study")[0] == 0


def test_slices_that_come_later_by_a_path_are_said_to_be_so_too(run, slices, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    for path in slices[:4]:
        (half / path.name).write_bytes(path.read_bytes())
    assert run("ingest", "study", half)[0] == 0
    _, grown = run("ingest", "study", slices[0].parent)
    assert [row["code"] for row in grown["left_out"]] == ["series_grown"]


def test_a_message_says_what_still_arrives(run, slices, capsys):
    with listening() as take:
        take(slices[:4])
        run_command(["ingest", "study", "--received"])
        said = capsys.readouterr().out
        assert "Still arriving: 1 series of 4 objects by now: --quiet-s 0" in said
        run_command(["status", "study"])
        assert "Still arriving: 1 series of 4 objects" in capsys.readouterr().out
