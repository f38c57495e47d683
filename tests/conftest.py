"""Fixtures that every part shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Kernels compile at their first call, so no example has a deadline. CI draws the same examples
# every time: what it finds can be found again.
settings.register_profile("everywhere", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "everywhere")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public scans, or skip where this machine has none."""
    folder = Path(os.environ.get("LESIONARY_DATA", SHARED))
    if not (folder / "sts_dicom").is_dir():
        pytest.skip(f"no public scans here: set LESIONARY_DATA to a copy of {SHARED.name}")
    return folder
