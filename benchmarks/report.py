"""Results as Markdown: one table a row, what was promised and whether it was kept."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest
from pathlib import Path

from benchmarks.race import AtMost, Bound, Promise, Result, Row

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. All numbers come from one run on one machine. Absolute times
drift by half from day to day, so read the ratios.

- Every contestant runs in a process of its own, with the volumes in memory and in the element type
  and order it is fastest with. Converting to those is not timed, and neither is a first call, which
  compiles and fills caches, unless it takes longer than {patience:.0f} s. Contestants then take
  turns; the **best** of up to {rounds} calls counts.
- **× ours** is a contestant's time over that of the first of ours; below 1 it is faster.
- **MB** is the largest resident memory during a call beyond what was resident just before it,
  inputs loaded: Linux's high-water mark, reset before each call. The least of its calls counts.
- **files/s a core** are the files of a call over its processor time, of all processes that it
  starts and ends.
- Each may use all cores, as it comes; Lesionary's kernels use one.
- *by hand*: a user's own loop or numpy around a library's call. *partial*: leaves out so much of
  the work that it is shown only.
- The volumes are phantoms with real shapes (`benchmarks/volumes.py`): a trunk CT of
  512 × 512 × 350 with 45 lesions of 4 to 60 mm and three readers, both lungs as one label, and a
  mouse of 192 × 192 × 400 with two tumours and three readers.
- DICOM slices that are sent or lose their identity (`benchmarks/ct_files.py`) are the trunk's,
  under whole headers; twenty tokens that tell who a made-up patient is stand in each.
"""


def document(
    raced: Sequence[tuple[Row, Sequence[Result]]],
    extra: Iterable[tuple[str, str]],
    *,
    patience: float,
    rounds: int,
) -> str:
    """Return the whole page; ``extra`` are titles and texts of what is no race."""
    parts = [INTRODUCTION.format(patience=patience, rounds=rounds), machine(), overview(raced)]
    parts += [row_section(row, results) for row, results in raced]
    parts += [f"## {title}\n\n{text.strip()}\n" for title, text in extra]
    parts.append(versions([result for _, results in raced for result in results]))
    return "\n".join(parts)


def machine() -> str:
    """Return what the numbers were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        "## Machine\n\n"
        f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} on "
        f"{platform.machine()}, Python {platform.python_version()}.\n"
    )


def processor() -> str:
    """Return the processor's name as Linux gives it, else the platform's."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return " ".join(next(names, platform.processor() or "unknown processor").split())


def versions(results: Iterable[Result]) -> str:
    """Return the versions of everything that took part."""
    names = {"lesionary", "numpy", "numba"}
    names.update(name for result in results for name in result.contestant.needs)
    lines = []
    for name in sorted(names, key=str.lower):
        try:
            lines.append(f"- {name} {version(name).partition('+')[0]}")
        except PackageNotFoundError:
            lines.append(f"- {name}: not installed")
    return "\n".join(["## Versions", "", *lines, ""])


def overview(raced: Sequence[tuple[Row, Sequence[Result]]]) -> str:
    """Return one line a row."""
    head = ["row", "task", "ours", "fastest peer", "× ours", "memory", "promised"]
    lines = [[row.number, row.title, *summary(row, results)] for row, results in raced]
    return f"## Overview\n\n{table(head, lines)}"


def summary(row: Row, results: Sequence[Result]) -> list[str]:
    """Return time of ours, fastest peer and its ratio, memory and promises, each in few words."""
    ours = first_of_ours(results)
    rivals = peers(results)
    if ours is None:
        return ["–"] * 5
    verdicts = [kept(bound, results, row.n_files) for bound in row.bounds]
    promised = ", ".join("reached" if is_kept else "**short**" for is_kept, _ in verdicts) or "–"
    if not rivals:
        return [seconds(seconds_of(ours)), "–", "–", "–", promised]
    best = min(rivals, key=seconds_of)
    return [
        seconds(seconds_of(ours)),
        f"{best.contestant.name}, {seconds(seconds_of(best))}",
        f"{seconds_of(best) / seconds_of(ours):.1f}",
        memory_verdict(ours, rivals),
        promised,
    ]


def memory_verdict(ours: Result, rivals: Sequence[Result]) -> str:
    """Tell whether any peer needs less memory, to 1 MB."""
    known = [rival.least_peak_mb for rival in rivals if rival.least_peak_mb is not None]
    if ours.least_peak_mb is None or not known:
        return "not measured"
    is_least = ours.least_peak_mb <= min(known) + 1
    word = "least" if is_least else "**more**"
    return f"{word}: {megabytes(ours.least_peak_mb)}, peers from {megabytes(min(known))} MB"


