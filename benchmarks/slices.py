"""Filling between drawn slices (row 6) and bringing a CT onto its PET's grid (row 9)."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.race import Contestant, Inputs, Row
from benchmarks.volumes import MAKERS, MOUSE_MM, THORAX_MM, affine_of, geometry_of
from lesionary.core.resample import resample
from lesionary.core.slices.interpolate import interpolate, thinned
from lesionary.core.volume import AnyArray, Geometry, LabelMap, Volume
from lesionary.phantoms.lesions import LesionShape, draw_lobe

STEP = 5
"""Every fifth slice is drawn, the first on each tumour's third."""

Spacing = tuple[float, float, float]


@cache
def mouse_truth() -> AnyArray:
    """Draw two tumours of 9 and 12 mm in a mouse's grid."""
    return _truth((400, 192, 192), MOUSE_MM, {(31.0, 12.0, 13.0): 12.0, (48.0, 27.0, 25.0): 9.0})


@cache
def ct_truth() -> AnyArray:
    """Draw a lesion of 60 mm in a thorax's grid."""
    return _truth((350, 512, 512), THORAX_MM, {(170.0, 180.0, 140.0): 60.0})


def _truth(
    shape: tuple[int, int, int], spacing_mm: Spacing, tumours: dict[Spacing, float]
) -> AnyArray:
    """Draw tumours, centre ``(z, y, x)`` and longest diameter in mm, one value each."""
    rng = np.random.default_rng(6)
    out = np.zeros(shape, dtype=np.uint16)
    for value, (centre, diameter_mm) in enumerate(tumours.items(), start=1):
        lobe = draw_lobe(rng, np.array(centre[::-1]), diameter_mm)
        tumour = LesionShape((lobe,))
        low, high = (np.round(mm[::-1] / spacing_mm).astype(int) for mm in tumour.bounds_mm())
        box = tuple(slice(a - 2, b + 3) for a, b in zip(low, high, strict=True))
        places = np.stack(
            np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), -1
        )
        out[box][tumour.holds((places * spacing_mm)[..., ::-1])] = value
    return out


def _make_keys(name: str, truth: Callable[[], AnyArray], spacing_mm: Spacing, folder: Path) -> None:
    labels = LabelMap(truth(), geometry_of(truth(), spacing_mm))
    np.save(folder / f"{name}.npy", thinned(labels, STEP).array)


MAKERS["mouse_keys"] = partial(_make_keys, "mouse_keys", mouse_truth, MOUSE_MM)
MAKERS["ct_keys"] = partial(_make_keys, "ct_keys", ct_truth, THORAX_MM)


def ours(keys: AnyArray, spacing_mm: Spacing, method: Any = "shape") -> AnyArray:
    """Fill with this package."""
    labels = LabelMap(keys, geometry_of(keys, spacing_mm))
    return interpolate(labels, STEP, method).label_map.array


def scipy_distances(keys: AnyArray, spacing_mm: Spacing) -> AnyArray:
    """Fill by signed distances of scipy, interpolated in straight lines on each tumour's crop."""
    out = keys.copy()
    for value, box in _crops(keys):
        crop, filled = keys[box] == value, out[box]
        drawn = np.flatnonzero(crop.any(axis=(1, 2))).tolist()
        fields = {k: _signed(crop[k], spacing_mm[1:]) for k in drawn}
        for low, high in pairwise(drawn):
            for k in range(low + 1, high):
                t = (k - low) / (high - low)
                filled[k][(1 - t) * fields[low] + t * fields[high] >= 0] = value
    return out


def _crops(keys: AnyArray) -> Iterator[tuple[int, tuple[slice, ...]]]:
    """Each label's box, one voxel wider in the plane."""
    from scipy import ndimage

    for value, box in enumerate(ndimage.find_objects(keys), start=1):
        k, j, i = box
        yield value, (k, slice(j.start - 1, j.stop + 1), slice(i.start - 1, i.stop + 1))


def _signed(section: AnyArray, spacing_mm: tuple[float, ...]) -> AnyArray:
    from scipy.ndimage import distance_transform_edt

    inside = distance_transform_edt(section, spacing_mm)
    return np.where(section, inside, -distance_transform_edt(~section, spacing_mm))


def itk_morphological(image: Any) -> AnyArray:
    """Fill with ITK's morphological contour interpolation along the slices."""
    import itk

    found = itk.morphological_contour_interpolator(image, axis=2)
    array: AnyArray = itk.array_from_image(found)
    return array


def _for_itk(name: str, spacing_mm: Spacing, **inputs: AnyArray) -> Inputs:
    import itk

    image = itk.image_from_array(inputs[name])
    image.SetSpacing(spacing_mm[::-1])
    return {"image": image}


def restored(truth: Callable[[], AnyArray], found: AnyArray) -> str:
    """Tell the Dice of all tumours; slices beyond the outer keys count as missed."""
    first, second = truth() > 0, found > 0
    both = np.count_nonzero(first & second)
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return f"Dice {2 * both / total:.3f}"


def _keys(name: str, spacing_mm: Spacing, **inputs: AnyArray) -> Inputs:
    return {"keys": inputs[name], "spacing_mm": spacing_mm}


