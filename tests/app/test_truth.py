import pytest

from lesionary import Study
from lesionary.app.truth import TruthFolder, compare_with_truth, write_truth_report
from lesionary.io.nifti import write_nifti
from small_scans import scan, write_scans


@pytest.fixture
def study(tmp_path):
    made = Study.create(tmp_path / "study")
    made.ingest([write_scans(tmp_path / "scans", 1)])
    made.run()
    yield made
    made.registry.close()


@pytest.fixture
def truth(tmp_path):
    folder = tmp_path / "truth"
    folder.mkdir()
    write_nifti(folder / "p0.nii.gz", scan(0)[1])
    return TruthFolder(folder)


def test_every_true_tumour_is_held_against_the_lesion_on_it(study, truth, tmp_path):
    (series,) = study.registry.all_series()
    rows = compare_with_truth(study, truth, {series["source"]: "p0"})
    assert sorted(row.lesion for row in rows) == [1, 2]
    assert all(row.dice > 0.85 for row in rows)
    before = {path: path.read_bytes() for path in study.files.release.rglob("*.html")}
    write_truth_report(study, rows, tmp_path / "truth.html")
    assert "Against the truth" in (tmp_path / "truth.html").read_text()
    assert {path: path.read_bytes() for path in study.files.release.rglob("*.html")} == before


def test_a_series_without_a_truth_is_left_alone(study, truth):
    assert compare_with_truth(study, truth, {}) == []
