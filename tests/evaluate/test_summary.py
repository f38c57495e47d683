"""Data sets worked by hand: every denominator, missed tumours, self-comparison, and both means."""

import json

import numpy as np
import pytest

from lesionary.core.cases import CaseKey
from lesionary.core.volume import Geometry, LabelMap
from lesionary.evaluate.entries import against, case_rows
from lesionary.evaluate.evaluation import evaluate, evaluate_against
from lesionary.evaluate.options import EvaluateOptions
from lesionary.evaluate.summary import SummaryOptions, summarise

QUICK = SummaryOptions(n_resamples=200)


def row(text):
    values = [int(letter) if letter != "." else 0 for letter in text]
    return LabelMap(np.array([[values]], dtype=np.uint16), Geometry((1, 1, len(text)), np.eye(4)))


def case(name, reference, prediction, *, group="", subject=None, **options):
    key = CaseKey(group, subject or name, name)
    return key, evaluate(row(reference), row(prediction), EvaluateOptions(**options)).to_json()


def score(summary, metric, label="1", group="", reference="reference"):
    wanted = (group, reference, label, metric)
    fields = ("group", "reference", "label", "metric")
    (found,) = [one for one in summary.scores if tuple(one[name] for name in fields) == wanted]
    return found


MIXED = [
    case("corrected", "1111.", "11..."),
    case("uncorrected", "1111.", "1111."),
    case("missed", "1111.", "....."),
    case("made up", ".....", "1...."),
    case("nothing", ".....", "....."),
]


def test_the_honest_mean_counts_missed_tumours_and_the_published_one_drops_them():
    found = score(summarise(MIXED, QUICK), "dsc")
    values = [2 * 2 / 6, 1.0, 0.0, 0.0]
    assert found["mean"] == pytest.approx(np.mean(values))
    assert found["sd"] == pytest.approx(np.std(values, ddof=1))
    assert found["median"] == pytest.approx(np.median(values))
    assert (found["n"], found["n_cases"], found["n_undefined"]) == (4, 5, 1)
    assert found["as_published_mean"] == pytest.approx(np.mean(values[:2]))
    assert found["as_published_sd"] == pytest.approx(np.std(values[:2], ddof=1))
    assert (found["as_published_n"], found["as_published_n_dropped"]) == (2, 2)


def test_each_way_of_being_undefined_or_suspect_has_its_count():
    found = score(summarise(MIXED, QUICK), "hd95_mm")
    counts = ["n", "n_undefined", "n_absent", "n_missed", "n_spurious", "n_self_compared"]
    assert [found[name] for name in counts] == [2, 3, 1, 1, 1, 1]


def test_a_label_left_as_it_was_is_told_apart_from_a_case_left_as_it_was():
    cases = [case("one label edited", "11.22", "11.2."), case("nothing edited", "11.22", "11.22")]
    found = score(summarise(cases, QUICK), "dsc")
    assert (found["n_self_compared"], found["n_cases_self_compared"]) == (2, 1)


def test_the_mean_is_given_with_and_without_self_compared_cases():
    found = score(summarise(MIXED, QUICK), "dsc")
    assert (found["n_without_self_compared"], found["n_self_compared"]) == (3, 1)
    assert found["mean_without_self_compared"] == pytest.approx(2 / 9)


def test_a_row_says_how_its_published_mean_comes_about():
    summary = summarise(MIXED, QUICK)
    text = score(summary, "dsc")["differs"]
    assert text.startswith("1 of 4 are compared with themselves and count; 2 of 4 are dropped")
    assert score(summary, "volume_difference_ml")["differs"] == ""


def test_all_cases_their_own_reference_is_the_prostates_table():
    """All 34 cases: DSC 1.00 ± 0.00, NSD printed as 0.00, 95 % HD 0.00."""
    cases = [case(f"{number}", ".11.", ".11.") for number in range(34)]
    summary = summarise(cases, QUICK)
    printed = {
        metric: f"{score(summary, metric)['as_published_mean']:.2f}"
        for metric in ("dsc", "nsd", "hd95_mm")
    }
    assert printed == {"dsc": "1.00", "nsd": "0.00", "hd95_mm": "0.00"}
    found = score(summary, "nsd")
    assert (found["mean"], found["n_self_compared"]) == (1.0, 34)
    assert "printed as 0.00" in found["differs"]
    assert found["mean_without_self_compared"] is None
    assert "itself" in found["reason"]["mean_without_self_compared"]


def test_beside_corrected_cases_an_identical_mask_has_a_published_nsd_of_one():
    found = score(summarise(MIXED, QUICK), "nsd")
    assert found["as_published_mean"] == pytest.approx((MIXED[0][1]["labels"][0]["nsd"] + 1) / 2)


