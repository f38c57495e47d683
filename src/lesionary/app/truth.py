"""Hold a study of phantoms against what the phantoms hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lesionary.app.comparisons import Comparisons, comparison_parts
from lesionary.app.curation_flow import flow_chart
from lesionary.app.results import SeriesResult, series_results
from lesionary.app.study import Study
from lesionary.core.terms import LESION
from lesionary.core.volume import LabelMap
from lesionary.io.durable import write_bytes

MISSED = "no measured lesion overlaps it"


@dataclass(frozen=True, slots=True)
class TruthFolder:
    """True label maps as NIfTI files, one a series, by the name of the series' folder."""

    root: Path

    def label_map(self, name: str) -> LabelMap | None:
        """Return the truth of a series, or None where there is none."""
        from lesionary.ingest.sidecars import parse_label_texts
        from lesionary.io.image_file import read_image_file

        path = self.root / f"{name}.nii.gz"
        if not path.is_file():
            return None
        label_map, _ = read_image_file(path).as_label_map()
        texts = path.with_name(f"{name}.json")
        labels = parse_label_texts(texts.read_text("utf-8")) if texts.is_file() else {}
        return LabelMap(label_map.array, label_map.geometry, labels)


@dataclass(frozen=True, slots=True)
class TruthComparison:
    """One true tumour against the measured lesion that shares most voxels with it."""

    series: str
    label: str
    lesion: int | None
    dice: float | None
    volume_ml: float | None
    true_volume_ml: float

    def document(self) -> dict[str, Any]:
        """Return one JSON object."""
        names = ("series", "label", "lesion", "dice", "volume_ml", "true_volume_ml")
        row: dict[str, Any] = {name: getattr(self, name) for name in names}
        missing = [name for name in names if row[name] is None]
        return row | {"reason": dict.fromkeys(missing, MISSED)} if missing else row


def compare_with_truth(
    study: Study, truth: TruthFolder, folders: Mapping[str, str]
) -> list[TruthComparison]:
    """Compare every series that has a truth, but for masks that came along: those are the truth.

    Parameters
    ----------
    study : Study
        Measured.
    truth : TruthFolder
        What the phantoms hold.
    folders : mapping of str to str
        Name of the folder that each source token lay in.
    """
    rows: list[TruthComparison] = []
    for result in series_results(study):
        true_map = truth.label_map(folders.get(str(result.row["source"]), ""))
        if true_map is not None and result.row["modality"] == "CT":
            rows += _compare(study, result, true_map)
    return rows


def _compare(study: Study, result: SeriesResult, true_map: LabelMap) -> list[TruthComparison]:
    from lesionary.ingest.file_gate import label_map_on

    measured = study.objects.get_label_map(result.measured["mask"])
    true_map, _ = label_map_on(true_map, measured.geometry)
    given = {row["lesion"] for row in result.lesions if row["segmenter"] is None}
    compared = (
        _compare_one(result.id, true_map, int(value), measured)
        for value in np.unique(true_map.array)
        if value
    )
    return [row for row in compared if row.lesion not in given]


def _compare_one(
    series: str, true_map: LabelMap, value: int, measured: LabelMap
) -> TruthComparison:
    is_true = true_map.array == value
    voxel_ml = true_map.geometry.voxel_volume_mm3 / 1000
    n_true = int(np.count_nonzero(is_true))
    label = true_map.labels.get(value, LESION)
    shared = np.bincount(measured.array[is_true], minlength=1)
    shared[0] = 0
    lesion = int(np.argmax(shared))
    if not shared[lesion]:
        return TruthComparison(series, label, None, None, None, n_true * voxel_ml)
    n_measured = int(np.count_nonzero(measured.array == lesion))
    dice = 2 * int(shared[lesion]) / (n_true + n_measured)
    return TruthComparison(series, label, lesion, dice, n_measured * voxel_ml, n_true * voxel_ml)


def write_truth_report(study: Study, rows: Sequence[TruthComparison], path: Path) -> None:
    """Write the study's report with its truth beside it; the release stays as it is."""
    from lesionary.app.pictures import pictures
    from lesionary.app.report_data import report_data
    from lesionary.publish.report import render_report
    from lesionary.publish.report.data import TruthRow

    results = series_results(study)
    truth = tuple(
        TruthRow(
            series=row.series,
            lesion=row.lesion,
            label=row.label,
            dice=row.dice,
            volume_ml=row.volume_ml,
            true_volume_ml=row.true_volume_ml,
            reason={} if row.lesion is not None else {"dice": MISSED, "volume_ml": MISSED},
        )
        for row in rows
    )
    parts = comparison_parts(Comparisons.of(study))
    data = report_data(study, results, list(pictures(study, results)), parts, truth=truth)
    if data.flow is not None:
        data = replace(data, flow_chart=flow_chart(data.flow, data.title))
    write_bytes(path, render_report(data).encode())
