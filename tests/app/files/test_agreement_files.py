"""``file agree``: readers' masks against each other, one case and many."""

import json
from itertools import permutations, product

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

N_VOXELS = 720
ONE_CASE = {
    "readers", "domain", "dice", "fleiss_kappa", "krippendorff_alpha", "volume_ml",
    "volume_difference_ml", "volume_rmse_ml", "volume_rmse_percent", "consensus", "present",
    "n_tumours", "n_missed", "n_fused", "tumours",
}  # fmt: skip
TUMOUR_ROW = {
    "label", "tumour", "present", "n_missed", "fused", "pieces", "first_voxel", "domain", "dice",
    "fleiss_kappa", "krippendorff_alpha", "volume_ml", "volume_difference_ml", "volume_rmse_ml",
    "volume_rmse_percent", "consensus", "diameter_mm", "diameter_difference_mm",
    "diameter_rmse_mm",
}  # fmt: skip
CASES = "{group}/{subject}_{timepoint}/{reader}.nii.gz"


@pytest.fixture
def masks(tmp_path):
    """Write arrays as masks; return their paths."""

    def write(*arrays):
        return [write_mask(tmp_path / f"m{n}.nii.gz", one) for n, one in enumerate(arrays)]

    return write


@pytest.fixture
def cases(tmp_path):
    """Write three cases of two data sets, each read by anna and ben; return the folder."""
    for number in range(3):
        place = tmp_path / "data" / f"g{number % 2}" / f"p{number}_0"
        write_mask(place / "anna.nii.gz", TUMOUR)
        write_mask(place / "ben.nii.gz", SHIFTED)
    return tmp_path / "data"


def test_two_readers_have_every_field_of_the_contract(command, masks):
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED))
    assert code == 0
    assert set(found) == ONE_CASE
    assert found["readers"] == ["1", "2"]
    assert found["domain"] == {"kind": "image", "voxels": N_VOXELS}
    assert found["dice"] == {"1-2": 0.75}
    assert found["volume_ml"] == pytest.approx([60 * VOXEL_ML] * 2)
    assert found["volume_difference_ml"] == {"1-2": 0.0}
    assert (found["volume_rmse_ml"], found["volume_rmse_percent"]) == (0.0, 0.0)
    expected = 2 * 60 / (2 * N_VOXELS)
    by_chance = expected**2 + (1 - expected) ** 2
    kappa = ((N_VOXELS - 30) / N_VOXELS - by_chance) / (1 - by_chance)
    assert found["fleiss_kappa"] == pytest.approx(kappa)
    (tumour,) = found["tumours"]
    assert set(tumour) == TUMOUR_ROW
    assert (tumour["label"], tumour["tumour"], tumour["present"]) == (1, 1, [True, True])
    assert tumour["dice"] == {"1-2": 0.75}
    assert tumour["fused"] is False


def test_a_difference_of_volumes_is_the_first_less_the_second(command, masks):
    _, found = command("file", "agree", *masks(TUMOUR, drawn((1, "1:4,2:6,2:4"))))
    assert found["volume_difference_ml"]["1-2"] == pytest.approx(36 * VOXEL_ML)
    assert found["volume_rmse_percent"] == pytest.approx(100 * 18 / 42)


def test_a_mask_agrees_with_itself_exactly(command, masks):
    (path,) = masks(TWO_LABELS)
    _, found = command("file", "agree", path, path)
    assert found["dice"] == {"1-2": 1.0}
    assert (found["fleiss_kappa"], found["krippendorff_alpha"]) == (1.0, 1.0)


def test_two_empty_masks_are_undefined_with_reasons(command, masks):
    code, found = command("file", "agree", *masks(EMPTY, EMPTY))
    assert code == 0
    assert found["dice"] == {"1-2": None}
    assert (found["fleiss_kappa"], found["volume_rmse_percent"]) == (None, None)
    assert set(found["reason"]) >= {"dice", "fleiss_kappa", "volume_rmse_percent"}
    assert found["tumours"] == []


def test_a_tumour_missed_by_one_has_a_dice_of_zero_and_stays(command, masks):
    _, found = command("file", "agree", *masks(TUMOUR, EMPTY, SHIFTED))
    (tumour,) = found["tumours"]
    assert tumour["present"] == [True, False, True]
    assert tumour["dice"] == {"1-2": 0.0, "1-3": 0.75, "2-3": 0.0}
    assert tumour["volume_ml"][1] == 0.0
    assert tumour["diameter_mm"][1] is None
    assert "2: missed" in tumour["reason"]["diameter_mm"]
    assert found["n_missed"] == [0, 1, 0]


