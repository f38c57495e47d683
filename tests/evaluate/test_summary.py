"""Data sets worked by hand: every denominator, missed tumours, self-comparison, and both means."""

import json

import numpy as np
import pytest

from lesionary.core.cases import CaseKey
from lesionary.core.statistics import Resampling
from lesionary.core.volume import Geometry, LabelMap
from lesionary.evaluate.entries import against, case_rows
from lesionary.evaluate.evaluation import evaluate, evaluate_against
from lesionary.evaluate.means import METRICS
from lesionary.evaluate.options import EvaluateOptions
from lesionary.evaluate.summary import PUBLISHED, summarise

QUICK = Resampling(n_resamples=200)


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


def test_an_identical_mask_has_a_published_nsd_of_nought_beside_corrected_cases_too():
    found = score(summarise(MIXED, QUICK), "nsd")
    shown = [document["as_published"]["labels"][0]["nsd"] for _, document in MIXED[:2]]
    assert shown == [MIXED[0][1]["labels"][0]["nsd"], 0.0]
    assert found["as_published_mean"] == pytest.approx(np.mean(shown))
    assert "printed as 0.00 and count 0 in 1 of 2" in found["differs"]


def test_intervals_draw_subjects_with_all_their_cases():
    cases = [case(f"{n}", "1111", "11..", subject="one") for n in range(5)]
    found = score(summarise(cases, QUICK), "dsc")
    assert (found["n"], found["n_subjects"], found["ci_low"]) == (5, 1, None)
    assert found["reason"]["ci_low"]
    cases.append(case("other", "1111", "1111", subject="two"))
    found = score(summarise(cases, QUICK), "dsc")
    assert (found["n_subjects"], found["ci_method"]) == (2, "t")
    assert 0.0 <= found["ci_low"] < found["mean"] < found["ci_high"] <= 1.0
    many = [case(f"{n}", "1111.", "11..." if n % 2 else "1111.") for n in range(40)]
    found = score(summarise(many, QUICK), "dsc")
    assert (found["ci_method"], found["n_subjects"]) == ("bootstrap", 40)


def test_one_name_in_two_groups_is_two_people():
    """Merged, each person would have a good case and a bad one, and none would differ at all."""
    cases = [
        case(f"{group}{n}", "1111.", prediction, group=group, subject=f"{n}")
        for group, prediction in (("A", "1111."), ("B", "1...."))
        for n in range(5)
    ]
    found = score(summarise(cases, QUICK), "dsc", group=None)
    assert (found["n"], found["n_subjects"]) == (10, 10)
    assert found["ci_high"] - found["ci_low"] > 0.4


@pytest.mark.parametrize("metric", METRICS)
def test_the_counts_of_a_row_add_up(metric):
    cases = [
        *MIXED,
        case("neither", "11...", "1....", composites={"both": (2, 3)}),
        case("one", "33...", "3....", composites={"both": (2, 3)}),
        case("gone", "22...", ".....", composites={"both": (2, 3)}),
    ]
    summary = summarise(cases, QUICK)
    for label in ("1", "2", "3", "both"):
        row = score(summary, metric, label)
        assert row["n"] + row["n_undefined"] == row["n_cases"] == 8
        n_one_sided = row["n_missed"] + row["n_spurious"]
        is_distance = metric not in {"dsc", "nsd", "volume_difference_ml"}
        assert row["n_undefined"] == row["n_absent"] + (n_one_sided if is_distance else 0)
        if metric not in PUBLISHED:
            assert (row["as_published_n"], row["as_published_n_dropped"]) == (0, 0)
            continue
        assert row["as_published_n_dropped"] == n_one_sided
        assert row["n"] == row["as_published_n"] + (0 if is_distance else n_one_sided)


def test_a_mean_over_references_says_what_it_was_missed_against():
    pytest.importorskip("lesionary.core.readers.consensus")
    prediction = row("1....2")
    readers = [("A", row("11....")), ("B", row("1.33..")), ("C", row("1....2"))]
    cases = [(CaseKey("", "s", "c"), evaluate_against(readers, prediction).to_json())]
    labels = {one["value"]: one for one in cases[0][1]["mean"]["labels"]}
    counts = ("n_references", "n_missed", "n_spurious", "n_self_compared", "n_absent")
    assert [labels[1][name] for name in counts] == [3, 0, 0, 2, 0]
    assert [labels[2][name] for name in counts] == [3, 0, 2, 1, 0]
    assert [labels[3][name] for name in counts] == [3, 1, 0, 0, 2]
    summary = summarise(cases, QUICK)
    of_mean = {name: score(summary, "dsc", name, reference="mean") for name in "123"}
    assert [of_mean["3"][f"n_missed{of}"] for of in ("", "_references")] == [1, 1]
    assert [of_mean["2"][f"n_spurious{of}"] for of in ("", "_references")] == [1, 2]
    assert (of_mean["1"]["n_self_compared"], of_mean["1"]["mean_without_self_compared"]) == (
        1,
        None,
    )
    assert of_mean["1"]["n_references"] == 3
    flat = [one for one in case_rows(cases) if one["reference"] == "mean"]
    assert [one["n_references_dsc"] for one in flat] == [3, 3, 1]
    assert [one["n_references_hd95_mm"] for one in flat] == [3, 1, 0]


def test_pooled_rates_stand_beside_those_without_self_compared_cases():
    cases = [case("corrected", "11.11.", "11...."), case("uncorrected", "11.11.", "11.11.")]
    whole, of_label = summarise(cases, QUICK).detection
    for found in (whole, of_label):
        assert (found["n_self_compared"], found["n_cases_without_self_compared"]) == (1, 1)
        assert (found["true_positive"], found["reference_lesions"]) == (3, 4)
        assert found["true_positive_without_self_compared"] == 1
        assert found["reference_lesions_without_self_compared"] == 2
        assert found["sensitivity_without_self_compared"] == 0.5
        assert found["precision_without_self_compared"] == 1.0
        assert found["f1_without_self_compared"] == pytest.approx(2 / 3)
    alone = summarise(cases[1:], QUICK).detection[0]
    assert alone["sensitivity_without_self_compared"] is None
    assert alone["reason"]["sensitivity_without_self_compared"]


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
    pytest.importorskip("lesionary.core.readers.consensus")
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
