"""Folders of predictions against folders of references."""

import csv
import json

import numpy as np
import pytest

from lesionary.cli.main import run_command
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.nifti import write_nifti

GRID = Geometry((4, 12, 12), np.diag([2.0, 1.0, 1.0, 1.0]))


def mask(low, high):
    array = np.zeros(GRID.shape, dtype=np.uint16)
    array[1:3, low:high, low:high] = 1
    return LabelMap(array, GRID)


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = run_command([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


@pytest.fixture
def folders(tmp_path):
    """Six cases of three subjects: `good` lacks the last, `poor` is always too small."""
    for name in ("reference", "good", "poor"):
        (tmp_path / name).mkdir()
    for n in range(6):
        case = f"s{n // 2}_{n % 2}.nii.gz"
        write_nifti(tmp_path / "reference" / case, mask(2, 8 + n % 3))
        if n < 5:
            write_nifti(tmp_path / "good" / case, mask(2, 8 + (n + 1) % 3))
        write_nifti(tmp_path / "poor" / case, mask(4, 7))
    return tmp_path


def scored(folders, *more):
    return (
        *("file", "evaluate", "--reference", folders / "reference"),
        *("--prediction", folders / "good", "--case-from", "{subject}_{timepoint}", *more),
    )


def test_a_case_without_prediction_is_left_out_and_every_caption_says_so(run, folders, tmp_path):
    code, found = run(*scored(folders, "--out", tmp_path / "out"))
    assert code == 1
    assert [row["code"] for row in found["left_out"]] == ["no_prediction"]
    tables = tmp_path / "out" / "tables"
    for name in ("overall", "cases", "scores", "detection", "by_size"):
        assert "1 of 6 cases are not scored." in (tables / f"evaluation_{name}.tex").read_text()
    with (tables / "evaluation_left_out.csv").open(newline="") as file:
        assert [row["code"] for row in csv.DictReader(file)] == ["no_prediction"]


def test_a_missing_prediction_may_count_as_an_empty_mask(run, folders):
    _, without = run(*scored(folders))
    code, found = run(*scored(folders, "--missing-is-empty"))
    assert code == 0
    assert any("scored as empty masks: 1" in note for note in found["notes"])
    (dsc,) = [row for row in found["summary"]["scores"] if row["metric"] == "dsc"]
    (before,) = [row for row in without["summary"]["scores"] if row["metric"] == "dsc"]
    assert (dsc["n"], dsc["n_missed"], before["n"]) == (6, 1, 5)
    assert dsc["mean"] == pytest.approx(before["mean"] * 5 / 6)


def test_two_predictions_are_compared_by_case_and_by_subject(run, folders, tmp_path):
    code, found = run(
        *scored(folders, "--versus", folders / "poor", "--out", tmp_path / "out"),
    )
    assert code == 1
    (dsc,) = [row for row in found["comparison"] if row["metric"] == "dsc"]
    assert (dsc["first"], dsc["second"]) == ("good", "poor")
    assert (dsc["n_pairs"], dsc["n_subjects"]) == (5, 3)
    assert dsc["mean_difference"] > 0.2
    assert dsc["p_by_case"] == pytest.approx(2 / 2**5)
    assert dsc["p_by_subject"] == pytest.approx(2 / 2**3)
    assert (tmp_path / "out" / "tables" / "evaluation_comparison.tex").is_file()


def test_subjects_of_cases_are_what_intervals_draw(run, folders):
    _, found = run(*scored(folders))
    (dsc,) = [row for row in found["summary"]["scores"] if row["metric"] == "dsc"]
    assert dsc["n_subjects"] == 3


def test_a_tolerance_that_no_label_has_is_said(run, folders):
    _, found = run(*scored(folders, "--tolerance", "zz=3"))
    assert any("'zz'" in note for note in found["notes"])


def test_results_are_written_behind_a_link_and_the_link_stays(run, folders, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    code, _ = run(*scored(folders, "--out", tmp_path / "link"))
    assert code == 1
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "release.json").is_file()
    assert not list(tmp_path.glob(".partial-*"))
