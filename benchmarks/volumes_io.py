"""Time ``.nii.gz`` reading and writing against nibabel and SimpleITK (`BENCHMARKS.md` row 7b).

``python benchmarks/volumes_io.py [--slices N] [--repeats N]``. A CT-like volume of 512 × 512
slices, int16: smooth tissue inside a body, air outside, noise everywhere. Every contestant reads
the file that nibabel wrote and writes the same array; the best of N counts. nibabel and SimpleITK
write at their default levels. Ours is read back and compared.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from lesionary.core.volume import Geometry, Volume
from lesionary.io.nifti import lps_from_ras, read_nifti, write_nifti

RAS = np.diag([-0.75, -0.75, 1.5, 1.0])


def ct_like(n_slices: int, seed: int = 0) -> Volume:
    """Draw a body of soft tissue in air, with noise of 12 HU."""
    rng = np.random.default_rng(seed)
    shape = (n_slices, 512, 512)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = (x / 0.85) ** 2 + (y / 0.6) ** 2 < 1
    coarse = gaussian_filter(rng.standard_normal((n_slices, 128, 128)), (1, 4, 4))
    tissue = np.kron(coarse / coarse.std() * 120, np.ones((1, 4, 4)))
    hu = (np.where(body, tissue, -1000) + rng.normal(0, 12, shape)).round().astype(np.int16)
    return Volume(hu, Geometry(shape, lps_from_ras(RAS)), "CT")


def best_of(repeats: int, action: Callable[[], object]) -> float:
    """Return the shortest wall time of ``action`` in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(n_slices: int = 120, repeats: int = 3) -> dict[str, dict[str, float]]:
    """Return operation → contestant → seconds."""
    volume = ct_like(n_slices)
    data = volume.array.transpose()
    image = sitk.GetImageFromArray(volume.array)
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.nii.gz", Path(folder) / "target.nii.gz"
        nibabel.Nifti1Image(data, RAS).to_filename(source)
        reading: dict[str, Callable[[], object]] = {
            "lesionary": lambda: read_nifti(source),
            "nibabel dataobj": lambda: np.asanyarray(nibabel.load(source).dataobj),
            "nibabel get_fdata": lambda: nibabel.load(source).get_fdata(),
            "SimpleITK": lambda: sitk.GetArrayViewFromImage(sitk.ReadImage(str(source))),
        }
        writing: dict[str, Callable[[], object]] = {
            "lesionary": lambda: write_nifti(target, volume),
            "nibabel": lambda: nibabel.Nifti1Image(data, RAS).to_filename(target),
            "SimpleITK": lambda: sitk.WriteImage(image, str(target), True),
        }
        seconds = {
            "read": {name: best_of(repeats, action) for name, action in reading.items()},
            "write": {name: best_of(repeats, action) for name, action in writing.items()},
        }
        write_nifti(target, volume)
        assert np.array_equal(np.asanyarray(nibabel.load(target).dataobj), data)
        assert np.array_equal(read_nifti(source).array, volume.array)
    return seconds


def main() -> None:
    """Print seconds and how many times longer each peer takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for operation, seconds in compare(options.slices, options.repeats).items():
        for name, value in seconds.items():
            ratio = value / seconds["lesionary"]
            print(f"{operation:6} {name:18} {value:7.3f} s  {ratio:6.2f} ×")


if __name__ == "__main__":
    main()
