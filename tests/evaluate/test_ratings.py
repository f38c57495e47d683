import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.evaluate.rating_summary import summarise_ratings
from lesionary.evaluate.ratings import KNOWN, Standing, parse_ratings

HEADER = "Reviewer,Validation,PatientID,AISegmentation,LikertScore,CorrectedSegmentation"


def table_of(*rows, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def rated(first, second):
    """Two reviewers' scores of the same validation cases."""
    rows = [
        f"{reviewer},TRUE,p{case},ai_{case}.seg.dcm,{score},{'' if score == 5 else 'c.dcm'}"
        for reviewer, scores in (("ne1", first), ("rad1", second))
        for case, score in enumerate(scores)
    ]
    return table_of(*rows)


def codes(text):
    return [(found.code, found.line) for found in parse_ratings(text).findings]


def only_pair(text):
    (pair,) = summarise_ratings(parse_ratings(text))["pairs"]
    return pair


def test_columns_may_come_in_any_order_with_a_bom_and_crlf_and_quotes():
    plain = table_of("rad1,TRUE,p1,ai_1.seg.dcm,4,rad1_1.seg.dcm")
    turned = (
        "\ufeffcorrectedsegmentation, LikertScore ,AISegmentation,PatientID,VALIDATION,Reviewer\r\n"
        'rad1_1.seg.dcm,"4","ai_1.seg.dcm",p1,TRUE,"rad1"\r\n'
    )
    first, second = parse_ratings(plain), parse_ratings(turned)
    assert dict(first.rows[0].values) == dict(second.rows[0].values)
    assert first.rows[0] == second.rows[0]
    assert first.findings == second.findings == ()


def test_a_comment_over_several_lines_does_not_move_the_line_numbers():
    text = table_of('rad1,TRUE,p1,"ai_1",4,"c\nd\ne"', "", "rad1,TRUE,p2,ai_2,9,", header=HEADER)
    table = parse_ratings(text)
    assert [row.line for row in table.rows] == [2, 6]
    assert codes(text) == [("bad_score", 6)]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("rad1,TRUE,p1,ai_1,4,", "low_without_correction"),
        ("rad1,FALSE,p1,ai_1,1,", "low_without_correction"),
        ("rad1,TRUE,p1,ai_1,5,c.dcm", "best_with_correction"),
        ("rad1,TRUE,p1,ai_1,0,c.dcm", "bad_score"),
        ("rad1,TRUE,p1,ai_1,6,", "bad_score"),
        ("rad1,TRUE,p1,ai_1,3.5,", "bad_score"),
        ("rad1,TRUE,p1,ai_1,good,", "bad_score"),
        ("rad1,TRUE,p1,ai_1,-4,c.dcm", "bad_score"),
        ("rad1,TRUE,p1,ai_1,,", "no_score"),
        (",TRUE,p1,ai_1,5,", "no_reviewer"),
        ("rad1,TRUE,p1,,5,", "no_case"),
        ("rad1,maybe,p1,ai_1,5,", "bad_validation"),
        ("rad1,TRUE,p1,ai_1,5", "ragged_row"),
        ("rad1,TRUE,p1,ai_1,5,,more", "ragged_row"),
        ("rad1,TRUE,p1,ai_\ufffd,5,", "not_utf8"),
        ('rad1,TRUE,p1,ai_1,5,"\nrad1,TRUE,p2,ai_2,5,', "open_quote"),
    ],
)
def test_a_row_that_breaks_a_rule_is_reported_with_its_line_and_stays(row, code):
    text = table_of("rad1,TRUE,p0,ai_0,5,", row)
    assert (code, 3) in codes(text)
    assert len(parse_ratings(text).rows) == 2


def test_a_good_table_has_no_findings():
    assert codes(rated([5, 4, 1], [5, 4, 2])) == []
    assert codes(table_of("rad1,TRUE,p1,ai_1,5.0,", "rad1,FALSE,p2,ai_2,4.,c.dcm")) == []


