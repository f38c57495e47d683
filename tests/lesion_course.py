"""One subject at three time points, small enough for a journey: one lesion goes, another comes."""

import json
from pathlib import Path

import numpy as np

from lesionary.app.pipeline import run_until
from lesionary.app.study import Study
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.nifti import write_nifti
from small_scans import AFFINE, SHAPE, blobs

PATTERN = "{subject}/{timepoint}/{reader}_*.nii.gz"
HERE, THERE, ELSEWHERE = (8, 14, 15), (15, 26, 30), (16, 10, 32)
LABELS = {ELSEWHERE: "m,lung"}
COURSE = {
    0: {HERE: 9.0, THERE: 12.0},
    1: {HERE: 7.5, THERE: 13.5},
    2: {HERE: 6.0, ELSEWHERE: 7.5},
}
"""Radii in mm by centre: the second lesion vanishes, a third comes."""


def write_course(folder: Path, course=COURSE) -> Path:
    """Write one subject's scans with the masks that go with them."""
    geometry = Geometry(SHAPE, AFFINE)
    for timepoint, balls in course.items():
        visit = folder / "p0" / str(timepoint)
        visit.mkdir(parents=True)
        truth = blobs(tuple(balls), tuple(balls.values()))
        rng = np.random.default_rng(7)
        array = np.where(truth > 0, 60, -20) + rng.normal(0, 12, SHAPE)
        volume = Volume(np.round(array).astype(np.int16), geometry, "CT", Quantity.HU)
        write_nifti(visit / "ct_image.nii.gz", volume)
        write_nifti(visit / "anna_mask.nii.gz", LabelMap(truth, geometry))
        texts = {str(n): LABELS.get(at, "m,liver") for n, at in enumerate(balls, start=1)}
        (visit / "anna_mask.json").write_text(json.dumps(texts))
    return folder


def make_study(command, folder: Path, url: str | None = None) -> Path:
    """Take the course in, and run up to responses."""
    path = folder / "study"
    command("new", path, *(("--registry", url) if url else ()))
    write_course(folder / "scans")
    code, took = command("ingest", path, folder / "scans", "--reader-from", PATTERN)
    assert code == 0, took["left_out"]
    judged(path)
    return path


def judged(path: Path) -> dict:
    """Run up to responses; return what is said of the subject."""
    run_until(Study.open(path), "respond")
    (unit,) = Study.open(path).registry.units("respond").values()
    assert unit.state == "done", unit.reason
    return unit.output
