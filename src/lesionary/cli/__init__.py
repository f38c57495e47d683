"""The command line: one file a stage."""

import io
import os
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
    from lesionary.cli.main import run_command

    sys.exit(run_command(list(sys.argv[1:] if arguments is None else arguments)))
