"""Repair: what stages made and lost is made due again; nothing that is whole is touched."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.app.verify.stored import collect_names, faults_of, is_source, who_needs
from lesionary.io.durable import flush_to_disk, make_folder, writing
from lesionary.io.name_index import NameIndex
from lesionary.io.object_survey import FaultKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lesionary.app.study import Study
    from lesionary.io.registry.transaction import Transaction

DAMAGED_FOLDER = "damaged"
"""Where damaged files go, out of the way of the whole ones: somebody may still read some of one."""

_WHY = "object missing: repaired by verify"
_AGAIN = "made due again: `lesionary run STUDY` makes it anew"
_CHANGED = "not made due again: the audit tells otherwise of {}, restore a backup"
_INGEST = "ingest the source again, or restore the object from a backup"

Told = list[dict[str, str]]


def repair_study(study: "Study") -> Told:
    """Put right what can be, and return what was done, object by object.

    Units whose objects are missing or damaged are forgotten, so the next run makes them anew. Files
    that are damaged move to ``damaged/`` within the study: in their place they would pass for whole
    when the same object is put there again. Triggers and counts are put back. What came in from
    outside cannot be made again; ingest puts it back. A unit whose row somebody changed stays as it
    is: to forget it would be to forget the trace of that. Nothing is done where columns are gone.

    Raises
    ------
    WorkflowError
        Code ``busy`` where another process works on the study.
    """
    told: Told = []
    with study.working():
        if not _is_legible(study):
            return told
        _repair_registry(study, told)
        with NameIndex() as index:
            with study.registry.reading() as connection:
                collect_names(study.objects, connection, index)
                changed = _changed_units(connection)
            for name, namers in index:
                _repair_object(study, name, who_needs(namers), changed, told)
    return told


def _is_legible(study: "Study") -> bool:
    from lesionary.io.registry.health import is_legible

    with study.registry.reading() as connection:
        return is_legible(connection)


def _changed_units(connection: "Connection") -> frozenset[str]:
    """Return the units that are not what their last events say."""
    from lesionary.io.registry.checks import row_faults
    from lesionary.io.registry.facts import BY_TABLE

    return frozenset(fault.object for fault in row_faults(connection, BY_TABLE["unit"]))


def _repair_registry(study: "Study", told: Told) -> None:
    from lesionary.io.registry.health import missing_guards, put_guards_back

    with study.registry.writing() as transaction:
        connection = transaction.connection
        if missing := missing_guards(connection):
            put_guards_back(connection)
            _say(transaction, "restored", "guards", f"gone or changed: {', '.join(missing)}")
            told.append({"unit": "registry/guards", "done": "the triggers were made anew"})
        if _count_anew(connection):
            _say(transaction, "counted", "tally", "the counts were not those of the rows")
            told.append({"unit": "rows/counts", "done": "counted anew"})


def _count_anew(connection: "Connection") -> bool:
    from lesionary.io.registry.health import keep_counts, kept_counts, true_counts

    true = true_counts(connection)
    if kept_counts(connection) == true:
        return False
    keep_counts(connection, true)
    return True


def _say(transaction: "Transaction", action: str, name: str, why: str) -> None:
    from lesionary.io.registry.chain import Draft

    transaction.say(Draft(action, name, why))


def _repair_object(
    study: "Study", name: str, needed_by: tuple[str, ...], changed: frozenset[str], told: Told
) -> None:
    for fault in faults_of(study.objects, name):
        if fault.kind is FaultKind.UNREADABLE:
            continue  # it may be whole: whose permission is missing must see to it
        done = []
        if is_damaged := fault.kind is not FaultKind.MISSING:
            _set_aside(study, name)
            done.append("its file was moved to damaged/")
        units = () if is_source(needed_by) else tuple(u for u in needed_by if u not in changed)
        _tell(study, name, units, is_damaged=is_damaged)
        if is_source(needed_by):
            done.append(_INGEST)
        elif units:
            done.append(_AGAIN)
        if kept := sorted(changed.intersection(needed_by)):
            done.append(_CHANGED.format(", ".join(kept)))
        told.append({"unit": name[:12], "done": "; ".join(done)})


def _set_aside(study: "Study", name: str) -> None:
    path, folder = study.objects.path_of(name), study.files.root / DAMAGED_FOLDER
    make_folder(folder)
    with writing(folder):
        path.replace(_free_place(folder / name))
        flush_to_disk(folder)
        flush_to_disk(path.parent)


def _free_place(path: Path) -> Path:
    number, place = 1, path
    while place.exists():
        number += 1
        place = path.with_name(f"{path.name}.{number}")
    return place


def _tell(study: "Study", name: str, units: Sequence[str], *, is_damaged: bool) -> None:
    """Make units due again, and write down why, and what became of a damaged file."""
    from lesionary.io.registry.chain import Draft

    with study.registry.writing() as transaction:
        for unit in units:
            _, stage, unit_name = unit.split("/", 2)
            transaction.forget_units(stage, [unit_name], why=_WHY)
        if is_damaged:
            transaction.say(Draft("set_aside", f"object/{name}", "its file is damaged"))
