"""The journey from scans to release, on one screen.

Ingest takes scans in (``app/ingest.py``). From there every stage plans its units, does what is due,
and leaves receipts; ``run`` chains them and ends with a release.
"""

from dataclasses import dataclass, field
from typing import Any

from lesionary.app.comparisons import Comparisons
from lesionary.app.executor import ClusterName, executor_for
from lesionary.app.progress import Progress, Silent
from lesionary.app.release import RELEASE_UNIT, PublishReceipt, publish_due
from lesionary.app.results import lesion_rows
from lesionary.app.stage import StageReport, run_stage, units_of
from lesionary.app.stages.agree import AGREE
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.evaluate import EVALUATE
from lesionary.app.stages.measure import MEASURE
from lesionary.app.stages.prepare import PREPARE
from lesionary.app.study import Study
from lesionary.core.errors import InputError
from lesionary.io.registry_status import PROTOCOL_DIGEST

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

STAGES = (PREPARE, ANNOTATE, MEASURE, AGREE, EVALUATE)
"""The stages that work series by series."""

PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did."""

    stages: tuple[StageReport, ...]
    published: PublishReceipt | None = None
    lesions: tuple[dict[str, Any], ...] = field(default=())
    agreement: dict[str, Any] | None = None
    evaluation: dict[str, dict[str, Any]] = field(default_factory=dict)

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
    cluster: ClusterName = "none",
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
    with study.working(), executor_for(cluster) as executor:
        study.registry.set_meta(PROTOCOL_DIGEST, study.protocol_digest)
        reports = tuple(run_stage(study, stage, executor, shown) for stage in wanted)
        published = publish_due(study, shown) if until == PUBLISH else None
        lesions = lesion_rows(study) if MEASURE in wanted else []
        compared = Comparisons.of(study)
        return RunReport(
            reports,
            published,
            tuple(lesions),
            compared.agreement() if AGREE in wanted else None,
            compared.evaluation() if EVALUATE in wanted else {},
        )
