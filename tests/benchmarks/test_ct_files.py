"""The slices hold every token once written, and what looks for them finds them."""

from io import BytesIO

import numpy as np
import pytest
from benchmarks.ct_files import TOKENS, n_leaked, write_slices
from benchmarks.deidentification import (
    Treated,
    in_memory,
    told_of_memory,
    with_dataset,
    with_door,
)
from pydicom import dcmread

SECTION = np.zeros((8, 8), dtype=np.int16)


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slices")
    write_slices(folder, [SECTION, SECTION + 1, SECTION + 2])
    return folder


def test_every_token_stands_in_every_file(slices):
    assert [n_leaked([path.read_bytes()]) for path in slices.iterdir()] == [len(TOKENS)] * 3


def test_tokens_are_found_whatever_the_case_of_their_letters():
    assert n_leaked([b"..QUILLFEATHER..", b"..quillfeather..", b"..Zuckerwald.."]) == 2
    assert n_leaked([b"nobody"]) == 0


def test_files_are_slices_of_one_series_that_differ(slices):
    found = [dcmread(path) for path in slices.iterdir()]
    assert len({ds.SeriesInstanceUID for ds in found}) == 1
    assert len({ds.SOPInstanceUID for ds in found}) == 3
    assert sorted(int(ds.pixel_array.max()) for ds in found) == [1024, 1025, 1026]


def test_the_door_lets_every_slice_through_and_no_token(slices):
    treated = in_memory(**with_door(slices))
    assert told_of_memory(treated).startswith("0 of 20 tokens left, 0 files lost, ")


def test_the_door_leaves_pixels_as_they_are(slices):
    treat = with_door(slices)["treat"]
    for path in slices.iterdir():
        made = dcmread(BytesIO(b"".join(treat(path.read_bytes()))))
        assert made.PixelData == dcmread(path).PixelData


def test_one_that_changes_nothing_leaves_what_pydicom_writes_again(slices):
    treated = in_memory(**with_dataset(lambda: lambda _: None, slices))
    assert told_of_memory(treated) == "20 of 20 tokens left, 0 files lost, 95 elements filled"


def test_files_that_do_not_come_through_are_lost():
    treated = Treated(lambda _: (), [b"a", b"b"])
    assert told_of_memory(treated) == "0 of 20 tokens left, 2 files lost"
