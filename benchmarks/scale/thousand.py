"""A thousand small series: what a study costs beside the work, what it holds on to, who runs it."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scale.scans import PREDICTIONS, write_scans
from benchmarks.scale.steps import START, Step, take

STAGES = ("prepare", "annotate", "measure", "agree", "evaluate")
LAST_STAGE = STAGES[-1]
CHECKSUMS = Path("release") / "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Overhead:
    """One study: the same work bare and in the study."""

    n_series: int
    ingest: Step
    work: Step
    run: Step

    def wall_ms(self, *stages: str) -> float:
        """Return the milliseconds a case that the stages took beyond the work."""
        return (self.run.wall_of(*stages) - self.work.wall_of(*stages)) / self.n_series * 1e3

    def cpu_ms(self, *stages: str) -> float:
        """Return the same of the processor's time."""
        return (self.run.cpu_of(*stages) - self.work.cpu_of(*stages)) / self.n_series * 1e3


@dataclass(frozen=True, slots=True)
class Workers:
    """The same study run by so many workers; 0 is the driver's process alone."""

    n_series: int
    n_workers: int
    run: Step
    checksums: str


@dataclass(frozen=True, slots=True)
class Drive:
    """What the driver did for so many series, with tasks that do nothing; 0 workers is itself."""

    n_series: int
    n_workers: int
    step: Step

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that were driven."""
        return tuple(name for name in self.step.phases if name != START)

    @property
    def wall_ms(self) -> float:
        """Milliseconds a unit of one stage."""
        return self.step.wall_of(*self.stages) / self.n_series / len(self.stages) * 1e3

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the driver's processor a unit."""
        return self.step.cpu_of(*self.stages) / self.n_series / len(self.stages) * 1e3


class Studies:
    """Makes studies of small scans below one folder, and copies of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ingested(self, n_series: int) -> tuple[Path, Step]:
        """Make a study of so many series."""
        scans = self.folder / f"scans-{n_series}"
        write_scans(scans, n_series)
        place = self._created(self.folder / f"study-{n_series}")
        step = take("ingest", place, scans)
        shutil.rmtree(scans)
        return place, step

    def filled(self, n_series: int) -> Path:
        """Make a study of which there is but a registry, in which everything is due again."""
        from benchmarks.scale.million import fill
        from lesionary.app.study import Study

        place = self.folder / f"filled-{n_series}"
        study = Study.create(place)
        fill(study.registry, n_series)
        study.registry.close()
        return place

    def copied(self, study: Path, name: str) -> Path:
        """Copy a study as it is."""
        copy = self.folder / name
        shutil.copytree(study, copy)
        return copy

    def _created(self, place: Path) -> Path:
        from lesionary.app.study import Study

        Study.create(place)
        protocol = place / "study.toml"
        text = protocol.read_text(encoding="utf-8")
        predictions = f"predictions = {json.dumps(PREDICTIONS)}"
        protocol.write_text(text.replace("predictions = []", predictions), encoding="utf-8")
        return place


def overhead(studies: Studies, n_series: int) -> Overhead:
    """Run one study to its release, then the same tasks bare."""
    study, ingest = studies.ingested(n_series)
    objects = studies.folder / f"objects-{n_series}"
    shutil.copytree(study / "objects", objects)
    run = take("run", study, "publish", 0)
    work = take("work", study, objects)
    shutil.rmtree(objects)
    shutil.rmtree(study)
    return Overhead(n_series, ingest, work, run)


def with_workers(studies: Studies, n_series: int, numbers: Sequence[int]) -> list[Workers]:
    """Run copies of one study to their releases, each with another number of workers."""
    study, _ = studies.ingested(n_series)
    found = []
    for n_workers in numbers:
        copy = studies.copied(study, f"workers-{n_workers}")
        run = take("run", copy, "publish", n_workers)
        found.append(
            Workers(n_series, n_workers, run, (copy / CHECKSUMS).read_text(encoding="ascii"))
        )
        shutil.rmtree(copy)
    return found


def driven(studies: Studies, n_series: int, n_workers: int = 0) -> Drive:
    """Let the driver plan, claim and record what costs nothing to do."""
    study = studies.filled(n_series)
    step = take("drive", study, n_workers)
    shutil.rmtree(study)
    return Drive(n_series, n_workers, step)
