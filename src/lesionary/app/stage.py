"""What every stage between ingest and publish has in common: units of work, done once.

A unit is one series, or one subject, and one stage. Its key is the hash of everything its result
depends on: input objects, the part of the protocol that it reads, and the stage's version. A unit
whose stored key equals its planned key is done; a second run does nothing, a killed run goes on
where it was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lesionary.app.executor import Task
from lesionary.core.errors import WorkflowError
from lesionary.core.identity import key_of
from lesionary.io.registry.records import UnitRecord

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]


class Scope(StrEnum):
    """What a stage's units are: images by themselves, or all of a subject's together."""

    SERIES = "series"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Work:
    """One unit that a stage plans.

    Parameters
    ----------
    name : str
        The series (or subject) it is about.
    inputs : dict of str to JSON value
        Everything the result depends on besides the stage's own code.
    request : object
        What the task gets; picklable.
    model : JSON value
        Name, version and generation of what draws; None where nothing does.
    """

    name: str
    inputs: Mapping[str, Any]
    request: Any
    model: Any = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: how it plans its units, and the task that does one.

    Parameters
    ----------
    name : str
    version : int
        Raised with every change that alters results, so that they are made anew.
    plan : callable
        Plans the units of the series it is given: a page of the study, never all of a large one.
        A stage of subjects gets all series of each.
    task : callable
        Does one unit; see :mod:`lesionary.app.executor`.
    sections : tuple of str
        The tables of the protocol that it goes by.
    resources : dict of str to int
        What a worker must offer, such as ``{"GPU": 1}``.
    scope : Scope
        What a unit is, and so what it is named after.
    """

    name: str
    version: int
    plan: Callable[["Study", Sequence[Row]], list[Work]]
    task: Task
    sections: tuple[str, ...] = ()
    resources: Mapping[str, int] = field(default_factory=dict)
    scope: Scope = Scope.SERIES

    def pages(self, study: "Study") -> Iterator[Sequence[Row]]:
        """Yield the study's series by pages; a stage of subjects never gets half a subject."""
        registry = study.registry
        return registry.series_pages() if self.scope is Scope.SERIES else registry.subject_pages()

    def names(self, rows: Sequence[Row]) -> list[str]:
        """Return what the units of a page are called, planned or not."""
        column = "id" if self.scope is Scope.SERIES else "subject_id"
        return list(dict.fromkeys(row[column] for row in rows))

    def key_of(self, work: Work) -> str:
        """Return the hash that names the unit's result."""
        return key_of(self.name, self.version, work.name, work.inputs)


@dataclass(frozen=True, slots=True)
class StageReport:
    """What became of a stage's units in one run.

    ``up_to_date`` counts those that were done before, or by another process meanwhile; ``stopped``
    says why not all were tried.
    """

    stage: str
    done: tuple[str, ...] = ()
    failed: tuple[UnitRecord, ...] = ()
    up_to_date: int = 0
    stopped: WorkflowError | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the stage had no units at all."""
        return not (self.done or self.failed or self.up_to_date)


def finished(study: "Study", stage: Stage, rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """Return the outputs of a stage's units that are done and up to date, by unit name.

    Parameters
    ----------
    study : Study
    stage : Stage
    rows : sequence of rows, optional
        The series that are asked for, all of a subject's for a stage of subjects; without it, all
        of the study.
    """
    if rows is None:
        outputs: dict[str, Any] = {}
        for page in stage.pages(study):
            outputs |= finished(study, stage, page)
        return outputs
    planned = stage.plan(study, rows)
    known = study.registry.units(stage.name, [work.name for work in planned])
    return {
        work.name: known[work.name].output
        for work in planned
        if work.name in known and _is_done(known[work.name], stage.key_of(work))
    }


def _is_done(record: UnitRecord, key: str) -> bool:
    return record.state == "done" and record.key == key


def units_of(reports: Sequence[StageReport]) -> tuple[UnitRecord, ...]:
    """Return every failed unit of several stages."""
    return tuple(record for report in reports for record in report.failed)
