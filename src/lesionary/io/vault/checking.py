"""Whether a vault holds: its guards, its audit, and every identity decrypted and found again."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from lesionary.core.errors import InputError
from lesionary.io.database.engine import is_sqlite
from lesionary.io.registry.chain import Head, breaks
from lesionary.io.vault import audit, schema
from lesionary.io.vault.identity import from_plaintext
from lesionary.io.vault.store import Cipher, VaultStore


@dataclass(frozen=True, slots=True)
class VaultFault:
    """What does not hold, where, and why; never an original value."""

    unit: str
    code: str
    reason: str


def failures(store: VaultStore, *, anchor: str | None = None) -> Iterator[VaultFault]:
    """Yield all that does not hold.

    Parameters
    ----------
    store : VaultStore
    anchor : str, optional
        ``SEQ:HASH`` of an event, as ``status`` named the last one some time ago.
    """
    with store.reading() as connection:
        if is_sqlite(connection):
            yield from _of_file(connection)
        for name in schema.missing_guards(connection):
            yield VaultFault(f"guard/{name}", "guard_missing", "its trigger is gone")
        yield from _of_audit(store, connection)
        if anchor is not None:
            yield from _of_anchor(connection, anchor)
        yield from _of_identities(store, connection)


def _of_file(connection: sa.Connection) -> Iterator[VaultFault]:
    (answer, *_) = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
    if answer != "ok":
        yield VaultFault("database", "vault_damaged", "SQLite finds the file damaged")


def _of_audit(store: VaultStore, connection: sa.Connection) -> Iterator[VaultFault]:
    events = list(audit.events(connection))
    if not events:
        yield VaultFault("event/1", "event_removed", "a vault's first event says who made it")
        return
    last = events[-1].event
    for one in breaks([sealed.event for sealed in events], Head(last.seq, last.hash, last.at)):
        yield VaultFault(f"event/{one.seq}", one.code, one.reason)
    for sealed in events:
        if store.keys.seal(sealed.event.hash) != sealed.seal:
            reason = "it was written by somebody who has not the vault's keys"
            yield VaultFault(f"event/{sealed.event.seq}", "event_forged", reason)


def _of_anchor(connection: sa.Connection, anchor: str) -> Iterator[VaultFault]:
    number, _, wanted = anchor.partition(":")
    if not number.isdecimal() or not wanted:
        raise InputError("an anchor is SEQ:HASH", code="anchor", hint="`lesionary vault status`")
    sealed = next(audit.events(connection, after=int(number) - 1), None)
    if sealed is None or (sealed.event.seq, sealed.event.hash) != (int(number), wanted):
        yield VaultFault("audit", "audit_truncated", "it does not hold the event of the anchor")


def _of_identities(store: VaultStore, connection: sa.Connection) -> Iterator[VaultFault]:
    cipher = store.cipher(connection)
    identity, token = schema.identity, schema.token
    is_newest = sa.and_(
        token.c.number == identity.c.number, token.c.generation == cipher.generation
    )
    query = (
        sa.select(identity.c.number, identity.c.blind_index, token.c.token)
        .join_from(identity, token, is_newest, isouter=True)
        .order_by(identity.c.number)
    )
    for number, blind_index, encrypted in connection.execute(query):
        unit = f"identity/{number}"
        if encrypted is None:
            reason = "it was not encrypted under the newest key"
            yield VaultFault(unit, "token_missing", reason)
            continue
        yield from _of_token(store, cipher, unit, bytes(blind_index), bytes(encrypted))


def _of_token(
    store: VaultStore, cipher: Cipher, unit: str, blind_index: bytes, encrypted: bytes
) -> Iterator[VaultFault]:
    from cryptography.fernet import InvalidToken

    try:
        number, identity = from_plaintext(cipher.fernet.decrypt(encrypted))
    except (InvalidToken, ValueError, TypeError):
        yield VaultFault(unit, "token_damaged", "it cannot be decrypted")
        return
    if unit != f"identity/{number}":
        yield VaultFault(unit, "number_changed", "it was encrypted under another number")
    if store.keys.blind_index(identity) != blind_index:
        yield VaultFault(unit, "index_changed", "it is another identity than its blind index says")
