"""``lesionary file interpolate``: a mask drawn on some slices becomes one drawn on all."""

from pathlib import Path
from typing import Any

from lesionary.app.files.reading import PathLike, Reading, require_ending, require_new
from lesionary.app.files.single import read_mask
from lesionary.core.errors import LesionaryError
from lesionary.core.slices.interpolate import Interpolated


def interpolate(
    mask: PathLike,
    *,
    step: int,
    output: PathLike,
    method: str = "shape",
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Fill the slices between those that were drawn.

    Parameters
    ----------
    mask : path
        NIfTI, NRRD or MetaImage, one value a label, drawn on every ``step``-th slice.
    step : int
        Keys further apart are not joined.
    output : path
        ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``; never the mask itself.
    method : {"shape", "linear"}
        See :mod:`lesionary.core.slices.interpolate`.

    Returns
    -------
    dict
        ``{output, method, key_slices, filled_slices, gaps_left, voxels, warnings}``: slices with
        a drawing, slices filled in, gaps wider than ``step`` (label by label), voxels of all
        labels in the output, and what to look at.

    Raises
    ------
    InputError
        If an argument is none, or the mask cannot be read.
    """
    from lesionary.core.slices.interpolate import interpolate as fill
    from lesionary.io.checked_images import write_checked

    target = require_new(require_ending(output), [Path(mask)])
    drawn = read_mask(Path(mask), reading or Reading())
    found = fill(drawn, step, method)  # type: ignore[arg-type]  # checked there
    try:
        write_checked(target, found.label_map)
    except LesionaryError as error:
        raise error.at(str(output)) from None
    return {
        "output": str(output),
        "method": method,
        "key_slices": found.n_key_slices,
        "filled_slices": found.n_filled_slices,
        "gaps_left": len(found.wide_gaps),
        "voxels": int((found.label_map.array != 0).sum()),
        "warnings": _warnings(found, step),
    }


def _warnings(found: Interpolated, step: int) -> list[str]:
    """Name every gap that was left; say so where nothing was drawn."""
    if not found.n_key_slices:
        return ["nothing is drawn: there is nothing to fill"]
    return [
        f"label {gap.value}: slices {gap.first} and {gap.second} lie more than {step} apart,"
        " the gap is left"
        for gap in found.wide_gaps
    ]
