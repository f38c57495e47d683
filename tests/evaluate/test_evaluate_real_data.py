"""Real tumours: a drawing against a shrunken copy of itself, as the published package scores it."""

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from lesionary.core.volume import Geometry, LabelMap
from lesionary.evaluate.evaluation import evaluate

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning"),  # the package's
]


@pytest.mark.parametrize("place", range(0, 27, 9))
def test_real_tumours_score_as_the_published_package_says(shared_data, place):
    package = pytest.importorskip("surface_distance")
    file = sorted((shared_data / "sts_roi").glob("*_CT_mask.nii.gz"))[place]
    image = nibabel.load(file)
    drawn = np.asarray(image.dataobj) > 0
    spacing_mm = tuple(float(step) for step in image.header.get_zooms()[:3])
    shrunken = ndimage.binary_erosion(drawn, iterations=2)
    grid = Geometry(drawn.shape, np.diag([*spacing_mm, 1.0]))
    reference, prediction = (LabelMap(one.astype(np.uint16), grid) for one in (drawn, shrunken))
    document = evaluate(reference, prediction).to_json()
    (row,) = document["labels"]
    expected = package.compute_surface_distances(drawn, shrunken, spacing_mm)
    assert row["dsc"] == package.compute_dice_coefficient(drawn, shrunken)
    assert row["hd95_mm"] == pytest.approx(package.compute_robust_hausdorff(expected, 95), abs=5e-5)
    assert row["nsd"] == pytest.approx(
        package.compute_surface_dice_at_tolerance(expected, 2.0), abs=5e-5
    )
    assert row["volume_difference_ml"] < 0
    assert document["detection"]["reference_lesions"] == ndimage.label(drawn, np.ones((3, 3, 3)))[1]
