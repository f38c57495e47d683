"""A new Fernet key for old identities; numbers, blind index and pseudonyms stay what they are.

Rotation adds: a new generation of tokens, made under the new key, beside the old one. So a process
or a colleague that has only the old key is told so, and nothing is lost if it breaks off.
Retirement is the one step that takes rows away: the old generations' tokens, whose key may have got
about.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.registry.chain import Draft
from lesionary.io.vault import audit, schema
from lesionary.io.vault.engine import erase_deleted
from lesionary.io.vault.key_places import GivenKeys
from lesionary.io.vault.store import VaultStore
from lesionary.io.vault.vault_keys import fernet_of

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did.

    Parameters
    ----------
    generation : int
        The newest one.
    n_identities : int
        Encrypted anew.
    """

    generation: int
    n_identities: int


@dataclass(frozen=True, slots=True)
class Retired:
    """What a retirement did.

    Parameters
    ----------
    n_tokens : int
        Removed.
    n_keys : int
        Old Fernet keys taken out of the key file or keyring; of keys that the environment gives,
        how many are to be taken out there.
    has_dropped_keys : bool
    is_erased : bool
        Whether the old tokens' bytes are overwritten; not while another process reads the vault.
    """

    n_tokens: int
    n_keys: int
    has_dropped_keys: bool
    is_erased: bool


def add_key(store: VaultStore) -> bool:
    """Put a new Fernet key in front without using it yet, so that it can be handed to all machines.

    Returns whether one was added: a key in front that no generation has is waiting already.
    """
    with store.writing() as connection:
        store.reload_keys()
        if _is_front_waiting(store, connection):
            return False
        _add(store)
    return True


def rotate(store: VaultStore, *, why: str, actor: str) -> Rotated:
    """Encrypt every identity under the key in front; where that is in use already, under a new one.

    The key is stored before anything is encrypted under it, and all tokens come with one commit.

    Raises
    ------
    WorkflowError
        Code ``vault_key`` where the keys come from the environment and no new one is in front.
    """
    with store.writing() as connection:
        store.reload_keys()
        old = store.cipher(connection)
        if not _is_front_waiting(store, connection):
            _add(store)
        front = store.keys.fernet[0]
        generation = old.generation + 1
        row = {
            "number": generation,
            "key_check": store.check_of(front, "fernet"),
            "created_at": audit.now(),
        }
        connection.execute(sa.insert(schema.generation), row)
        n_identities = _encrypt_anew(store, connection, old.generation)
        draft = Draft("rotated", f"generation/{generation}", why)
        audit.append(connection, store.keys, draft, actor)
    return Rotated(generation, n_identities)


def retire(store: VaultStore, *, why: str, actor: str) -> Retired:
    """Remove all tokens but the newest generation's, then the Fernet keys that made them.

    Raises
    ------
    WorkflowError
        If the key was never rotated; code ``vault_damaged`` if an identity has no token of the
        newest generation.
    """
    with store.writing() as connection:
        store.reload_keys()
        newest = store.cipher(connection).generation
        if newest == 1:
            raise WorkflowError(
                "no key of this vault was ever replaced", hint="`lesionary vault rotate` first"
            )
        _require_complete(connection, newest)
        table = schema.token
        schema.drop_guards(connection, table)
        done = connection.execute(sa.delete(table).where(table.c.generation < newest))
        schema.add_guards(connection, table)
        draft = Draft("retired", f"generation/{newest - 1}", why)
        audit.append(connection, store.keys, draft, actor)
        old_checks = set(_checks(connection)[:-1])
    is_erased = erase_deleted(store.engine)
    n_keys, has_dropped = _drop_keys(store, old_checks)
    return Retired(done.rowcount, n_keys, has_dropped, is_erased)


def _add(store: VaultStore) -> None:
    keys = store.keys.with_new_fernet()
    store.place.keys.replace(keys)
    store.keys = keys


def _is_front_waiting(store: VaultStore, connection: sa.Connection) -> bool:
    return store.check_of(store.keys.fernet[0], "fernet") not in _checks(connection)


def _checks(connection: sa.Connection) -> list[str]:
    table = schema.generation
    return list(connection.execute(sa.select(table.c.key_check).order_by(table.c.number)).scalars())


def _encrypt_anew(store: VaultStore, connection: sa.Connection, old: int) -> int:
    from cryptography.fernet import MultiFernet

    ring = MultiFernet([fernet_of(key) for key in store.keys.fernet])
    table, last, n_done = schema.token, 0, 0
    query = sa.select(table.c.number, table.c.token).where(table.c.generation == old)
    while True:
        some = query.where(table.c.number > last).order_by(table.c.number).limit(_CHUNK)
        rows = [
            {"number": number, "generation": old + 1, "token": ring.rotate(bytes(token))}
            for number, token in connection.execute(some)
        ]
        if not rows:
            return n_done
        connection.execute(sa.insert(table), rows)
        last, n_done = rows[-1]["number"], n_done + len(rows)


def _require_complete(connection: sa.Connection, newest: int) -> None:
    table = schema.token
    n_tokens = sa.select(sa.func.count()).where(table.c.generation == newest)
    n_identities = sa.select(sa.func.count()).select_from(schema.identity)
    if connection.execute(n_tokens).scalar() != connection.execute(n_identities).scalar():
        raise WorkflowError(
            "some identities were not encrypted under the newest key; nothing was removed",
            code="vault_damaged",
            hint="see what `lesionary vault verify` says",
        )


def _drop_keys(store: VaultStore, old_checks: set[str]) -> tuple[int, bool]:
    kept = [k for k in store.keys.fernet if store.check_of(k, "fernet") not in old_checks]
    n_old = len(store.keys.fernet) - len(kept)
    if isinstance(store.place.keys, GivenKeys):
        return n_old, False
    if n_old:
        keys = store.keys.keeping(kept)
        store.place.keys.replace(keys)
        store.keys = keys
    return n_old, True
