"""What a full registry takes to answer: everything that ``status``, ``run`` and ``verify`` ask.

Questions are put in the middle of the registry. Writes are real: they go through the code that a
run uses, and stay.
"""

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scale.million import OUTPUTS
from benchmarks.scale.steps import ROOT
from lesionary.app.explain.lineage import Lineage
from lesionary.app.explain.looking import Looking
from lesionary.app.intake.rows import held_images
from lesionary.app.stage import Row, Stage, Work
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.measure import MEASURE
from lesionary.app.stages.prepare import PREPARE
from lesionary.app.study import Study
from lesionary.io.registry import checks
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.claims import claiming
from lesionary.io.registry.facts import BY_TABLE, facts
from lesionary.io.registry.reading import PAGE_SIZE, series_query
from lesionary.io.registry.records import UnitRecord
from lesionary.io.registry.status import read_status
from lesionary.io.registry.tables import series as series_table
from lesionary.io.registry.tables import unit as unit_table

STATUS = "status, 40 rows of each list"
SHOWN = 40
N_CLAIMED = 64
N_RECORDED = 128
N_WALKED = 100_000
ROUNDS = 7
STAGES = (PREPARE, ANNOTATE, MEASURE)


@dataclass(frozen=True, slots=True)
class Answer:
    """How long a question took: the first time, and the median of those that followed.

    ``n_items`` is what it was about: series, units, events.
    """

    name: str
    n_items: int
    first_s: float
    median_s: float

    @property
    def per_second(self) -> float:
        """Items a second."""
        return self.n_items / self.median_s


def answers(study: Study, n_series: int) -> Iterator[Answer]:
    """Ask everything of a study whose registry holds so many series."""
    middle = n_series // 2
    page = _page(study, middle)
    yield _asked(STATUS, 1, lambda: _status(study))
    yield _asked("a page of series", len(page), lambda: _page(study, middle))
    yield from _recorded(study, page)
    yield from _planned(study, page)
    yield from _claimed(study, page)
    yield _asked("one event", 1, lambda: study.registry.say(Draft("read", "protocol")))
    yield _asked("what one series rests on", 1, lambda: _explained(study, page[0]["id"]))
    yield from _verified(study)
    yield _asked("what an ingest looks up first", n_series, lambda: held_images(study), rounds=0)


def _asked(name: str, n_items: int, call: Callable[[], object], rounds: int = ROUNDS) -> Answer:
    seconds = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return Answer(name, n_items, seconds[0], statistics.median(seconds[1:] or seconds))


def _status(study: Study) -> dict[str, Any]:
    return read_status(study.files.registry_place, study.protocol_digest, limit=SHOWN)


def _page(study: Study, after: int) -> list[Row]:
    query = series_query().where(series_table.c.number > after)
    with study.registry.reading() as connection:
        rows = connection.execute(query.order_by(series_table.c.number).limit(PAGE_SIZE))
        return [dict(row) for row in rows.mappings()]


def _recorded(study: Study, page: list[Row]) -> Iterator[Answer]:
    """Record the page's units anew, stage after stage, so that the next stage can be planned."""
    seconds: list[float] = []
    for stage in STAGES:
        for works in _batches(stage.plan(study, page), N_RECORDED):
            records = [_record(stage, work) for work in works]
            whys = dict.fromkeys((work.name for work in works), "changed: object")
            began = time.perf_counter()
            study.registry.record_units(records, whys, holder="nobody")
            seconds.append((time.perf_counter() - began) / len(works) * N_RECORDED)
    yield Answer("record units", N_RECORDED, seconds[0], statistics.median(seconds))


def _record(stage: Stage, work: Work) -> UnitRecord:
    key = stage.key_of(work)
    output = OUTPUTS[stage.name] | {"object": key}
    return UnitRecord(stage.name, work.name, key, "done", output=output, inputs=work.inputs)


def _batches(works: list[Work], size: int) -> Iterator[list[Work]]:
    for first in range(0, len(works), size):
        yield works[first : first + size]


def _planned(study: Study, page: list[Row]) -> Iterator[Answer]:
    names = [row["id"] for row in page]
    for stage in STAGES:

        def due(stage: Stage = stage) -> None:
            states = study.registry.unit_states(stage.name, names)
            for work in stage.plan(study, page):
                states[work.name].is_done(stage.key_of(work))

        yield _asked(f"plan a page of {stage.name}", len(page), due)


def _claimed(study: Study, page: list[Row]) -> Iterator[Answer]:
    """Claim units of the page, others each time; what is claimed is free again in the end."""
    states = study.registry.unit_states("measure", [row["id"] for row in page])
    versions = iter([(name, state.version) for name, state in states.items()])
    n_claimed = min(N_CLAIMED, len(states) // (ROUNDS + 1))
    with claiming(study.registry, study.files.holders) as claims:

        def take() -> None:
            claims.take("measure", dict(itertools.islice(versions, n_claimed)))

        yield _asked("claim units", n_claimed, take)


def _explained(study: Study, name: str) -> None:
    looking = Looking(study, reads_objects=False)
    for step in Lineage.of(study, [name]).steps():
        looking.at(step)


def _verified(study: Study) -> Iterator[Answer]:
    with checks.snapshot(study.registry) as connection:
        yield _walked("check events", (e.expected_hash for e in checks.events(connection)))
    with checks.snapshot(study.registry) as connection:
        units = facts(connection, BY_TABLE[unit_table.name])
        yield _walked("hash units", units)


def _walked(name: str, items: Iterable[object]) -> Answer:
    began = time.perf_counter()
    n = sum(1 for _ in itertools.islice(items, N_WALKED))
    seconds = time.perf_counter() - began
    return Answer(name, n, seconds, seconds)


def status_command(study: Path) -> float:
    """Return the seconds that ``lesionary status`` takes, its process's start included."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "lesionary", "status", str(study)]
    subprocess.run(command, stdout=subprocess.DEVNULL, cwd=ROOT, check=True)  # noqa: S603
    return time.perf_counter() - began


def forget_pages(files: Iterable[Path]) -> None:
    """Have the system drop what it holds of files, so that they are read from the disk anew."""
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
