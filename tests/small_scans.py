"""Small scans with blobs in them, as files: enough for a whole journey in a second or two."""

import csv
from pathlib import Path

import numpy as np

from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.nifti import write_nifti

SHAPE = (24, 40, 44)
AFFINE = np.array([[0, 0, 1.5, -30], [0, 1.5, 0, -25], [3, 0, 0, 10], [0, 0, 0, 1.0]])
CENTRES = ((8, 14, 15), (15, 26, 30))
RADII_MM = (9.0, 12.0)
BOX_COLUMNS = ("image", "lesion", "i0", "i1", "j0", "j1", "k0", "k1", "label")


def blobs(centres=CENTRES, radii_mm=RADII_MM) -> np.ndarray:
    """Return a label map array with one ball per centre."""
    grid = np.stack(np.indices(SHAPE), axis=-1)
    spacing = np.linalg.norm(AFFINE[:3, :3], axis=0)
    array = np.zeros(SHAPE, dtype=np.uint16)
    for value, (centre, radius) in enumerate(zip(centres, radii_mm, strict=True), start=1):
        distance = np.linalg.norm((grid - centre) * spacing, axis=-1)
        array[distance <= radius] = value
    return array


def scan(seed: int) -> tuple[Volume, LabelMap]:
    """Return a noisy CT-like volume with its truth."""
    truth = blobs()
    rng = np.random.default_rng(seed)
    array = np.where(truth > 0, 60, -20) + rng.normal(0, 12, SHAPE)
    geometry = Geometry(SHAPE, AFFINE)
    volume = Volume(np.round(array).astype(np.int16), geometry, "CT", Quantity.HU)
    return volume, LabelMap(truth, geometry)


def write_scans(folder: Path, n_scans: int = 3, *, with_masks: bool = False) -> Path:
    """Write scans as NIfTI, with ``boxes.csv`` or with masks; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(n_scans):
        volume, truth = scan(number)
        write_nifti(folder / f"p{number}_ct_image.nii.gz", volume)
        if with_masks:
            write_nifti(folder / f"p{number}_ct_mask.nii.gz", truth)
        rows += [_box_row(f"p{number}_ct_image.nii.gz", value, truth) for value in (1, 2)]
    if not with_masks:
        with (folder / "boxes.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, BOX_COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    return folder


def _box_row(image: str, value: int, truth: LabelMap) -> dict[str, object]:
    inside = np.argwhere(truth.array == value)
    (k0, j0, i0), (k1, j1, i1) = inside.min(axis=0) - 1, inside.max(axis=0) + 2
    bounds = {"i0": i0, "i1": i1, "j0": j0, "j1": j1, "k0": k0, "k1": k1}
    return {"image": image, "lesion": f"L{value}", "label": "m,liver", **bounds}