def row_section(row: Row, results: Sequence[Result]) -> str:
    """Return a row's heading, table, remarks and promises."""
    ours = first_of_ours(results)
    lines = [line_of(result, ours) for result in results]
    lines += [
        [name, "–", "–", "–", "", f"not obtainable: {why}"]
        for name, why in row.unobtainable.items()
    ]
    head = ["contestant", "seconds", "× ours", "MB", "gives", "what it computes"]
    if row.n_files:
        head.insert(3, "files/s a core")
        rates = [rate_of(result, row.n_files) for result in results]
        for line, rate in zip_longest(lines, rates):
            line.insert(3, "–" if rate is None else f"{rate:.0f}")
    parts = [f"## {row.number}. {row.title}", "", table(head, lines)]
    if row.about:
        parts += [row.about, ""]
    verdicts = (kept(bound, results, row.n_files) for bound in row.bounds)
    parts += [f"- {text}" for _, text in verdicts]
    parts += [""] if row.bounds else []
    return "\n".join(parts)


def line_of(result: Result, ours: Result | None) -> list[str]:
    """Return one contestant's line."""
    one = result.contestant
    marks = [
        word for word, is_so in (("by hand", one.is_by_hand), ("partial", one.is_partial)) if is_so
    ]
    name = f"**{one.name}**" if one.is_ours else one.name
    name += f" ({', '.join(marks)})" if marks else ""
    if result.best_s is None:
        return [name, "–", "–", "–", "", result.problem or "did not run"]
    ratio = "–" if ours is None else f"{result.best_s / seconds_of(ours):.2f}"
    peak = "–" if result.least_peak_mb is None else megabytes(result.least_peak_mb)
    return [name, seconds(result.best_s), ratio, peak, result.answer, one.note]


def rate_of(result: Result, n_files: int) -> float | None:
    """Return files for each second of processor time; None where that is not known."""
    return n_files / result.least_cpu_s if result.least_cpu_s else None


def kept(bound: Promise, results: Sequence[Result], n_files: int = 0) -> tuple[bool, str]:
    """Tell whether a promise was kept, and in words."""
    by_name = {result.contestant.name: result for result in results}
    ours = by_name[bound.ours] if bound.ours else first_of_ours(results)
    if isinstance(bound, Bound):
        return _ratio_kept(bound, ours, results)
    name = "" if ours is None else f" ({ours.contestant.name})"
    if isinstance(bound, AtMost):
        found = None if ours is None else ours.best_s
        is_kept = found is not None and found <= bound.seconds
        promise, unit = f"At most {bound.seconds:g} s", "s"
        said = "" if found is None else seconds(found)
    else:
        found = None if ours is None else rate_of(ours, n_files)
        is_kept = found is not None and found >= bound.at_least
        promise, unit = f"At least {bound.at_least:g} files/s a core", "files/s"
        said = "" if found is None else f"{found:.0f}"
    if found is None:
        return False, f"{promise}: **not measured**."
    return is_kept, f"{promise}: {'reached' if is_kept else '**short**'}, {said} {unit}{name}."


def _ratio_kept(bound: Bound, ours: Result | None, results: Sequence[Result]) -> tuple[bool, str]:
    by_name = {result.contestant.name: result for result in results}
    rivals = [by_name[name] for name in bound.against] if bound.against else peers(results)
    rivals = [rival for rival in rivals if rival.best_s is not None]
    promise = f"At least {bound.at_least:g} × {bound.text}"
    if ours is None or ours.best_s is None or not rivals:
        return False, f"{promise}: **not measured**."
    best = min(rivals, key=seconds_of)
    ratio = seconds_of(best) / seconds_of(ours)
    verdict = "reached" if ratio >= bound.at_least else "**short**"
    names = f"{ours.contestant.name} against {best.contestant.name}"
    return ratio >= bound.at_least, f"{promise}: {verdict}, {ratio:.1f} × ({names})."


def first_of_ours(results: Sequence[Result]) -> Result | None:
    """Return the first contestant of ours that finished."""
    ours = (r for r in results if r.contestant.is_ours and r.best_s is not None)
    return next(ours, None)


def peers(results: Sequence[Result]) -> list[Result]:
    """Return the peers that finished and do the whole work."""
    return [
        result
        for result in results
        if result.best_s is not None
        and not result.contestant.is_ours
        and not result.contestant.is_partial
    ]


def seconds_of(result: Result) -> float:
    """Return the best time of one that finished."""
    assert result.best_s is not None
    return result.best_s


def seconds(value: float) -> str:
    """Write seconds with three digits that count."""
    digits = 1 if value >= 10 else 2 if value >= 1 else 3 if value >= 0.1 else 4
    return f"{value:.{digits}f}"


def megabytes(value: float) -> str:
    """Write megabytes without a false precision."""
    return "< 1" if value < 1 else f"{value:.0f}"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    rows = [head, ["---"] * len(head), *lines]
    text = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([*text, ""])
