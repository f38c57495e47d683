"""Tables over many cases: what is counted, what is left out and said so."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.agree.agreement import agreement
from lesionary.agree.metrics import LEFT_OUT
from lesionary.agree.summary import summarise
from lesionary.core.cases import CaseKey
from lesionary.core.identity import canonical_json
from lesionary.core.statistics import Resampling, bland_altman, icc
from lesionary.core.volume import Geometry, LabelMap

GRID = Geometry((1, 1, 12), np.diag([5.0, 2.0, 10.0, 1.0]))  # a voxel has 0.1 ml
QUICK = Resampling(n_resamples=50)


def drawn(text):
    row = [0 if letter == "." else int(letter) for letter in text.ljust(12, ".")]
    return LabelMap(np.array([[row]], dtype=np.uint16), GRID)


def voxels_long(component, _):
    return float(component.n_voxels)


def case(key, *texts, names="ABC", diameters=voxels_long):
    group, subject, name = key.split("/")
    found = agreement([drawn(text) for text in texts], list(names), diameters=diameters)
    return CaseKey(group, subject, name), found


CASES = [
    case("1/M01/a", "111111......", "11111.......", "1111........"),
    case("1/M01/b", "111.....11..", "111.........", "111.....1..."),
    case("1/M02/c", "1111........", "1111........", "111........."),
    case("2/M01/d", "11..11......", "111111......", "11111......."),
    case("2/M03/e", "............", "............", "............"),
]


@pytest.fixture(scope="module")
def found():
    return summarise(CASES, QUICK)


def one(rows, **wanted):
    """Return the only row that has these fields."""
    hits = [row for row in rows if wanted.items() <= row.items()]
    assert len(hits) == 1, (wanted, len(hits))
    return hits[0]


def overall(found, metric, readers, level="tumour"):
    wanted = {"metric": metric, "readers": readers, "level": level, "scope": "overall"}
    return one(found.summary, **wanted)


def test_every_tumour_and_pair_has_a_row_and_none_is_dropped(found):
    assert len(found.tumours) == 5
    assert len(found.pairs) == 15
    assert len(found.cases) == 5
    assert {row["pair"] for row in found.pairs} == {"A vs. B", "A vs. C", "B vs. C"}


def test_a_missed_tumour_counts_with_nought_and_stands_beside_the_mean_without_it(found):
    dice = overall(found, "dice", "A vs. B")
    values = [2 * 5 / 11, 1, 0, 1, 2 * 4 / 10]
    assert (dice["n"], dice["n_missed"], dice["n_undefined"]) == (5, 1, 0)
    assert dice["mean"] == pytest.approx(np.mean(values))
    assert dice["sd"] == pytest.approx(np.std(values, ddof=1))
    assert dice["missed"] == "counted"
    assert dice["n_without_missed"] == 4
    assert dice["mean_without_missed"] == pytest.approx(np.sum(values) / 4)


def test_volume_differences_are_first_minus_second_with_nothing_for_a_missed_one(found):
    volume = overall(found, "volume_difference_ml", "A vs. B")
    assert volume["n"] == 5
    assert volume["mean"] == pytest.approx(np.mean([0.1, 0, 0.2, 0, -0.2]))


def test_a_diameter_of_nothing_is_left_out_and_the_row_says_so(found):
    diameter = overall(found, "diameter_difference_mm", "A vs. B")
    assert (diameter["n"], diameter["n_missed"], diameter["n_undefined"]) == (4, 1, 1)
    assert diameter["missed"] == LEFT_OUT
    assert diameter["mean"] == pytest.approx(np.mean([1, 0, 0, -2]))


def test_kappa_comes_with_its_domain(found):
    kappa = overall(found, "fleiss_kappa", "all")
    assert (kappa["domain"], kappa["domain_voxels_least"], kappa["domain_voxels_most"]) == (
        "image",
        12,
        12,
    )
    assert kappa["mean"] == pytest.approx(np.mean([row["fleiss_kappa"] for row in found.tumours]))
    assert all(row["domain_voxels"] == 12 for row in found.tumours)


def test_a_case_where_nobody_drew_anything_is_counted_as_undefined(found):
    kappa = overall(found, "fleiss_kappa", "all", level="case")
    assert (kappa["n"], kappa["n_undefined"], kappa["n_missed"]) == (4, 1, 0)
    empty = one(found.cases, case="e")
    assert (empty["n_missed"], empty["dice_mean"], empty["volume_rmse_ml"]) == (3, None, None)
    assert empty["reason"]["volume_rmse_ml"] == "nobody drew anything"
    assert one(found.counts, scope="group", group="2")["n_cases_without_tumour"] == 1


def test_counts_name_who_missed_what(found):
    counts = one(found.counts, scope="overall")
    assert (counts["n_tumours"], counts["n_missed"], counts["n_fused"]) == (5, 1, 1)
    assert [counts[f"missed_by_{name}"] for name in "ABC"] == [0, 1, 0]
    assert (counts["n_cases"], counts["n_subjects"]) == (5, 4)


def test_subjects_of_one_name_in_two_groups_are_two(found):
    dice = overall(found, "dice", "A vs. B")
    assert (dice["n_subjects"], dice["n_cases"]) == (3, 4)


def test_groups_have_rows_of_their_own_as_in_table_4(found):
    rows = [r for r in found.summary if r["metric"] == "dice" and r["scope"] == "group"]
    tumour_rows = [r for r in rows if r["level"] == "tumour" and r["readers"] == "A vs. C"]
    assert [(r["group"], r["n"]) for r in tumour_rows] == [("1", 4), ("2", 1)]
    single = tumour_rows[1]
    assert (single["sd"], single["mean_low"]) == (None, None)
    assert set(single["reason"]) >= {"sd", "mean_low", "mean_high"}


def test_each_reader_stands_to_the_mean_and_to_the_consensus(found):
    assert len(found.tumour_readers) == 15
    missed = one(found.tumour_readers, case="b", tumour=2, reader="B")
    assert (missed["volume_ml"], missed["staple_sensitivity"], missed["n_missed"]) == (0, 0, 1)
    deviations = [overall(found, "volume_from_mean_ml", name)["mean"] for name in "ABC"]
    assert sum(deviations) == pytest.approx(0)
    sensitivity = overall(found, "staple_sensitivity", "B")
    assert (sensitivity["n"], sensitivity["n_missed"]) == (5, 1)
    assert sensitivity["mean"] < sensitivity["mean_without_missed"]


def test_rmse_in_millilitres_and_percent(found):
    ml = overall(found, "volume_rmse_ml", "all")
    expected = [np.std(row["volume_ml"]) for row in found.tumours]
    assert ml["mean"] == pytest.approx(np.mean(expected))
    percent = overall(found, "volume_rmse_percent", "all")
    means = [np.mean(row["volume_ml"]) for row in found.tumours]
    assert percent["mean"] == pytest.approx(100 * np.mean(np.array(expected) / means))


def test_icc_and_bland_altman_are_those_of_core(found):
    volumes = [row["volume_ml"] for row in found.tumours]
    row = one(found.icc, level="tumour", scope="overall", reading="volume")
    assert row["agreement"] == pytest.approx(icc(volumes).agreement)
    assert (row["n"], row["n_missed"], row["unit"]) == (5, 1, "ml")
    of_diameters = one(found.icc, level="tumour", scope="overall", reading="diameter")
    assert (of_diameters["n"], of_diameters["n_left_out"]) == (4, 1)
    pairs = [row for row in found.pairs if row["pair"] == "A vs. C"]
    sides = [[row[f"{side}_volume_ml"] for row in pairs] for side in ("first", "second")]
    subjects = [(row["group"], row["subject"]) for row in pairs]
    limits = one(
        found.bland_altman, level="tumour", scope="overall", pair="A vs. C", reading="volume"
    )
    assert limits["bias"] == bland_altman(*sides, subjects=subjects).bias
    assert (limits["n"], limits["n_left_out"]) == (5, 0)


def test_the_interval_holds_the_mean_and_comes_out_the_same_twice(found):
    dice = overall(found, "dice", "A vs. C")
    assert dice["mean_low"] <= dice["mean"] <= dice["mean_high"]
    assert summarise(CASES, QUICK).to_json() == found.to_json()


def test_every_table_is_json_and_every_null_has_its_reason(found):
    document = found.to_json()
    assert json.loads(canonical_json(document)) == document
    for table in (
        "summary",
        "counts",
        "icc",
        "bland_altman",
        "tumours",
        "pairs",
        "cases",
        "case_readers",
    ):
        for row in document[table]:
            held = [name for name, value in row.items() if value is None]
            held += [n for n, value in row.items() if isinstance(value, list) and None in value]
            assert set(held) <= set(row.get("reason", {})), (table, row)
            assert all(row.get("reason", {}).values())


def test_pairs_keep_their_sign_when_a_case_lists_readers_in_another_order():
    cases = [
        case("/s1/a", "1111........", "11..........", names="AB"),
        case("/s2/b", "11..........", "1111........", names="BA"),
    ]
    found = summarise(cases, QUICK)
    assert [row["volume_difference_ml"] for row in found.pairs] == pytest.approx([0.2, 0.2])
    assert {row["pair"] for row in found.pairs} == {"A vs. B"}
    assert [row["scope"] for row in found.counts] == ["overall"]


def test_readers_may_differ_from_case_to_case():
    cases = [
        case("/s1/a", "1111........", "11..........", names="AB"),
        case("/s2/b", "11..........", "1111........", names="BC"),
        case("/s3/c", "11..........", "111.........", "11..........", names="ABC"),
    ]
    found = summarise(cases, QUICK)
    assert found.readers == ("A", "B", "C")
    assert overall(found, "dice", "A vs. B")["n"] == 2
    assert overall(found, "dice", "B vs. C")["n"] == 2
    assert overall(found, "dice", "A vs. C")["n"] == 1
    row = one(found.icc, level="tumour", scope="overall", reading="volume")
    assert (row["n"], row["n_left_out"], row["agreement"]) == (1, 2, None)


def test_a_case_that_was_not_read_is_told_apart_from_a_tumour_that_was_missed():
    cases = [
        case("/s1/a", "1111........", "11..........", "............"),
        case("/s2/b", "11..........", "1111........", names="AB"),
        case("/s3/c", "11..........", "1111........", names="AB"),
    ]
    found = summarise(cases, QUICK)
    counts = one(found.counts, scope="overall")
    assert [counts[f"not_read_by_{name}"] for name in "ABC"] == [0, 0, 2]
    assert [counts[f"missed_by_{name}"] for name in "ABC"] == [0, 0, 1]
    assert (counts["n_cases"], counts["n_cases_with_all_readers"]) == (3, 1)
    for metric in ("fleiss_kappa", "volume_rmse_ml"):
        row = overall(found, metric, "all")
        assert (row["n_readers_least"], row["n_readers_most"]) == (2, 3)
    row = one(found.icc, level="tumour", scope="overall", reading="volume")
    assert (row["n_readers_least"], row["n_readers_most"], row["n_left_out"]) == (2, 3, 2)
    row = overall(found, "dice", "A vs. B")
    assert (row["n_readers_least"], row["n_readers_most"]) == (2, 2)


def test_one_quantity_has_one_interval(found):
    mean = overall(found, "volume_difference_ml", "A vs. C")
    bias = one(
        found.bland_altman, level="tumour", scope="overall", pair="A vs. C", reading="volume"
    )
    assert (mean["mean"], mean["mean_low"]) == pytest.approx((bias["bias"], bias["bias_low"]))
    assert mean["mean_high"] == pytest.approx(bias["bias_high"])
    assert mean["interval_method"] == bias["bias_interval_method"] == "t"


def test_few_subjects_have_a_wide_interval_that_stays_within_what_a_dice_can_be(found):
    dice = overall(found, "dice", "A vs. B")
    assert (dice["n_subjects"], dice["interval_method"]) == (3, "t")
    assert 0.0 <= dice["mean_low"] < dice["mean"] < dice["mean_high"] <= 1.0


def test_an_icc_says_of_how_many_subjects_it_is_and_whether_they_repeat(found):
    row = one(found.icc, level="tumour", scope="overall", reading="volume")
    assert (row["n"], row["n_subjects"], row["has_repeats"]) == (5, 3, True)
    assert row["agreement_low"] is None
    assert "needs 5 subjects" in row["reason"]["agreement_low"]


def test_an_empty_consensus_leaves_sensitivity_undefined_and_counted():
    """Of three readers one alone drew anything: no voxel reaches a probability of one half."""
    found = summarise([case("/s/a", "11..........", "............", "............")], QUICK)
    rows = found.tumour_readers
    assert [row["staple_sensitivity"] for row in rows] == [None] * 3
    assert all("consensus is empty" in row["reason"]["staple_sensitivity"] for row in rows)
    assert [row["staple_specificity"] for row in rows] == pytest.approx([10 / 12, 1, 1], abs=0.2)
    sensitivity = overall(found, "staple_sensitivity", "A")
    assert (sensitivity["n"], sensitivity["n_undefined"]) == (0, 1)


def test_without_diameters_there_are_none_in_any_table():
    found = summarise([case("/s/a", "11..........", "1...........", names="AB", diameters=None)])
    assert not any("diameter" in json.dumps(row) for row in found.summary + found.pairs)
    assert {row["reading"] for row in found.icc + found.bland_altman} == {"volume"}


def test_what_neither_of_a_pair_drew_is_no_agreement_on_nothing():
    found = summarise([case("/s/a", "11..........", "............", "............")], QUICK)
    row = one(found.pairs, pair="B vs. C")
    assert (row["n_missed"], row["dice"], row["volume_difference_ml"]) == (2, None, None)
    dice = overall(found, "dice", "B vs. C")
    assert (dice["n"], dice["n_missed"], dice["n_undefined"], dice["mean"]) == (0, 0, 1, None)


def test_no_cases_give_empty_tables():
    document = summarise([]).to_json()
    assert all(rows == [] for rows in document.values())


def test_repeats_make_tables_of_their_own_for_each_reader():
    cases = [
        case("/s1/a", "111.........", "11..........", "11..........", names=["A", "B", "A"]),
        case("/s2/b", "1111........", "111.........", "1111........", names=["A", "B", "A"]),
    ]
    found = summarise(cases, QUICK)
    assert found.readers == ("A", "B")
    assert overall(found, "dice", "A vs. B")["n"] == 2
    own = found.intra_reader["A"]
    repeat = overall(own, "dice", "reading 1 vs. reading 2")
    assert (repeat["n"], repeat["mean"]) == (2, pytest.approx(0.9))
    assert set(found.to_json()["intra_reader"]) == {"A"}


rows_of_digits = st.text(alphabet="...12", min_size=12, max_size=12)


@settings(max_examples=25)
@given(st.lists(st.tuples(rows_of_digits, rows_of_digits), min_size=1, max_size=5), st.data())
def test_the_order_of_cases_moves_no_figure(texts, data):
    cases = [case(f"/s{n}/c{n}", *pair, names="AB") for n, pair in enumerate(texts)]
    shuffled = data.draw(st.permutations(cases))
    one_way, other_way = summarise(cases, QUICK), summarise(shuffled, QUICK)
    for row, other in zip(one_way.summary, other_way.summary, strict=True):
        for name in ("n", "n_missed", "n_undefined", "n_fused", "n_subjects"):
            assert row[name] == other[name]
        if row["mean"] is None:
            assert other["mean"] is None
        else:
            assert row["mean"] == pytest.approx(other["mean"])
    assert one_way.counts == other_way.counts
