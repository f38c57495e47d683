"""Series of the IDC index: one query with DuckDB over the parquet file that a package brings.

The index has a row a series. What it lacks (slice thickness, contrast agent, echo times, ImageType,
corrections, spacing) stands in further tables of the archive: where they lie in the same folder
under their own names, they are joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import InputError, PluginUnavailableError
from lesionary.ingest.curation import SeriesFacts, age_in_years

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INDEX_NAME = "idc_index.parquet"
INSTALL = "pip install 'lesionary[idc]'"
_NEEDED = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID", "collection_id", "Modality")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class IdcSeries:
    """One series of the archive: what curation asks, and where its files lie.

    Parameters
    ----------
    facts : SeriesFacts
        Identifiers are the archive's own UIDs, which are public.
    s3_url : str
        Prefix of its files: ``s3://bucket/uuid/*``.
    """

    facts: SeriesFacts
    s3_url: str

    @property
    def size_bytes(self) -> int:
        """Size of all files; 0 where the index does not say."""
        return self.facts.size_bytes or 0


_TABLES: dict[str, dict[str, str]] = {
    "contrast_index": {"has_contrast": "t.SeriesInstanceUID IS NOT NULL"},
    "volume_geometry_index": {
        "is_complete": "t.uniform_slice_spacing AND t.unique_slice_positions"
    },
    "ct_index": {"slice_thickness_mm": "t.SliceThickness", "image_type": "t.ImageType"},
    "mr_index": {
        "slice_thickness_mm": "t.SliceThickness",
        "scanning_sequence": "t.ScanningSequence",
        "echo_time_ms": "CASE WHEN len(t.EchoTime) = 1 THEN t.EchoTime[1] END",
        "repetition_time_ms": "t.RepetitionTime",
    },
    "pt_index": {
        "slice_thickness_mm": "t.SliceThickness",
        "corrections": "t.CorrectedImage",
        "units": "t.Units",
    },
}
"""What the further tables tell; the row of a series is ``t``."""


def connect() -> "DuckDBPyConnection":
    """Return a database in memory.

    Raises
    ------
    PluginUnavailableError
        If DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise PluginUnavailableError("DuckDB is not installed", hint=INSTALL) from None
    return duckdb.connect(":memory:", config={"enable_external_access": "true"})


def index_file(given: Path | None = None) -> Path:
    """Return the index: the given file, or the installed package's.

    Raises
    ------
    InputError
        If the given file is not there.
    PluginUnavailableError
        If none is given and the package is not installed.
    """
    if given is not None:
        path = given / INDEX_NAME if given.is_dir() else given
        if not path.is_file():
            raise InputError(
                "there is no such index",
                source=str(given),
                hint=f"name {INDEX_NAME}, or the folder that it lies in",
            )
        return path
    from importlib.util import find_spec

    spec = find_spec("idc_index_data")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / INDEX_NAME).is_file():
            return Path(folder) / INDEX_NAME
    raise PluginUnavailableError(
        "the IDC index is not installed", hint=f"{INSTALL}; or name a file with --index"
    )


