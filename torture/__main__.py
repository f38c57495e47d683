"""``make torture``: kill studies at random moments, and see that nothing is lost.

``python -m torture [--kills 200] [--registry sqlite|postgres|both] [--seed N]``. Ends with 1 where
anything is wrong; the studies that are, and the seed, are named and kept.
"""

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from tests.servers.postgres import PostgresServer, find_binaries

from lesionary.io.registry.place import URL_VARIABLE
from torture.campaign import Campaign
from torture.scans import write_all
from torture.tally import Tally
from torture.workshop import Workshop

SEED = 20


def main() -> int:
    """Wage the campaigns; return 0 where nothing was found."""
    parser = argparse.ArgumentParser(
        prog="python -m torture", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--kills", type=int, default=200, help="runs to kill, on each database")
    parser.add_argument("--registry", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--seed", type=int, default=SEED, help="of scans, moments and choices")
    options = parser.parse_args()
    os.environ.pop(URL_VARIABLE, None)
    folder = Path(mkdtemp(prefix="lesionary-torture-"))
    scans = write_all(folder / "scans", options.seed)
    tallies = []
    for registry in ("sqlite", "postgres"):
        if options.registry in {registry, "both"}:
            place = folder / registry
            place.mkdir()
            tallies.append(_campaign(place, scans, options.kills, options.seed, registry))
            print("\n" + tallies[-1].table(), flush=True)
    if any(tally.faults for tally in tallies):
        print(f"\nFaults, with seed {options.seed}; kept: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _campaign(folder: Path, scans: Path, n_kills: int, seed: int, registry: str) -> Tally:
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer()) if registry == "postgres" else None
        campaign = Campaign(Workshop(folder, scans, server), n_kills, seed, _say)
        tally = campaign.wage()
        if server is not None and tally.faults:
            _keep_databases(server, folder)
        return tally


def _keep_databases(server: PostgresServer, folder: Path) -> None:
    """Write the databases of the studies that are kept beside them."""
    binaries = find_binaries()
    for study in sorted(folder.glob("study_*/")):
        url = server.database_url(study.name).replace("+psycopg", "")
        dump = [str(binaries / "pg_dump") if binaries else "pg_dump", url]
        with (folder / f"{study.name}.sql").open("wb") as out:
            subprocess.run(dump, stdout=out, check=False)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
