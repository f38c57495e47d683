"""Write a report: one HTML page that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lesionary.core.findings import Outcome
from lesionary.core.volume import Quantity
from lesionary.publish.report.burden import burden_of
from lesionary.publish.report.data import ComparisonPart, LesionRow, ReportData
from lesionary.publish.report.figures import (
    figure_burden,
    figure_diameters,
    figure_features,
    figure_intensities,
    figure_truth,
    figure_volume_by_diameter,
    figure_volumes,
)
from lesionary.publish.report.gallery import GalleryItem
from lesionary.publish.report.groups import Group, groups_of
from lesionary.publish.report.intake_tables import (
    flow_table,
    ignored_table,
    left_out_summary,
    left_out_table,
    remarks_table,
    series_table,
    stage_table,
)
from lesionary.publish.report.lesion_tables import (
    burden_table,
    dropped_table,
    group_table,
    label_table,
    lesion_table,
    subject_table,
    trust_table,
    truth_summary,
    truth_table,
)
from lesionary.publish.report.members import ALL_LESIONS
from lesionary.publish.report.methods import method_sentences
from lesionary.publish.report.panel import panel_svg
from lesionary.publish.report.summarising import (
    WITH_SIZES,
    WITHOUT_SIZES,
    summary_of,
    with_features,
    without_features,
)
from lesionary.publish.report.summary import Summary
from lesionary.publish.report.table import Cell, Column, Table
from lesionary.publish.report.trust import verdict_of
from lesionary.publish.report.wording import (
    counted,
    grouped,
    listed,
    millilitres,
    millimetres,
    unit_of,
    window_text,
)

LONGEST_OPEN_TABLE = 12
"""Tables with more rows are folded."""
PIXELS_PER_INCH = 84
FEWEST_FOR_FIGURE = 5
"""A figure of fewer lesions would say less than the table."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page: the drawing, and what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A lesion of the gallery with its caption."""

    svg: str
    label: str
    diameter: str
    where: str
    sizes: str
    state: str
    title: str


def render_report(data: ReportData, summary: Summary | None = None) -> str:
    """Write the report of a study.

    Parameters
    ----------
    data : ReportData
        Everything it says. A study without lesions, or without anything, has a report too.
    summary : Summary, optional
        What :func:`~lesionary.publish.report.summarising.summary_of` makes of the data, where that
        is done already.

    Returns
    -------
    str
        HTML with its style, figures and pictures inside: no script, nothing to fetch. The same
        data give the same text. The longest tables are made where they are printed, one at a time.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lesionary.publish.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    groups = groups_of(data.lesions)
    summary = summary or summary_of(data)
    return environment.get_template("report.html.j2").render(
        data=data,
        longest_open_table=LONGEST_OPEN_TABLE,
        numbers=_main_numbers(summary),
        lead=_lead(summary),
        no_lesions=_no_lesions(summary),
        asides=_asides(groups),
        verdict=verdict_of(data.lesions, summary),
        panels=_panels(data),
        features=_features(groups, summary),
        spreads=_spreads(groups),
        burdens=_burdens(data, summary),
        truth=_truth(data, summary),
        comparisons=[_comparison(part) for part in data.comparisons],
        series_table=partial(series_table, data.series, summary),
        remarks_table=remarks_table(data.series),
        left_out_summary=left_out_summary(data.left_out, summary),
        left_out_table=left_out_table(data.left_out),
        ignored_table=ignored_table(data.ignored, summary),
        group_table=group_table(data.lesions, summary),
        label_table=label_table(data.lesions, summary),
        subject_table=subject_table(data.series, data.lesions, summary),
        lesion_table=partial(lesion_table, data.lesions),
        dropped_table=dropped_table(data.dropped),
        trust_table=trust_table(data.lesions, summary),
        truth_table=truth_table(data.truth),
        stage_table=stage_table(data.stages),
        flow=_flow(data, summary),
        methods=method_sentences(data, summary),
    )


def _flow(data: ReportData, summary: Summary) -> tuple[Picture, Table, int] | None:
    """Return flow chart, table, and the chart's width in pixels; None where there is no chart."""
    if data.flow is None or data.flow_chart is None:
        return None
    n_in = counted(summary.count("curation", "", "series_published"), "series")
    n_all = grouped(summary.count("curation", "", "series_considered"))
    caption = (
        f"From {n_all} series that came to the {n_in} of this release: whom each rule left out."
    )
    width = round(data.flow_chart.width_inches * PIXELS_PER_INCH)
    return Picture(data.flow_chart.svg, caption), flow_table(data.flow, summary), width


