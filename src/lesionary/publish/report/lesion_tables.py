"""Tables of lesions: one by one, by kind, by label, by subject, and against the truth."""

from collections.abc import Callable, Sequence

from lesionary.core.volume import Quantity
from lesionary.publish.report.burden import BurdenPoint
from lesionary.publish.report.data import DroppedRow, LesionRow, SeriesRow, TruthRow
from lesionary.publish.report.groups import Group
from lesionary.publish.report.members import (
    ALL_LABELS,
    kinds_of,
    labels_of,
    maker_name,
    makers_of,
    subject_label,
    subjects_of,
    visit_name,
    visits_of,
)
from lesionary.publish.report.summary import Summary
from lesionary.publish.report.table import Cell, Footnotes, Table, columns_of, name_cell
from lesionary.publish.report.trust import trust_sentence
from lesionary.publish.report.wording import (
    DASH,
    grouped,
    intensity,
    millilitres,
    millimetres,
    probability,
    rounded,
    shortened,
    unit_of,
)


def lesion_table(rows: Sequence[LesionRow]) -> Table:
    """List every lesion with every number."""
    notes = Footnotes()
    body = [_lesion_cells(row, notes) for row in rows]
    columns = columns_of(
        "Lesion", "Subject", "#Time", "Label", "Kind", "#Volume (ml)", "#Long (mm)", "#Short (mm)",
        "#Diameter (mm)", "#Mean intensity", "Unit", "#Slice", "Mask by", "State",
    )  # fmt: skip
    return Table("All lesions", columns, tuple(body), tuple(notes.numbers))


def _lesion_cells(row: LesionRow, notes: Footnotes) -> tuple[Cell, ...]:
    why = row.reason
    index = DASH if row.slice_index is None else str(row.slice_index)
    maker = row.segmenter or row.reader or row.method.lower()
    return (
        Cell(f"{shortened(row.series)} · {row.lesion}", title=f"{row.series}, lesion {row.lesion}"),
        Cell(row.subject),
        Cell(str(row.timepoint)),
        Cell(row.label),
        Cell(row.kind),
        notes.cell(millilitres(row.volume_ml), "volume_ml", why),
        notes.cell(millimetres(row.long_axis_mm), "long_axis_mm", why),
        notes.cell(millimetres(row.short_axis_mm), "short_axis_mm", why),
        notes.cell(millimetres(row.diameter_mm), "diameter_mm", why),
        notes.cell(intensity(row.mean_intensity, row.quantity), "mean_intensity", why),
        Cell(unit_of(row.quantity)),
        notes.cell(index, "slice_index", why),
        Cell(maker, title=row.method),
        Cell(row.state, tag=f"state-{row.state}"),
    )


def dropped_table(rows: Sequence[DroppedRow]) -> Table:
    """List the components that were too small to count."""
    body = [(name_cell(row.series), Cell(row.label), Cell(grouped(row.voxels))) for row in rows]
    return Table("Dropped components", columns_of("Series", "Label", "#Voxels"), tuple(body))


def group_table(lesions: Sequence[LesionRow], summary: Summary) -> Table:
    """Summarise each kind of lesion, and all together, with Spearman's rho."""
    notes = Footnotes()
    *groups, everything = kinds_of(lesions)
    several = [*groups, everything] if len(groups) > 1 else groups
    body = [_group_cells(group, summary, notes) for group in several]
    columns = columns_of(
        "Kind", "#n", "#Diameter (mm)", "#Volume (ml)", "#Mean intensity", "#Spearman’s ρ", "#p",
    )  # fmt: skip
    return Table("Lesions by kind", columns, tuple(body), tuple(notes.numbers))


def _group_cells(group: Group, summary: Summary, notes: Footnotes) -> tuple[Cell, ...]:
    names = "kinds", group.name
    rho = summary.get(*names, "volume_by_diameter", "spearman_rho")
    p = summary.get(*names, "volume_by_diameter", "spearman_p")
    return (
        Cell(group.name, colour=group.colour),
        Cell(grouped(summary.count(*names, "lesions"))),
        _quartiles(summary, names, "diameter_mm", millimetres, notes),
        _quartiles(summary, names, "volume_ml", millilitres, notes),
        _means(summary, group, notes),
        notes.of(rho, rounded(rho.value, 2)),
        notes.of(p, probability(p.value)),
    )


def _quartiles(
    summary: Summary,
    names: tuple[str, str],
    measure: str,
    write: Callable[[float | None], str],
    notes: Footnotes,
) -> Cell:
    median = summary.get(*names, measure, "median")
    lower = summary.find(*names, measure, "lower_quartile")
    upper = summary.find(*names, measure, "upper_quartile")
    text = write(median.value)
    if lower is not None and upper is not None:
        text += f" ({write(lower.value)}–{write(upper.value)})"
    return notes.of(median, text)


def _means(summary: Summary, group: Group, notes: Footnotes) -> Cell:
    """Write mean ± SD for each quantity: HU and SUV have no common mean."""
    names = "kinds", group.name, "mean_intensity"
    if not group.quantities:
        return notes.of(summary.get(*names, "mean"), DASH)
    return Cell("\n".join(_mean_of(summary, names, quantity) for quantity in group.quantities))


def _mean_of(summary: Summary, names: tuple[str, str, str], quantity: Quantity) -> str:
    mean = summary.get(*names, "mean", quantity)
    sd = summary.find(*names, "sd", quantity)
    text = intensity(mean.value, quantity)
    if sd is not None:
        text += f" ± {intensity(sd.value, quantity)}"
    return f"{text} {unit_of(quantity)}"


