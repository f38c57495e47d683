"""Tumour burden over time: the sum of all volumes of a subject at a time point."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.publish.report.data import LesionRow, SeriesRow


@dataclass(frozen=True, slots=True)
class BurdenPoint:
    """One subject at one time point in one modality.

    Parameters
    ----------
    subject, timepoint, modality
        Whose, when, on what.
    volume_ml : float
        Sum over all lesions of all annotated series; 0 where a mask is empty.
    n_lesions : int
        How many lesions are in the sum.
    is_complete : bool
        Whether every series has a mask and every lesion a volume.
    """

    subject: str
    timepoint: int
    modality: str
    volume_ml: float
    n_lesions: int
    is_complete: bool


def burden_of(
    series: Sequence[SeriesRow], lesions: Sequence[LesionRow]
) -> dict[str, tuple[BurdenPoint, ...]]:
    """Sum volumes per modality, subject and time point.

    Modalities stay apart: PET and CT of one visit show the same tumours twice. A modality is left
    out unless some subject has two time points with masks.

    Returns
    -------
    dict
        Modality to points, sorted by subject and time point.
    """
    by_series: dict[str, list[LesionRow]] = defaultdict(list)
    for row in lesions:
        by_series[row.series].append(row)
    visits: dict[tuple[str, str, int], list[SeriesRow]] = defaultdict(list)
    for scan in series:
        visits[scan.modality, scan.subject, scan.timepoint].append(scan)

    points: dict[str, list[BurdenPoint]] = defaultdict(list)
    for (modality, subject, timepoint), scans in sorted(visits.items()):
        if not any(scan.is_annotated for scan in scans):
            continue
        found = [row for scan in scans for row in by_series[scan.id]]
        volumes_ml = [row.volume_ml for row in found if row.volume_ml is not None]
        is_complete = all(s.is_annotated for s in scans) and len(volumes_ml) == len(found)
        points[modality].append(
            BurdenPoint(subject, timepoint, modality, sum(volumes_ml), len(found), is_complete)
        )
    return {modality: tuple(p) for modality, p in points.items() if _is_followed(p)}


def _is_followed(points: Sequence[BurdenPoint]) -> bool:
    subjects = [point.subject for point in points]
    return len(subjects) > len(set(subjects))