def _main_numbers(summary: Summary) -> list[tuple[str, str, str]]:
    """Return value, unit and name of the numbers on top."""
    names = "study", ""
    counts = [
        (summary.count(*names, "subjects"), "subject"),
        (summary.count(*names, "timepoints"), "time point"),
        (summary.count(*names, "series"), "series"),
        (summary.count(*names, "lesions"), "lesion"),
    ]
    n_unknown = summary.count(*names, "lesions_without_volume")
    volume_name = "summed over all series" + (
        f", {grouped(n_unknown)} unknown" if n_unknown else ""
    )
    return [
        *((grouped(n), "", counted(n, name).split(" ", 1)[1]) for n, name in counts),
        (millilitres(summary.get(*names, "volume_ml", "sum").value), "ml", volume_name),
        (grouped(summary.count(*names, "left_out")), "", "left out"),
    ]


def _no_lesions(summary: Summary) -> str:
    """Tell apart what was looked at and found empty from what nobody has looked at."""
    n = summary.count("study", "", "series")
    if not n:
        return "There are no series, so there are no lesions."
    seen = summary.count("intake", "", "series_with_mask")
    if not seen:
        return "No series has a mask yet: nobody has looked for lesions."
    if seen == n:
        return f"No lesion was found in {counted(seen, 'series')}."
    unseen = summary.count("intake", "", "series_without_mask")
    return (
        f"No lesion was found in {counted(seen, 'series')}; {grouped(unseen)} more without a mask."
    )


def _lead(summary: Summary) -> str:
    """Tell in one sentence what came in."""
    n = summary.count("study", "", "series")
    if not n:
        return "No series came in."
    clean = summary.count("intake", Outcome.INGESTED, "series")
    warned = summary.count("intake", Outcome.WARNED, "series")
    fixed = summary.count("intake", Outcome.FIXED, "series")
    parts = [f"{grouped(clean)} as they were"]
    if warned:
        parts.append(f"{grouped(warned)} with a warning")
    if fixed:
        parts.append(f"{grouped(fixed)} repaired on the way")
    subjects = counted(summary.count("study", "", "subjects"), "subject")
    text = f"{counted(n, 'series')} of {subjects} came in: {', '.join(parts)}."
    unseen = summary.count("intake", "", "series_without_mask")
    if unseen:
        text += f" {grouped(unseen)} of them {'has' if unseen == 1 else 'have'} no mask."
    return text


def _panels(data: ReportData) -> list[Panel]:
    rows = {(row.series, row.lesion): row for row in data.lesions}
    modalities = {row.id: row.modality for row in data.series}
    return [
        _panel(item, rows.get((item.series, item.lesion)), modalities.get(item.series, ""))
        for item in data.gallery
    ]


def _panel(item: GalleryItem, row: LesionRow | None, modality: str) -> Panel:
    window = window_text(item.window.level, item.window.width)
    title = f"Series {item.series}, window {window}"
    if row is None:
        svg = panel_svg(item, f"Lesion {item.lesion}, {item.label}")
        return Panel(svg, item.label, "", f"lesion {item.lesion}", "", "", title)
    long_mm, short_mm = millimetres(row.long_axis_mm), millimetres(row.short_axis_mm)
    place = [row.subject, f"time {row.timepoint}", modality, f"lesion {row.lesion}"]
    description = (
        f"Section through lesion {row.lesion} of {row.subject}, {row.label}: "
        f"long axis {long_mm} mm, short axis {short_mm} mm"
    )
    return Panel(
        svg=panel_svg(item, description),
        label=row.label,
        diameter=millimetres(row.diameter_mm),
        where=" · ".join(part for part in place if part),
        sizes=f"{long_mm} × {short_mm} mm · {millilitres(row.volume_ml)} ml",
        state="draft" if row.state == "unreviewed" and row.segmenter else row.state,
        title=title,
    )


