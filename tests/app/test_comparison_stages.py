"""The study's ``agree`` and ``evaluate``: readers, corrections, given masks, predictions."""

import json
from pathlib import Path

import numpy as np
import pytest

from lesionary.app.study import Study
from lesionary.io.nifti import write_nifti
from lesionary.io.registry import tables
from small_scans import scan

PATTERN = "{subject}/{subject}_{timepoint}_{reader}_mask.nii.gz"


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))


def as_is(array, _number):
    return array


def nothing(array, _number):
    return np.zeros_like(array)


def moved(voxels):
    """Return a reader who draws everything some rows too far."""
    return lambda array, _number: np.roll(array, voxels, axis=1)


def only_first(array, number):
    return array if number == 0 else None


def write_scans(folder: Path, readers, *, n_scans=2) -> Path:
    """Write scans with what every reader made of their truth; None is no file."""
    for number in range(n_scans):
        volume, truth = scan(number)
        subject = folder / f"p{number}"
        subject.mkdir(parents=True)
        write_nifti(subject / f"p{number}_0_ct_image.nii.gz", volume)
        for reader, draws in readers.items():
            array = draws(truth.array, number)
            if array is not None:
                mask = truth.with_array(array.astype(np.uint16))
                write_nifti(subject / f"p{number}_0_{reader}_mask.nii.gz", mask)
    return folder


@pytest.fixture
def study(command, tmp_path):
    """Return ``study(readers, predictions, n_scans)``: a study that has taken them in."""

    def make(readers, predictions=(), *, n_scans=2):
        place = tmp_path / "study"
        command("new", place)
        protocol = place / "study.toml"
        names = json.dumps(list(predictions), ensure_ascii=False)
        text = protocol.read_text().replace("predictions = []", f"predictions = {names}")
        protocol.write_text(text)
        scans = write_scans(tmp_path / "scans", readers, n_scans=n_scans)
        assert command("ingest", place, scans, "--reader-from", PATTERN)[0] == 0
        return place

    return make


def stages_of(command, place):
    rows = command("status", place)[1]["stages"]
    return {row["stage"]: (row["done"], row["due"], row["failed"]) for row in rows}


def dice_of(found):
    return sorted(row["dice"] for row in found["agreement"]["pairs"])


def scores_of(found, prediction, metric="dsc"):
    rows = found["evaluation"][prediction]["scores"]
    return {row["reference"]: row for row in rows if row["metric"] == metric}


def test_a_reader_whose_mask_is_empty_missed_everything_and_is_not_dropped(command, study):
    place = study({"anna": as_is, "ben": nothing})
    code, found = command("agree", place)
    assert code == 0
    assert found["agreement"]["readers"] == ["anna", "ben"]
    (counts,) = found["agreement"]["counts"]
    assert (counts["n_tumours"], counts["missed_by_ben"], counts["missed_by_anna"]) == (4, 4, 0)
    assert dice_of(found) == [0.0] * 4


def test_empty_masks_of_all_are_cases_without_tumour(command, study):
    place = study({"anna": nothing, "ben": nothing, "model": nothing}, ["model"])
    code, found = command("evaluate", place)
    assert (code, found["failed"]) == (0, [])
    (counts,) = found["agreement"]["counts"]
    assert (counts["n_cases"], counts["n_cases_without_tumour"]) == (2, 2)
    assert found["evaluation"]["model"]["scores"] == []


def test_a_prediction_that_found_nothing_scores_zero(command, study):
    place = study({"anna": as_is, "model": nothing}, ["model"])
    _, found = command("evaluate", place)
    row = scores_of(found, "model")["anna"]
    assert (row["mean"], row["n"], row["n_missed"]) == (0.0, 2, 2)


def test_a_readers_later_correction_replaces_the_earlier_mask(command, study, tmp_path):
    place = study({"anna": as_is, "ben": moved(2)})
    before = dice_of(command("agree", place)[1])
    corrected = write_scans(tmp_path / "corrected", {"ben": as_is}, n_scans=1)
    assert command("ingest", place, corrected, "--reader-from", PATTERN)[0] == 0
    code, found = command("agree", place)
    assert code == 0
    assert sum(unit.startswith("agree/") for unit in found["done"]) == 1
    assert dice_of(found) == [*before[::2], 1.0, 1.0]


