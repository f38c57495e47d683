"""Run one stage: claim what is due, do it, record receipts; several processes may do so together.

Units are planned a page of series at a time, claimed a few at a time and recorded in batches, so
the driver's memory does not grow with the study, and what a killed driver had not yet recorded is
half a second's work. A unit that another living process holds is waited for; one whose holder died
is taken over.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lesionary.app.code import code_digest, code_version
from lesionary.app.executor import CLUSTER_LOST, Executor, Failure
from lesionary.app.progress import Progress
from lesionary.app.stage import Stage, StageReport, Work
from lesionary.core.errors import WorkflowError
from lesionary.core.identity import canonical_json
from lesionary.io.actor import this_actor
from lesionary.io.log_files import LOGGER
from lesionary.io.registry.claims import Claims
from lesionary.io.registry.records import RunRecord, UnitRecord, UnitState
from lesionary.io.registry.registry import utc_now
from lesionary.io.registry.status import PLANNED

if TYPE_CHECKING:
    from lesionary.app.study import Study

_log = logging.getLogger(LOGGER)

_RECORD_EVERY_S = 0.5
_RECORD_AT_MOST = 128
_CLAIM_AT_MOST = 64
_CLAIM_EVERY_S = 0.5
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Running:
    """What the stages of one command share.

    Parameters
    ----------
    executor : Executor
    claims : Claims
    cluster : str
        Where units run, for the record.
    progress : Progress
    """

    executor: Executor
    claims: Claims
    cluster: str
    progress: Progress


def run_stage(study: "Study", stage: Stage, running: Running) -> StageReport:
    """Do what is due of one stage and record every receipt.

    Where the cluster is lost on the way, the report says so; what was done stays.
    """
    run = _StageRun(study, stage, running)
    running.progress.start(stage.name, 0)
    try:
        run.do(run.planned())
        run.do_what_others_leave()
    except WorkflowError as error:
        if error.code != CLUSTER_LOST:
            raise
        return replace(run.report(), stopped=error)
    running.progress.finish(stage.name)
    study.registry.set_meta(PLANNED + stage.name, str(run.n_planned))
    return run.report()


def new_run(
    study: "Study", stage: str, version: int, sections: Sequence[str], cluster: str
) -> RunRecord:
    """Describe a run that begins now: by which code, which part of the protocol, and whom."""
    protocol = study.protocol.model_dump(by_alias=True)
    return RunRecord(
        id=str(uuid4()),
        stage=stage,
        stage_version=version,
        section={name: protocol[name] for name in sections},
        code_version=code_version(),
        code_digest=code_digest(),
        cluster=cluster,
        actor=this_actor(),
        started_at=utc_now(),
    )


@dataclass(slots=True)
class _StageRun:
    """One stage in one command."""

    study: "Study"
    stage: Stage
    running: Running
    n_planned: int = 0
    _run: RunRecord | None = None
    _done: list[str] = field(default_factory=list)
    _failed: list[UnitRecord] = field(default_factory=list)
    _n_up_to_date: int = 0
    _in_work: dict[int, tuple[Work, str]] = field(default_factory=dict)
    _n_given: int = 0
    _held: dict[str, tuple[Work, int]] = field(default_factory=dict)
    _receipts: "_Receipts" = field(init=False)

    def __post_init__(self) -> None:
        self._receipts = _Receipts(self.study, self.running.claims, self.stage.name)

    def report(self) -> StageReport:
        """Return what became of the units."""
        failed = sorted(self._failed, key=lambda record: record.name)
        return StageReport(
            self.stage.name, tuple(sorted(self._done)), tuple(failed), self._n_up_to_date
        )

    def do(self, requests: Iterator[Any]) -> None:
        """Run requests as they are claimed, and record what comes of them."""
        self._n_given = 0
        outcomes = self.running.executor.run(
            self.stage.task, requests, resources=self.stage.resources
        )
        try:
            for position, outcome in outcomes:
                self.study.home.require()
                work, why = self._in_work.pop(position)
                record = self._record(work, outcome)
                self._receipts.add(record, why)
                _log_unit(record, outcome)
                self._keep(record)
        finally:
            self._receipts.flush()

    def planned(self) -> Iterator[Any]:
        """Plan page by page; claim what is due, and yield its requests."""
        registry, stage = self.study.registry, self.stage
        for rows in stage.pages(self.study):
            planned = stage.plan(self.study, rows)
            self.n_planned += len(planned)
            states = registry.unit_states(stage.name, stage.names(rows))
            gone = states.keys() - {work.name for work in planned}
            registry.forget_units(stage.name, sorted(gone), why="it is no longer planned")
            due = [work for work in planned if not self._is_done(states.get(work.name), work)]
            self._n_up_to_date += len(planned) - len(due)
            self.running.progress.extend(stage.name, len(due))
            yield from self._claimed({work.name: work for work in due}, states)

    def do_what_others_leave(self) -> None:
        """Wait for units that other processes hold; do those that they leave undone."""
        while self._held:
            works = {name: work for name, (work, _) in self._held.items()}
            versions = {name: version for name, (_, version) in self._held.items()}
            self._held = {}
            states = {name: UnitState("", "", version) for name, version in versions.items()}
            self.do(self._claimed(works, states))
            if self._held:
                time.sleep(_LOOK_EVERY_S)

    def _claimed(self, works: Mapping[str, Work], states: Mapping[str, UnitState]) -> Iterator[Any]:
        """Claim works a few at a time: as many as about half a second takes."""
        waiting = list(works)
        n_next = 1
        while waiting:
            names, waiting = waiting[:n_next], waiting[n_next:]
            began = time.monotonic()
            yield from self._claim({name: works[name] for name in names}, states)
            is_quick = time.monotonic() - began < _CLAIM_EVERY_S
            n_next = min(2 * n_next, _CLAIM_AT_MOST) if is_quick else max(1, n_next // 2)

    def _claim(self, works: Mapping[str, Work], states: Mapping[str, UnitState]) -> Iterator[Any]:
        registry, name = self.study.registry, self.stage.name
        versions = {name: states[name].version if name in states else 0 for name in works}
        taken = self.running.claims.take(name, versions)
        self._held |= {name: (works[name], versions[name]) for name in taken.held}
        if taken.recorded:
            self._count_others(registry.units(name, taken.recorded).values())
        if not taken.mine:
            return
        if self._run is None:
            stage, cluster = self.stage, self.running.cluster
            self._run = new_run(self.study, name, stage.version, stage.sections, cluster)
            registry.add_run(self._run)
        before = registry.units(name, [one for one in taken.mine if versions[one]])
        for work in works.values():
            if work.name in taken.mine:
                why = _why(work, self.stage.key_of(work), before.get(work.name))
                self._in_work[self._n_given] = (work, why)
                self._n_given += 1
                yield work.request

    def _count_others(self, records: Iterable[UnitRecord]) -> None:
        for record in records:
            self.running.progress.advance(self.stage.name, failed=int(record.state == "failed"))
            if record.state == "failed":
                self._failed.append(record)
            else:
                self._n_up_to_date += 1

    def _keep(self, record: UnitRecord) -> None:
        is_failed = record.state == "failed"
        self.running.progress.advance(self.stage.name, failed=int(is_failed))
        if is_failed:
            self._failed.append(record)
        else:
            self._done.append(record.name)

    def _is_done(self, state: UnitState | None, work: Work) -> bool:
        return state is not None and state.is_done(self.stage.key_of(work))

    def _record(self, work: Work, outcome: Any) -> UnitRecord:
        record = UnitRecord(
            self.stage.name,
            work.name,
            self.stage.key_of(work),
            "done",
            inputs=work.inputs,
            model=work.model,
            run_id=self._run.id if self._run else None,
        )
        if isinstance(outcome, Failure):
            return replace(
                record, state="failed", code=outcome.code, reason=outcome.reason, hint=outcome.hint
            )
        return replace(record, output=outcome)


@dataclass(slots=True)
class _Receipts:
    """Outcomes that wait to be recorded together: never longer than half a second's worth."""

    study: "Study"
    claims: Claims
    stage: str
    _records: list[UnitRecord] = field(default_factory=list)
    _whys: dict[str, str] = field(default_factory=dict)
    _written_at: float = 0.0

    def add(self, record: UnitRecord, why: str) -> None:
        """Take one more; write all, unless something was written just before."""
        self._records.append(record)
        self._whys[record.name] = why
        is_time = time.monotonic() - self._written_at >= _RECORD_EVERY_S
        if is_time or len(self._records) >= _RECORD_AT_MOST:
            self.flush()

    def flush(self) -> None:
        """Record what waits, and give up its claims."""
        if not self._records:
            return
        self.study.registry.record_units(self._records, self._whys, holder=self.claims.holder)
        self._records, self._whys = [], {}
        self._written_at = time.monotonic()


def _why(work: Work, key: str, before: UnitRecord | None) -> str:
    """Say why a unit is due."""
    if before is None:
        return "it is due for the first time"
    if before.key == key:
        return "it failed before"
    if before.inputs is None:
        return "its inputs are not known from before"
    changed = sorted(
        name
        for name in work.inputs.keys() | before.inputs.keys()
        if canonical_json(work.inputs.get(name)) != canonical_json(before.inputs.get(name))
    )
    return f"changed: {', '.join(changed)}" if changed else "the stage has a new version"


def _log_unit(record: UnitRecord, outcome: Any) -> None:
    fields: dict[str, Any] = {"stage": record.stage, "unit": record.name, "key": record.key[:12]}
    if isinstance(outcome, Failure):
        fields |= {"code": outcome.code, "stack": list(outcome.stack)}
    _log.info(record.state, extra={"fields": fields})
