"""Speed and accuracy against the peers that BENCHMARKS names; run by ``make bench``."""
