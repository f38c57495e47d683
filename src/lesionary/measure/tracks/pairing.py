"""Who belongs to whom between two time points: one to one, then fragments of a whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.measure.tracks.likeness import (
    Form,
    MatchOptions,
    label_likeness,
    likenesses,
    share_inside,
    size_likeness,
)
from lesionary.measure.tracks.records import Relation
from lesionary.measure.tracks.registration import RegistrationKind

_NEIGHBOUR_MM = 60.0
"""Lesions this far apart still move much alike."""

_ELSEWHERE = 0.3
"""Weight of a neighbour in another organ, which may move otherwise."""

_LEAST_WITNESSES = 3

_FIRST_SLACK = 2.0
"""How much further off a partner may be before the drift is known."""

_POOR, _HELD = 0.6, 0.75
"""A link below the one gives way to a whole that holds more than the other of the fragment."""

_TINY = 1e-9


@dataclass(eq=False)
class Pairing:
    """Who belongs to whom, by position: ``partners[n]`` are those after of the n-th before."""

    scores: FloatArray
    partners: list[list[int]]
    fits: dict[tuple[int, int], float] = field(default_factory=dict)

    def owners(self, m: int) -> list[int]:
        """Return those before that lead to the m-th after."""
        return [n for n, partners in enumerate(self.partners) if m in partners]

    def relation(self, n: int, m: int) -> Relation:
        """Name the link between two."""
        if len(self.partners[n]) > 1:
            return Relation.SPLIT
        return Relation.MERGE if len(self.owners(m)) > 1 else Relation.SAME

    def score(self, n: int, m: int) -> float:
        """Return the likeness of a pair; of a fragment and its whole, what both speak for."""
        return float(np.clip(self.fits.get((n, m), self.scores[n, m]), 0.0, 1.0))


def pair(
    old: Sequence[Form], new: Sequence[Form], kind: RegistrationKind, options: MatchOptions
) -> Pairing:
    """Find partners: one to one first, again once neighbours tell the drift, then fragments."""
    partner = assign(likenesses(old, new, kind, _FIRST_SLACK), options.least_score)
    old = _carried_along(old, new, partner)
    scores = likenesses(old, new, kind)
    partner = assign(scores, options.least_score)
    partners = [[] if m is None else [m] for m in partner]
    pairing = Pairing(scores, partners)
    for is_split in (True, False):
        _Fragments(pairing, old, new, kind, options, is_split).add()
    return pairing


def _carried_along(
    old: Sequence[Form], new: Sequence[Form], partner: Sequence[int | None]
) -> list[Form]:
    """Move each lesion by what its neighbours' partners say registration has left undone.

    Breathing, and a registration that fell back, carry neighbours the same way. A lesion's own
    partner has no say in it, and a single neighbour moves it half the way: a mean over the others,
    weighed by their distance, drawn towards none.
    """
    pairs = [(n, m) for n, m in enumerate(partner) if m is not None]
    if len(pairs) < _LEAST_WITNESSES:
        return list(old)
    places = np.array([old[n].centre_mm for n, _ in pairs])
    drifts = np.array([new[m].centre_mm - old[n].centre_mm for n, m in pairs])
    witness = np.array([n for n, _ in pairs])
    moved = []
    for n, form in enumerate(old):
        apart = np.linalg.norm(places - form.centre_mm, axis=1)
        weights = np.exp(-0.5 * (apart / _NEIGHBOUR_MM) ** 2)
        weights[[old[w].lesion.label != form.lesion.label for w in witness]] *= _ELSEWHERE
        weights[witness == n] = 0.0
        moved.append(form.shifted(weights @ drifts / (weights.sum() + 1.0)))
    return moved


def assign(scores: FloatArray, least_score: float) -> list[int | None]:
    """Give each row at most one column so that the product of scores is largest.

    A row or column left alone counts as the root of ``least_score``, so a pair below it is never
    better than two alone.

    Returns
    -------
    list of int or None
        The column of each row.
    """
    from scipy.optimize import linear_sum_assignment

    n, m = scores.shape
    if n == 0 or m == 0:
        return [None] * n
    alone = -0.5 * np.log(least_score)
    cost = np.zeros((n + m, n + m))
    cost[:n, :m] = -np.log(np.maximum(scores, _TINY))
    cost[:n, m:] = alone
    cost[n:, :m] = alone
    rows, columns = linear_sum_assignment(cost)
    found: list[int | None] = [None] * n
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if row < n and column < m and scores[row, column] >= least_score:
            found[row] = column
    return found


@dataclass(eq=False)
class _Fragments:
    """Hangs lesions onto the whole that they are parts of: after (a split) or before (a merger)."""

    pairing: Pairing
    old: Sequence[Form]
    new: Sequence[Form]
    kind: RegistrationKind
    options: MatchOptions
    is_split: bool

    def add(self) -> None:
        """Add all links of this kind to the pairing, and weigh them."""
        fragments, wholes = (self.new, self.old) if self.is_split else (self.old, self.new)
        found: set[int] = set()
        for f, fragment in enumerate(fragments):
            shares = np.array([share_inside(fragment, whole, self.kind) for whole in wholes])
            best = int(np.argmax(shares)) if len(shares) else -1
            if best < 0 or shares[best] < self.options.least_share or not self._kin(best):
                continue
            bonds = self._bonds(f)
            if best in bonds or not all(self._yields(f, w, shares) for w in bonds):
                continue
            for other in bonds:
                self._cut(f, other)
            self._tie(f, best)
            found.add(best)
        for w in sorted(found):
            self._weigh(w, fragments, wholes[w])

    def _key(self, f: int, w: int) -> tuple[int, int]:
        return (w, f) if self.is_split else (f, w)

    def _bonds(self, f: int) -> list[int]:
        """Return the wholes that a fragment is linked to so far."""
        return self.pairing.owners(f) if self.is_split else list(self.pairing.partners[f])

    def _kin(self, w: int) -> list[int]:
        """Return the fragments that a whole is linked to so far."""
        return list(self.pairing.partners[w]) if self.is_split else self.pairing.owners(w)

    def _yields(self, f: int, w: int, shares: FloatArray) -> bool:
        """Tell whether a poor link elsewhere gives way: far off, where the whole holds it all."""
        n, m = self._key(f, w)
        is_poor = self.pairing.scores[n, m] < _POOR and shares[w] < self.options.least_share
        is_alone = len(self._kin(w)) == 1
        return bool(is_poor and is_alone and shares.max() > _HELD)

    def _cut(self, f: int, w: int) -> None:
        n, m = self._key(f, w)
        self.pairing.partners[n].remove(m)

    def _tie(self, f: int, w: int) -> None:
        n, m = self._key(f, w)
        self.pairing.partners[n].append(m)

    def _weigh(self, w: int, fragments: Sequence[Form], whole: Form) -> None:
        """Score each fragment by its share inside, its label and the sum of all volumes."""
        kin = self._kin(w)
        total = sum(fragments[f].volume_ml for f in kin)
        size = size_likeness(total, whole.volume_ml) ** 0.5
        for f in kin:
            n, m = self._key(f, w)
            share = share_inside(fragments[f], whole, self.kind)
            label = label_likeness(fragments[f].lesion, whole.lesion)
            self.pairing.fits[n, m] = max(share * label * size, float(self.pairing.scores[n, m]))
