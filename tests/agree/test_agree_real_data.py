"""Four radiologists over forty lung nodules (LIDC): every figure recomputed in the plain way."""

import json
from itertools import combinations

import numpy as np
import pytest
from skimage.draw import polygon
from statsmodels.stats import inter_rater

from lesionary.agree.agreement import agreement
from lesionary.agree.metrics import Resampling
from lesionary.agree.summary import summarise
from lesionary.core.cases import CaseKey
from lesionary.core.volume import Geometry, LabelMap

MARGIN = 4


def masks_of(nodule):
    """Fill each reader's outlines on a box around all of them, outline voxels included."""
    places = nodule["slice_z"]
    points = [
        (places.index(min(places, key=lambda z: abs(z - outline["z"]))), outline)
        for reader in nodule["raters"]
        for outline in reader["contours"]
    ]
    xy = np.concatenate([outline["xy"] for _, outline in points])
    low, high = xy.min(axis=0) - MARGIN, xy.max(axis=0) + MARGIN + 1
    slices = [k for k, _ in points]
    first = max(min(slices) - MARGIN, 0)
    shape = (max(slices) + MARGIN + 1 - first, high[1] - low[1], high[0] - low[0])
    masks = []
    for reader in nodule["raters"]:
        array = np.zeros(shape, dtype=np.uint16)
        for outline in sorted(reader["contours"], key=lambda o: not o["inclusion"]):
            z = min(places, key=lambda z: abs(z - outline["z"]))
            x, y = (np.array(outline["xy"]) - low).T
            rows, columns = polygon(y, x, shape[1:])
            array[places.index(z) - first, rows, columns] = int(outline["inclusion"])
        masks.append(array)
    spacing_mm = [nodule["slice_thickness"], nodule["pixel_spacing"], nodule["pixel_spacing"]]
    grid = Geometry(shape, np.diag([*spacing_mm, 1.0]))
    return [LabelMap(array, grid) for array in masks]


@pytest.fixture(scope="module")
def nodules(shared_data):
    path = shared_data / "lidc_multirater" / "lidc_40_nodules_4raters.json"
    listed = json.loads(path.read_text())
    return [(nodule["patient_id"], masks_of(nodule)) for nodule in listed]


@pytest.mark.real_data
def test_forty_nodules_agree_as_recomputed_voxel_by_voxel(nodules):
    assert len(nodules) == 40
    for _, masks in nodules:
        found = agreement(masks, list("1234"))
        drawings = np.stack([mask.array.ravel() > 0 for mask in masks])
        counts, _ = inter_rater.aggregate_raters(drawings.T.astype(int))
        assert found.foreground.kappa.value == pytest.approx(
            inter_rater.fleiss_kappa(counts), abs=1e-9
        )
        for a, b in combinations(range(4), 2):
            both, total = np.sum(drawings[a] & drawings[b]), drawings[[a, b]].sum()
            assert found.foreground.dice[a, b] == 2 * both / total
        ml = drawings.sum(axis=1) * masks[0].geometry.voxel_volume_mm3 / 1000
        assert found.foreground.volumes.rmse_ml == pytest.approx(ml.std(), abs=1e-12)
        assert sum(t.scores.patterns.n_drawn for t in found.tumours) == drawings.any(axis=0).sum()


@pytest.mark.real_data
def test_forty_nodules_in_one_summary(nodules):
    cases = [
        (CaseKey("", patient, patient), agreement(masks, list("1234")))
        for patient, masks in nodules
    ]
    found = summarise(cases, Resampling(n_resamples=200))
    (counts,) = found.counts
    assert (counts["n_cases"], counts["n_subjects"]) == (40, 40)
    assert counts["n_tumours"] == len(found.tumours) >= 40
    assert len(found.pairs) == 6 * len(found.tumours)
    (kappa,) = (r for r in found.summary if r["metric"] == "fleiss_kappa" and r["level"] == "case")
    assert 0.7 < kappa["mean_low"] < kappa["mean"] < kappa["mean_high"] < 0.95
    assert (kappa["n"], kappa["n_undefined"]) == (40, 0)
    (volume,) = (r for r in found.icc if r["level"] == "case")
    assert volume["agreement"] > 0.9
