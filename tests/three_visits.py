"""A patient whose lesions shrink, vanish and appear over three visits: scans and masks as files."""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np

from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.nifti import write_nifti

SHAPE = (40, 64, 64)
SPACING_MM = (2.0, 2.0, 2.0)
READER_FROM = "{subject}/{timepoint}/*/{reader}_*.nii.gz"
DATES = ("2020-01-02", "2020-03-05", "2020-06-01")

FIRST, SECOND, LATE, SMALL = (12, 20, 20), (28, 40, 44), (12, 44, 18), (28, 16, 36)
VISITS = (
    {FIRST: 14.0, SECOND: 12.0},
    {FIRST: 9.0, SECOND: 10.0},
    {SECOND: 8.0, LATE: 10.0},
)
"""Of each visit the lesions' centres, in voxels, and radii in mm."""


def geometry() -> Geometry:
    """Return the grid that all visits share."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = (*SPACING_MM, 1.0)
    affine[:3, 3] = (-60.0, -60.0, 10.0)
    return Geometry(SHAPE, affine)


def drawn(visit: int) -> np.ndarray:
    """Return a visit's lesions, one value each."""
    return _balls(VISITS[visit])


def drawn_otherwise(visit: int) -> np.ndarray:
    """Return what another reader drew."""
    seen = {centre: radius_mm for centre, radius_mm in VISITS[visit].items() if centre != LATE}
    return _balls(seen | {SMALL: 5.0 + visit})


def _balls(radii_mm: Mapping[tuple[int, int, int], float]) -> np.ndarray:
    grid = np.stack(np.indices(SHAPE), axis=-1)
    array = np.zeros(SHAPE, dtype=np.uint16)
    for value, (centre, radius_mm) in enumerate(radii_mm.items(), start=1):
        distance_mm = np.linalg.norm((grid - centre) * SPACING_MM, axis=-1)
        array[distance_mm <= radius_mm] = value
    return array


def write_visits(folder: Path, n_subjects: int = 1, readers: tuple[str, ...] = ("anna",)) -> Path:
    """Write ``S0/2020-01-02/anna/ct_image.nii.gz`` and masks of three visits; return the folder.

    Every reader draws on a scan of their own: the first all that is there, each further one not
    what comes late, but a small lesion that the first one does not see.
    """
    for number in range(n_subjects):
        for (visit, date), (order, reader) in product(enumerate(DATES), enumerate(readers)):
            place = folder / f"S{number}" / date / reader
            place.mkdir(parents=True)
            write_nifti(place / "ct_image.nii.gz", _scan(visit, [number, visit, order]))
            _write_mask(place, reader, drawn(visit) if order == 0 else drawn_otherwise(visit))
    return folder


def _scan(visit: int, seed: list[int]) -> Volume:
    inside = np.where(drawn(visit) > 0, 80.0, 0.0)
    body = np.hypot(*(np.indices(SHAPE)[1:] - 32.0)) < 29
    noise = np.random.default_rng(seed).normal(0, 8, SHAPE)
    array = np.where(body, inside, -1000.0) + noise
    return Volume(np.round(array).astype(np.int16), geometry(), "CT", Quantity.HU)


def _write_mask(place: Path, reader: str, array: np.ndarray) -> None:
    write_nifti(place / f"{reader}_mask.nii.gz", LabelMap(array, geometry()))
    texts = {str(value): "m,liver" for value in np.unique(array[array > 0]).tolist()}
    (place / f"{reader}_mask.json").write_text(json.dumps(texts), encoding="utf-8")