def test_a_further_reader_makes_only_its_own_image_due_again(command, study, tmp_path):
    place = study({"anna": as_is})
    command("agree", place)
    assert stages_of(command, place)["agree"] == (0, 0, 0)
    more = write_scans(tmp_path / "more", {"ben": moved(1)}, n_scans=1)
    command("ingest", place, more, "--reader-from", PATTERN)
    assert command("agree", place)[1]["agreement"]["counts"][0]["n_cases"] == 1
    assert stages_of(command, place)["agree"] == (1, 0, 0)


def test_two_predictions_are_scored_each_and_take_no_part_in_agreement(command, study):
    readers = {"anna": as_is, "ben": moved(1), "new": as_is, "old": moved(2)}
    place = study(readers, ["new", "old"])
    _, found = command("evaluate", place)
    assert found["agreement"]["readers"] == ["anna", "ben"]
    assert set(found["evaluation"]) == {"new", "old"}
    assert set(scores_of(found, "new")) == {"anna", "ben", "mean", "consensus"}
    new, old = (scores_of(found, name)["anna"] for name in ("new", "old"))
    assert (new["mean"], new["n_self_compared"]) == (1.0, 2)
    assert old["mean"] < 0.9
    assert old["n_self_compared"] == 0


def test_a_series_without_a_predictions_mask_is_named(command, study):
    place = study({"anna": as_is, "model": only_first}, ["model"])
    code, found = command("evaluate", place)
    assert code == 0
    assert scores_of(found, "model")["anna"]["n"] == 1
    (lacking,) = found["evaluation"]["model"]["not_predicted"]
    assert {row["case"] for row in found["evaluation"]["model"]["cases"]} == (
        {"ser-0001", "ser-0002"} - {lacking}
    )


def test_masks_without_a_reader_are_references_but_nobody_to_agree_with(command, tmp_path):
    folder = tmp_path / "scans"
    volume, truth = scan(0)
    folder.mkdir()
    write_nifti(folder / "p0_0_ct_image.nii.gz", volume)
    write_nifti(folder / "p0_0_ct_mask.nii.gz", truth)
    mask = truth.with_array(np.roll(truth.array, 1, axis=1))
    write_nifti(folder / "p0_0_ct_model_mask.nii.gz", mask)
    place = tmp_path / "study"
    command("new", place)
    protocol = place / "study.toml"
    protocol.write_text(protocol.read_text().replace("predictions = []", 'predictions = ["model"]'))
    command(
        "ingest", place, folder, "--reader-from", "{subject}_{timepoint}_ct_{reader}_mask.nii.gz"
    )
    code, found = command("evaluate", place)
    assert code == 0
    assert "agreement" not in found
    assert set(scores_of(found, "model")) == {"given"}
    assert 0.7 < scores_of(found, "model")["given"]["mean"] < 1


def test_labels_are_one_by_their_texts_however_readers_number_them(command, tmp_path):
    subject = tmp_path / "scans" / "p0"
    subject.mkdir(parents=True)
    volume, truth = scan(0)
    write_nifti(subject / "p0_0_ct_image.nii.gz", volume)
    swapped = truth.with_array(
        np.select([truth.array == 1, truth.array == 2], [2, 1], 0).astype("u2")
    )
    texts = {1: "m,liver", 2: "m,lung"}
    for reader, mask, labels in (
        ("anna", truth, texts),
        ("ben", swapped, {3 - value: text for value, text in texts.items()}),
    ):
        path = subject / f"p0_0_{reader}_mask.nii.gz"
        write_nifti(path, mask)
        path.with_name(f"p0_0_{reader}_mask.json").write_text(json.dumps(labels))
    place = tmp_path / "study"
    command("new", place)
    command("ingest", place, tmp_path / "scans", "--reader-from", PATTERN)
    _, found = command("agree", place)
    assert {row["label"] for row in found["agreement"]["tumours"]} == set(texts.values())
    assert dice_of(found) == [1.0, 1.0]


