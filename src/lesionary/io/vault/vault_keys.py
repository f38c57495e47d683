"""The vault's own keys: made once, written as one line of text.

Three kinds. *Fernet* keys encrypt identities; the newest stands in front and may be changed. The
*index* key finds an identity again without decrypting any, and seals the audit. The *pseudonym* key
names the UIDs and moves the dates of files that are de-identified outside any study. These two
never change: the same patient would become another.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lesionary.core.errors import WorkflowError
from lesionary.io.vault.identity import Identity

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_BYTES = 32
_TITLE = "lesionary-vault-1"
_FIELDS = ("fernet", "index", "pseudonym")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class VaultKeys:
    """All keys of one vault.

    Parameters
    ----------
    fernet : tuple of bytes
        32 bytes each, the newest first.
    index, pseudonym : bytes
        32 bytes each.
    """

    fernet: tuple[bytes, ...]
    index: bytes
    pseudonym: bytes

    @classmethod
    def create(cls) -> "VaultKeys":
        """Draw new keys from the system's source of randomness."""
        first, index, pseudonym = (secrets.token_bytes(KEY_BYTES) for _ in _FIELDS)
        return cls((first,), index, pseudonym)

    @classmethod
    def from_text(cls, text: str) -> "VaultKeys":
        """Read the line that ``to_text`` writes.

        Raises
        ------
        WorkflowError
            Code ``vault_key`` if the text is no vault's keys. It is never quoted.
        """
        title, *parts = text.split() or [""]
        fields = dict(part.partition("=")[::2] for part in parts)
        try:
            if title != _TITLE or len(parts) != len(_FIELDS):
                raise ValueError
            fernet = tuple(_decoded(one) for one in fields["fernet"].split(","))
            return cls(fernet, _decoded(fields["index"]), _decoded(fields["pseudonym"]))
        except (KeyError, ValueError):
            raise WorkflowError(
                "what should hold the vault's keys does not",
                code="vault_key",
                hint="it is one line that `lesionary vault create` wrote; bring it back whole",
            ) from None

    def to_text(self) -> str:
        """Return the line that key files, the environment and keyrings hold."""
        fernet = ",".join(map(_encoded, self.fernet))
        index, pseudonym = _encoded(self.index), _encoded(self.pseudonym)
        return f"{_TITLE} fernet={fernet} index={index} pseudonym={pseudonym}"

    def with_new_fernet(self) -> "VaultKeys":
        """Return the keys with a new Fernet key in front."""
        return replace(self, fernet=(secrets.token_bytes(KEY_BYTES), *self.fernet))

    def keeping(self, fernet: Collection[bytes]) -> "VaultKeys":
        """Return the keys without the Fernet keys that are not named."""
        return replace(self, fernet=tuple(key for key in self.fernet if key in fernet))

    def blind_index(self, identity: Identity) -> bytes:
        """Return what an identity is found by; without the key nobody can try identities on it."""
        return hmac.digest(self.index, identity.index_message, "sha256")

    def seal(self, event_hash: str) -> str:
        """Return the keyed hash of an event's hash: who has only the database forges none."""
        return hmac.digest(self.index, f"event {event_hash}".encode(), "sha256").hex()


def fernet_of(key: bytes) -> "Fernet":
    """Return the cipher of one Fernet key."""
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(key))


def key_check(key: bytes, purpose: str) -> str:
    """Return what the database may hold of a key: enough to know it, too little to guess it."""
    return hmac.digest(key, f"lesionary vault {purpose}".encode(), "sha256").hex()


def _encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(key) != KEY_BYTES:
        raise ValueError
    return key
