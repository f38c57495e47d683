"""Two predictions, or two references: tests by case, and by patient as it should be."""

import numpy as np
import pytest
from scipy import stats

from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError
from lesionary.evaluate.comparison import compare


def cases(values, *, subjects=None, group="", metric="dsc"):
    """Make the documents of one label: one value a case, None where it is undefined."""
    subjects = subjects or [f"s{n}" for n in range(len(values))]
    return [
        (
            CaseKey(group, subject, f"{group}{n}"),
            {"labels": [{"label": 1, "value": 1, metric: value}]},
        )
        for n, (subject, value) in enumerate(zip(subjects, values, strict=True))
    ]


def one_row(first, second, **options):
    (row,) = compare(first, second, metrics=("dsc",), **options)
    return row


def test_the_test_by_case_is_scipys():
    rng = np.random.default_rng(5)
    first, second = rng.random((2, 12))
    row = one_row(cases(first), cases(second), names=("after", "before"))
    expected = stats.wilcoxon(first, second)
    assert (row["first"], row["second"]) == ("after", "before")
    assert row["p_by_case"] == pytest.approx(expected.pvalue)
    assert row["statistic_by_case"] == pytest.approx(expected.statistic)
    assert row["mean_difference"] == pytest.approx((first - second).mean())


def test_a_thousand_lesions_of_eight_patients_are_eight():
    rng = np.random.default_rng(6)
    subjects = [f"s{n % 8}" for n in range(1000)]
    first, second = rng.random(1000), rng.random(1000)
    sides = (cases(first, subjects=subjects), cases(second, subjects=subjects))
    row = one_row(*sides)
    means = [(first - second)[n::8].mean() for n in range(8)]
    assert (row["n_by_case"], row["n_by_subject"], row["n_subjects"]) == (1000, 8, 8)
    assert row["p_by_subject"] == pytest.approx(stats.wilcoxon(means).pvalue)


def test_cases_without_a_partner_are_left_out_and_counted():
    row = one_row(cases([0.9, None, 0.7, 0.6]), cases([0.8, 0.8, None]))
    assert (row["n_pairs"], row["n_left_out"]) == (1, 3)
    assert row["mean_first"] == 0.9


def test_identical_sides_have_no_p_and_say_why():
    row = one_row(cases([0.9, 0.8]), cases([0.9, 0.8]))
    assert (row["p_by_case"], row["n_zero_by_case"], row["mean_difference"]) == (None, 2, 0.0)
    assert "zero" in row["reason"]["p_by_case"]


def test_no_pairs_give_a_row_of_reasons():
    row = one_row(cases([None]), cases([0.5]))
    null = {name for name, value in row.items() if value is None}
    assert null == set(row["reason"]) > {"mean_difference", "p_by_subject"}


def test_groups_come_one_by_one_and_then_together():
    sides = [[*cases([0.9, 0.8], group="A"), *cases([0.7], group="B")] for _ in range(2)]
    rows = compare(*sides, metrics=("dsc",))
    assert [(row["group"], row["n_pairs"]) for row in rows] == [("A", 2), ("B", 1), (None, 3)]


def test_exchanging_the_sides_turns_the_differences_round():
    one, other = cases([0.9, 0.8, 0.3]), cases([0.7, 0.9, 0.1])
    there, back = one_row(one, other), one_row(other, one)
    assert there["mean_difference"] == pytest.approx(-back["mean_difference"])
    assert there["effect_by_case"] == pytest.approx(-back["effect_by_case"])
    assert there["p_by_case"] == back["p_by_case"]


def test_a_case_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="once"):
        compare(cases([0.5]) * 2, cases([0.5]), metrics=("dsc",))


def test_one_name_in_two_groups_is_two_people():
    first = [*cases([0.9, 0.8, 0.7], group="A"), *cases([0.9, 0.6, 0.5], group="B")]
    second = [*cases([0.8, 0.6, 0.3], group="A"), *cases([0.95, 0.9, 0.6], group="B")]
    row = compare(first, second, metrics=("dsc",))[-1]
    assert (row["group"], row["n_pairs"], row["n_subjects"], row["n_by_subject"]) == (None, 6, 6, 6)
    assert row["p_by_subject"] == pytest.approx(row["p_by_case"])


def test_pairs_with_the_reference_itself_are_counted_and_left_out_beside():
    keys = [CaseKey("", f"s{n}", f"c{n}") for n in range(6)]

    def scored(values, own=()):
        return [
            (key, {"labels": [{"label": 1, "dsc": value, "self_compared": n in own}]})
            for n, (key, value) in enumerate(zip(keys, values, strict=True))
        ]

    first = scored([1.0, 1.0, 0.5, 0.5, 0.5, 0.5], own=(0, 1))
    second = scored([0.6, 0.6, 0.6, 0.7, 0.8, 0.9])
    (row,) = compare(first, second, metrics=("dsc",))
    assert (row["n_pairs"], row["n_self_compared"]) == (6, 2)
    assert row["mean_first"] == pytest.approx(4.0 / 6)
    assert row["n_pairs_without_self_compared"] == 4
    assert row["mean_difference_without_self_compared"] == pytest.approx(-0.25)
    assert row["p_by_case_without_self_compared"] == pytest.approx(2 / 2**4)
