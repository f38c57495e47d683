"""A registry of many series, filled in bulk: rows as the code writes them, and its counts.

Rows are copies of one series' rows with other names and objects, in the form in which they are
stored; units have the outputs of ``prepare``, ``annotate`` and ``measure`` with two lesions. Hashes
(facts, keys, the chain's own) are of the right length and all different, but hash nothing. Only
tables are filled: no object lies behind them. The database makes the rows itself, from numbers.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from lesionary.io.registry import tables
from lesionary.io.registry.facts import stored
from lesionary.io.registry.guards import add_guards, drop_guards
from lesionary.io.registry.place import POSTGRES
from lesionary.io.registry.registry import Registry, utc_now

HOLE = "0" * 64
"""Stands in a row's JSON where every series has an object of its own."""

SERIES_A_SUBJECT = 2
SLICES_A_SERIES = 320
FINDING_EVERY = 20
RUN_ID = "run-1"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database says what differs from row to row; ``{n}`` is the row's number.

    Parameters
    ----------
    numbers : str
        A table ``numbers`` with the column ``n``, from 1 to ``{last}``.
    hashed : str
        A number as 64 hexadecimal digits.
    padded : str
        ``{prefix}`` and a number of ``{width}`` digits or more.
    """

    numbers: str
    hashed: str
    padded: str


SQLITE = Dialect(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})",
    "printf('%064x', {n})",
    "printf('{prefix}%0{width}d', {n})",
)
POSTGRESQL = Dialect(
    "WITH numbers(n) AS (SELECT generate_series(1, {last}))",
    "lpad(to_hex({n}), 64, '0')",
    "'{prefix}' || lpad(({n})::text, greatest({width}, length(({n})::text)), '0')",
)


class Varying(Protocol):
    """What differs from row to row."""

    def sql(self, dialect: Dialect) -> str:
        """Return it as an expression of ``n``."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A number, by an expression that both databases understand."""

    of: str = "n"

    def sql(self, dialect: Dialect) -> str:  # noqa: ARG002 - the same in both
        """Return it as an expression of ``n``."""
        return self.of


@dataclass(frozen=True, slots=True)
class Name:
    """A prefix and a number."""

    prefix: str
    width: int = 1
    of: str = "n"

    def sql(self, dialect: Dialect) -> str:
        """Return it as an expression of ``n``."""
        return dialect.padded.format(prefix=self.prefix, width=self.width, n=self.of)


@dataclass(frozen=True, slots=True)
class Hash:
    """What stands for a hash."""

    of: str = "n"

    def sql(self, dialect: Dialect) -> str:
        """Return it as an expression of ``n``."""
        return dialect.hashed.format(n=self.of)


SUBJECT_OF = f"(n + {SERIES_A_SUBJECT - 1}) / {SERIES_A_SUBJECT}"
SERIES = Name("ser-", 4)
TIMEPOINT = Name("00000000-0000-5000-8000-", 12)


@dataclass(frozen=True, slots=True)
class Part:
    """A table's rows: so many copies of one, and what is another in each.

    ``kind`` is how events name the rows' objects, ``named`` the column that they are named by;
    an event's own rows have none.
    """

    table: sa.Table
    n_rows: int
    row: Mapping[str, Any]
    varying: Mapping[str, Varying]
    kind: str = ""
    named: str = "id"

    def statement(self, dialect: Dialect, mark: str) -> tuple[str, list[Any]]:
        """Return the statement that makes the rows, and the values at its marks."""
        columns, values = [], []
        for name, value in stored(self.table, self.row).items():
            if name in self.varying:
                columns.append(self.varying[name].sql(dialect))
            else:
                has_hole = isinstance(value, str) and HOLE in value
                hashed = dialect.hashed.format(n="n")
                columns.append(f"replace({mark}, '{HOLE}', {hashed})" if has_hole else mark)
                values.append(value)
        numbers = dialect.numbers.format(last=self.n_rows)
        insert = f"INSERT INTO {self.table.name} {numbers} SELECT {', '.join(columns)} FROM numbers"  # noqa: S608 - our own names
        return insert, values


