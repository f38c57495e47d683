"""``file consensus``: one mask of several readers', on the first one's exact grid."""

import nibabel
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

METHODS = ("staple", "majority")
READER_ROW = {"reader", "sensitivity", "specificity"}


@pytest.fixture
def masks(tmp_path):
    """Write arrays as masks; return their paths."""

    def write(*arrays):
        return [write_mask(tmp_path / f"m{n}.nii.gz", one) for n, one in enumerate(arrays)]

    return write


def voxels(path):
    return np.asarray(nibabel.load(path).dataobj).transpose()


@pytest.mark.parametrize("method", METHODS)
def test_a_consensus_has_every_field_of_the_contract(command, masks, tmp_path, method):
    output = tmp_path / "c.nii.gz"
    paths = masks(TWO_LABELS, TWO_SHIFTED, TWO_LABELS)
    code, found = command("file", "consensus", *paths, "-o", output, "--method", method)
    assert code == 0
    assert set(found) == {
        "output", "method", "voxels", "volume_ml", "iterations", "readers", "labels",
    }  # fmt: skip
    assert (found["output"], found["method"]) == (str(output), method)
    assert found["voxels"] == np.count_nonzero(voxels(output))
    assert found["volume_ml"] == pytest.approx(found["voxels"] * VOXEL_ML)
    assert [row["reader"] for row in found["readers"]] == ["1", "2", "3"]
    assert all(set(row) == READER_ROW for row in found["readers"])
    assert [(row["label"], row["value"]) for row in found["labels"]] == [(1, 1), (2, 2)]
    assert all(0 <= row["sensitivity"] <= 1 for row in found["readers"])


def test_the_majority_of_three_is_what_two_drew(command, masks, tmp_path):
    output = tmp_path / "c.nii.gz"
    paths = masks(TUMOUR, SHIFTED, TUMOUR)
    _, found = command("file", "consensus", *paths, "-o", output, "--method", "majority")
    assert np.array_equal(voxels(output), TUMOUR)
    assert found["iterations"] == 0
    assert [row["sensitivity"] for row in found["readers"]] == [1.0, 0.75, 1.0]
    assert found["readers"][1]["specificity"] == pytest.approx(1 - 15 / 660)


@pytest.mark.parametrize("method", METHODS)
def test_a_mask_and_itself_have_themselves_as_consensus(command, masks, tmp_path, method):
    output = tmp_path / "c.nii.gz"
    (path,) = masks(TWO_LABELS)
    _, found = command("file", "consensus", path, path, "-o", output, "--method", method)
    assert np.array_equal(voxels(output), TWO_LABELS)
    assert {row["sensitivity"] for row in found["readers"]} == {1.0}


@pytest.mark.parametrize("method", METHODS)
def test_empty_masks_have_an_empty_consensus_with_reasons(command, masks, tmp_path, method):
    output = tmp_path / "c.nii.gz"
    code, found = command(
        "file", "consensus", *masks(EMPTY, EMPTY), "-o", output, "--method", method
    )
    assert (code, found["voxels"], found["labels"]) == (0, 0, [])
    assert [row["sensitivity"] for row in found["readers"]] == [None, None]
    assert not voxels(output).any()


def test_where_nobody_has_a_majority_the_reason_says_so(command, masks, tmp_path):
    words = ("-o", tmp_path / "c.nii.gz", "--method", "majority")
    _, found = command("file", "consensus", *masks(TUMOUR, EMPTY), *words)
    assert found["voxels"] == 0
    assert "more than half" in found["readers"][0]["reason"]["sensitivity"]


@pytest.mark.parametrize(("value", "dtype"), [(1, np.uint8), (255, np.uint8), (300, np.uint16)])
def test_a_consensus_is_uint8_and_uint16_only_above_255(command, masks, tmp_path, value, dtype):
    output = tmp_path / "c.nii.gz"
    array = drawn((value, "1:4,2:6,2:7"))
    command("file", "consensus", *masks(array, array), "-o", output)
    assert nibabel.load(output).get_data_dtype() == dtype
    assert voxels(output).max() == value


