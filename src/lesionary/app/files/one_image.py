"""``file segment`` and ``file measure``: one image, one box or one mask."""

import time
from pathlib import Path
from typing import Any

from lesionary.app.files.reading import (
    PathLike,
    Reading,
    read_texts,
    require_ending,
)
from lesionary.app.files.single import (
    open_images,
    read_mask,
    read_one_image,
    require_no_input,
)
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.volume import LabelMap


def segment(
    image: PathLike,
    *,
    box: str,
    output: PathLike,
    segmenter: str | None = None,
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Turn a box around a lesion into a mask file on the image's exact grid.

    Parameters
    ----------
    image : path
        NIfTI, NRRD, MetaImage, or a folder with one DICOM series.
    box : str
        ``i0,i1,j0,j1,k0,k1``, half-open, in the file's order (DICOM: column, row, slice).
    output : path
        ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``.
    segmenter : str, optional
        ``contour``, ``walker``, ``ellipsoid`` or a plug-in; by default what suits the modality.

    Returns
    -------
    dict
        ``{output, segmenter, voxels, volume_ml, seconds}``.
    """
    import numpy as np

    from lesionary.annotate.prompts import BoxPrompt, parse_box
    from lesionary.annotate.registry import SegmenterRegistry
    from lesionary.io.checked_images import write_checked

    target = require_ending(output)
    prompt = BoxPrompt(parse_box(box))
    with open_images(Path(image), reading or Reading()) as found:
        require_no_input(target, found)
        one = read_one_image(found)
    prompt.require_inside(one.volume.geometry)
    registry = SegmenterRegistry.discover()
    name = segmenter or registry.default_for(one.volume.modality)
    engine = registry.create(name)
    started = time.perf_counter()
    mask = engine.segment(one.volume, prompt)
    seconds = time.perf_counter() - started
    try:
        write_checked(target, LabelMap(mask.array.astype(np.uint16), one.volume.geometry))
    except LesionaryError as error:
        raise error.at(str(output)) from None
    return {
        "output": str(output),
        "segmenter": name,
        "voxels": mask.n_voxels,
        "volume_ml": mask.n_voxels * mask.geometry.voxel_volume_mm3 / 1000,
        "seconds": round(seconds, 3),
    }


def measure(
    image: PathLike,
    mask: PathLike,
    *,
    kind: str = "tumour",
    labels: str | None = None,
    min_voxels: int = 50,
    min_slices: int = 1,
    diameter: str = "caliper",
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Measure every lesion of a mask.

    Parameters
    ----------
    image, mask : path
        On the same grid, or on one that is a signed permutation of the other.
    labels : str, optional
        JSON, or a JSON file, of texts by value: ``{"1": "m,liver"}``.

    Returns
    -------
    dict
        ``{lesions: […], dropped: […]}``, one row a 26-connected instance per label.
    """
    from lesionary.ingest.file_gate import label_map_on
    from lesionary.measure.lesions import MeasureOptions, measure_lesions

    options = MeasureOptions(
        kind=kind,  # type: ignore[arg-type]  # words become members there
        min_voxels=min_voxels,
        min_slices=min_slices,
        diameter=diameter,  # type: ignore[arg-type]
    )
    texts = read_texts(labels)
    with open_images(Path(image), reading or Reading()) as found:
        one = read_one_image(found)
    drawn = read_mask(Path(mask), reading or Reading())
    try:
        drawn, _ = label_map_on(drawn, one.volume.geometry)
    except InputError as error:
        error.sources = (str(image), str(mask))
        raise error.at(str(mask)) from None
    named = LabelMap(drawn.array, one.volume.geometry, texts)
    result: dict[str, Any] = measure_lesions(one.volume, named, options).to_json()
    return result
