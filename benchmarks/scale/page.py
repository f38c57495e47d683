"""What was measured, as the generated part of ``docs/reference/scale.md``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import machine, seconds, table
from benchmarks.scale.million import SLICES_A_SERIES
from benchmarks.scale.queries import STATUS
from benchmarks.scale.registries import Filled
from benchmarks.scale.steps import Phase
from benchmarks.scale.thousand import STAGES, Drive, Overhead, Workers

BEGIN = "<!-- Written by `python -m benchmarks.scale`; do not edit up to `end`. -->"
END = "<!-- end -->"

MOST_OVERHEAD_MS = 20.0
MOST_STATUS_S = 0.1
MOST_GROWTH_KB = 2.0
MILLION = 1_000_000
HOUR_S = 3600.0
GB = 1e9


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured in one run."""

    one: Overhead
    workers: Sequence[Workers]
    drives: Sequence[Drive]
    through_dask: Drive
    registries: Sequence[Filled]

    @property
    def is_kept(self) -> bool:
        """Whether everything that is promised was reached."""
        return (
            self.one.wall_ms(*STAGES) <= MOST_OVERHEAD_MS
            and drive_kb(self.drives, "measure") <= MOST_GROWTH_KB
            and is_same(self.workers)
            and all(status_s(filled) <= MOST_STATUS_S for filled in self.registries)
        )


def is_same(workers: Sequence[Workers]) -> bool:
    """Tell whether every number of workers gave the same bytes."""
    return len({run.checksums for run in workers}) == 1


def generated(found: Measured) -> str:
    """Return the generated part."""
    parts = [
        machine().replace("## ", "### ").strip(),
        overhead_part(found.one),
        memory_part(found.drives, found.workers[0], found.one),
        workers_part(found.workers, found.drives[-1], found.through_dask),
        registry_part(found.registries),
        projection_part(found),
    ]
    return "\n\n".join(parts)


def replaced(page: str, part: str) -> str:
    """Return a page with its generated part replaced.

    Raises
    ------
    ValueError
        If the page has no place for it.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return f"{head}{BEGIN}\n\n{part}\n\n{END}{tail}"


def write_page(path: Path, part: str) -> None:
    """Replace the generated part of a page in one step."""
    partial = path.with_suffix(".md.part")
    partial.write_text(replaced(path.read_text(encoding="utf-8"), part), encoding="utf-8")
    partial.replace(path)


def verdict(value: float, most: float) -> str:
    """Say whether a promise was kept."""
    return "reached" if value <= most else "**short**"


def status_s(filled: Filled) -> float:
    """Return the seconds of the status query, cold or warm, whichever takes longer."""
    return max(filled.cold_status_s, filled.answers[STATUS].median_s)


def overhead_part(one: Overhead) -> str:
    """Return the time of one study by stage, beside that of its tasks alone."""
    n = one.n_series
    lines = [_overhead_line(one, stage, (stage,)) for stage in STAGES]
    lines.append(_overhead_line(one, "**all stages**", STAGES))
    found = one.wall_ms(*STAGES)
    start_s = one.run.wall_s - sum(phase.wall_s for phase in one.run.phases.values())
    ingest, publish, report = (
        step.phases[name].wall_s / n * 1e3
        for step, name in ((one.ingest, "ingest"), (one.run, "publish"), (one.run, "report"))
    )
    head = ["stage", "work, ms", "in a study, ms", "beyond, ms", "beyond, ms of processor"]
    return (
        f"### {n} small series\n\n{table(head, lines)}\n"
        f"Milliseconds a case. At most {MOST_OVERHEAD_MS:g} ms beyond the work: "
        f"{verdict(found, MOST_OVERHEAD_MS)}, {found:.1f} ms.\n\n"
        f"Apart from the stages: ingest {ingest:.1f} ms a case (four files each), "
        f"publish {publish:.1f} ms, laying out what is printed {report:.1f} ms; "
        f"the process's start, {start_s:.1f} s in all."
    )


def _overhead_line(one: Overhead, name: str, stages: Sequence[str]) -> list[str]:
    n = one.n_series
    work, whole = (step.wall_of(*stages) / n * 1e3 for step in (one.work, one.run))
    beyond = [f"{one.wall_ms(*stages):.2f}", f"{one.cpu_ms(*stages):.2f}"]
    return [name, f"{work:.2f}", f"{whole:.2f}", *beyond]


def memory_part(drives: Sequence[Drive], few: Workers, one: Overhead) -> str:
    """Return what the driver held: while it does nothing but drive, and in whole small studies."""
    small, large = drives
    lines = [
        [
            f"{stage}, tasks that do nothing",
            *_megabytes(small.step.phases[stage], small.n_series),
            *_megabytes(large.step.phases[stage], large.n_series),
            f"{drive_kb(drives, stage):.2f}",
        ]
        for stage in large.stages
    ]
    lines += [
        [
            f"{name}, whole small study",
            *_megabytes(few.run.phases[name], few.n_series),
            *_megabytes(one.run.phases[name], one.n_series),
            f"{run_kb(few, one, name):.2f}",
        ]
        for name in (STAGES[-1], "publish", "report")
    ]
    head = ["peak up to the end of", "series", "MB", "series", "MB", "KB a series"]
    return (
        f"### Memory of the driver\n\n{table(head, lines)}\n"
        "A study of fewer series than a page of 500 holds a part of one: that is most of what the "
        "stages of the small studies differ by."
    )


def _megabytes(phase: Phase, n_series: int) -> list[str]:
    return [f"{n_series}", f"{phase.peak_bytes / 1e6:.1f}"]


def drive_kb(drives: Sequence[Drive], stage: str) -> float:
    """Return by how many KB a series the driver grew that only drives."""
    small, large = drives
    grown = large.step.phases[stage].peak_bytes - small.step.phases[stage].peak_bytes
    return grown / (large.n_series - small.n_series) / 1e3


def run_kb(few: Workers, one: Overhead, phase: str) -> float:
    """Return by how many KB a series the peak of a whole run grew up to a phase."""
    grown = one.run.phases[phase].peak_bytes - few.run.phases[phase].peak_bytes
    return grown / (one.n_series - few.n_series) / 1e3


def workers_part(workers: Sequence[Workers], bare: Drive, through_dask: Drive) -> str:
    """Return the time that several numbers of workers took, and whether they gave the same."""
    lines = [
        [
            "none" if run.n_workers == 0 else f"local, {run.n_workers}",
            f"{run.run.wall_of(*STAGES):.1f}",
            f"{run.run.wall_s:.1f}",
        ]
        for run in workers
    ]
    same = "the same bytes" if is_same(workers) else "**not the same bytes**"
    head = ["workers", "stages, s", "whole run, s"]
    return (
        f"### The same study with workers\n\n{table(head, lines)}\n"
        f"{workers[0].n_series} series; all releases are {same}.\n\n"
        f"A task that does nothing takes {bare.wall_ms:.2f} ms a unit in the driver's own process "
        f"({bare.cpu_ms:.2f} ms of its processor), and {through_dask.wall_ms:.2f} ms through "
        f"{through_dask.n_workers} local workers ({through_dask.cpu_ms:.2f} ms of the driver's)."
    )


def registry_part(registries: Sequence[Filled]) -> str:
    """Return every question's time, of each database."""
    names = list(registries[0].answers)
    lines = [
        [name, *(cell for filled in registries for cell in _times(filled, name))] for name in names
    ]
    heads = [f"{one.name}: {when}, ms" for one in registries for when in ("first", "median")]
    text = f"### A registry of {registries[0].n_series:,} series\n\n"
    text += table(["question", *heads], lines) + "\n"
    return text + "\n".join(_of_registry(filled) for filled in registries)


