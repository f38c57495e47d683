"""A data set's scores: honest means beside the published ones, every denominator shown (X3).

Each row is one group, reference, label and metric. ``group`` None stands for all groups together,
where there is more than one. The honest mean takes in every case in which the value is defined: a
missed tumour counts with a Dice of 0. The published mean lacks what the authors drop.

``n_self_compared`` counts rows whose label has the same voxels on both sides, as one that no reader
touched; ``n_cases_self_compared`` counts cases of which that is true altogether.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.core.statistics import bootstrap_interval, spread_of
from lesionary.evaluate.as_published import means_differ
from lesionary.evaluate.entries import Cases, Entry, LabelKey, entries
from lesionary.evaluate.lesions import Row
from lesionary.evaluate.means import METRICS, Document
from lesionary.evaluate.pooled import pooled_detection, pooled_sizes

PUBLISHED = {
    "dsc": "dsc",
    "nsd": "nsd",
    "hd95_mm": "hd95_mm",
    "hd95_prediction_to_reference_mm": "hd95_directed_mm",
    "mean_surface_distance_mm": "mean_surface_distance_mm",
}
"""Which published number stands beside which metric."""

NO_VALUE = "defined in no case"
ONE_VALUE = "one value does not vary"
ALL_SELF_COMPARED = "every case is compared with itself"
NOT_PUBLISHED = "the authors print no such number"
ALL_DROPPED = "every case is dropped"


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """How confidence intervals are drawn.

    Parameters
    ----------
    level : float
        Of the intervals.
    n_resamples, seed : int
        Of the bootstrap, which draws subjects, each with all its cases.
    """

    level: float = 0.95
    n_resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A data set's tables.

    Parameters
    ----------
    scores : tuple of dict
        By group, reference, label and metric.
    detection : tuple of dict
        Counts pooled over cases, by group, reference and label; label None: all together.
    sizes : tuple of dict
        The same by size of the lesion.
    """

    scores: tuple[Row, ...]
    detection: tuple[Row, ...]
    sizes: tuple[Row, ...]

    def to_json(self) -> Row:
        """Return the three tables."""
        return {
            "scores": list(self.scores),
            "detection": list(self.detection),
            "by_size": list(self.sizes),
        }


def summarise(cases: Cases, options: SummaryOptions | None = None) -> Summary:
    """Put the evaluations of many cases together.

    Parameters
    ----------
    cases : iterable of (CaseKey, Document)
        ``to_json()`` of each case's evaluation, against one reference or several.
    options : SummaryOptions, optional
        Of the confidence intervals.

    Returns
    -------
    Summary
        Without rows where there are no cases.
    """
    options = options or SummaryOptions()
    scores: list[Row] = []
    detection: list[Row] = []
    sizes: list[Row] = []
    for place, held in _grouped(entries(cases)).items():
        name = dict(zip(("group", "reference"), place, strict=True))
        for label in _labels(held):
            values = _Values.of(held, label)
            scores += [name | values.row(metric, options) for metric in METRICS]
        detection += [name | row for row in pooled_detection(held)]
        sizes += [name | row for row in pooled_sizes(held)]
    return Summary(tuple(scores), tuple(detection), tuple(sizes))


def _grouped(found: Sequence[Entry]) -> dict[tuple[str | None, str], list[Entry]]:
    """Group entries by group and reference, in order of appearance; all groups together last."""
    names = list(dict.fromkeys(entry.key.group for entry in found))
    references = list(dict.fromkeys(entry.reference for entry in found))
    groups: list[str | None] = [*names, None] if len(names) > 1 else [*names]
    grouped = {
        (group, reference): [
            entry
            for entry in found
            if entry.reference == reference and group in {None, entry.key.group}
        ]
        for group in groups
        for reference in references
    }
    return {place: held for place, held in grouped.items() if held}


def _labels(held: Sequence[Entry]) -> list[LabelKey]:
    """List the labels that occur: values as numbers, texts by letter, composites last."""
    found = {key for entry in held for key, _, _ in entry.rows()}
    return sorted(found, key=lambda key: (key[0], not key[1].isdecimal(), key[1].zfill(5), key[1]))


