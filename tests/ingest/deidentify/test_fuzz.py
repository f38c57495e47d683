"""Wrongly written headers at the door; ``make fuzz`` runs ten times as many."""

from fuzz_deidentify import run

CASES = 2_000


def test_no_case_crashes_and_none_leaks():
    outcomes, faults = run(range(CASES))
    assert faults == []
    assert outcomes["released"] > CASES / 4
    assert sum(outcomes.values()) == CASES
