"""``lesionary file clean``: clean-up rules on one mask file, without a study."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.files.reading import PathLike, Reading, require_ending
from lesionary.app.files.single import open_images, read_mask, read_one_image
from lesionary.core.errors import GeometryMismatchError, InputError, LesionaryError

if TYPE_CHECKING:
    from lesionary.annotate.clean_up import Rule
    from lesionary.core.volume import Geometry, LabelMap, Volume


def clean(
    mask: PathLike,
    *,
    output: PathLike,
    rules: Sequence[str],
    image: PathLike | None = None,
    anatomy: PathLike | None = None,
    removed: PathLike | None = None,
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Apply clean-up rules to a mask file, one after the other.

    Parameters
    ----------
    mask : path
        NIfTI, NRRD or MetaImage; one value a label. It is never written over.
    output : path
        The cleaned mask, on the mask's exact grid.
    rules : sequence of str
        As :func:`lesionary.annotate.clean_up.parse_rule` reads them, such as
        ``intensity:-300..500``; at least one.
    image : path, optional
        A file, or a folder with one DICOM series; ``intensity`` needs it.
    anatomy : path, optional
        A mask of organs; ``within`` needs it where it names no labels of the mask itself.
    removed : path, optional
        Where to write a map of what went: the number of the step that took each voxel.

    Image and anatomy lie on the mask's grid, or on one that is a signed permutation of it.

    Returns
    -------
    dict
        ``{output, removed, voxels, volume_ml, removed_voxels, steps: [{step, rule, removed_voxels,
        labels: [{label, voxels_before, voxels_after, …}]}]}``.

    Raises
    ------
    InputError
        A rule that is written wrong or lacks its image or anatomy, an input that cannot be read,
        or an output that is one of the inputs.
    """
    from lesionary.annotate.clean_up import Context, apply_rules
    from lesionary.measure.diameter import caliper

    parsed = _parsed(rules)
    how = reading or Reading()
    targets = [require_ending(path) for path in (output, removed) if path is not None]
    _require_new(targets, [path for path in (mask, anatomy) if path is not None])
    drawn = read_mask(Path(mask), how)
    context = Context(
        image=None if image is None else _image_on(image, drawn.geometry, mask, targets, how),
        anatomy=None if anatomy is None else _anatomy_on(anatomy, drawn.geometry, mask, how),
        diameter_mm=lambda component, geometry: caliper(component, geometry).long_axis_mm,
    )
    cleaned = apply_rules(drawn, parsed, context)
    _write(targets[0], cleaned.result)
    if removed is not None:
        _write(targets[1], cleaned.removed_map)
    n_voxels = int((cleaned.result.array != 0).sum())
    return {
        "output": str(output),
        **({} if removed is None else {"removed": str(removed)}),
        "voxels": n_voxels,
        "volume_ml": n_voxels * drawn.geometry.voxel_volume_mm3 / 1000,
        "removed_voxels": sum(step.n_removed for step in cleaned.steps),
        "steps": [step.to_json() for step in cleaned.steps],
    }


def _parsed(rules: Sequence[str]) -> "list[Rule]":
    from lesionary.annotate.clean_up import RULE_NAMES, parse_rule

    if not rules:
        hint = f"name one or more with --rule: {', '.join(RULE_NAMES)}"
        raise InputError("no rule is named", code="usage", hint=hint)
    parsed = []
    for text in rules:
        try:
            parsed.append(parse_rule(text))
        except InputError as error:
            raise error.at(text) from None
    return parsed


def _require_new(targets: Sequence[Path], inputs: Sequence[PathLike]) -> None:
    """Refuse to write over an input, or twice to one file."""
    present = [Path(path) for path in inputs if Path(path).exists()]
    for target in targets:
        if target.exists() and any(target.samefile(path) for path in present):
            raise _is_an_input(target)
    if len({target.absolute() for target in targets}) < len(targets):
        message = "the cleaned mask and the map of what went cannot be one file"
        raise InputError(message, code="usage", source=str(targets[0]))


def _is_an_input(target: Path) -> InputError:
    return InputError(
        "the output is one of the inputs",
        code="usage",
        hint="name another file: an input is never written over",
        source=str(target),
    )


def _image_on(
    image: PathLike, geometry: "Geometry", mask: PathLike, targets: Sequence[Path], reading: Reading
) -> "Volume":
    """Read the image and list its voxels in the mask's order."""
    from dataclasses import replace

    with open_images(Path(image), reading) as found:
        for target in targets:
            if found.holds(target):
                raise _is_an_input(target)
        volume = read_one_image(found).volume
    order = geometry.order_of(volume.geometry)
    if order is None:
        raise _mismatch(geometry, volume.geometry, (str(image), str(mask)))
    invalid = None if volume.invalid is None else order.apply(volume.invalid)
    return replace(volume, array=order.apply(volume.array), geometry=geometry, invalid=invalid)


def _mismatch(
    mask: "Geometry", image: "Geometry", sources: tuple[str, str]
) -> GeometryMismatchError:
    how = f"{_times(mask.shape)} against {_times(image.shape)}"
    if mask.shape == image.shape:
        how = f"corners lie up to {mask.largest_corner_distance_mm(image):.3f} mm apart"
    return GeometryMismatchError(
        f"the mask's voxels are not the image's: {how}",
        hint="resample the mask to its image, with nearest neighbours",
        source=sources[1],
        sources=sources,
    )


def _times(shape: tuple[int, int, int]) -> str:
    return " × ".join(str(n) for n in shape)


def _anatomy_on(
    anatomy: PathLike, geometry: "Geometry", mask: PathLike, reading: Reading
) -> "LabelMap":
    from lesionary.ingest.file_gate import label_map_on

    try:
        return label_map_on(read_mask(Path(anatomy), reading), geometry)[0]
    except GeometryMismatchError as error:
        error.sources = (str(mask), str(anatomy))
        raise error.at(str(anatomy)) from None


def _write(target: Path, label_map: "LabelMap") -> None:
    from lesionary.io.checked_images import write_checked

    try:
        write_checked(target, label_map)
    except LesionaryError as error:
        raise error.at(str(target)) from None
