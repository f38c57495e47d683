"""Phantom mice as several readers and a model drew them: what the demonstration compares."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from lesionary.io.nifti import write_nifti
from lesionary.phantoms.mouse import MouseSpec, mouse_scan
from lesionary.phantoms.readers import ReaderHabits, simulate_reader

PATTERN = "{subject}/{subject}_{timepoint}_{reader}_mask.nii.gz"
"""How the files are named, for ``ingest --reader-from``."""

MODEL = "model"
HABITS = {
    "anna": ReaderHabits(noise_mm=0.25, wavelength_mm=4.0),
    "ben": ReaderHabits(bias_mm=0.25, noise_mm=0.3, wavelength_mm=4.0),
    "chi": ReaderHabits(bias_mm=-0.25, noise_mm=0.3, wavelength_mm=4.0, miss_rate=0.25),
    MODEL: ReaderHabits(bias_mm=0.1, noise_mm=0.6, wavelength_mm=3.0, miss_rate=0.2),
}
"""Three readers and a model; one of the readers, and the model, overlook a tumour now and then."""

SPEC = MouseSpec(spacing_mm=0.6, n_mice=1, n_tumours=(2,))


def write_reader_scans(
    folder: Path, *, seed: int, n_scans: int = 4, spec: MouseSpec = SPEC
) -> Path:
    """Write scans with everybody's masks as NIfTI, named by :data:`PATTERN`; return the folder."""
    for number in range(1, n_scans + 1):
        scan = mouse_scan(spec, seed + number)
        name = f"M{number:02d}"
        below = folder / name
        below.mkdir(parents=True)
        write_nifti(below / f"{name}_0_CT_image.nii.gz", scan.volume)
        for place, (reader, habits) in enumerate(HABITS.items()):
            drawn = simulate_reader(scan.truth, _on_this_scan(habits, 19 * number + place))
            mask = drawn.with_array((drawn.array > 0).astype(np.uint16))
            write_nifti(below / f"{name}_0_{reader}_mask.nii.gz", mask)
    return folder


def _on_this_scan(habits: ReaderHabits, seed: int) -> ReaderHabits:
    """Return the same habits on another day: nobody errs the same way twice."""
    return replace(habits, seed=seed)
