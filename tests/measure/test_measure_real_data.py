"""Measured against reference values of other groups, on real and standard images."""

import csv

import nibabel as nib
import numpy as np
import pytest

from lesionary.core.volume import Geometry, LabelMap, Volume
from lesionary.measure.lesions import MeasureOptions, measure_lesions

ALL = MeasureOptions(min_voxels=1)

pytestmark = pytest.mark.real_data


def read(path):
    """Return a NIfTI's array in (k, j, i) and its LPS geometry."""
    image = nib.load(path)
    array = np.ascontiguousarray(np.asanyarray(image.dataobj).T)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine @ np.eye(4)[:, [2, 1, 0, 3]]
    return array, Geometry(array.shape, affine)


def measured(image_path, mask_path, options=ALL):
    image, geometry = read(image_path)
    mask, _ = read(mask_path)
    volume = Volume(image, geometry, modality="CT")
    return measure_lesions(volume, LabelMap(mask.astype(np.uint16), geometry), options)


def reference(path, feature, case):
    with path.open(newline="") as file:
        [row] = [row for row in csv.DictReader(file) if row["featureName"] == feature]
    return float(row[case])


@pytest.mark.parametrize("case", ["lung1", "lung2"])
def test_lung_tumours_have_pyradiomics_volume_and_mean(shared_data, case):
    folder = shared_data / "pyradiomics_lung"
    found = measured(folder / f"{case}_image_crop.nii.gz", folder / f"{case}_label_crop.nii.gz")
    volume_mm3 = reference(folder / "baseline_shape.csv", "original_shape_VoxelVolume", case)
    mean = reference(folder / "baseline_firstorder.csv", "original_firstorder_Mean", case)
    rows = found.lesions
    assert sum(row.volume_ml for row in rows) * 1000 == pytest.approx(volume_mm3, rel=1e-6)
    voxels = sum(row.voxels for row in rows)
    total = sum(row.mean_intensity * row.voxels for row in rows)
    assert total / voxels == pytest.approx(mean, rel=1e-6)


def test_a_lung_tumour_has_pyradiomics_longest_diameter_in_a_slice(shared_data):
    """Its mesh has the edge midpoints of each slice among its corners, and here they decide.

    In the other tumour the longest lies between corners half way to the next slice.
    """
    folder = shared_data / "pyradiomics_lung"
    found = measured(folder / "lung2_image_crop.nii.gz", folder / "lung2_label_crop.nii.gz")
    expected = reference(
        folder / "baseline_shape.csv", "original_shape_Maximum2DDiameterSlice", "lung2"
    )
    assert found.lesions[0].diameter_mm == pytest.approx(expected, rel=1e-6)


def test_the_ibsi_phantom_has_its_consensus_volume_and_mean(shared_data):
    folder = shared_data / "ibsi_digital" / "nifti"
    found = measured(folder / "image" / "phantom.nii.gz", folder / "mask" / "mask.nii.gz")
    [row] = found.lesions
    assert row.volume_ml == pytest.approx(0.592)
    assert row.mean_intensity == pytest.approx(2.15, abs=0.005)
