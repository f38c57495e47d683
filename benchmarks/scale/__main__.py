"""``python -m benchmarks.scale``: what a study costs beside the work, and a registry of a million.

``[--series N] [--few N] [--rows N]``. Sizes other than the usual are printed, and
the page is left alone.
"""

import argparse
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.scale.page import Measured, generated, write_page
from benchmarks.scale.registries import filled_registries
from benchmarks.scale.steps import ROOT
from benchmarks.scale.thousand import Studies, driven, overhead, with_workers

PAGE = ROOT / "docs" / "reference" / "scale.md"
WORKERS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Parameters
    ----------
    series : int
        Small series that are run.
    few : int
        Fewer, for memory and for workers.
    driven : tuple of int
        Series that the driver does nothing but drive.
    through_dask : int
        The same with workers.
    rows : int
        Series of the full registries.
    """

    series: int = 1000
    few: int = 250
    driven: tuple[int, int] = (2000, 10_000)
    through_dask: int = 1000
    rows: int = 1_000_000


def measure(folder: Path, sizes: Sizes) -> Measured:
    """Measure everything in an empty folder; the vault is where the environment says."""
    studies = Studies(folder)
    return Measured(
        one=overhead(studies, sizes.series),
        workers=with_workers(studies, sizes.few, WORKERS),
        drives=[driven(studies, n_series) for n_series in sizes.driven],
        through_dask=driven(studies, sizes.through_dask, WORKERS[-1]),
        registries=filled_registries(folder, sizes.rows),
    )


def main() -> int:
    """Measure, print, and write the page; return 0 where every promise is kept."""
    usual = Sizes()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--series", type=int, default=usual.series, help="small series to run")
    parser.add_argument("--few", type=int, default=usual.few, help="fewer, to compare with")
    parser.add_argument("--rows", type=int, default=usual.rows, help="series of full registries")
    options = parser.parse_args()
    sizes = replace(usual, series=options.series, few=options.few, rows=options.rows)
    with TemporaryDirectory() as folder:
        os.environ["LESIONARY_VAULT"] = str(Path(folder) / "vault")
        found = measure(Path(folder), sizes)
    text = generated(found)
    print(text)
    if sizes == usual:
        write_page(PAGE, text)
    return int(not found.is_kept)


if __name__ == "__main__":
    sys.exit(main())