def test_what_two_of_three_missed_is_null_between_these_two(command, masks):
    _, found = command("file", "agree", *masks(TUMOUR, EMPTY, EMPTY))
    assert found["tumours"][0]["dice"] == {"1-2": 0.0, "1-3": 0.0, "2-3": None}
    assert "2-3" in found["tumours"][0]["reason"]["dice"]


def test_a_tumour_that_bridges_two_of_another_reader_is_fused(command, masks):
    two = drawn((1, "1:4,2:4,2:4"), (1, "1:4,2:4,6:8"))
    _, found = command("file", "agree", *masks(two, drawn((1, "1:4,2:4,2:8"))))
    (tumour,) = found["tumours"]
    assert tumour["fused"] is True
    assert tumour["pieces"] == [2, 1]


def test_tumours_are_counted_within_their_label(command, masks):
    _, found = command("file", "agree", *masks(TWO_LABELS, TWO_SHIFTED))
    assert [(row["label"], row["tumour"]) for row in found["tumours"]] == [(1, 1), (2, 1)]


def test_labels_take_the_texts_that_are_given(command, masks):
    paths = masks(TWO_LABELS, TWO_SHIFTED)
    _, found = command("file", "agree", *paths, "--labels", '{"1": "m,liver"}')
    assert [row["label"] for row in found["tumours"]] == ["m,liver", 2]


def test_labels_up_to_65535_are_compared(command, masks):
    high = drawn((65535, "1:3,1:3,1:3"), (300, "3:5,3:5,3:5"))
    _, found = command("file", "agree", *masks(high, high))
    assert [(row["label"], row["dice"]["1-2"]) for row in found["tumours"]] == [
        (300, 1.0),
        (65535, 1.0),
    ]


def test_segments_are_one_by_name_however_the_readers_number_them(command, tmp_path):
    names = {1: "Tumour", 2: "Cyst"}
    first = write_segments(tmp_path / "a.nrrd", TWO_LABELS, names)
    swapped = np.select([TWO_LABELS == 1, TWO_LABELS == 2], [2, 1], 0)
    second = write_segments(tmp_path / "b.nrrd", swapped, {1: "Cyst", 2: "Tumour"})
    _, found = command("file", "agree", first, second)
    assert {row["label"]: row["dice"]["1-2"] for row in found["tumours"]} == {
        "Tumour": 1.0,
        "Cyst": 1.0,
    }


def test_seven_readers_make_21_pairs(command, masks):
    arrays = [drawn((1, f"1:4,2:6,{2 + n % 3}:{7 + n % 3}")) for n in range(7)]
    _, found = command("file", "agree", *masks(*arrays))
    assert len(found["dice"]) == len(found["volume_difference_ml"]) == 21
    assert found["dice"]["1-4"] == 1.0


def test_a_name_that_comes_twice_is_one_reader_who_read_twice(command, masks):
    names = ("--reader", "anna", "--reader", "ben", "--reader", "anna")
    _, found = command("file", "agree", *masks(TUMOUR, SHIFTED, SHIFTED), *names)
    assert found["readers"] == ["anna", "ben"]
    assert found["dice"] == {"1-2": 0.75}
    (own,) = found["intra_reader"]
    assert (own["reader"], own["readings"], own["pairs"]) == ("anna", [1, 3], {"1-2": [1, 3]})
    assert own["dice"] == {"1-2": 0.75}


def test_one_reader_who_read_twice_has_nobody_else_to_agree_with(command, masks):
    names = ("--reader", "anna", "--reader", "anna")
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED), *names)
    assert code == 0
    assert found["dice"] == {}
    assert found["fleiss_kappa"] is None
    assert found["intra_reader"][0]["dice"] == {"1-2": 0.75}


@pytest.mark.parametrize(
    "name", ["mean", "consensus", "a b", "a/b", "..", "é✓", "007", "nan", "=1+1", "a,b", '"', "<i>"]
)
def test_any_name_of_a_reader_is_kept_as_it_is(command, masks, name):
    words = ("--reader", name, "--reader", "other")
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED), *words)
    assert (code, found["readers"]) == (0, [name, "other"])


