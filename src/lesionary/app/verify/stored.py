"""Objects: what rows name is there and whole, and nothing else lies among it."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from lesionary.app.verify.report import VerifyReport
from lesionary.io.name_index import NameIndex
from lesionary.io.object_survey import Fault, FaultKind, faulty_objects, strangers
from lesionary.io.objects import ObjectStore, is_object_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ON_DISK = ""
"""The namer of what lies in the store, whoever needs it."""

_SOURCES = ("series", "annotation")
_CODES = {
    FaultKind.MISSING: ("object_missing", "it is missing"),
    FaultKind.UNREADABLE: ("not_readable", "it may not be read by you"),
    FaultKind.DAMAGED: ("object_changed", "its file is damaged"),
    FaultKind.MISNAMED: ("object_changed", "its content is another's"),
}
_REPAIR = "`lesionary verify STUDY --repair`, then `lesionary run STUDY` makes it anew"
_REPAIR_SOURCE = (
    "`lesionary verify STUDY --repair`, then ingest the source again, or restore the object from a"
    " backup"
)
_REPAIR_NOBODYS = "`lesionary verify STUDY --repair` takes it away"
_FOREIGN = "only Lesionary may write there: move them elsewhere"


def verify_objects(store: ObjectStore, connection: "Connection", report: VerifyReport) -> None:
    """Read every object that a row names or that lies there, from end to end."""
    with NameIndex() as index:
        with report.section("objects/names"):
            collect_names(store, connection, index)
        for shelf, entries in groupby(index, key=lambda entry: entry[0][:2]):
            with report.section(f"objects/{shelf}"):
                for name, namers in entries:
                    report.counts["objects"] += 1
                    for fault in faults_of(store, name):
                        _tell(fault, namers, report)
    with report.section("objects/others"):
        _tell_strangers(store, report)


def collect_names(store: ObjectStore, connection: "Connection", index: NameIndex) -> None:
    """Put what rows need, and what is there, into the index."""
    from lesionary.io.registry.object_names import needed_objects

    index.add(needed_objects(connection))
    index.add((name, _ON_DISK) for name in store.list_ids())


def faults_of(store: ObjectStore, name: str) -> Iterator[Fault]:
    """Yield what is wrong with one object; what is no object's name has none."""
    if is_object_id(name):
        yield from faulty_objects(store, [name])
    else:
        yield Fault(FaultKind.MISSING, name)


def is_source(namers: tuple[str, ...]) -> bool:
    """Tell whether an object came in from outside, so that no stage can make it again."""
    return any(namer.startswith(_SOURCES) for namer in namers)


def who_needs(namers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rows among the namers of an object."""
    return tuple(namer for namer in namers if namer != _ON_DISK)


def _tell(fault: Fault, namers: tuple[str, ...], report: VerifyReport) -> None:
    code, reason = _CODES[fault.kind]
    needed_by = who_needs(namers)
    if needed_by:
        hint = _REPAIR_SOURCE if is_source(needed_by) else _REPAIR
        more = f" and {len(needed_by) - 3} more" if len(needed_by) > 3 else ""
        reason += f"; needed by {', '.join(needed_by[:3])}{more}"
    else:
        hint = _REPAIR_NOBODYS
        reason += "; no row names it"
    report.fail(fault.name[:12], code, reason, hint)


def _tell_strangers(store: ObjectStore, report: VerifyReport) -> None:
    """Tell how many foreign files lie where; a name that somebody gave may be a patient's."""
    where = Counter(
        fault.name.partition("/")[0] if "/" in fault.name else ""
        for fault in strangers(store)
        if fault.kind is FaultKind.FOREIGN
    )
    for shelf, n in sorted(where.items()):
        unit = f"objects/{shelf}" if shelf else "objects"
        reason = f"{n} {'entry is' if n == 1 else 'entries are'} no object"
        report.fail(unit, "foreign_file", reason, _FOREIGN)
