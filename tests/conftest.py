"""Fixtures that every part shares."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of public scans, or skip where this machine has none."""
    folder = Path(os.environ.get("LESIONARY_DATA", SHARED))
    if not (folder / "sts_dicom").is_dir():
        pytest.skip(f"no public scans here: set LESIONARY_DATA to a copy of {SHARED.name}")
    return folder
