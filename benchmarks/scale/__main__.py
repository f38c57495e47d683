"""``python -m benchmarks.scale``: what a study costs beside the work, and a registry of a million.

``[--series N] [--few N] [--rows N] [--folder FOLDER]``. Sizes other than the usual are printed, and
the page is left alone.
"""

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.scale.page import is_kept, measured, write_page
from benchmarks.scale.registries import filled_registries
from benchmarks.scale.steps import ROOT
from benchmarks.scale.thousand import Studies, overhead, with_workers

PAGE = ROOT / "docs" / "reference" / "scale.md"
N_SERIES, N_FEW, N_ROWS = 1000, 250, 1_000_000
WORKERS = (0, 1, 2)


def main() -> int:
    """Measure, print, and write the page; return 0 where every promise is kept."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--series", type=int, default=N_SERIES, help="small series to run")
    parser.add_argument("--few", type=int, default=N_FEW, help="fewer, for memory and workers")
    parser.add_argument("--rows", type=int, default=N_ROWS, help="series of the full registries")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in, and to leave")
    options = parser.parse_args()
    sizes = (options.series, options.few, options.rows)
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(TemporaryDirectory()))
        os.environ["LESIONARY_VAULT"] = str(folder / "vault")
        studies = Studies(folder)
        one = overhead(studies, options.series)
        workers = with_workers(studies, options.few, WORKERS)
        registries = filled_registries(folder, options.rows)
    text = measured(one, workers[0], workers, registries)
    print(text, flush=True)
    if sizes == (N_SERIES, N_FEW, N_ROWS):
        write_page(PAGE, text)
    return int(not is_kept(one, workers, registries))


if __name__ == "__main__":
    sys.exit(main())
