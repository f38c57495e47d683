"""The registry's rows: the file they lie in, what events say of them, and their counts."""

from typing import TYPE_CHECKING

from lesionary.app.verify.report import VerifyReport

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FROM_BACKUP = "restore the study from a backup; nobody but Lesionary may write to its registry"
_REPAIR = "`lesionary verify STUDY --repair` puts it right"


def verify_database(connection: "Connection", report: VerifyReport) -> bool:
    """Check the database itself: its pages, definitions, references, and the triggers that guard.

    Returns
    -------
    bool
        Whether rows can be read at all.
    """
    from lesionary.io.registry.health import (
        changed_definitions,
        damages,
        dangling,
        is_legible,
        missing_guards,
    )

    with report.section("registry/pages"):
        for text in damages(connection):
            report.fail("registry/pages", "registry_damaged", text, _FROM_BACKUP)
    with report.section("registry/definitions"):
        for name in changed_definitions(connection):
            reason = f"{name} is not defined as Lesionary defines it"
            report.fail("registry/definitions", "definition_changed", reason, _FROM_BACKUP)
    with report.section("registry/references"):
        for text in dangling(connection):
            report.fail("registry/references", "reference", text, _FROM_BACKUP)
    with report.section("registry/guards"):
        for name in missing_guards(connection):
            reason = f"the trigger {name} that refuses changes is gone, off, or another"
            report.fail("registry/guards", "guard_missing", reason, _REPAIR)
    if is_legible(connection):
        return True
    reason = "columns are gone or of another type: no rows, events and objects were looked at"
    report.fail("registry", "not_checked", reason, _FROM_BACKUP)
    return False


def verify_rows(connection: "Connection", report: VerifyReport) -> None:
    """Hold every row against the last event that names it, and the counts against the rows."""
    from lesionary.io.registry.checks import count_rows, row_faults
    from lesionary.io.registry.facts import AUDITED
    from lesionary.io.registry.health import kept_counts, true_counts

    for audited in AUDITED:
        with report.section(f"rows/{audited.table.name}"):
            report.counts["rows"] += count_rows(connection, audited)
            for fault in row_faults(connection, audited):
                report.fail(fault.object, fault.code, fault.reason, _FROM_BACKUP)
    with report.section("rows/counts"):
        kept, true = kept_counts(connection), true_counts(connection)
        for name in sorted(kept.keys() | true.keys()):
            if kept.get(name, 0) != true.get(name, 0):
                reason = f"{name}: {true.get(name, 0)} are there, {kept.get(name, 0)} are counted"
                report.fail("rows/counts", "count_wrong", reason, _REPAIR)
