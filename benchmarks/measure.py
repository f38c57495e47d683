"""Time components and whole-scan measurement against their peers (`BENCHMARKS.md` rows 2, 3, 11).

``python benchmarks/measure.py [--repeats N]``. A thorax of 350 × 512 × 512 with 45 lesions of
4 to 60 mm; every contestant runs in this process, the best of N counts. cc3d takes part where it
is installed. Peers see uint16 labels and give what is named; what they leave out is named too.
"""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from skimage.measure import label as label_objects
from skimage.measure import regionprops

from lesionary.core.components import components
from lesionary.core.volume import Geometry, LabelMap, Volume
from lesionary.measure.diameter import as_published, caliper
from lesionary.measure.lesions import MeasureOptions, measure_lesions

SHAPE = (350, 512, 512)
SPACING_MM = (1.0, 0.7, 0.7)
FULL = np.ones((3, 3, 3))
MIN_VOXELS = 50


def thorax(n_lesions: int = 45, seed: int = 1) -> tuple[Volume, LabelMap]:
    """Draw ellipsoids of 4 to 60 mm that do not touch, one value each, on a noisy image."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(SHAPE, np.uint16)
    spacing = np.array(SPACING_MM)
    value = 0
    while value < n_lesions:
        radii = rng.uniform(4, 60) / 2 * rng.uniform(0.7, 1, 3) / spacing
        centre = rng.uniform(radii + 2, SHAPE - radii - 2)
        low, high = (
            np.floor(centre - radii - 1).astype(int),
            np.ceil(centre + radii + 2).astype(int),
        )
        box = tuple(map(slice, np.maximum(low, 0), high))
        if labels[box].any():
            continue
        value += 1
        place = np.ogrid[box]
        inside = sum(((place[a] - centre[a]) / radii[a]) ** 2 for a in range(3)) < 1
        labels[box][inside] = value
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *SPACING_MM, 1
    geometry = Geometry(SHAPE, affine)
    image = rng.integers(-1000, 400, SHAPE, dtype=np.int16)
    return Volume(image, geometry, modality="CT"), LabelMap(labels, geometry)


def cc3d_components(labels: np.ndarray) -> tuple[np.ndarray, int]:
    """26-connected components by cc3d."""
    import cc3d

    return cc3d.connected_components(labels, connectivity=26, return_N=True)


def scipy_components(labels: np.ndarray) -> tuple[np.ndarray, int]:
    """26-connected components of the foreground by scipy (it knows no labels)."""
    return ndimage.label(labels, FULL)


def simpleitk_components(labels: np.ndarray) -> Any:
    """26-connected components of the foreground by ITK, small ones dropped."""
    found = sitk.ConnectedComponent(sitk.GetImageFromArray((labels > 0).view(np.uint8)), True)
    return sitk.RelabelComponent(found, MIN_VOXELS)


def rectangles(found: np.ndarray, boxes: list[Any]) -> list[tuple[float, float]]:
    """Sides of OpenCV's rectangle in the slice with the longest, on each component's crop."""
    rows = []
    for number, box in enumerate(boxes, start=1):
        sections = (found[box] == number).view(np.uint8)
        best = (0.0, 0.0)
        for section in sections:
            outlines, _ = cv2.findContours(section, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            outlines = [outline for outline in outlines if len(outline) > 1]
            if outlines:
                sides = cv2.minAreaRect(max(outlines, key=cv2.contourArea))[1]
                best = max(best, (max(sides), min(sides)))
        rows.append(best)
    return rows


def cc3d_and_opencv(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Instances, volume, mean and rectangle by cc3d and OpenCV on crops."""
    import cc3d

    found, _ = cc3d_components(labels)
    boxes = cc3d.statistics(found)["bounding_boxes"][1:]
    means = [image[box][found[box] == n].mean() for n, box in enumerate(boxes, start=1)]
    return [means, rectangles(found, boxes)]


