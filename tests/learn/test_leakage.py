"""The guard finds what is in two sets that must share nothing, and says what it cannot see."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import WorkflowError
from lesionary.learn.leakage import find_leaks, must_be_apart, require_no_leak
from lesionary.learn.members import (
    Kind,
    LeakageError,
    MemberSet,
    Role,
)

ROLES = st.sampled_from(list(Role))


def members(role: Role, /, *, fold: int | None = None, unknown=None, **named) -> MemberSet:
    """Return a set from ``kind=[(value, member), …]``."""
    values = {Kind(kind): (lambda rows=rows: iter(rows)) for kind, rows in named.items()}
    return MemberSet(role, values, fold, unknown or {})


@st.composite
def random_sets(draw: st.DrawFn) -> dict[str, MemberSet]:
    found = {}
    for name in draw(st.lists(st.sampled_from("uvwxyz"), unique=True, max_size=5)):
        role = draw(ROLES)
        fold = draw(st.none() | st.integers(0, 2)) if role is Role.TRAIN else None
        rows = {
            kind: [
                (value, f"{name}{n}")
                for n, value in enumerate(draw(st.lists(st.sampled_from("abcd"), max_size=5)))
            ]
            for kind in draw(st.lists(st.sampled_from(["patient", "pixels"]), unique=True))
        }
        found[name] = members(role, fold=fold, **rows)
    return found


def every_pair(sets: dict[str, MemberSet]) -> set[tuple[Kind, str, str, str, str]]:
    """Compare every member with every other: the slow oracle."""
    found = set()
    for (a, first), (b, second) in combinations(sorted(sets.items()), 2):
        if must_be_apart(first, second):
            for kind in first.values.keys() & second.values.keys():
                for one, other in product(first.values[kind](), second.values[kind]()):
                    if one[0] == other[0]:
                        found.add((kind, a, one[1], b, other[1]))
    return found


@given(random_sets())
def test_finds_what_comparing_everything_with_everything_finds(sets):
    expected = every_pair(sets)
    leaks = find_leaks(sets, n_shown=10_000)
    found = [
        (one.kind, one.first_set, one.first, one.second_set, one.second) for one in leaks.shown
    ]
    assert len(found) == len(set(found)) == leaks.n_pairs
    assert set(found) == expected
    assert sum(leaks.by_kind.values()) == leaks.n_pairs


@given(random_sets(), st.randoms())
def test_order_of_sets_and_members_changes_nothing(sets, random):
    names = list(sets)
    random.shuffle(names)
    turned = {
        name: MemberSet(
            sets[name].role,
            {
                kind: (lambda rows=rows: list(rows())[::-1])
                for kind, rows in sets[name].values.items()
            },
            sets[name].fold,
        )
        for name in names
    }
    assert find_leaks(turned) == find_leaks(sets)


@given(random_sets(), st.integers(0, 6))
def test_what_is_shown_is_capped_and_all_is_counted(sets, n_shown):
    everything, capped = find_leaks(sets, n_shown=10_000), find_leaks(sets, n_shown=n_shown)
    assert len(capped.shown) == min(n_shown, everything.n_pairs)
    assert set(capped.shown) <= set(everything.shown)
    assert (capped.n_pairs, capped.by_kind) == (everything.n_pairs, everything.by_kind)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("first", list(Role))
@pytest.mark.parametrize("second", list(Role))
def test_which_roles_must_share_nothing(kind, first, second):
    sets = {
        "one": members(first, **{kind.value: [("same", "ser-0001")]}),
        "two": members(second, **{kind.value: [("same", "line 7")]}),
    }
    may_share = first is second or {first, second} == {Role.PRETRAINING, Role.TRAIN}
    leaks = find_leaks(sets)
    assert leaks.n_pairs == (0 if may_share else 1)
    assert [one.kind for one in leaks.shown] == ([] if may_share else [kind])


def test_folds_must_share_nothing_with_each_other():
    scan = [("same", "ser-0001")], [("same", "ser-0002")]
    other = {
        "fold 0": members(Role.TRAIN, fold=0, pixels=scan[0]),
        "fold 1": members(Role.TRAIN, fold=1, pixels=scan[1]),
    }
    assert find_leaks(other).n_pairs == 1
    same = {
        "fold 0": members(Role.TRAIN, fold=0, pixels=scan[0] + scan[1]),
        "elsewhere": members(Role.TRAIN, pixels=scan[1]),
    }
    assert find_leaks(same).n_pairs == 0


def test_a_value_of_one_kind_is_never_held_against_another():
    sets = {
        "train": members(Role.TRAIN, study_uid=[("1.2.3", "ser-0001")]),
        "test": members(Role.TEST, series_uid=[("1.2.3", "ser-0002")]),
    }
    assert find_leaks(sets).n_pairs == 0


def test_slices_that_two_series_share_are_one_pair():
    slices = [f"1.2.{n}" for n in range(50)]
    sets = {
        "train": members(Role.TRAIN, sop_uid=[(uid, "ser-0001") for uid in slices]),
        "test": members(Role.TEST, sop_uid=[(uid, "ser-0002") for uid in slices]),
    }
    assert find_leaks(sets).n_pairs == 1


def test_many_leaks_of_one_kind_do_not_hide_those_of_another():
    many = [("p", f"sub-{n:04d}") for n in range(40)]
    sets = {
        "train": members(Role.TRAIN, patient=many, pixels=[("x", "ser-0001")]),
        "test": members(Role.TEST, patient=[("p", "sub-9999")], pixels=[("x", "ser-0002")]),
    }
    leaks = find_leaks(sets, n_shown=3)
    assert [one.kind for one in leaks.shown] == [Kind.PATIENT, Kind.PATIENT, Kind.PIXELS]
    assert leaks.by_kind == {Kind.PATIENT: 40, Kind.PIXELS: 1}


def test_a_leak_stops_whoever_needs_none_and_names_the_pair():
    sets = {
        "train": members(Role.TRAIN, pixels=[("x", "ser-0001")]),
        "test": members(Role.TEST, pixels=[("x", "ser-0002")]),
    }
    with pytest.raises(
        WorkflowError, match=r"ser-0002 in test and ser-0001 in train share the vox"
    ):
        require_no_leak(sets)
    with pytest.raises(LeakageError) as caught:
        require_no_leak(sets)
    assert caught.value.code == "leakage"
    assert caught.value.hint
    assert caught.value.details == {
        "n_pairs": 1,
        "pairs": [
            {
                "same": "pixels",
                "first_set": "test",
                "first": "ser-0002",
                "second_set": "train",
                "second": "ser-0001",
            }
        ],
    }


def test_an_error_says_how_many_pairs_it_leaves_unnamed():
    sets = {
        "train": members(Role.TRAIN, patient=[("p", f"sub-{n}") for n in range(100)]),
        "test": members(Role.TEST, patient=[("p", "sub-x")]),
    }
    with pytest.raises(LeakageError, match="and 80 more pairs"):
        require_no_leak(sets)


def test_what_cannot_be_seen_is_said():
    sets = {
        "train": members(
            Role.TRAIN,
            patient=[("p", "sub-0001")],
            pixels=[],
            unknown={Kind.PATIENT: (3, "known by one file's name only")},
        ),
        "list": members(Role.HOLDOUT, pixels=[]),
        "elsewhere": members(Role.TRAIN),
    }
    del sets["elsewhere"]
    told = {(one.in_set, one.kind): one for one in require_no_leak(sets).unchecked}
    assert told["train", Kind.PATIENT].n_members == 3
    assert told["train", Kind.PATIENT].document()["members"] == 3
    assert "members" not in told["list", Kind.PATIENT].document()
    assert ("list", Kind.PIXELS) not in told
    assert ("train", Kind.PIXELS) not in told


def test_a_set_that_nothing_is_held_against_hides_nothing():
    assert find_leaks({"train": members(Role.TRAIN), "more": members(Role.TRAIN)}).unchecked == ()
    assert find_leaks({}).n_pairs == 0
