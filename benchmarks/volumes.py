"""The volumes that contestants meet: phantoms with real shapes, made once a run and kept as files.

Every volume has a name, under which a row asks for it. An array becomes ``NAME.npy``; what has to
be read from disk in its own format (a DICOM series, a NIfTI volume) becomes a path of that name.

* ``thorax_ct``: CT of a trunk, 512 × 512 × 350 int16, with 45 tumours and nodes of 4 to 60 mm in
  lung, liver, mediastinum and belly.
* ``thorax_first``, ``_second``, ``_third``: three readers of it, uint16, one value a lesion.
* ``thorax_drafts``: the first reader's map with 300 specks of 1 to 45 voxels, such as a model
  leaves behind; ``thorax_drafts_mask`` is its foreground as uint8.
* ``lungs_first``, ``lungs_second``: both lungs as one label, by two readers, uint8.
* ``mouse_ct``, ``mouse_first``, ``_second``, ``_third``: micro-CT of one mouse with two tumours,
  400 × 192 × 192, and three readers.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from scipy import ndimage

from lesionary.core.volume import Geometry, LabelMap, Volume
from lesionary.phantoms.canvas import Canvas
from lesionary.phantoms.ct import CtSpec, PatientPlan, plan_patient, scan_ct
from lesionary.phantoms.mouse import MouseSpec, mouse_scan
from lesionary.phantoms.readers import ReaderHabits, simulate_reader
from lesionary.phantoms.scenario import Course, LesionPlan

THORAX_MM = (1.0, 0.7, 0.7)
"""Spacing of the thorax along (k, j, i)."""

MOUSE_MM = (0.21, 0.21, 0.21)
"""Spacing of the mouse along (k, j, i)."""

LESIONS = LesionPlan(
    {"t,lung": 2, "m,lung": 26, "m,liver": 8, "n,mediastinum": 6, "n,retroperitoneal": 3},
    courses=(Course.STABLE,),
    smallest_mm=4.0,
    largest_mm=60.0,
)
THORAX = CtSpec((350, 512, 512), THORAX_MM, bottom_mm=-140.0, days=(0,), lesions=LESIONS)
READERS = {
    "first": ReaderHabits(noise_mm=0.4, seed=1),
    "second": ReaderHabits(bias_mm=0.4, noise_mm=0.7, seed=2),
    "third": ReaderHabits(bias_mm=-0.3, noise_mm=0.7, miss_rate=0.05, seed=3),
}
MOUSE_READERS = {
    name: ReaderHabits(bias_mm=bias, noise_mm=0.2, wavelength_mm=4.0, seed=seed)
    for seed, (name, bias) in enumerate({"first": 0.0, "second": 0.1, "third": -0.1}.items(), 11)
}
N_SPECKS = 300
LARGEST_SPECK = 45
SEED = 2
"""Of this patient's 45 lesions the smallest measures 4 mm and the largest 60 mm."""


