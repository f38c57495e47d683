"""Published results of others: which studies and series they belong to, as far as files tell."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError
from lesionary.ingest.curation.words import first_found
from lesionary.io.idc.index import IdcIndex, connect

LINKS = "seg_index"
"""The archive's table that joins a segmentation to the series it was drawn on."""
LINK_COLUMN = "segmented_SeriesInstanceUID"
_CASE_COLUMNS = ("SeriesInstanceUID", "PTSeriesInstanceUID", "CTSeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """One series of results, and the study it lies in."""

    series: str
    study: str


def published_results(
    index: IdcIndex,
    result: str,
    descriptions: Sequence[str],
    collections: Collection[str],
    modality: str,
) -> list[PublishedResult]:
    """Return results of one analysis whose study has a series of the modality.

    Parameters
    ----------
    index : IdcIndex
    result : str
        Its ``analysis_result_id``.
    descriptions : sequence of str
        Patterns of words that their SeriesDescription has.
    collections : collection of str
        Of their subjects.
    modality : str
        Of the images they were made from: tasks on CT and MR may share one description.

    Returns
    -------
    list of PublishedResult
        In order of their UIDs; empty where the index lacks the columns.
    """
    needed = {"analysis_result_id", "SeriesDescription"}
    if not needed <= index.columns or not collections:
        return []
    places = ", ".join("?" * len(collections))
    rows = index.connection.execute(
        "SELECT SeriesInstanceUID, StudyInstanceUID, SeriesDescription, Modality, "  # noqa: S608
        f"analysis_result_id FROM idc WHERE collection_id IN ({places}) "
        "AND (analysis_result_id = ? OR (analysis_result_id IS NULL AND Modality = ?))",
        [*collections, result, modality],
    ).fetchall()
    studies = {study for _, study, _, _, analysis in rows if analysis is None}
    found = [
        PublishedResult(series, study)
        for series, study, description, _, analysis in rows
        if analysis is not None and study in studies and first_found(descriptions, description)
    ]
    return sorted(found, key=lambda one: one.series)


def linked_cases(
    index: IdcIndex, links: Path | None, results: Sequence[PublishedResult]
) -> list[tuple[str, ...]] | None:
    """Return the source series of every published case, or None where nothing links them.

    Parameters
    ----------
    index : IdcIndex
    links : Path, optional
        The archive's ``seg_index.parquet``, or a CSV with a column ``SeriesInstanceUID``, or
        ``PTSeriesInstanceUID`` and ``CTSeriesInstanceUID``. Without it ``seg_index.parquet``
        beside the index is taken, if there.
    results : sequence of PublishedResult
        Whose sources a parquet is asked for; a CSV holds those of its own task.

    Raises
    ------
    InputError
        If the file cannot be read or has none of these columns.
    """
    if links is None:
        links = index.path.parent / f"{LINKS}.parquet"
        if not links.is_file():
            return None
    if links.suffix == ".parquet":
        return _cases_of_parquet(links, [one.series for one in results])
    return _cases_of_csv(links)


def _cases_of_parquet(path: Path, series: Sequence[str]) -> list[tuple[str, ...]]:
    import duckdb

    quoted = str(path).replace("'", "''")
    query = f"SELECT SeriesInstanceUID, {LINK_COLUMN} FROM read_parquet('{quoted}')"  # noqa: S608
    try:
        rows: list[Any] = connect().execute(query).fetchall()
    except duckdb.Error:
        raise InputError(f"this is no parquet file with {LINK_COLUMN}", source=str(path)) from None
    wanted = set(series)
    return sorted((str(source),) for one, source in rows if one in wanted and source)


def _cases_of_csv(path: Path) -> list[tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise InputError(
            "the links cannot be read",
            source=str(path),
            hint="--links takes the archive's seg_index.parquet, or a CSV in UTF-8",
        ) from None
    columns = [name for name in _CASE_COLUMNS if rows and name in rows[0]]
    if not columns:
        raise InputError(
            f"the links have none of the columns {', '.join(_CASE_COLUMNS)}",
            source=str(path),
            hint="--links takes the archive's seg_index.parquet, or a CSV with such columns",
        )
    cases = {tuple(row[name] or "" for name in columns) for row in rows}
    return sorted(case for case in cases if all(case))
