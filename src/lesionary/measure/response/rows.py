"""A table of lesions as text: its rows, and whatever is wrong with them, by line."""

import csv
import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from typing import TypeVar

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.response.amounts import parse_mm
from lesionary.measure.response.faults import RowFault
from lesionary.measure.response.records import Observation, Role, Status

REQUIRED = (
    "subject", "timepoint", "lesion", "role", "kind", "organ", "diameter_mm", "status",
)  # fmt: skip
OPTIONAL = ("date", "modality", "slice_thickness_mm", "merged_into", "part", "reader")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}", re.ASCII)
_LONGEST_FIELD = 10_000
_Word = TypeVar("_Word", bound=StrEnum)

NOT_TEXT = "bytes that are not UTF-8 text"
UNREADABLE = "the table is unreadable from here: a quote is open, or out of place"


@dataclass(frozen=True, slots=True)
class ResponseTable:
    """A table as read.

    Parameters
    ----------
    observations : tuple of Observation
        One a row, in the table's order, faulty ones included as far as they can be read.
    faults : tuple of RowFault
        With an empty tuple, all is well.
    """

    observations: tuple[Observation, ...]
    faults: tuple[RowFault, ...]


def parse_table(text: str) -> ResponseTable:
    r"""Read a table of lesions.

    Parameters
    ----------
    text : str
        CSV: a BOM, any line ends, quotes, columns in any order. Names and identifiers are text as
        they stand (``007``, ``NA``); only an empty field is missing; spaces around a field do not
        matter. Columns that mean nothing here are left alone.

    Returns
    -------
    ResponseTable

    Raises
    ------
    InputError
        Code ``bad_table``: a column is missing or there twice, there is no row, or the header is
        not UTF-8.

    Examples
    --------
    >>> head = "subject,timepoint,lesion,role,kind,organ,diameter_mm,status"
    >>> table = parse_table(head + "\n007,0,A,target,tumour,liver,12.5,present\n")
    >>> table.observations[0].subject, table.observations[0].diameter_mm
    ('007', Decimal('12.5'))
    """
    faults: list[RowFault] = []
    records = _records(text.removeprefix("\ufeff"), faults)
    _, header = next(records, (1, []))
    columns = _columns(header)
    observations = []
    for line, record in records:
        reader = _RowReader(line, faults)
        observations.append(reader.observation(reader.values(columns, record)))
    if not observations and not faults:
        raise InputError(
            "the table has no row", code="bad_table", hint="give one row a lesion and time point"
        )
    return ResponseTable(tuple(observations), tuple(faults))


def _records(text: str, faults: list[RowFault]) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the line where it begins."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    start = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            faults.append(RowFault(start, UNREADABLE))
            return
        line, start = start, reader.line_num + 1
        if any(value.strip() for value in record):
            yield line, record


def _columns(header: list[str]) -> list[str]:
    columns = [name.strip() for name in header]
    missing = [name for name in REQUIRED if name not in columns]
    twice = [name for name in (*REQUIRED, *OPTIONAL) if columns.count(name) > 1]
    if missing and any("\ufffd" in name or "\x00" in name for name in columns):
        raise InputError(
            f"the table's header holds {NOT_TEXT}",
            code="bad_table",
            hint="save the table as CSV in UTF-8, not in UTF-16 or another encoding",
        )
    if missing:
        raise InputError(
            f"the table lacks the column {', '.join(missing)}",
            code="bad_table",
            hint=f"separated by commas: {','.join(REQUIRED)}; if known: {','.join(OPTIONAL)}",
        )
    if twice:
        raise InputError(f"the table has a column twice: {', '.join(twice)}", code="bad_table")
    return columns


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Reads one row and notes what is wrong with it."""

    line: int
    faults: list[RowFault]

    def values(self, columns: list[str], record: list[str]) -> dict[str, str]:
        """Return the row by column, missing fields empty."""
        if len(record) != len(columns):
            self._note(f"{len(record)} fields under {len(columns)} columns")
        if any("\ufffd" in value or "\x00" in value for value in record):
            self._note(NOT_TEXT)
        if any(len(value) > _LONGEST_FIELD for value in record):
            self._note(f"a field of more than {_LONGEST_FIELD} characters")
        padded = record + [""] * (len(columns) - len(record))
        return {name: value.strip() for name, value in zip(columns, padded, strict=False)}

    def observation(self, values: Mapping[str, str]) -> Observation:
        """Return the row's record, with a stand-in for what cannot be read."""
        role = self._word(values, "role", Role) or Role.NEW
        kind = self._word(values, "kind", LesionKind) or LesionKind.TUMOUR
        status = self._word(values, "status", Status) or Status.NOT_EVALUABLE
        diameter = self._mm(values, "diameter_mm")
        thickness = self._mm(values, "slice_thickness_mm")
        date = self._date(values.get("date", ""))
        return Observation(
            subject=values["subject"],
            timepoint=values["timepoint"],
            lesion=values["lesion"],
            role=role,
            kind=kind,
            organ=values["organ"],
            diameter_mm=diameter,
            status=status,
            date=date,
            modality=values.get("modality", ""),
            slice_thickness_mm=thickness,
            merged_into=values.get("merged_into", ""),
            part=values.get("part", ""),
            reader=values.get("reader", ""),
            row=self.line,
        )

    def _word(self, values: Mapping[str, str], name: str, words: type[_Word]) -> _Word | None:
        said = values[name]
        if said in set(words):
            return words(said)
        self._note(f"{name} is none of {', '.join(words)}" if said else f"no {name}")
        return None

    def _mm(self, values: Mapping[str, str], name: str) -> Decimal | None:
        said = values.get(name, "")
        if not said:
            return None
        try:
            return parse_mm(said)
        except ValueError as error:
            self._note(f"{name}: {error}")
            return None

    def _date(self, said: str) -> datetime.date | None:
        if not said:
            return None
        try:
            if _DATE.fullmatch(said):
                return datetime.date.fromisoformat(said)
        except ValueError:
            pass
        self._note("date: no day written YYYY-MM-DD or YYYYMMDD")
        return None

    def _note(self, reason: str) -> None:
        self.faults.append(RowFault(self.line, reason))
