"""Many small scans, each another, so that every stage has something to do on every one.

Two tumours were drawn by two readers and, less well, by a model; of every tenth scan a third
tumour came with a box alone, from which the study drafts it.
"""

import csv
from pathlib import Path

import numpy as np

from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.nifti import write_nifti

SHAPE = (16, 32, 32)
AFFINE = np.array([[0, 0, 1.5, -24], [0, 1.5, 0, -24], [3, 0, 0, 0], [0, 0, 0, 1.0]])
CENTRES = ((4, 9, 9), (11, 10, 22), (8, 23, 14))
RADII_MM = (7.0, 8.0, 9.0)
READERS = {"anna": 0, "berta": 1, "model": 2}
"""Who drew the first two tumours, and how many columns too far."""
PREDICTIONS = ("model",)
BOX_EVERY = 10
READER_FROM = "{subject}/{subject}_{timepoint}_{reader}_mask.nii.gz"

_BOX_COLUMNS = ("image", "lesion", "i0", "i1", "j0", "j1", "k0", "k1", "label")
_INDICES = np.moveaxis(np.indices(SHAPE), 0, -1)
_SPACING_MM = np.linalg.norm(AFFINE[:3, :3], axis=0)[::-1]


def write_scans(folder: Path, n_scans: int) -> None:
    """Write so many scans with their masks, and one ``boxes.csv`` for all."""
    folder.mkdir(parents=True)
    rows = []
    for number in range(n_scans):
        volume, truth = scan(number)
        name = f"p{number:05d}"
        place = folder / name
        place.mkdir()
        write_nifti(place / f"{name}_0_ct_image.nii.gz", volume)
        drawn = np.where(truth.array < len(CENTRES), truth.array, 0).astype(np.uint16)
        for reader, columns in READERS.items():
            mask = truth.with_array(np.roll(drawn, columns, axis=2))
            write_nifti(place / f"{name}_0_{reader}_mask.nii.gz", mask)
        if number % BOX_EVERY == 0:
            rows.append(_box_row(f"{name}/{name}_0_ct_image.nii.gz", truth))
    with (folder / "boxes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _BOX_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def scan(number: int) -> tuple[Volume, LabelMap]:
    """Return one scan and its tumours, a little apart from those of every other number."""
    rng = np.random.default_rng(number)
    truth = np.zeros(SHAPE, dtype=np.uint16)
    for value, (centre, radius) in enumerate(zip(CENTRES, RADII_MM, strict=True), start=1):
        away = (_INDICES - centre - rng.uniform(-1, 1, 3)) * _SPACING_MM
        truth[np.linalg.norm(away, axis=-1) <= radius] = value
    array = np.where(truth > 0, 60, -20) + rng.normal(0, 12, SHAPE)
    geometry = Geometry(SHAPE, AFFINE)
    volume = Volume(np.round(array).astype(np.int16), geometry, "CT", Quantity.HU)
    return volume, LabelMap(truth, geometry)


def _box_row(image: str, truth: LabelMap) -> dict[str, object]:
    inside = np.argwhere(truth.array == len(CENTRES))
    (k0, j0, i0), (k1, j1, i1) = inside.min(axis=0) - 1, inside.max(axis=0) + 2
    bounds = {"i0": i0, "i1": i1, "j0": j0, "j1": j1, "k0": k0, "k1": k1}
    return {"image": image, "lesion": "L3", "label": "m,liver", **bounds}
