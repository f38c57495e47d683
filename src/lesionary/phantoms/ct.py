"""CT of chest and belly with tumours of known truth, over several time points.

>>> from lesionary.phantoms.ct import CtSpec, thorax_abdomen
>>> scenario = thorax_abdomen(CtSpec(shape=(24, 48, 48), spacing_mm=(14.0, 8.0, 8.0)), seed=1)
>>> scenario.timepoints[0].volume.modality
'CT'
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import FloatArray, Geometry, LabelMap, Quantity, Volume
from lesionary.phantoms.anatomy import Anatomy, draw_anatomy, paint_hu
from lesionary.phantoms.canvas import Canvas, Pose
from lesionary.phantoms.noise import (
    Float32Array,
    ct_noise,
    random_directions,
    random_rotation,
    rotation_about,
)
from lesionary.phantoms.scenario import LesionPlan, Link, Piece, link, plan_lesions
from lesionary.phantoms.tumours import PhantomLesion, paint_tumours, truth_of

AIR_HU = -1000.0
OUTSIDE_HU = -1024
"""What the scanner writes outside the circle it reconstructs."""

_PLAN = LesionPlan(
    {"t,lung": 1, "m,lung": 4, "m,liver": 4, "n,mediastinum": 1, "n,retroperitoneal": 1}
)


@dataclass(frozen=True, slots=True)
class Slices:
    """Another stack of slices than the first scan's.

    Parameters
    ----------
    n : int
        How many.
    spacing_mm : float
        From one to the next.
    bottom_mm : float
        Height of the lowest.
    """

    n: int
    spacing_mm: float
    bottom_mm: float


@dataclass(frozen=True, slots=True)
class CtSpec:
    """What to scan.

    Parameters
    ----------
    shape : tuple of int
        Slices, rows, columns. The body is some 350 × 240 mm in the plane.
    spacing_mm : tuple of float
        Along ``(k, j, i)``.
    bottom_mm : float
        Height of the lowest slice; the diaphragm is at 0, the lungs end near 205.
    days : sequence of int
        Days of the scans since the first.
    lesions : LesionPlan
        Tumours to grow.
    noise_hu : float
        Standard deviation of the noise in the middle of the belly.
    has_table : bool
        Whether the couch is seen.
    motion_mm, motion_degrees : float
        How differently the patient may lie at each follow-up.
    is_full_motion : bool
        Move by exactly that much each time, in a random direction and about a random axis.
    other_slices : mapping of int to Slices
        By number of the time point, where it has other slices than the rest. Tumours are placed
        where ``shape``, ``spacing_mm`` and ``bottom_mm`` reach, whatever the others show.
    """

    shape: tuple[int, int, int] = (64, 128, 128)
    spacing_mm: tuple[float, float, float] = (5.5, 3.0, 3.0)
    bottom_mm: float = -165.0
    days: Sequence[int] = (0, 56, 112)
    lesions: LesionPlan = _PLAN
    noise_hu: float = 11.0
    has_table: bool = True
    motion_mm: float = 7.0
    motion_degrees: float = 2.5
    is_full_motion: bool = False
    other_slices: Mapping[int, Slices] = field(default_factory=dict)

    def geometry(self, t: int = 0) -> Geometry:
        """Return the scanner's grid at time point ``t``: axial, supine, lowest slice first."""
        dk, dj, di = self.spacing_mm
        n, bottom_mm = self.shape[0], self.bottom_mm
        if t in self.other_slices:
            other = self.other_slices[t]
            n, dk, bottom_mm = other.n, other.spacing_mm, other.bottom_mm
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = dk, dj, di, 1.0
        rows, columns = self.shape[1:]
        affine[:3, 3] = (-(columns - 1) / 2 * di, -(rows - 1) / 2 * dj + 8.0, bottom_mm)
        return Geometry((n, rows, columns), affine)


