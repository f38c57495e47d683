"""From registry rows to what the report says."""

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lesionary.app.comparisons import Part
from lesionary.app.curation_flow import study_curation
from lesionary.app.results import SeriesResult, left_out_rows
from lesionary.app.study import Study
from lesionary.core.findings import Outcome
from lesionary.core.terms import LesionKind
from lesionary.core.volume import Quantity
from lesionary.io.registry import tables
from lesionary.publish.report.data import (
    ComparisonPart,
    DroppedRow,
    IgnoredRow,
    LeftOutRow,
    LesionRow,
    Method,
    Methods,
    NamedWindow,
    Note,
    ReportData,
    ReviewState,
    SeriesRow,
    TruthRow,
)

if TYPE_CHECKING:
    from lesionary.publish.curation_figure import CurationFlow
    from lesionary.publish.report.gallery import GalleryItem


def report_data(
    study: Study,
    results: Sequence[SeriesResult],
    gallery: "Sequence[GalleryItem]",
    parts: Sequence[Part],
    *,
    truth: tuple[TruthRow, ...] = (),
    flow: "CurationFlow | None" = None,
) -> ReportData:
    """Collect everything a report shows.

    ``parts`` are the study's comparisons; ``truth`` is known of phantoms only. ``flow`` is counted
    here where it is not given; its chart is drawn by who shows it.
    """
    findings = study.registry.rows(tables.finding, order_by=("id",))
    notes = _notes(findings)
    protocol = study.protocol
    annotated = {one.id: bool(one.annotated["is_annotated"]) for one in results}
    return ReportData(
        title=study.section.title,
        study_name=protocol.title,
        protocol=protocol.name,
        protocol_version=protocol.version,
        software_version=version("lesionary"),
        series=tuple(
            _series(
                row,
                notes.get(row["id"], ()),
                is_annotated=annotated.get(row["id"], False),
                is_published=row["id"] in annotated,
            )
            for row in study.registry.all_series()
        ),
        left_out=tuple(_left_out(row) for row in left_out_rows(study)),
        ignored=_ignored(findings),
        lesions=tuple(_lesion(row) for one in results for row in one.lesion_rows()),
        dropped=tuple(
            DroppedRow(one.id, str(crumb["label"]), crumb["voxels"])
            for one in results
            for crumb in one.measured["dropped"]
        ),
        gallery=tuple(gallery),
        truth=truth,
        comparisons=tuple(map(_comparison, parts)),
        methods=_methods(study, results),
        flow=flow or study_curation(study, results).flow,
    )


def _comparison(part: Part) -> ComparisonPart:
    """Return the printed table of a comparison, with its figures."""
    printed = part.tables[0]
    return ComparisonPart(
        title=part.title,
        caption=printed.caption,
        headings=tuple(column.heading for column in printed.columns),
        is_number=tuple(printed.is_numeric(column) for column in printed.columns),
        rows=tuple(tuple(column.text(row) for column in printed.columns) for row in printed.rows),
        pictures=tuple((one.svg, one.title, one.width_inches) for one in part.pictures),
    )


def _notes(findings: Sequence[Any]) -> dict[str, list[Note]]:
    """Return what the gate noticed, by series."""
    found: dict[str, list[Note]] = {}
    for row in findings:
        if row["series_id"] is not None:
            found.setdefault(row["series_id"], []).append(Note(row["code"], row["reason"]))
    return found


def _series(
    row: Any, notes: Sequence[Note], *, is_annotated: bool, is_published: bool
) -> SeriesRow:
    k, j, i = row["shape"]
    across, down, along = row["spacing_mm"]
    return SeriesRow(
        id=row["id"],
        subject=row["subject_id"],
        timepoint=row["timepoint"],
        modality=row["modality"],
        region=row["region"],
        shape=(k, j, i),
        spacing_mm=(across, down, along),
        outcome=Outcome(row["outcome"]),
        notes=tuple(notes),
        source=row["source"],
        is_annotated=is_annotated,
        is_published=is_published,
    )


def _left_out(row: Any) -> LeftOutRow:
    return LeftOutRow(row["source"], row["code"], row["reason"], row["hint"], row["instances"])


def _ignored(findings: Sequence[Any]) -> tuple[IgnoredRow, ...]:
    counts = Counter(
        (row["code"], row["reason"]) for row in findings if row["outcome"] == "ignored"
    )
    return tuple(IgnoredRow(code, reason, n) for (code, reason), n in sorted(counts.items()))


def _lesion(row: dict[str, Any]) -> LesionRow:
    names = (
        "series",
        "subject",
        "timepoint",
        "lesion",
        "volume_ml",
        "long_axis_mm",
        "short_axis_mm",
        "diameter_mm",
        "mean_intensity",
        "slice_index",
        "voxels",
    )
    segmenter = f"{row['segmenter']} {row['segmenter_version']}" if row["segmenter"] else None
    return LesionRow(
        **{name: row[name] for name in names},
        label=str(row["label"]),
        kind=LesionKind(row["kind"]),
        quantity=Quantity(row["quantity"]),
        method=Method(row["method"] or Method.NOT_STATED),
        segmenter=segmenter,
        reader=row["reader"],
        state=ReviewState(row["state"]),
        reason=row.get("reason", {}),
    )


def _methods(study: Study, results: Sequence[SeriesResult]) -> Methods:
    from lesionary.core.window import NAMED_WINDOWS

    section = study.protocol.measure
    names = sorted({one.prepared["window"] for one in results if one.row["modality"] == "CT"})
    return Methods(
        diameter=section.diameter,
        min_voxels=section.min_voxels,
        min_slices=section.min_slices,
        keep_largest_piece=section.keep_largest_piece,
        windows=tuple(
            NamedWindow(name, NAMED_WINDOWS[name].level, NAMED_WINDOWS[name].width)
            for name in names
        ),
    )
