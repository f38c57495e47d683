"""``make bench``: every row against its peers, in one run, written to ``docs/reference``.

``python -m benchmarks [--rows 2,11] [--rounds N] [--volumes FOLDER]``. With ``--rows`` the tables
are printed and the page is left alone. ``--volumes`` keeps the phantoms for the next run.
"""

import argparse
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.race import PATIENCE_S, race, rows_of
from benchmarks.report import document, row_section
from benchmarks.segmenters import data_folder
from benchmarks.volumes import make

MODULES = (  # in the order of the rows
    "benchmarks.surfaces",
    "benchmarks.measure",
    "benchmarks.readers",
    "benchmarks.slices",
    "benchmarks.dicom_io",
    "benchmarks.volumes_io",
    "benchmarks.deidentification",
    "benchmarks.receiving",
    "benchmarks.response",
)
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"


def segmenters() -> str:
    """Return the segmenters' table as text, or why there is none."""
    if not (data_folder() / "sts_roi").is_dir():
        return "Not run: the public scans are not there."
    command = [sys.executable, "-m", "benchmarks.segmenters"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603
    return f"```text\n{done.stdout.strip()}\n```" if done.returncode == 0 else "Failed."


def scale() -> bool:
    """Measure what a study costs beside the work; tell whether every promise is kept."""
    command = [sys.executable, "-m", "benchmarks.scale"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0  # noqa: S603


def main() -> int:
    """Race, then print or write; return 0 where every contestant of ours finished."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--rows", help="numbers of rows, with commas; all where left out")
    parser.add_argument("--rounds", type=int, default=7, help="calls of a contestant at most")
    parser.add_argument("--volumes", type=Path, help="folder that keeps the phantoms")
    options = parser.parse_args()
    wanted = options.rows.split(",") if options.rows else None
    rows = [(name, row) for name, row in rows_of(MODULES) if wanted is None or row.number in wanted]
    if not rows:
        parser.error(f"no such row: {options.rows}")
    raced = []
    is_scaled = True
    with ExitStack() as stack:
        folder = options.volumes or Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for module, row in rows:
            make(row.inputs, folder)
            results = race(module, row, folder.resolve(), options.rounds)
            raced.append((row, results))
            print(row_section(row, results), flush=True)
    if wanted is None:
        extra = [("Segmenters from a jittered box, real tumours", segmenters())]
        text = document(raced, extra, patience=PATIENCE_S, rounds=options.rounds)
        partial = PAGE.with_suffix(".md.part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(PAGE)
        is_scaled = scale()
    ours = [result for _, results in raced for result in results if result.contestant.is_ours]
    return int(any(result.best_s is None for result in ours) or not is_scaled)


if __name__ == "__main__":
    sys.exit(main())
