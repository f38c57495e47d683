"""One contestant in a process of its own: ``python -m benchmarks.worker MODULE ROW PLACE FOLDER``.

Reads a word a line from standard input, calls the contestant once for each, and answers with one
line of JSON: seconds, processor time, peak memory, and at the first call what came out. It ends
when nobody asks any more: what it started goes with it.

Peak memory is the largest resident size during a call less the resident size just before it, with
inputs loaded and freed memory handed back: Linux's ``VmHWM``, reset through
``/proc/self/clear_refs``. Elsewhere it is not measured.
"""

import ctypes
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.race import Contestant, Row
from benchmarks.volumes import load

MB = 1e6


def resident_bytes(field: str) -> int | None:
    """Return ``VmRSS`` or ``VmHWM`` of this process."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = (line.split() for line in text.splitlines())
    return next((int(words[1]) * 1024 for words in lines if words[0] == f"{field}:"), None)


def forget_peak() -> bool:
    """Hand freed memory back and let the peak begin anew; tell whether that is possible here."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Timed:
    """What a call gave and what it took."""

    result: Any
    seconds: float
    cpu_s: float
    peak_mb: float | None


def processor_s() -> float:
    """Return the processor time of this process, and of those that it started and that ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def timed(call: Callable[[], Any]) -> Timed:
    """Call, and measure seconds and by how many MB memory grew at its peak."""
    is_measured = forget_peak()
    before = resident_bytes("VmRSS")
    start, cpu_start_s = time.perf_counter(), processor_s()
    result = call()
    seconds, cpu_s = time.perf_counter() - start, processor_s() - cpu_start_s
    peak = resident_bytes("VmHWM")
    if not is_measured or before is None or peak is None:
        return Timed(result, seconds, cpu_s, None)
    return Timed(result, seconds, cpu_s, max(0, peak - before) / MB)


def prepared(row: Row, contestant: Contestant, folder: Path) -> Callable[[], Callable[[], Any]]:
    """Load the row's volumes; return what makes the contestant's call with them ready."""
    inputs = {name: load(name, folder) for name in row.inputs}
    best = contestant.prepare(**inputs) if contestant.prepare else inputs

    def ready() -> Callable[[], Any]:
        return partial(contestant.call, **(contestant.renew(**best) if contestant.renew else best))

    return ready


def serve(
    ready: Callable[[], Callable[[], Any]], contestant: Contestant, say: Callable[..., None]
) -> None:
    """Answer one line for each on standard input."""
    for word in sys.stdin:
        done = timed(ready())
        answer = ""
        if word.strip() == "warm-up" and contestant.answer is not None:
            answer = contestant.answer(done.result)
        peak_mb = None if contestant.is_elsewhere else done.peak_mb
        say(seconds=done.seconds, cpu_s=done.cpu_s, peak_mb=peak_mb, answer=answer)
        del done


def main() -> None:
    """Run one contestant until nobody asks any more."""
    module, number, place, folder = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer

    def say(**reply: object) -> None:
        print(json.dumps(reply), file=out, flush=True)

    row = next(row for row in importlib.import_module(module).ROWS if row.number == number)
    contestant = row.contestants[int(place)]
    try:
        serve(prepared(row, contestant, Path(folder)), contestant, say)
    except Exception as failure:  # noqa: BLE001  # whatever stops a contestant belongs in the table
        text = " ".join(str(failure).split())[:200]
        say(problem=f"{type(failure).__name__}: {text}" if text else type(failure).__name__)


if __name__ == "__main__":
    main()