_MADE = {
    "method": "MANUAL",
    "reader": "anna",
    "segmenter": None,
    "segmenter_version": None,
    "state": "unreviewed",
}
_LESIONS = {str(value): _MADE | {"label": "m,lung"} for value in (1, 2)}
_MEASURED = [
    _MADE
    | {
        "lesion": number,
        "label": "m,lung",
        "kind": "tumour",
        "voxels": 297,
        "volume_ml": 2.00475,
        "mean_intensity": 60.22222222222222,
        "long_axis_mm": 15.297058540778355,
        "short_axis_mm": 7.648529270389175,
        "diameter_mm": 15.297058540778355,
        "slice_index": 11,
        "long_axis_points_mm": [[7.5, -17.25, 33.0], [10.5, -2.25, 33.0]],
        "short_axis_points_mm": [[12.75, -10.5, 33.0], [5.25, -9.0, 33.0]],
        "reason": {"segmenter": "no algorithm drew it"},
    }
    for number in (1, 2)
]
OUTPUTS: dict[str, Any] = {
    "prepare": {"object": HOLE, "quantity": "hu", "window": "lung", "n_invalid": 0},
    "annotate": {
        "object": HOLE,
        "layers": [HOLE],
        "clean_up": None,
        "lesions": _LESIONS,
        "n_structures": 0,
        "n_boxes_answered_by_masks": 0,
        "n_replaced_by_later_masks": 0,
        "reader": "anna",
        "is_annotated": True,
    },
    "measure": {
        "object": HOLE,
        "mask": HOLE,
        "lesions": _MEASURED,
        "dropped": [],
        "n_hidden_voxels": 0,
    },
}
INPUTS: dict[str, Any] = {
    "prepare": {"object": HOLE, "suv_factor": None, "window": "lung"},
    "annotate": {
        "object": HOLE,
        "masks": [[HOLE, "anna", "MANUAL", "unreviewed", 1]],
        "boxes": [],
        "redraw": False,
        "segmenter": None,
        "window": "lung",
        "clean_up": [],
    },
    "measure": {
        "object": HOLE,
        "layers": [HOLE],
        "lesions": _LESIONS,
        "min_voxels": 50,
        "min_slices": 1,
        "diameter": "caliper",
        "keep_largest": True,
    },
}


