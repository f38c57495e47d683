"""Mask files of every kind, as every verb that compares masks takes or refuses them."""

import numpy as np
import pytest

from lesionary.app.files.mask_files import MaskFile, case_pattern, is_image_name, read_on_one_grid
from lesionary.app.files.reading import Reading
from lesionary.core.errors import InputError
from tiny_masks import AFFINE, SHIFTED, TUMOUR, write_mask, write_raw

NUMBERS = np.ascontiguousarray(TUMOUR.transpose())
FLOATS = NUMBERS.astype(np.float32)


def with_first(value):
    array = FLOATS.copy()
    array[0, 0, 0] = value
    return array


FINE = {
    "almost whole": FLOATS + np.float32(3e-4),
    "float64": NUMBERS.astype(np.float64),
    "int64": NUMBERS.astype(np.int64),
    "one frame of four axes": NUMBERS[..., None],
}
REFUSED = {
    "thirds": (FLOATS / 3, "mask_not_integer"),
    "NaN": (with_first(np.nan), "mask_not_integer"),
    "infinite": (with_first(np.inf), "mask_not_integer"),
    "below zero": (-NUMBERS.astype(np.int16), "mask_not_integer"),
    "above 65535": (NUMBERS.astype(np.int32) * 70_000, "mask_not_integer"),
    "beyond float": (NUMBERS.astype(np.uint64) * 2**60, "mask_not_integer"),
    "complex": (NUMBERS.astype(np.complex64), "not_scalar"),
    "two frames": (np.stack([NUMBERS] * 2, axis=-1), "not_3d"),
    "flat": (NUMBERS[:, :, 2], "not_3d"),
}
VERBS = ("agree", "consensus", "evaluate")


@pytest.fixture
def compare(command, tmp_path):
    """Return ``compare(verb, first, second)``."""

    def run(verb, first, second):
        words = {
            "agree": (first, second),
            "consensus": (first, second, "-o", tmp_path / "consensus.nii.gz"),
            "evaluate": ("--reference", first, "--prediction", second),
        }[verb]
        return command("file", verb, *words)

    return run


@pytest.fixture
def mask(tmp_path):
    return write_mask(tmp_path / "mask.nii.gz", TUMOUR)


@pytest.mark.parametrize("kind", FINE)
@pytest.mark.parametrize("verb", VERBS)
def test_whole_numbers_of_any_type_are_a_mask(compare, mask, tmp_path, verb, kind):
    other = write_raw(tmp_path / "other.nii.gz", FINE[kind])
    assert compare(verb, mask, other)[0] == 0
    assert compare(verb, other, mask)[0] == 0


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_mask_is_refused_by_name_on_either_side(compare, mask, tmp_path, verb, kind):
    array, code = REFUSED[kind]
    other = write_raw(tmp_path / "other.nii.gz", array)
    for pair in ((mask, other), (other, mask)):
        exit_code, found = compare(verb, *pair)
        assert (exit_code, found["error"]["code"]) == (2, code)
        assert (found["error"]["source"], found["error"]["sources"]) == (str(other), [str(other)])
    assert not (tmp_path / "consensus.nii.gz").exists()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("missing", "not_a_file"), ("folder", "not_a_file"), ("zero bytes", "empty_file"),
        ("noise", "not_dicom"), ("text", "not_dicom"), ("cut", "truncated"),
    ],
)  # fmt: skip
def test_files_that_are_no_masks_are_refused_by_name(compare, mask, tmp_path, verb, kind, code):
    other = tmp_path / "other.nii.gz"
    if kind == "folder":
        other.mkdir()
    elif kind != "missing":
        content = {"zero bytes": b"", "noise": b"noise" * 99, "cut": mask.read_bytes()[:-20]}
        other.write_bytes(content.get(kind, b"text"))
    for pair in ((mask, other), (other, mask)):
        exit_code, found = compare(verb, *pair)
        assert exit_code == 2
        if verb != "evaluate" or kind != "folder":  # there a folder means many cases
            assert found["error"]["code"] == code
            assert found["error"]["source"] == str(other)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["moved", "cut", "finer"])
def test_another_grid_is_refused_and_both_files_are_named(compare, mask, tmp_path, verb, kind):
    affine, array = AFFINE.copy(), TUMOUR
    if kind == "moved":
        affine[1, 3] += 0.5
    elif kind == "finer":
        affine[:3, :3] *= 0.5
    else:
        array = TUMOUR[1:]
    other = write_mask(tmp_path / "other.nii.gz", array, affine)
    exit_code, found = compare(verb, mask, other)
    assert (exit_code, found["error"]["code"]) == (2, "grid_mismatch")
    assert set(found["error"]["sources"]) == {str(mask), str(other)}
    assert found["error"]["source"] in found["error"]["sources"]


@pytest.mark.parametrize(("offset_mm", "is_same"), [(5e-4, True), (5e-3, False)])
def test_grids_are_one_within_a_thousandth_of_a_millimetre(
    compare, mask, tmp_path, offset_mm, is_same
):
    affine = AFFINE.copy()
    affine[2, 3] += offset_mm
    other = write_mask(tmp_path / "other.nii.gz", TUMOUR, affine)
    assert (compare("agree", mask, other)[0] == 0) is is_same


@pytest.mark.parametrize("ending", ["nii", "nrrd", "mha"])
def test_formats_mix(compare, mask, tmp_path, ending):
    other = write_mask(tmp_path / f"other.{ending}", SHIFTED)
    _, found = compare("agree", mask, other)
    assert found["dice"] == {"1-2": 0.75}


def test_a_volume_above_the_limit_is_refused(command, mask):
    code, found = command("file", "agree", mask, mask, "--max-volume-bytes", 10)
    assert (code, found["error"]["code"]) == (2, "size_claim")


def test_masks_come_back_on_the_first_ones_grid(mask, tmp_path):
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = TUMOUR.shape[0] - 1
    turned = write_mask(tmp_path / "t.nii.gz", np.ascontiguousarray(SHIFTED[::-1]), AFFINE @ flip)
    files = [MaskFile(mask, "first"), MaskFile(turned, "second")]
    first, second = read_on_one_grid(files, Reading())
    assert np.array_equal(first.array, TUMOUR)
    assert np.array_equal(second.array, SHIFTED)
    assert second.geometry.is_same_grid(first.geometry)


def test_errors_name_files_as_the_user_gave_them(tmp_path):
    files = [MaskFile(tmp_path / "none.nii.gz", "archive.zip/none.nii.gz")]
    with pytest.raises(InputError) as refused:
        read_on_one_grid(files, Reading())
    assert refused.value.source == "archive.zip/none.nii.gz"


@pytest.mark.parametrize(
    ("name", "is_image"),
    [("a.nii.gz", True), ("A.NII", True), ("a.nhdr", True), ("a.zip", False), ("a.gz", False)],
)
def test_image_files_are_told_by_their_ending(name, is_image):
    assert is_image_name(name) is is_image


@pytest.mark.parametrize("pattern", ["", "x", "{nope}", "{reader"])
def test_a_pattern_that_says_nothing_is_wrong_usage(pattern):
    with pytest.raises(InputError) as refused:
        case_pattern(pattern)
    assert refused.value.code == "usage"
