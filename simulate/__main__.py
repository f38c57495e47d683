"""``make simulate``: see whether the probabilities of responses are calibrated.

``python -m simulate [--timepoints 10000] [--only WORD] [--seed N] [--bins]``. Ends with 1 where a
scenario's expected error exceeds 0.05, of all forecasts or of those that are open, or where a bin
of 200 forecasts or more is off by more than 0.05 beyond its binomial interval. A stated model that
meets readers unlike it is shown only.
"""

# ruff: noqa: T201

import argparse
import sys
import time

from simulate.calibration import LEAST_IN_BIN, Calibration, calibration, table
from simulate.scenarios import Scenario, forecast, scenarios

BOUND = 0.05
LEAST_OPEN = 1000
"""Fewer open forecasts are shown only: chance alone puts their bins off by more."""


def main() -> int:
    """Play the scenarios and print what came of them."""
    parser = argparse.ArgumentParser(
        prog="python -m simulate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--timepoints", type=int, default=10_000, help="of each scenario")
    parser.add_argument("--only", default="", help="scenarios whose name has this in it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bins", action="store_true", help="print every bin")
    given = parser.parse_args()
    chosen = [one for one in scenarios() if given.only in one.name]
    if not chosen:
        parser.error(f"no such scenario: {given.only}")
    print("| scenario | the model is given | expected error | of open | worst bin | likeliest |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    found = []
    for one in chosen:
        start = time.perf_counter()
        result = calibration(*forecast(one, given.timepoints, given.seed))
        print(_line(one, result), flush=True)
        print(f"{one.name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        found.append((one, result))
    for one, result in found if given.bins else ():
        print(f"\n### {one.name}\n\n{table(result)}")
    return int(any(one.is_held and _is_bad(result) for one, result in found))


def _line(one: Scenario, found: Calibration) -> str:
    return (
        f"| {one.name} | {one.given} | {found.expected_error:.3f} "
        f"| {found.open_error:.3f} of {found.n_open} | {found.worst_error:.3f} "
        f"| {found.accuracy:.3f} |"
    )


def _is_bad(found: Calibration) -> bool:
    is_off = any(one.is_off(BOUND) for one in found.bins if one.n >= LEAST_IN_BIN)
    open_error = found.open_error if found.n_open >= LEAST_OPEN else 0.0
    return is_off or max(found.expected_error, open_error) > BOUND


if __name__ == "__main__":
    sys.exit(main())
