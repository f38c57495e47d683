"""Publish: the study's results as a release that others can read, check and cite.

A release holds no clock time and no identity, so one study gives the same bytes whenever, and
however often interrupted, it is published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.comparison_files import add_comparison
from lesionary.app.comparisons import Comparisons, Part, comparison_parts
from lesionary.app.progress import Progress, Silent
from lesionary.app.results import SeriesResult, left_out_rows, series_results
from lesionary.app.study import Study
from lesionary.core.errors import WorkflowError
from lesionary.core.identity import key_of
from lesionary.io import registry_schema as tables
from lesionary.io.registry import UnitRecord
from lesionary.io.release_files import ReleaseWriter, read_manifest
from lesionary.publish.recist_layout import LayoutImage, layout_texts, patient_id_of
from lesionary.publish.tables import csv_text, json_text

if TYPE_CHECKING:
    from lesionary.publish.report.gallery import GalleryItem

PUBLISH_VERSION = 2
RELEASE_UNIT = "publish/release"

LESION_COLUMNS = (
    "series",
    "subject",
    "timepoint",
    "lesion",
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


@dataclass(frozen=True, slots=True)
class PublishReceipt:
    """What was published where; ``is_new`` is False where the release was up to date."""

    release: Path
    n_images: int
    n_lesions: int
    is_new: bool = True

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "done": [RELEASE_UNIT] if self.is_new else [],
            "failed": [],
            "release": str(self.release),
            "images": self.n_images,
            "lesions": self.n_lesions,
        }


def publish_study(study: Study, target: Path) -> PublishReceipt:
    """Write a release of what is measured, whether or not an earlier one is up to date."""
    with study.working():
        return _publish(study, _published(study), target, Silent())


def publish_due(study: Study, progress: Progress) -> PublishReceipt | None:
    """Write the study's own release unless it is up to date; None where nothing is measured."""
    series = _published(study)
    if not series:
        return None
    target = study.files.release
    manifest = read_manifest(target)
    if manifest is not None and manifest.get("key") == _key(study, series):
        return PublishReceipt(target, manifest["images"], manifest["lesions"], is_new=False)
    return _publish(study, series, target, progress)


def _published(study: Study) -> list[SeriesResult]:
    """Return what is measured, without images that the protocol does not publish."""
    series = series_results(study)
    if study.protocol.publish.images_without_lesions:
        return series
    return [one for one in series if one.lesions]


def _key(study: Study, series: list[SeriesResult]) -> str:
    compared = Comparisons.of(study)
    return key_of(
        PUBLISH_VERSION,
        version("lesionary"),
        study.protocol.model_dump(by_alias=True),
        [[dict(one.row), one.prepared, one.annotated, one.measured] for one in series],
        [compared.agreed, compared.evaluated],
        [dict(row) for row in study.registry.rows(tables.finding, order_by=("id",))],
        [dict(row) for row in left_out_rows(study)],
    )


def _publish(
    study: Study, series: list[SeriesResult], target: Path, progress: Progress
) -> PublishReceipt:
    if not series:
        raise WorkflowError("nothing is measured yet", hint="run the study first: `lesionary run`")
    key = _key(study, series)
    writer = ReleaseWriter(target)
    progress.start("publish", len(series))
    try:
        gallery = _write_images(study, series, writer, progress)
        _write_tables(study, series, writer)
        compared = Comparisons.of(study)
        parts = comparison_parts(compared)
        for part in parts:
            add_comparison(writer, part.folder, part.tables, part.pictures)
        _write_consensus(study, series, writer, compared)
        writer.add_text("report.html", _report(study, series, gallery, parts))
        n_lesions = sum(len(one.lesions) for one in series)
        manifest = _manifest(study, series) | {"key": key, "lesions": n_lesions}
        release = writer.settle(manifest)
    finally:
        writer.discard()
    progress.finish("publish")
    if target == study.files.release:
        study.registry.record_unit(UnitRecord("publish", "release", key, "done"))
    return PublishReceipt(release, len(series), n_lesions)


