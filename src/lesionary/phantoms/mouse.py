"""Micro-CT of four mice in their beds, with tumours under the skin."""

from dataclasses import dataclass

import numpy as np

from lesionary.core.volume import FloatArray, Geometry, LabelMap, Quantity, Volume
from lesionary.phantoms.canvas import Canvas, Field, Points, Pose, Warp
from lesionary.phantoms.lesions import LesionShape, draw_lobe
from lesionary.phantoms.noise import Float32Array, SmoothNoise, ct_noise
from lesionary.phantoms.scenario import Piece
from lesionary.phantoms.shapes import (
    beyond,
    both,
    bounds_of,
    either,
    ellipsoid,
    interpolate,
    profiled,
    shell,
    shrunk,
)
from lesionary.phantoms.trees import along
from lesionary.phantoms.tumours import PhantomLesion, paint_tissue, truth_of

_FIELD_MM = (98.0, 88.0, 88.0)
_PITCH_MM = 42.0
_NAMES = ("M01", "M02", "M03", "M04")
_AIR_HU = -1000.0
_LABEL = "t,subcutaneous"

# z, half width, half depth, centre y: nose at the top, back towards -y, as mice lie prone
_BODY = (
    (-47, 0.5, 0.5, 2.0),
    (-42, 6.0, 5.0, 2.0),
    (-34, 11.0, 9.0, 1.0),
    (-18, 12.5, 10.5, 0.0),
    (0, 11.5, 10.0, 0.0),
    (14, 10.0, 9.5, 0.0),
    (23, 7.6, 7.6, 0.5),
    (32, 7.4, 7.8, 0.5),
    (40, 4.8, 5.4, 1.5),
    (46, 1.4, 1.6, 2.5),
)


@dataclass(frozen=True, slots=True)
class MouseSpec:
    """What to scan.

    Parameters
    ----------
    spacing_mm : float
        Edge of the cubic voxels; the published scans have 0.21.
    n_mice : int
        1 to 4, filling the beds row by row.
    n_tumours : tuple of int
        Of each mouse: 0, 1 or 2, one on each flank.
    smallest_mm, largest_mm : float
        Diameters of the tumours.
    noise_hu : float
        Standard deviation of the noise.
    """

    spacing_mm: float = 0.84
    n_mice: int = 4
    n_tumours: tuple[int, ...] = (1, 2, 1, 2)
    smallest_mm: float = 6.0
    largest_mm: float = 12.0
    noise_hu: float = 45.0

    def geometry(self) -> Geometry:
        """Return the scanner's grid over all beds."""
        shape = [round(extent / self.spacing_mm) for extent in _FIELD_MM]
        affine = np.zeros((4, 4))
        affine[2, 0] = affine[1, 1] = affine[0, 2] = self.spacing_mm
        affine[:3, 3] = [-(n - 1) / 2 * self.spacing_mm for n in reversed(shape)]
        affine[3, 3] = 1.0
        return Geometry((shape[0], shape[1], shape[2]), affine)


