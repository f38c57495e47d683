"""What was measured, as the generated part of ``docs/reference/scale.md``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.report import machine, seconds, table
from benchmarks.scale.million import SLICES_A_SERIES
from benchmarks.scale.queries import STATUS
from benchmarks.scale.registries import Filled
from benchmarks.scale.thousand import STAGES, Overhead, Workers

BEGIN = "<!-- Written by `python -m benchmarks.scale`; do not edit up to `end`. -->"
END = "<!-- end -->"

MOST_OVERHEAD_MS = 20.0
MOST_STATUS_S = 0.1
MILLION = 1_000_000
HOUR_S = 3600.0
GB = 1e9


def measured(
    one: Overhead, smaller: Workers, workers: Sequence[Workers], registries: Sequence[Filled]
) -> str:
    """Return the generated part."""
    parts = [
        machine().replace("## ", "### ").strip(),
        overhead_part(one),
        memory_part(smaller, one),
        workers_part(workers),
        registry_part(registries),
        projection_part(one, smaller, registries),
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


def is_kept(one: Overhead, workers: Sequence[Workers], registries: Iterable[Filled]) -> bool:
    """Tell whether everything that is promised was reached."""
    return (
        one.wall_ms(*STAGES) <= MOST_OVERHEAD_MS
        and is_same(workers)
        and all(status_s(filled) <= MOST_STATUS_S for filled in registries)
    )


def is_same(workers: Sequence[Workers]) -> bool:
    """Tell whether every number of workers gave the same bytes."""
    return len({run.checksums for run in workers}) == 1


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


def memory_part(smaller: Workers, one: Overhead) -> str:
    """Return what the driver held after each phase, of a small study and of a large one."""
    lines = []
    for name in (*STAGES, "publish", "report"):
        few, many = smaller.run.phases[name], one.run.phases[name]
        lines.append(
            [
                name,
                f"{few.resident_bytes / 1e6:.0f}",
                f"{many.resident_bytes / 1e6:.0f}",
                f"{many.peak_bytes / 1e6:.0f}",
                f"{slope_kb(smaller, one, name):.1f}",
            ]
        )
    head = ["after", f"MB of {smaller.n_series}", f"MB of {one.n_series}", "peak", "KB a series"]
    return f"### Memory of the driver\n\n{table(head, lines)}".rstrip()


def slope_kb(smaller: Workers, one: Overhead, phase: str) -> float:
    """Return by how many KB a series the driver's peak grew up to a phase."""
    grown = one.run.phases[phase].peak_bytes - smaller.run.phases[phase].peak_bytes
    return grown / (one.n_series - smaller.n_series) / 1e3


def workers_part(workers: Sequence[Workers]) -> str:
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
        f"{workers[0].n_series} series; all releases are {same}."
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


def projection_part(one: Overhead, smaller: Workers, registries: Sequence[Filled]) -> str:
    """Return what a million series would take, reckoned from what was measured."""
    filled = registries[-1]
    driver_s = driver_s_of(filled)
    slices_gb = filled.n_bytes_a_slice * SLICES_A_SERIES * MILLION / GB
    events = filled.answers["check events"].per_second
    rows = filled.answers["hash units"].per_second
    n_events = filled.n_events / filled.n_series * MILLION
    publish_s, ingest_s = (
        step.phases[name].wall_s / one.n_series
        for step, name in ((one.run, "publish"), (one.ingest, "ingest"))
    )
    publish_kb = slope_kb(smaller, one, "report")
    lines = [
        ["the driver plans, claims, records three stages", _hours(driver_s * MILLION)],
        ["ingest of small files, one process", _hours(ingest_s * MILLION)],
        ["publish, one process", _hours(publish_s * MILLION)],
        ["memory of publish", f"{publish_kb * MILLION / 1e6:.0f} GB"],
        ["registry, without slices", f"{filled.n_bytes / filled.n_series * MILLION / GB:.0f} GB"],
        [f"slices of it, {SLICES_A_SERIES} a series", f"{slices_gb:.0f} GB"],
        ["`verify`: the chain", _hours(n_events / events)],
        ["`verify`: the rows", _hours(n_events / rows)],
    ]
    head = [f"a million series ({filled.name})", "reckoned"]
    return f"### Reckoned for a million series\n\n{table(head, lines)}".rstrip()


def driver_s_of(filled: Filled) -> float:
    """Return the driver's seconds a series for three stages: plan, claim, record."""
    stages = ("prepare", "annotate", "measure")
    found = filled.answers
    planning = sum(1 / found[f"plan a page of {stage}"].per_second for stage in stages)
    writing = 1 / found["claim units"].per_second + 1 / found["record units"].per_second
    return planning + len(stages) * writing


def _hours(value_s: float) -> str:
    return f"{value_s / HOUR_S:.1f} h" if value_s >= HOUR_S else f"{value_s / 60:.0f} min"
