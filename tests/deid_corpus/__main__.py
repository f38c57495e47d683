"""``make deid-score``: de-identify corpora of several seeds, print what stayed and what went.

``python -m tests.deid_corpus [--seed N] [--seeds 5] [-v]``. Ends with 1 where a token is left, a
file is not what it should be, a reference leads nowhere, or a second pass changes something.
"""

import argparse
import sys

from .corpus import SEED, make_corpus
from .score import ROWS, Score
from .take import Result, through_the_door


def main() -> int:
    """Print the score; return 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.deid_corpus", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the first corpus")
    parser.add_argument("--seeds", type=int, default=3, help="how many corpora")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every check not met")
    options = parser.parse_args()
    results = []
    for seed in range(options.seed, options.seed + options.seeds):
        corpus = make_corpus(seed)
        result = through_the_door(corpus)
        results.append(result)
        hidden = [leak for leak in result.leaks if leak.token.is_obfuscated]
        _say(f"seed {seed}: {len(corpus.files)} files, {len(corpus.tokens)} tokens")
        _say("  " + ", ".join(f"{n} {what}" for what, n in sorted(result.outcomes.items())))
        _say(f"  leaks: {len(result.leaks) - len(hidden)} plain, {len(hidden)} disguised")
        _print_faults(result, is_verbose=options.verbose)
    _say(_sum(results).table())
    return int(any(map(_is_wrong, results)))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _print_faults(result: Result, *, is_verbose: bool) -> None:
    for leak in result.leaks:
        _say(f"  LEAK {leak.token.file}: {leak.token.place}: {leak.form}")
    for what in (*result.surprises, *result.broken, *result.changed_twice):
        _say(f"  WRONG {what}")
    if is_verbose:
        for row, failed in result.score.failed.items():
            for what in failed:
                _say(f"  {row}: {what}")


def _sum(results: list[Result]) -> Score:
    whole = Score()
    for result in results:
        for row in ROWS:
            whole.met[row] += result.score.met[row]
            whole.failed[row] += result.score.failed[row]
    return whole


def _is_wrong(result: Result) -> bool:
    return bool(result.leaks or result.surprises or result.broken or result.changed_twice)


sys.exit(main())
