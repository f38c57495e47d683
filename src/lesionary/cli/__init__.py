"""The command line: one file a stage."""

import io
import os
import signal
import sys
from collections.abc import Sequence

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread a library: the same bytes on every machine, and no threads in each other's way.
Read by the libraries when they are loaded; who sets them beforehand knows why."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``lesionary`` and leave with its exit code (``CONTRACT``: 0, 1, 2, 70, 130)."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show must not end a run
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_code_of(list(sys.argv[1:] if arguments is None else arguments)))


def _code_of(arguments: list[str]) -> int:
    """Run a command; an interrupt at any moment, and any number of them, is one interrupt."""
    from lesionary.cli.output import INTERRUPTED, report_interrupt

    try:
        from lesionary.cli.main import run_command

        code = run_command(arguments)
    except KeyboardInterrupt:  # while modules are loaded
        code = INTERRUPTED
        report_interrupt(arguments)
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code
