"""Tidy: remove objects that no row names, such as those of runs that were killed or redone."""

from dataclasses import dataclass
from typing import Any

from lesionary.app.study import Study

HOUR_S = 3600.0
DEFAULT_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class TidyReport:
    """What was removed, or would be.

    Parameters
    ----------
    n_removed : int
        Objects that no row names and that are older than asked for.
    n_leftovers : int
        Half-written files of killed processes.
    n_bytes : int
        Of both, on the disk.
    n_kept : int
        Objects that stay.
    is_dry_run : bool
        Whether all is still there.
    """

    n_removed: int
    n_leftovers: int
    n_bytes: int
    n_kept: int
    is_dry_run: bool

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "removed": self.n_removed,
            "leftovers": self.n_leftovers,
            "bytes": self.n_bytes,
            "kept": self.n_kept,
            "dry_run": self.is_dry_run,
        }


def tidy_study(
    study: Study, *, older_than_hours: float = DEFAULT_HOURS, dry_run: bool = False
) -> TidyReport:
    """Remove what no row names; see :mod:`lesionary.io.garbage` for why nothing needed goes.

    Any word in any row that could be an object's name keeps the object. Rows are not written
    meanwhile, and memory does not grow with the study.

    Raises
    ------
    InputError
        If the grace period is no number of hours from 0 on.
    WorkflowError
        Code ``busy`` where another process works on the study.
    """
    from lesionary.io.garbage import collect
    from lesionary.io.name_index import NameIndex
    from lesionary.io.registry.chain import Draft
    from lesionary.io.registry.object_names import possible_names

    with (
        study.working(),
        study.registry.writing() as told,
        NameIndex() as named,
    ):
        named.add(possible_names(told.connection))
        collected = collect(
            study.objects,
            named.among,
            older_than_s=older_than_hours * HOUR_S,
            dry_run=dry_run,
        )
        n_there = sum(1 for _ in study.objects.list_ids())
        report = TidyReport(
            collected.n_objects,
            collected.n_leftovers,
            collected.n_bytes,
            n_there - (collected.n_objects if dry_run else 0),
            dry_run,
        )
        if not dry_run and (collected.n_objects or collected.n_leftovers):
            why = f"no row names them, and they are older than {older_than_hours:g} h"
            told.say(Draft("collected", "objects", why, details=report.document()))
    return report