def parts(n_series: int) -> list[Part]:
    """Return all rows but events, of tables in the order in which they refer to each other."""
    found = [
        _run(),
        _subjects(-(-n_series // SERIES_A_SUBJECT)),
        _timepoints(n_series),
        _series(n_series),
        _findings(n_series // FINDING_EVERY),
        _annotations(n_series),
        *(_units(stage, n_series) for stage in OUTPUTS),
    ]
    return [part for part in found if part.n_rows]


def _run() -> Part:
    row = {
        "stage": "measure",
        "stage_version": 1,
        "section": {},
        "code_version": "1",
        "code_digest": "1" * 64,
        "cluster": "none",
        "actor": "anna",
        "started_at": utc_now(),
    }
    return Part(tables.run, 1, row, {"id": Name("run-")}, "run")


def _subjects(n: int) -> Part:
    varying: dict[str, Varying] = {
        "id": Name("sub-", 4),
        "number": Number(),
        "identity_hash": Hash(),
    }
    return Part(tables.subject, n, {"is_from_file": False}, varying, "subject")


def _timepoints(n: int) -> Part:
    row = {"study_date": "2020-01-31", "version": 1}
    varying: dict[str, Varying] = {
        "id": TIMEPOINT,
        "subject_id": Name("sub-", 4, SUBJECT_OF),
        "number": Number(f"n - 1 - {SERIES_A_SUBJECT} * ((n - 1) / {SERIES_A_SUBJECT})"),
    }
    return Part(tables.timepoint, n, row, varying, "timepoint")


def _series(n: int) -> Part:
    row = {
        "ingest": 1,
        "modality": "CT",
        "quantity": "hu",
        "region": "thorax",
        "subset": "",
        "shape": [320, 512, 512],
        "spacing_mm": [1.0, 0.74, 0.74],
        "affine": [0.0, 0.0, 0.74, -190.0, 0.0, 0.74, 0.0, -190.0, 1.0, 0.0, 0.0, 12.5, 0, 0, 0, 1],
        "technical": {"KVP": 120.0, "Manufacturer": "a manufacturer", "SliceThickness": 1.0},
        "suv_reason": "",
        "outcome": "ingested",
    }
    varying: dict[str, Varying] = {
        "id": SERIES,
        "number": Number(),
        "subject_id": Name("sub-", 4, SUBJECT_OF),
        "timepoint_id": TIMEPOINT,
        "study_uid": Name("2.25.1", 38),
        "series_uid": Name("2.25.2", 38),
        "frame_uid": Name("2.25.3", 38),
        "object_id": Hash(),
        "pixel_hash": Hash(),
        "source": Name("1#"),
    }
    return Part(tables.series, n, row, varying, "series")


def _findings(n: int) -> Part:
    row = {
        "ingest": 1,
        "code": "uneven_spacing",
        "outcome": "left_out",
        "reason": "slices are 1 to 2.5 mm apart",
        "hint": "",
        "instances": 320,
        "by_rule": False,
    }
    return Part(tables.finding, n, row, {"id": Number(), "source": Name("1#")}, "finding")


def _annotations(n: int) -> Part:
    row = {
        "author": "anna",
        "role": "reader",
        "method": "MANUAL",
        "review_state": "unreviewed",
        "ingest": 1,
    }
    varying: dict[str, Varying] = {
        "id": Name("00000000-0000-5000-9000-", 12),
        "series_id": SERIES,
        "object_id": Hash(),
        "source": Name("1#"),
    }
    return Part(tables.annotation, n, row, varying, "annotation")


def _units(stage: str, n: int) -> Part:
    row = {
        "stage": stage,
        "state": "done",
        "output": OUTPUTS[stage],
        "inputs": INPUTS[stage],
        "run_id": RUN_ID,
        "version": 1,
    }
    return Part(tables.unit, n, row, {"name": SERIES, "key": Hash()}, f"unit/{stage}", "name")


def _events(part: Part, before: int) -> Part:
    """Return the event of each of a part's rows; ``before`` so many others come."""
    is_unit = part.table is tables.unit
    name = part.varying[part.named]
    prefix = f"{part.kind}/{name.prefix}" if isinstance(name, Name) else f"{part.kind}/"
    width = name.width if isinstance(name, Name) else 1
    row = {
        "at": utc_now(),
        "actor": "anna",
        "action": "done" if is_unit else "added",
        "why": "it is due for the first time" if is_unit else "ingest 1",
        "run_id": RUN_ID if is_unit else None,
    }
    varying: dict[str, Varying] = {
        "seq": Number(f"{before} + n"),
        "object": Name(prefix, width),
        "fact": Hash(),
        "previous": Hash(f"{before} + n - 1"),
        "hash": Hash(f"{before} + n"),
    }
    return Part(tables.event, part.n_rows, row, varying)


def all_parts(n_series: int) -> list[Part]:
    """Return all rows, with one event each."""
    rows = parts(n_series)
    before = 0
    told = []
    for part in rows:
        told.append(_events(part, before))
        before += part.n_rows
    return [*rows, *told]


def counts(n_series: int) -> dict[str, int]:
    """Return what ``tally`` says of such a registry."""
    found: dict[str, int] = {}
    for part in parts(n_series):
        name = part.table.name
        if part.table is tables.unit:
            name = f"unit:{part.row['stage']}:done"
        if part.table is tables.finding:
            name = f"finding:{part.row['outcome']}"
        found[name] = part.n_rows
    return found


def fill(registry: Registry, n_series: int) -> None:
    """Fill a new registry; its indexes and guards are made when the rows are in."""
    # Whole tables are filled faster without them.
    indexes = [index for table in tables.metadata.sorted_tables for index in table.indexes]
    with registry.engine.begin() as connection:
        for table in tables.PERMANENT:
            drop_guards(connection, table)
        for index in indexes:
            index.drop(connection)
        connection.execute(sa.delete(tables.event))
    _insert(registry, all_parts(n_series))
    n_events = sum(part.n_rows for part in parts(n_series))
    with registry.engine.begin() as connection:
        for index in indexes:
            index.create(connection)
        add_guards(connection)
        tally = [{"name": name, "n": n} for name, n in counts(n_series).items()]
        connection.execute(sa.insert(tables.tally), tally)
        last = {"seq": n_events, "hash": f"{n_events:064x}", "at": utc_now()}
        connection.execute(sa.update(tables.head).values(last))
        if registry.place.url is not None:
            connection.exec_driver_sql("ANALYZE")  # as its autovacuum would within a minute


def fill_slices(registry: Registry, n_series: int) -> int:
    """Add the slices of the first series, as an ingest of DICOM does; return how many."""
    n = n_series * SLICES_A_SERIES
    varying: dict[str, Varying] = {
        "series_id": Name("ser-", 4, f"1 + (n - 1) / {SLICES_A_SERIES}"),
        "k": Number(f"n - 1 - {SLICES_A_SERIES} * ((n - 1) / {SLICES_A_SERIES})"),
        "sop_uid": Name("2.25.4", 38),
    }
    _insert(registry, [Part(tables.instance, n, {}, varying)])
    return n


def receipt_of(stage: str, _request: Any) -> Any:
    """Do nothing, and return what a unit of a stage gives."""
    return OUTPUTS[stage]


def _insert(registry: Registry, rows: Iterable[Part]) -> None:
    registry.engine.dispose()
    is_server = registry.place.url is not None
    words = (POSTGRESQL, "%s") if is_server else (SQLITE, "?")
    with _postgres(registry) if is_server else _sqlite(registry) as cursor:
        for part in rows:
            cursor.execute(*part.statement(*words))


@contextmanager
def _sqlite(registry: Registry) -> Iterator[Any]:
    """Open one transaction without a journal: a registry half filled is of no use to anyone."""
    with closing(sqlite3.connect(registry.place.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def _postgres(registry: Registry) -> Iterator[Any]:
    """Open one transaction that does not look up every reference: rows are known to have theirs."""
    import psycopg

    url = str(registry.place.url).replace(POSTGRES, "postgresql", 1)
    options = f"-c search_path={registry.place.schema} -c session_replication_role=replica"
    with psycopg.connect(url, options=options) as connection:
        yield connection
