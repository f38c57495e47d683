"""What lies where in an archive of a study.

::

    lesionary-study.json           what it is, and how much of it there is
    study.toml                     without [registry]: addresses and passwords do not travel
    objects/ab/cdef…               as they lie in the study, in the order of their names
    release/SHA256SUMS, release/…  what was published, in the order of that list
    tables/unit/000001.jsonl       rows as they are stored, in the order of their keys
    SHA256SUMS                     of everything above

It is a plain tar. Objects are compressed already; rows are not compressed, since another machine's
compressor gives other bytes, and an archive's bytes are the study's: whatever the database, and
wherever it was imported, the same study is the same archive. Rows come last, so that a database
server holds a transaction for no longer than they take.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import InputError
from lesionary.core.identity import canonical_json
from lesionary.io.limits import KIB, MIB
from lesionary.io.registry import tables
from lesionary.io.registry.version import SCHEMA_VERSION, require_schema
from lesionary.io.study_archive.older import OLDEST_SCHEMA, tables_of

KIND = "lesionary study"
FORMAT = 1

MANIFEST = "lesionary-study.json"
PROTOCOL = "study.toml"
OBJECTS = "objects/"
RELEASE = "release/"
TABLES = "tables/"
CHECKSUMS = "SHA256SUMS"

PIECE_BYTES = 1 * MIB
"""What is copied at a time."""

PART_BYTES = 4 * MIB
"""A table goes on in the next member once this much of it is written."""

ROW_BYTES = 64 * MIB
"""The longest row; no honest one comes near."""

MANIFEST_BYTES = 64 * KIB
PROTOCOL_BYTES = 4 * MIB

IMPORT_TOKEN = "import"  # noqa: S105 - a setting's name
"""The setting that ties a server's schema to the folder that an import makes."""

OF_THIS_MACHINE = frozenset({IMPORT_TOKEN})
"""Settings that do not travel."""


def carried(schema: int) -> tuple[sa.Table, ...]:
    """Return the tables of a schema that travel, each after those that its rows name.

    Claims do not: they are of living processes.
    """
    return tuple(table for table in tables_of(schema) if table.name != tables.claim.name)


CARRIED = carried(SCHEMA_VERSION)
"""Those that an export writes."""

OnObject = Callable[[int, int], None]
"""Hears how many objects are through, and of how many: first of none."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself.

    Parameters
    ----------
    study : str
        The study's id.
    schema : int
        Of its registry.
    objects : int
        How many it holds.
    release : int
        Files of the release; 0 where none was published.
    tables : dict
        Rows by table.
    """

    study: str
    schema: int
    objects: int
    release: int
    tables: dict[str, int]

    def to_bytes(self) -> bytes:
        """Return the member's content."""
        return canonical_json({"kind": KIND, "format": FORMAT} | asdict(self)) + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Read a manifest.

        Raises
        ------
        InputError
            If it is none, or of a newer format.
        WorkflowError
            Codes ``schema_new`` and ``schema_old``.
        """
        document = _document(content)
        if document.get("kind") != KIND:
            raise no_archive()
        _require_format(document.get("format"))
        try:
            manifest = cls(**{name: document[name] for name in cls.__slots__})
            is_sound = manifest._is_sound() and manifest.to_bytes() == content
        except (KeyError, TypeError, ValueError):
            is_sound = False
        if not is_sound:
            raise changed(MANIFEST, "it is not what an export writes")
        return manifest

    def _is_sound(self) -> bool:
        if type(self.schema) is not int:
            raise changed(MANIFEST, "it names no schema")
        require_schema(self.schema, "archive", oldest=OLDEST_SCHEMA)
        counts = [self.objects, self.release, *self.tables.values()]
        return (
            _UUID.fullmatch(self.study) is not None
            and all(type(n) is int and n >= 0 for n in counts)
            and self.tables.keys() == {table.name for table in carried(self.schema)}
        )


def object_member(object_id: str) -> str:
    """Return where an object lies in an archive."""
    return f"{OBJECTS}{object_id[:2]}/{object_id[2:]}"


def part_member(table: str, number: int) -> str:
    """Return where a part of a table lies; parts count from 1."""
    return f"{TABLES}{table}/{number:06d}.jsonl"


def changed(member: str, reason: str) -> InputError:
    """Say what is wrong with a member."""
    return InputError(
        reason,
        code="archive_changed",
        hint="copy the archive again from its source, or export the study again",
        source=member,
    )


def no_archive() -> InputError:
    """Say that a file is none."""
    return InputError(
        "this is no archive of a study",
        code="no_archive",
        hint="give a file that `lesionary export` wrote; unpack it first if somebody compressed it",
    )


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise no_archive() from None
    if not isinstance(document, dict):
        raise no_archive()
    return document


def _require_format(found: object) -> None:
    if type(found) is not int or found < 1:
        raise no_archive()
    if found > FORMAT:
        raise InputError(
            f"the archive has format {found}, this Lesionary reads format {FORMAT}",
            code="format_new",
            hint="use the Lesionary that made it, or a newer one",
        )
