"""Response over time from a table of lesions: what ``lesionary file respond`` does, for Python."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError, LesionaryError
from lesionary.io.limits import MIB
from lesionary.io.opening import opened, size_of
from lesionary.measure.response.judging import respond as judged
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import Criteria
from lesionary.measure.response.rows import parse_table
from lesionary.measure.uncertainty.records import UncertainTimepoint

if TYPE_CHECKING:
    from lesionary.measure.uncertainty.plan import UncertaintyPlan

LARGEST_BYTES = 256 * MIB
"""Some two million rows; what is larger is something else."""


def respond(
    table: str | os.PathLike[str],
    *,
    criteria: str = "recist11",
    confirm_days: int = 28,
    sd_min_days: int = 0,
    strict: bool = False,
    uncertainty: str | os.PathLike[str] | None = None,
) -> list[dict[str, Any]]:
    """Judge a table of lesions by RECIST 1.1, or by iRECIST too.

    Parameters
    ----------
    table : path
        CSV with the columns ``subject,timepoint,lesion,role,kind,organ,diameter_mm,status`` and,
        where known, ``date,modality,slice_thickness_mm,merged_into,part,reader``.
    criteria : str
        ``recist11`` or ``irecist``.
    confirm_days, sd_min_days : int
        For the confirmed best overall response.
    strict : bool
        Refuse baselines beyond the guideline: more than 5 targets, more than 2 an organ, too small.
    uncertainty : path, optional
        TOML or JSON with a model of readers' errors: each row gets the probability of each
        category, as ``docs/reference/uncertainty.md`` has it.

    Returns
    -------
    list of dict
        One object for each subject, reader and time point, baselines included, as
        ``docs/reference/respond.md`` has it.

    Raises
    ------
    InputError
        If the file cannot be read or lacks columns, or any row is faulty; the error lists each
        with its line. If the model cannot be read, or there are too few readers for it.
    """
    plan = None if uncertainty is None else _plan(uncertainty)
    options = ResponseOptions(criteria_named(criteria), confirm_days, sd_min_days, strict)
    try:
        rows = parse_table(text_of(Path(table)))
        found = judged(rows.observations, options, faults=rows.faults)
        uncertain = () if plan is None else plan.judge(rows.observations)
    except LesionaryError as error:
        raise error.at(str(table)) from None
    plain = [row.to_json(options.criteria) for row in found]
    return with_uncertainty(plain, uncertain) if uncertain else plain


def _plan(path: str | os.PathLike[str]) -> "UncertaintyPlan":
    from lesionary.app.files.uncertainty import read_plan

    return read_plan(path)


def with_uncertainty(
    rows: Sequence[dict[str, Any]], uncertain: Sequence[UncertainTimepoint]
) -> list[dict[str, Any]]:
    """Add to each time point how likely each of its categories is; both are in one order."""
    found = []
    for row, one in zip(rows, uncertain, strict=True):
        more = one.to_json()
        found.append(row | more | {"reason": row["reason"] | more["reason"]})
    return found


def criteria_named(word: str) -> Criteria:
    """Return the criteria that a word names."""
    if not isinstance(word, str) or word not in set(Criteria):
        raise InputError(f"criteria is {' or '.join(Criteria)}, not {word!r}")
    return Criteria(word)


def text_of(path: Path) -> str:
    """Read a table, refusing what is far too large for one."""
    with opened(path) as file:
        if size_of(file) > LARGEST_BYTES:
            raise InputError(
                f"a table of {size_of(file)} bytes is larger than {LARGEST_BYTES}",
                code="too_large",
                hint="name a table of lesions",
            )
        return file.read().decode("utf-8", errors="replace")
