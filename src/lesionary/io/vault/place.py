"""Where a vault lies: a folder of the user's, or a PostgreSQL database for a team."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from lesionary.core.errors import InputError, PrivacyError
from lesionary.io.durable import writing
from lesionary.io.study_files import PROTOCOL_FILE, StudyFiles
from lesionary.io.vault.key_places import KeyFile, KeyPlace, key_place
from lesionary.io.vault.study_keys import default_folder

URL_VARIABLE = "LESIONARY_VAULT_URL"
POSTGRES, SQLITE = "postgresql+psycopg://", "sqlite:///"
DATABASE, KEY = Path("database", "vault.db"), Path("keys", "vault.key")
SCHEMA = "lesionary_vault"


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """A vault's database and its keys: never in one folder, never in a study.

    Parameters
    ----------
    path : Path or None
        The SQLite file; None where the database lies on a server.
    url : str or None
        The server's address; it may hold a password and is never shown.
    keys : KeyPlace
    """

    path: Path | None
    url: str | None = field(repr=False)
    keys: KeyPlace

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return "sqlite" if self.path is not None else "postgresql"


def vault_place(url: str | Path | None = None, key: str | None = None) -> VaultPlace:
    """Return the place of a vault, there or not.

    Parameters
    ----------
    url : str or Path, optional
        A folder, ``sqlite:///PATH`` or ``postgresql+psycopg://USER@HOST/DATABASE``. Without it
        ``LESIONARY_VAULT_URL``, then ``LESIONARY_VAULT``, then the user's data folder.
    key : str, optional
        As ``LESIONARY_VAULT_KEY``.

    Raises
    ------
    InputError
        Code ``vault_url`` for any other address.
    PrivacyError
        If keys and database share a folder, or one of them lies in a study.
    """
    wanted = str(url or os.environ.get(URL_VARIABLE) or default_folder())
    if wanted.startswith(POSTGRES):
        place = VaultPlace(None, wanted, key_place(key, default_folder() / KEY))
    elif wanted.startswith(SQLITE):
        path = Path(wanted.removeprefix(SQLITE)).absolute()
        place = VaultPlace(path, None, key_place(key, default_folder() / KEY))
    elif "://" in wanted:
        raise wrong_url()
    else:
        folder = Path(wanted).expanduser().absolute()
        place = VaultPlace(folder / DATABASE, None, key_place(key, folder / KEY))
    _require_apart(place)
    return place


def wrong_url() -> InputError:
    """Say what a vault's address looks like; never the address, which may hold a password."""
    return InputError(
        "the vault's address is none that Lesionary knows",
        code="vault_url",
        hint=f"a folder, {SQLITE}PATH or {POSTGRES}USER@HOST/DATABASE",
    )


def make_private_file(path: Path) -> None:
    """Make an empty database that only its owner may read, in a folder likewise."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def require_private(path: Path) -> None:
    """Raise unless only the owner may read the database.

    Raises
    ------
    PrivacyError
        If others may.
    """
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise PrivacyError(
            "others may read the vault's database",
            hint="chmod 600 the file; a team shares a vault on PostgreSQL",
            source=str(path),
        )


def _require_apart(place: VaultPlace) -> None:
    key_file = place.keys.path.resolve() if isinstance(place.keys, KeyFile) else None
    database = place.path.resolve() if place.path is not None else None
    if any(_is_in_study(path) for path in (key_file, database) if path is not None):
        raise PrivacyError(
            "the vault must not lie inside a study",
            hint="set LESIONARY_VAULT to a folder elsewhere",
        )
    if key_file and database and key_file.is_relative_to(database.parent):
        raise PrivacyError(
            "the vault's keys must not lie beside its database: who copies one copies both",
            hint="keep them in folders of their own, such as keys/ and database/",
        )


def _is_in_study(path: Path) -> bool:
    return any(
        (folder / PROTOCOL_FILE).is_file() and StudyFiles(folder).objects.is_dir()
        for folder in path.parents
    )
