"""Tables of lesions: one by one, by kind, by label, by subject, and against the truth."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lesionary.core.statistics import spearman, spread_of
from lesionary.core.volume import FloatArray, Quantity
from lesionary.publish.report.burden import BurdenPoint
from lesionary.publish.report.data import DroppedRow, LesionRow, SeriesRow, TruthRow
from lesionary.publish.report.groups import Group
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


def group_table(groups: Sequence[Group], lesions: Sequence[LesionRow]) -> Table:
    """Summarise each kind of lesion, and all together, with Spearman's rho."""
    notes = Footnotes()
    everything = Group("all lesions", tuple(lesions), "", "o")
    several = [*groups, everything] if len(groups) > 1 else list(groups)
    body = [_group_cells(group, notes) for group in several]
    columns = columns_of(
        "Kind", "#n", "#Diameter (mm)", "#Volume (ml)", "#Mean intensity", "#Spearman’s ρ", "#p",
    )  # fmt: skip
    return Table("Lesions by kind", columns, tuple(body), tuple(notes.numbers))


def _group_cells(group: Group, notes: Footnotes) -> tuple[Cell, ...]:
    volumes_ml, diameters_mm = group.volumes_ml, group.diameters_mm
    rank = spearman(volumes_ml, diameters_mm)
    why = {
        "diameter": "no lesion of this kind has a diameter",
        "volume": "no lesion of this kind has a volume",
        "intensity": "no lesion of this kind has a mean intensity",
        "rho": rank.reason,
    }
    return (
        Cell(group.name, colour=group.colour),
        Cell(grouped(len(group.lesions))),
        notes.cell(_quartiles(diameters_mm, millimetres), "diameter", why),
        notes.cell(_quartiles(volumes_ml, millilitres), "volume", why),
        notes.cell(_means(group), "intensity", why),
        notes.cell(rounded(rank.rho, 2), "rho", why),
        notes.cell(probability(rank.p), "rho", why),
    )


def _quartiles(values: FloatArray, write: Callable[[float | None], str]) -> str:
    spread = spread_of(values)
    if spread is None:
        return DASH
    if spread.n == 1:
        return write(spread.median)
    quartiles = f"{write(spread.lower_quartile)}–{write(spread.upper_quartile)}"
    return f"{write(spread.median)} ({quartiles})"


def _means(group: Group) -> str:
    """Write mean ± SD for each quantity: HU and SUV have no common mean."""
    return "\n".join(_mean_of(group, quantity) for quantity in group.quantities) or DASH


def _mean_of(group: Group, quantity: Quantity) -> str:
    spread = spread_of(group.intensities(quantity))
    if spread is None:
        return DASH
    text = intensity(spread.mean, quantity)
    if spread.sd is not None:
        text += f" ± {intensity(spread.sd, quantity)}"
    return f"{text} {unit_of(quantity)}"


