"""Find the cells that an address means, or in which a number stands."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import chain
from typing import Any

from lesionary.app.explain.address import UNITS, JsonPlace, PrintedNumber, TablePlace
from lesionary.app.explain.published import Published, Row
from lesionary.app.explain.records import Cell
from lesionary.core.errors import InputError

_LIST = ";"
_NOT_NUMBERS = frozenset(
    {"reason", "hint", "rule", "source", "asks", "patient_id", "segmenter_version"}
)
"""Columns that hold words, or names made of digits."""

_ONLY_IN_JSON = ("lesions.json", "metadata/series.json")
"""Of other JSON files every number stands in a CSV too."""

_STARTS = frozenset("-.0123456789")


def cell_at(release: Published, place: TablePlace) -> Cell:
    """Return a cell of a CSV, or a row where no column is named.

    Raises
    ------
    InputError
        Codes ``no_such_file``, ``no_such_line``, ``no_such_column``.
    """
    file = release.file_named(place.file)
    n_lines = 1
    for index, (first, last, row) in enumerate(release.rows(file)):
        n_lines = last
        if first <= place.line <= last:
            return _cell_of(file, first, place.column, row, index)
    if place.line == 1:
        reason, hint = "line 1 is the header", "the first row stands on line 2"
    else:
        reason, hint = f"the file has no line {place.line}", f"its last line is {n_lines}"
    raise InputError(reason, code="no_such_line", hint=hint, source=file)


def _cell_of(file: str, line: int, column: str | None, row: Row, index: int) -> Cell:
    if column is None:
        return Cell(file, str(line), None, None, row, index)
    if column not in row:
        raise InputError(
            f"no column `{column}`",
            code="no_such_column",
            hint=f"columns: {', '.join(row)}",
            source=file,
        )
    return Cell(file, f"{line}:{column}", column, row[column], row, index)


def json_cell(release: Published, place: JsonPlace) -> Cell:
    """Return a value of a JSON file, or a row.

    Raises
    ------
    InputError
        Codes ``no_such_file``, ``no_such_value``.
    """
    file = release.file_named(place.file)
    document = release.document(file)
    parts = _parts(place.pointer)
    found = document
    for n, part in enumerate(parts):
        found = _member(found, part, file, "/" + "/".join(parts[: n + 1]))
    cell = _cell_of_json(file, document, parts)
    if cell is None:
        raise InputError(
            "this is a whole table, not a row or a value of it",
            code="no_such_value",
            hint="name a row, such as lesions.json#/lesions/0",
            source=f"{file}#{place.pointer}",
        )
    return cell


def _parts(pointer: str) -> list[str]:
    if not pointer:
        return []
    text = pointer.removeprefix("/")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _member(document: Any, part: str, file: str, pointer: str) -> Any:
    if isinstance(document, list):
        known = f"0 to {len(document) - 1}" if document else "nothing: the list is empty"
        if part.isdecimal() and int(part) < len(document):
            return document[int(part)]
    elif isinstance(document, dict):
        known = ", ".join(document) or "nothing: the object is empty"
        if part in document:
            return document[part]
    else:
        known = "a value, with nothing below it"
    raise InputError(
        f"there is nothing at {pointer}",
        code="no_such_value",
        hint=f"there is: {known}",
        source=file,
    )


def _cell_of_json(file: str, document: Any, parts: Sequence[str]) -> Cell | None:
    """Return what a pointer leads to: part of a table's row, or of an object of names."""
    n_above = 1 if file == "lesions.json" else 0
    table = document[parts[0]] if n_above and parts else document
    own = list(parts[n_above:])
    if not own:
        return None
    pointer = "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)
    index = int(own.pop(0)) if isinstance(table, list) else 0
    row = table[index] if isinstance(table, list) else table
    if not own:
        return Cell(file, pointer, None, None, row, index)
    value = row
    for part in own:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return Cell(file, pointer, own[0], json_text_of(value), row, index, tuple(own[1:]))


def json_text_of(value: Any) -> str:
    """Write a JSON value as a CSV's cell would hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def cells_with(release: Published, number: PrintedNumber) -> list[Cell]:
    """Return every cell that holds exactly the number, then every one that rounds to it.

    Of a whole number that some cells hold exactly only those count: `8` is a count, not 7.9 ml.
    But 0.80 may well be what 0.7966 was printed as, wherever else exactly 0.8 stands.
    """
    found: dict[str, list[Cell]] = {"exact": [], "rounded": []}
    near = _Near(number)
    for text, cell in chain(_csv_numbers(release), _json_numbers(release)):
        kind = near.kind_of(text)
        if kind is not None:
            made = cell()
            if number.unit is None or _has_unit(made, number.unit):
                found[kind].append(made)
    is_whole = number.half_step >= Decimal("0.5")
    if is_whole and found["exact"]:
        return found["exact"]
    return found["exact"] + found["rounded"]


class _Near:
    """Compares texts with a number: a quick look first, exact decimals then."""

    def __init__(self, number: PrintedNumber) -> None:
        self._value, self._half = number.value, number.half_step
        self._low = float(number.value - number.half_step)
        self._high = float(number.value + number.half_step)
        slack = 1e-9 * max(abs(self._low), abs(self._high), 1e-300)
        self._low, self._high = self._low - slack, self._high + slack

    def kind_of(self, text: str) -> str | None:
        """Return ``exact``, ``rounded``, or None for another number."""
        try:
            if not self._low <= float(text) <= self._high:
                return None
            value = Decimal(text)
        except (ValueError, InvalidOperation):
            return None
        if value == self._value:
            return "exact"
        return "rounded" if abs(value - self._value) <= self._half else None


def _has_unit(cell: Cell, unit: str) -> bool:
    named = UNITS[unit]
    if cell.column == "mean_intensity":
        return bool(cell.row.get("quantity") == named)
    if cell.file == "metadata/series.json" and named == "_mm":
        return str(cell.column).endswith(("_spacing", "_thickness"))
    column = cell.column or ""
    is_count = column == "n" or column.startswith("n_")
    row_unit = "" if is_count else f"_{cell.row.get('unit', '')}"
    names = (column, str(cell.row.get("metric", "")), row_unit)
    return any(name.endswith(named) or f"{named}_" in name for name in names)


def _csv_numbers(release: Published) -> Iterator[tuple[str, Callable[[], Cell]]]:
    """Yield every number of every CSV, with what makes its cell; of a list one by one."""
    for file in release.files:
        if not file.endswith(".csv"):
            continue
        for index, (line, _, row) in enumerate(release.rows(file)):
            for column, text in row.items():
                if column not in _NOT_NUMBERS and text[:1] in _STARTS:
                    make = partial(Cell, file, f"{line}:{column}", column, text, row, index)
                    yield from ((part, make) for part in text.split(_LIST))


def _json_numbers(release: Published) -> Iterator[tuple[str, Callable[[], Cell]]]:
    """Yield the numbers that stand in JSON files only."""
    for file in (name for name in _ONLY_IN_JSON if name in release.sums):
        document = release.document(file)
        for parts, value in _leaves(document, ()):
            if file != "lesions.json" or parts[0] == "dropped" or "points" in parts[2]:
                yield json_text_of(value), partial(_known_cell, file, document, parts)


def _known_cell(file: str, document: Any, parts: Sequence[str]) -> Cell:
    cell = _cell_of_json(file, document, parts)
    assert cell is not None  # noqa: S101 - a number stands in a row
    return cell


def _leaves(value: Any, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*parts, key))
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _leaves(one, (*parts, str(n)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield parts, value
