"""STAPLE's two steps, compiled: readers who draw at random take hundreds of thousands of rounds."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel


@kernel
def estimate(
    is_drawn: NDArray[np.bool_],
    counts: NDArray[np.float64],
    prior: float,
    still: float,
    max_rounds: int,
    probability: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int, bool]:
    """Run STAPLE's two steps in turn until no rate moves by more than ``still``.

    ``is_drawn`` has shape (readers, patterns). ``probability`` holds the first estimate and becomes
    the last. Returns the shares drawn and left out inside the object, then outside, shape
    (4, readers); the rounds; and whether it came to rest. All four are sums: 1 minus a share next
    to 1 would lose its digits.

    Probabilities are worked out in logarithms: the product of 64 small shares would vanish. A share
    of 0 makes a logarithm infinite and the probability exactly 0 or 1. Both at once cannot be for a
    pattern that occurs, since its own voxels are part of one share or the other.
    """
    n_readers, n = is_drawn.shape
    rates = np.full((4, n_readers), -1.0)
    odds = np.zeros(n)
    for done in range(1, max_rounds + 1):
        moved = 0.0
        odds[:] = np.log(prior) - np.log(1 - prior)
        for reader in range(n_readers):
            mine = is_drawn[reader]
            hit = missed = false = spared = 0.0
            for entry in range(n):
                inside = counts[entry] * probability[entry]
                outside = counts[entry] * (1 - probability[entry])
                if mine[entry]:
                    hit += inside
                    false += outside
                else:
                    missed += inside
                    spared += outside
            shares = np.array([hit, missed, false, spared])
            shares[:2] /= hit + missed
            shares[2:] /= false + spared
            moved = max(moved, np.abs(shares - rates[:, reader]).max())
            rates[:, reader] = shares
            if_drawn = np.log(shares[0]) - np.log(shares[2])
            if_left = np.log(shares[1]) - np.log(shares[3])
            for entry in range(n):
                odds[entry] += if_drawn if mine[entry] else if_left
        for entry in range(n):
            probability[entry] = 1 / (1 + np.exp(-odds[entry]))
        if moved <= still:
            return rates, done, True
    return rates, max_rounds, False
