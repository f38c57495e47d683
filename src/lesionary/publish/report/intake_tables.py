"""Tables of what came in, what was left out, and how far the stages are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lesionary.publish.report.data import (
    IgnoredRow,
    LeftOutRow,
    SeriesRow,
    StageRow,
)
from lesionary.publish.report.members import grouped_by, ignored_name
from lesionary.publish.report.summary import Summary
from lesionary.publish.report.table import Cell, Footnotes, Table, columns_of, name_cell
from lesionary.publish.report.wording import DASH, grouped, rounded

if TYPE_CHECKING:
    from lesionary.publish.curation_figure import CurationFlow


def series_table(rows: Sequence[SeriesRow], summary: Summary) -> Table:
    """List what came in."""
    notes = Footnotes()
    body = [
        (
            name_cell(row.id),
            Cell(row.subject),
            Cell(str(row.timepoint)),
            Cell(row.modality),
            Cell(row.region or DASH),
            Cell(" × ".join(str(n) for n in row.shape)),
            Cell(" × ".join(rounded(mm, 2) for mm in row.spacing_mm)),
            notes.count_of(summary.get("series", row.id, "lesions")),
            _outcome_cell(row),
        )
        for row in rows
    ]
    columns = columns_of(
        "Series", "Subject", "#Time", "Modality", "Region", "Slices × rows × columns",
        "Spacing (mm)", "#Lesions", "Outcome",
    )  # fmt: skip
    return Table("Series that came in", columns, tuple(body), tuple(notes.numbers))


def remarks_table(rows: Sequence[SeriesRow]) -> Table:
    """List what the gate warned of or mended."""
    body = [
        (name_cell(row.id), _outcome_cell(row), Cell(note.code, tag="code"), Cell(note.reason))
        for row in rows
        for note in row.notes
    ]
    columns = columns_of("Series", "Outcome", "Code", "~What was noticed")
    return Table("Warnings and repairs", columns, tuple(body))


def left_out_table(rows: Sequence[LeftOutRow]) -> Table:
    """List what was refused, why, and what can be done."""
    body = [
        (
            Cell(row.source),
            Cell(row.code, tag="code"),
            Cell(DASH if row.instances is None else grouped(row.instances)),
            Cell(row.reason),
            Cell(row.hint),
        )
        for row in rows
    ]
    columns = columns_of("Source", "Code", "#Instances", "~Why", "~What to do")
    return Table("Left out, one by one", columns, tuple(body))


def left_out_summary(rows: Sequence[LeftOutRow], summary: Summary) -> Table:
    """Count what was refused by its code, the most frequent first, with that code's usual hint."""
    by_code = grouped_by((row.code, row) for row in rows)
    body = [
        (
            Cell(code, tag="code"),
            Cell(grouped(summary.count("left_out", code, "inputs"))),
            Cell(_most_common(row.reason for row in by_code[code])),
            Cell(_most_common(row.hint for row in by_code[code])),
        )
        for code in summary.groups("left_out")
    ]
    columns = columns_of("Code", "#Left out", "~Why, for example", "~What to do")
    return Table("Left out, by reason", columns, tuple(body))


def ignored_table(rows: Sequence[IgnoredRow], summary: Summary) -> Table:
    """Count what was passed over."""
    body = [
        (
            Cell(code, tag="code"),
            Cell(grouped(summary.count("ignored", ignored_name(code, reason), "files"))),
            Cell(reason),
        )
        for code, reason in sorted({(row.code, row.reason) for row in rows})
    ]
    return Table("Passed over", columns_of("Code", "#Files", "~Why"), tuple(body))


def flow_table(flow: "CurationFlow", summary: Summary) -> Table:
    """Count what every step of curation left out."""
    measures = ("series_before", "series_left_out", "series_left", "series_unchecked")
    body = [
        (
            Cell(step.label),
            *(Cell(grouped(summary.count("curation", step.label, name))) for name in measures),
        )
        for step in flow.steps
    ]
    columns = columns_of("Rule", "#Series before", "#Left out", "#Left", "#Not known")
    return Table("Curation, rule by rule", columns, tuple(body))


def stage_table(rows: Sequence[StageRow]) -> Table:
    """Count the work units of each stage."""
    body = [
        (Cell(row.stage), *(Cell(grouped(n)) for n in (row.done, row.due, row.failed)))
        for row in rows
    ]
    columns = columns_of("Stage", "#Done", "#Due", "#Failed")
    return Table("Stages of the study", columns, tuple(body))


def _outcome_cell(row: SeriesRow) -> Cell:
    codes = ", ".join(dict.fromkeys(note.code for note in row.notes))
    return Cell(row.outcome, title=codes, tag=f"outcome-{row.outcome}")


def _most_common(texts: Iterable[str]) -> str:
    """Return the most frequent text; ties go to the one that came first."""
    return Counter(texts).most_common(1)[0][0]