@dataclass(frozen=True, slots=True)
class _Values:
    """All rows of one label."""

    label: LabelKey
    subjects: tuple[str, ...]
    rows: tuple[Document, ...]
    published: tuple[Document | None, ...]
    n_cases: int
    n_cases_self_compared: int
    n_absent: int

    @classmethod
    def of(cls, held: Sequence[Entry], label: LabelKey) -> "_Values":
        subjects: list[str] = []
        rows: list[Document] = []
        published: list[Document | None] = []
        n_absent = 0
        for entry in held:
            found = [(row, shown) for key, row, shown in entry.rows() if key == label]
            n_absent += not found
            subjects += [entry.key.subject] * len(found)
            rows += [row for row, _ in found]
            published += [shown for _, shown in found]
        return cls(
            label=label,
            subjects=tuple(subjects),
            rows=tuple(rows),
            published=tuple(published),
            n_cases=len(held),
            n_cases_self_compared=sum(bool(one.document.get("self_compared")) for one in held),
            n_absent=n_absent,
        )

    def row(self, metric: str, options: SummaryOptions) -> Row:
        """Return the honest mean, what it rests on, and the published mean."""
        is_composite, label = self.label
        values = np.array([_number(row[metric]) for row in self.rows])
        is_defined = np.isfinite(values)
        is_self = np.array([bool(row.get("self_compared")) for row in self.rows], dtype=np.bool_)
        owners = [self.subjects[place] for place in np.flatnonzero(is_defined)]
        interval = bootstrap_interval(
            values[is_defined],
            subjects=owners,
            level=options.level,
            n_resamples=options.n_resamples,
            seed=options.seed,
        )
        row: Row = {
            "label": label,
            "composite": is_composite,
            "metric": metric,
            **_spread("", values),
            "n_subjects": len(set(owners)),
            "ci_low": interval.low,
            "ci_high": interval.high,
            "ci_level": interval.level,
            "n_cases": self.n_cases,
            "n_undefined": int(np.count_nonzero(~is_defined)) + self.n_absent,
            "n_absent": self.n_absent + self._count_empty(),
            "n_missed": self._count("missed"),
            "n_spurious": self._count("spurious"),
            "n_self_compared": self._count("self_compared"),
            "n_cases_self_compared": self.n_cases_self_compared,
            **_spread("_without_self_compared", values[~is_self]),
            **self._published(metric),
        }
        row["differs"] = "; ".join(self._differs(metric))
        reason = _reasons(row, interval.reason, metric in PUBLISHED)
        return row | {"reason": reason} if reason else row

    def _count(self, flag: str) -> int:
        return sum(bool(row.get(flag)) for row in self.rows)

    def _count_empty(self) -> int:
        """Count the rows of a label or composite that neither mask has."""
        return sum(row["dsc"] is None for row in self.rows)

    def _differs(self, metric: str) -> list[str]:
        shown = [row for row in self.published if row is not None]
        if metric not in PUBLISHED or not shown:
            return []
        n_dropped = sum(bool(row["dropped"]) for row in shown)
        return means_differ(metric, len(shown), self._count("self_compared"), n_dropped)

    def _published(self, metric: str) -> Row:
        """Return the published mean; where all cases are compared with themselves, NSD is 0.00.

        So stands it in the table of the prostate; elsewhere identical masks count 1.
        """
        name = PUBLISHED.get(metric)
        shown = [row for row in self.published if row is not None and name is not None]
        kept = [row for row in shown if not row["dropped"]]
        values = [_number(row[str(name)]) for row in kept]
        if metric == "nsd" and not all(row["dsc"] == 1.0 for row in kept):
            values = [
                1.0 if row["dsc"] == 1.0 else value for row, value in zip(kept, values, strict=True)
            ]
        spread = _spread("", np.array(values))
        return {f"as_published_{field}": value for field, value in spread.items()} | {
            "as_published_n_dropped": len(shown) - len(kept)
        }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _spread(suffix: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> Row:
    """Return n, mean, standard deviation (n - 1) and median of the finite values."""
    found = spread_of(values)
    return {
        f"n{suffix}": found.n if found else 0,
        f"mean{suffix}": found.mean if found else None,
        f"sd{suffix}": found.sd if found else None,
        f"median{suffix}": found.median if found else None,
    }


def _reasons(row: Row, no_interval: str, is_published: bool) -> dict[str, str]:
    """Say why each null of a score's row is one."""
    empty = {
        "": NO_VALUE,
        "_without_self_compared": ALL_SELF_COMPARED if row["n"] else NO_VALUE,
        "as_published_": ALL_DROPPED if is_published else NOT_PUBLISHED,
    }
    reason = {}
    for name in (name for name, value in row.items() if value is None):
        if name.startswith("ci_"):
            reason[name] = no_interval
            continue
        part = next(
            part for part in ("_without_self_compared", "as_published_", "") if part in name
        )
        n = row[f"{part}n" if part.endswith("_") else f"n{part}"]
        reason[name] = ONE_VALUE if n == 1 else empty[part]
    return reason