@dataclass(frozen=True, slots=True, eq=False)
class PhantomScan:
    """One scan and the truth about it.

    Parameters
    ----------
    volume : Volume
        CT in HU, int16.
    truth : LabelMap
        One value a tumour; a voxel belongs to it where its centre lies inside the shape.
    lesions : tuple of PhantomLesion
        By value.
    day : int
        Days since the first scan.
    pose : Pose
        How the patient lay.
    """

    volume: Volume
    truth: LabelMap
    lesions: tuple[PhantomLesion, ...]
    day: int
    pose: Pose = field(default_factory=Pose)


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One patient over time.

    Parameters
    ----------
    timepoints : tuple of PhantomScan
        In order of days.
    links : tuple of Link
        Which tumour became which.
    """

    timepoints: tuple[PhantomScan, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PatientPlan:
    """A person with tumours over time, before any scan: shared by CT and PET."""

    anatomy: Anatomy
    pieces: tuple[tuple[Piece, ...], ...]
    poses: tuple[Pose, ...]
    seeds: tuple[np.random.SeedSequence, ...]


def thorax_abdomen(spec: CtSpec, seed: int) -> Scenario:
    """Scan a made-up patient at each time point of ``spec``.

    The same seed gives the same bytes. A tumour too small to hold a voxel centre is not seen: it
    is in neither truth nor list at that time point.

    Raises
    ------
    InputError
        If the grid is too small for a trunk, or has no room for the tumours.
    """
    plan = plan_patient(spec, seed)
    scans = [scan_ct(spec, plan, t) for t in range(len(spec.days))]
    seen = [{lesion.value: piece for lesion, piece in found} for _, found in scans]
    return Scenario(tuple(scan for scan, _ in scans), link(seen))


def plan_patient(spec: CtSpec, seed: int) -> PatientPlan:
    """Draw the person, the tumours and how the patient lies each time."""
    if min(spec.shape) < 8 or not spec.days:
        raise InputError(f"a phantom needs 8 voxels along each axis and a day, not {spec.shape}")
    body, tumours, motion, *scans = np.random.SeedSequence(seed).spawn(3 + len(spec.days))
    anatomy = draw_anatomy(body)
    top = spec.bottom_mm + (spec.shape[0] - 1) * spec.spacing_mm[0]
    slack = 2 * spec.spacing_mm[0] + spec.motion_mm
    height = (spec.bottom_mm + slack, top - slack)
    rng = np.random.default_rng(tumours)
    pieces = plan_lesions(anatomy, spec.lesions, len(spec.days), height, rng)
    moves = np.random.default_rng(motion)
    poses = [Pose(), *(_draw_pose(spec, moves) for _ in spec.days[1:])]
    return PatientPlan(anatomy, pieces, tuple(poses), tuple(scans))


def scan_ct(
    spec: CtSpec, plan: PatientPlan, t: int
) -> tuple[PhantomScan, list[tuple[PhantomLesion, Piece]]]:
    """Scan time point ``t``; also tell which piece each tumour in the truth is."""
    geometry, pose = spec.geometry(t), plan.poses[t]
    canvas = Canvas(geometry, pose, plan.anatomy.warp, AIR_HU)
    rng = np.random.default_rng(plan.seeds[t])
    paint_hu(canvas, plan.anatomy.parts)
    paint_tumours(canvas, plan.pieces[t])
    truth, found = truth_of(geometry, pose, plan.pieces[t])
    if spec.has_table:
        _paint_table(canvas, float(plan.anatomy.warp.scale[1]))
    _add_noise(canvas.values, geometry, spec.noise_hu, rng)
    _cut_circle(canvas.values, geometry)
    volume = Volume(_to_int16(canvas.values), geometry, "CT", Quantity.HU)
    lesions = tuple(lesion for lesion, _ in found)
    return PhantomScan(volume, truth, lesions, spec.days[t], pose), found


def _draw_pose(spec: CtSpec, rng: np.random.Generator) -> Pose:
    if spec.is_full_motion:
        return Pose(
            rotation_about(random_directions(rng, 1)[0], spec.motion_degrees),
            random_directions(rng, 1)[0] * spec.motion_mm,
        )
    shift = random_directions(rng, 1)[0] * rng.uniform(0.3, 1.0) * spec.motion_mm
    return Pose(random_rotation(rng, spec.motion_degrees), shift)


def _plane(geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """Coordinates x, y of an axial slice, as a row and a column."""
    _, rows, columns = geometry.shape
    x = geometry.affine[0, 3] + geometry.affine[0, 2] * np.arange(columns)
    y = geometry.affine[1, 3] + geometry.affine[1, 1] * np.arange(rows)
    return x[None, :], y[:, None]


def _paint_table(canvas: Canvas, depth_scale: float) -> None:
    """Paint a carbon-fibre cradle filled with foam, a little below the back."""
    x, y = _plane(canvas.geometry)
    edge = 1.3 * canvas.geometry.spacing_mm[1]
    below = y - (122 * depth_scale + 5 - 42 * (x / 230) ** 2)
    width = np.clip((200 - np.abs(x)) / edge + 0.5, 0, 1)
    cradle = np.full(below.shape, AIR_HU)
    covered = np.zeros(below.shape)
    for top, thick, value in ((-9.0, 9.0, -925.0), (0.0, 30.0, -240.0), (1.8, 26.4, -960.0)):
        share = np.clip((below - top) / edge + 0.5, 0, 1)
        share = share * np.clip((top + thick - below) / edge + 0.5, 0, 1) * width
        cradle += share * (value - cradle)
        covered = np.maximum(covered, share)
    rows = np.flatnonzero(covered.any(axis=1))
    if len(rows):
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        view = canvas.values[:, part]
        free = np.clip((-850 - view) / 100, 0, 1)  # the couch never covers the patient
        view += free * covered[part].astype(np.float32) * (cradle[part].astype(np.float32) - view)


def _add_noise(
    values: Float32Array, geometry: Geometry, noise_hu: float, rng: np.random.Generator
) -> None:
    """Add grain slice by slice: more where more is to be shone through, most in the middle."""
    dk, dj, di = geometry.spacing_mm
    x, y = _plane(geometry)
    falloff = np.clip(1.12 - 0.40 * (x**2 + (y - 5) ** 2) / 190**2, 0.45, None).astype(np.float32)
    kept = np.exp(-dk / 1.5)  # thin slices share photons with their neighbours
    previous = ct_noise(rng, values.shape[1:], (dj, di))
    for k, plane in enumerate(values):
        mass = np.clip(plane[::2, ::2] + 1000, 0, 2200) / 1000
        thickness_mm = 2 * np.sqrt(float(mass.sum()) * 4 * dj * di / np.pi)
        widest_mm = float(mass.sum(axis=1).max()) * 2 * di
        level = noise_hu * np.exp(0.007 * (thickness_mm - 225))
        streaks = float(np.clip((widest_mm - 320) / 30, 0, 4))
        grain = ct_noise(rng, values.shape[1:], (dj, di), streaks=streaks)
        previous = np.float32(kept) * previous + np.float32(np.sqrt(1 - kept**2)) * grain
        values[k] += np.float32(level) * falloff * previous


def _cut_circle(values: Float32Array, geometry: Geometry) -> None:
    x, y = _plane(geometry)
    middle = geometry.affine[1, 3] + geometry.affine[1, 1] * (geometry.shape[1] - 1) / 2
    radius = (
        min(geometry.shape[1] * geometry.spacing_mm[1], geometry.shape[2] * geometry.spacing_mm[2])
        / 2
    )
    values[:, x**2 + (y - middle) ** 2 > radius**2] = OUTSIDE_HU


def _to_int16(values: Float32Array) -> np.ndarray:
    np.rint(values, out=values)
    np.clip(values, OUTSIDE_HU, 3071, out=values)
    return values.astype(np.int16)
