"""Several readers and a model on one set of scans: agreed, evaluated, published."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from lesionary.cli.main import run_command
from lesionary.io.nifti import write_nifti
from lesionary.phantoms.readers import ReaderHabits, simulate_reader
from small_scans import scan

READERS = {
    "anna": ReaderHabits(noise_mm=0.8, seed=1),
    "ben": ReaderHabits(bias_mm=0.8, noise_mm=0.8, seed=2),
    "carl": ReaderHabits(bias_mm=-0.8, noise_mm=0.8, seed=3),
    "model": ReaderHabits(bias_mm=1.5, noise_mm=0.5, seed=4),
}
PATTERN = "{subject}/{subject}_{timepoint}_{reader}_mask.nii.gz"


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = run_command([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


def write_readers(folder: Path, readers=READERS) -> Path:
    """Write three scans; the first one's smaller tumour is missed by carl."""
    for number in range(3):
        volume, truth = scan(number)
        subject = folder / f"p{number}"
        subject.mkdir(parents=True)
        write_nifti(subject / f"p{number}_0_ct_image.nii.gz", volume)
        for reader, habits in readers.items():
            drawn = simulate_reader(truth, habits)
            if number == 0 and reader == "carl":
                drawn = drawn.with_array(np.where(drawn.array == 1, np.uint16(0), drawn.array))
            write_nifti(subject / f"p{number}_0_{reader}_mask.nii.gz", drawn)
    return folder


def study_of(tmp_path, run, *, predictions='["model"]'):
    write_readers(tmp_path / "scans")
    run("new", tmp_path / "study")
    protocol = tmp_path / "study" / "study.toml"
    text = protocol.read_text().replace("predictions = []", f"predictions = {predictions}")
    protocol.write_text(text)
    run("ingest", tmp_path / "study", tmp_path / "scans", "--reader-from", PATTERN)
    return tmp_path / "study"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_readers_of_a_study_are_compared_and_a_missed_tumour_is_counted(tmp_path, run):
    study = study_of(tmp_path, run)
    code, found = run("agree", study)
    assert code == 0
    agreement = found["agreement"]
    assert agreement["readers"] == ["anna", "ben", "carl"]
    (counts,) = agreement["counts"]
    assert (counts["n_cases"], counts["n_tumours"], counts["n_missed"]) == (3, 6, 1)
    assert counts["missed_by_carl"] == 1
    pairs = [row for row in agreement["pairs"] if row["n_missed"] == 1]
    assert [row["dice"] for row in pairs] == [0.0, 0.0]
    assert all("model" not in row["pair"] for row in agreement["pairs"])


def test_a_model_is_scored_against_each_reader_their_mean_and_the_consensus(tmp_path, run):
    study = study_of(tmp_path, run)
    code, found = run("evaluate", study)
    assert code == 0
    scores = found["evaluation"]["model"]["scores"]
    references = {row["reference"] for row in scores}
    assert references == {"anna", "ben", "carl", "mean", "consensus"}
    dice = {row["reference"]: row for row in scores if row["metric"] == "dsc"}
    assert dice["carl"]["n_missed"] == 0
    assert 0.7 < dice["consensus"]["mean"] < 1


def test_a_release_holds_tables_figures_consensus_and_uncertainty(tmp_path, run):
    study = study_of(tmp_path, run)
    code, found = run("run", study)
    assert code == 0
    release = Path(found["release"])
    tumours = rows_of(release / "agreement/tables/agreement_tumours.csv")
    assert len(tumours) == 6
    assert all(row["domain"] == "image" for row in tumours)
    assert (release / "agreement/figures/agreement_dice.svg").is_file()
    assert (release / "evaluation/model/tables/evaluation_overall.tex").is_file()
    assert len(list((release / "agreement/consensus").iterdir())) == 3
    assert len(list((release / "agreement/uncertainty").iterdir())) == 3
    assert run("verify", study)[0] == 0
    again = run("run", study)[1]
    assert again["done"] == []


def test_a_study_with_one_reader_has_nobody_to_agree_with(tmp_path, run):
    write_readers(tmp_path / "scans", {"anna": READERS["anna"]})
    run("new", tmp_path / "study")
    run("ingest", tmp_path / "study", tmp_path / "scans", "--reader-from", PATTERN)
    code, found = run("run", tmp_path / "study")
    assert code == 0
    assert "agreement" not in found
    assert not (Path(found["release"]) / "agreement").exists()


def test_drafts_from_given_masks_boxes_are_scored_against_the_masks(tmp_path, run):
    write_readers(tmp_path / "scans", {"anna": READERS["anna"]})
    run("new", tmp_path / "study")
    protocol = tmp_path / "study" / "study.toml"
    protocol.write_text(
        protocol.read_text().replace('given_masks = "keep"', 'given_masks = "redraw"')
    )
    run("ingest", tmp_path / "study", tmp_path / "scans", "--reader-from", PATTERN)
    code, found = run("evaluate", tmp_path / "study")
    assert code == 0
    dice = [r for r in found["evaluation"]["drafts"]["scores"] if r["metric"] == "dsc"]
    assert len(dice) == 1
    assert dice[0]["n"] == 3
    assert dice[0]["mean"] > 0.6
    assert dice[0]["n_self_compared"] == 0


def test_rules_that_touch_readers_clean_what_is_compared_too(tmp_path, run):
    study = study_of(tmp_path, run)
    _, before = run("evaluate", study)
    protocol = study / "study.toml"
    rule = '[[annotate.clean_up]]\nrule = "intensity"\nlow_hu = 20.0\nhigh_hu = 500.0\n'
    text = protocol.read_text()
    protocol.write_text(text.replace("[measure]", f"{rule}readers = true\n\n[measure]", 1))
    code, after = run("evaluate", study)
    assert code == 0
    assert "agree/ser-0001" in after["done"]
    dice = [
        next(row["mean"] for row in found["agreement"]["summary"] if row["metric"] == "dice_mean")
        for found in (before, after)
    ]
    assert dice[1] > dice[0]
