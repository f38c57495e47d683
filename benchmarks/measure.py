"""Components, diameters, whole-scan measures (rows 2, 3 and 11).

Peers see the labels in the element type they are fastest with, in C order. Drafts hold 45 lesions
and 300 specks; *instances* are the 26-connected components of at least 50 voxels.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.race import Bound, Contestant, Inputs, Row
from benchmarks.volumes import THORAX_MM, geometry_of
from lesionary.core.components import Components, components
from lesionary.core.volume import LabelMap, Volume
from lesionary.measure.diameter import as_published, caliper
from lesionary.measure.instances import is_kept
from lesionary.measure.lesions import Measured, MeasureOptions, measure_lesions

MIN_VOXELS = 50
FULL = np.ones((3, 3, 3), dtype=bool)
CC3D = "connected-components-3d"
NOT_HERE = {"pyradiomics": "its source release does not build with this Python"}


# Components


def our_runs(mask: np.ndarray) -> tuple[Components, np.ndarray]:
    """Find components and tell which are kept: what the rest of the package works on."""
    found = components(mask)
    return found, is_kept(found, 0, min_voxels=MIN_VOXELS)


def our_map(mask: np.ndarray) -> np.ndarray:
    """Find components and paint those kept as a label map."""
    found, kept = our_runs(mask)
    numbers = np.zeros(len(found), dtype=np.int64)
    numbers[kept] = np.arange(1, np.count_nonzero(kept) + 1)
    return found.painted(numbers)


def cc3d_found(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Find components and drop none."""
    import cc3d

    found: tuple[np.ndarray, int] = cc3d.connected_components(
        mask, connectivity=26, return_N=True, binary_image=mask.dtype == np.bool_
    )
    return found


