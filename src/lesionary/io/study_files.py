"""A study's folder: its parts by name, and how it comes to be."""

import shutil
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError, WorkflowError
from lesionary.core.identity import digest
from lesionary.io.durable import PARTIAL, flush_to_disk, partial_name, writing
from lesionary.io.protocol_text import without_registry
from lesionary.io.registry.place import RegistryPlace, registry_place

PROTOCOL_FILE = "study.toml"


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """Where a study keeps what."""

    root: Path

    @property
    def protocol(self) -> Path:
        """The protocol with the user's changes."""
        return self.root / PROTOCOL_FILE

    @property
    def registry(self) -> Path:
        """The SQLite database, where the registry is a file."""
        return self.root / "registry.db"

    @property
    def protocol_digest(self) -> str:
        """The hash of ``study.toml`` as it is now."""
        return digest_of_protocol(self.read_protocol())

    @property
    def registry_place(self) -> RegistryPlace:
        """Where the registry lies, by ``study.toml`` and the environment."""
        try:
            tables = tomllib.loads(self.read_protocol())
        except tomllib.TOMLDecodeError as error:
            raise InputError(
                f"this is not TOML: {error}",
                code="protocol",
                hint="mend that line",
                source=str(self.protocol),
            ) from None
        study, registry = (_table(tables, name, self.protocol) for name in ("study", "registry"))
        url = registry.get("url", "")
        if not isinstance(url, str):
            raise _no_table("registry", self.protocol)
        return registry_place(self.registry, str(study.get("id", "")), url)

    @property
    def objects(self) -> Path:
        """The object store."""
        return (self.root / "objects").absolute()  # workers may stand in another folder

    @property
    def logs(self) -> Path:
        """JSON lines without identities."""
        return self.root / "logs"

    @property
    def release(self) -> Path:
        """What was published."""
        return self.root / "release"

    @property
    def lock(self) -> Path:
        """Held alone by who takes something in, together by those who run."""
        return self.root / "study.lock"

    @property
    def release_lock(self) -> Path:
        """Held by the one process that publishes."""
        return self.root / "release.lock"

    @property
    def holders(self) -> Path:
        """Locks of the processes that hold claims."""
        return self.root / "holders"

    def read_protocol(self) -> str:
        """Return the text of ``study.toml``."""
        try:
            return self.protocol.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise WorkflowError(
                "this folder is no study: it has no study.toml",
                hint="make one with `lesionary new STUDY`",
                source=str(self.root),
            ) from None
        except UnicodeDecodeError:
            raise InputError(
                "study.toml is not UTF-8 text",
                code="protocol",
                hint="save it as UTF-8",
                source=str(self.protocol),
            ) from None
        except OSError as error:
            raise InputError(
                f"study.toml cannot be read: {error.strerror}",
                code="protocol",
                hint="see to its permissions, and that it is a file",
                source=str(self.protocol),
            ) from None


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that a study was opened in, known again by more than its name.

    Parameters
    ----------
    place : Path
        Absolute: who stands in a folder that is moved would not notice otherwise.
    identity : (int, int)
        Of its device, and on it.
    """

    place: Path
    identity: tuple[int, int]

    @classmethod
    def of(cls, root: Path) -> "Home":
        """Return where the folder is now."""
        place = root.absolute()
        return cls(place, _identity(place))

    def require(self) -> None:
        """Raise unless that very folder is still there.

        Raises
        ------
        WorkflowError
            Code ``study_moved``.
        """
        with suppress(FileNotFoundError, NotADirectoryError):
            if _identity(self.place) == self.identity:
                return
        raise WorkflowError(
            "the study's folder was moved away while it was worked on",
            code="study_moved",
            hint="run the same command where it is now: what was done is kept",
        )


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def digest_of_protocol(text: str) -> str:
    """Return the hash of a ``study.toml``; where the registry lies is no part of it."""
    return digest([without_registry(text).encode()])


def _table(tables: dict[str, Any], name: str, source: Path) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise _no_table(name, source)
    return table


def _no_table(name: str, source: Path) -> InputError:
    return InputError(
        f"`{name}` is not the table that it should be",
        code="protocol",
        hint="write it as `lesionary new` does",
        source=str(source),
    )


def shipped_protocols() -> tuple[str, ...]:
    """Return the names of the protocols in the package."""
    folder = resources.files("lesionary") / "protocols"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def protocol_text(name: str) -> str:
    """Return a shipped protocol, or the file that ``name`` leads to.

    Raises
    ------
    InputError
        If there is neither.
    """
    if name in shipped_protocols():
        return (resources.files("lesionary") / "protocols" / f"{name}.toml").read_text("utf-8")
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise InputError(
                "the protocol cannot be read, or is not UTF-8 text",
                code="protocol",
                hint="save it as UTF-8",
                source=name,
            ) from None
    raise InputError(
        f"no protocol `{name}`",
        code="protocol",
        hint=f"shipped: {', '.join(shipped_protocols())}; or the path of a .toml file",
    )


def create_folder(root: Path) -> "PendingFolder":
    """Begin a new study folder beside its place; refuse a place that is taken."""
    with writing():
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise WorkflowError("the folder is not empty", hint="name a new one", source=str(root))
        pending = partial_name(root.absolute())
        for part in ("objects", "logs"):
            (pending / part).mkdir(parents=True)
    return PendingFolder(pending, root)


@dataclass(frozen=True, slots=True)
class PendingFolder:
    """A study folder under its temporary name."""

    temporary: Path
    root: Path

    def discard(self) -> None:
        """Remove what was made so far."""
        shutil.rmtree(self.temporary, ignore_errors=True)

    def settle(self) -> None:
        """Give the folder its name, in one step."""
        with writing():
            self.temporary.replace(self.root)
            flush_to_disk(self.root.absolute().parent)


def clear_partial(folder: Path) -> None:
    """Remove what a killed process left behind in a folder of the study."""
    for leftover in folder.glob(f"{PARTIAL}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