def label_table(rows: Sequence[LesionRow]) -> Table:
    """Count lesions, subjects and volume of each label."""
    by_label: dict[str, list[LesionRow]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    ranked = sorted(by_label.items(), key=lambda item: (-len(item[1]), item[0]))
    notes = Footnotes()
    body = [_label_cells(label, tuple(found), notes) for label, found in ranked]
    if len(body) > 1:
        body.append(_label_cells("all labels", tuple(rows), notes))
    columns = columns_of("Label", "#Lesions", "#Subjects", "#Volume (ml)", "#Diameter (mm)")
    return Table("Lesions by label", columns, tuple(body), tuple(notes.numbers))


def _label_cells(label: str, rows: tuple[LesionRow, ...], notes: Footnotes) -> tuple[Cell, ...]:
    return (
        Cell(label),
        Cell(grouped(len(rows))),
        Cell(grouped(len({row.subject for row in rows}))),
        _sum_cell(rows, notes),
        notes.cell(
            _quartiles(Group(label, rows, "", "o").diameters_mm, millimetres),
            "diameter",
            {"diameter": "no lesion of this label has a diameter"},
        ),
    )


def subject_table(series: Sequence[SeriesRow], rows: Sequence[LesionRow]) -> Table:
    """List each subject's lesions by label: also subjects whose masks are empty."""
    by_subject: dict[str, list[LesionRow]] = defaultdict(list)
    for row in rows:
        by_subject[row.subject].append(row)
    n_series = Counter(scan.subject for scan in series)
    looked_at = {scan.subject for scan in series if scan.is_annotated}
    notes = Footnotes()
    body = []
    for subject in sorted(n_series.keys() | by_subject.keys()):
        found = tuple(by_subject[subject])
        labels = Counter(row.label for row in found)
        ranked = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
        is_known = bool(found) or subject in looked_at
        unseen = {"lesions": "no series of this subject has a mask"}
        body.append(
            (
                Cell(subject),
                Cell(grouped(n_series[subject])),
                notes.cell(grouped(len(found)) if is_known else DASH, "lesions", unseen),
                _sum_cell(found, notes) if is_known else notes.cell(DASH, "lesions", unseen),
                Cell(" · ".join(f"{label} {n}" for label, n in ranked) or ""),
            )
        )
    columns = columns_of("Subject", "#Series", "#Lesions", "#Volume (ml)", "~Labels")
    return Table("Lesions by subject", columns, tuple(body), tuple(notes.numbers))


def _sum_cell(rows: Iterable[LesionRow], notes: Footnotes) -> Cell:
    """Sum volumes; a sum with a hole in it is not printed as if it were whole."""
    volumes_ml = [row.volume_ml for row in rows]
    known = [v for v in volumes_ml if v is not None]
    total = millilitres(sum(known)) if len(known) == len(volumes_ml) else DASH
    return notes.cell(total, "sum", {"sum": "the volume of a lesion in this sum is undefined"})


def trust_table(rows: Sequence[LesionRow]) -> Table:
    """Count lesions by who made the mask and how far it was reviewed."""
    counts = Counter((row.state, row.method, row.segmenter or "") for row in rows)
    body = [
        (
            Cell(state, tag=f"state-{state}"),
            Cell(method),
            Cell(grouped(n)),
            Cell(trust_sentence(state, method, segmenter)),
        )
        for (state, method, segmenter), n in sorted(counts.items())
    ]
    columns = columns_of("State", "Method", "#Lesions", "~What that means")
    return Table("Where the masks come from", columns, tuple(body))


def burden_table(points: Sequence[BurdenPoint]) -> Table:
    """Summarise the burden at each time point."""
    visits: dict[int, list[BurdenPoint]] = defaultdict(list)
    for point in points:
        visits[point.timepoint].append(point)
    body = [
        (
            Cell(str(timepoint)),
            Cell(grouped(len(found))),
            Cell(grouped(sum(point.n_lesions for point in found))),
            Cell(_quartiles(np.array([point.volume_ml for point in found]), millilitres)),
            Cell(grouped(sum(not point.is_complete for point in found))),
        )
        for timepoint, found in sorted(visits.items())
    ]
    columns = columns_of(
        "Time point", "#Subjects", "#Lesions", "#Sum of volumes (ml)", "#Incomplete"
    )
    return Table("Burden by time point", columns, tuple(body))


def truth_summary(rows: Sequence[TruthRow]) -> Table:
    """Summarise how near the measured lesions come to the true ones."""
    errors = [e for row in rows if (e := row.volume_error_percent) is not None]
    dice = [row.dice for row in rows if row.dice is not None]
    n_missed = sum(row.volume_ml is None for row in rows)
    body = [
        ("Found", grouped(len(rows) - n_missed), len(rows)),
        ("Missed", grouped(n_missed), len(rows)),
        ("Dice, 0 for missed lesions", _quartiles(np.array(dice), _dice), len(dice)),
        ("Volume error (%)", _quartiles(np.array(errors), millimetres), len(errors)),
        ("Its size alone (%)", _quartiles(np.abs(errors), millimetres), len(errors)),
    ]
    return Table(
        "Measured against true, in short: counts, or median and quartiles",
        columns_of("", "#Count, or median (quartiles)", "#n"),
        tuple((Cell(name), Cell(value), Cell(grouped(n))) for name, value, n in body),
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