def affine_of(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Return the affine of an axial grid with its first voxel at the origin."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing_mm, 1.0
    return affine


def geometry_of(array: np.ndarray, spacing_mm: tuple[float, float, float]) -> Geometry:
    """Return the grid of a volume that came as an array."""
    return Geometry((array.shape[0], array.shape[1], array.shape[2]), affine_of(spacing_mm))


def make(names: Iterable[str], folder: Path) -> None:
    """Write those of ``names`` that ``folder`` does not hold yet.

    Raises
    ------
    KeyError
        If no volume has that name.
    """
    for maker in dict.fromkeys(MAKERS[name] for name in names if not is_made(name, folder)):
        maker(folder)


def is_made(name: str, folder: Path) -> bool:
    """Tell whether ``folder`` holds a volume."""
    return any((folder / file).exists() for file in (f"{name}.npy", name))


def load(name: str, folder: Path) -> np.ndarray | Path:
    """Read an array into memory, or return where the file or folder lies."""
    path = folder / f"{name}.npy"
    return np.load(path) if path.exists() else folder / name


def _make_thorax(folder: Path) -> None:
    plan = plan_patient(THORAX, SEED)
    scan, _ = scan_ct(THORAX, plan, 0)
    np.save(folder / "thorax_ct.npy", scan.volume.array)
    for name, habits in READERS.items():
        np.save(folder / f"thorax_{name}.npy", simulate_reader(scan.truth, habits).array)
    drafts = with_specks(np.load(folder / "thorax_first.npy"), scan.volume.array > -300)
    np.save(folder / "thorax_drafts.npy", drafts)
    np.save(folder / "thorax_drafts_mask.npy", (drafts > 0).view(np.uint8))
    lungs = _lungs(plan, scan.volume)
    np.save(folder / "lungs_first.npy", lungs.view(np.uint8))
    truth = LabelMap(lungs.astype(np.uint16), scan.volume.geometry)
    second = simulate_reader(truth, READERS["second"]).array
    np.save(folder / "lungs_second.npy", second.astype(np.uint8))


def _lungs(plan: PatientPlan, volume: Volume) -> np.ndarray:
    """Draw both lungs as a reader would: without heart and tumours, with the small vessels."""
    (lungs,) = (part for part in plan.anatomy.parts if part.name == "lungs")
    canvas = Canvas(volume.geometry, plan.poses[0], plan.anatomy.warp, 0.0)
    canvas.paint(lungs.shape, 1.0, bounds=lungs.bounds, step_mm=lungs.step_mm)
    tissue = ndimage.uniform_filter(volume.array, 5) > -350
    return (canvas.values > 0.5) & ~tissue


def with_specks(labels: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Scatter small clumps in the body's empty places, grown voxel by voxel from a seed."""
    rng = np.random.default_rng(SEED)
    out = labels.copy()
    values = np.unique(labels[labels > 0])
    n_drawn = 0
    while n_drawn < N_SPECKS:
        at = rng.integers(4, np.array(labels.shape) - 4)
        corner = at - 4
        box = tuple(slice(low, low + 8) for low in corner)
        if not body[tuple(at)] or out[box].any():
            continue
        clump = [tuple(at)]
        for _ in range(int(rng.integers(0, LARGEST_SPECK))):
            step = rng.integers(-1, 2, 3)
            grown = np.clip(clump[rng.integers(len(clump))] + step, corner + 1, corner + 6)
            clump.append(tuple(grown))
        out[tuple(np.array(clump).T)] = rng.choice(values)
        n_drawn += 1
    return out


def _make_mouse(folder: Path) -> None:
    scan = mouse_scan(MouseSpec(spacing_mm=MOUSE_MM[0]), SEED)
    mouse = scan.mice[1]
    middle = np.round(scan.truth.geometry.to_index(mouse.centre_mm)).astype(int)
    size = np.array([400, 192, 192])
    low = np.clip(middle - size // 2, 0, np.array(scan.truth.geometry.shape) - size)
    box = tuple(slice(start, stop) for start, stop in zip(low, low + size, strict=True))
    grid = scan.truth.geometry.cropped((box[0], box[1], box[2]))
    truth = LabelMap(np.ascontiguousarray(scan.truth.array[box]), grid)
    np.save(folder / "mouse_ct.npy", np.ascontiguousarray(scan.volume.array[box]))
    for name, habits in MOUSE_READERS.items():
        np.save(folder / f"mouse_{name}.npy", simulate_reader(truth, habits).array)


_THORAX_NAMES = (
    *(f"thorax_{name}" for name in ("ct", *READERS, "drafts", "drafts_mask")),
    "lungs_first",
    "lungs_second",
)
_MOUSE_NAMES = tuple(f"mouse_{name}" for name in ("ct", *MOUSE_READERS))

MAKERS: dict[str, Callable[[Path], None]] = {
    **dict.fromkeys(_THORAX_NAMES, _make_thorax),
    **dict.fromkeys(_MOUSE_NAMES, _make_mouse),
}
"""What writes each volume. Other modules add theirs for formats of their own."""
