"""A registry held against its own audit, as one connection sees it."""

from collections.abc import Iterator

import sqlalchemy as sa

from lesionary.io.registry.chain import breaks
from lesionary.io.registry.checks import RowFault, events, heads, row_faults
from lesionary.io.registry.facts import AUDITED


def faults(connection: sa.Connection) -> Iterator[RowFault]:
    """Yield every place where the chain of events, or a row and its last event, do not hold."""
    found = heads(connection)
    if [number for number, _ in found] != [1]:
        yield RowFault("audit/head", "head_changed", "the row of the chain's end is not one")
        return
    for place in breaks(events(connection), found[0][1]):
        yield RowFault(f"event/{place.seq}", place.code, place.reason)
    for audited in AUDITED:
        yield from row_faults(connection, audited)