def cc3d_dust(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Drop small components with cc3d's own function, then number what is left."""
    import cc3d

    return cc3d_found(cc3d.dust(mask, threshold=MIN_VOXELS, connectivity=26))


def cc3d_statistics(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Give numbers, count with cc3d's statistics, and empty small components in their boxes."""
    import cc3d

    found, n = cc3d_found(mask)
    statistics = cc3d.statistics(found)
    small = np.flatnonzero(statistics["voxel_counts"] < MIN_VOXELS)
    for number in small:
        part = found[statistics["bounding_boxes"][number]]
        part[part == number] = 0
    return found, n - len(small)


def cc3d_by_hand(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Give numbers, then count and drop with numpy on the foreground alone."""
    found, n = cc3d_found(mask)
    inside = mask != 0
    numbers = found[inside]
    is_small = np.bincount(numbers, minlength=n + 1) < MIN_VOXELS
    numbers[is_small[numbers]] = 0
    found[inside] = numbers
    return found, n - np.count_nonzero(is_small[1:])


def scipy_map(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Give numbers with scipy, count and drop with numpy."""
    from scipy import ndimage

    found, n = ndimage.label(mask, FULL)
    is_small = np.bincount(found.ravel(), minlength=n + 1) < MIN_VOXELS
    found[is_small[found]] = 0
    return found, n - np.count_nonzero(is_small[1:])


def scikit_image_map(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Drop small objects with scikit-image, then number what is left."""
    from skimage.measure import label
    from skimage.morphology import remove_small_objects

    kept = remove_small_objects(mask, max_size=MIN_VOXELS - 1, connectivity=3)
    return label(kept, connectivity=3, return_num=True)


def simpleitk_map(image: Any) -> Any:
    """Label and drop with SimpleITK's two filters."""
    import SimpleITK as sitk

    return sitk.RelabelComponent(sitk.ConnectedComponent(image, True), MIN_VOXELS)


def as_bool(thorax_drafts_mask: np.ndarray) -> Inputs:
    """Give a mask of bool."""
    return {"mask": thorax_drafts_mask.view(np.bool_)}


def as_uint8(thorax_drafts_mask: np.ndarray) -> Inputs:
    """Give a mask of uint8."""
    return {"mask": thorax_drafts_mask}


def as_image(thorax_drafts_mask: np.ndarray) -> Inputs:
    """Give an ITK image."""
    import SimpleITK as sitk

    return {"image": sitk.GetImageFromArray(thorax_drafts_mask)}


def n_kept(found: tuple[np.ndarray, int]) -> str:
    """Say how many components are left."""
    return f"{int(found[1])} kept"


def highest(found: np.ndarray) -> str:
    """Say how many numbers a label map holds."""
    return f"{int(found.max())} kept"


def highest_of_image(found: Any) -> str:
    """Say how many numbers an ITK image holds."""
    import SimpleITK as sitk

    return highest(sitk.GetArrayViewFromImage(found))


RUNS = "lesionary components"
PAINTED = "lesionary components, painted"
WITH_LIBRARY_CALLS = (
    "cc3d, dust",
    "cc3d, statistics",
    "scipy label",
    "scikit-image",
    "SimpleITK",
)
ROW_2 = Row(
    "2",
    "26-connected components of a mask, less than 50 voxels dropped",
    ("thorax_drafts_mask",),
    (
        Contestant(
            RUNS,
            our_runs,
            "runs, box and count of each component: what every later step works on",
            prepare=as_uint8,
            answer=lambda found: f"{np.count_nonzero(found[1])} kept",
            is_ours=True,
        ),
        Contestant(
            PAINTED,
            our_map,
            "the same as a label map, uint16",
            prepare=as_uint8,
            answer=highest,
            is_ours=True,
        ),
        Contestant("cc3d, dust", cc3d_dust, "label map", (CC3D,), as_uint8, answer=n_kept),
        Contestant(
            "cc3d, statistics",
            cc3d_statistics,
            "label map; small ones emptied in their boxes",
            (CC3D,),
            as_uint8,
            answer=n_kept,
        ),
        Contestant(
            "cc3d, then numpy by hand",
            cc3d_by_hand,
            "label map; counted and dropped on the foreground only",
            (CC3D,),
            as_bool,
            answer=n_kept,
            is_by_hand=True,
        ),
        Contestant(
            "cc3d, nothing dropped",
            cc3d_found,
            "half the work: label map with all specks",
            (CC3D,),
            as_uint8,
            answer=n_kept,
            is_partial=True,
        ),
        Contestant("scipy label", scipy_map, "label map", ("scipy",), as_uint8, answer=n_kept),
        Contestant(
            "scikit-image",
            scikit_image_map,
            "label map",
            ("scikit-image",),
            as_bool,
            answer=n_kept,
        ),
        Contestant(
            "SimpleITK",
            simpleitk_map,
            "label map, by size",
            ("SimpleITK",),
            as_image,
            answer=highest_of_image,
        ),
    ),
    (
        Bound(10, text="the fastest peer of all"),
        Bound(
            10,
            against=WITH_LIBRARY_CALLS,
            ours=PAINTED,
            text="the fastest library's own way, label map against label map",
        ),
    ),
    about=(
        "Writing a label map costs more than finding what belongs in it, for the system has to "
        "give 183 MB of zeros; so the package itself works on runs, and paints only to publish. "
        "Painted, it is less than ten times ahead of cc3d with numpy by hand."
    ),
)


# Diameters


def with_components(thorax_first: np.ndarray) -> Inputs:
    """Find the components, as both ways have them already where diameters are measured."""
    return {"found": components(thorax_first), "geometry": geometry_of(thorax_first, THORAX_MM)}


def with_boxes(thorax_first: np.ndarray) -> Inputs:
    """Give lesions numbers and find their boxes."""
    from scipy import ndimage

    found = components(thorax_first)
    numbered = found.painted(np.arange(1, len(found) + 1))
    return {"numbered": numbered, "boxes": ndimage.find_objects(numbered)}


def our_diameters(measure: Callable[..., Any]) -> Callable[..., list[float]]:
    """Return a call that measures all lesions by one definition."""

    def call(found: Components, geometry: Any) -> list[float]:
        axes = (measure(one, geometry) for one in found)
        return [one.long_axis_mm for one in axes if one is not None]

    return call


def rectangle_mm(section: np.ndarray) -> float:
    """Return the longer side of OpenCV's rectangle around the outline of largest area."""
    import cv2

    outlines, _ = cv2.findContours(
        section.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    outlines = [outline for outline in outlines if len(outline) > 1]
    if not outlines:
        return 0.0
    return float(max(cv2.minAreaRect(max(outlines, key=cv2.contourArea))[1])) * THORAX_MM[1]


def opencv_diameters(numbered: np.ndarray, boxes: list[Any]) -> list[float]:
    """Take the longest rectangle of each lesion's slices, on its crop."""
    lesions = (numbered[box] == n for n, box in enumerate(boxes, start=1))
    return [max(rectangle_mm(section) for section in lesion) for lesion in lesions]


def feret_diameters(numbered: np.ndarray, boxes: list[Any]) -> list[float]:
    """Take the longest Feret diameter of each lesion's slices with scikit-image."""
    from skimage.measure import regionprops

    longest = []
    for n, box in enumerate(boxes, start=1):
        lesion = (numbered[box] == n).view(np.uint8)
        slices = (regionprops(section, spacing=THORAX_MM[1:]) for section in lesion)
        longest.append(max(found[0].feret_diameter_max for found in slices if found))
    return longest


def hull_diameters(numbered: np.ndarray, boxes: list[Any]) -> list[float]:
    """Take the farthest corners of scipy's convex hull of each slice's voxel centres."""
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    longest = []
    for n, box in enumerate(boxes, start=1):
        best = 0.0
        for section in numbered[box] == n:
            points = np.argwhere(section) * THORAX_MM[1]
            if len(points) < 2:
                continue
            try:
                points = points[ConvexHull(points).vertices]
            except QhullError:  # all on one line
                points = points[[0, -1]]
            best = max(best, float(pdist(points).max()))
        longest.append(best)
    return longest


def longest_of(lengths: list[float]) -> str:
    """Say how many were measured and the longest."""
    return f"{len(lengths)}; longest {max(lengths):.1f} mm"


ROW_3 = Row(
    "3",
    "Long axes of 45 lesions, components known",
    ("thorax_first",),
    (
        Contestant(
            "lesionary caliper",
            our_diameters(caliper),
            "edge to edge, with the short axis and both ends of each",
            prepare=with_components,
            answer=longest_of,
            is_ours=True,
        ),
        Contestant(
            "lesionary as_published",
            our_diameters(as_published),
            "OpenCV's rectangle, centre to centre, with short axis and ends",
            prepare=with_components,
            answer=longest_of,
            is_ours=True,
        ),
        Contestant(
            "OpenCV rectangle on crops",
            opencv_diameters,
            "centre to centre; boxes known",
            ("opencv-python-headless",),
            with_boxes,
            answer=longest_of,
        ),
        Contestant(
            "scikit-image Feret on crops",
            feret_diameters,
            "edge to edge; no short axis; boxes known",
            ("scikit-image",),
            with_boxes,
            answer=longest_of,
        ),
        Contestant(
            "scipy hull on crops",
            hull_diameters,
            "centre to centre; no short axis; boxes known",
            ("scipy",),
            with_boxes,
            answer=longest_of,
            is_by_hand=True,
        ),
    ),
    unobtainable=NOT_HERE,
)


# A whole scan


def our_measures(options: MeasureOptions) -> Callable[..., Measured]:
    """Return a call that measures a scan."""
    return lambda volume, labels: measure_lesions(volume, labels, options)


def as_volume(thorax_ct: np.ndarray, thorax_drafts: np.ndarray) -> Inputs:
    """Give our types."""
    geometry = geometry_of(thorax_ct, THORAX_MM)
    return {
        "volume": Volume(thorax_ct, geometry, modality="CT"),
        "labels": LabelMap(thorax_drafts, geometry),
    }


def as_arrays(thorax_ct: np.ndarray, thorax_drafts: np.ndarray) -> Inputs:
    """Give both as they are."""
    return {"image": thorax_ct, "labels": thorax_drafts}


def rows_of_crops(image: np.ndarray, found: np.ndarray, boxes: list[Any]) -> list[Any]:
    """Measure each numbered lesion on its crop: voxels, mean, long axis."""
    rows = []
    for n, box in enumerate(boxes, start=1):
        lesion = found[box] == n
        voxels = np.count_nonzero(lesion)
        if voxels >= MIN_VOXELS:
            long_mm = max(rectangle_mm(section) for section in lesion)
            rows.append((voxels, image[box][lesion].mean(), long_mm))
    return rows


def cc3d_measures(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Measure with cc3d and OpenCV on crops."""
    import cc3d

    found, _ = cc3d_found(labels)
    return rows_of_crops(image, found, cc3d.statistics(found)["bounding_boxes"][1:])


def cc3d_scipy_measures(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Measure with cc3d, scipy's boxes and OpenCV on crops."""
    from scipy import ndimage

    found, _ = cc3d_found(labels)
    return rows_of_crops(image, found, ndimage.find_objects(found))


def scipy_measures(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Measure with scipy and OpenCV on crops."""
    from scipy import ndimage

    found, _ = ndimage.label(labels, FULL)
    return rows_of_crops(image, found, ndimage.find_objects(found))


def scikit_image_measures(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Measure with scikit-image's region properties, and OpenCV on whole slices."""
    from skimage.measure import label, regionprops

    found = label(labels, connectivity=3)
    rows = []
    for region in regionprops(found, intensity_image=image):
        if region.num_pixels < MIN_VOXELS:
            continue
        slices = np.unique(region.coords[:, 0])
        longest = max(rectangle_mm(found[k] == region.label) for k in slices)
        rows.append((region.num_pixels, region.intensity_mean, longest))
    return rows


def as_images(thorax_ct: np.ndarray, thorax_drafts: np.ndarray) -> Inputs:
    """Give ITK images; SimpleITK joins what touches, so it sees the foreground."""
    import SimpleITK as sitk

    mask = (thorax_drafts > 0).view(np.uint8)
    return {"image": sitk.GetImageFromArray(thorax_ct), "mask": sitk.GetImageFromArray(mask)}


def simpleitk_measures(image: Any, mask: Any) -> Any:
    """Measure instances, volume and mean."""
    import SimpleITK as sitk

    statistics = sitk.LabelIntensityStatisticsImageFilter()
    statistics.Execute(simpleitk_map(mask), image)
    return statistics


def n_lesions(rows: list[Any]) -> str:
    """Say how many lesions were measured and the longest axis."""
    return f"{len(rows)} lesions; longest {max(row[2] for row in rows):.1f} mm"


def n_measured(measured: Measured) -> str:
    """Say the same of ours."""
    longest = max(one.axes.long_axis_mm for one in measured.lesions if one.axes is not None)
    return f"{len(measured.lesions)} lesions; longest {longest:.1f} mm"


BY_CROPS = "volume, mean, rectangle's longer side; no short axis"
ROW_11 = Row(
    "11",
    "Measure a whole scan: instances, volume, mean HU, diameters",
    ("thorax_ct", "thorax_drafts"),
    (
        Contestant(
            "lesionary measure",
            our_measures(MeasureOptions(min_voxels=MIN_VOXELS)),
            "every label by itself; both axes with their ends, crumbs listed",
            prepare=as_volume,
            answer=n_measured,
            is_ours=True,
        ),
        Contestant(
            "lesionary measure, as_published",
            our_measures(MeasureOptions(min_voxels=MIN_VOXELS, diameter="as_published")),
            "the same with OpenCV's rectangles",
            prepare=as_volume,
            answer=n_measured,
            is_ours=True,
        ),
        Contestant(
            "cc3d + OpenCV",
            cc3d_measures,
            BY_CROPS,
            (CC3D, "opencv-python-headless"),
            as_arrays,
            answer=n_lesions,
        ),
        Contestant(
            "cc3d + scipy's boxes + OpenCV",
            cc3d_scipy_measures,
            BY_CROPS,
            (CC3D, "scipy", "opencv-python-headless"),
            as_arrays,
            answer=n_lesions,
            is_by_hand=True,
        ),
        Contestant(
            "scipy + OpenCV",
            scipy_measures,
            f"{BY_CROPS}; labels that touch become one",
            ("scipy", "opencv-python-headless"),
            as_arrays,
            answer=n_lesions,
        ),
        Contestant(
            "scikit-image + OpenCV, whole slices",
            scikit_image_measures,
            f"{BY_CROPS}; as published code does",
            ("scikit-image", "opencv-python-headless"),
            as_arrays,
            answer=n_lesions,
        ),
        Contestant(
            "SimpleITK",
            simpleitk_measures,
            "volume and mean only; labels that touch become one",
            ("SimpleITK",),
            as_images,
            answer=lambda found: f"{found.GetNumberOfLabels()} lesions; no diameters",
        ),
    ),
    (Bound(10, text="the fastest peer of all"),),
    unobtainable=NOT_HERE,
)

ROWS = (ROW_2, ROW_3, ROW_11)
