"""Texts that come along with images: label names and boxes. Parsed and checked, never guessed."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO

from lesionary.core.errors import InputError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Box
from lesionary.ingest.file_gate import LARGEST_LABEL

BOX_COLUMNS = ("image", "lesion", "i0", "i1", "j0", "j1", "k0", "k1", "label")
_BOUNDS = ("k0", "k1", "j0", "j1", "i0", "i1")
_OPTIONAL = ("label",)


def read_table(text: str, columns: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV: columns in any order, with or without a BOM, any line ends, text only.

    Parameters
    ----------
    text : str
        The file, decoded.
    columns : iterable of str
        Columns that must be there; others are kept.

    Returns
    -------
    list of (int, dict)
        Line number, counted from 1 with the header, and the row; a short row's rest is empty.

    Raises
    ------
    InputError
        If a column is missing or there twice.
    """
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in columns if name not in header]
        if missing or len(set(header)) != len(header):
            problem = f"lacks the columns {', '.join(missing)}" if missing else "has a column twice"
            raise InputError(f"the table {problem}", hint="see the columns in the manual")
        rows = []
        for values in reader:
            if any(value.strip() for value in values):
                n_surplus = len(values) - len(header)
                if n_surplus > 0:  # a label such as m,liver without quotes, in the last column
                    values[-1 - n_surplus :] = [",".join(values[-1 - n_surplus :])]
                padded = values + [""] * (len(header) - len(values))
                row = {name: value.strip() for name, value in zip(header, padded, strict=False)}
                rows.append((reader.line_num, row))
    except csv.Error as error:
        raise InputError(f"the table breaks off at line {reader.line_num}") from error
    return rows


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One box of a ``boxes.csv``.

    Parameters
    ----------
    line : int
        Where it stands, from 1 with the header.
    image : str
        What the table calls the image.
    lesion : str
        The lesion's name: text, ``007`` is not ``7``.
    box : Box
        Half-open ranges along ``(k, j, i)``.
    label : str
        Such as ``m,liver``; empty where the table says nothing.
    """

    line: int
    image: str
    lesion: str
    box: Box
    label: str

    def fits(self, shape: tuple[int, int, int]) -> bool:
        """Whether the box lies inside an image of that shape."""
        return all(part.stop <= size for part, size in zip(self.box, shape, strict=True))


def parse_boxes(text: str) -> tuple[tuple[BoxRow, ...], tuple[Finding, ...]]:
    """Read a ``boxes.csv`` of the columns ``image,lesion,i0,i1,j0,j1,k0,k1,label``.

    Ranges are half-open and count from 0. ``label`` may be left out.

    Returns
    -------
    tuple of BoxRow
        The good rows.
    tuple of Finding
        ``bad_box``, left out, for each other row, with its line number.

    Raises
    ------
    InputError
        If the table itself cannot be read.
    """
    rows: list[BoxRow] = []
    findings: list[Finding] = []
    lines: dict[tuple[str, str], int] = {}
    for line, row in read_table(text, [name for name in BOX_COLUMNS if name not in _OPTIONAL]):
        problem = _problem_of(row)
        name = (row["image"], row["lesion"])
        if not problem and name in lines:
            problem = f"this image's lesion has a box already, in line {lines[name]}"
        if problem:
            hint = "ranges are half-open and count from 0: i0 < i1"
            findings.append(Finding("bad_box", Outcome.LEFT_OUT, f"line {line}: {problem}", hint))
            continue
        lines[name] = line
        k0, k1, j0, j1, i0, i1 = (int(row[bound]) for bound in _BOUNDS)
        box = (slice(k0, k1), slice(j0, j1), slice(i0, i1))
        rows.append(BoxRow(line, row["image"], row["lesion"], box, row.get("label", "")))
    return tuple(rows), tuple(findings)


def _problem_of(row: Mapping[str, str]) -> str:
    empty = [name for name in ("image", "lesion") if not row[name]]
    if empty:
        return f"{' and '.join(empty)} empty"
    odd = [name for name in _BOUNDS if not (row[name].isascii() and row[name].isdigit())]
    if odd:
        return f"{', '.join(sorted(odd))} must be whole numbers from 0"
    if any(len(row[name]) > 9 for name in _BOUNDS):
        return "a range beyond any image"
    for axis in "kji":
        if int(row[f"{axis}0"]) >= int(row[f"{axis}1"]):
            return f"{axis}0 = {row[f'{axis}0']} is not below {axis}1 = {row[f'{axis}1']}"
    return ""


def parse_label_texts(text: str) -> dict[int, str]:
    """Read label texts such as ``{"1": "m,liver"}``.

    Raises
    ------
    InputError
        If it is no JSON object of label values, 1 to 65535, to texts.
    """
    content = parse_json(text)
    if not isinstance(content, dict):
        raise InputError("label texts are one JSON object of values to texts")
    labels: dict[int, str] = {}
    for key, value in content.items():
        is_label = key.isascii() and key.isdigit() and len(key) < 6
        if not is_label or not 0 < int(key) <= LARGEST_LABEL or not isinstance(value, str):
            raise InputError(
                f"label texts go from values 1 to {LARGEST_LABEL} to texts",
                hint='such as {"1": "m,liver"}',
            )
        labels[int(key)] = value.strip()
    return labels


def parse_json(text: str) -> object:
    """Read a JSON text, with or without a BOM.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        content: object = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError("the text is no JSON", hint="check it with a JSON editor") from error
    return content
