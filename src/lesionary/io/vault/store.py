"""A vault that is open: its database, its keys, and the cipher of the newest generation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.vault import schema
from lesionary.io.vault.engine import lock
from lesionary.io.vault.place import VaultPlace
from lesionary.io.vault.vault_keys import VaultKeys, fernet_of, key_check

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Cipher:
    """The newest generation's Fernet."""

    generation: int
    fernet: "Fernet"


class VaultStore:
    """What the parts of a vault share; ``database.Vault`` is what others use."""

    def __init__(
        self, place: VaultPlace, engine: sa.Engine, keys: VaultKeys, vault_id: str
    ) -> None:
        self.place = place
        self.engine = engine
        self.keys = keys
        self.id = vault_id
        self._cipher: Cipher | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.place.kind}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that only reads, and waits for nobody."""
        with self.engine.connect() as connection:
            yield connection.execution_options(read_only=True)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that no other writer runs beside."""
        with self.engine.begin() as connection:
            lock(connection)
            yield connection

    def check_of(self, key: bytes, purpose: str) -> str:
        """Return what this vault's database holds of a key."""
        return key_check(key, f"{self.id} {purpose}")

    def cipher(self, connection: sa.Connection) -> Cipher:
        """Return the newest generation's Fernet; keys that somebody rotated are read again.

        Raises
        ------
        WorkflowError
            Code ``wrong_key`` if its key is not among the keys here.
        """
        table = schema.generation
        query = sa.select(table.c.number, table.c.key_check).order_by(table.c.number.desc())
        number, check = connection.execute(query.limit(1)).one()
        if self._cipher is None or self._cipher.generation != number:
            key = self._key_with(check)
            if key is None:
                self.reload_keys()
                key = self._key_with(check)
            if key is None:
                raise wrong_key("the vault's Fernet key was rotated, and the new one is not here")
            self._cipher = Cipher(number, fernet_of(key))
        return self._cipher

    def reload_keys(self) -> None:
        """Read the keys again from where they lie.

        Raises
        ------
        WorkflowError
            Code ``wrong_key`` if they are another vault's by now.
        """
        keys = self.place.keys.read()
        if (keys.index, keys.pseudonym) != (self.keys.index, self.keys.pseudonym):
            raise wrong_key("the keys are not this vault's any more")
        self.keys = keys

    def _key_with(self, check: str) -> bytes | None:
        keys = self.keys.fernet
        return next((key for key in keys if self.check_of(key, "fernet") == check), None)


def wrong_key(message: str) -> WorkflowError:
    """Say that keys and database do not belong together."""
    return WorkflowError(
        message,
        code="wrong_key",
        hint="set LESIONARY_VAULT_KEY to the keys that this vault has now",
    )