def _times(filled: Filled, name: str) -> list[str]:
    answer = filled.answers[name]
    return [f"{answer.first_s * 1e3:.1f}", f"{answer.median_s * 1e3:.1f}"]


def _of_registry(filled: Filled) -> str:
    first_s, again_s = filled.status_command_s
    found = status_s(filled)
    return (
        f"- {filled.name}: filled in {filled.fill_s:.0f} s, {filled.n_bytes / GB:.1f} GB, "
        f"{filled.n_bytes / filled.n_series / 1e3:.1f} KB a series and "
        f"{filled.n_bytes_a_slice:.0f} bytes a slice. What `status` asks takes "
        f"{filled.cold_status_s * 1e3:.0f} ms from a cold disk; at most "
        f"{MOST_STATUS_S * 1e3:.0f} ms: {verdict(found, MOST_STATUS_S)}. The whole command: "
        f"{seconds(first_s)} s, then {seconds(again_s)} s."
    )


def projection_part(found: Measured) -> str:
    """Return what a million series would take, reckoned from what was measured."""
    one, filled = found.one, found.registries[-1]
    large = found.drives[-1]
    drive_s = large.step.wall_of(*large.stages) / large.n_series
    dask_s = found.through_dask.step.wall_of(*large.stages) / found.through_dask.n_series
    work_s = one.work.wall_of(*STAGES) / one.n_series
    publish_s = one.run.wall_of("publish") / one.n_series
    ingest_s = one.ingest.wall_of("ingest") / one.n_series
    growth_kb = run_kb(found.workers[0], one, "report")
    slices = filled.n_bytes_a_slice * SLICES_A_SERIES
    events = filled.answers["check events"].per_second
    rows = filled.answers["hash units"].per_second
    n_events = filled.n_events / filled.n_series
    lines = [
        ["work of all stages, these small series, one core", _hours(work_s)],
        ["driver: three stages planned, claimed, recorded", _hours(drive_s)],
        ["the same through Dask, one driver", _hours(dask_s)],
        ["ingest, one process", _hours(ingest_s)],
        ["publish, one process", _hours(publish_s)],
        ["publish, memory", f"{growth_kb * MILLION / 1e6:.0f} GB"],
        ["registry without slices", _gigabytes(filled.n_bytes / filled.n_series)],
        [f"slices, {SLICES_A_SERIES} a series", _gigabytes(slices)],
        ["`verify`, the chain", _hours(n_events / events)],
        ["`verify`, the rows", _hours(n_events / rows)],
    ]
    head = [f"{MILLION:,} series, {filled.name}", "reckoned"]
    return f"### Reckoned from that\n\n{table(head, lines)}".rstrip()


def _gigabytes(bytes_a_series: float) -> str:
    return f"{bytes_a_series * MILLION / GB:.0f} GB"


def _hours(seconds_a_series: float) -> str:
    value_s = seconds_a_series * MILLION
    return f"{value_s / HOUR_S:.1f} h" if value_s >= HOUR_S else f"{value_s / 60:.0f} min"