@pytest.mark.parametrize(
    ("word", "is_in"), [("true", True), ("1", True), ("False", False), ("", False)]
)
def test_the_sample_is_told_by_any_usual_word(word, is_in):
    (row,) = parse_ratings(table_of(f"rad1,{word},p1,ai_1,5,")).rows
    assert row.is_validation is is_in


def test_a_case_rated_twice_by_a_reviewer_is_reported_and_counts_once_or_not_at_all():
    text = table_of(
        "rad1,TRUE,p1,ai_1,5,",
        "rad1,TRUE,p1,ai_1,5,",
        "rad1,TRUE,p2,ai_2,5,",
        "rad1,TRUE,p2,ai_2,4,c.dcm",
    )
    assert codes(text) == [("duplicate_rating", 3), ("conflicting_rating", 5)]
    table = parse_ratings(text)
    assert [v.standing for v in table.verdicts] == [Standing.RATED, Standing.CONFLICTING]
    (row, _) = summarise_ratings(table)["counts"]
    assert (row["cases"], row["rated"], row["conflicting"]) == (2, 1, 1)
    assert row["counts"] == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1}
    assert row["as_published"] == {"counts": {"1": 0, "2": 0, "3": 0, "4": 1, "5": 3}}


def test_a_sample_that_splits_a_case_or_a_patient_is_reported():
    text = table_of(
        "rad1,TRUE,p1,ai_1,5,",
        "ne1,FALSE,p1,ai_1,5,",
        "rad1,TRUE,p2,ai_2,5,",
        "ne1,FALSE,p2,ai_3,5,",
        "ne1,FALSE,p2,ai_4,5,",
    )
    assert codes(text) == [("validation_differs", 3), ("split_patient", 5)]


def test_unknown_and_repeated_columns_are_reported_by_number_and_can_be_grouped_by():
    header = "Reviewer,Ward,LikertScore,LikertScore,AISegmentation"
    table = parse_ratings(table_of("rad1,north,4,2,ai_1", header=header))
    assert [found.code for found in table.findings] == [
        "unknown_column",
        "column_twice",
        "missing_column",
        "missing_column",
    ]
    assert all(found.line == 1 and "Ward" not in found.reason for found in table.findings)
    assert table.rows[0].score == 4
    (group,) = summarise_ratings(table, group_by="ward")["groups"]
    assert (group["value"], group["mean"], group["n"]) == ("north", 4.0, 1)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "Reviewer;LikertScore\nrad1;5\n", "Reviewer\nx\n"]
)
def test_only_a_table_without_reviewer_or_score_is_refused(text):
    with pytest.raises(InputError, match="lacks the column"):
        parse_ratings(text)


def test_a_table_without_rows_is_a_summary_without_numbers():
    found = summarise_ratings(parse_ratings(HEADER))
    assert (found["reviewers"], found["counts"], found["pairs"], found["cases"]) == ([], [], [], [])


def test_findings_never_repeat_what_a_row_says():
    planted = "MEIER^HANS"
    rows = [f"{planted},{planted},{planted},{planted},{planted},{planted},{planted}"] * 2
    header = HEADER + f",{planted}"
    found = summarise_ratings(parse_ratings(table_of(*rows, header=header)))
    assert planted not in json.dumps(found["findings"])
    assert planted not in json.dumps(found["cases"])
    assert {row["code"] for row in found["findings"]} == {
        "unknown_column", "bad_score", "bad_validation", "duplicate_rating",
    }  # fmt: skip