def _write_images(
    study: Study, series: list[SeriesResult], writer: ReleaseWriter, progress: Progress
) -> "list[GalleryItem]":
    """Write image and mask of each series, one in memory at a time, and draw its lesions."""
    from lesionary.app.pictures import chosen, pictures_of

    shown = chosen(study, series)
    subjects = _subjects(study)
    gallery: list[GalleryItem] = []
    for one in series:
        volume = study.objects.get_volume(one.prepared["object"])
        mask = study.objects.get_label_map(one.measured["mask"])
        image = _layout_image(one, subjects[one.row["subject_id"]])
        writer.add_image(image.image_path, volume)
        writer.add_image(image.mask_path, mask)
        gallery += pictures_of(one, volume, mask, shown.get(one.id, set()))
        progress.advance("publish")
    return gallery


def _subjects(study: Study) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in study.registry.rows(tables.subject)}


def _layout_image(one: SeriesResult, subject: Mapping[str, Any]) -> LayoutImage:
    import numpy as np

    from lesionary.core.volume import Geometry

    row = one.row
    k, j, i = row["shape"]
    return LayoutImage(
        number=row["number"],
        patient_id=patient_id_of(subject["number"]),
        series_uid=row["series_uid"],
        study_uid=row["study_uid"],
        study_date=row["study_date"],
        region=row["region"],
        subset=row["subset"],
        window=one.prepared["window"],
        geometry=Geometry((k, j, i), np.array(row["affine"]).reshape(4, 4)),
        slice_thickness_mm=row["technical"].get("SliceThickness"),
        labels=tuple((lesion["lesion"], str(lesion["label"])) for lesion in one.lesions),
        sex=subject["sex"],
        age=subject["age"],
    )


def _write_tables(study: Study, series: list[SeriesResult], writer: ReleaseWriter) -> None:
    subjects = _subjects(study)
    images = [_layout_image(one, subjects[one.row["subject_id"]]) for one in series]
    for path, text in layout_texts(images).items():
        writer.add_text(path, text)
    rows = [row for one in series for row in one.lesion_rows()]
    dropped = [{"series": one.id} | crumb for one in series for crumb in one.measured["dropped"]]
    writer.add_text("lesions.json", json_text({"lesions": rows, "dropped": dropped}))
    flat = [row | {"reason": _reasons(row)} for row in rows]
    writer.add_text("lesions.csv", csv_text(LESION_COLUMNS, flat))
    writer.add_text("clean_up.csv", csv_text(CLEAN_UP_COLUMNS, _clean_up_rows(series)))
    writer.add_text("left_out.csv", csv_text(LEFT_OUT_COLUMNS, left_out_rows(study)))
    writer.add_text("study.toml", study.files.read_protocol())


def _write_consensus(
    study: Study, series: list[SeriesResult], writer: ReleaseWriter, compared: Comparisons
) -> None:
    """Write the readers' consensus of each image, and where they are divided."""
    subjects = _subjects(study)
    for one in series:
        if one.id in compared.agreed:
            agreed = compared.agreed[one.id]
            base = _layout_image(one, subjects[one.row["subject_id"]]).base_name
            consensus = study.objects.get_label_map(agreed["consensus"])
            writer.add_image(f"agreement/consensus/{base}.nii.gz", consensus)
            uncertainty = study.objects.get_volume(agreed["uncertainty"])
            writer.add_image(f"agreement/uncertainty/{base}.nii.gz", uncertainty)


def _clean_up_rows(series: list[SeriesResult]) -> Iterator[dict[str, Any]]:
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


def _manifest(study: Study, series: list[SeriesResult]) -> dict[str, Any]:
    return {
        "kind": "lesionary-release",
        "schema": 1,
        "title": study.section.title,
        "study": study.section.id,
        "layout": study.protocol.publish.layout,
        "protocol": {"name": study.protocol.name, "version": study.protocol.version},
        "software": {"name": "lesionary", "version": version("lesionary")},
        "images": len(series),
        "objects": {
            one.id: {"image": one.prepared["object"], "mask": one.measured["mask"]}
            for one in series
        },
    }


def _report(
    study: Study,
    series: list[SeriesResult],
    gallery: "list[GalleryItem]",
    parts: Sequence[Part],
) -> str:
    from lesionary.app.report_data import report_data
    from lesionary.publish.report.page import render_report

    return render_report(report_data(study, series, gallery, parts))
