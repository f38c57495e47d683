"""A data set's scores: honest means beside the published ones, every denominator shown (X3).

Each row is one group, reference, label and metric. ``group`` None stands for all groups together,
where there is more than one; a subject is the same only within one group. The honest mean takes in
every case in which the value is defined: a missed tumour counts with a Dice of 0. The published
mean lacks what the authors drop.

``n_self_compared`` counts rows whose label has the same voxels on both sides, as one that no reader
touched; ``n_cases_self_compared`` counts cases of which that is true altogether.

Counts add up, for one reference and a label of which no case has two rows:

- ``n + n_undefined = n_cases``;
- ``n_undefined = n_absent``, of a distance ``n_absent + n_missed + n_spurious``: where neither mask
  has the label nothing is compared, and where one lacks it there is no distance;
- ``as_published_n_dropped = n_missed + n_spurious`` of what the authors print, so that
  ``n = as_published_n + as_published_n_dropped`` of DSC and NSD, and of a distance
  ``n = as_published_n``.

Rows of the reference ``mean``, over several references, count a case as missed, made up or compared
with itself where it is so against at least one of them; ``n_missed_references`` and so on add up
the references themselves, of ``n_references`` in all cases. Of these rows nothing is published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.core.statistics import Resampling, mean_interval, spread_of
from lesionary.evaluate.as_published import means_differ
from lesionary.evaluate.entries import MEAN, Cases, Entry, LabelKey, entries
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

BOUNDS = {"dsc": (0.0, 1.0), "nsd": (0.0, 1.0), "volume_difference_ml": (-np.inf, np.inf)}
"""The least and the largest value of a metric; of all others, distances, none is below 0."""

STANDINGS = ("missed", "spurious", "self_compared")
"""What is counted of each label's rows."""

NO_VALUE = "defined in no case"
ONE_VALUE = "one value does not vary"
ALL_SELF_COMPARED = "every case is compared with itself"
NOT_PUBLISHED = "the authors print no such number"
ALL_DROPPED = "every case is dropped"


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


def summarise(cases: Cases, resampling: Resampling | None = None) -> Summary:
    """Put the evaluations of many cases together.

    Parameters
    ----------
    cases : iterable of (CaseKey, Document)
        ``to_json()`` of each case's evaluation, against one reference or several.
    resampling : Resampling, optional
        Of the confidence intervals: see :func:`~lesionary.core.statistics.mean_interval`.

    Returns
    -------
    Summary
        Without rows where there are no cases.
    """
    resampling = resampling or Resampling()
    scores: list[Row] = []
    detection: list[Row] = []
    sizes: list[Row] = []
    for place, held in _grouped(entries(cases)).items():
        name = dict(zip(("group", "reference"), place, strict=True))
        for label in _labels(held):
            values = _Values.of(held, label)
            scores += [name | values.row(metric, resampling) for metric in METRICS]
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
    subjects: tuple[tuple[str, str], ...]
    rows: tuple[Document, ...]
    published: tuple[Document | None, ...]
    n_cases: int
    n_cases_self_compared: int
    n_unlisted: int
    is_mean: bool

    @classmethod
    def of(cls, held: Sequence[Entry], label: LabelKey) -> "_Values":
        subjects: list[tuple[str, str]] = []
        rows: list[Document] = []
        published: list[Document | None] = []
        n_unlisted = 0
        for entry in held:
            found = [(row, shown) for key, row, shown in entry.rows() if key == label]
            n_unlisted += not found
            subjects += [(entry.key.group, entry.key.subject)] * len(found)
            rows += [row for row, _ in found]
            published += [shown for _, shown in found]
        return cls(
            label=label,
            subjects=tuple(subjects),
            rows=tuple(rows),
            published=tuple(published),
            n_cases=len(held),
            n_cases_self_compared=sum(_stands(one.document, "self_compared") for one in held),
            n_unlisted=n_unlisted,
            is_mean=any(one.reference == MEAN for one in held),
        )

    def row(self, metric: str, resampling: Resampling) -> Row:
        """Return the honest mean, what it rests on, and the published mean."""
        is_composite, label = self.label
        values = np.array([_number(row[metric] if _is_there(row) else None) for row in self.rows])
        is_defined = np.isfinite(values)
        is_self = np.array([_stands(row, "self_compared") for row in self.rows], dtype=np.bool_)
        interval = mean_interval(
            values,
            subjects=self.subjects,
            resampling=resampling,
            bounds=BOUNDS.get(metric, (0.0, np.inf)),
        )
        row: Row = {
            "label": label,
            "composite": is_composite,
            "metric": metric,
            **_spread("", values),
            "n_subjects": interval.n_subjects,
            "ci_low": interval.low,
            "ci_high": interval.high,
            "ci_level": interval.level,
            "ci_method": interval.method,
            "n_cases": self.n_cases,
            "n_undefined": int(np.count_nonzero(~is_defined)) + self.n_unlisted,
            "n_absent": self.n_unlisted + sum(not _is_there(row) for row in self.rows),
            **{f"n_{flag}": self._count(flag) for flag in STANDINGS},
            "n_cases_self_compared": self.n_cases_self_compared,
            **_spread("_without_self_compared", values[~is_self]),
            **self._published(metric),
            **(self._of_references() if self.is_mean else {}),
        }
        row["differs"] = "; ".join(self._differs(metric))
        reason = _reasons(row, interval.reason)
        return row | {"reason": reason} if reason else row

    def _count(self, flag: str) -> int:
        return sum(_stands(row, flag) for row in self.rows)

    def _of_references(self) -> Row:
        """Count the references that the means rest on, by how the label stands to them."""
        counts: Row = {
            f"n_{flag}_references": sum(int(row[f"n_{flag}"]) for row in self.rows)
            for flag in STANDINGS
        }
        return {"n_references": sum(int(row["n_references"]) for row in self.rows)} | counts

    def _shown(self) -> list[Document]:
        """Return what the authors would print, or drop, of the rows that either mask has."""
        rows = zip(self.rows, self.published, strict=True)
        return [shown for row, shown in rows if shown is not None and _is_there(row)]

    def _differs(self, metric: str) -> list[str]:
        shown = self._shown()
        if metric not in PUBLISHED or not shown:
            return []
        n_dropped = sum(bool(row["dropped"]) for row in shown)
        return means_differ(metric, len(shown), self._count("self_compared"), n_dropped)

    def _published(self, metric: str) -> Row:
        """Return the published mean, in which identical masks have an NSD of 0."""
        name = PUBLISHED.get(metric)
        shown = self._shown() if name is not None else []
        kept = [row for row in shown if not row["dropped"]]
        spread = _spread("", np.array([_number(row[str(name)]) for row in kept]))
        return {f"as_published_{field}": value for field, value in spread.items()} | {
            "as_published_n_dropped": len(shown) - len(kept)
        }


def _is_there(row: Document) -> bool:
    """Tell whether either mask has the label or composite."""
    return row["dsc"] is not None


def _stands(row: Document, flag: str) -> bool:
    """Tell how a row stands to its reference, or a mean to one of its references."""
    return bool(row.get(flag) or row.get(f"n_{flag}"))


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


def _reasons(row: Row, no_interval: str) -> dict[str, str]:
    """Say why each null of a score's row is one."""
    empty = {
        "": NO_VALUE,
        "_without_self_compared": ALL_SELF_COMPARED if row["n"] else NO_VALUE,
        "as_published_": ALL_DROPPED if row["as_published_n_dropped"] else NOT_PUBLISHED,
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
