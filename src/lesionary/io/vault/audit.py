"""Who asked the vault for what, when and why: a chain of events, sealed under the vault's key.

The chain is the registry's. Its hashes need no key, so anybody may check them; the seals need the
index key, so who has only the database can forge no event. Events name numbers, never originals.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import InputError
from lesionary.io.registry.chain import GENESIS, Draft, Event, Head, linked
from lesionary.io.vault import schema
from lesionary.io.vault.vault_keys import VaultKeys

_MIN_WORDS, _MAX_CHARS = 3, 2000
_WORD = re.compile(r"[^\W_]{2,}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_STORED: dict[str, Any] = {"fact": None, "run_id": None, "details": None}


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """One event, and its hash under the vault's key."""

    event: Event
    seal: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON: the chain's fields that the vault has."""
        fields = asdict(self.event)
        return {name: value for name, value in fields.items() if name not in _NOT_STORED}


def reason(text: str) -> str:
    """Return a person's reason as it is stored: one line.

    Raises
    ------
    InputError
        Code ``reason`` unless it has at least three words.
    """
    clean = " ".join(_UNPRINTABLE.sub(" ", text).split())
    if problem := _problem(clean):
        raise InputError(
            problem,
            code="reason",
            hint='--why "…": what it is for, and who allowed it; name no patient in it',
        )
    return clean


def _problem(reason: str) -> str:
    """Say what is wrong with a reason, without repeating it; empty where nothing is."""
    n_words, asked = len(_WORD.findall(reason)), f"at least {_MIN_WORDS} words of two letters"
    if not reason:
        return f"no reason was given: {asked} are asked for"
    if n_words < _MIN_WORDS:
        return f"the reason is too short: {asked} are asked for, and it has {n_words}"
    if len(reason) > _MAX_CHARS:
        return f"the reason is too long: {len(reason)} characters, and {_MAX_CHARS} are allowed"
    return ""


def now() -> str:
    """Return the present time, UTC, ISO, to the millisecond."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def append(connection: sa.Connection, keys: VaultKeys, draft: Draft, actor: str) -> None:
    """Add one event to the chain; the caller holds the vault's lock."""
    for event in linked([draft], head(connection), at=now(), actor=actor):
        row = asdict(event) | {"seal": keys.seal(event.hash)}
        stored = {name: value for name, value in row.items() if name not in _NOT_STORED}
        connection.execute(sa.insert(schema.event), stored)


def head(connection: sa.Connection) -> Head:
    """Return the chain's end."""
    event = schema.event
    query = sa.select(event.c.seq, event.c.hash, event.c.at).order_by(event.c.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return Head(*row) if row is not None else Head(0, GENESIS, "")


def events(connection: sa.Connection, *, after: int = 0) -> Iterator[SealedEvent]:
    """Yield the events in the order of their numbers."""
    query = sa.select(schema.event).where(schema.event.c.seq > after).order_by(schema.event.c.seq)
    for row in connection.execute(query).mappings():
        fields = dict(row)
        seal = fields.pop("seal")
        yield SealedEvent(Event(**fields, **_NOT_STORED), seal)
