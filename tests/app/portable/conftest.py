"""A small study and its archive, made once; every test has copies of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lesionary.app.study import Study
from portable_study import exported, make_study


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``study`` and ``study.tar``, for tests to copy."""
    folder = tmp_path_factory.mktemp("made")
    exported(make_study(folder / "study"), folder / "study.tar")
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Iterator[Study]:
    """Return the study, opened."""
    shutil.copytree(made / "study", tmp_path / "study")
    opened = Study.open(tmp_path / "study")
    yield opened
    opened.registry.close()


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    """Return the archive."""
    return Path(shutil.copy(made / "study.tar", tmp_path))
