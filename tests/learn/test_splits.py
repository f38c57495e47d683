"""Subjects go to parts and folds once, by lot, and stay there."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError, WorkflowError
from lesionary.learn.lots import Candidate, Part
from lesionary.learn.splits import Assignment, SplitRules, assign

RULES = SplitRules(test=0.2, holdout=0.1, folds=5, seed=0)
TEST, TRAIN, HOLDOUT = (frozenset({part}) for part in (Part.TEST, Part.TRAIN, Part.HOLDOUT))


def people(n: int, strata: str = "a", *, first: int = 0) -> list[Candidate]:
    """Return candidates whose names tell nothing of their keys."""
    return [
        Candidate(
            f"sub-{number:04d}", f"key {number * 7919 % 10_007}", strata[number % len(strata)]
        )
        for number in range(first, first + n)
    ]


def sizes(assigned: dict[str, Assignment]) -> Counter[str]:
    return Counter(one.part.value for one in assigned.values())


@st.composite
def groups(draw: st.DrawFn, least: int = 12) -> list[Candidate]:
    strata = draw(st.text("abc", min_size=1, max_size=4))
    found = people(draw(st.integers(least, 80)), strata)
    given_parts = st.sampled_from([frozenset(), frozenset(), frozenset(), TRAIN, TEST])
    return [replace(one, given=draw(given_parts)) for one in found]


@given(groups(), st.randoms(), st.integers(0, 3))
def test_order_of_input_changes_nothing(candidates, random, seed):
    rules = SplitRules(test=0.3, folds=0, seed=seed)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert _or_error(shuffled, rules) == _or_error(candidates, rules)


def _or_error(candidates, rules):
    try:
        return assign(candidates, rules)
    except InputError as error:
        return error.message


def test_lots_are_drawn_by_key_not_by_number():
    renumbered = [replace(one, name=f"sub-{9000 - n}") for n, one in enumerate(people(30))]
    by_key = {one.key: one.name for one in people(30)}
    assigned = assign(people(30), RULES)
    for one in renumbered:
        assert assign(renumbered, RULES)[one.name].part is assigned[by_key[one.key]].part


@pytest.mark.parametrize("n", [12, 50, 333])
def test_parts_are_as_large_as_asked(n):
    found = sizes(assign(people(n, "aabc"), RULES))
    n_test, n_holdout = int(0.2 * n + 0.5), int(0.1 * n + 0.5)
    assert found == {"test": n_test, "holdout": n_holdout, "train": n - n_test - n_holdout}


def test_half_a_subject_counts_as_one_whatever_binary_makes_of_the_share():
    assert sizes(assign(people(30), SplitRules(test=0.15, folds=0)))["test"] == 5
    assert sizes(assign(people(10), SplitRules(test=0.35, folds=0)))["test"] == 4


def test_a_whole_number_counts_subjects():
    assert sizes(assign(people(30), SplitRules(test=7, holdout=3))) == {
        "test": 7,
        "holdout": 3,
        "train": 20,
    }


def test_a_share_of_few_is_one_at_least():
    assert sizes(assign(people(2), SplitRules(test=0.1, folds=0)))["test"] == 1
    assert "test" not in sizes(assign(people(2), SplitRules(test=0, folds=0)))


@given(st.integers(20, 120), st.text("abcd", min_size=1, max_size=6), st.integers(0, 5))
def test_every_stratum_gives_its_share_to_within_one(n, strata, seed):
    candidates = people(n, strata)
    assigned = assign(candidates, SplitRules(test=0.25, folds=4, seed=seed))
    n_test = sizes(assigned)["test"]
    for stratum, size in Counter(one.stratum for one in candidates).items():
        own = [assigned[one.name] for one in candidates if one.stratum == stratum]
        assert abs(sum(one.part is Part.TEST for one in own) - n_test * size / n) < 1


@given(st.integers(20, 120), st.text("abcd", min_size=1, max_size=6), st.integers(2, 7))
def test_folds_are_balanced_as_a_whole_and_by_stratum(n, strata, n_folds):
    candidates = people(n, strata)
    assigned = assign(candidates, SplitRules(test=0.25, folds=n_folds))
    for names in (set("abcd"), *map(set, strata)):
        own = [assigned[one.name].fold for one in candidates if one.stratum in names]
        counts = Counter(fold for fold in own if fold is not None)
        spread = [counts[fold] for fold in range(n_folds)]
        assert max(spread) - min(spread) <= 1
    assert {one.fold is None for one in assigned.values() if one.part is Part.TRAIN} == {False}
    assert {one.fold for one in assigned.values() if one.part is not Part.TRAIN} == {None}


@given(groups(), st.integers(1, 40), st.integers(0, 2))
def test_what_is_assigned_stays_when_subjects_come_later(early, n_late, seed):
    rules = SplitRules(test=0.2, holdout=0.1, folds=2, seed=seed)
    late = people(n_late, "ab", first=1000)
    try:
        before = assign(early, rules)
    except InputError:
        return
    after = assign([*late, *early], rules, before)
    assert {name: after[name] for name in before} == before
    assert assign([*early, *late], rules, after) == after
    n_free = n_late
    for part, share in (("holdout", 0.1), ("test", 0.2)):
        n_drawn = sum(after[one.name].part == part for one in late)
        n_lacking = rules.n_of(share, len(after)) - sizes(before)[part]
        assert n_drawn == min(max(0, n_lacking), n_free)
        n_free -= n_drawn


def test_later_subjects_fill_the_parts_up():
    before = assign(people(10), SplitRules(test=0.1, folds=0))
    after = assign(people(40), SplitRules(test=0.5, folds=0), before)
    assert sizes(after) == {"test": 20, "train": 20}


def test_another_seed_draws_others():
    drawn = {tuple(assign(people(40), replace(RULES, seed=seed)).values()) for seed in range(4)}
    assert len(drawn) == 4


def test_given_parts_are_kept_and_say_so():
    candidates = people(20)
    candidates[3] = replace(candidates[3], given=TEST)
    candidates[4] = replace(candidates[4], given=TRAIN)
    assigned = assign(candidates, SplitRules(test=0.2, folds=0))
    assert assigned["sub-0003"] == Assignment(Part.TEST, None, "given", None)
    assert assigned["sub-0004"] == Assignment(Part.TRAIN, None, "given", None)
    assert sizes(assigned)["test"] == 4
    assert assigned["sub-0000"].origin == "drawn"


def test_given_parts_are_kept_where_they_are_not_the_share_asked_for():
    everyone = [replace(one, given=TEST if n < 9 else TRAIN) for n, one in enumerate(people(12))]
    assert sizes(assign(everyone, SplitRules(test=0.2, folds=3))) == {"test": 9, "train": 3}
    scarce = [replace(one, given=TRAIN) for one in people(12)]
    assert sizes(assign(scarce, SplitRules(test=0.2, folds=3))) == {"train": 12}


def test_a_given_training_subject_is_put_into_a_fold_by_lot():
    everyone = [replace(one, given=TRAIN) for one in people(6)]
    assigned = assign(everyone, SplitRules(test=0, folds=3, seed=4))
    assert {(one.origin, one.seed) for one in assigned.values()} == {("given", 4)}
    assert Counter(one.fold for one in assigned.values()) == {0: 2, 1: 2, 2: 2}


def test_a_subject_given_to_both_train_and_test_is_named():
    candidates = people(12)
    candidates[5] = replace(candidates[5], given=TRAIN | TEST)
    with pytest.raises(InputError, match=r"sub-0005 is given both for test and train") as caught:
        assign(candidates, RULES)
    assert caught.value.code == "split_conflict"


def test_a_subject_given_to_another_part_than_it_was_drawn_to_is_named():
    before = assign(people(12), RULES)
    name = next(name for name, one in before.items() if one.part is Part.TRAIN)
    moved = [replace(one, given=TEST) if one.name == name else one for one in people(12)]
    with pytest.raises(InputError, match=f"{name} is given for test, but .* train before"):
        assign(moved, RULES, before)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"test": 1.5}, "share of 1.5"),
        ({"test": 1.0}, "share of 1.0"),
        ({"test": -0.1}, "share of -0.1"),
        ({"test": float("nan")}, "share of nan"),
        ({"holdout": -1}, "-1 subjects"),
        ({"test": 0.6, "holdout": 0.4}, "all subjects"),
        ({"folds": 1}, "1 folds"),
        ({"folds": -2}, "-2 folds"),
    ],
)
def test_rules_that_nothing_could_fulfil_are_refused(rules, problem):
    with pytest.raises(InputError, match=problem) as caught:
        SplitRules(**rules)
    assert caught.value.code == "split_impossible"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("n", "rules", "problem"),
    [
        (4, {"test": 1, "folds": 5}, "5 folds over 3 subjects to train on"),
        (4, {"test": 5, "folds": 0}, "test asks for 5 of 4 subjects"),
        (4, {"test": 4, "folds": 0}, "of 4 subjects none is left to train on"),
        (1, {"test": 0.2, "folds": 0}, "of 1 subject none is left to train on"),
        (0, {"test": 0.2, "folds": 5}, "5 folds over 0 subjects to train on"),
    ],
)
def test_what_too_few_subjects_cannot_fulfil_is_refused(n, rules, problem):
    with pytest.raises(InputError, match=problem) as caught:
        assign(people(n), SplitRules(**rules))
    assert caught.value.code == "split_impossible"


@pytest.mark.parametrize("change", [{"seed": 1}, {"folds": 4}, {"folds": 0}])
def test_a_split_keeps_its_seed_and_its_folds(change):
    before = assign(people(20), RULES)
    with pytest.raises(WorkflowError, match=r"split (has|was drawn)") as caught:
        assign(people(20), replace(RULES, **change), before)
    assert caught.value.code == "split_settled"


def test_nobody_without_folds_is_an_empty_split():
    assert assign([], SplitRules(folds=0)) == {}


def test_two_candidates_of_one_key_are_a_fault_of_the_caller():
    with pytest.raises(ValueError, match="one key"):
        assign([Candidate("sub-0001", "k"), Candidate("sub-0002", "k")], RULES)