def test_names_of_readers_make_no_paths(command, masks, tmp_path):
    words = ("--reader", "../a/b", "--reader", "$x_{é}", "--out", tmp_path / "out")
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED), *words)
    assert code == 0
    assert all((tmp_path / "out" / path).is_file() for path in found["written"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m0.nii.gz", "m1.nii.gz", "out"]


@pytest.mark.parametrize("names", [("anna",), ("a", "b", "c"), ("anna", ""), (" ", "ben")])
def test_names_that_are_too_few_too_many_or_empty_are_refused(command, masks, names):
    words = [word for name in names for word in ("--reader", name)]
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED), *words)
    assert (code, found["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("n_masks", [0, 1])
def test_fewer_than_two_masks_are_refused(command, masks, n_masks):
    code, found = command("file", "agree", *masks(*[TUMOUR] * n_masks))
    assert (code, found["error"]["code"]) == (2, "usage")


def test_more_than_64_readers_are_refused(command, masks):
    (path,) = masks(TUMOUR)
    assert command("file", "agree", *[path] * 65)[0] == 2


@pytest.mark.parametrize("turn", list(permutations(range(3))), ids=str)
def test_a_mask_on_a_turned_grid_gives_the_same_result(command, masks, tmp_path, turn):
    first, second = masks(TWO_LABELS, TWO_SHIFTED)
    expected = command("file", "agree", first, second)[1]
    for flips in product((False, True), repeat=3):
        to_old = np.eye(4)[:, [*turn, 3]]
        for axis, is_flipped in enumerate(flips):
            if is_flipped:
                to_old[:3, 3] += to_old[:3, axis] * (np.array(TWO_SHIFTED.shape)[turn[axis]] - 1)
                to_old[:3, axis] *= -1
        array = np.flip(TWO_SHIFTED.transpose(turn), np.flatnonzero(flips))
        turned = write_mask(
            tmp_path / "turned.nii.gz", np.ascontiguousarray(array), AFFINE @ to_old
        )
        assert command("file", "agree", first, turned)[1] == expected


def test_many_cases_come_from_one_folder(command, cases, tmp_path):
    out = tmp_path / "out"
    code, found = command("file", "agree", cases, "--reader-from", CASES, "--out", out)
    assert code == 0
    assert set(found) == {"cases", "summary", "left_out", "notes", "written"}
    assert [(row["group"], row["subject"], row["case"]) for row in found["cases"]] == [
        ("g0", "p0", "g0/p0/0"),
        ("g0", "p2", "g0/p2/0"),
        ("g1", "p1", "g1/p1/0"),
    ]
    assert set(found["cases"][0]) == ONE_CASE | {"group", "subject", "case"}
    assert found["summary"]["readers"] == ["anna", "ben"]
    assert found["left_out"] == found["notes"] == []
    endings = {path.rpartition(".")[2] for path in found["written"]}
    assert endings == {"csv", "json", "tex", "svg", "png"}


@pytest.mark.parametrize(
    ("content", "code"), [(b"junk" * 50, "not_dicom"), (b"", "empty_file"), (None, "input")]
)
def test_a_case_with_a_broken_or_missing_reader_is_left_out_and_the_others_are_done(
    command, cases, content, code
):
    broken = cases / "g0" / "p0_0" / "ben.nii.gz"
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    exit_code, found = command("file", "agree", cases, "--reader-from", CASES)
    assert exit_code == 1
    assert [row["subject"] for row in found["cases"]] == ["p2", "p1"]
    assert found["left_out"][0]["code"] == code
    assert found["left_out"][-1]["source"] == "g0/p0/0"


def test_a_case_on_two_grids_is_left_out_by_its_file(command, cases):
    write_mask(cases / "g0" / "p0_0" / "ben.nii.gz", TUMOUR[1:])
    exit_code, found = command("file", "agree", cases, "--reader-from", CASES)
    assert (exit_code, len(found["cases"])) == (1, 2)
    (row,) = found["left_out"]
    assert row["code"] == "grid_mismatch"
    assert row["source"].endswith("ben.nii.gz")


def test_files_that_the_pattern_does_not_fit_are_counted(command, cases):
    write_mask(cases / "g0" / "elsewhere.nii.gz", TUMOUR)
    exit_code, found = command("file", "agree", cases, "--reader-from", CASES)
    assert exit_code == 0
    assert found["notes"] == ["image files that the pattern does not fit: 1"]


def test_two_files_of_one_reader_leave_the_case_out(command, cases):
    write_mask(cases / "g0" / "p0_0" / "anna2.nii.gz", TUMOUR)
    pattern = CASES.replace("{reader}", "{reader}nn*")
    for other in cases.rglob("ben.nii.gz"):
        other.rename(other.with_name("benn.nii.gz"))
    code, found = command("file", "agree", cases, "--reader-from", pattern)
    assert (code, [row["subject"] for row in found["cases"]]) == (1, ["p2", "p1"])
    assert found["cases"][0]["readers"] == ["a", "be"]
    assert [row["code"] for row in found["left_out"]] == ["several_masks"]


def test_one_file_a_label_makes_one_mask_a_reader(command, tmp_path):
    folder = tmp_path / "l"
    liver, lung = drawn((1, "1:4,2:6,2:7")), drawn((3, "4:6,7:9,8:11"))
    for reader, label, array in (
        ("anna", "liver", liver), ("ben", "liver", liver), ("anna", "lung", lung),
        ("carl", "lung", EMPTY),
    ):  # fmt: skip
        write_mask(folder / "p1" / reader / f"{label}.nii.gz", array)
    code, found = command(
        "file", "agree", folder, "--reader-from", "{subject}/{reader}/{label}.nii.gz"
    )
    assert code == 0
    (case,) = found["cases"]
    assert case["readers"] == ["anna", "ben", "carl"]
    assert [(row["label"], row["present"]) for row in case["tumours"]] == [
        ("liver", [True, True, False]),
        ("lung", [True, False, False]),
    ]


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("{nope}", "usage"), ("{subject}", "usage"), ("", "usage"), ("{reader", "usage"),
        ("{reader}", "no_cases"), ("{subject}/{reader}.nii.gz", "no_cases"),
        ("[{reader}", "no_cases"), ("({reader}", "no_cases"),
    ],
)  # fmt: skip
def test_a_pattern_that_says_nothing_or_fits_nothing_is_refused(command, cases, pattern, code):
    exit_code, found = command("file", "agree", cases, "--reader-from", pattern)
    assert (exit_code, found["error"]["code"]) == (2, code)


