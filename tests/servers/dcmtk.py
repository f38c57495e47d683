"""DCMTK's senders, as any scanner or archive would send."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "no DCMTK here: install the Debian package dcmtk"
TOOLS = ("storescu", "dcmsend", "echoscu")
FAST = {"TCP_NODELAY": "1"}
"""DCMTK waits 40 ms between packets unless it is told otherwise."""


def what_is_missing() -> str:
    """Return a sentence on what is missing here, empty where nothing is."""
    return "" if all(map(shutil.which, TOOLS)) else PACKAGE


def start(tool: str, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Start a tool; the caller ends it."""
    return subprocess.Popen(
        [tool, *arguments],
        env=os.environ | FAST,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(tool: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a tool to its end; what it says is in ``stdout``."""
    return subprocess.run(
        [tool, *arguments],
        env=os.environ | FAST,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )


def send(
    port: int, paths: Sequence[Path], *options: str, called: str = "LESIONARY"
) -> "subprocess.CompletedProcess[str]":
    """Send files and folders with ``storescu``, all of them, whatever becomes of each."""
    places = ("--scan-directories", "--recurse") if any(path.is_dir() for path in paths) else ()
    said = ("--verbose", "--no-halt", "--aetitle", "SENDER", "--call", called)
    return run("storescu", *said, *places, *options, "127.0.0.1", str(port), *paths)
