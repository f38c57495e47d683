import numpy as np
import pytest

from lesionary.core.volume import Quantity
from lesionary.phantoms.ct import CtSpec
from lesionary.phantoms.petct import PetCtSpec, TracerDose, fdg_petct
from lesionary.phantoms.scenario import LesionPlan

SMALL = PetCtSpec(
    ct=CtSpec(
        shape=(50, 72, 72),
        spacing_mm=(7.0, 5.4, 5.4),
        days=(0,),
        lesions=LesionPlan({"m,lung": 1, "m,liver": 1}, smallest_mm=26),
    )
)


@pytest.fixture(scope="module")
def scan():
    return fdg_petct(SMALL, seed=4)


def test_the_same_seed_gives_the_same_bytes(scan):
    again = fdg_petct(SMALL, seed=4)
    assert scan.pet.array.tobytes() == again.pet.array.tobytes()
    assert scan.ct.volume.array.tobytes() == again.ct.volume.array.tobytes()
    assert scan.uptake_suv == again.uptake_suv


def test_the_pet_lies_in_the_field_of_the_ct_on_cubic_voxels(scan):
    assert scan.pet.geometry.spacing_mm == pytest.approx((4.0, 4.0, 4.0))
    ct, pet = scan.ct.volume.geometry.corners_mm(), scan.pet.geometry.corners_mm()
    margin = 4.0
    assert (pet.min(axis=0) > ct.min(axis=0) - margin).all()
    assert (pet.max(axis=0) < ct.max(axis=0) + margin).all()


def test_the_dose_turns_activity_into_suv(scan):
    assert scan.pet.quantity is Quantity.BQML
    suv = scan.pet.array * scan.dose.suv_factor
    for lesion, peak in zip(scan.lesions, scan.uptake_suv, strict=True):
        assert 4 <= peak <= 15
        measured = np.percentile(suv[scan.truth.array == lesion.value], 95)
        assert 0.6 * peak < measured < 1.3 * peak
    assert 0.0 <= np.percentile(suv, 20) < 0.3


def test_the_liver_has_twice_the_mean_uptake(scan):
    suv = scan.pet.array * scan.dose.suv_factor
    k, j, i = np.round(scan.pet.geometry.to_index(np.array([-80.0, 0.0, -40.0]))).astype(int)
    around = suv[k - 3 : k + 4, j - 5 : j + 6, i - 5 : i + 6]
    assert np.median(around) == pytest.approx(2.1, abs=0.25)


def test_both_truths_hold_the_same_volumes(scan):
    for lesion in scan.lesions:
        counted_ml = float((scan.truth.array == lesion.value).sum()) * 0.064
        assert counted_ml == pytest.approx(lesion.volume_ml, rel=0.1)
    assert [les.track for les in scan.lesions] == [les.track for les in scan.ct.lesions]


def test_the_suv_factor_follows_the_decay():
    dose = TracerDose(total_bq=400e6, weight_kg=80.0, delay_s=6586.2)
    assert dose.suv_factor == pytest.approx(80_000 / 200e6)
