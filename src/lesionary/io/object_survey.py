"""What is wrong with a store: objects that are missing or changed, and files that are none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.durable import PARTIAL
from lesionary.io.garbage import LEAVING
from lesionary.io.objects import ObjectStore, is_object_id, is_shelf


class FaultKind(StrEnum):
    """What can be wrong."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    MISNAMED = "misnamed"
    LEFTOVER = "leftover"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    kind : FaultKind
        ``missing``: no file; ``unreadable``: no permission; ``damaged``: no whole object;
        ``misnamed``: a whole object under another's name, or one whose header was changed;
        ``leftover``: half-written or put aside by a killed process; ``foreign``: not ours.
    name : str
        The object's id; of files that are none, the path within the store. Somebody may have put a
        name of theirs into that, so it is for the user's terminal, never for a log.
    holds : str, optional
        The id that a misnamed content should have.
    """

    kind: FaultKind
    name: str
    holds: str | None = None


_KINDS = {
    "object_missing": FaultKind.MISSING,
    "not_readable": FaultKind.UNREADABLE,
    "object_changed": FaultKind.DAMAGED,
}


def faulty_objects(store: ObjectStore, ids: Iterable[str]) -> Iterator[Fault]:
    """Read these objects from end to end and tell which are not what their names say.

    One pass over each file; a few MB of memory whatever their sizes.
    """
    for object_id in ids:
        try:
            held = store.name_within(object_id)
        except UnreadableSeriesError as error:
            yield Fault(_KINDS[error.code], object_id)
        else:
            if held != object_id:
                yield Fault(FaultKind.MISNAMED, object_id, held)


def strangers(store: ObjectStore) -> Iterator[Fault]:
    """Tell which files and folders in the store are no objects, folder by folder."""
    if not store.root.is_dir():
        return
    for path in sorted(store.root.iterdir()):
        if is_shelf(path):
            yield from _strangers_on(path)
        else:
            yield _stranger(path, path.name)


def _strangers_on(shelf: Path) -> Iterator[Fault]:
    for path in sorted(shelf.iterdir()):
        if not (is_object_id(shelf.name + path.name) and path.is_file()):
            yield _stranger(path, f"{shelf.name}/{path.name}")


def _stranger(path: Path, name: str) -> Fault:
    is_ours = path.name.startswith((PARTIAL, LEAVING))
    return Fault(FaultKind.LEFTOVER if is_ours else FaultKind.FOREIGN, name)
