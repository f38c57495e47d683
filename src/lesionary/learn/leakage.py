"""The leakage guard: nothing that tests may have been learned from (X9).

Members of sets are compared by what makes two of them the same: the patient, the UIDs of study,
series and slice, and the voxels. A patient under two names is found by UIDs or voxels, a scan under
other UIDs by its voxels, a later scan of a patient by the patient's name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product, zip_longest

from lesionary.learn.members import (
    WORDS,
    Kind,
    Leak,
    LeakageError,
    Leaks,
    MemberSet,
    Role,
    Unchecked,
)

N_SHOWN = 20
"""So many leaks are named; all are counted."""


APART = frozenset(
    frozenset(pair)
    for pair in (
        (Role.TRAIN, Role.TEST),
        (Role.TRAIN, Role.HOLDOUT),
        (Role.TEST, Role.HOLDOUT),
        (Role.PRETRAINING, Role.TEST),
        (Role.PRETRAINING, Role.HOLDOUT),
    )
)
"""Roles that must share nothing. What pretrained a model may train it again; and test and holdout
are apart, for a model chosen by its test set has learned from it."""


def must_be_apart(first: MemberSet, second: MemberSet) -> bool:
    """Tell whether two sets must share nothing."""
    if first.fold is not None and second.fold is not None:
        return first.fold != second.fold
    return frozenset((first.role, second.role)) in APART


def find_leaks(
    sets: Mapping[str, MemberSet],
    *,
    n_shown: int = N_SHOWN,
    apart: Callable[[MemberSet, MemberSet], bool] = must_be_apart,
) -> Leaks:
    """Compare every pair of sets that must share nothing, in time linear in their members.

    Parameters
    ----------
    sets : mapping of str to MemberSet
        By the name they are shown with. A member that has a value several times counts once.
    n_shown : int
        How many leaks to name; all are counted.
    apart : callable
        Which sets must share nothing.

    Returns
    -------
    Leaks
        Without members there are none. The same for every order of sets and members.
    """
    opposed = [
        (first, second)
        for first, second in combinations(sorted(sets), 2)
        if apart(sets[first], sets[second])
    ]
    counts: Counter[Kind] = Counter()
    shown: list[list[Leak]] = []
    for kind in Kind:
        shared = _shared(sets, opposed, kind)
        counts[kind] = sum(_n_pairs(holders, opposed) for holders in shared)
        shown.append(list(islice(_leaks(kind, shared, opposed), n_shown)))
    return Leaks(
        shown=_fairly(shown, n_shown),
        n_pairs=counts.total(),
        by_kind={kind: n for kind, n in counts.items() if n},
        unchecked=tuple(_unchecked(sets, opposed)),
    )


def require_no_leak(sets: Mapping[str, MemberSet]) -> Leaks:
    """Return what the guard found where it is no leak.

    Raises
    ------
    LeakageError
        Code ``leakage``, which names the pairs.
    """
    leaks = find_leaks(sets)
    if leaks.n_pairs:
        raise LeakageError(leaks)
    return leaks


Holders = Mapping[str, Sequence[str]]
"""Who has one value: sorted members by set."""


def _shared(
    sets: Mapping[str, MemberSet], opposed: Iterable[tuple[str, str]], kind: Kind
) -> list[Holders]:
    """Return who holds what two opposed sets both hold; values with the same holders once.

    The first pass keeps one number a value, the second the members of the few that are shared.
    """
    names = sorted({name for pair in opposed for name in pair if kind in sets[name].values})
    bit_of = {name: 1 << n for n, name in enumerate(names)}
    clashes = [bit_of[a] | bit_of[b] for a, b in opposed if a in bit_of and b in bit_of]
    seen: dict[str, int] = {}
    for name, bit in bit_of.items():
        for value, _ in sets[name].values[kind]():
            seen[value] = seen.get(value, 0) | bit
    is_clash = {
        found: any(found & clash == clash for clash in clashes) for found in set(seen.values())
    }
    holders: dict[str, dict[str, set[str]]] = {
        value: {} for value, found in seen.items() if is_clash[found]
    }
    del seen
    if not holders:
        return []
    for name in names:
        for value, member in sets[name].values[kind]():
            if value in holders:
                holders[value].setdefault(name, set()).add(member)
    distinct = {
        tuple((name, tuple(sorted(held[name]))) for name in sorted(held))
        for held in holders.values()
    }
    return [dict(held) for held in sorted(distinct)]


def _clashing(holders: Holders, opposed: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((a, b) for a, b in opposed if a in holders and b in holders)


def _n_pairs(holders: Holders, opposed: Iterable[tuple[str, str]]) -> int:
    return sum(len(holders[a]) * len(holders[b]) for a, b in _clashing(holders, opposed))


def _leaks(
    kind: Kind, shared: Iterable[Holders], opposed: Sequence[tuple[str, str]]
) -> Iterator[Leak]:
    for holders in shared:
        for a, b in _clashing(holders, opposed):
            for first, second in product(holders[a], holders[b]):
                yield Leak(kind, a, first, b, second)


def _fairly(groups: Iterable[Sequence[Leak]], n_shown: int) -> tuple[Leak, ...]:
    """Take from each kind in turn, so that many leaks of one do not hide those of another."""
    in_turn = (leak for row in zip_longest(*groups) for leak in row if leak is not None)
    order = list(Kind)
    return tuple(sorted(islice(in_turn, n_shown), key=lambda leak: order.index(leak.kind)))


def _unchecked(
    sets: Mapping[str, MemberSet], opposed: Sequence[tuple[str, str]]
) -> Iterator[Unchecked]:
    """Yield where a leak could hide: only of sets that must be apart from another."""
    for name in sorted({name for pair in opposed for name in pair}):
        for kind in Kind:
            if kind in sets[name].unknown:
                n_members, reason = sets[name].unknown[kind]
                yield Unchecked(name, kind, n_members, reason)
            elif kind not in sets[name].values:
                yield Unchecked(name, kind, None, f"this set does not tell {WORDS[kind]}")
