"""The journey from scans to release, on one screen.

Ingest takes scans in (``app/ingest.py``). From there every stage plans its units, does what is due,
and leaves receipts; ``run`` chains them and ends with a release.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lesionary.app.audit import PROTOCOL_READ
from lesionary.app.comparisons import Comparisons
from lesionary.app.executor import ClusterOptions, executor_for
from lesionary.app.progress import Progress, Silent
from lesionary.app.release import RELEASE_UNIT, PublishReceipt, publish_due
from lesionary.app.responses import (
    SubjectResponse,
    subject_responses,
    tracks_by_lesion,
    with_tracks,
)
from lesionary.app.results import lesion_rows
from lesionary.app.running import Running, run_stage
from lesionary.app.stage import Stage, StageReport, units_of
from lesionary.app.stages.agree import AGREE
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.evaluate import EVALUATE
from lesionary.app.stages.measure import MEASURE
from lesionary.app.stages.prepare import PREPARE
from lesionary.app.stages.respond import RESPOND
from lesionary.app.stages.track import TRACK
from lesionary.app.study import Study
from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.status import PROTOCOL_DIGEST

JOURNEY = (
    "ingest",
    "prepare",
    "annotate",
    "review",
    "measure",
    "agree",
    "evaluate",
    "learn",
    "publish",
)
"""The nine stages in their order; each package's docstring opens with its place in it."""

STAGES = (PREPARE, ANNOTATE, MEASURE, TRACK, RESPOND, AGREE, EVALUATE)
"""The stages that work series by series, or subject by subject."""

PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did."""

    stages: tuple[StageReport, ...]
    published: PublishReceipt | None = None
    lesions: tuple[dict[str, Any], ...] = field(default=())
    responses: tuple[SubjectResponse, ...] = field(default=())
    agreement: dict[str, Any] | None = None
    evaluation: dict[str, dict[str, Any]] = field(default_factory=dict)

    def tracks(self) -> list[dict[str, Any]]:
        """Return the links between lesions, as the contract's objects."""
        return [link for one in self.responses for link in one.links()]

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        done = [f"{report.stage}/{unit}" for report in self.stages for unit in report.done]
        if self.published is not None and self.published.is_new:
            done.append(RELEASE_UNIT)
        document: dict[str, Any] = {
            "done": done,
            "up_to_date": sum(report.up_to_date for report in self.stages)
            + int(self.published is not None and not self.published.is_new),
            "failed": [
                {
                    "unit": f"{record.stage}/{record.name}",
                    "code": record.code,
                    "reason": record.reason,
                    "hint": record.hint,
                }
                for record in units_of(self.stages)
            ],
            "lesions": list(self.lesions),
            "responses": [row for one in self.responses for row in one.responses()],
        }
        if (stopped := self.stages[-1].stopped) is not None:
            document["stopped"] = {
                "stage": self.stages[-1].stage,
                "code": stopped.code,
                "reason": stopped.message,
                "hint": stopped.hint,
            }
        if self.agreement is not None:
            document["agreement"] = self.agreement
        if self.evaluation:
            document["evaluation"] = self.evaluation
        if self.published is not None:
            document["release"] = str(self.published.release)
        return document


def run_until(
    study: Study,
    until: str = PUBLISH,
    *,
    cluster: "ClusterOptions | str" = "none",
    progress: Progress | None = None,
) -> RunReport:
    """Do every stage that is due, up to and including ``until``.

    A unit that fails is recorded with its reason and stops no other. What earlier runs did stays
    done as long as its inputs, its part of the protocol and its stage are the same.

    Raises
    ------
    InputError
        If there is no such stage.
    WorkflowError
        Code ``busy`` where another process works on the study.
    """
    names = [stage.name for stage in STAGES]
    if until not in {*names, PUBLISH}:
        raise InputError(
            f"no stage `{until}`", code="usage", hint=f"stages: {', '.join([*names, PUBLISH])}"
        )
    wanted = STAGES if until == PUBLISH else STAGES[: names.index(until) + 1]
    shown = progress or Silent()
    options = ClusterOptions(cluster) if isinstance(cluster, str) else cluster
    with (
        study.running(first=lambda: _note_protocol(study)) as claims,
        executor_for(options) as executor,
    ):
        _require_noted(study)
        running = Running(executor, claims, options.cluster, shown)
        reports = _run_stages(study, wanted, running)
        is_whole = reports[-1].stopped is None
        is_due = until == PUBLISH and is_whole
        published = publish_due(study, shown, options.cluster) if is_due else None
        responses = subject_responses(study) if RESPOND in wanted else []
        lesions = lesion_rows(study) if MEASURE in wanted else []
        compared = Comparisons.of(study) if AGREE in wanted else None
        return RunReport(
            reports,
            published,
            tuple(with_tracks(lesions, tracks_by_lesion(responses))),
            tuple(responses),
            compared.agreement() if compared else None,
            compared.evaluation() if compared and EVALUATE in wanted else {},
        )


def _run_stages(study: Study, stages: Sequence[Stage], running: Running) -> tuple[StageReport, ...]:
    """Run stage after stage, up to one that cannot go on."""
    reports: list[StageReport] = []
    for stage in stages:
        reports.append(run_stage(study, stage, running))
        if reports[-1].stopped is not None:
            break
    return tuple(reports)


def _require_noted(study: Study) -> None:
    """Refuse to take part in what goes by another ``study.toml``: its results would be mixed.

    Raises
    ------
    WorkflowError
        Code ``busy``.
    """
    if study.registry.meta(PROTOCOL_DIGEST) != study.protocol_digest:
        raise WorkflowError(
            "study.toml is not what the command goes by that runs this study at the moment",
            code="busy",
            hint="wait until it ends, or change study.toml back",
        )


def _note_protocol(study: Study) -> None:
    """Tell in the audit that ``study.toml`` is another than the last run's."""
    before, now = study.registry.meta(PROTOCOL_DIGEST), study.protocol_digest
    if before != now:
        details = {"before": before, "now": now}
        study.registry.say(Draft(*PROTOCOL_READ, "study.toml is new or changed", details=details))
        study.registry.set_meta(PROTOCOL_DIGEST, now)
