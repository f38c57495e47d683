"""Keys of studies: kept beside no study, readable by their owner alone.

From a study's key come its keyed hashes and date shifts. Whoever holds it could try identities
against the hashes, so it never lies in the study.
"""

import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from lesionary.core.errors import PrivacyError, WorkflowError
from lesionary.io.durable import writing

KEY_BYTES = 32


def default_folder() -> Path:
    """Return ``LESIONARY_VAULT`` or the folder in the user's data, whether it is there or not."""
    named = os.environ.get("LESIONARY_VAULT")
    return (Path(named) if named else _user_data_folder() / "lesionary" / "vault").absolute()


def vault_folder(study: Path) -> Path:
    """Return ``LESIONARY_VAULT`` or the user's data folder.

    Raises
    ------
    PrivacyError
        If the vault would lie inside the study: whoever gets the study would get the key.
    """
    folder = default_folder()
    if folder.resolve().is_relative_to(study.resolve()):
        raise PrivacyError(
            "the vault must not lie inside the study",
            hint="set LESIONARY_VAULT to a folder elsewhere",
        )
    return folder


def create_key(study: Path, study_id: str) -> bytes:
    """Make a study's key, once."""
    folder = vault_folder(study) / "keys"
    key = secrets.token_bytes(KEY_BYTES)
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with writing():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(_key_path(folder, study_id), how, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    return key


def read_key(study: Path, study_id: str) -> bytes:
    """Read a study's key.

    Raises
    ------
    WorkflowError
        If the vault does not hold it. A second key would give the same subject two numbers.
    PrivacyError
        If others than the owner may read it.
    """
    path = _key_path(vault_folder(study) / "keys", study_id)
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise WorkflowError(
            "this vault does not hold the study's key",
            hint="set LESIONARY_VAULT to the vault that the study was made with",
        ) from None
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise PrivacyError("others may read the study's key", hint="chmod 600 the key's file")
    if len(key) != KEY_BYTES:
        raise WorkflowError(f"the study's key has {len(key)} bytes, not {KEY_BYTES}")
    return key


def key_check(key: bytes, study_id: str) -> str:
    """Return what a study may hold of its key: enough to know it again, too little to guess it."""
    return hmac.new(key, f"lesionary study {study_id}".encode(), "sha256").hexdigest()


def require_key(key: bytes, study_id: str, check: str | None) -> None:
    """Raise unless a key is the one that a study was made with.

    ``check`` is null for studies of before there were checks.

    Raises
    ------
    WorkflowError
        Code ``wrong_key``. Under another key, known subjects would be new ones.
    """
    if check is not None and not hmac.compare_digest(check, key_check(key, study_id)):
        raise WorkflowError(
            "the vault's key for this study is not the one that the study was made with",
            code="wrong_key",
            hint="set LESIONARY_VAULT to the vault that the study was made with",
        )


def _key_path(folder: Path, study_id: str) -> Path:
    return folder / f"{study_id}.key"


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
