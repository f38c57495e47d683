"""Publish: the study's results as a release that others can read, check and cite.

A release holds no clock time and no identity, so one study gives the same bytes whenever, and
however often interrupted, it is published.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.comparison_files import add_comparison
from lesionary.app.comparisons import Comparisons, Part, comparison_parts
from lesionary.app.curation_flow import CURATION_COLUMNS, flow_chart, study_curation
from lesionary.app.leakage import require_no_leakage
from lesionary.app.progress import Progress, Silent
from lesionary.app.release_place import release_place
from lesionary.app.release_tables import layout_images, write_tables
from lesionary.app.response_outputs import response_part, write_response_outputs
from lesionary.app.responses import subject_responses, write_responses
from lesionary.app.results import SeriesResult, left_out_rows, series_results, to_publish
from lesionary.app.running import new_run
from lesionary.app.splits import published_subsets
from lesionary.app.study import Study
from lesionary.core.errors import WorkflowError
from lesionary.core.identity import canonical_json, digest
from lesionary.io.registry import tables
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.checks import snapshot
from lesionary.io.registry.records import UnitRecord
from lesionary.io.registry.soundness import require_sound
from lesionary.io.release_files import (
    CHECKSUMS,
    KIND,
    ReleaseWriter,
    file_digest,
    read_manifest,
    resolved,
)
from lesionary.publish.tables import csv_text

if TYPE_CHECKING:
    from lesionary.io.registry.transaction import Transaction
    from lesionary.publish.curation_figure import CurationFlow
    from lesionary.publish.recist_layout import LayoutImage
    from lesionary.publish.report.gallery import GalleryItem

PUBLISH_VERSION = 6
_STAGES = ("prepare", "annotate", "measure", "agree", "evaluate")
_SUBJECT_STAGES = ("track", "respond")
RELEASE_UNIT = "publish/release"


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
    with study.running(), study.publishing():
        _require_sound(study)
        series = _published(study)
        return _publish(study, series, target, _key(study, series), Silent(), "none")


def publish_due(study: Study, progress: Progress, cluster: str) -> PublishReceipt | None:
    """Write the study's own release unless it is up to date; None where nothing is measured."""
    with study.publishing():
        return _publish_due(study, progress, cluster)


def _publish_due(study: Study, progress: Progress, cluster: str) -> PublishReceipt | None:
    series = _published(study)
    if not series:
        return None
    target = study.files.release
    manifest, key = read_manifest(target), _key(study, series)
    if manifest is not None and manifest.get("key") == key and _is_recorded(study, key):
        return PublishReceipt(target, manifest["images"], manifest["lesions"], is_new=False)
    _require_sound(study)
    return _publish(study, series, target, key, progress, cluster)


def key_now(study: Study) -> str:
    """Return the hash of all that a release of the study as it is would depend on."""
    return _key(study, _published(study))


def _published(study: Study) -> list[SeriesResult]:
    return to_publish(study, series_results(study))


def _key(study: Study, series: Sequence[SeriesResult]) -> str:
    """Return the hash of all that a release depends on: units stand for what they put out."""
    return digest(canonical_json(part) for part in _parts_of_key(study, {one.id for one in series}))


def _parts_of_key(study: Study, published: Collection[str]) -> Iterator[Any]:
    yield [PUBLISH_VERSION, version("lesionary")]
    yield study.protocol.model_dump(by_alias=True, exclude={"registry"})
    yield [dict(row) for row in study.registry.rows(tables.finding, order_by=("id",))]
    yield [dict(row) for row in study.registry.rows(tables.curation, order_by=("id",))]
    yield [dict(row) for row in left_out_rows(study)]
    yield published_subsets(study, study.protocol.publish.split)
    for page in study.registry.series_pages():
        rows = [dict(row) for row in page if row["id"] in published]
        names = [row["id"] for row in rows]
        for stage in _STAGES:
            states = study.registry.unit_states(stage, names)
            yield [[name, states[name].key, states[name].state] for name in sorted(states)]
        yield rows
        subjects = sorted({row["subject_id"] for row in rows})
        for stage in _SUBJECT_STAGES:
            states = study.registry.unit_states(stage, subjects)
            yield [[name, states[name].key, states[name].state] for name in sorted(states)]


