"""Two readers' table held against each other: ``lesionary file adjudicate``, for Python."""

import os
from itertools import combinations
from pathlib import Path
from typing import Any

from lesionary.app.files.response import criteria_named, text_of
from lesionary.core.errors import InputError, LesionaryError
from lesionary.measure.adjudication import Disagreement
from lesionary.measure.adjudication import adjudicate as held_against
from lesionary.measure.response.judging import respond as judged
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.rows import parse_table

FEWEST_READERS = 2


def adjudicate(
    table: str | os.PathLike[str],
    *,
    criteria: str = "recist11",
    confirm_days: int = 28,
    sd_min_days: int = 0,
) -> dict[str, Any]:
    """List the time points at which readers' overall response differs, and the lesion behind each.

    Parameters
    ----------
    table : path
        CSV as :func:`lesionary.files.respond` reads it, with a column ``reader``; a lesion bears
        one name with all readers.
    criteria : str
        ``recist11`` or ``irecist``.
    confirm_days, sd_min_days : int
        As for :func:`lesionary.files.respond`.

    Returns
    -------
    dict
        ``readers``, and ``disagreements`` of each two: ``subject, timepoint, readers, responses,
        causes, is_joint, seen``. Time points at which they agree are not listed.

    Raises
    ------
    InputError
        Code ``bad_rows`` with every faulty row, or ``usage`` where fewer than two readers read.
    """
    options = ResponseOptions(criteria_named(criteria), confirm_days, sd_min_days)
    try:
        rows = parse_table(text_of(Path(table)))
        judged(rows.observations, options, faults=rows.faults)
        readers = sorted({one.reader for one in rows.observations if one.reader})
        if len(readers) < FEWEST_READERS:
            raise InputError(
                "the table has fewer than two readers",
                code="usage",
                hint="name them in the column `reader`",
            )
        found = [
            one
            for pair in combinations(readers, 2)
            for one in held_against(rows.observations, pair, options)
        ]
    except LesionaryError as error:
        raise error.at(str(table)) from None
    return {"readers": readers, "disagreements": [disagreement_row(one) for one in found]}


def disagreement_row(one: Disagreement) -> dict[str, Any]:
    """Return a disagreement ready for JSON; a reader without the time point has null, and why."""
    row = {
        "subject": one.subject,
        "timepoint": one.timepoint,
        "readers": list(one.readers),
        "responses": [verdict and verdict.value for verdict in one.responses],
        "causes": list(one.causes),
        "is_joint": one.is_joint,
        "seen": {lesion: list(words) for lesion, words in one.seen.items()},
    }
    if None in one.responses:
        row["reason"] = {"responses": "null: this reader has no response here"}
    return row