@dataclass(frozen=True, slots=True, eq=False)
class PhantomMouse:
    """One animal: its name, its middle in mm, and its tumours by value."""

    name: str
    centre_mm: FloatArray
    lesions: tuple[PhantomLesion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MouseScan:
    """A scan of several mice and the truth about it.

    Parameters
    ----------
    volume : Volume
        CT in HU, int16.
    truth : LabelMap
        All tumours; no value occurs in two animals.
    mice : tuple of PhantomMouse
        Row by row.
    """

    volume: Volume
    truth: LabelMap
    mice: tuple[PhantomMouse, ...]

    def truth_of(self, mouse: PhantomMouse) -> LabelMap:
        """Return the tumours of one animal, on the whole scan's grid."""
        values = [lesion.value for lesion in mouse.lesions]
        array = np.where(np.isin(self.truth.array, values), self.truth.array, np.uint16(0))
        return LabelMap(array, self.truth.geometry, {v: self.truth.labels[v] for v in values})


def mouse_scan(spec: MouseSpec, seed: int) -> MouseScan:
    """Scan made-up mice. The same seed gives the same bytes."""
    geometry = spec.geometry()
    canvas = Canvas(geometry, Pose(), _no_warp(), _AIR_HU)
    noise_seed, *seeds = np.random.SeedSequence(seed).spawn(1 + spec.n_mice)
    pieces: list[Piece] = []
    centres = []
    for number, own in enumerate(seeds):
        rng = np.random.default_rng(own)
        centre = np.array([(number % 2 - 0.5), (number // 2 - 0.5), 0.0]) * _PITCH_MM
        pose = Pose(shift_mm=centre + rng.uniform(-1.5, 1.5, 3))
        animal = canvas.seen_by(pose, _draw_warp(rng))
        _paint_bed(canvas.seen_by(Pose(shift_mm=centre), _no_warp()))
        _paint_mouse(animal, rng)
        grown = _grow_tumours(animal, spec, number, rng)
        paint_tissue(animal, grown, skin_mm=0.5)
        pieces += [_in_scanner(piece, pose) for piece in grown]
        centres.append(pose.shift_mm)
    truth, found = truth_of(geometry, Pose(), pieces)
    _finish(canvas.values, spec, np.random.default_rng(noise_seed))
    mice = [
        PhantomMouse(name, centre, tuple(les for les, _ in found if les.track.startswith(name)))
        for name, centre in zip(_NAMES, centres, strict=False)
    ]
    volume = Volume(canvas.values.astype(np.int16), geometry, "CT", Quantity.HU)
    return MouseScan(volume, truth, tuple(mice))


def _no_warp() -> Warp:
    still = SmoothNoise(np.zeros((1, 3)), np.zeros(1), np.zeros((1, 3)))
    return Warp(still, np.ones(3))


def _draw_warp(rng: np.random.Generator) -> Warp:
    bend = SmoothNoise.draw(rng, 30, 0.5, n_components=3, n_waves=12)
    return Warp(bend, rng.uniform(0.92, 1.05, 3))


def _in_scanner(piece: Piece, pose: Pose) -> Piece:
    return Piece(piece.tracks, piece.part, piece.lineage, piece.label, piece.shape.posed(pose))


def _finish(values: Float32Array, spec: MouseSpec, rng: np.random.Generator) -> None:
    for k in range(len(values)):
        grain = ct_noise(rng, (values.shape[1], values.shape[2]), (1.4, 1.4))
        values[k] += np.float32(spec.noise_hu) * grain
    np.rint(values, out=values)
    np.clip(values, -1024, 3071, out=values)


def _paint_bed(canvas: Canvas) -> None:
    """Paint a half-pipe of plastic below the animal."""
    pipe = both(
        shell(ellipsoid((0, 0, 0), (17.5, 13.5, 900), power=2.6), 1.3),
        beyond((0, 1, 0), (0, 5.0, 0)),
    )
    canvas.paint(pipe, 60.0, bounds=((-19, 19), (0, 19), (-50, 50)), step_mm=0.5)


def _paint_mouse(canvas: Canvas, rng: np.random.Generator) -> None:
    """Skin, fat, flesh, organs and bones."""
    body = profiled(_BODY)
    mottle = SmoothNoise.draw(rng, 4.5, 22.0)
    depot = SmoothNoise.draw(rng, 9.0, 1.0)

    def flesh_hu(p: Points) -> Float32Array:
        fat = np.clip(2.0 * p.noise(depot) - np.float32(1.0), 0, 1)
        out: Float32Array = (
            np.float32(48) + p.noise(mottle) * np.float32(0.5) - np.float32(150) * fat
        )
        return out

    def belly_hu(p: Points) -> Float32Array:
        return np.float32(30) + p.noise(mottle) * np.float32(1.8)

    canvas.paint(body, 20.0, step_mm=1.2)
    canvas.paint(shrunk(body, 0.6), -90.0, step_mm=1.2)
    canvas.paint(shrunk(body, 1.2), flesh_hu, step_mm=1.2)
    chest, belly = ((-10, 10), (-10, 10), (-2, 24)), ((-12, 12), (-10, 11), (-42, 4))
    lungs = both(ellipsoid((0, -0.4, 10), (7.6, 7.0, 10.5)), shrunk(body, 2.2))
    canvas.paint(lungs, -480.0, bounds=chest, step_mm=0.8)
    canvas.paint(ellipsoid((0.6, 1.8, 9), (3.4, 3.6, 4.6)), 62.0, bounds=chest, step_mm=0.8)
    guts = both(ellipsoid((0, 1.4, -22), (9.6, 7.6, 16)), shrunk(body, 2.0))
    canvas.paint(guts, belly_hu, bounds=belly, step_mm=0.9)
    liver = both(ellipsoid((0, 1, -5), (9.2, 7.6, 6.2)), shrunk(body, 2.0))
    canvas.paint(liver, 64.0, bounds=belly, step_mm=0.8)
    kidneys = either(*(ellipsoid((s * 5.4, -4.6, -14), (2.4, 2.2, 4.4)) for s in (-1.0, 1.0)))
    canvas.paint(kidneys, 72.0, bounds=belly, step_mm=0.6)
    _paint_bones(canvas)


def _spine(p: Points) -> Float32Array:
    """Vertebrae along the back, with gaps between them."""
    height = interpolate(
        p.z,
        np.array([-46.0, -30.0, -10.0, 10.0, 25.0]),
        np.array([-0.5, -4.6, -5.6, -6.2, -3.2]),
    )
    around = 1.5 - np.sqrt(np.square(p.x) + np.square(p.y - height))
    level = p.z / np.float32(3.4)
    gap = (np.abs(level - np.floor(level) - np.float32(0.5)) - np.float32(0.43)) * np.float32(3.4)
    out: Float32Array = np.minimum(np.minimum(around, -gap), 25 - np.abs(p.z + 21))
    return out


def _paint_bones(canvas: Canvas) -> None:
    spine: Field = _spine
    canvas.paint(spine, 760.0, bounds=((-3, 3), (-9, 3), (-48, 28)), step_mm=0.5)
    skull = ellipsoid((0, -0.6, 33), (5.2, 5.0, 9.0))
    box = bounds_of((0, 0, 33), (7, 7, 11))
    canvas.paint(shell(skull, 0.7), 820.0, bounds=box, step_mm=0.5)
    canvas.paint(shrunk(skull, 0.7), 45.0, bounds=box, step_mm=0.5)
    for side in (-1.0, 1.0):
        for number in range(10):
            angles = np.deg2rad(np.linspace(12, 150, 14))
            x = side * 8.3 * np.sin(angles) * (1 - 0.025 * number)
            rib = np.stack((x, -7.4 * np.cos(angles), 20 - 2.1 * number - 1.8 * angles), axis=1)
            _paint_bone(canvas, rib, 0.30)
        leg = np.array([(2.5, -3.5, -31), (7.5, 1.5, -27), (8.0, 5.5, -35), (7.0, 7.0, -42)])
        _paint_bone(canvas, leg * (side, 1, 1), 0.9)
        arm = np.array([(4.5, -3.0, 19), (7.2, 3.0, 16), (6.2, 6.0, 23)])
        _paint_bone(canvas, arm * (side, 1, 1), 0.6)


def _paint_bone(canvas: Canvas, points: FloatArray, radius_mm: float) -> None:
    radii = np.full(len(points), radius_mm)
    canvas.paint_tubes(along(canvas.warp.to_patient(points), radii), 780.0)


def _grow_tumours(
    canvas: Canvas, spec: MouseSpec, number: int, rng: np.random.Generator
) -> list[Piece]:
    """Tumours that bulge from the flanks, one on each side."""
    name = _NAMES[number]
    sides = rng.permutation([-1.0, 1.0])[: spec.n_tumours[number]]
    pieces = []
    for letter, side in zip("AB", sides, strict=False):
        diameter = float(rng.uniform(spec.smallest_mm, spec.largest_mm))
        z = float(rng.uniform(-26, -4))
        lift = np.deg2rad(rng.uniform(-40, 25))
        row = [float(np.interp(z, *np.array(_BODY)[:, [0, c]].T)) for c in (1, 2)]
        at = np.array([side * row[0] * np.cos(lift), row[1] * np.sin(lift), z])
        centre = canvas.warp.to_patient(at * (1 - 0.14 * diameter / 12))
        lobe = draw_lobe(rng, centre, diameter, roughness=0.10, elongation=1.35)
        track = f"{name}{letter}"
        pieces.append(Piece((track,), 1, frozenset({track}), _LABEL, LesionShape((lobe,))))
    return pieces
