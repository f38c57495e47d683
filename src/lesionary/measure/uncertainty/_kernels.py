"""Compiled linear algebra of many small posteriors. Import at first use: numba is heavy."""

import math

import numpy as np

from lesionary.core.jit import kernel
from lesionary.core.volume import FloatArray
from lesionary.measure.uncertainty.readings import Places


@kernel
def factor(
    fixed: FloatArray,
    visits: Places,
    chains: Places,
    shared: FloatArray,
    own: FloatArray,
    noise: FloatArray,
    matrix: FloatArray,
) -> float:
    """Fill ``matrix`` with the Cholesky factor of one covariance; return half its log determinant.

    ``shared`` and ``own`` are variances of a walk up to each visit, common to all chains and of
    each by itself; ``fixed`` is all that never changes, ``noise`` the diagonal's own.
    """
    n = visits.size
    half = 0.0
    for i in range(n):
        for j in range(i + 1):
            until = min(visits[i], visits[j])
            value = fixed[i, j] + shared[until]
            if chains[i] == chains[j]:
                value += own[until]
            if i == j:
                value += noise[i]
            for k in range(j):
                value -= matrix[i, k] * matrix[j, k]
            if i == j:
                matrix[i, i] = math.sqrt(value)
                half += math.log(matrix[i, i])
            else:
                matrix[i, j] = value / matrix[j, j]
    return half


@kernel
def log_likelihoods(
    fixed: FloatArray,
    visits: Places,
    chains: Places,
    shared: FloatArray,
    own: FloatArray,
    noise: FloatArray,
    values: FloatArray,
) -> FloatArray:
    """Return the log density of ``values`` under each state, but for a constant."""
    n_states, n = noise.shape
    found = np.empty(n_states)
    matrix = np.empty((n, n))
    white = np.empty(n)
    for state in range(n_states):
        half = factor(fixed, visits, chains, shared[state], own[state], noise[state], matrix)
        squares = 0.0
        for i in range(n):
            value = values[i]
            for k in range(i):
                value -= matrix[i, k] * white[k]
            white[i] = value / matrix[i, i]
            squares += white[i] * white[i]
        found[state] = -half - squares / 2
    return found


@kernel
def weights(
    fixed: FloatArray,
    visits: Places,
    chains: Places,
    shared: FloatArray,
    own: FloatArray,
    noise: FloatArray,
    values: FloatArray,
) -> FloatArray:
    """Return the inverse covariance of each state times its values, shape (states, draws, n)."""
    n_states, n_draws, n = values.shape
    found = np.empty_like(values)
    matrix = np.empty((n, n))
    for state in range(n_states):
        factor(fixed, visits, chains, shared[state], own[state], noise[state], matrix)
        for draw in range(n_draws):
            line = found[state, draw]
            for i in range(n):
                value = values[state, draw, i]
                for k in range(i):
                    value -= matrix[i, k] * line[k]
                line[i] = value / matrix[i, i]
            for i in range(n - 1, -1, -1):
                value = line[i]
                for k in range(i + 1, n):
                    value -= matrix[k, i] * line[k]
                line[i] = value / matrix[i, i]
    return found


@kernel
def truth_part(
    first: float,
    visits: Places,
    chains: Places,
    shared: FloatArray,
    own: FloatArray,
    values: FloatArray,
) -> FloatArray:
    """Multiply values, shape (states, draws, n), with the covariance of the diameters alone."""
    n_states, n_draws, n = values.shape
    found = np.zeros_like(values)
    for state in range(n_states):
        for i in range(n):
            for j in range(n):
                until = min(visits[i], visits[j])
                covariance = shared[state, until]
                if chains[i] == chains[j]:
                    covariance += first + own[state, until]
                for draw in range(n_draws):
                    found[state, draw, i] += covariance * values[state, draw, j]
    return found
