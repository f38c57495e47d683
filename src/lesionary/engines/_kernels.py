"""Compiled loops of the built-in segmenters. Imported at first use: numba takes half a second."""

import numpy as np

from lesionary.core.jit import kernel
from lesionary.core.volume import FloatArray
from lesionary.engines._grid import Field


@kernel
def least_weighted_surface(
    log_odds: Field, start: Field, weights: FloatArray, n_iterations: int
) -> Field:
    """Minimise ``sum |w · grad u| - log_odds · u`` over ``0 <= u <= 1``.

    The first-order primal-dual iteration of Chambolle and Pock [1]_ on forward differences. The
    problem is convex: every start leads to the same energy, and thresholding ``u`` at any level
    gives a set of least surface and best fit [2]_.

    Parameters
    ----------
    log_odds : float32 array, shape (K, J, I)
        Positive where a voxel belongs to the object.
    start : float32 array, shape (K, J, I)
        First guess of ``u``; a good one saves iterations.
    weights : float array, shape (3,)
        Cost of a unit jump between neighbours along each axis.
    n_iterations : int
        Sweeps over the grid.

    Returns
    -------
    float32 array, shape (K, J, I)

    References
    ----------
    .. [1] Chambolle & Pock, J Math Imaging Vis 40, 120-145 (2011).
    .. [2] Chan, Esedoglu & Nikolova, SIAM J Appl Math 66, 1632-1648 (2006).
    """
    n_k, n_j, n_i = log_odds.shape
    w_k, w_j, w_i = np.float32(weights[0]), np.float32(weights[1]), np.float32(weights[2])
    # the gradient's norm is at most 2 |w|, and both steps times its square must stay below 1
    step = np.float32(0.5 / np.sqrt(weights[0] ** 2 + weights[1] ** 2 + weights[2] ** 2))
    u = start.copy()
    ahead = start.copy()
    p_k, p_j, p_i = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    one, zero = np.float32(1.0), np.float32(0.0)
    for _ in range(n_iterations):
        for k in range(n_k):
            for j in range(n_j):
                for i in range(n_i):
                    here = ahead[k, j, i]
                    a, b, c = p_k[k, j, i], p_j[k, j, i], p_i[k, j, i]
                    if k + 1 < n_k:
                        a += step * w_k * (ahead[k + 1, j, i] - here)
                    if j + 1 < n_j:
                        b += step * w_j * (ahead[k, j + 1, i] - here)
                    if i + 1 < n_i:
                        c += step * w_i * (ahead[k, j, i + 1] - here)
                    length = max(one, np.float32(np.sqrt(a * a + b * b + c * c)))
                    p_k[k, j, i], p_j[k, j, i], p_i[k, j, i] = a / length, b / length, c / length
        for k in range(n_k):
            for j in range(n_j):
                for i in range(n_i):
                    flow = w_k * p_k[k, j, i] + w_j * p_j[k, j, i] + w_i * p_i[k, j, i]
                    if k > 0:
                        flow -= w_k * p_k[k - 1, j, i]
                    if j > 0:
                        flow -= w_j * p_j[k, j - 1, i]
                    if i > 0:
                        flow -= w_i * p_i[k, j, i - 1]
                    old = u[k, j, i]
                    new = min(one, max(zero, old + step * (flow + log_odds[k, j, i])))
                    ahead[k, j, i] = new + new - old
                    u[k, j, i] = new
    return u
