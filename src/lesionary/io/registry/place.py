"""Where a study's registry lies: a file in its folder, or a database server."""

import os
from dataclasses import dataclass
from pathlib import Path

from lesionary.core.errors import InputError

URL_VARIABLE = "LESIONARY_REGISTRY_URL"
POSTGRES = "postgresql+psycopg"


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """A SQLite file, or a PostgreSQL database with one schema a study.

    Parameters
    ----------
    path : Path
        ``registry.db`` in the study's folder; not used where there is a URL.
    url : str, optional
        ``postgresql+psycopg://user@host:port/database``. A password is better left to libpq's own
        places (``~/.pgpass``, ``PGPASSWORD``) than written into ``study.toml``.
    study_id : str
        Names the schema, so that one database serves many studies.
    """

    path: Path
    url: str | None = None
    study_id: str = ""

    def __post_init__(self) -> None:
        if self.url is not None and not self.url.startswith(f"{POSTGRES}://"):
            scheme, is_address, _ = self.url.partition("://")
            found = f"cannot lie in `{scheme}`" if is_address else "has another sort of address"
            raise wrong_url(f"a registry {found}")

    @property
    def schema(self) -> str:
        """Name of the study's schema in its database."""
        return f"study_{self.study_id.replace('-', '_')}"

    @property
    def is_frozen(self) -> bool:
        """Whether the file lies where nothing can be written, and no writer left anything there.

        SQLite must be told, for it puts files of its own beside one that it only reads.
        """
        if self.url is not None or os.access(self.path.parent, os.W_OK):
            return False
        log = self.path.with_name(f"{self.path.name}-wal")
        return not log.is_file() or log.stat().st_size == 0

    @property
    def reading_uri(self) -> str:
        """Address of the file for SQLite, for reading only."""
        return f"{self.path.absolute().as_uri()}?{'immutable=1' if self.is_frozen else 'mode=ro'}"


def wrong_url(message: str) -> InputError:
    """Say what a registry's address looks like; never the address, which may hold a password."""
    return InputError(
        message,
        code="registry_url",
        hint=f"{POSTGRES}://user@host:port/database, or no URL for a file in the study",
    )


def registry_place(path: Path, study_id: str, url: str | None) -> RegistryPlace:
    """Return the place: what the environment says goes before what ``study.toml`` says."""
    return RegistryPlace(path, os.environ.get(URL_VARIABLE) or url or None, study_id)
