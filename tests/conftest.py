"""Fixtures that every part shares."""

import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session", autouse=True)
def _nothing_in_the_home_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep keys and logs of tests out of the user's own folders, in child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONARY_VAULT", str(tmp_path_factory.mktemp("vault")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
