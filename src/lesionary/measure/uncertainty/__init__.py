"""How sure a response is: the probability of each category, from errors of measurement (X4)."""
