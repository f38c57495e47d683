"""Patterns that read subject, time point, reader and label from names."""

import pytest

from lesionary.core.errors import InputError
from lesionary.ingest.reader_pattern import NamedParts, parse_pattern


@pytest.mark.parametrize(
    ("pattern", "below", "expected"),
    [
        ("{reader}.nii.gz", "anna.nii.gz", NamedParts(reader="anna")),
        ("{reader}.nii.gz", "a/anna.nii.gz", None),
        ("{reader}.nii.gz", ".nii.gz", None),
        ("{reader}.nii.gz", "annaXniiXgz", None),
        ("{subject}_*_{reader}.nii", "007_a_b_c.nii", NamedParts("007", reader="c")),
        ("{subject}/{subject}_{reader}.nii", "7/7_a.nii", NamedParts("7", reader="a")),
        ("{subject}/{subject}_{reader}.nii", "7/8_a.nii", None),
        ("*/{reader}.nii", "x/a.nii", NamedParts(reader="a")),
        ("*/{reader}.nii", "x/y/a.nii", None),
        ("**/{reader}.nii", "x/y/a.nii", NamedParts(reader="a")),
        ("**/{reader}.nii", "a.nii", NamedParts(reader="a")),
        ("R?_{label}.nii", "R1_liver.nii", NamedParts(label="liver")),
        ("[a]({reader}).nii", "[a](b).nii", NamedParts(reader="b")),
        ("{subject}/{timepoint}/{reader}_*.nii.gz", "NA/0/null_x.nii.gz",
         NamedParts("NA", "0", "null")),
    ],
)  # fmt: skip
def test_what_a_pattern_finds(pattern: str, below: str, expected: NamedParts | None) -> None:
    assert parse_pattern(pattern).match(below) == expected


@pytest.mark.parametrize("pattern", ["*.nii.gz", "", "{rater}_*.nii.gz", "{}", "{reader"])
def test_a_pattern_without_a_field_it_knows_is_refused(pattern: str) -> None:
    with pytest.raises(InputError):
        parse_pattern(pattern)
