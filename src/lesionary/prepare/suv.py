"""PET in body-weight SUV, once the factor is known (``ingest/suv.py`` finds it in the headers)."""

import numpy as np

from lesionary.core.volume import Quantity, Volume


def to_suvbw(volume: Volume, factor: float) -> Volume:
    """Return ``volume × factor`` as float32 SUVbw (g/ml).

    Parameters
    ----------
    volume : Volume, shape (slices, rows, columns)
        Activity in Bq/ml, or whatever unit the factor turns into SUV.
    factor : float
        SUVbw per unit of the volume, above 0.
    """
    array = (volume.array.astype(np.float64) * factor).astype(np.float32)
    return volume.with_array(array, quantity=Quantity.SUVBW)