@pytest.mark.parametrize("turn", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_a_consensus_keeps_the_first_ones_grid_and_voxel_order(command, tmp_path, turn):
    tilt = np.array([[0.8, 0, -0.6, 0], [0, 1, 0, 0], [0.6, 0, 0.8, 0], [0, 0, 0, 1.0]])
    oblique = tilt @ AFFINE
    to_old = np.eye(4)[:, [*turn, 3]]
    first = write_mask(
        tmp_path / "first.nii.gz",
        np.ascontiguousarray(TUMOUR.transpose(turn)[::-1]),
        oblique @ to_old @ _reversed(TUMOUR.shape[turn[0]]),
    )
    second = write_mask(tmp_path / "second.nii.gz", TUMOUR, oblique)
    output = tmp_path / "c.nii.gz"
    command("file", "consensus", first, second, "-o", output)
    written, given = nibabel.load(output), nibabel.load(first)
    assert np.array_equal(written.affine, given.affine)
    assert np.array_equal(np.asarray(written.dataobj), np.asarray(given.dataobj))


def _reversed(n: int) -> np.ndarray:
    back = np.diag([-1.0, 1, 1, 1])
    back[0, 3] = n - 1
    return back


def test_segments_go_together_by_name_however_readers_number_them(command, tmp_path):
    names = {1: "Tumour", 2: "Cyst"}
    swapped = np.select([TWO_LABELS == 1, TWO_LABELS == 2], [2, 1], 0)
    first = write_segments(tmp_path / "a.nrrd", TWO_LABELS, names)
    second = write_segments(tmp_path / "b.nrrd", swapped, {1: "Cyst", 2: "Tumour"})
    output = tmp_path / "c.nii.gz"
    _, found = command("file", "consensus", first, second, "-o", output, "--method", "majority")
    assert {row["label"]: row["voxels"] for row in found["labels"]} == {"Tumour": 60, "Cyst": 24}


def test_the_probability_map_lies_between_0_and_1_and_reaches_half_inside(command, masks, tmp_path):
    output, chance = tmp_path / "c.nii.gz", tmp_path / "p.nii.gz"
    command("file", "consensus", *masks(TUMOUR, SHIFTED), "-o", output, "--probability", chance)
    probability = voxels(chance)
    assert (probability >= 0).all()
    assert (probability <= 1).all()
    assert np.array_equal(probability >= 0.5, voxels(output) > 0)


def test_grids_that_differ_name_both_files_and_write_nothing(command, masks, tmp_path):
    (first,) = masks(TUMOUR)
    moved = AFFINE.copy()
    moved[0, 3] += 5
    second = write_mask(tmp_path / "moved.nii.gz", TUMOUR, moved)
    code, found = command("file", "consensus", first, second, "-o", tmp_path / "c.nii.gz")
    assert (code, found["error"]["code"]) == (2, "grid_mismatch")
    assert found["error"]["sources"] == [str(first), str(second)]
    assert found["error"]["source"] == str(second)
    assert not (tmp_path / "c.nii.gz").exists()


@pytest.mark.parametrize("option", ["--output", "--probability"])
@pytest.mark.parametrize("how", ["itself", "link", "hard link", "way round"])
def test_an_output_over_an_input_is_refused(command, masks, tmp_path, option, how):
    paths = masks(TUMOUR, SHIFTED)
    before = paths[0].read_bytes()
    over = {
        "itself": paths[0],
        "link": tmp_path / "link.nii.gz",
        "hard link": tmp_path / "hard.nii.gz",
        "way round": tmp_path / "sub" / ".." / "m0.nii.gz",
    }[how]
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.nii.gz").symlink_to(paths[0])
    (tmp_path / "hard.nii.gz").hardlink_to(paths[0])
    more = ("-o", tmp_path / "c.nii.gz") if option == "--probability" else ()
    code, found = command("file", "consensus", *paths, *more, option, over)
    assert (code, found["error"]["code"]) == (2, "usage")
    assert paths[0].read_bytes() == before
    assert not (tmp_path / "c.nii.gz").exists()


def test_the_uncertainty_map_is_one_bit_where_two_readers_differ_and_none_elsewhere(
    command, masks, tmp_path
):
    output, divided = tmp_path / "c.nii.gz", tmp_path / "u.nii.gz"
    command("file", "consensus", *masks(TUMOUR, SHIFTED), "-o", output, "--uncertainty", divided)
    bits = voxels(divided)
    first, second = (np.asarray(one) > 0 for one in (TUMOUR, SHIFTED))
    assert set(np.unique(bits).tolist()) == {0.0, 1.0}
    assert np.count_nonzero(bits) == np.count_nonzero(first != second)


@pytest.mark.parametrize("other", ["c.nii.gz", "sub/../c.nii.gz"])
def test_mask_and_probability_are_two_files(command, masks, tmp_path, other):
    (tmp_path / "sub").mkdir()
    words = ("-o", tmp_path / "c.nii.gz", "--probability", tmp_path / other)
    code, found = command("file", "consensus", *masks(TUMOUR, SHIFTED), *words)
    assert (code, found["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("place", ["c.txt", "none/c.nii.gz", "taken.nii.gz", "y" * 300 + ".nii"])
@pytest.mark.parametrize("option", ["--output", "--probability"])
def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(
    command, masks, tmp_path, option, place
):
    (tmp_path / "taken.nii.gz").mkdir()
    paths, before = masks(TUMOUR, SHIFTED), set(tmp_path.iterdir())
    more = ("-o", tmp_path / "c.nii.gz") if option == "--probability" else ()
    code, found = command("file", "consensus", *paths, *more, option, tmp_path / place)
    assert (code, found["error"]["source"]) == (2, str(tmp_path / place))
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("words", [("--method", "mean"), ("--method", "")])
def test_another_method_is_refused_before_anything_is_read(command, tmp_path, words):
    missing = tmp_path / "none.nii.gz"
    code, found = command("file", "consensus", missing, missing, "-o", "c.nii.gz", *words)
    assert (code, found["error"]["code"]) == (2, "usage")


def test_one_mask_is_no_consensus(command, masks, tmp_path):
    code, found = command("file", "consensus", *masks(TUMOUR), "-o", tmp_path / "c.nii.gz")
    assert (code, found["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize("name", ["c.nii", "c.nrrd", "c.mha", "C.NII.GZ"])
def test_every_format_that_is_written_reads_back_the_same(command, masks, tmp_path, name):
    paths, output = masks(TUMOUR, TUMOUR), tmp_path / name
    assert command("file", "consensus", *paths, "-o", output)[0] == 0
    _, found = command("file", "agree", paths[0], output)
    assert found["dice"] == {"1-2": 1.0}
