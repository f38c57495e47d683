"""``file evaluate``: predictions against references, one case and folders of them."""

import numpy as np
import pytest

from tiny_masks import (
    AFFINE,
    EMPTY,
    SHIFTED,
    TUMOUR,
    TWO_LABELS,
    TWO_SHIFTED,
    VOXEL_ML,
    drawn,
    write_mask,
    write_segments,
)

LABEL_FIELDS = {
    "label", "dsc", "nsd", "tolerance_mm", "hd95_mm", "hd95_reference_to_prediction_mm",
    "hd95_prediction_to_reference_mm", "mean_surface_distance_mm", "volume_difference_ml",
    "detection",
}  # fmt: skip
DETECTION_FIELDS = {
    "rule", "reference_lesions", "predicted_lesions", "true_positive", "false_negative",
    "false_positive", "sensitivity", "false_negative_rate", "precision", "f1",
}  # fmt: skip
ONE_CASE = {"labels", "detection", "self_compared", "as_published"}
DISTANCES = (
    "hd95_mm", "hd95_reference_to_prediction_mm", "hd95_prediction_to_reference_mm",
    "mean_surface_distance_mm",
)  # fmt: skip


@pytest.fixture
def score(command, tmp_path):
    """Return ``score(reference, prediction, *options)`` of two arrays."""

    def run(reference, prediction, *options):
        first = write_mask(tmp_path / "reference.nii.gz", reference)
        second = write_mask(tmp_path / "prediction.nii.gz", prediction)
        return command("file", "evaluate", "--reference", first, "--prediction", second, *options)

    return run


@pytest.fixture
def folders(tmp_path):
    """Write three cases of two collections as ``reference`` and ``model``; return the folder."""
    for number in range(3):
        case = f"g{number % 2}/p{number}"
        write_mask(tmp_path / "reference" / f"{case}.nii.gz", TUMOUR)
        write_mask(tmp_path / "model" / f"{case}.nrrd", SHIFTED)
    return tmp_path


def against(folder, *references):
    named = [word for name in references for word in ("--reference", folder / name)]
    return ("file", "evaluate", *named, "--prediction", folder / "model")


def test_a_case_has_every_field_of_the_contract(score):
    code, found = score(TWO_LABELS, TWO_SHIFTED)
    assert code == 0
    assert set(found) >= ONE_CASE
    assert [row["label"] for row in found["labels"]] == [1, 2]
    for row in found["labels"]:
        assert set(row) >= LABEL_FIELDS
        assert set(row["detection"]) >= DETECTION_FIELDS
        assert (row["dsc"], row["nsd"], row["hd95_mm"]) == (0.75, 1.0, 1.5)
        assert row["tolerance_mm"] == 2.0
    assert set(found["detection"]) >= DETECTION_FIELDS
    assert found["detection"]["true_positive"] == found["detection"]["reference_lesions"] == 2
    assert found["self_compared"] is False


def test_a_difference_of_volumes_is_prediction_less_reference(score):
    _, found = score(TUMOUR, drawn((1, "1:4,2:6,2:4")))
    assert found["labels"][0]["volume_difference_ml"] == pytest.approx(-36 * VOXEL_ML)


def test_two_empty_masks_have_no_labels_and_say_why(score):
    code, found = score(EMPTY, EMPTY)
    assert (code, found["labels"], found["self_compared"]) == (0, [], False)
    assert found["reason"]["labels"]
    assert found["detection"]["sensitivity"] is None


def test_a_composite_that_neither_mask_has_is_null_with_reasons(score):
    _, found = score(TUMOUR, SHIFTED, "--composite", "cyst=7+8")
    row = found["labels"][-1]
    assert (row["label"], row["dsc"], row["nsd"], row["hd95_mm"]) == ("cyst", None, None, None)
    assert set(row["reason"]) >= {"dsc", "nsd", *DISTANCES}


@pytest.mark.parametrize(("reference", "prediction"), [(TUMOUR, EMPTY), (EMPTY, TUMOUR)])
def test_empty_against_full_is_zero_with_distances_null(score, reference, prediction):
    code, found = score(reference, prediction)
    (row,) = found["labels"]
    assert (code, row["dsc"], row["nsd"]) == (0, 0.0, 0.0)
    assert [row[field] for field in DISTANCES] == [None] * 4
    assert found["as_published"]["differs"]


