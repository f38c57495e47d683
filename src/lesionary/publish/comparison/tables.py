"""A table once, in three forms: CSV and JSON with every digit, LaTeX as a paper prints it."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lesionary.publish.tables import csv_text, json_text

DASH = "–"
"""Stands for an undefined value."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "κ": r"$\kappa$",
    "τ": r"$\tau$",
    "ρ": r"$\rho$",
    "α": r"$\alpha$",
    "µ": r"$\mu$",
    "²": r"$^2$",
    "−": r"$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "–": "--",
    "…": r"\ldots{}",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the printed form.

    Parameters
    ----------
    key : str
        Field of the rows.
    heading : str
        What stands above, with the unit.
    decimals : int, optional
        Of a number; None prints it as it is.
    spread : str, optional
        Field of the standard deviation, printed behind ±.
    count : str, optional
        Field of the number of values behind a mean, printed where it is not the row's ``n``.
    words : mapping, optional
        What stands for a value, such as a metric's name.
    """

    key: str
    heading: str
    decimals: int | None = None
    spread: str | None = None
    count: str | None = None
    words: Mapping[Any, str] = field(default_factory=dict)

    def text(self, row: Mapping[str, Any]) -> str:
        """Return what is printed: rounded, with a real minus; a dash where it is undefined."""
        value = row.get(self.key)
        if value is None:
            return DASH
        if self.decimals is None or isinstance(value, str):
            named = self.words.get(value) if isinstance(value, Hashable) else None
            return named or _plain(value)
        text = _rounded(float(value), self.decimals)
        spread = row.get(self.spread) if self.spread else None
        if spread is not None:
            text += f" ± {_rounded(float(spread), self.decimals)}"
        count = row.get(self.count) if self.count else None
        return text if count in {None, row.get("n")} else f"{text} (n = {count})"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind.

    Parameters
    ----------
    name : str
        Of the files, and the LaTeX label ``tab:name``.
    caption : str
        What the table shows, with its denominators and its domain.
    columns : sequence of Column
        Those of the printed form; CSV and JSON hold every field.
    rows : sequence of mappings
        Fields may be missing in some rows.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]

    @property
    def fields(self) -> list[str]:
        """Every field of any row, in the order in which they first appear."""
        return list(dict.fromkeys(field for row in self.rows for field in row))

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield name and text of the three files."""
        yield f"{self.name}.csv", csv_text(self._csv_fields(), map(_flat, self.rows))
        yield f"{self.name}.json", json_text([dict(row) for row in self.rows])
        yield f"{self.name}.tex", self.latex()

    def _csv_fields(self) -> list[str]:
        return self.fields or [column.key for column in self.columns]

    def latex(self) -> str:
        """Return the printed form: booktabs rules, numbers to the right."""
        kinds = "".join("r" if self.is_numeric(column) else "l" for column in self.columns)
        head = " & ".join(latex_escaped(column.heading) for column in self.columns)
        body = [
            " & ".join(latex_escaped(column.text(row)) for column in self.columns)
            for row in self.rows
        ]
        lines = [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex_escaped(self.caption)}}}",
            rf"\label{{tab:{self.name}}}",
            rf"\begin{{tabular}}{{{kinds}}}",
            r"\toprule",
            rf"{head} \\",
            r"\midrule",
            *(rf"{line} \\" for line in body),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def is_numeric(self, column: Column) -> bool:
        """Tell whether a column holds numbers, which stand to the right."""
        values = [row.get(column.key) for row in self.rows]
        known = [value for value in values if value is not None]
        return bool(known) and not any(isinstance(value, str | bool | list) for value in known)


def latex_escaped(text: str) -> str:
    r"""Write a text so that LaTeX prints it as it is.

    >>> print(latex_escaped("50 % of A_1"))
    50 \% of A\_1
    """
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _rounded(value: float, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    is_negative = value < 0 and float(text) != 0
    return f"−{text}" if is_negative else text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value)
    return str(value)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write lists and reasons of a row as one cell each."""
    return {key: _cell(value) for key, value in row.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list | tuple):
        return ";".join("" if entry is None else _plain(entry) for entry in value)
    return value
