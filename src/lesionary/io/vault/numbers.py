"""The numbers that identities get: which are given, and to whom."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from lesionary.io.vault import schema

FIRST_NUMBER, LAST_NUMBER = 100_000_000, 999_999_999
"""Nine digits: no ``sub-0001`` looks so, and DICOM's integers and names hold them."""

_CHUNK = 500

T = TypeVar("T")


def numbers_by_index(connection: sa.Connection, indexes: Collection[bytes]) -> dict[bytes, int]:
    """Return the numbers of those blind indexes that are known."""
    table = schema.identity
    found: dict[bytes, int] = {}
    for some in _chunks(indexes):
        query = sa.select(table.c.blind_index, table.c.number).where(table.c.blind_index.in_(some))
        found |= {bytes(index): number for index, number in connection.execute(query)}
    return found


def given_numbers(connection: sa.Connection, numbers: Iterable[int]) -> set[int]:
    """Return those of the numbers that somebody has."""
    table, possible = schema.identity, [n for n in numbers if FIRST_NUMBER <= n <= LAST_NUMBER]
    found: set[int] = set()
    for some in _chunks(possible):
        query = sa.select(table.c.number).where(table.c.number.in_(some))
        found.update(connection.execute(query).scalars())
    return found


def _chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    rest = iter(values)
    while some := list(islice(rest, _CHUNK)):
        yield some