def test_a_folder_needs_a_pattern_and_a_pattern_one_folder(command, cases, tmp_path):
    (tmp_path / "empty").mkdir()
    assert command("file", "agree", cases)[1]["error"]["code"] == "usage"
    assert command("file", "agree", cases, cases, "--reader-from", CASES)[0] == 2
    assert command("file", "agree", tmp_path / "none", "--reader-from", CASES)[0] == 2
    assert command("file", "agree", tmp_path / "empty", "--reader-from", CASES)[0] == 2


def test_an_earlier_comparison_is_replaced_as_a_whole(command, masks, tmp_path):
    paths, out = masks(TUMOUR, SHIFTED), tmp_path / "out"
    first = command("file", "agree", *paths, "--out", out)[1]["written"]
    second = command("file", "agree", *paths, "--out", out)[1]["written"]
    assert first == second
    manifest = json.loads((out / "release.json").read_text())
    assert manifest["kind"] == "lesionary-comparison"
    assert set(first) - {"release.json"} == set(manifest["files"])


@pytest.mark.parametrize("name", ["notes.txt", "release.json"])
def test_a_folder_with_anything_else_in_it_is_refused_and_left_as_it_is(
    command, masks, tmp_path, name
):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("[1]")
    (out / "mine").write_text("mine")
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED), "--out", out)
    assert (code, found["error"]["code"], found["error"]["source"]) == (2, "usage", str(out))
    assert (out / "mine").read_text() == "mine"


def test_what_was_put_beside_an_earlier_comparison_is_not_lost(command, tmp_path):
    out = tmp_path / "out"
    paths = [write_mask(tmp_path / f"{n}.nii.gz", TUMOUR) for n in range(2)]
    command("file", "agree", *paths, "--out", out)
    inside = write_mask(out / "mine.nii.gz", SHIFTED)
    code, found = command("file", "agree", paths[0], inside, "--out", out)
    assert (code, found["error"]["code"]) == (2, "usage")
    assert inside.is_file()


@pytest.mark.parametrize("place", ["m0.nii.gz", "m0.nii.gz/x", "x" * 300])
def test_a_place_where_no_folder_can_be_is_refused_by_name(command, masks, tmp_path, place):
    out = tmp_path / place
    code, found = command("file", "agree", *masks(TUMOUR, SHIFTED), "--out", out)
    assert (code, found["error"]["source"]) == (2, str(out))
    assert (tmp_path / "m0.nii.gz").is_file()


@pytest.mark.parametrize("words", [("--reader", "anna"), ("--labels", '{"1": "m,liver"}')])
def test_readers_and_labels_of_many_cases_are_not_given_one_by_one(command, cases, words):
    code, found = command("file", "agree", cases, "--reader-from", CASES, *words)
    assert (code, found["error"]["code"]) == (2, "usage")
