"""How a vault comes to be, once, and how it is opened with the keys that belong to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.actor import this_actor
from lesionary.io.registry.chain import Draft
from lesionary.io.vault import audit, schema
from lesionary.io.vault.engine import engine_of, lock
from lesionary.io.vault.key_places import GivenKeys, KeyPlace
from lesionary.io.vault.place import SCHEMA, VaultPlace, make_private_file, require_private
from lesionary.io.vault.store import VaultStore, wrong_key
from lesionary.io.vault.vault_keys import VaultKeys


def make(place: VaultPlace) -> VaultStore:
    """Make a vault: keys first, then the tables in one transaction.

    Raises
    ------
    WorkflowError
        Code ``vault_taken`` or ``vault_key`` where a vault, or its keys, are there already.
    PrivacyError
        If others may read a database file that is there.
    """
    if place.path is not None:
        make_private_file(place.path)
        require_private(place.path)
    return _with_engine(place, _made)


def open_store(place: VaultPlace) -> VaultStore:
    """Open a vault that is there.

    Raises
    ------
    WorkflowError
        Code ``vault_missing``, ``vault_key``, ``wrong_key`` or ``schema_new``.
    PrivacyError
        If others may read its keys or its database.
    """
    if place.path is not None:
        if not place.path.is_file():
            raise _missing()
        require_private(place.path)
    return _with_engine(place, _opened)


def _with_engine(
    place: VaultPlace, begin: Callable[[VaultPlace, sa.Engine], VaultStore]
) -> VaultStore:
    engine = engine_of(place)
    try:
        return begin(place, engine)
    except BaseException:
        engine.dispose()
        raise


def _made(place: VaultPlace, engine: sa.Engine) -> VaultStore:
    with engine.begin() as connection:
        lock(connection)
        if _has_tables(connection, place):
            raise WorkflowError(
                "there is a vault already",
                code="vault_taken",
                hint="use it, or name another place with --vault",
            )
        with _new_keys(place.keys) as keys:
            store = VaultStore(place, engine, keys, str(uuid4()))
            _fill(store, connection)
            connection.commit()
    return store


def _opened(place: VaultPlace, engine: sa.Engine) -> VaultStore:
    with engine.connect().execution_options(read_only=True) as connection:
        if not _has_tables(connection, place):
            raise _missing()
        row = connection.execute(sa.select(schema.vault)).one()
        if row.version > schema.VERSION:
            raise WorkflowError(
                "a newer Lesionary made this vault", code="schema_new", hint="use that one"
            )
        store = VaultStore(place, engine, place.keys.read(), row.id)
        if (row.index_check, row.pseudonym_check) != _checks(store):
            raise wrong_key("the keys are another vault's")
        store.cipher(connection)
    return store


@contextmanager
def _new_keys(place: KeyPlace) -> Iterator[VaultKeys]:
    """Make keys, or take those given; where no vault comes of it, what was made goes again."""
    if isinstance(place, GivenKeys):
        yield place.read()
        return
    keys = VaultKeys.create()
    place.create(keys)
    try:
        yield keys
    except BaseException:
        place.remove()
        raise


def _fill(store: VaultStore, connection: sa.Connection) -> None:
    if store.place.path is None and not sa.inspect(connection).has_schema(SCHEMA):
        connection.execute(sa.schema.CreateSchema(SCHEMA))
    schema.make_tables(connection)
    (index_check, pseudonym_check), at = _checks(store), audit.now()
    row = {
        "id": store.id,
        "version": schema.VERSION,
        "index_check": index_check,
        "pseudonym_check": pseudonym_check,
        "created_at": at,
    }
    check = store.check_of(store.keys.fernet[0], "fernet")
    connection.execute(sa.insert(schema.vault), row)
    first = {"number": 1, "key_check": check, "created_at": at}
    connection.execute(sa.insert(schema.generation), first)
    draft = Draft("created", "vault", "a new vault")
    audit.append(connection, store.keys, draft, this_actor())


def _checks(store: VaultStore) -> tuple[str, str]:
    keys = store.keys
    return store.check_of(keys.index, "index"), store.check_of(keys.pseudonym, "pseudonym")


def _has_tables(connection: sa.Connection, place: VaultPlace) -> bool:
    of = None if place.path is not None else SCHEMA
    return sa.inspect(connection).has_table(schema.vault.name, schema=of)


def _missing() -> WorkflowError:
    return WorkflowError(
        "there is no vault here",
        code="vault_missing",
        hint="make one with `lesionary vault create`, or name it with --vault or LESIONARY_VAULT",
    )