def label_table(rows: Sequence[LesionRow], summary: Summary) -> Table:
    """Count lesions, subjects and volume of each label."""
    labels = list(labels_of(rows))
    notes = Footnotes()
    several = [*labels, ALL_LABELS] if len(labels) > 1 else labels
    body = [_label_cells(label, summary, notes) for label in several]
    columns = columns_of("Label", "#Lesions", "#Subjects", "#Volume (ml)", "#Diameter (mm)")
    return Table("Lesions by label", columns, tuple(body), tuple(notes.numbers))


def _label_cells(label: str, summary: Summary, notes: Footnotes) -> tuple[Cell, ...]:
    names = "labels", label
    return (
        Cell(label),
        Cell(grouped(summary.count(*names, "lesions"))),
        Cell(grouped(summary.count(*names, "subjects"))),
        _sum_cell(summary, names, notes),
        _quartiles(summary, names, "diameter_mm", millimetres, notes),
    )


def subject_table(
    series: Sequence[SeriesRow], rows: Sequence[LesionRow], summary: Summary
) -> Table:
    """List each subject's lesions by label: also subjects whose masks are empty."""
    notes = Footnotes()
    body = []
    for subject, found in subjects_of(series, rows).items():
        names = "subjects", subject
        counts = {
            label: summary.count("subjects", subject_label(subject, label), "lesions")
            for label in labels_of(found)
        }
        body.append(
            (
                Cell(subject),
                Cell(grouped(summary.count(*names, "series"))),
                notes.count_of(summary.get(*names, "lesions")),
                _sum_cell(summary, names, notes),
                Cell(" · ".join(f"{label} {n}" for label, n in counts.items())),
            )
        )
    columns = columns_of("Subject", "#Series", "#Lesions", "#Volume (ml)", "~Labels")
    return Table("Lesions by subject", columns, tuple(body), tuple(notes.numbers))


def _sum_cell(summary: Summary, names: tuple[str, str], notes: Footnotes) -> Cell:
    found = summary.get(*names, "volume_ml", "sum")
    return notes.of(found, millilitres(found.value))


def trust_table(rows: Sequence[LesionRow], summary: Summary) -> Table:
    """Count lesions by who made the mask and how far it was reviewed."""
    body = []
    for maker in makers_of(rows):
        state, method, segmenter = maker
        body.append(
            (
                Cell(state, tag=f"state-{state}"),
                Cell(method),
                Cell(grouped(summary.count("masks", maker_name(maker), "lesions"))),
                Cell(trust_sentence(state, method, segmenter)),
            )
        )
    columns = columns_of("State", "Method", "#Lesions", "~What that means")
    return Table("Where the masks come from", columns, tuple(body))


def burden_table(modality: str, points: Sequence[BurdenPoint], summary: Summary) -> Table:
    """Summarise the burden at each time point."""
    notes = Footnotes()
    body = []
    for timepoint in visits_of(points):
        names = "time", visit_name(modality, timepoint)
        body.append(
            (
                Cell(str(timepoint)),
                Cell(grouped(summary.count(*names, "subjects"))),
                Cell(grouped(summary.count(*names, "lesions"))),
                _quartiles(summary, names, "volume_ml", millilitres, notes),
                Cell(grouped(summary.count(*names, "incomplete"))),
            )
        )
    columns = columns_of(
        "Time point", "#Subjects", "#Lesions", "#Sum of volumes (ml)", "#Incomplete"
    )
    return Table("Burden by time point", columns, tuple(body))


def truth_summary(summary: Summary) -> Table:
    """Summarise how near the measured lesions come to the true ones."""
    names, notes = ("truth", ""), Footnotes()
    n_all = summary.count(*names, "lesions")
    counts = [
        (Cell(title), Cell(grouped(summary.count(*names, measure))), Cell(grouped(n_all)))
        for title, measure in (("Found", "found"), ("Missed", "missed"))
    ]
    spreads = [
        (
            Cell(title),
            _quartiles(summary, names, measure, write, notes),
            Cell(grouped(summary.get(*names, measure, "median").n or 0)),
        )
        for title, measure, write in (
            ("Dice, 0 for missed lesions", "dice", _dice),
            ("Volume error (%)", "volume_error_percent", millimetres),
            ("Its size alone (%)", "absolute_volume_error_percent", millimetres),
        )
    ]
    return Table(
        "Measured against true, in short: counts, or median and quartiles",
        columns_of("", "#Count, or median (quartiles)", "#n"),
        (*counts, *spreads),
        tuple(notes.numbers),
    )


def _dice(value: float | None) -> str:
    return rounded(value, 3)


def truth_table(rows: Sequence[TruthRow]) -> Table:
    """Compare each lesion with what the phantom holds."""
    notes = Footnotes()
    missed = {"volume_ml": "missed", "dice": "missed", "error": "missed"}
    body = []
    for row in rows:
        why = {**missed, **row.reason}
        number = DASH if row.lesion is None else str(row.lesion)
        body.append(
            (
                name_cell(row.series),
                notes.cell(number, "volume_ml", why),
                Cell(row.label),
                notes.cell(rounded(row.dice, 3), "dice", why),
                notes.cell(millilitres(row.volume_ml), "volume_ml", why),
                Cell(millilitres(row.true_volume_ml)),
                notes.cell(rounded(row.volume_error_percent, 1), "error", why),
            )
        )
    columns = columns_of(
        "Series", "#Lesion", "Label", "#Dice", "#Measured (ml)", "#True (ml)", "#Error (%)"
    )
    return Table("Measured against true", columns, tuple(body), tuple(notes.numbers))
