"""Matching rules, composites and tolerances as a user writes them."""

import pytest

from lesionary.core.errors import InputError
from lesionary.evaluate.options import EvaluateOptions, MatchRule, Rule, parse_composite


@pytest.mark.parametrize("text", ["overlap", "one-to-one", "iou:0.5", "iou:1"])
def test_a_rule_reads_back_as_it_was_written(text):
    assert str(MatchRule.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "dice", "iou", "iou:0", "iou:1.1", "iou:x", "iou:nan", "overlap:0.5", "one-to-one:"],
)
def test_what_is_no_rule_is_refused_and_the_rules_are_named(text):
    with pytest.raises(InputError) as caught:
        MatchRule.parse(text)
    assert "rule" in str(caught.value) or "T of iou:T" in str(caught.value)


def test_any_overlap_is_the_default():
    assert EvaluateOptions().match.rule is Rule.OVERLAP


def test_a_composite_is_a_name_and_its_values():
    assert parse_composite("kidney + tumour=1+2") == ("kidney + tumour", (1, 2))
    assert parse_composite("a=b=3") == ("a=b", (3,))


@pytest.mark.parametrize("text", ["tumour", "tumour=", "tumour=1+x", "tumour=1,2"])
def test_what_is_no_composite_is_refused(text):
    with pytest.raises(InputError, match="composite"):
        parse_composite(text)


@pytest.mark.parametrize("composites", [{"": (1,)}, {"a": ()}, {"a": (0,)}, {"a": (65536,)}])
def test_composites_of_nothing_are_refused(composites):
    with pytest.raises(InputError, match="composite"):
        EvaluateOptions(composites=composites)


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_tolerances_are_finite_and_not_negative(tolerance):
    with pytest.raises(InputError, match="tolerance"):
        EvaluateOptions(tolerance_mm=tolerance)
    with pytest.raises(InputError, match="tolerance"):
        EvaluateOptions(tolerances_mm={1: tolerance})


@pytest.mark.parametrize("edges", [(0.0, 10.0), (20.0, 10.0), (10.0, 10.0), (float("inf"),)])
def test_edges_of_sizes_ascend_from_above_zero(edges):
    with pytest.raises(InputError, match="edges"):
        EvaluateOptions(size_edges_mm=edges)


def test_a_tolerance_is_found_by_value_by_text_and_by_name():
    options = EvaluateOptions(tolerances_mm={"liver": 7.0, 2: 4.0, "3": 1.5, "mass": 1.13})
    assert [options.tolerance_of(1, "liver"), options.tolerance_of(2, "cyst")] == [7.0, 4.0]
    assert [options.tolerance_of(3, 3), options.tolerance_of("mass")] == [1.5, 1.13]
    assert options.tolerance_of(9, "spleen") == 2.0
