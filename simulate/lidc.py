"""How four radiologists outlined the same nodules of LIDC-IDRI: errors nobody made up.

The contours are those of :file:`lidc_40_nodules_4raters.json` (LIDC-IDRI, CC BY 3.0). A reader's
diameter is the longest axis of his contours in any slice.
"""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lesionary.core.terms import LesionKind
from lesionary.measure.response.records import Observation, Role, Status

Array: TypeAlias = NDArray[np.float64]

FILE = Path("lidc_multirater") / "lidc_40_nodules_4raters.json"
N_READERS = 4
N_NEAREST = 6


def found_file() -> Path | None:
    """Return where the contours lie; None where they do not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    for folder in (os.environ.get("LESIONARY_DATA"), beside):
        if folder and (Path(folder) / FILE).is_file():
            return Path(folder) / FILE
    return None


def diameters_mm(path: Path) -> Array:
    """Return each nodule's diameter by each reader, shape (nodules, readers)."""
    nodules = json.loads(path.read_text(encoding="utf-8"))
    return np.array(
        [
            [
                _longest_mm(reader["contours"], nodule["pixel_spacing"])
                for reader in nodule["raters"]
            ]
            for nodule in nodules
        ]
    )


def _longest_mm(contours: list[dict[str, Any]], pixel_mm: float) -> float:
    longest = 0.0
    for contour in contours:
        points = np.array(contour["xy"], dtype=np.float64)
        apart = np.linalg.norm(points[:, None] - points, axis=-1)
        longest = max(longest, float(apart.max()) * pixel_mm)
    return longest


def rows_of(sizes_mm: Array) -> list[Observation]:
    """Return a table with one time point a nodule."""
    return [
        Observation(
            subject=f"N{nodule}",
            timepoint="0",
            lesion="L",
            role=Role.TARGET,
            kind=LesionKind.TUMOUR,
            organ="lung",
            diameter_mm=Decimal(f"{size_mm:.6f}"),
            status=Status.PRESENT,
            reader=f"R{reader}",
        )
        for (nodule, reader), size_mm in np.ndenumerate(sizes_mm)
    ]


class Residuals:
    """Errors of real readers, drawn for any diameter from nodules of like size.

    What is true of a nodule is the geometric mean of its readers. Their distances from it are
    stretched by what the mean has taken of them.

    Parameters
    ----------
    sizes_mm : array, shape (nodules, readers)
    """

    def __init__(self, sizes_mm: Array) -> None:
        logs = np.log(sizes_mm)
        means = logs.mean(axis=1)
        order = np.argsort(means)
        self.means = means[order]
        stretch = np.sqrt(sizes_mm.shape[1] / (sizes_mm.shape[1] - 1))
        self.residuals = stretch * (logs - means[:, None])[order]

    def __call__(self, rng: np.random.Generator, sizes_mm: Array) -> Array:
        """Return a factor for each diameter: that of one reader on one nodule of like size."""
        logs = np.log(sizes_mm)
        last = len(self.means) - N_NEAREST
        first = np.searchsorted(self.means, logs) - N_NEAREST // 2
        nodule = np.clip(first, 0, last) + rng.integers(N_NEAREST, size=logs.shape)
        reader = rng.integers(self.residuals.shape[1], size=logs.shape)
        return np.exp(self.residuals[nodule, reader])