def test_a_series_that_fails_stops_no_other(command, study):
    shifts = iter((1, 3))  # another mask for each image, so another object

    def ben(*given):
        return moved(next(shifts))(*given)

    place = study({"anna": as_is, "ben": ben, "model": moved(2)}, ["model"])
    command("measure", place)
    opened = Study.open(place)
    (mask, *_) = opened.registry.rows(tables.annotation, author="ben", order_by=("series_id",))
    opened.objects.path_of(mask["object_id"]).unlink()
    code, found = command("evaluate", place)
    assert code == 1
    found["failed"] = [row for row in found["failed"] if row["unit"].startswith("evaluate/")]
    (failed,) = found["failed"]
    assert failed["unit"].startswith("evaluate/")
    assert failed["reason"]
    assert scores_of(found, "model")["anna"]["n"] == 1
    assert stages_of(command, place)["evaluate"] == (1, 0, 1)


def test_a_reader_may_bear_the_name_of_what_is_made_of_all(command, study):
    place = study({"anna": as_is, "mean": moved(1), "model": moved(2)}, ["model"])
    code, found = command("evaluate", place)
    assert code == 0
    assert set(scores_of(found, "model")) == {"anna", "reader mean", "mean", "consensus"}


def test_a_composite_of_labels_that_no_image_has_is_null_with_its_reason(command, study):
    place = study({"anna": as_is, "model": moved(1)}, ["model"])
    protocol = place / "study.toml"
    text = protocol.read_text()
    protocol.write_text(text.replace("composites = {}", 'composites = { "x" = ["m,liver"] }'))
    _, found = command("evaluate", place)
    rows = [row for row in found["evaluation"]["model"]["cases"] if row["composite"]]
    assert {row["label"] for row in rows} == {"x"}
    assert all(row["dsc"] is None and row["reason"]["dsc"] for row in rows)


def test_a_prediction_of_which_nobody_has_a_mask_is_said(command, study):
    place = study({"anna": as_is, "model": moved(1)}, ["model", "nobody"])
    _, found = command("evaluate", place)
    assert found["evaluation"]["nobody"]["not_predicted"] == ["ser-0001", "ser-0002"]
    assert found["evaluation"]["nobody"]["cases"] == []


def test_status_counts_what_is_due_and_done(command, study):
    place = study({"anna": as_is, "ben": moved(1), "model": moved(2)}, ["model"])
    assert stages_of(command, place)["agree"] == (0, 2, 0)
    command("agree", place)
    assert stages_of(command, place)["agree"] == (2, 0, 0)
    command("evaluate", place)
    assert stages_of(command, place)["evaluate"] == (2, 0, 0)
    assert command("evaluate", place)[1]["done"] == []


def test_images_read_by_one_are_scored_under_the_same_name_as_those_read_by_several(command, study):
    place = study({"anna": as_is, "ben": only_first, "model": moved(1)}, ["model"])
    _, found = command("evaluate", place)
    scores = scores_of(found, "model")
    assert set(scores) == {"anna", "ben", "mean", "consensus"}
    assert (scores["anna"]["n"], scores["ben"]["n"], scores["consensus"]["n"]) == (2, 1, 1)


def test_another_tolerance_makes_evaluation_due_and_agreement_not(command, study):
    place = study({"anna": as_is, "ben": moved(1), "model": moved(2)}, ["model"], n_scans=1)
    command("evaluate", place)
    protocol = place / "study.toml"
    text = protocol.read_text()
    assert "[evaluate]" in text
    head, _, tail = text.partition("[evaluate]")
    changed = tail.replace("tolerance_mm = 2.0", "tolerance_mm = 0.0", 1)
    assert changed != tail
    protocol.write_text(head + "[evaluate]" + changed)
    _, found = command("evaluate", place)
    assert found["done"] == ["evaluate/ser-0001"]
    assert scores_of(found, "model", "nsd")["anna"]["mean"] < 1


@pytest.mark.parametrize("name", ["..", "drafts é"])
def test_a_predictions_name_leads_nowhere_outside_the_release(command, study, name):
    place = study({"anna": as_is, name: moved(1)}, [name], n_scans=1)
    code, found = command("run", place)
    assert code == 0
    assert list(found["evaluation"]) == [name]
    release = Path(found["release"])
    assert {path.name for path in (release / "evaluation").iterdir()} != {"tables", "figures"}
    assert not {"tables", "figures"} & {path.name for path in release.iterdir()}
    assert command("verify", place)[0] == 0