def test_intervals_draw_subjects_with_all_their_cases():
    cases = [case(f"{n}", "1111", "11..", subject="one") for n in range(5)]
    found = score(summarise(cases, QUICK), "dsc")
    assert (found["n"], found["n_subjects"], found["ci_low"]) == (5, 1, None)
    assert found["reason"]["ci_low"]
    cases.append(case("other", "1111", "1111", subject="two"))
    found = score(summarise(cases, QUICK), "dsc")
    assert found["n_subjects"] == 2
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((2 / 3, 1.0))


def test_groups_come_one_by_one_and_then_together():
    cases = [case("a", "11", "11", group="A"), case("b", "11", "..", group="B")]
    summary = summarise(cases, QUICK)
    means = {one["group"]: one["mean"] for one in summary.scores if one["metric"] == "dsc"}
    assert means == {"A": 1.0, "B": 0.0, None: 0.5}
    assert {one["group"] for one in summarise(cases[:1], QUICK).scores} == {"A"}


def test_tumours_are_pooled_over_cases_on_both_countings():
    cases = [case("a", "11111..1", "11.11..."), case("b", "1......1", "1..1....")]
    whole, of_label = summarise(cases, QUICK).detection
    assert (whole["label"], of_label["label"]) == (None, "1")
    assert (whole["true_positive"], whole["reference_lesions"], whole["sensitivity"]) == (2, 4, 0.5)
    assert (whole["predicted_hits"], whole["predicted_lesions"], whole["precision"]) == (3, 4, 0.75)
    assert whole["as_published_true_positive"] == 3
    assert whole["as_published_sensitivity"] == 0.6
    assert "3 of 5 instead of 2 of 4 lesions found" in whole["differs"]
    assert (whole["n_cases"], whole["n_cases_with_lesions"]) == (2, 2)


def test_sizes_are_pooled_over_cases():
    cases = [case("a", "1111.1", "1111.."), case("b", "11111.", "......")]
    sizes = [one for one in summarise(cases, QUICK).sizes if one["label"] is None]
    assert [one["n"] for one in sizes] == [3, 0, 0, 0]
    assert (sizes[0]["n_hit"], sizes[0]["mean_dice"]) == (1, pytest.approx(1 / 3))


def test_composites_stand_beside_their_labels():
    cases = [case("a", "1122", "1111", composites={"both": (1, 2)})]
    found = score(summarise(cases, QUICK), "dsc", "both")
    assert (found["composite"], found["mean"]) == (True, 1.0)
    assert score(summarise(cases, QUICK), "dsc", "1")["composite"] is False


def test_several_references_are_summed_up_one_by_one_with_mean_and_consensus():
    pytest.importorskip("lesionary.core.consensus")
    readers = [("A", row("1111.")), ("B", row("111..")), ("C", row("111.."))]
    key = CaseKey("", "s", "c")
    cases = [(key, evaluate_against(readers, row("111..")).to_json())]
    summary = summarise(cases, QUICK)
    means = {one["reference"]: one["mean"] for one in summary.scores if one["metric"] == "dsc"}
    assert list(means) == ["A", "B", "C", "mean", "consensus"]
    assert means["mean"] == pytest.approx((6 / 7 + 1 + 1) / 3)
    assert {one["reference"] for one in summary.detection} == {"A", "B", "C", "consensus"}
    assert against(cases, "B")[0][1]["self_compared"]
    assert [one["reference"] for one in case_rows(cases)] == list(means)


def test_every_null_has_its_reason_and_the_tables_are_json():
    tables = summarise(MIXED, QUICK).to_json()
    json.dumps(tables, allow_nan=False)
    for table in tables.values():
        for one in table:
            null = {name for name, value in one.items() if value is None}
            assert null - {"group", "label"} == set(one.get("reason", {})), one


def test_every_case_has_a_flat_row_for_each_label_ready_for_csv():
    rows = case_rows(MIXED)
    assert [one["case"] for one in rows] == ["corrected", "uncorrected", "missed", "made up"]
    assert [one["dsc"] for one in rows] == pytest.approx([2 / 3, 1.0, 0.0, 0.0])
    assert [one["as_published_dsc"] for one in rows[1:]] == [1.0, None, None]
    assert [one["detection_true_positive"] for one in rows] == [1, 1, 0, 0]
    for one in rows:
        null = {name for name, value in one.items() if value is None}
        assert null == set(one.get("reason", {}))
        flat = (value for name, value in one.items() if name != "reason")
        assert not any(isinstance(value, dict | list) for value in flat)


def test_nothing_gives_no_rows():
    assert case_rows([]) == []
    assert summarise([]).to_json() == {"scores": [], "detection": [], "by_size": []}
