"""Stage 8 of 9: training sets, and the guard against what must not be in two of them."""
