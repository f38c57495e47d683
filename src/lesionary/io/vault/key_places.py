"""Where a vault's keys lie: a file of the owner's alone, the environment, or a keyring.

``LESIONARY_VAULT_KEY`` names the place, or holds the keys themselves. Without it they are a file in
the folder ``keys`` of the vault.
"""

import os
import stat
from pathlib import Path
from typing import Any, Protocol

from lesionary.core.errors import PluginUnavailableError, PrivacyError, WorkflowError
from lesionary.io.durable import flush_to_disk, replacing, writing
from lesionary.io.vault.vault_keys import VaultKeys

KEY_VARIABLE = "LESIONARY_VAULT_KEY"
FILE, KEYRING = "file:", "keyring:"
_SERVICE = "lesionary-vault"


class KeyPlace(Protocol):
    """What holds the keys of one vault."""

    kind: str

    def read(self) -> VaultKeys:
        """Return the keys; raise ``WorkflowError`` where there are none."""

    def create(self, keys: VaultKeys) -> None:
        """Store new keys; never in the place of others."""

    def replace(self, keys: VaultKeys) -> None:
        """Store changed keys, whole or not at all."""

    def remove(self) -> None:
        """Take away keys that were just made, for a vault that could not be."""


def key_place(setting: str | None, default_file: Path) -> KeyPlace:
    """Return the place that a setting means: ``file:PATH``, ``keyring:NAME``, or the keys' text.

    Parameters
    ----------
    setting : str or None
        Without one, ``LESIONARY_VAULT_KEY``; without that, the default file.
    default_file : Path
    """
    wanted = setting or os.environ.get(KEY_VARIABLE) or f"{FILE}{default_file}"
    if wanted.startswith(FILE):
        return KeyFile(Path(wanted.removeprefix(FILE)).expanduser().absolute())
    if wanted.startswith(KEYRING):
        return KeyRing(wanted.removeprefix(KEYRING))
    return GivenKeys(wanted)


class KeyFile:
    """One line in a file that only its owner may read."""

    kind = "file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> VaultKeys:
        """Return the keys.

        Raises
        ------
        WorkflowError
            Code ``vault_key``, if there is no such file or it holds no keys.
        PrivacyError
            If others than the owner may read it.
        """
        try:
            with self.path.open(encoding="ascii", errors="replace") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read()
        except OSError:
            raise self._none() from None
        if os.name != "nt" and stat.S_IMODE(mode) & 0o077:
            raise PrivacyError(
                "others may read the vault's keys",
                hint="chmod 600 the key file, and rotate the key if somebody may have read it",
                source=str(self.path),
            )
        return VaultKeys.from_text(text)

    def create(self, keys: VaultKeys) -> None:
        """Write the keys; a file that is there is never replaced."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                _write_privately(self.path, keys)
            except FileExistsError:
                raise self._taken() from None
            flush_to_disk(self.path.parent)

    def replace(self, keys: VaultKeys) -> None:
        """Exchange the file in one step."""
        with replacing(self.path) as temporary:
            _write_privately(temporary, keys)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def _none(self) -> WorkflowError:
        return WorkflowError(
            "the vault's keys are not here, or may not be read",
            code="vault_key",
            hint=f"{KEY_VARIABLE}={FILE}PATH names another file; without its keys nobody opens it",
            source=str(self.path),
        )

    def _taken(self) -> WorkflowError:
        return WorkflowError(
            "there are keys of a vault already",
            code="vault_key",
            hint=f"give the new vault's keys another place: {KEY_VARIABLE}={FILE}PATH",
            source=str(self.path),
        )


class GivenKeys:
    """The keys' line itself, from the environment: read, never written."""

    kind = "environment"

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> VaultKeys:
        """Return the keys."""
        return VaultKeys.from_text(self._text)

    def create(self, keys: VaultKeys) -> None:  # noqa: ARG002
        """Refuse: who gave keys made them."""
        raise self._read_only()

    def replace(self, keys: VaultKeys) -> None:  # noqa: ARG002
        """Refuse: a process cannot change its parent's environment."""
        raise self._read_only()

    def remove(self) -> None:
        """Do nothing: they were not made here."""

    @staticmethod
    def _read_only() -> WorkflowError:
        return WorkflowError(
            f"keys that come from {KEY_VARIABLE} cannot be changed there",
            code="vault_key",
            hint=f"put its text into a file of mode 600, use {KEY_VARIABLE}={FILE}PATH for this"
            " command, and hand the changed text out",
        )


class KeyRing:
    """An entry in the user's keyring, through the package ``keyring``."""

    kind = "keyring"

    def __init__(self, name: str) -> None:
        self._name = name or "default"

    def read(self) -> VaultKeys:
        """Return the keys."""
        text = self._ask("get_password")
        if text is None:
            raise WorkflowError(
                "the keyring does not hold the vault's keys",
                code="vault_key",
                hint=f"{KEY_VARIABLE}={KEYRING}NAME names the entry",
            )
        return VaultKeys.from_text(text)

    def create(self, keys: VaultKeys) -> None:
        """Store the keys, unless the entry is there."""
        if self._ask("get_password") is not None:
            raise WorkflowError(
                "the keyring holds keys of a vault under this name already",
                code="vault_key",
                hint=f"give the new vault's keys another name: {KEY_VARIABLE}={KEYRING}NAME",
            )
        self.replace(keys)

    def replace(self, keys: VaultKeys) -> None:
        """Store the keys."""
        self._ask("set_password", keys.to_text())

    def remove(self) -> None:
        """Delete the entry."""
        self._ask("delete_password")

    def _ask(self, verb: str, *values: str) -> Any:
        try:
            import keyring
        except ImportError:
            raise PluginUnavailableError(
                "the package for keyrings is not installed", hint="pip install 'lesionary[keyring]'"
            ) from None
        try:
            return getattr(keyring, verb)(_SERVICE, self._name, *values)
        except keyring.errors.KeyringError as error:
            raise WorkflowError(
                f"the keyring does not answer: {type(error).__name__}",
                code="vault_key",
                hint=f"unlock it, or keep the keys in a file: {KEY_VARIABLE}={FILE}PATH",
            ) from None


def _write_privately(path: Path, keys: VaultKeys) -> None:
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, how, 0o600), "w", encoding="ascii") as file:
        file.write(keys.to_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
