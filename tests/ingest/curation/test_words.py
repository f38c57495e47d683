"""Patterns of words on free text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.curation.words import first_found


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        ("nac", "PET_NAC (2D)", True),
        ("nac", "BUNACLE", False),
        ("*nac", "WBNAC.img: Body-noattn", True),
        ("no ac", "WB NO-AC", True),
        ("no ac", "NO CT AC", False),
        ("c+", "AX LAVA C+", True),
        ("loc*", "3-plane Localizer", True),
        ("loc*", "block", False),
        ("scout*", "", False),
        ("scout*", None, False),
    ],
)
def test_a_pattern_is_laid_on_whole_words(pattern, text, is_found):
    assert (first_found([pattern], text) == pattern) is is_found


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=40))
def test_case_and_punctuation_do_not_matter(text):
    spaced = text.upper().replace("-", "_")
    if text.upper().lower() == text.lower():
        assert first_found(["ac", "c*"], text) == first_found(["ac", "c*"], spaced)


def test_the_first_pattern_goes_first_not_the_first_word():
    assert first_found(["b", "a"], "a b") == "b"


def test_what_looks_like_a_regular_expression_is_no_more_than_its_words():
    assert first_found(["a.b"], "axb") is None
    assert first_found(["a.b"], "a b") == "a.b"