def test_a_mask_against_itself_is_perfect_and_flagged(score):
    _, found = score(TWO_LABELS, TWO_LABELS)
    assert found["self_compared"] is True
    assert {(row["dsc"], row["nsd"], row["hd95_mm"]) for row in found["labels"]} == {(1, 1, 0)}


def test_composites_score_several_labels_as_one(score):
    _, found = score(TUMOUR, drawn((2, "1:4,2:6,2:7")), "--composite", "any=1+2")
    assert [(row["label"], row["dsc"]) for row in found["labels"]] == [
        (1, 0.0),
        (2, 0.0),
        ("any", 1.0),
    ]


def test_lesions_found_and_false_are_counted_apart(score):
    reference = drawn((1, "0:2,0:2,0:2"), (1, "0:2,5:7,0:2"), (1, "4:6,0:2,0:2"))
    predicted = drawn((1, "0:2,0:2,0:2"), (1, "4:6,8:10,8:12"))
    _, found = score(reference, predicted)
    counts = found["detection"]
    assert (counts["reference_lesions"], counts["predicted_lesions"]) == (3, 2)
    assert (counts["true_positive"], counts["false_negative"]) == (1, 2)
    assert counts["false_positive"] == 1
    assert (counts["sensitivity"], counts["precision"]) == (pytest.approx(1 / 3), 0.5)
    assert counts["f1"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("rule", "n_found"), [("overlap", 1), ("iou:0.5", 1), ("iou:0.61", 0), ("one-to-one", 1)]
)
def test_the_rule_of_matching_is_named_and_counts(score, rule, n_found):
    _, found = score(TUMOUR, SHIFTED, "--match", rule)
    assert found["detection"]["rule"] == rule
    assert found["detection"]["true_positive"] == n_found


def test_smaller_components_are_no_lesions_but_count_in_dice(score):
    _, found = score(TUMOUR, SHIFTED, "--min-voxels", 61)
    assert found["detection"]["reference_lesions"] == 0
    assert found["labels"][0]["dsc"] == 0.75


@pytest.mark.parametrize("label", ["1=0", "m,liver=0"])
def test_a_label_has_its_own_tolerance_by_value_or_text(score, label):
    texts = '{"1": "m,liver"}'
    _, found = score(TWO_LABELS, TWO_SHIFTED, "--tolerance", label, "--labels", texts)
    first, second = found["labels"]
    assert (first["label"], first["tolerance_mm"]) == ("m,liver", 0.0)
    assert first["nsd"] < second["nsd"] == 1.0


