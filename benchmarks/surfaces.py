"""Volume and surface agreement of two readers (rows 1, 1b and 1c).

The task, of every label: Dice of the volumes, surface Dice (NSD) at 2 mm, 95 % Hausdorff distance.
Peers measure one object at a time, so each gets what a user who cares would give it: the labels'
boxes from one pass, and the label's crop from both maps, with a margin of one voxel. Their
definitions differ: *surfels* weigh by area, *border voxels* count alike.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.race import Bound, Contestant, Inputs, Row
from benchmarks.volumes import MOUSE_MM, THORAX_MM
from lesionary.core.overlap import overlap
from lesionary.core.surfaces.surface import surface_distances

TOLERANCE_MM = 2.0
PERCENT = 95

Spacing = tuple[float, float, float]
Rows = dict[int, tuple[float | None, float | None, float | None]]
"""By label: Dice, NSD and 95 % Hausdorff distance in mm; None where a peer leaves it out."""

Measure = Callable[[np.ndarray, np.ndarray, Spacing], tuple[float, float | None, float]]
"""What a peer does with one object: two masks in, three numbers out."""


def ours(first: np.ndarray, second: np.ndarray, spacing_mm: Spacing) -> Rows:
    """Measure every label of two label maps."""
    found = overlap(first, second)
    rows: Rows = {}
    for value in found.values:
        box = found.union_box([value])
        apart = surface_distances(first, second, spacing_mm, values=[value], box=box)
        hausdorff_mm = apart.hausdorff_mm(PERCENT).symmetric
        rows[value] = found.dice([value]), apart.nsd(TOLERANCE_MM), hausdorff_mm
    return rows


def crops(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Cut each label's masks out of both maps, one voxel wider than it is."""
    from scipy import ndimage

    boxes = [ndimage.find_objects(side) for side in (first, second)]
    for value in range(1, max(map(len, boxes)) + 1):
        held = [side[value - 1] for side in boxes if value <= len(side) and side[value - 1]]
        if not held:
            continue
        box = tuple(
            slice(max(min(side.start for side in sides) - 1, 0), max(s.stop for s in sides) + 1)
            for sides in zip(*held, strict=True)
        )
        yield value, first[box] == value, second[box] == value


def by_crops(measure: Measure, first: np.ndarray, second: np.ndarray, spacing_mm: Spacing) -> Rows:
    """Measure each label on its crop; nothing but nought to say of one that a reader missed."""
    rows: Rows = {}
    for value, one, other in crops(first, second):
        is_drawn_twice = one.any() and other.any()
        rows[value] = measure(one, other, spacing_mm) if is_drawn_twice else (0.0, 0.0, None)
    return rows


def dice_of(one: np.ndarray, other: np.ndarray) -> float:
    """Return Dice as numpy counts it."""
    both = np.count_nonzero(one & other)
    return 2 * both / (np.count_nonzero(one) + np.count_nonzero(other))


def surface_distance(one: np.ndarray, other: np.ndarray, spacing_mm: Spacing) -> Any:
    """Measure with surface-distance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls scipy by old names
        import surface_distance as library

        found = library.compute_surface_distances(one, other, spacing_mm)
    return (
        library.compute_dice_coefficient(one, other),
        library.compute_surface_dice_at_tolerance(found, TOLERANCE_MM),
        library.compute_robust_hausdorff(found, PERCENT),
    )


def distances_by_hand(one: np.ndarray, other: np.ndarray, spacing_mm: Spacing) -> Any:
    """Return the distances of border voxels by scipy's erosion and distance transform."""
    from scipy import ndimage

    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (one, other)]
    away = [ndimage.distance_transform_edt(~border, sampling=spacing_mm) for border in borders]
    return away[1][borders[0]], away[0][borders[1]]


def by_hand(one: np.ndarray, other: np.ndarray, spacing_mm: Spacing) -> Any:
    """Measure with scipy's distance transform of the crop."""
    there, back = distances_by_hand(one, other, spacing_mm)
    near = np.count_nonzero(there <= TOLERANCE_MM) + np.count_nonzero(back <= TOLERANCE_MM)
    hausdorff_mm = max(np.percentile(there, PERCENT), np.percentile(back, PERCENT))
    return dice_of(one, other), near / (there.size + back.size), hausdorff_mm


def monai(one: np.ndarray, other: np.ndarray, spacing_mm: Spacing) -> Any:
    """Measure with MONAI's three metrics."""
    import torch
    from monai.metrics import (
        compute_dice,
        compute_hausdorff_distance,
        compute_surface_dice,
    )

    first, second = (torch.from_numpy(mask[None, None]) for mask in (one, other))
    both = {"y_pred": first, "y": second}
    nsd = compute_surface_dice(
        **both, class_thresholds=[TOLERANCE_MM], include_background=True, spacing=spacing_mm
    )
    hausdorff_mm = compute_hausdorff_distance(
        **both, include_background=True, percentile=PERCENT, spacing=spacing_mm
    )
    return float(compute_dice(**both)), float(nsd), float(hausdorff_mm)


def medpy(one: np.ndarray, other: np.ndarray, spacing_mm: Spacing) -> Any:
    """Measure with MedPy, which has no surface Dice."""
    from medpy.metric.binary import dc, hd95

    return dc(one, other), None, hd95(one, other, voxelspacing=spacing_mm)


