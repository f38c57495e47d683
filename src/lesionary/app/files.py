"""The steps of a study on single files: what ``lesionary file`` does, for Python too.

>>> from lesionary import files                                     # doctest: +SKIP
>>> files.measure("ct.nii.gz", "mask.nii.gz")["lesions"]            # doctest: +SKIP
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesionary.app.single import ImageSource, open_images, read_mask, read_one_image
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.volume import LabelMap, Quantity
from lesionary.ingest.file_gate import AffineChoice
from lesionary.io.limits import Limits
from lesionary.io.sources import SourceFinding

PathLike = str | os.PathLike[str]
OTHER_ENDINGS = (".dcm", ".gz", ".hdr", ".img", ".jpg", ".json", ".mhd", ".nhdr", ".png", ".tif")
"""Endings that a user means as a file's: no folder is made under such a name."""

IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read."""

    affine: AffineChoice | None = None
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, *, affine: AffineChoice | None, max_volume_bytes: int | None) -> "Reading":
        """Return the defaults with what the command line changes."""
        return cls(affine, Limits().with_changes(volume_bytes=max_volume_bytes))


@dataclass(frozen=True, slots=True)
class Converted:
    """What ``convert`` wrote, and what it left out."""

    rows: list[dict[str, Any]]
    refused: tuple[SourceFinding, ...]


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
    texts = _texts(labels)
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


def convert(
    source: PathLike,
    target: PathLike,
    *,
    series: str | None = None,
    quantity: str = "native",
    reading: Reading | None = None,
) -> Converted:
    """Convert images, and what was drawn on them, into files of another format.

    Parameters
    ----------
    source : path
        A file, a folder or an archive.
    target : path
        Ending in an image format: one volume. Otherwise a folder, one ``.nii.gz`` a series.
    series : str, optional
        SeriesInstanceUID, or a number in the list that the error without it shows.
    quantity : {"native", "suvbw"}
        HU, Bq/ml as stored; or PET in body-weight SUV.

    Raises
    ------
    InputError
        If nothing usable is there, or one volume is asked for and several are there.
    """
    if quantity not in {"native", Quantity.SUVBW}:
        raise InputError(f"quantity is native or suvbw, not {quantity!r}", code="usage")
    from lesionary.app.conversion import convert_folder, convert_one

    is_one = str(target).lower().endswith(IMAGE_ENDINGS)
    if not is_one and str(target).lower().endswith(OTHER_ENDINGS) and not Path(target).is_dir():
        require_ending(target)
    write = convert_one if is_one else convert_folder
    with open_images(Path(source), reading or Reading()) as found:
        return write(found, Path(target), series=series, quantity=quantity)


def require_ending(path: PathLike) -> Path:
    """Return the path, or say which endings are written."""
    target = Path(path)
    if not target.name.lower().endswith(IMAGE_ENDINGS):
        raise InputError(
            "the output's ending names no format that is written",
            code="usage",
            hint=f"choose {', '.join(IMAGE_ENDINGS)}",
            source=str(path),
        )
    if not target.absolute().parent.is_dir():
        raise InputError("the output's folder does not exist", code="not_a_file", source=str(path))
    return target


def require_no_input(target: Path, found: ImageSource) -> None:
    """Refuse to write over what is read: scans cannot be had again."""
    if found.holds(target):
        raise InputError(
            "the output is one of the inputs",
            code="usage",
            hint="name another file: an input is never written over",
            source=str(target),
        )


def _texts(labels: str | None) -> dict[int, str]:
    """Read ``--labels``: JSON as it stands, or a file with it."""
    from lesionary.ingest.sidecars import parse_label_texts

    if labels is None:
        return {}
    is_json = labels.lstrip().startswith(("{", "[", '"'))
    try:
        text = labels if is_json else Path(labels).read_text(encoding="utf-8-sig")
        return parse_label_texts(text)
    except OSError as error:
        message = f"the labels cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        message = "the labels are not UTF-8 text"
    except InputError as error:
        message = error.message
    raise InputError(
        message,
        code="bad_labels",
        hint='give JSON such as {"1": "m,liver"}, or a file with it',
        source=None if is_json else labels,
    )
