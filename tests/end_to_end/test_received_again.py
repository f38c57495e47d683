"""What was received is judged with every ``ingest --received``, and counted once."""

import json

import pytest

from dicom_factory import ct_series, encode, mr_series
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


@pytest.fixture
def said(run, capsys):
    def text(*arguments) -> str:
        capsys.readouterr()
        run_command([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return printed.out + printed.err

    return text


def receive(folder) -> None:
    study = Study.open("study")
    with study_door(study) as opened, receiving(study, opened.door) as reception:
        for path in sorted(folder.rglob("*.dcm")):
            assert reception.take(path.read_bytes(), Tally(), 1).is_stored
    study.registry.close()


def write(slices, folder):
    folder.mkdir(parents=True)
    for number, ds in enumerate(slices):
        encode(ds, folder / f"{number}.dcm")
    return folder


def sound(tmp_path):
    return write(ct_series(series=1), tmp_path / "sound")


def unsound(tmp_path):
    slices = ct_series(series=2)
    del slices[3]
    return write(slices, tmp_path / "unsound")


def counts(run) -> dict[str, int]:
    return run("status", "study")[1]["counts"]


def test_a_reject_is_counted_once_and_a_second_time_nothing_is_new(run, said, tmp_path):
    receive(sound(tmp_path))
    receive(unsound(tmp_path))
    code, first = run("ingest", "study", "--received")
    assert (code, first["new"]["series"], len(first["left_out"])) == (1, 1, 1)
    before = counts(run)
    for _ in range(3):
        code, again = run("ingest", "study", "--received")
        assert (code, again["left_out"], again["ignored"]) == (0, [], [])
        assert again["new"] == {"series": 0, "masks": 0, "boxes": 0}
        assert again["again"] == {"series": 1, "drawings": 0, "left_out": 1}
        assert counts(run) == before
    text = said("ingest", "study", "--received")
    assert "nothing new" in text
    assert "Next:" not in text
    assert "Left out as before: 1" in text
    assert run("verify", "study")[0] == 0


def test_where_all_was_rejected_before_a_second_call_is_done(run, tmp_path):
    receive(unsound(tmp_path))
    assert run("ingest", "study", "--received")[0] == 2
    assert run("ingest", "study", "--received")[0] == 0
    assert counts(run)["left_out"] == 1


def test_what_a_later_call_leaves_out_is_told_with_that_call(run, tmp_path):
    receive(sound(tmp_path))
    assert run("ingest", "study", "--received")[0] == 0
    receive(unsound(tmp_path))
    code, second = run("ingest", "study", "--received")
    assert (code, [row["code"] for row in second["left_out"]]) == (1, ["missing_slice"])
    assert (second["new"]["series"], second["again"]["series"]) == (0, 1)


def test_a_reject_that_is_whole_after_all_is_no_reject_any_more(run, tmp_path):
    slices = ct_series(series=2)
    write([*slices[:3], *slices[4:]], tmp_path / "first")
    write([slices[3]], tmp_path / "rest")
    receive(tmp_path / "first")
    assert run("ingest", "study", "--received")[0] == 2
    receive(tmp_path / "rest")
    code, whole = run("ingest", "study", "--received")
    assert (code, whole["new"]["series"], counts(run)["left_out"]) == (0, 1, 0)
    assert run("verify", "study")[0] == 0


def test_a_drawing_whose_image_comes_later_is_an_orphan_until_then(run, tmp_path):
    slices = ct_series(series=3)
    for ds in slices:
        ds.SeriesInstanceUID = SERIES_UID
    built = rtstruct({1: [contour(SQUARE)]}, names={1: "GTV"}, types={1: "GTV"})
    built.PatientID, built.SeriesInstanceUID = slices[0].PatientID, "1.2.3.8"
    built.StudyInstanceUID = slices[0].StudyInstanceUID
    (tmp_path / "drawn").mkdir()
    save_rtstruct(tmp_path / "drawn" / "1.dcm", built)
    receive(tmp_path / "drawn")
    _, orphan = run("ingest", "study", "--received")
    assert [row["code"] for row in orphan["left_out"]] == ["orphan_reference"]
    receive(write(slices, tmp_path / "scans"))
    code, whole = run("ingest", "study", "--received")
    assert (code, whole["new"]["series"], whole["new"]["masks"]) == (0, 1, 1)
    assert counts(run)["left_out"] == 0
    _, again = run("ingest", "study", "--received")
    assert again["again"] == {"series": 1, "drawings": 1, "left_out": 0}


def test_what_a_rule_left_out_comes_in_once_the_rule_is_gone(run, tmp_path):
    path = tmp_path / "study" / "study.toml"
    text = path.read_text()
    rule = '[[curate.rule]]\nrule = "modality"\nany_of = ["CT"]\n\n[labels]'
    path.write_text(text.replace("[labels]", rule))
    receive(write(mr_series(series=4), tmp_path / "mr"))
    code, ruled = run("ingest", "study", "--received")
    assert (code, len(ruled["left_out"]), counts(run)["left_out"]) == (0, 1, 1)
    assert run("ingest", "study", "--received")[1]["left_out"] == []
    path.write_text(text)
    code, let_in = run("ingest", "study", "--received")
    assert (code, let_in["new"]["series"], counts(run)["left_out"]) == (0, 1, 0)


def test_an_empty_study_and_what_waits_are_said_with_the_next_command(run, said, tmp_path):
    for command in ("status", "run"):
        assert "Next: lesionary ingest study SCANS" in said(command, "study")
    receive(sound(tmp_path))
    assert run("status", "study")[1]["received"] == {"stored": 8, "waiting": 8}
    for command in ("status", "run"):
        text = said(command, "study")
        assert "8 received objects wait to come in" in text
        assert "Next: lesionary ingest study --received" in text
    run("ingest", "study", "--received")
    assert run("status", "study")[1]["received"] == {"stored": 8, "waiting": 0}
    assert Study.open("study").status()["received"] == {"stored": 8, "waiting": 0}
    for command in ("status", "run"):
        assert "ingest study" not in said(command, "study")


def test_scans_by_a_path_that_came_before_are_nothing_new(run, said, tmp_path):
    folder = sound(tmp_path)
    assert "Next: lesionary run study" in said("ingest", "study", folder)
    code, again = run("ingest", "study", folder)
    assert (code, again["new"]["series"], again["again"]["series"]) == (0, 0, 1)
    text = said("ingest", "study", folder)
    assert "nothing new" in text
    assert "Next:" not in text