def test_cases_are_told_apart_by_uids_where_no_draft_is_named():
    header = "Reviewer,PTSeriesInstanceUID,CTSeriesInstanceUID,AISegmentation,LikertScore"
    text = table_of(
        "ne1,1.2,1.3,ai_1,4", "ne1,1.2,1.4,,3", "rad1,1.2,1.3,,5", "rad1,1.2,1.4,,4", header=header
    )
    pair = only_pair(text)
    assert (pair["n"], pair["kendall_tau_b"], pair["sample"]) == (2, 1.0, "all")
    assert pair["table"][3][4] == pair["table"][2][3] == 1


def test_rows_without_any_case_are_counted_but_never_compared():
    header = "Reviewer,LikertScore"
    found = summarise_ratings(parse_ratings(table_of("ne1,4", "ne1,3", "rad1,5", header=header)))
    assert [row["cases"] for row in found["counts"]] == [2, 1]
    assert found["pairs"][0]["n"] == 0
    assert found["pairs"][0]["reason"]["exact_agreement"] == "there are no cases"


def test_numbers_of_a_pair_are_what_they_should_be():
    pair = only_pair(rated([5, 4, 3, 2, 5], [5, 5, 3, 1, 4]))
    assert (pair["first"], pair["second"], pair["n"]) == ("ne1", "rad1", 5)
    assert pair["exact_agreement"] == pytest.approx(2 / 5)
    # By hand: 7 pairs concordant, 1 discordant, 1 tied on either side: (7 - 1) / sqrt(9 · 9).
    assert pair["kendall_tau_b"] == pytest.approx(6 / 9)
    assert np.sum(pair["table"]) == 5
    assert "as_published" not in pair
    assert "reason" not in pair


def test_a_rater_who_never_varies_has_no_tau_and_the_notebook_prints_nan():
    pair = only_pair(rated([5, 5, 5], [5, 4, 5]))
    assert pair["kendall_tau_b"] is None
    assert pair["reason"] == dict.fromkeys(
        ("kendall_tau_b", "p", "p_permutation"), "ne1 never varies: 5 in all 3"
    )
    assert pair["exact_agreement"] == pytest.approx(2 / 3)
    assert pair["weighted_kappa"] == 0.0
    assert pair["as_published"]["tau"] is None
    assert pair["as_published"]["reason"]["tau"] == "the notebook prints nan"


def test_two_raters_who_give_everything_a_five_agree_without_tau_or_kappa():
    pair = only_pair(rated([5] * 34, [5] * 34))
    assert (pair["n"], pair["exact_agreement"]) == (34, 1.0)
    assert {name for name, value in pair.items() if value is None} == set(pair["reason"])
    assert set(pair["reason"]) == {
        "kendall_tau_b",
        "p",
        "p_permutation",
        "cohen_kappa",
        "weighted_kappa",
    }


def test_few_cases_have_a_p_by_permutation_and_say_of_how_many_patients_they_are():
    pair = only_pair(rated([5, 4, 3, 4], [4, 4, 3, 5]))
    assert 0 < pair["p_permutation"] <= 1
    assert (pair["n"], pair["n_subjects"]) == (4, 4)
    rows = [f"a,p1,ai_{n},{n + 1}" for n in range(3)] + [f"b,p1,ai_{n},{3 - n}" for n in range(3)]
    of_one = only_pair(table_of(*rows, header="Reviewer,PatientID,AISegmentation,LikertScore"))
    assert (of_one["n"], of_one["n_subjects"]) == (3, 1)


def test_a_row_that_is_there_twice_changes_what_was_published_and_nothing_else():
    text = rated([5, 4, 3], [4, 5, 3])
    once = only_pair(text)
    both = text + "ne1,TRUE,p0,ai_0.seg.dcm,5,\nrad1,TRUE,p0,ai_0.seg.dcm,4,c.dcm\n"
    twice = only_pair(both)
    assert (twice["n"], twice["kendall_tau_b"]) == (once["n"], once["kendall_tau_b"])
    assert twice["as_published"]["n"] == 4
    one_side = only_pair(text + "ne1,TRUE,p0,ai_0.seg.dcm,5,\n")
    assert one_side["as_published"]["reason"]["tau"].startswith("the notebook stops")