def simpleitk(one: np.ndarray, other: np.ndarray, spacing_mm: Spacing) -> Any:
    """Measure with SimpleITK's contours and signed distance maps; no surface Dice."""
    import SimpleITK as sitk

    images = [sitk.GetImageFromArray(mask.view(np.uint8)) for mask in (one, other)]
    for image in images:
        image.SetSpacing(spacing_mm[::-1])
    overlaps = sitk.LabelOverlapMeasuresImageFilter()
    overlaps.Execute(*images)
    borders = [sitk.GetArrayFromImage(sitk.LabelContour(image)) > 0 for image in images]
    maps = [
        sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
        for image in images
    ]
    away = [np.abs(sitk.GetArrayViewFromImage(image)) for image in maps]
    there, back = away[1][borders[0]], away[0][borders[1]]
    hausdorff_mm = max(np.percentile(there, PERCENT), np.percentile(back, PERCENT))
    return overlaps.GetDiceCoefficient(), None, hausdorff_mm


def panoptica(first: np.ndarray, second: np.ndarray, spacing_mm: Spacing) -> Rows:
    """Measure with panoptica, whose instances come matched: same value, same object."""
    from panoptica import InputType, Metric, Panoptica_Evaluator

    evaluator = Panoptica_Evaluator(
        expected_input=InputType.MATCHED_INSTANCE,
        instance_metrics=[Metric.DSC, Metric.NSD, Metric.HD95],
        global_metrics=[],
    )
    (result,) = evaluator.evaluate(
        first, second, voxelspacing=spacing_mm, verbose=False, log_times=False
    ).values()
    values = [result.get_list_metric(one, "ALL") for one in (Metric.DSC, Metric.NSD, Metric.HD95)]
    return dict(enumerate(zip(*values, strict=True), start=1))


def means(rows: Rows) -> str:
    """Say how many labels were measured, and their means."""
    parts = ["1 label" if len(rows) == 1 else f"{len(rows)} labels"]
    for name, column in zip(("Dice", "NSD", "HD95"), zip(*rows.values(), strict=True), strict=True):
        known = [number for number in column if number is not None]
        if known:
            parts.append(f"{name} {np.mean(known):.4f}{' mm' if name == 'HD95' else ''}")
    return ", ".join(parts)


def _given(names: tuple[str, str], spacing_mm: Spacing) -> Callable[..., Inputs]:
    """Return what hands two readers' maps over, with the spacing."""

    def prepare(**inputs: np.ndarray) -> Inputs:
        first, second = (inputs[name] for name in names)
        return {"first": first, "second": second, "spacing_mm": spacing_mm}

    return prepare


SURFELS = "surfels, weighed by area"
BORDERS = "border voxels"
SURFACE_DISTANCE = "surface-distance, cropped"
BY_HAND = "scipy distance transform, cropped"
UNOBTAINABLE = {"MetricsReloaded": "no release on PyPI"}


def contestants(
    first: str, second: str, spacing_mm: Spacing, *, has_many: bool = False
) -> tuple[Contestant, ...]:
    """Return all who compare two label maps; panoptica where there are several labels."""
    prepare = _given((first, second), spacing_mm)
    peers: list[tuple[str, Measure, str, tuple[str, ...], bool]] = [
        (SURFACE_DISTANCE, surface_distance, SURFELS, ("surface-distance",), False),
        (BY_HAND, by_hand, BORDERS, ("scipy",), True),
        ("MONAI, cropped", monai, f"{BORDERS}; NSD by area", ("monai", "torch"), False),
        ("MedPy, cropped", medpy, f"{BORDERS}; no NSD", ("MedPy",), False),
        ("SimpleITK, cropped", simpleitk, f"{BORDERS}; no NSD", ("SimpleITK",), True),
    ]
    found = [
        Contestant(
            "lesionary overlap + surface_distances",
            ours,
            SURFELS,
            prepare=prepare,
            answer=means,
            is_ours=True,
        )
    ]
    for name, measure, note, needs, is_by_hand in peers:
        call = partial(by_crops, measure)
        found.append(
            Contestant(name, call, note, needs, prepare, answer=means, is_by_hand=is_by_hand)
        )
    if has_many:
        found.append(
            Contestant("panoptica", panoptica, BORDERS, ("panoptica",), prepare, answer=means)
        )
    return tuple(found)


TITLE = "Dice, NSD 2 mm and HD95"
ROWS = (
    Row(
        "1",
        f"{TITLE} of 45 lesions",
        ("thorax_first", "thorax_second"),
        contestants("thorax_first", "thorax_second", THORAX_MM, has_many=True),
        (
            Bound(15, (SURFACE_DISTANCE,), text="the same definition"),
            Bound(8, text="the fastest of any definition"),
        ),
        unobtainable=UNOBTAINABLE,
    ),
    Row(
        "1b",
        f"{TITLE} of both lungs as one label",
        ("lungs_first", "lungs_second"),
        contestants("lungs_first", "lungs_second", THORAX_MM),
        (Bound(20, (SURFACE_DISTANCE,), text="the same definition"),),
        unobtainable=UNOBTAINABLE,
    ),
    Row(
        "1c",
        f"{TITLE} of a mouse's tumours",
        ("mouse_first", "mouse_second"),
        contestants("mouse_first", "mouse_second", MOUSE_MM),
        (Bound(14, (SURFACE_DISTANCE,), text="the same definition"),),
        unobtainable=UNOBTAINABLE,
    ),
)