def scipy_and_opencv(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Instances, volume, mean and rectangle by scipy and OpenCV on crops."""
    found, _ = scipy_components(labels)
    boxes = ndimage.find_objects(found)
    means = [image[box][found[box] == n].mean() for n, box in enumerate(boxes, start=1)]
    return [means, rectangles(found, boxes)]


def simpleitk_statistics(image: np.ndarray, labels: np.ndarray) -> Any:
    """Instances, volume and mean by ITK; no diameters."""
    statistics = sitk.LabelIntensityStatisticsImageFilter()
    statistics.Execute(simpleitk_components(labels), sitk.GetImageFromArray(image))
    return statistics


def scikit_image_and_opencv(image: np.ndarray, labels: np.ndarray) -> list[Any]:
    """Instances, volume, mean by scikit-image's region properties, OpenCV on whole slices."""
    found = label_objects(labels)
    rows = []
    for region in regionprops(found, intensity_image=image):
        slices = np.unique(region.coords[:, 0])
        whole = np.stack([(found[k] == region.label).view(np.uint8) for k in slices])
        rows.append((region.num_pixels, region.intensity_mean, rectangles(whole, [...])))
    return rows


def best_of(repeats: int, call: Callable[[], Any]) -> float:
    """Return the least seconds of several calls, after one that warms caches and compiles."""
    call()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def race(title: str, repeats: int, contestants: dict[str, Callable[[], Any]]) -> None:
    """Time all, print seconds and how many times the first one's each takes."""
    print(f"\n{title}")
    first = None
    for name, call in contestants.items():
        seconds = best_of(repeats, call)
        first = first or seconds
        print(f"  {name:<44}{seconds:8.3f} s {seconds / first:8.1f} ×")


def main() -> None:
    """Run the three races."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    volume, labels = thorax()
    image, array = volume.array.copy(), labels.array.copy()  # some peers want them writable
    found = components(array)
    has_cc3d = find_spec("cc3d") is not None
    published = MeasureOptions(diameter="as_published")

    with_cc3d = {"cc3d": lambda: cc3d_components(array)} if has_cc3d else {}
    race(
        "2  26-connected components",
        repeats,
        {
            "lesionary": lambda: components(array),
            "lesionary, with the label map of instances": lambda: components(array).painted(
                np.arange(1, len(found) + 1)
            ),
            **with_cc3d,
            "SimpleITK, with small ones dropped": lambda: simpleitk_components(array),
            "scipy": lambda: scipy_components(array),
            "scikit-image": lambda: label_objects(array),
        },
    )
    numbered = found.painted(np.arange(1, len(found) + 1))
    boxes = ndimage.find_objects(numbered)
    race(
        "3  diameters of 45 lesions, components known",
        repeats,
        {
            "lesionary, caliper": lambda: [caliper(one, labels.geometry) for one in found],
            "lesionary, as_published": lambda: [
                as_published(one, labels.geometry) for one in found
            ],
            "OpenCV on crops, boxes known": lambda: rectangles(numbered, boxes),
            "OpenCV on crops": lambda: rectangles(numbered, ndimage.find_objects(numbered)),
        },
    )
    with_cc3d = {"cc3d + OpenCV": lambda: cc3d_and_opencv(image, array)} if has_cc3d else {}
    race(
        "11 a whole scan: instances, volume, mean, diameters",
        repeats,
        {
            "lesionary, caliper": lambda: measure_lesions(volume, labels),
            "lesionary, as_published": lambda: measure_lesions(volume, labels, published),
            **with_cc3d,
            "scipy + OpenCV": lambda: scipy_and_opencv(image, array),
            "SimpleITK, no diameters": lambda: simpleitk_statistics(image, array),
            "scikit-image + OpenCV on whole slices": lambda: scikit_image_and_opencv(image, array),
        },
    )


if __name__ == "__main__":
    main()