@pytest.mark.parametrize(
    "words",
    [
        ("--tolerance-mm", "nan"), ("--tolerance-mm", "inf"), ("--tolerance-mm", "-1"),
        ("--tolerance", "1=nan"), ("--tolerance", "x"), ("--tolerance", "=1"),
        ("--tolerance", "1=2", "--tolerance", "1=3"), ("--composite", "a=0"),
        ("--composite", "a=70000"), ("--composite", "=1"), ("--composite", "a"),
        ("--composite", "a=1", "--composite", "a=2"), ("--match", "iou"), ("--match", "iou:nan"),
        ("--match", "iou:2"), ("--match", "x"), ("--match", "overlap:1"), ("--min-voxels", "-1"),
        ("--size-mm", "nan"), ("--size-mm", "5", "--size-mm", "3"), ("--size-mm", "-3"),
        ("--labels", "{"), ("--labels", '{"0": "x"}'), ("--labels", "none.json"),
        ("--labels", "["  * 100_000), ("--affine", "x"), ("--max-volume-bytes", "-1"),
    ],
    ids=lambda words: " ".join(words)[:40],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(score, words):
    code, found = score(TUMOUR, SHIFTED, *words)
    assert code == 2
    assert found["error"]["code"] in {"usage", "bad_labels"}


def test_several_references_have_their_mean_and_their_consensus(command, tmp_path):
    paths = [write_mask(tmp_path / f"r{n}.nii.gz", one) for n, one in enumerate((TUMOUR, SHIFTED))]
    model = write_mask(tmp_path / "model.nii.gz", TUMOUR)
    words = [word for path in paths for word in ("--reference", path)]
    code, found = command("file", "evaluate", *words, "--prediction", model)
    assert code == 0
    assert set(found) == {"references", "mean", "consensus"}
    assert [one["reference"] for one in found["references"]] == [str(path) for path in paths]
    assert all(set(one) >= ONE_CASE for one in found["references"])
    assert [one["labels"][0]["dsc"] for one in found["references"]] == [1.0, 0.75]
    mean = found["mean"]["labels"][0]
    assert (mean["dsc"], mean["hd95_mm"]) == (0.875, 0.75)
    assert found["consensus"]["method"] == "staple"
    assert found["consensus"]["labels"][0]["dsc"] == pytest.approx(2 * 45 / 105)


def test_empty_references_and_an_empty_prediction_are_no_fault(command, tmp_path):
    paths = [write_mask(tmp_path / f"{n}.nii.gz", EMPTY) for n in range(3)]
    words = ("--reference", paths[0], "--reference", paths[1], "--prediction", paths[2])
    code, found = command("file", "evaluate", *words)
    assert (code, found["mean"]["labels"], found["consensus"]["labels"]) == (0, [], [])


def test_a_reference_that_comes_twice_is_refused(command, tmp_path):
    path = write_mask(tmp_path / "a.nii.gz", TUMOUR)
    again = tmp_path / "." / "a.nii.gz"
    words = ("--reference", path, "--reference", again, "--prediction", path)
    code, found = command("file", "evaluate", *words)
    assert (code, found["error"]["code"]) == (2, "usage")


def test_a_turned_prediction_scores_the_same(score, command, tmp_path):
    _, expected = score(TWO_LABELS, TWO_SHIFTED)
    flip = np.diag([1.0, -1, 1, 1])
    flip[1, 3] = TWO_SHIFTED.shape[1] - 1
    to_old = flip @ np.eye(4)[:, [2, 0, 1, 3]]
    array = np.ascontiguousarray(TWO_SHIFTED[:, ::-1].transpose(2, 0, 1))
    turned = write_mask(tmp_path / "turned.nrrd", array, AFFINE @ to_old)
    words = ("--reference", tmp_path / "reference.nii.gz", "--prediction", turned)
    assert command("file", "evaluate", *words) == (0, expected)


def test_segments_that_are_named_otherwise_are_warned_of(command, tmp_path):
    first = write_segments(tmp_path / "a.nrrd", TUMOUR, {1: "Tumour"})
    second = write_segments(tmp_path / "b.nrrd", TUMOUR, {1: "Cyst"})
    _, found = command("file", "evaluate", "--reference", first, "--prediction", second)
    assert found["labels"][0]["label"] == "Tumour"
    assert len(found["warnings"]) == 1


def test_folders_are_scored_case_by_case(command, folders):
    words = (*against(folders, "reference"), "--case-from", "{group}/{subject}")
    code, found = command(*words, "--out", folders / "out")
    assert code == 0
    assert set(found) == {"cases", "summary", "left_out", "notes", "written"}
    assert [(row["group"], row["subject"], row["case"]) for row in found["cases"]] == [
        ("g0", "p0", "g0/p0"),
        ("g0", "p2", "g0/p2"),
        ("g1", "p1", "g1/p1"),
    ]
    dice = [row for row in found["summary"]["scores"] if row["metric"] == "dsc"]
    assert {row["mean"] for row in dice} == {0.75}
    assert found["left_out"] == found["notes"] == []
    assert {path.rpartition(".")[2] for path in found["written"]} >= {"csv", "json", "tex", "svg"}


def test_without_a_pattern_every_case_is_a_subject_and_a_note_says_so(command, folders):
    _, found = command(*against(folders, "reference"))
    assert "--case-from" in found["notes"][0]
    assert {row["subject"] for row in found["cases"]} == {row["case"] for row in found["cases"]}


def test_a_case_without_prediction_is_left_out_not_scored(command, folders):
    (folders / "model" / "g0" / "p0.nrrd").unlink()
    code, found = command(*against(folders, "reference"))
    assert (code, len(found["cases"])) == (1, 2)
    (row,) = found["left_out"]
    assert (row["source"], row["code"]) == ("g0/p0", "no_prediction")


def test_a_broken_prediction_leaves_its_case_out_and_the_others_are_done(command, folders):
    (folders / "model" / "g0" / "p0.nrrd").write_bytes(b"broken")
    code, found = command(*against(folders, "reference"))
    assert (code, len(found["cases"])) == (1, 2)
    assert [row["code"] for row in found["left_out"]] == ["not_dicom", "no_prediction"]


def test_predictions_without_a_reference_are_counted_in_a_note(command, folders):
    write_mask(folders / "model" / "extra.nii.gz", TUMOUR)
    code, found = command(*against(folders, "reference"))
    assert code == 0
    assert "without a reference" in found["notes"][1]


def test_a_case_that_one_of_two_references_lacks_is_left_out(command, folders):
    for case in ("g0/p0", "g1/p1"):
        write_mask(folders / "second" / f"{case}.nii.gz", SHIFTED)
    code, found = command(*against(folders, "reference", "second"))
    assert (code, len(found["cases"])) == (1, 2)
    assert [(row["source"], row["code"]) for row in found["left_out"]] == [
        ("g0/p2", "no_reference")
    ]
    references = {row["reference"] for row in found["summary"]["scores"]}
    assert references == {"reference", "second", "mean", "consensus"}


def test_two_files_at_one_place_are_not_chosen_from(command, folders):
    write_mask(folders / "model" / "g0" / "p0.nii.gz", TUMOUR)
    code, found = command(*against(folders, "reference"))
    assert (code, len(found["cases"])) == (1, 2)
    assert found["left_out"][0]["code"] == "several_masks"


def test_folders_where_nothing_can_be_scored_are_an_error_that_names_the_cause(command, folders):
    (folders / "empty").mkdir()
    code, found = command(*against(folders, "empty"))
    assert (code, found["error"]["source"]) == (2, str(folders / "empty"))
    (folders / "model").rename(folders / "elsewhere")
    (folders / "model").mkdir()
    code, found = command(*against(folders, "reference"))
    assert (code, found["error"]["code"]) == (2, "no_prediction")
    assert found["error"]["source"] == "g0/p0"


def test_a_folder_is_not_compared_with_a_file(command, folders):
    code, found = command(*against(folders, "reference/g0/p0.nii.gz"))
    assert (code, found["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("pattern", ["{nope}", "x", "{subject}"])
def test_a_pattern_that_fits_no_case_is_refused(command, folders, pattern):
    code, found = command(*against(folders, "reference"), "--case-from", pattern)
    assert (code, found["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("name", ["mean", "consensus"])
def test_a_folder_named_as_what_is_made_of_all_is_refused_beforehand(
    command, folders, monkeypatch, name
):
    monkeypatch.chdir(folders)
    (folders / "reference").rename(folders / name)
    write_mask(folders / "second" / "p.nii.gz", TUMOUR)
    words = ("--reference", name, "--reference", "second", "--prediction", "model")
    code, found = command("file", "evaluate", *words)
    assert (code, found["error"]["code"]) == (2, "usage")
    whole = ("--reference", folders / name, "--reference", "second", "--prediction", "model")
    write_mask(folders / "second" / "g0" / "p0.nii.gz", TUMOUR)
    code, found = command("file", "evaluate", *whole)
    assert [one["reference"] for one in found["cases"][0]["references"]] == [
        str(folders / name),
        "second",
    ]
    assert command("file", "evaluate", "--reference", name, "--prediction", "model")[0] == 0


def test_tables_are_not_written_over_anything_else(command, folders):
    before = sorted(folders.rglob("*"))
    code, found = command(*against(folders, "reference"), "--out", folders / "reference")
    assert (code, found["error"]["code"]) == (2, "usage")
    assert sorted(folders.rglob("*")) == before


def test_a_missing_prediction_can_count_as_an_empty_mask(command, folders):
    (folders / "model" / "g0" / "p0.nrrd").unlink()
    code, found = command(*against(folders, "reference"), "--missing-is-empty")
    assert code == 0
    assert [case["labels"][0]["dsc"] for case in found["cases"]] == [0.0, 0.75, 0.75]
    assert "scored as empty masks: 1" in found["notes"][1]


def test_two_folders_of_predictions_are_tested_on_the_cases_that_both_have(command, folders):
    for number in range(3):
        write_mask(folders / "other" / f"g{number % 2}" / f"p{number}.nii.gz", TUMOUR)
    (folders / "model" / "g0" / "p0.nrrd").unlink()
    words = (*against(folders, "reference"), "--versus", folders / "other")
    code, found = command(*words)
    assert code == 1
    (dice,) = [row for row in found["comparison"] if row["metric"] == "dsc"]
    assert (dice["first"], dice["second"]) == ("model", "other")
    assert (dice["n_pairs"], dice["n_left_out"]) == (2, 1)
    assert dice["mean_difference"] == -0.25


@pytest.mark.parametrize(
    "words", [("--versus", "x"), ("--missing-is-empty",), ("--case-from", "{subject}")]
)
def test_what_is_meant_for_folders_is_refused_with_single_masks(score, words):
    code, found = score(TUMOUR, SHIFTED, *words)
    assert (code, found["error"]["code"]) == (2, "usage")
