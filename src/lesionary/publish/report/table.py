"""What a table of the report is: text cells, and a reason below it for every dash."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lesionary.publish.report.summary import Statistic
from lesionary.publish.report.wording import DASH, grouped, shortened


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, a longer text behind it, a footnote, a colour, a kind of tag."""

    text: str
    title: str = ""
    note: int | None = None
    colour: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and whether numbers or sentences stand below it; else short text."""

    text: str
    is_number: bool = False
    is_prose: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print: the first cell of a row names the row.

    ``notes`` are numbered from 1 and explain the dashes.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Footnotes:
    """Numbers reasons in the order in which a table meets them; equal reasons share a number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def cell(self, text: str, name: str, reasons: Mapping[str, str]) -> Cell:
        """Return a cell; a dash gets the reason of the field ``name``."""
        if text != DASH:
            return Cell(text)
        reason = reasons.get(name, "not defined, no reason was given")
        number = self.numbers.setdefault(reason, len(self.numbers) + 1)
        return Cell(DASH, title=reason, note=number)

    def of(self, found: Statistic, text: str) -> Cell:
        """Return the cell of a statistic; a dash gets the reason why it has no value."""
        return self.cell(text, found.measure, {found.measure: found.reason})

    def count_of(self, found: Statistic) -> Cell:
        """Return the cell of a count, or a dash where nobody has looked."""
        return self.of(found, DASH if found.value is None else grouped(int(found.value)))


def columns_of(*names: str) -> tuple[Column, ...]:
    """Make headings; ``#`` marks a column of numbers, ``~`` one of sentences."""
    return tuple(
        Column(name.lstrip("#~"), name.startswith("#"), name.startswith("~")) for name in names
    )


def name_cell(series: str) -> Cell:
    """Name a row by its series; a long name is shortened and kept whole behind it."""
    text = shortened(series)
    return Cell(text, title=series if text != series else "")
