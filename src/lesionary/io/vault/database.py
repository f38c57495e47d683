"""The vault: every patient ID under a random number, for ever the same, encrypted.

A number says nothing of the patient, and nothing of who came before. It leads back to the ID only
through ``reveal``, which wants a reason and writes it down before it looks.
"""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from lesionary.core.errors import InputError, PrivacyError, WorkflowError
from lesionary.io.actor import this_actor
from lesionary.io.registry.chain import Draft
from lesionary.io.vault import audit, schema
from lesionary.io.vault.identity import Identity, from_plaintext, identity_of
from lesionary.io.vault.making import make, open_store
from lesionary.io.vault.numbers import (
    FIRST_NUMBER,
    LAST_NUMBER,
    given_numbers,
    numbers_by_index,
)
from lesionary.io.vault.place import vault_place
from lesionary.io.vault.store import VaultStore

UNKNOWN = "identity/unknown"
"""What an event says of a number that is none: it may be a patient's ID, typed by mistake."""

_MAX_CACHED = 200_000


class Vault(VaultStore):
    """Identities and their numbers, in a SQLite file or a PostgreSQL schema.

    Threads may share one; processes each open their own. It remembers numbers by blind index, so
    what it was asked once costs no database, and keeps no patient ID in memory.
    """

    def __init__(self, store: VaultStore) -> None:
        super().__init__(store.place, store.engine, store.keys, store.id)
        self._numbers: dict[bytes, int] = {}
        self._known: set[int] = set()

    @classmethod
    def create(cls, url: str | Path | None = None, *, key: str | None = None) -> Self:
        """Make a new vault and, unless the environment holds them, its keys.

        Parameters
        ----------
        url, key : str, optional
            As ``place.vault_place`` takes them.

        Raises
        ------
        WorkflowError
            Code ``vault_taken`` or ``vault_key`` where one, or its keys, are there already.
        PrivacyError
            If keys and database would share a folder, or lie in a study.
        """
        return cls(make(vault_place(url, key)))

    @classmethod
    def open(cls, url: str | Path | None = None, *, key: str | None = None) -> Self:
        """Open a vault.

        Parameters
        ----------
        url, key : str, optional
            As ``place.vault_place`` takes them.

        Raises
        ------
        WorkflowError
            Code ``vault_missing``, ``vault_key``, ``wrong_key`` or ``schema_new``.
        PrivacyError
            If others may read keys or database, or these share a folder.
        """
        return cls(open_store(vault_place(url, key)))

    @property
    def pseudonym_key(self) -> bytes:
        """The key for UIDs and dates of files that are de-identified outside any study."""
        return self.keys.pseudonym

    def number_of(self, patient_id: str, issuer: str = "") -> int:
        """Return the number of an identity; one that is new gets one.

        Raises
        ------
        InputError
            Code ``subject_missing`` if there is no patient ID.
        """
        identity = identity_of(patient_id, issuer)
        index = self.keys.blind_index(identity)
        number = self._numbers.get(index)
        return number if number is not None else self._registered({index: identity})[index]

    def numbers_of(self, identities: Iterable[tuple[str, str]]) -> list[int]:
        """Return the numbers of many identities, ``(patient_id, issuer)`` each, in their order.

        New ones come with one transaction: all of them or, where it fails, none.
        """
        wanted = [identity_of(*one) for one in identities]
        indexes = [self.keys.blind_index(identity) for identity in wanted]
        numbers = self._registered(dict(zip(indexes, wanted, strict=True)))
        return [numbers[index] for index in indexes]

    def find(self, patient_id: str, issuer: str = "") -> int | None:
        """Return the number of an identity that is known, else None; nothing is added."""
        index = self.keys.blind_index(identity_of(patient_id, issuer))
        with self.reading() as connection:
            return numbers_by_index(connection, [index]).get(index)

    def knows(self, number: int) -> bool:
        """Tell whether the vault gave this number to somebody."""
        if number in self._known:
            return True
        with self.reading() as connection:
            given = given_numbers(connection, [number])
        self._known |= given
        return bool(given)

    def reveal(self, number: int, why: str, actor: str | None = None) -> Identity:
        """Return whose number it is. The audit is written, and safe, before anything is decrypted.

        Parameters
        ----------
        number : int
        why : str
            The reason, three words at least. It is stored: it must name no patient.
        actor : str, optional
            Who asks; by default ``LESIONARY_ACTOR``, else the user's name on this machine.

        Raises
        ------
        InputError
            Code ``reason``, or ``unknown_number``: that too is in the audit.
        PrivacyError
            If a word of the reason is a patient ID that the vault knows without issuer.
        """
        words = self.clean_reason(why)
        with self.writing() as connection:
            is_known = bool(given_numbers(connection, [number]))
            action, of = ("revealed", f"identity/{number}") if is_known else ("refused", UNKNOWN)
            draft = Draft(action, of, words)
            audit.append(connection, self.keys, draft, actor or this_actor())
        if not is_known:
            raise InputError(
                "the vault never gave this number to anybody",
                code="unknown_number",
                hint="it has nine digits; is it the right vault? The question is in its audit",
            )
        return self._decrypted(number)

    def record(self, action: str, of: str, why: str, actor: str | None = None) -> None:
        """Write down what else somebody did, such as looking a patient up."""
        draft = Draft(action, of, self.clean_reason(why))
        with self.writing() as connection:
            audit.append(connection, self.keys, draft, actor or this_actor())

    def clean_reason(self, why: str) -> str:
        """Return a reason as it is stored, or raise as ``reveal`` does."""
        words = audit.reason(why)
        spoken = (word.strip(".,;:!?()[]\"'") for word in words.split())
        indexes = {self.keys.blind_index(identity_of(word)) for word in spoken if word}
        with self.reading() as connection:
            if numbers_by_index(connection, indexes):
                raise PrivacyError(
                    "the reason names a patient of this vault", hint="say it without the patient ID"
                )
        return words

    def _decrypted(self, number: int) -> Identity:
        from cryptography.fernet import InvalidToken

        table = schema.token
        with self.reading() as connection:
            cipher = self.cipher(connection)
            query = sa.select(table.c.token).where(
                table.c.number == number, table.c.generation == cipher.generation
            )
            token = connection.execute(query).scalar_one_or_none()
        try:
            encrypted_as, identity = from_plaintext(cipher.fernet.decrypt(token or b""))
            if encrypted_as != number:
                raise InvalidToken
        except InvalidToken:
            raise WorkflowError(
                "what the vault holds of this number is damaged, or another's",
                code="vault_damaged",
                hint="see what `lesionary vault verify` says, and restore a backup",
            ) from None
        return identity

    def _registered(self, wanted: Mapping[bytes, Identity]) -> dict[bytes, int]:
        found = {index: self._numbers[index] for index in wanted if index in self._numbers}
        if len(found) < len(wanted):
            with self.reading() as connection:
                found |= numbers_by_index(connection, wanted.keys() - found.keys())
        if len(found) < len(wanted):
            with self.writing() as connection:  # others may have added them meanwhile
                found |= numbers_by_index(connection, wanted.keys() - found.keys())
                new = {index: one for index, one in wanted.items() if index not in found}
                found |= self._added(connection, new)
        self._remember(found)
        return found

    def _added(self, connection: sa.Connection, new: Mapping[bytes, Identity]) -> dict[bytes, int]:
        if not new:
            return {}
        cipher, at = self.cipher(connection), audit.now()
        numbers = dict(zip(new, self._drawn(connection, len(new)), strict=True))
        identities = [
            {"number": number, "blind_index": index, "created_at": at}
            for index, number in numbers.items()
        ]
        tokens = [
            {
                "number": numbers[index],
                "generation": cipher.generation,
                "token": cipher.fernet.encrypt(one.to_plaintext(numbers[index])),
            }
            for index, one in new.items()
        ]
        connection.execute(sa.insert(schema.identity), identities)
        connection.execute(sa.insert(schema.token), tokens)
        return numbers

    def _drawn(self, connection: sa.Connection, n: int) -> list[int]:
        """Draw numbers that nobody has, and that are nobody's patient ID without issuer."""
        drawn: dict[int, None] = {}
        while len(drawn) < n:
            tried = {
                FIRST_NUMBER + secrets.randbelow(LAST_NUMBER - FIRST_NUMBER + 1): None
                for _ in range(n - len(drawn))
            }
            by_index = {self.keys.blind_index(identity_of(str(one))): one for one in tried}
            barred = given_numbers(connection, tried)
            barred |= {by_index[index] for index in numbers_by_index(connection, by_index.keys())}
            drawn |= {one: None for one in tried if one not in barred}
        return list(drawn)

    def _remember(self, found: Mapping[bytes, int]) -> None:
        if len(self._numbers) + len(found) > _MAX_CACHED:
            self._numbers, self._known = {}, set()
        self._numbers.update(found)
        self._known.update(found.values())
