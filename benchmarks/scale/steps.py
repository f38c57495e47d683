"""One step of a study in a process of its own: ``python -m benchmarks.scale.steps STEP ARGUMENTS``.

Answers with one line of JSON: seconds on the wall and of this process's processor, and memory, by
phase. A phase lasts until its stage is finished, so that planning, claiming and recording count.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.scale.scans import READER_FROM
from benchmarks.worker import resident_bytes

ROOT = Path(__file__).resolve().parents[2]
START = "start"
"""The phase before the first stage, of a step that starts workers."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What a part of a step took: this process's alone, workers not counted."""

    name: str
    wall_s: float
    cpu_s: float
    resident_bytes: int
    peak_bytes: int


@dataclass(slots=True)
class Clock:
    """Hears of the progress of a command and notes each stage's time and memory."""

    phases: list[Phase] = field(default_factory=list)
    _wall_s: float = field(default_factory=time.perf_counter)
    _cpu_s: float = field(default_factory=time.process_time)

    def start(self, stage: str, total: int | None) -> None:
        """Do nothing."""

    def extend(self, stage: str, n: int) -> None:
        """Do nothing."""

    def advance(self, stage: str, n: int = 1, failed: int = 0) -> None:
        """Do nothing."""

    def finish(self, stage: str) -> None:
        """Note what passed since the phase before."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        resident, peak = resident_bytes("VmRSS") or 0, resident_bytes("VmHWM") or 0
        self.phases.append(Phase(stage, wall_s - self._wall_s, cpu_s - self._cpu_s, resident, peak))
        self._wall_s, self._cpu_s = wall_s, cpu_s


def ingest(clock: Clock, study: str, scans: str) -> None:
    """Take scans into a study."""
    from lesionary.app.ingest import IngestOptions
    from lesionary.app.study import Study

    Study.open(study).ingest([scans], IngestOptions(reader_from=READER_FROM))
    clock.finish("ingest")


def run(clock: Clock, study: str, until: str, workers: str) -> None:
    """Do every stage up to ``until``; 0 workers is this process alone."""
    from lesionary.app.executor import ClusterOptions
    from lesionary.app.pipeline import run_until
    from lesionary.app.study import Study

    cluster = ClusterOptions("local", workers=int(workers)) if int(workers) else "none"
    report = run_until(Study.open(study), until, cluster=cluster, progress=clock)
    failed = [record.reason for stage in report.stages for record in stage.failed]
    if failed:
        raise RuntimeError(f"{len(failed)} units failed, the first: {failed[0]}")
    clock.finish("report")


def work(clock: Clock, study: str, objects: str) -> None:
    """Do every stage's tasks bare: one call after the other, with objects written as they must be.

    The requests are those of a study that is done; what they read and write lies in ``objects``,
    which holds what that study's ingest brought, and nothing else.
    """
    from lesionary.app.pipeline import STAGES
    from lesionary.app.study import Study

    done = Study.open(study)
    for stage in STAGES:
        planned = [
            replace(one.request, objects=Path(objects))
            for page in done.registry.series_pages()
            for one in stage.plan(done, page)
        ]
        clock.finish("planning")
        for request in planned:
            stage.task(request)
        clock.finish(stage.name)


def drive(clock: Clock, study: str, workers: str = "0") -> None:
    """Do what the driver does for three stages, with tasks that give a receipt and do nothing."""
    from benchmarks.scale.million import OUTPUTS, receipt_of
    from lesionary.app.executor import ClusterOptions, executor_for
    from lesionary.app.pipeline import STAGES
    from lesionary.app.running import Running, run_stage
    from lesionary.app.study import Study

    cluster = ClusterOptions("local", workers=int(workers)) if int(workers) else ClusterOptions()
    opened = Study.open(study)
    with opened.running() as claims, executor_for(cluster) as executor:
        clock.finish(START)
        running = Running(executor, claims, cluster.cluster, clock)
        for stage in STAGES:
            if stage.name in OUTPUTS:
                idle = replace(stage, task=partial(receipt_of, stage.name))
                run_stage(opened, idle, running)


STEPS: dict[str, Callable[..., None]] = {
    "ingest": ingest,
    "run": run,
    "work": work,
    "drive": drive,
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken: its process from start to end, and its phases."""

    wall_s: float
    phases: dict[str, Phase]

    def wall_of(self, *names: str) -> float:
        """Return the seconds of some phases together."""
        return sum(self.phases[name].wall_s for name in names)

    def cpu_of(self, *names: str) -> float:
        """Return the processor's seconds of some phases together."""
        return sum(self.phases[name].cpu_s for name in names)


def take(step: str, *arguments: str | Path | int) -> Step:
    """Take a step in a new process."""
    command = [sys.executable, "-m", __spec__.name, step, *map(str, arguments)]
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True
    )
    wall_s = time.perf_counter() - began
    phases = [Phase(**one) for one in json.loads(done.stdout.splitlines()[-1])]
    return Step(wall_s, {one.name: one for one in phases})


def main(arguments: Sequence[str]) -> None:
    """Take one step and print its phases."""
    clock = Clock()
    STEPS[arguments[0]](clock, *arguments[1:])
    document: list[dict[str, Any]] = [asdict(phase) for phase in clock.phases]
    print(json.dumps(document))


if __name__ == "__main__":
    main(sys.argv[1:])
