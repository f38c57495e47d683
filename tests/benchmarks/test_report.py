"""The page says what was measured: ratios to ours, what was promised, and who did not run."""

import pytest
from benchmarks.race import AtMost, Bound, Contestant, Rate, Result, Row
from benchmarks.report import document, kept, row_section, seconds, summary, table


def contestant(name, **marks):
    return Contestant(name, print, f"what {name} does", **marks)


OURS = contestant("ours", is_ours=True)
PEER, HALF = contestant("peer"), contestant("half", is_partial=True)
BROKEN = contestant("broken")
ROW = Row("9", "A task", (), (OURS, PEER, HALF, BROKEN), (Bound(10), Bound(3)))
RESULTS = [
    Result(OURS, seconds=[0.3, 0.2, 0.25], peak_mb=[5.0, 0.4], answer="42"),
    Result(PEER, seconds=[1.0], peak_mb=[80.0], answer="42"),
    Result(HALF, seconds=[0.1], peak_mb=[1.0]),
    Result(BROKEN, problem="ValueError: a | b"),
]


def test_a_line_holds_the_best_call_and_its_ratio_to_ours():
    text = row_section(ROW, RESULTS)
    assert "| **ours** | 0.200 | 1.00 | < 1 | 42 | what ours does |" in text
    assert "| peer | 1.00 | 5.00 | 80 | 42 | what peer does |" in text
    assert "| half (partial) | 0.100 | 0.50 | 1 |" in text


def test_one_that_did_not_run_says_why_and_breaks_no_table():
    assert "| broken | – | – | – |  | ValueError: a \\| b |" in row_section(ROW, RESULTS)


def test_a_promise_that_was_not_kept_is_called_short():
    assert kept(ROW.bounds[0], RESULTS)[0] is False
    assert "**short**, 5.0 ×" in kept(ROW.bounds[0], RESULTS)[1]
    assert "reached, 5.0 ×" in kept(ROW.bounds[1], RESULTS)[1]


def test_a_promise_towards_one_that_did_not_run_is_not_kept():
    is_kept, text = kept(Bound(2, ("broken",)), RESULTS)
    assert not is_kept
    assert "not measured" in text


def test_the_page_shows_every_row_and_every_promise():
    text = document([(ROW, RESULTS)], [("More", "said")], patience=30, rounds=3)
    assert "| 9 | A task | 0.200 | peer, 1.00 | 5.0 | least: < 1, peers from 80 MB |" in text
    assert "**short**, reached |" in text
    assert "## More\n\nsaid" in text


def test_what_is_not_installed_is_known_before_it_runs():
    assert contestant("x", needs=("numpy", "no-such-distribution")).missing() == (
        "no-such-distribution"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(0.00123, "0.0012"), (0.1234, "0.123"), (1.234, "1.23"), (141.04, "141.0")]
)
def test_seconds_are_written_with_the_digits_that_count(value, text):
    assert seconds(value) == text


def test_a_table_has_as_many_bars_in_every_line():
    lines = table(["a", "b"], [["1", "2"], ["3", "4"]]).splitlines()
    assert {line.count("|") for line in lines if line} == {3}


def test_a_promise_in_seconds_counts_the_best_call():
    assert kept(AtMost(0.2), RESULTS) == (True, "At most 0.2 s: reached, 0.200 s (ours).")
    assert kept(AtMost(0.1), RESULTS)[0] is False
    assert "**not measured**" in kept(AtMost(9), [RESULTS[1]])[1]


def test_files_are_told_for_each_second_of_processor_time():
    row = Row("9", "A task", (), (OURS, PEER, BROKEN), (Rate(150),), n_files=100)
    raced = [
        Result(OURS, seconds=[0.2], cpu_s=[0.6, 0.5], peak_mb=[1.0]),
        Result(PEER, seconds=[1.0], cpu_s=[2.0], peak_mb=[1.0]),
        Result(BROKEN, problem="ValueError"),
    ]
    text = row_section(row, raced)
    assert "| contestant | seconds | × ours | files/s a core | MB |" in text
    assert "| **ours** | 0.200 | 1.00 | 200 | 1 |" in text
    assert "| peer | 1.00 | 5.00 | 50 | 1 |" in text
    assert "| broken | – | – | – | – |" in text
    assert "- At least 150 files/s a core: reached, 200 files/s (ours)." in text
    assert kept(Rate(250), raced, 100)[0] is False
    assert "**not measured**" in kept(Rate(250), RESULTS, 100)[1]


def test_ours_is_summed_up_where_all_others_do_less():
    row = Row("9", "A task", (), (OURS, HALF), (AtMost(4),))
    assert summary(row, [RESULTS[0], RESULTS[2]]) == ["0.200", "–", "–", "–", "reached"]
