"""Is one better than the other? Two predictions, or one against two references, case by case.

Cases of one patient are not independent: the test by case takes them as if they were, as most
papers do, and the one by subject, on each subject's mean difference, is the one to trust. A patient
is the same only within one group: one name in two groups is two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError
from lesionary.core.statistics import SignedRank, wilcoxon_signed_rank
from lesionary.core.volume import BoolArray, FloatArray
from lesionary.evaluate.entries import Cases, LabelKey, entries
from lesionary.evaluate.lesions import Row
from lesionary.evaluate.means import METRICS

NO_PAIRS = "no case has the value on both sides"
_WITHOUT = (
    "n_pairs",
    "n_subjects",
    "mean_first",
    "mean_second",
    "mean_difference",
    "p_by_case",
    "p_by_subject",
)

Place = tuple[CaseKey, LabelKey, str]
"""A case, one of its labels, and a metric."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Values of one metric of one label, where both sides have one."""

    subjects: list[tuple[str, str]]
    first: FloatArray
    second: FloatArray
    is_self: BoolArray
    n_left_out: int

    def without_self(self) -> "_Pairs":
        """Return the pairs in which neither side is the reference itself."""
        kept = ~self.is_self
        subjects = [one for one, is_kept in zip(self.subjects, kept, strict=True) if is_kept]
        return _Pairs(
            subjects, self.first[kept], self.second[kept], self.is_self[kept], self.n_left_out
        )


def compare(
    first: Cases,
    second: Cases,
    *,
    names: tuple[str, str] = ("first", "second"),
    metrics: Sequence[str] = METRICS,
) -> tuple[Row, ...]:
    """Compare two evaluations of the same cases by Wilcoxon's signed-rank test.

    Parameters
    ----------
    first, second : iterable of (CaseKey, Document)
        Against one reference each: two predictions, or with
        :func:`~lesionary.evaluate.entries.against` one prediction against two readers.
    names : tuple of str
        What the two are called in the rows.
    metrics : sequence of str
        Fields of a label's row.

    Returns
    -------
    tuple of dict
        One a group, label and metric; group None: all together, where there are several.
        Differences are first minus second. ``n_left_out`` counts cases that have the label on
        either side and lack the value on one. ``n_self_compared`` counts pairs in which either
        side's label is the reference itself: a model whose mask became the reference wins them by
        definition, so the means and p values without them stand beside, as
        ``…_without_self_compared``.

    Raises
    ------
    InputError
        If a case stands twice on one side, or is scored against several references.
    """
    one, own_one = _by_place(first, metrics)
    other, own_other = _by_place(second, metrics)
    own = own_one | own_other
    labels = sorted({label for _, label, _ in (*one, *other)})
    groups = sorted({place[0].group for place in (*one, *other)})
    listed: list[str | None] = [*groups, None] if len(groups) > 1 else [*groups]
    rows = []
    for group in listed:
        for label, metric in product(labels, metrics):
            pairs = _pairs(one, other, own, (group, label, metric))
            name: Row = {"group": group, "label": label[1], "composite": label[0]}
            rows.append(
                name | {"metric": metric, "first": names[0], "second": names[1]} | _tested(pairs)
            )
    return tuple(rows)


def _by_place(
    cases: Cases, metrics: Sequence[str]
) -> tuple[dict[Place, float], set[tuple[CaseKey, LabelKey]]]:
    """Return every value, and which labels of which cases are the reference itself.

    A null is NaN. Rows of one label in one case are averaged.
    """
    gathered: dict[Place, list[float]] = {}
    own: set[tuple[CaseKey, LabelKey]] = set()
    seen: set[CaseKey] = set()
    for entry in entries(cases):
        if entry.key in seen:
            raise InputError(
                "a comparison needs each case once, against one reference",
                hint="choose a reference of several with `against`",
            )
        seen.add(entry.key)
        for label, row, _ in entry.rows():
            if row.get("self_compared") or row.get("n_self_compared"):
                own.add((entry.key, label))
            for metric in metrics:
                value = row[metric]
                number = np.nan if value is None else float(value)
                gathered.setdefault((entry.key, label, metric), []).append(number)
    return {place: float(np.mean(values)) for place, values in gathered.items()}, own


def _pairs(
    one: dict[Place, float],
    other: dict[Place, float],
    own: set[tuple[CaseKey, LabelKey]],
    of: tuple[str | None, LabelKey, str],
) -> _Pairs:
    group, label, metric = of
    keys = sorted(
        {
            place[0]
            for place in (*one, *other)
            if place[1:] == (label, metric) and group in {None, place[0].group}
        }
    )
    values = np.array(
        [[side.get((key, label, metric), np.nan) for side in (one, other)] for key in keys]
    ).reshape(-1, 2)
    is_pair = np.isfinite(values).all(axis=1)
    is_self = np.array([(key, label) in own for key in keys], dtype=np.bool_)
    return _Pairs(
        subjects=[
            (key.group, key.subject) for key, is_kept in zip(keys, is_pair, strict=True) if is_kept
        ],
        first=values[is_pair, 0],
        second=values[is_pair, 1],
        is_self=is_self[is_pair],
        n_left_out=int(np.count_nonzero(~is_pair)),
    )


def _tested(pairs: _Pairs) -> Row:
    row = _tests(pairs)
    without = _tests(pairs.without_self())
    reason = _texts(row.pop("reason", {})) | {
        f"{name}_without_self_compared": text
        for name, text in _texts(without.get("reason", {})).items()
        if name in _WITHOUT
    }
    row["n_self_compared"] = int(np.count_nonzero(pairs.is_self))
    row |= {f"{name}_without_self_compared": without[name] for name in _WITHOUT}
    return row | {"reason": reason} if reason else row


def _tests(pairs: _Pairs) -> Row:
    n = len(pairs.first)
    row: Row = {
        "n_pairs": n,
        "n_subjects": len(set(pairs.subjects)),
        "n_left_out": pairs.n_left_out,
        "mean_first": float(pairs.first.mean()) if n else None,
        "mean_second": float(pairs.second.mean()) if n else None,
        "mean_difference": float((pairs.first - pairs.second).mean()) if n else None,
    }
    reason = {} if n else {name: NO_PAIRS for name, value in row.items() if value is None}
    by_case = wilcoxon_signed_rank(pairs.first, pairs.second)
    by_subject = wilcoxon_signed_rank(pairs.first, pairs.second, subjects=pairs.subjects)
    for suffix, result in (("by_case", by_case), ("by_subject", by_subject)):
        row |= _fields(result, suffix)
        empty = [name for name, value in _fields(result, suffix).items() if value is None]
        reason |= dict.fromkeys(empty, result.reason)
    return row | {"reason": reason} if reason else row


def _fields(result: SignedRank, suffix: str) -> Row:
    return {
        f"n_{suffix}": result.n,
        f"n_zero_{suffix}": result.n_zero,
        f"median_difference_{suffix}": result.median_difference,
        f"statistic_{suffix}": result.statistic,
        f"p_{suffix}": result.p,
        f"effect_{suffix}": result.effect,
    }


def _texts(reason: object) -> dict[str, str]:
    return dict(reason) if isinstance(reason, dict) else {}
