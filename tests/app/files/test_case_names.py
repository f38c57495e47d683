"""What cases are called."""

from pathlib import Path

import pytest

from lesionary.app.files.case_names import case_keys, short_names
from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError


def test_without_a_pattern_every_case_is_its_own_subject():
    assert case_keys(["a/b"], None) == {"a/b": CaseKey("", "a/b", "a/b")}


def test_a_pattern_names_group_subject_and_case():
    keys = case_keys(["G1/s0_1", "G2/s0_1"], "{group}/{subject}_{timepoint}")
    assert keys["G1/s0_1"] == CaseKey("G1", "s0", "G1/s0/1")
    assert keys["G2/s0_1"] == CaseKey("G2", "s0", "G2/s0/1")


def test_cases_that_a_pattern_calls_alike_keep_their_places_as_names():
    keys = case_keys(["s0_left", "s0_right"], "{subject}_*")
    assert [key.case for key in keys.values()] == ["s0_left", "s0_right"]
    assert {key.subject for key in keys.values()} == {"s0"}


def test_a_case_that_the_pattern_does_not_fit_is_its_own_subject():
    keys = case_keys(["s0_1", "odd"], "{subject}_{timepoint}")
    assert keys["odd"] == CaseKey("", "odd", "odd")


@pytest.mark.parametrize("pattern", ["{subject}/{timepoint}", "{animal}", "nothing"])
def test_a_pattern_that_fits_nothing_or_says_nothing_is_refused(pattern):
    with pytest.raises(InputError) as refused:
        case_keys(["s0_1"], pattern)
    assert refused.value.code == "usage"


def test_folders_are_called_by_their_last_part_where_that_tells_them_apart():
    assert short_names([Path("x/a"), Path("y/b")]) == ["a", "b"]
    assert short_names([Path("x/a"), Path("y/a")]) == ["x/a", "y/a"]