def _features(groups: Sequence[Group], summary: Summary) -> list[Picture]:
    """Return the scatter plots, one of intensities for each quantity."""
    pictures = []
    names = "kinds", ALL_LESIONS
    for quantity in _quantities(groups):
        shown = summary.count(*names, with_features(quantity))
        lacking = summary.count(*names, without_features(quantity))
        if shown >= FEWEST_FOR_FIGURE:
            caption = (
                f"Diameter, mean intensity ({unit_of(quantity)}) and volume of "
                f"{counted(shown, 'lesion')}{_missing(lacking)}. The area of a point grows "
                "with the lesion as a ball’s does."
            )
            pictures.append(Picture(figure_features(groups, quantity), caption))
    shown = summary.count(*names, WITH_SIZES)
    lacking = summary.count(*names, WITHOUT_SIZES)
    if shown >= FEWEST_FOR_FIGURE:
        caption = (
            f"Volume against diameter of {counted(shown, 'lesion')}{_missing(lacking)}, both "
            "logarithmic. On the line a lesion is a ball; below it is flatter."
        )
        pictures.append(Picture(figure_volume_by_diameter(groups), caption))
    return pictures


def _spreads(groups: Sequence[Group]) -> list[Picture]:
    """Return the box plots and densities."""
    pictures = []
    if sum(np.isfinite(group.diameters_mm).sum() for group in groups) >= FEWEST_FOR_FIGURE:
        caption = "Diameters: long axes of tumours, short axes of lymph nodes."
        pictures.append(Picture(figure_diameters(groups), caption))
    if sum((group.volumes_ml > 0).sum() for group in groups) >= FEWEST_FOR_FIGURE:
        pictures.append(Picture(figure_volumes(groups), "Volumes, logarithmic."))
    for quantity in _quantities(groups):
        n = sum(np.isfinite(group.intensities(quantity)).sum() for group in groups)
        if n >= FEWEST_FOR_FIGURE:
            caption = (
                f"Mean intensities ({unit_of(quantity)}). Ten lesions of a kind make a density."
            )
            pictures.append(Picture(figure_intensities(groups, quantity), caption))
    return pictures


def _asides(groups: Sequence[Group]) -> list[str]:
    """Name the kinds of the group of others; say why there are no figures."""
    asides = [
        f"The other kinds are {listed(list(group.kinds))}."
        for group in groups
        if len(group.kinds) > 1
    ]
    if sum(len(group.lesions) for group in groups) < FEWEST_FOR_FIGURE:
        asides.append(f"Figures begin with {FEWEST_FOR_FIGURE} lesions.")
    return asides


def _quantities(groups: Sequence[Group]) -> list[Quantity]:
    present = [quantity for group in groups for quantity in group.quantities]
    return list(dict.fromkeys(present))


def _missing(n: int) -> str:
    return f"; {grouped(n)} more without these numbers" if n else ""


def _burdens(data: ReportData, summary: Summary) -> list[tuple[Picture, Table]]:
    return [
        (
            Picture(figure_burden(points, modality), _burden_caption(modality)),
            burden_table(modality, points, summary),
        )
        for modality, points in burden_of(data.series, data.lesions).items()
    ]


def _burden_caption(modality: str) -> str:
    return (
        f"Sum of all lesion volumes on {modality}, one line a subject. Hollow points are "
        "incomplete: a series of that time point has no mask, or a lesion has no volume. What two "
        "overlapping series both show counts twice."
    )


def _comparison(part: ComparisonPart) -> tuple[str, str, Table, list[tuple[Picture, int]]]:
    """Return heading, caption, table, and figures with their widths in pixels."""
    columns = zip(part.headings, part.is_number, strict=True)
    table = Table(
        part.title,
        tuple(Column(text, is_number=is_number) for text, is_number in columns),
        tuple(tuple(Cell(text) for text in row) for row in part.rows),
    )
    pictures = [
        (Picture(svg, caption), round(width_inches * PIXELS_PER_INCH))
        for svg, caption, width_inches in part.pictures
    ]
    return part.title, part.caption, table, pictures


def _truth(data: ReportData, summary: Summary) -> tuple[Picture, Table] | None:
    rows = [row for row in data.truth if row.true_volume_ml > 0]
    if not rows:
        return None
    caption = "Measured against true volume, both logarithmic; the line is equality."
    if any(row.volume_ml is None for row in rows):
        caption += " Crosses are lesions that were missed."
    return Picture(figure_truth(rows), caption), truth_summary(summary)
