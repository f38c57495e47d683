"""Windows: which intensities are black and which white, for display, labels and models (R4).

A window is linear on exactly [level − width/2, level + width/2]. DICOM's LINEAR function is not:
it takes one from the width and half from the level, and is off by up to half a grey value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import InputError
from lesionary.core.volume import AnyArray, BoolArray, Volume

WHITE = 255


@dataclass(frozen=True, slots=True)
class Window:
    """A linear map of intensities onto 0…255.

    Parameters
    ----------
    level : float
        Intensity in the middle.
    width : float
        From black to white; positive.

    Raises
    ------
    InputError
        If the width is not positive or a number is not finite.
    """

    level: float
    width: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.level) and np.isfinite(self.width) and self.width > 0):
            raise InputError(
                f"a window of level {self.level} and width {self.width} shows nothing",
                hint="give a finite level and a width above 0",
            )

    @property
    def low(self) -> float:
        """Highest intensity that is black."""
        return self.level - self.width / 2

    @property
    def high(self) -> float:
        """Lowest intensity that is white."""
        return self.level + self.width / 2

    def scale(self, array: AnyArray, invalid: BoolArray | None = None) -> NDArray[np.floating]:
        """Map intensities to 0…255 without rounding, as models take them.

        Parameters
        ----------
        array : array of any shape
            Real intensities. Infinity is black or white, NaN is black.
        invalid : bool array of the same shape, optional
            Voxels that hold no measurement; they are black.

        Returns
        -------
        float array of the same shape
            float32 for integers up to 16 bits and float32, else float64.
        """
        scaled = array.astype(np.result_type(array.dtype, np.float32))
        low, width, white = (scaled.dtype.type(n) for n in (self.low, self.width, WHITE))
        scaled -= low
        np.clip(scaled, 0, width, out=scaled)
        # multiply first: the product is exact for whole HU, so that halves stay halves
        scaled *= white
        scaled /= width
        np.minimum(scaled, white, out=scaled)
        scaled[np.isnan(scaled) if invalid is None else np.isnan(scaled) | invalid] = 0
        return scaled

    def apply(self, array: AnyArray, invalid: BoolArray | None = None) -> NDArray[np.uint8]:
        """Map intensities to whole grey values 0…255; halves are rounded up.

        Parameters are those of :meth:`scale`.

        Examples
        --------
        >>> Window(40, 350).apply(np.array([-1024, -135, 40, 215, 3071], dtype=np.int16))
        array([  0,   0, 128, 255, 255], dtype=uint8)
        """
        scaled = self.scale(array, invalid)
        scaled += scaled.dtype.type(0.5)
        return scaled.astype(np.uint8)  # a cast cuts the fraction off


NAMED_WINDOWS: Mapping[str, Window] = MappingProxyType(
    {
        "lung": Window(-500, 1400),
        "abdomen": Window(40, 350),
        "bone": Window(400, 1000),
        "brain": Window(50, 100),
        "mediastinum": Window(50, 350),
    }
)
"""Windows of CT in HU, by the names that protocols and published layouts use."""


def robust_window(volume: Volume, low_percent: float = 1.0, high_percent: float = 99.0) -> Window:
    """Return the window between two percentiles of the valid voxels: for MR and PET.

    An image without contrast gets a width of 1 around its value, one without valid voxels a window
    from 0 to 1.
    """
    is_valid = np.isfinite(volume.array)
    if volume.invalid is not None:
        is_valid &= ~volume.invalid
    values = volume.array[is_valid]
    if values.size == 0:
        return Window(0.5, 1.0)
    low, high = (float(v) for v in np.percentile(values, [low_percent, high_percent]))
    return Window((low + high) / 2, (high - low) or 1.0)