@dataclass(frozen=True, slots=True)
class IdcIndex:
    """An open index: the file, its columns, and the tables beside it."""

    path: Path
    connection: Any
    columns: frozenset[str]
    tables: tuple[str, ...]

    @property
    def version(self) -> int | None:
        """Return the archive's version that the index describes, or None."""
        column = "series_revised_idc_version"
        if column not in self.columns:
            return None
        row = self.connection.execute(f"SELECT max({column}) FROM idc").fetchone()  # noqa: S608
        return None if row is None or row[0] is None else int(row[0])

    def has_table(self, name: str) -> bool:
        """Tell whether a further table lies beside the index."""
        return (self.path.parent / f"{name}.parquet").is_file()

    def collections(self) -> frozenset[str]:
        """Return the names of all collections."""
        rows = self.connection.execute("SELECT DISTINCT collection_id FROM idc").fetchall()
        return frozenset(str(row[0]) for row in rows if row[0] is not None)

    def series(self, collections: Sequence[str] | None = None) -> list[IdcSeries]:
        """Read the original series of these collections, or of all, in order of their UIDs.

        Analysis results, that is segmentations and the like that others added, are no candidates.
        """
        columns, joins = self._selection()
        where = ["true"]
        values: list[str] = []
        if "analysis_result_id" in self.columns:
            where.append("i.analysis_result_id IS NULL")
        if collections is not None:
            where.append(f"i.collection_id IN ({', '.join('?' * len(collections)) or 'NULL'})")
            values.extend(collections)
        query = (
            f"SELECT {', '.join(f'{value} AS {name}' for name, value in columns.items())} "  # noqa: S608
            f"FROM idc i {' '.join(joins)} WHERE {' AND '.join(where)}"
        )
        rows = self.connection.execute(query, values).fetchall()
        names = tuple(columns)
        read = [_series(dict(zip(names, row, strict=True))) for row in rows]
        return sorted(read, key=lambda one: one.facts.series)

    def _selection(self) -> tuple[dict[str, str], list[str]]:
        wanted = {
            "series": "SeriesInstanceUID",
            "study": "StudyInstanceUID",
            "subject": "PatientID",
            "modality": "Modality",
            "body_part": "BodyPartExamined",
            "description": "SeriesDescription",
            "study_description": "StudyDescription",
            "n_slices": "instanceCount",
            "age": "PatientAge",
            "sex": "PatientSex",
            "series_number": "SeriesNumber",
            "collection": "collection_id",
            "licence": "license_short_name",
            "size_mb": "series_size_MB",
            "s3_url": "series_aws_url",
        }
        columns = {
            name: f"i.{column}" if column in self.columns else "NULL"
            for name, column in wanted.items()
        }
        joins = []
        several: dict[str, list[str]] = {}
        for table in self.tables:
            joins.append(f"LEFT JOIN {table} ON {table}.SeriesInstanceUID = i.SeriesInstanceUID")
            for name, value in _TABLES[table].items():
                several.setdefault(name, []).append(f"({value.replace('t.', f'{table}.')})")
        columns |= {name: f"coalesce({', '.join(values)})" for name, values in several.items()}
        if "has_contrast" in columns:  # of no row the table says nothing: no agent was named
            columns["has_contrast"] = f"nullif({columns['has_contrast']}, false)"
        return columns, joins


def open_index(given: Path | None = None) -> IdcIndex:
    """Open the index, with what tables lie in its folder.

    Raises
    ------
    InputError
        If the file is no parquet, or lacks a column that a series cannot be told without.
    PluginUnavailableError
        If DuckDB or the index is not installed.
    """
    path = index_file(given)
    connection = connect()
    columns = _view(connection, "idc", path)
    if missing := [column for column in _NEEDED if column not in columns]:
        raise InputError(
            f"the index lacks {', '.join(missing)}", source=str(path), hint="take idc_index.parquet"
        )
    tables = []
    for table in _TABLES:
        beside = path.parent / f"{table}.parquet"
        if beside.is_file():
            _view(connection, table, beside)
            tables.append(table)
    return IdcIndex(path, connection, columns, tuple(tables))


def _view(connection: "DuckDBPyConnection", name: str, path: Path) -> frozenset[str]:
    import duckdb

    quoted = str(path).replace("'", "''")
    try:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")  # noqa: S608
        rows = connection.execute(f"DESCRIBE {name}").fetchall()
    except duckdb.Error:
        raise InputError(
            "this is no parquet file", source=str(path), hint=f"take the archive's {INDEX_NAME}"
        ) from None
    return frozenset(str(row[0]) for row in rows)


def _series(row: dict[str, Any]) -> IdcSeries:
    size_mb = row.pop("size_mb")
    number = str(row.pop("series_number") or "").strip()
    url = row.pop("s3_url") or ""
    age = age_in_years(row.pop("age"))
    for name in ("image_type", "scanning_sequence", "corrections"):
        if row.get(name) is not None:
            row[name] = tuple(str(value) for value in row[name])
    facts = SeriesFacts(
        **row,
        age_years=age,
        series_number=int(number) if number.isascii() and number.isdecimal() else None,
        size_bytes=None if size_mb is None else round(size_mb * _MEGABYTE),
    )
    return IdcSeries(facts, url)
