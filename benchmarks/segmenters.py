"""Dice of every segmenter from a jittered box, on public soft-tissue sarcomas.

    python -m benchmarks.segmenters [--engines contour walker] [--modalities CT] [--limit 5]
                                    [--seed 1000] [--patients odd]

Reads ``sts_roi`` below ``LESIONARY_DATA`` or ``../shared/data``: tumours drawn by experts on CT, T1
MR and PET. The box is the mask's tight one, each of its six faces moved outward by a whole number
of voxels drawn evenly from 0 to 5 in plane (PET: 0 to 2) and, as slices here are thick
(:data:`THICK_MM`), 0 to 1 across slices. The generator of a case is ``default_rng(seed + n)``,
``n`` its place in sorted order of its modality; faces are drawn along k, j, i, the low one first.

The engines' constants were chosen on patients with odd numbers. The idea of a tilted ellipsoid came
from looking at failures in both halves, so ``--patients even`` is a check of the constants only.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lesionary.annotate.prompts import BoxPrompt
from lesionary.annotate.registry import SegmenterRegistry
from lesionary.annotate.segmenter import Segmenter
from lesionary.core.volume import BoolArray, Box, FloatArray, Mask, Volume
from lesionary.io.nifti import read_nifti

SEED = 1000
THICK_MM = 2.5
"""Slices at least this far apart are thick: a reader's box is off by one of them at most."""

MODALITIES = {"CT": "CT", "MR": "MR", "PET": "PT"}
"""Names of files, and what DICOM calls these modalities."""

Patients = Literal["all", "odd", "even"]


@dataclass(frozen=True, slots=True)
class Case:
    """One tumour."""

    number: int
    patient: int
    volume: Volume
    reference: Mask


@dataclass(frozen=True, slots=True)
class Scores:
    """What one engine did on one modality: a Dice and a duration each case."""

    dice: FloatArray
    seconds: FloatArray

    def __str__(self) -> str:
        return (
            f"{self.dice.size:3d}  {self.dice.mean():.3f} ± {self.dice.std(ddof=1):.3f}  "
            f"{np.percentile(self.dice, 10):.3f}  {np.median(self.seconds):6.2f} s"
        )


def data_folder() -> Path:
    """Return the folder of public scans, whether or not it is there."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("LESIONARY_DATA", beside))


def cases(folder: Path, modality: str, *, patients: Patients = "all") -> Iterator[Case]:
    """Read the tumours of one modality in sorted order."""
    for number, path in enumerate(sorted((folder / "sts_roi").glob(f"*_{modality}_image.nii.gz"))):
        patient = int(path.name.partition("_")[0])
        if patients != "all" and (patient % 2 == 1) != (patients == "odd"):
            continue
        image = read_nifti(path)
        mask = read_nifti(path.with_name(path.name.replace("_image", "_mask")))
        volume = Volume(image.array, image.geometry, MODALITIES[modality])
        yield Case(number, patient, volume, Mask(mask.array > 0, mask.geometry))


def tight_box(array: BoolArray) -> Box:
    """Return the smallest box that holds every voxel of a mask that is not empty."""
    sides = []
    for axis in range(3):
        found = np.flatnonzero(array.any(axis=tuple(other for other in range(3) if other != axis)))
        sides.append(slice(int(found[0]), int(found[-1]) + 1))
    return sides[0], sides[1], sides[2]


def jittered_box(reference: Mask, modality: str, generator: np.random.Generator) -> Box:
    """Move each face of the tight box outward, as the module says, and stay on the grid."""
    geometry = reference.geometry
    is_thick = geometry.spacing_mm[geometry.superior_axis] >= THICK_MM
    sides = []
    for axis, side in enumerate(tight_box(reference.array)):
        most = 2 if modality in {"PET", "PT"} else 5
        if axis == geometry.superior_axis and is_thick:
            most = 1
        low, high = (int(n) for n in generator.integers(0, most + 1, size=2))
        sides.append(slice(max(0, side.start - low), min(geometry.shape[axis], side.stop + high)))
    return sides[0], sides[1], sides[2]


def dice(mask: BoolArray, reference: BoolArray) -> float:
    """Return twice the shared voxels over the sum of both; the masks are not both empty."""
    shared = np.count_nonzero(mask & reference)
    return 2 * shared / (np.count_nonzero(mask) + np.count_nonzero(reference))


def score(segmenter: Segmenter, some_cases: Sequence[Case], seed: int = SEED) -> Scores:
    """Segment every case from its jittered box."""
    found, seconds = [], []
    for case in some_cases:
        generator = np.random.default_rng(seed + case.number)
        box = jittered_box(case.reference, case.volume.modality, generator)
        start = time.perf_counter()
        mask = segmenter.segment(case.volume, BoxPrompt(box))
        seconds.append(time.perf_counter() - start)
        found.append(dice(mask.array, case.reference.array))
    return Scores(np.array(found), np.array(seconds))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    registry = SegmenterRegistry.discover()
    parser = argparse.ArgumentParser(description="Dice of every segmenter from a jittered box.")
    parser.add_argument("--engines", nargs="+", default=registry.names())
    parser.add_argument("--modalities", nargs="+", default=list(MODALITIES), choices=MODALITIES)
    parser.add_argument("--patients", default="all", choices=["all", "odd", "even"])
    parser.add_argument("--limit", type=int, default=None, help="cases a modality")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    print("engine     scan   n  Dice mean ± SD   10th %   median time")
    for modality in options.modalities:
        chosen = list(cases(data_folder(), modality, patients=options.patients))[: options.limit]
        for name in options.engines:
            segmenter = registry.create(name)
            score(segmenter, chosen[:1])  # compiles what has to be compiled
            print(f"{name:10s} {modality:4s} {score(segmenter, chosen, options.seed)}", flush=True)


if __name__ == "__main__":
    main()
