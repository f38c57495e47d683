"""FDG PET/CT: two images of one patient in one space, with the dose that explains them.

The field reaches from the shoulders to the kidneys, so the brain and the bladder, bright in
FDG, are not in it; heart muscle, kidneys and renal pelvis are.
"""

from dataclasses import dataclass, field

import numpy as np

from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.phantoms.anatomy import paint_suv
from lesionary.phantoms.canvas import Canvas
from lesionary.phantoms.ct import CtSpec, PhantomScan, plan_patient, scan_ct
from lesionary.phantoms.noise import Float32Array
from lesionary.phantoms.tumours import PhantomLesion, paint_uptake, truth_of


@dataclass(frozen=True, slots=True)
class TracerDose:
    """What was injected, and when.

    Parameters
    ----------
    total_bq : float
        Activity at injection.
    weight_kg : float
        Body weight.
    delay_s : float
        From injection to the start of the scan.
    half_life_s : float
        Of the radionuclide; fluorine-18 has 6586.2 s.
    """

    total_bq: float = 350e6
    weight_kg: float = 74.0
    delay_s: float = 3720.0
    half_life_s: float = 6586.2

    @property
    def suv_factor(self) -> float:
        """``SUVbw = Bq/ml × factor``, for images that are decay-corrected to the scan's start."""
        left_bq = self.total_bq * 2.0 ** (-self.delay_s / self.half_life_s)
        out: float = self.weight_kg * 1000.0 / left_bq
        return out


@dataclass(frozen=True, slots=True)
class PetCtSpec:
    """What to scan.

    Parameters
    ----------
    ct : CtSpec
        The CT; only its first day is scanned.
    voxel_mm : float
        Edge of the PET's cubic voxels.
    resolution_mm : float
        Full width at half maximum of the point spread.
    noise : float
        Standard deviation at SUV 1, before the grain is smoothed to the resolution; it grows with
        the root of the uptake.
    uptake_suv : tuple of float
        Range of the tumours' uptake before blur.
    dose : TracerDose
        What was injected.
    """

    ct: CtSpec = field(default_factory=CtSpec)
    voxel_mm: float = 4.0
    resolution_mm: float = 5.5
    noise: float = 0.09
    uptake_suv: tuple[float, float] = (4.0, 15.0)
    dose: TracerDose = field(default_factory=TracerDose)


@dataclass(frozen=True, slots=True, eq=False)
class PetCtScan:
    """A PET/CT and the truth about it.

    Parameters
    ----------
    ct : PhantomScan
        The CT with its truth.
    pet : Volume
        In Bq/ml, float32.
    truth : LabelMap
        The tumours on the PET's grid.
    lesions : tuple of PhantomLesion
        Those of ``truth``.
    uptake_suv : tuple of float
        Their uptake before blur and noise, by lesion.
    dose : TracerDose
        ``pet × dose.suv_factor`` is SUVbw.
    """

    ct: PhantomScan
    pet: Volume
    truth: LabelMap
    lesions: tuple[PhantomLesion, ...]
    uptake_suv: tuple[float, ...]
    dose: TracerDose


def fdg_petct(spec: PetCtSpec, seed: int) -> PetCtScan:
    """Scan a made-up patient once in a PET/CT. The same seed gives the same bytes.

    Raises
    ------
    InputError
        As :func:`lesionary.phantoms.ct.thorax_abdomen` does.
    """
    plan = plan_patient(spec.ct, seed)
    ct, _ = scan_ct(spec.ct, plan, 0)
    rng = np.random.default_rng(plan.seeds[0].spawn(1)[0])
    pieces, pose = plan.pieces[0], plan.poses[0]
    uptake = [float(suv) for suv in rng.uniform(*spec.uptake_suv, len(pieces))]
    geometry = _pet_grid(spec)
    canvas = Canvas(geometry, pose, plan.anatomy.warp, 0.0)
    paint_suv(canvas, plan.anatomy.parts)
    paint_uptake(canvas, pieces, uptake)
    suv = _image(canvas.values, spec, rng)
    truth, found = truth_of(geometry, pose, pieces)
    seen = [pieces.index(piece) for _, piece in found]
    array = (suv / spec.dose.suv_factor).astype(np.float32)
    return PetCtScan(
        ct=ct,
        pet=Volume(array, geometry, "PT", Quantity.BQML),
        truth=truth,
        lesions=tuple(lesion for lesion, _ in found),
        uptake_suv=tuple(uptake[n] for n in seen),
        dose=spec.dose,
    )


def _pet_grid(spec: PetCtSpec) -> Geometry:
    """Cubic voxels over the field of the CT."""
    ct = spec.ct.geometry()
    low = ct.corners_mm().min(axis=0) - np.array(ct.spacing_mm)[::-1] / 2
    high = ct.corners_mm().max(axis=0) + np.array(ct.spacing_mm)[::-1] / 2
    n = np.maximum(np.floor((high - low) / spec.voxel_mm).astype(int), 2)
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = spec.voxel_mm
    affine[:3, 3] = (low + high) / 2 - (n - 1) / 2 * spec.voxel_mm
    affine[3, 3] = 1.0
    return Geometry((int(n[2]), int(n[1]), int(n[0])), affine)


def _image(suv: Float32Array, spec: PetCtSpec, rng: np.random.Generator) -> Float32Array:
    """Blur by the point spread and add counting noise of the same grain."""
    from scipy.ndimage import gaussian_filter

    sigma = spec.resolution_mm / np.sqrt(8 * np.log(2)) / spec.voxel_mm
    blurred = gaussian_filter(suv, sigma)
    grain = gaussian_filter(rng.standard_normal(suv.shape, dtype=np.float32), sigma * 0.7)
    grain *= np.float32(1 / max(float(grain.std()), 1e-6))
    noisy: Float32Array = blurred + np.float32(spec.noise) * np.sqrt(blurred + 0.02) * grain
    return np.maximum(noisy, 0, out=noisy)
