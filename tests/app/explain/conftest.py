"""Small published studies: drafts from boxes, two readers against a model, and two over time."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from lesionary.app.ingest import IngestOptions
from lesionary.app.study import Study
from lesionary.core.volume import LabelMap
from lesionary.io.nifti import write_nifti
from small_scans import scan, write_scans
from three_visits import READER_FROM, write_visits

PATTERN = "{subject}/{subject}_{timepoint}_{reader}_mask.nii.gz"
CLEAN_UP = '\n[[annotate.clean_up]]\nrule = "intensity"\nlow_hu = 40\n'


@pytest.fixture(scope="session")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study whose lesions a segmenter drew from boxes; a rule takes dark voxels off."""
    folder = tmp_path_factory.mktemp("drafted")
    study = Study.create(folder / "study")
    _extend_protocol(study, CLEAN_UP)
    study = Study.open(folder / "study")
    scans = write_scans(folder / "in", 2)
    (scans / "empty_ct.nii.gz").touch()
    study.ingest([scans])
    study.run()
    study.registry.close()
    return folder / "study"


@pytest.fixture(scope="session")
def read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study that two readers and a model drew, of two subjects."""
    folder = tmp_path_factory.mktemp("read")
    for number in range(2):
        volume, truth = scan(number)
        place = folder / "in" / f"S{number}"
        place.mkdir(parents=True)
        write_nifti(place / f"S{number}_0_CT_image.nii.gz", volume)
        for shift, reader in enumerate(("anna", "ben", "model")):
            drawn = np.roll(truth.array > 0, shift, axis=2).astype(np.uint16)
            path = place / f"S{number}_0_{reader}_mask.nii.gz"
            write_nifti(path, LabelMap(drawn, truth.geometry))
    study = Study.create(folder / "study")
    text = study.files.protocol.read_text("utf-8")
    named = text.replace("predictions = []", 'predictions = ["model"]')
    study.files.protocol.write_text(named, encoding="utf-8")
    study = Study.open(folder / "study")
    study.ingest([folder / "in"], IngestOptions(reader_from=PATTERN))
    study.run()
    study.registry.close()
    return folder / "study"


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of a patient whom two readers saw three times."""
    folder = tmp_path_factory.mktemp("followed")
    visits = write_visits(folder / "in", readers=("anna", "ben"))
    study = Study.create(folder / "study")
    study.ingest([visits], IngestOptions(reader_from=READER_FROM))
    study.run()
    study.registry.close()
    return folder / "study"


@pytest.fixture
def copied_course(followed: Path, tmp_path: Path) -> Path:
    """Return a copy of the study over time, to be harmed."""
    shutil.copytree(followed, tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def copied(drafted: Path, tmp_path: Path) -> Path:
    """Return a copy of the drafted study, to be harmed."""
    shutil.copytree(drafted, tmp_path / "study")
    return tmp_path / "study"


def _extend_protocol(study: Study, text: str) -> None:
    with study.files.protocol.open("a", encoding="utf-8") as file:
        file.write(text)
