"""What a model may say, and what a plan reads from a file (X4)."""

import math

import pytest

from lesionary.core.errors import InputError
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.plan import UncertaintyPlan
from response_rows import course


def test_what_is_left_out_keeps_its_default():
    assert ErrorModel.from_mapping({}) == ErrorModel()
    assert ErrorModel.from_mapping({"sd_mm": 1}).sd_mm == 1


def test_a_model_reads_back_what_it_writes():
    model = ErrorModel(sd_percent=7.5, tail_df=math.inf)
    assert ErrorModel.from_mapping(model.to_json()) == model


@pytest.mark.parametrize(
    "values",
    [{"sd_prcent": 5}, {"sd_percent": -1}, {"sd_percent": "5"}, {"sd_percent": True},
     {"tail_df": 2}, {"sd_mm": float("nan")}, {"pixel_mm": float("inf")}, {"tail_df": "normal"},
     {"tail_df": float("nan")}],
)  # fmt: skip
def test_what_no_model_can_say_is_refused(values):
    with pytest.raises(InputError) as raised:
        ErrorModel.from_mapping(values)
    assert raised.value.code == "bad_model"


@pytest.mark.parametrize(
    "values",
    [{"from_readers": 1}, {"n_draws": 500.0}, {"n_draws": True}, {"seed": "3"}, {"n_draws": 5},
     {"from_readers": True, "sd_percent": 5}, {"learn_changes": 0}, {"whatever": 1}],
)  # fmt: skip
def test_what_no_plan_can_say_is_refused(values):
    with pytest.raises(InputError) as raised:
        UncertaintyPlan.from_mapping(values)
    assert raised.value.code == "bad_model"


def test_a_plan_knows_all_keys_of_the_model_and_its_own():
    plan = UncertaintyPlan.from_mapping({"sd_percent": 8, "n_draws": 200, "learn_changes": False})
    assert plan.model.sd_percent == 8
    assert plan.options.n_draws == 200
    assert not plan.options.is_learning
    assert len(plan.judge(course("30", "24"))) == 2


def test_an_unknown_key_is_told_which_there_are():
    with pytest.raises(InputError, match="sd_prcent") as raised:
        UncertaintyPlan.from_mapping({"sd_prcent": 5})
    assert "sd_percent" in raised.value.hint


def test_readers_are_needed_to_estimate_from_readers():
    plan = UncertaintyPlan.from_mapping({"from_readers": True, "pixel_mm": 0.5})
    with pytest.raises(InputError) as raised:
        plan.judge(course("30", "24"))
    assert raised.value.code == "too_few_readers"
