"""The curve over a histogram, on plain arrays."""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import FloatArray


def density(values: FloatArray, at: FloatArray) -> FloatArray | None:
    """Estimate a probability density with Gaussian kernels of Silverman's width.

    Parameters
    ----------
    values : float array, shape (n,)
        Finite sample.
    at : float array, shape (m,)
        Where to evaluate.

    Returns
    -------
    float array of shape (m,), or None where the sample does not vary.
    """
    if values.size < 2 or np.ptp(values) == 0:
        return None
    lower, upper = (float(q) for q in np.quantile(values, [0.25, 0.75]))
    sd = float(values.std(ddof=1))
    scale = min(sd, (upper - lower) / 1.349) if upper > lower else sd
    width = 0.9 * scale * values.size ** (-0.2)
    total = np.zeros_like(at)
    for part in _chunks(values, 1000):
        total += np.exp(-0.5 * ((at[:, None] - part[None, :]) / width) ** 2).sum(axis=1)
    result: FloatArray = total / (values.size * width * np.sqrt(2 * np.pi))
    return result


def _chunks(values: FloatArray, size: int) -> list[NDArray[np.float64]]:
    return [values[start : start + size] for start in range(0, values.size, size)]
