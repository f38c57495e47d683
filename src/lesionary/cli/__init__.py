"""The command line: one file a stage."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``lesionary`` and leave with its exit code (``CONTRACT``: 0, 1, 2, 70, 130)."""
    from lesionary.cli.main import run_command

    sys.exit(run_command(list(sys.argv[1:] if arguments is None else arguments)))
