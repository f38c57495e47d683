"""``make bench``: every benchmark table, one after the other, on this machine."""

import platform
import subprocess
import sys
from importlib.metadata import version

TABLES = {
    "CT series to volume": ("benchmarks.dicom_io",),
    "NIfTI volumes": ("benchmarks.volumes_io",),
    "Components, diameters, whole-scan measures": ("benchmarks.measure",),
    "Segmenters from a jittered box, real tumours": ("benchmarks.segmenters",),
}


def main() -> int:
    """Print machine, versions and tables; return the number of tables that failed."""
    libraries = ("lesionary", "numpy", "numba", "SimpleITK", "scipy", "nibabel", "pydicom")
    print(f"Python {platform.python_version()} on {platform.machine()}")
    print(", ".join(f"{name} {version(name)}" for name in libraries))
    n_failed = 0
    for title, (module, *options) in TABLES.items():
        print(f"\n## {title}\n", flush=True)
        done = subprocess.run([sys.executable, "-m", module, *options], check=False)  # noqa: S603
        n_failed += done.returncode != 0
    return n_failed


if __name__ == "__main__":
    sys.exit(main())
