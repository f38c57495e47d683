"""Sets that lie outside the study: what pretrained a model, a test set kept elsewhere.

The user names one by a list of identities or by a folder of images. Identities become the study's
own keyed hashes at once; neither they nor the folder's names are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.identities import Entry, parse_list, read_images, text_of_list
from lesionary.app.progress import Progress, Silent
from lesionary.app.splits import require_name
from lesionary.core.errors import InputError
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.learn.members import Kind, Role

if TYPE_CHECKING:
    from lesionary.app.study import Study
from lesionary.app.study_names import names_of


@dataclass(frozen=True, slots=True)
class DeclareReport:
    """What a declared set holds now.

    Parameters
    ----------
    name, role : str
    counts : mapping of str to int
        Values by kind.
    n_added, n_removed : int
        Against what stood under this name before.
    n_unread : int
        Scans of a folder whose voxels could not be read: known by their header alone, or not at
        all.
    """

    name: str
    role: str
    counts: Mapping[str, int]
    n_added: int
    n_removed: int
    n_unread: int

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "set": self.name,
            "role": self.role,
            "values": dict(self.counts),
            "added": self.n_added,
            "removed": self.n_removed,
            "unread": self.n_unread,
        }


def declare_set(
    study: "Study",
    name: str,
    role: Role,
    path: Path,
    *,
    progress: Progress | None = None,
) -> DeclareReport:
    """Tell the study of a set outside it; under a name told before, this takes its place.

    Parameters
    ----------
    study : Study
    name : str
        How leaks call it.
    role : Role
        What the set is for, or was.
    path : Path
        A ``.csv`` with any of the columns ``patient_id``, ``study_uid``, ``series_uid``,
        ``sop_uid``, ``pixel_hash``; else a folder, archive or file with images: DICOM gives
        patients, UIDs and voxels, image files their voxels, and in the recist layout their series.
    progress : Progress, optional
        Hears of every scan of a folder.

    Raises
    ------
    InputError
        If the path holds nothing of the kind; of a bad list all bad lines are named, no values.
    """
    require_name(name)
    is_list = path.is_file() and path.suffix.lower() == ".csv"
    n_unread = 0
    if is_list:
        entries = parse_list(text_of_list(path), source=str(path))
    else:
        entries, n_unread = read_images(path, progress or Silent())
        if not entries:
            raise InputError(
                "nothing here is an image that can be read",
                hint="give a folder of images, or a .csv with the columns in the manual",
                source=str(path),
            )
    pseudonyms = names_of(study)
    rows = _rows(name, role, entries, pseudonyms)
    n_added, n_removed = _store(study, name, rows)
    counts = {kind.value: sum(row["kind"] == kind for row in rows) for kind in Kind}
    return DeclareReport(
        name,
        role.value,
        {kind: n for kind, n in counts.items() if n},
        n_added,
        n_removed,
        n_unread,
    )


def _rows(
    name: str, role: Role, entries: Iterable[Entry], pseudonyms: Pseudonymiser
) -> list[dict[str, str]]:
    """Return the set's rows, each value once, under the name of the first that has it."""
    rows: dict[tuple[Kind, str], dict[str, str]] = {}
    for entry in entries:
        value = _keyed(entry, pseudonyms)
        row = {"kind": entry.kind.value, "value": value, "label": entry.label}
        rows.setdefault((entry.kind, value), {"name": name, "role": role.value} | row)
    return [rows[place] for place in sorted(rows)]


def _keyed(entry: Entry, pseudonyms: Pseudonymiser) -> str:
    """Return what the registry holds for the same identity, as ingest made it."""
    if entry.kind is Kind.PIXELS:
        return entry.value
    if entry.kind is Kind.PATIENT:
        return pseudonyms.identity_hash(entry.value)
    return pseudonyms.uid(entry.value)


def _store(study: "Study", name: str, rows: Sequence[Mapping[str, str]]) -> tuple[int, int]:
    """Put rows in the place of those under the same name; return how many came and went."""
    from lesionary.io.registry import tables
    from lesionary.io.registry.sets import declared_rows

    why = f"set {name} was declared"
    with study.registry.writing(why=why) as transaction:
        held = {_content(row): row for row in declared_rows(transaction.connection, name)}
        wanted = {_content(row): row for row in rows}
        gone = [row for content, row in held.items() if content not in wanted]
        for row in gone:
            transaction.delete(tables.declared_set, row, why=f"{why} anew")
        added = [row for content, row in wanted.items() if content not in held]
        transaction.insert(tables.declared_set, added, action="declared")
    return len(added), len(gone)


def _content(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[column] for column in ("role", "kind", "value", "label"))