def _fillers(
    name: str, truth: Callable[[], AnyArray], spacing_mm: Spacing
) -> tuple[Contestant, ...]:
    prepare, answer = partial(_keys, name, spacing_mm), partial(restored, truth)
    return (
        Contestant(
            "lesionary, shape",
            ours,
            "signed distances, a cubic through four keys",
            prepare=prepare,
            answer=answer,
            is_ours=True,
        ),
        Contestant(
            "lesionary, linear",
            partial(ours, method="linear"),
            "the indicator in a straight line",
            prepare=prepare,
            answer=answer,
            is_ours=True,
        ),
        Contestant(
            "scipy signed distance, cropped",
            scipy_distances,
            "a straight line from key to key",
            ("scipy",),
            prepare=prepare,
            answer=answer,
            is_by_hand=True,
        ),
        Contestant(
            "ITK MorphologicalContourInterpolator",
            itk_morphological,
            "intersections, dilated step by step",
            ("itk-morphologicalcontourinterpolation",),
            prepare=partial(_for_itk, name, spacing_mm),
            answer=answer,
        ),
    )


def pet_grid() -> Geometry:
    """Return a PET's grid of 2.04 mm, turned by no angle, that reaches beyond the CT's ends."""
    affine = affine_of((2.0364, 2.0364, 2.0364))
    affine[:3, 3] = (7.3, 8.1, -20.3)
    return Geometry((200, 168, 168), affine)


def ours_resampled(volume: Volume) -> AnyArray:
    """Resample with this package."""
    return resample(volume, pet_grid(), fill=-1000, mark_outside=False).array


def ours_marked(volume: Volume) -> AnyArray:
    """Resample with this package, and mark what lies outside."""
    return resample(volume, pet_grid(), fill=-1000).array


def simple_itk(image: Any) -> AnyArray:
    """Resample with SimpleITK."""
    import SimpleITK as sitk

    onto = pet_grid()
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(onto.shape[::-1])
    filter_.SetOutputSpacing(onto.spacing_mm[::-1])
    filter_.SetOutputOrigin(onto.affine[:3, 3].tolist())
    filter_.SetInterpolator(sitk.sitkLinear)
    filter_.SetDefaultPixelValue(-1000)
    array: AnyArray = sitk.GetArrayFromImage(filter_.Execute(image))
    return array


def scipy_affine(volume: Volume) -> AnyArray:
    """Resample with scipy, one factor an axis."""
    from scipy.ndimage import affine_transform

    onto = pet_grid()
    between = np.linalg.inv(volume.geometry.affine) @ onto.affine
    found: AnyArray = affine_transform(
        volume.array, np.diag(between)[:3], between[:3, 3], onto.shape, order=1, cval=-1000
    )
    return found


def torch_grid_sample(image: Any, theta: Any) -> AnyArray:
    """Resample with torch, whose coordinates run from -1 to 1 between the outer voxels' centres."""
    from torch.nn.functional import affine_grid, grid_sample

    grid = affine_grid(theta, [1, 1, *pet_grid().shape], align_corners=True)
    shifted = grid_sample(image, grid, align_corners=True)
    array: AnyArray = (shifted[0, 0] - 1000).numpy()
    return array


def _tensor(thorax_ct: AnyArray) -> Inputs:
    """Give a float32 image whose outside is 0, and the map in torch's order x, y, z."""
    import torch

    onto, geometry = pet_grid(), geometry_of(thorax_ct, THORAX_MM)
    between = np.linalg.inv(geometry.affine) @ onto.affine
    ends, own = (np.array(grid.shape) - 1 for grid in (onto, geometry))
    scale = np.diag(between)[:3] * ends / own
    shift = 2 * (between[:3, 3] + np.diag(between)[:3] * ends / 2) / own - 1
    theta = np.column_stack([np.diag(scale[::-1]), shift[::-1]]).astype(np.float32)
    image = torch.from_numpy(thorax_ct.astype(np.float32) + 1000)
    return {"image": image[None, None], "theta": torch.from_numpy(theta)[None]}


def _volume(thorax_ct: AnyArray) -> Inputs:
    return {"volume": Volume(thorax_ct, geometry_of(thorax_ct, THORAX_MM), "CT")}


def _sitk_image(thorax_ct: AnyArray) -> Inputs:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(thorax_ct)
    image.SetSpacing(THORAX_MM[::-1])
    return {"image": image}


def sampled(array: AnyArray) -> str:
    """Tell type and mean: what was sampled."""
    return f"{array.dtype}, mean {array.mean(dtype=np.float64):.2f} HU"


ROWS = (
    Row(
        "6",
        "Fill between every 5th slice, two mouse tumours, 400 × 192 × 192",
        ("mouse_keys",),
        _fillers("mouse_keys", mouse_truth, MOUSE_MM),
    ),
    Row(
        "6b",
        "Fill between every 5th slice, a 60 mm lesion, 350 × 512 × 512",
        ("ct_keys",),
        _fillers("ct_keys", ct_truth, THORAX_MM),
    ),
    Row(
        "9",
        "CT 350 × 512 × 512 onto a PET's grid 200 × 168 × 168",
        ("thorax_ct",),
        (
            Contestant(
                "lesionary",
                ours_resampled,
                "halves to even",
                prepare=_volume,
                answer=sampled,
                is_ours=True,
            ),
            Contestant(
                "lesionary, marked",
                ours_marked,
                "the same, with a mask of what lies outside",
                prepare=_volume,
                answer=sampled,
                is_ours=True,
            ),
            Contestant(
                "SimpleITK Resample",
                simple_itk,
                "cuts decimals off",
                ("SimpleITK",),
                prepare=_sitk_image,
                answer=sampled,
            ),
            Contestant(
                "scipy affine_transform",
                scipy_affine,
                "fills within half a voxel of the edge too",
                ("scipy",),
                prepare=_volume,
                answer=sampled,
            ),
            Contestant(
                "torch grid_sample",
                torch_grid_sample,
                "float32 in and out; fades to the outside at the edge",
                ("torch",),
                prepare=_tensor,
                answer=sampled,
            ),
        ),
        about="Trilinear, int16 in and out, -1000 HU outside.",
    ),
)
