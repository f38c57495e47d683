"""Originals that were not released, kept encrypted beside the vault where the user asked for that.

Each is one file of a random name that only the owner may read. Their key comes from the vault's
index key, which never changes: rotating the Fernet keys leaves them readable.
"""

import base64
import hmac
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.durable import replacing, writing
from lesionary.io.vault.place import VaultPlace
from lesionary.io.vault.study_keys import default_folder

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FOLDER = "quarantine"
SUFFIX = ".kept"
_PURPOSE = b"lesionary kept objects"
_NAME = re.compile(r"[a-z_]{1,40}-[0-9a-f]{32}")


class Keys(Protocol):
    """The vault's keys."""

    @property
    def index(self) -> bytes:
        """The key that never changes."""
        ...


class OpenVault(Protocol):
    """What is needed of a vault: where it lies, and its keys."""

    @property
    def place(self) -> VaultPlace:
        """Database and keys by their places."""
        ...

    @property
    def keys(self) -> Keys:
        """The keys themselves."""
        ...


class KeptObjects:
    """Encrypts, stores and gives back; processes and threads may share the folder.

    Parameters
    ----------
    vault : OpenVault
    """

    def __init__(self, vault: OpenVault) -> None:
        self.folder = _folder_beside(vault.place)
        key = hmac.digest(vault.keys.index, _PURPOSE, "sha256")
        self._key = base64.urlsafe_b64encode(key)

    def keep(self, content: bytes, code: str) -> str:
        """Encrypt and store an object.

        Parameters
        ----------
        content : bytes
        code : str
            Why it was not released; part of the name.

        Returns
        -------
        str
            The name that ``read`` takes.

        Raises
        ------
        WorkflowError
            Code ``not_writable``.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        clean = re.sub(r"[^a-z_]", "_", code.lower())[:40] or "unknown"
        name = f"{clean}-{secrets.token_hex(16)}"
        token = self._fernet().encrypt(content)
        with replacing(self.folder / f"{name}{SUFFIX}") as temporary:
            how = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(temporary, how, 0o600), "wb") as file:
                file.write(token)
        return name

    def names(self) -> Iterator[str]:
        """Yield the names of all objects that are kept."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if _NAME.fullmatch(path.stem):
                yield path.stem

    def read(self, name: str) -> bytes:
        """Decrypt an object: the original, with everything that identifies its patient.

        Raises
        ------
        InputError
            Code ``kept_unknown``, if no object has this name.
        WorkflowError
            Code ``kept_damaged``, if it was changed, or is another vault's.
        """
        from cryptography.fernet import InvalidToken

        path = self.folder / f"{name}{SUFFIX}"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise InputError(
                "no object of this name is kept",
                code="kept_unknown",
                hint="`lesionary vault kept` lists those that are",
            )
        try:
            return self._fernet().decrypt(path.read_bytes())
        except InvalidToken:
            raise WorkflowError(
                "the object that is kept cannot be decrypted",
                code="kept_damaged",
                hint="it was changed, or belongs to another vault",
            ) from None

    def _fernet(self) -> "Fernet":
        from cryptography.fernet import Fernet

        return Fernet(self._key)


def _folder_beside(place: VaultPlace) -> Path:
    """Return a folder of its own near the database, never the one that holds it."""
    if place.path is None:
        return default_folder() / FOLDER
    return place.path.parent.parent / FOLDER
