"""What every stage between ingest and publish has in common: units of work, done once.

A unit is one series and one stage. Its key is the hash of everything its result depends on: input
objects, the part of the protocol that it reads, and the stage's version. A unit whose stored key
equals its planned key is done; a second run does nothing, a killed run goes on where it was.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.executor import Executor, Failure, Task
from lesionary.app.progress import Progress
from lesionary.core.identity import key_of
from lesionary.io.log_files import LOGGER
from lesionary.io.registry import UnitRecord
from lesionary.io.registry_status import PLANNED

if TYPE_CHECKING:
    from lesionary.app.study import Study


_log = logging.getLogger(LOGGER)


@dataclass(frozen=True, slots=True)
class Work:
    """One unit that a stage plans.

    Parameters
    ----------
    name : str
        The series (or subject) it is about.
    inputs : JSON value
        Everything the result depends on besides the stage's own code.
    request : object
        What the task gets; picklable.
    """

    name: str
    inputs: Any
    request: Any


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: how it plans its units, and the task that does one.

    ``version`` is raised with every change that alters results, so that they are made anew.
    """

    name: str
    version: int
    plan: Callable[["Study"], list[Work]]
    task: Task

    def key_of(self, work: Work) -> str:
        """Return the hash that names the unit's result."""
        return key_of(self.name, self.version, work.name, work.inputs)


@dataclass(frozen=True, slots=True)
class StageReport:
    """What became of a stage's units in one run."""

    stage: str
    done: tuple[str, ...] = ()
    failed: tuple[UnitRecord, ...] = ()
    up_to_date: int = field(default=0)

    @property
    def is_idle(self) -> bool:
        """Whether the stage had no units at all."""
        return not (self.done or self.failed or self.up_to_date)


def run_stage(study: "Study", stage: Stage, executor: Executor, progress: Progress) -> StageReport:
    """Do what is due of one stage and record every receipt as it comes."""
    planned = stage.plan(study)
    study.registry.set_meta(PLANNED + stage.name, str(len(planned)))
    known = study.registry.units(stage.name)
    study.registry.forget_units(stage.name, known.keys() - {work.name for work in planned})
    due = [work for work in planned if not _is_done(known.get(work.name), stage.key_of(work))]
    done: list[str] = []
    failed: list[UnitRecord] = []
    progress.start(stage.name, len(due))
    for position, outcome in executor.run(stage.task, [work.request for work in due]):
        record = _record(stage, due[position], outcome)
        study.registry.record_unit(record)
        _log_unit(record, outcome)
        if record.state == "failed":
            failed.append(record)
        else:
            done.append(record.name)
        progress.advance(stage.name)
    progress.finish(stage.name)
    return StageReport(
        stage.name,
        tuple(sorted(done)),
        tuple(sorted(failed, key=lambda record: record.name)),
        len(planned) - len(due),
    )


def finished(study: "Study", stage: Stage) -> dict[str, Any]:
    """Return the outputs of a stage's units that are done and up to date, by unit name."""
    known = study.registry.units(stage.name)
    outputs = {}
    for work in stage.plan(study):
        record = known.get(work.name)
        if record is not None and _is_done(record, stage.key_of(work)):
            outputs[work.name] = record.output
    return outputs


def _is_done(record: UnitRecord | None, key: str) -> bool:
    return record is not None and record.state == "done" and record.key == key


def _record(stage: Stage, work: Work, outcome: Any) -> UnitRecord:
    key = stage.key_of(work)
    if isinstance(outcome, Failure):
        return UnitRecord(
            stage.name,
            work.name,
            key,
            "failed",
            code=outcome.code,
            reason=outcome.reason,
            hint=outcome.hint,
        )
    return UnitRecord(stage.name, work.name, key, "done", output=outcome)


def _log_unit(record: UnitRecord, outcome: Any) -> None:
    fields: dict[str, Any] = {"stage": record.stage, "unit": record.name, "key": record.key[:12]}
    if isinstance(outcome, Failure):
        fields |= {"code": outcome.code, "stack": list(outcome.stack)}
    _log.info(record.state, extra={"fields": fields})


def units_of(reports: Sequence[StageReport]) -> tuple[UnitRecord, ...]:
    """Return every failed unit of several stages."""
    return tuple(record for report in reports for record in report.failed)