def test_cases_outside_the_sample_make_a_pair_of_their_own():
    text = rated([5, 4, 3], [4, 5, 3]) + "ne1,FALSE,p9,ai_9,5,\nrad1,FALSE,p9,ai_9,5,\n"
    sampled, everything = summarise_ratings(parse_ratings(text))["pairs"]
    assert (sampled["sample"], sampled["n"]) == ("validation", 3)
    assert (everything["sample"], everything["n"]) == ("all", 4)


def test_groups_are_averaged_by_reviewer_with_an_interval_that_draws_patients():
    header = "Reviewer,PatientID,AISegmentation,LikertScore,ContrastPhase"
    rows = [f"ne1,p{case % 4},ai_{case},{1 + case % 5},arterial" for case in range(20)]
    rows += ["ne1,p9,ai_90,4,venous", "ne1,p9,ai_91,2,venous", "rad1,p9,ai_91,,venous"]
    found = summarise_ratings(
        parse_ratings(table_of(*rows, header=header)), group_by="contrastphase"
    )
    assert found["group_by"] == "ContrastPhase"
    arterial, venous, unrated = found["groups"]
    assert (arterial["mean"], arterial["n"], arterial["n_subjects"]) == (3.0, 20, 4)
    assert 1.0 <= arterial["low"] <= 3.0 <= arterial["high"] <= 5.0
    assert (arterial["interval_method"], venous["interval_method"]) == ("t", "")
    assert (venous["mean"], venous["low"], venous["median"]) == (3.0, None, 3.0)
    assert set(venous["reason"]) == {"low", "high"}
    assert set(unrated["reason"]) == {"mean", "low", "high", "median"}
    assert found["cases"][0]["group"] == "arterial"


@pytest.mark.parametrize(
    "column", sorted(KNOWN - {"Collection", "ContrastPhase", "Reviewer", "Validation"})
)
def test_ratings_are_not_grouped_by_what_identifies(column):
    with pytest.raises(InputError, match="identifies"):
        summarise_ratings(parse_ratings(rated([5, 4], [5, 4])), group_by=column.lower())


def test_grouping_by_a_column_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no column of that name"):
        summarise_ratings(parse_ratings(rated([5, 4], [5, 4])), group_by="ContrastPhase")


cells = st.sampled_from(
    ["", "1", "3", "5", "9", "TRUE", "FALSE", "rad1", "ne1", "ai_1", 'a"b', "a,b"]
)


@settings(max_examples=80)
@given(st.lists(st.lists(cells, max_size=8), max_size=8), st.randoms(use_true_random=False))
def test_any_table_with_the_two_columns_is_read_and_gives_plain_json(rows, random):
    names = HEADER.split(",")
    random.shuffle(names)
    text = "\n".join([",".join(names), *(",".join(row) for row in rows)])
    found = summarise_ratings(parse_ratings(text), group_by="Reviewer")
    json.dumps(found, allow_nan=False)
    for row in found["counts"]:
        parts = sum(row["counts"].values()), row["unrated"], row["bad"], row["conflicting"]
        assert sum(parts) == row["cases"]
    for row in [*found["pairs"], *found["groups"]]:
        assert {name for name, value in row.items() if value is None} == set(row.get("reason", {}))


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=12), st.randoms()
)
def test_the_order_of_the_rows_does_not_matter(pairs, random):
    text = rated(*zip(*pairs, strict=True))
    header, *rows = text.splitlines()
    random.shuffle(rows)
    there, back = only_pair(text), only_pair(table_of(*rows, header=header))
    for name in ("n", "exact_agreement", "weighted_kappa", "table"):
        assert there[name] == back[name]
    if there["kendall_tau_b"] is not None:
        assert math.isclose(there["kendall_tau_b"], back["kendall_tau_b"], abs_tol=1e-12)
