"""The tables of a release, and where each image goes in its layout."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lesionary.app.responses import SubjectResponse, tracks_by_lesion, with_tracks
from lesionary.app.results import SeriesResult, left_out_rows
from lesionary.app.splits import published_subsets
from lesionary.app.study import Study
from lesionary.io.protocol_text import without_registry
from lesionary.io.registry import tables
from lesionary.io.release_files import ReleaseWriter
from lesionary.publish.recist_layout import LayoutImage, layout_texts, patient_id_of
from lesionary.publish.tables import csv_text, json_text

LESION_COLUMNS = (
    "series",
    "subject",
    "timepoint",
    "lesion",
    "track",
    "part",
    "label",
    "kind",
    "voxels",
    "volume_ml",
    "mean_intensity",
    "quantity",
    "long_axis_mm",
    "short_axis_mm",
    "diameter_mm",
    "slice_index",
    "segmenter",
    "segmenter_version",
    "reader",
    "method",
    "state",
    "track_state",
    "reason",
)
CLEAN_UP_COLUMNS = (
    "series",
    "step",
    "rule",
    "label",
    "voxels_before",
    "voxels_after",
    "volume_ml_before",
    "volume_ml_after",
    "components_before",
    "components_after",
    "reason",
)
LEFT_OUT_COLUMNS = ("source", "code", "reason", "instances", "hint", "by_rule")


def layout_images(study: Study, series: Sequence[SeriesResult]) -> dict[str, LayoutImage]:
    """Return where the image of each series goes, by the series' name."""
    ids = sorted({one.row["subject_id"] for one in series})
    subjects = {row["id"]: row for row in study.registry.rows(tables.subject, among={"id": ids})}
    subsets = published_subsets(study, study.protocol.publish.split)
    return {
        one.id: _layout_image(
            one,
            subjects[one.row["subject_id"]],
            subsets.get(one.row["subject_id"]) or one.row["subset"] or "train",
        )
        for one in series
    }


def _layout_image(one: SeriesResult, subject: Mapping[str, Any], subset: str) -> LayoutImage:
    import numpy as np

    from lesionary.core.volume import Geometry

    row = one.row
    k, j, i = row["shape"]
    return LayoutImage(
        number=row["number"],
        patient_id=patient_id_of(subject["released_id"] or subject["number"]),
        series_uid=row["series_uid"],
        study_uid=row["study_uid"],
        study_date=row["study_date"],
        region=row["region"],
        subset=subset,
        window=one.prepared["window"],
        geometry=Geometry((k, j, i), np.array(row["affine"]).reshape(4, 4)),
        slice_thickness_mm=row["technical"].get("SliceThickness"),
        labels=tuple((lesion["lesion"], str(lesion["label"])) for lesion in one.lesions),
        sex=subject["sex"],
        age=subject["age"],
    )


def write_tables(
    study: Study,
    series: Sequence[SeriesResult],
    images: Mapping[str, LayoutImage],
    responses: Sequence[SubjectResponse],
    writer: ReleaseWriter,
) -> None:
    """Write the layout's tables, the lesions, what rules removed, and what was left out."""
    for path, text in layout_texts([images[one.id] for one in series]).items():
        writer.add_text(path, text)
    measured = [row for one in series for row in one.lesion_rows()]
    rows = with_tracks(measured, tracks_by_lesion(responses))
    dropped = [{"series": one.id} | crumb for one in series for crumb in one.measured["dropped"]]
    writer.add_text("lesions.json", json_text({"lesions": rows, "dropped": dropped}))
    flat = [row | {"reason": _reasons(row)} for row in rows]
    writer.add_text("lesions.csv", csv_text(LESION_COLUMNS, flat))
    writer.add_text("clean_up.csv", csv_text(CLEAN_UP_COLUMNS, _clean_up_rows(series)))
    writer.add_text("left_out.csv", csv_text(LEFT_OUT_COLUMNS, left_out_rows(study)))
    writer.add_text("study.toml", without_registry(study.files.read_protocol()))


def _clean_up_rows(series: Sequence[SeriesResult]) -> Iterator[dict[str, Any]]:
    """Yield what every clean-up rule did to every label; a rule that was skipped says why."""
    for one in series:
        for step in (one.annotated["clean_up"] or {"steps": []})["steps"]:
            place = {"series": one.id, "step": step["step"], "rule": step["rule"]}
            reason = step.get("reason", {}).get("rule")
            for row in step["labels"] or [{"label": None}]:
                yield place | row | {"reason": reason}


def _reasons(row: Mapping[str, Any]) -> str | None:
    reasons = row.get("reason", {})
    return "; ".join(f"{name}: {text}" for name, text in sorted(reasons.items())) or None