def _publish(
    study: Study,
    series: list[SeriesResult],
    target: Path,
    key: str,
    progress: Progress,
    cluster: str,
) -> PublishReceipt:
    place = release_place(study, target)
    if not series:
        raise WorkflowError("nothing is measured yet", hint="run the study first: `lesionary run`")
    require_no_leakage(study)
    study.home.require()
    writer = ReleaseWriter(place)
    progress.start("publish", len(series))
    try:
        images = layout_images(study, series)
        gallery = _write_images(study, series, images, writer, progress)
        responses = subject_responses(study)
        write_tables(study, series, images, responses, writer)
        write_responses(responses, {one.row["subject_id"] for one in series}, writer)
        compared = Comparisons.of(study)
        parts = comparison_parts(compared)
        for part in parts:
            add_comparison(writer, part.folder, part.tables, part.pictures)
        _write_consensus(study, series, images, writer, compared)
        curation = study_curation(study, series)
        writer.add_text("curation.csv", csv_text(CURATION_COLUMNS, curation.table()))
        judged = response_part(responses, are_animals=study.protocol.respond.animals)
        pictures = judged.pictures if judged else ()
        write_response_outputs(study, responses, series, pictures, writer)
        shown = [judged, *parts] if judged else parts
        _write_report(study, series, gallery, shown, writer, curation.flow)
        n_lesions = sum(len(one.lesions) for one in series)
        manifest = _manifest(study, series) | {"key": key, "lesions": n_lesions}
        _require_sound(study)  # again: writing takes long
        release = writer.settle(manifest)
    finally:
        writer.discard()
    progress.finish("publish")
    is_own = place == resolved(study.files.release)
    _record(study, key, release, is_own=is_own, cluster=cluster)
    return PublishReceipt(release, len(series), n_lesions)


def _require_sound(study: Study) -> None:
    """Refuse to publish rows that are not what their last events say.

    A unit's key tells what its output was made of, not what it is: whoever changes a number in the
    database leaves the key.

    Raises
    ------
    WorkflowError
        Code ``audit_broken``.
    """
    with snapshot(study.registry) as connection:
        require_sound(connection)


def _record(study: Study, key: str, release: Path, *, is_own: bool, cluster: str) -> None:
    """Tell in the audit what was published; the study's own release is a unit too."""
    sums = file_digest(release / CHECKSUMS)
    details = {"key": key, "sha256": sums}
    told = Draft("published", "release", "what it rests on is new", details=details)
    if not is_own:
        study.registry.say(told)
        return
    from lesionary.core.statistics import Resampling

    sections = ("study", "publish", "agree", "evaluate")
    run = new_run(study, "publish", PUBLISH_VERSION, sections, cluster)
    record = UnitRecord(
        "publish",
        "release",
        key,
        "done",
        output={"sha256": sums},
        seed=Resampling().seed,
        run_id=run.id,
    )

    def tell(transaction: "Transaction") -> None:
        transaction.say(told)
        transaction.add_run(run)
        transaction.record_units([record], {})

    study.registry.write(tell)


def _is_recorded(study: Study, key: str) -> bool:
    """Tell whether the study's own release is told of: who wrote it may have been killed before."""
    unit = study.registry.unit_states("publish", ["release"]).get("release")
    return unit is not None and unit.is_done(key)


def _write_images(
    study: Study,
    series: list[SeriesResult],
    images: "Mapping[str, LayoutImage]",
    writer: ReleaseWriter,
    progress: Progress,
) -> "list[GalleryItem]":
    """Write image and mask of each series, one in memory at a time, and draw its lesions."""
    from lesionary.app.pictures import chosen, pictures_of

    shown = chosen(study, series)
    gallery: list[GalleryItem] = []
    for one in series:
        volume = study.objects.get_volume(one.prepared["object"])
        mask = study.objects.get_label_map(one.measured["mask"])
        writer.add_image(images[one.id].image_path, volume)
        writer.add_image(images[one.id].mask_path, mask)
        gallery += pictures_of(one, volume, mask, shown.get(one.id, set()))
        progress.advance("publish")
    return gallery


def _write_consensus(
    study: Study,
    series: list[SeriesResult],
    images: "Mapping[str, LayoutImage]",
    writer: ReleaseWriter,
    compared: Comparisons,
) -> None:
    """Write the readers' consensus of each image, and where they are divided."""
    for one in series:
        if one.id in compared.agreed:
            agreed = compared.agreed[one.id]
            base = images[one.id].base_name
            consensus = study.objects.get_label_map(agreed["consensus"])
            writer.add_image(f"agreement/consensus/{base}.nii.gz", consensus)
            uncertainty = study.objects.get_volume(agreed["uncertainty"])
            writer.add_image(f"agreement/uncertainty/{base}.nii.gz", uncertainty)


def _manifest(study: Study, series: list[SeriesResult]) -> dict[str, Any]:
    return {
        "kind": KIND,
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


def _write_report(
    study: Study,
    series: list[SeriesResult],
    gallery: "list[GalleryItem]",
    parts: Sequence[Part],
    writer: ReleaseWriter,
    flow: "CurationFlow",
) -> None:
    """Write the report, its flow chart, and as a table the statistics it is printed from."""
    from lesionary.app.report_data import report_data
    from lesionary.publish.report.page import render_report
    from lesionary.publish.report.summarising import summary_of
    from lesionary.publish.report.summary import SUMMARY_COLUMNS

    chart = flow_chart(flow, study.section.title)
    data = report_data(study, series, gallery, parts, flow=flow)
    data = replace(data, flow_chart=chart)
    for name, content in chart.files() if chart else ():
        writer.add_bytes(f"figures/{name}", content)
    summary = summary_of(data)
    rows = (one.row() for one in summary)
    writer.add_text("summary.csv", csv_text(SUMMARY_COLUMNS, rows))
    writer.add_text("report.html", render_report(data, summary))
