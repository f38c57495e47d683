"""What makes a table unusable: every faulty row, named by its line, in one error."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesionary.core.errors import InputError

CODE = "bad_rows"

MOST_SAID = 50
"""Faults that a message says in full; the error's ``rows`` holds all."""


@dataclass(frozen=True, slots=True, order=True)
class RowFault:
    """One thing wrong with one row; never with what the row says, which may name a patient.

    Parameters
    ----------
    row : int
        Line in the table, from 1 with the header; for records without a table, their place from 1.
    reason : str
        A clause without capital or full stop.
    """

    row: int
    reason: str


_HINT = "correct these rows; docs/reference/respond.md says what each column holds"


def refuse(faults: Iterable[RowFault], hint: str = _HINT) -> None:
    """Raise one error for all faults; return where there are none.

    Raises
    ------
    InputError
        Code ``bad_rows``; its details list ``rows: [{line, reason}]``, by line.
    """
    found = sorted(set(faults))
    if found:
        raise InputError(
            _message(found),
            code=CODE,
            hint=hint,
            details={"rows": [{"line": one.row, "reason": one.reason} for one in found]},
        )


def _message(found: Sequence[RowFault]) -> str:
    n_rows = len({one.row for one in found})
    said = "; ".join(f"line {one.row}: {one.reason}" for one in found[:MOST_SAID])
    if rest := sorted({one.row for one in found[MOST_SAID:]}):
        said += f"; and more in {_lines(rest)}"
    return f"{n_rows} faulty row{'' if n_rows == 1 else 's'}: {said}"


def _lines(rows: Sequence[int]) -> str:
    """Name lines, neighbours as a range; of many ranges, how many lines they are."""
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    if len(ranges) > MOST_SAID:
        return f"{len(rows)} lines from line {rows[0]} to {rows[-1]}"
    named = [str(first) if first == last else f"{first}–{last}" for first, last in ranges]
    return f"line{'' if len(rows) == 1 else 's'} {', '.join(named)}"
