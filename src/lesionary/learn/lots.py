"""Lots: who is drawn into a part, and into which fold, by the hash of seed and key."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapify, heapreplace


class Part(StrEnum):
    """What a subject is for."""

    TRAIN = "train"
    TEST = "test"
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject to assign.

    Parameters
    ----------
    name : str
        How errors call it.
    key : str
        What lots are drawn by: the same in every study order, told apart from all others.
    stratum : str
        Parts and folds take from every stratum by its size.
    given : frozenset of Part
        Where an imported layout puts its images; empty where nobody said.
    """

    name: str
    key: str
    stratum: str = ""
    given: frozenset[Part] = field(default_factory=frozenset)


def draw(
    part: Part,
    n_asked: int,
    everyone: Sequence[Candidate],
    undecided: Sequence[Candidate],
    parts: Mapping[str, Part],
    seed: int,
) -> list[str]:
    """Return the subjects that fill a part up: from the stratum that lacks most, lot by lot.

    Fewer come back than the part lacks where too few are undecided, none where it lacks none.
    """
    n = len(everyone)
    n_lacking = n_asked - sum(found is part for found in parts.values())
    sizes = Counter(one.stratum for one in everyone)
    held = Counter(one.stratum for one in everyone if parts.get(one.name) is part)
    waiting = _lots(undecided, part, seed)
    # A stratum lacks n_asked × size / n - held subjects; here n times that, negated, in integers.
    heap = [
        (n * held[stratum] - n_asked * sizes[stratum], _lot(part, seed, stratum), stratum)
        for stratum in waiting
    ]
    heapify(heap)
    drawn: list[str] = []
    while len(drawn) < min(n_lacking, len(undecided)):
        surplus, lot, stratum = heap[0]
        if waiting[stratum]:
            drawn.append(waiting[stratum].pop().name)
            heapreplace(heap, (surplus + n, lot, stratum))
        else:
            heapreplace(heap, (n * (n + 1), lot, stratum))  # nobody left: behind all others
    return drawn


def fold_up(
    training: Sequence[Candidate], before: Mapping[str, int], n_folds: int, seed: int
) -> dict[str, int]:
    """Return folds as before, new subjects in the one with fewest of their stratum, then fewest."""
    if not n_folds:
        return {}
    folds = {one.name: before[one.name] for one in training if one.name in before}
    new = [one for one in training if one.name not in before]
    totals = Counter(folds.values())
    stratum_of = {one.name: one.stratum for one in training}
    held: dict[str, Counter[int]] = defaultdict(Counter)
    for name, fold in folds.items():
        held[stratum_of[name]][fold] += 1
    for stratum, waiting in _lots(new, "fold", seed).items():
        counts = held[stratum]
        for one in reversed(waiting):
            fold = _emptiest(n_folds, counts, totals)
            folds[one.name] = fold
            counts[fold] += 1
            totals[fold] += 1
    return folds


def _emptiest(n_folds: int, counts: Counter[int], totals: Counter[int]) -> int:
    return min(range(n_folds), key=lambda fold: (counts[fold], totals[fold], fold))


def _lots(candidates: Iterable[Candidate], purpose: str, seed: int) -> dict[str, list[Candidate]]:
    """Return the candidates of each stratum in the order of their lots, last first; sorted."""
    strata: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        strata[one.stratum].append(one)
    for waiting in strata.values():
        waiting.sort(key=lambda one: _lot(purpose, seed, one.key), reverse=True)
    return dict(sorted(strata.items()))


def _lot(purpose: str, seed: int, key: str) -> bytes:
    text = "\x1f".join((purpose, str(seed), key)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()
