"""``file consensus``: one mask of several readers'."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionary.app.files.mask_files import MaskFile, read_on_one_grid
from lesionary.app.files.reading import PathLike, Reading, require_ending, require_new
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.volume import (
    BoolArray,
    FloatArray,
    Geometry,
    LabelArray,
    LabelMap,
    Volume,
)
from lesionary.io.durable import writing

if TYPE_CHECKING:
    from lesionary.core.readers.consensus import Consensus, Method
    from lesionary.core.readers.patterns import ReaderPatterns

NO_MAJORITY = "no voxel was drawn by more than half of the readers"


def consensus(
    masks: Sequence[PathLike],
    *,
    output: PathLike,
    method: str = "staple",
    probability: PathLike | None = None,
    uncertainty: PathLike | None = None,
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Make one mask of several readers', label by label.

    A label is its text where files name their segments, else its value: readers who numbered the
    same texts otherwise are read as one.

    Parameters
    ----------
    masks : sequence of path
        Two or more, on grids that are signed permutations of the first's.
    output : path
        The mask to write, on the first one's grid.
    method : {"staple", "majority"}
        STAPLE takes a voxel from p ≥ 0.5; majority where more than half of the readers drew it.
    probability : path, optional
        Image file for the highest probability of any label in each voxel.
    uncertainty : path, optional
        Image file for how divided the readers are over each voxel, in bits (M11): 0 where all drew
        it or none, 1 where half of them did, of whatever label.

    Returns
    -------
    dict
        ``{output, method, voxels, volume_ml, iterations, readers, labels}``. The top level takes
        all foreground together, ``labels`` one by one.
    """
    from lesionary.agree.labels import same_labels
    from lesionary.agree.uncertainty import reader_entropy
    from lesionary.core.readers.consensus import Method
    from lesionary.core.readers.consensus import consensus as make

    files = [MaskFile(Path(mask), str(mask)) for mask in masks]
    if len(files) < 2:
        raise InputError(
            "a consensus needs two masks or more",
            code="usage",
            sources=[file.name for file in files],
        )
    if method not in set(Method):
        raise InputError(f"a consensus is {' or '.join(Method)}, not {method!r}", code="usage")
    inputs = [file.path for file in files]
    named = {"mask": output, "probability": probability, "uncertainty": uncertainty}
    targets = {what: _target(path, inputs) for what, path in named.items() if path is not None}
    if len({target.resolve() for target in targets.values()}) < len(targets):
        raise InputError(
            f"{' and '.join(targets)} need names of their own", code="usage", source=str(output)
        )
    maps = read_on_one_grid(files, reading or Reading())
    arrays, texts = same_labels(maps)
    found = make(arrays, method)
    geometry = maps[0].geometry
    # The mask comes last: where a map cannot be written, the mask is not.
    if probability is not None:
        _write(targets["probability"], Volume(found.probability(), geometry), str(probability))
    if uncertainty is not None:
        _write(targets["uncertainty"], Volume(reader_entropy(arrays), geometry), str(uncertainty))
    _write(targets["mask"], LabelMap(found.array, geometry, texts), str(output))
    return {"output": str(output), **_document(found, arrays, geometry, texts)}


def _target(output: PathLike, inputs: Sequence[Path]) -> Path:
    try:
        with writing():  # a name may be longer than the system's names
            return require_new(require_ending(output), inputs)
    except LesionaryError as error:
        raise error.at(str(output)) from None


def _write(target: Path, image: Volume | LabelMap, name: str) -> None:
    from lesionary.io.checked_images import write_checked

    try:
        write_checked(target, image)
    except LesionaryError as error:
        raise error.at(name) from None


def _document(
    found: "Consensus",
    arrays: Sequence[LabelArray],
    geometry: Geometry,
    texts: dict[int, str],
) -> dict[str, Any]:
    from lesionary.core.readers.patterns import foreground_patterns

    voxel_ml = geometry.voxel_volume_mm3 / 1000
    foreground = foreground_patterns(arrays)
    return {
        "method": found.method.value,
        **_counted(found.array > 0, voxel_ml),
        **_performance(foreground, found.method),
        "labels": [
            {
                "label": texts.get(value, value),
                "value": value,
                **_counted(found.array == np.uint16(value), voxel_ml),
                **_performance(patterns, found.method),
            }
            for value, patterns in found.patterns.items()
        ],
    }


def _counted(inside: BoolArray, voxel_ml: float) -> dict[str, Any]:
    voxels = int(np.count_nonzero(inside))
    return {"voxels": voxels, "volume_ml": voxels * voxel_ml}


def _performance(patterns: "ReaderPatterns", method: "Method") -> dict[str, Any]:
    """Return iterations, and each reader's sensitivity and specificity against the consensus."""
    from lesionary.core.readers.consensus import NO_BACKGROUND, Method, staple
    from lesionary.core.readers.performance import performance

    if method is Method.STAPLE:
        estimated = staple(patterns)
        iterations, found = estimated.iterations, performance(estimated)
        sensitivity, specificity, why = found.sensitivity, found.specificity, found.reason
    else:
        sensitivity, specificity = _against_majority(patterns)
        iterations, why = 0, {"sensitivity": NO_MAJORITY, "specificity": NO_BACKGROUND}
    rows = []
    for reader in range(patterns.n_readers):
        row: dict[str, Any] = {
            "reader": str(reader + 1),
            "sensitivity": None if sensitivity is None else float(sensitivity[reader]),
            "specificity": None if specificity is None else float(specificity[reader]),
        }
        reason = {name: text for name, text in why.items() if row[name] is None}
        rows.append(row | {"reason": reason} if reason else row)
    return {"iterations": iterations, "readers": rows}


def _against_majority(
    patterns: "ReaderPatterns",
) -> tuple[FloatArray | None, FloatArray | None]:
    """Return each reader's share of the majority's voxels drawn, and of the others left out."""
    from lesionary.core.readers.consensus import majority

    inside = majority(patterns)
    n_inside = int(patterns.counts[inside].sum())
    n_outside = patterns.n_voxels - n_inside
    hit = (patterns.is_drawn & inside) @ patterns.counts
    spared = (~patterns.is_drawn & ~inside) @ patterns.counts
    return (
        hit / n_inside if n_inside else None,
        spared / n_outside if n_outside else None,
    )
