"""Reviewers' ratings of drafts: what ``lesionary file ratings`` does, for Python too."""

import os
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError, LesionaryError
from lesionary.evaluate.rating_summary import summarise_ratings
from lesionary.evaluate.ratings import parse_ratings
from lesionary.io.limits import MIB
from lesionary.io.opening import opened, size_of

LARGEST_BYTES = 256 * MIB
"""A table of ratings is text by hand; what is larger is something else."""


def rating_summary(
    table: str | os.PathLike[str],
    *,
    group_by: str | None = None,
    out: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Summarise a ``qa-results.csv``: counts by reviewer, agreement of each two, means by group.

    Parameters
    ----------
    table : path
        CSV with the columns ``Reviewer`` and ``LikertScore`` at least. Bytes that are no UTF-8 are
        reported by line and read as they can be.
    group_by : str, optional
        A column, such as ``ContrastPhase``.
    out : path, optional
        Folder for tables (CSV, JSON, LaTeX) and figures (SVG, PNG).

    Returns
    -------
    dict
        ``{source, reviewers, rows, scale, counts, pairs, group_by, groups, findings, cases}``, as
        :func:`lesionary.evaluate.rating_summary.summarise_ratings` has it.

    Raises
    ------
    InputError
        If the file cannot be read, lacks those columns, holds no rating at all, or the grouping is
        not possible.
    """
    try:
        with opened(Path(table)) as file:
            if size_of(file) > LARGEST_BYTES:
                raise InputError(
                    f"a table of {size_of(file)} bytes is larger than {LARGEST_BYTES}",
                    code="too_large",
                    hint="name a table of ratings",
                )
            text = file.read().decode("utf-8", errors="replace")
        found = summarise_ratings(parse_ratings(text), group_by=group_by)
        if not any(row["rated"] for row in found["counts"]):
            raise InputError(
                "no row holds a rating by a named reviewer",
                code="bad_table",
                hint="Reviewer names who rated, LikertScore is a whole number from 1 to 5",
            )
    except LesionaryError as error:
        raise error.at(str(table)) from None
    document = {"source": str(table), **found}
    return document if out is None else document | {"written": _write(Path(out), found)}


def _write(folder: Path, found: dict[str, Any]) -> list[str]:
    from lesionary.app.comparison_files import write_comparison
    from lesionary.publish.comparison.ratings import rating_pictures, rating_tables

    about = {"compared": "reviewers' ratings", "reviewers": found["reviewers"]}
    return write_comparison(folder, rating_tables(found), rating_pictures(found), about=about)
