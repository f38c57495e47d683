"""Write what ``file convert`` found: one volume under a name, or a folder of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lesionary.app.files import Converted, require_ending
from lesionary.app.single import FoundImages, FoundSeries, none_or_many
from lesionary.core.errors import InputError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import LabelMap, Quantity, Volume
from lesionary.io.checked_images import write_checked
from lesionary.io.sources import SourceFinding


def convert_one(
    found: FoundImages, target: Path, *, series: str | None, quantity: str
) -> Converted:
    """Write the one image that there is, or that ``series`` names, under a name.

    Raises
    ------
    InputError
        If it is not one.
    """
    chosen = _chosen(found, series)
    if len(chosen) != 1:
        raise none_or_many(found)
    image = found.images[chosen[0]]
    volume = in_quantity(image, quantity)
    write_checked(require_ending(target), volume)
    return Converted([_row(target, volume, image.name, image.series.findings)], found.refused)


def convert_folder(
    found: FoundImages, target: Path, *, series: str | None, quantity: str
) -> Converted:
    """Write every image, and what was drawn on it, into a folder.

    Raises
    ------
    InputError
        If nothing can be converted.
    """
    chosen = _chosen(found, series)
    if not chosen:
        raise none_or_many(found)
    refused = list(found.refused)
    rows: list[dict[str, Any]] = []
    target.mkdir(parents=True, exist_ok=True)
    for place in chosen:
        image = found.images[place]
        name = f"{place:03d}_{image.series.volume.modality}"
        try:
            volume = in_quantity(image, quantity)
        except InputError as error:
            finding = Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")
            refused.append(SourceFinding(image.name, image.number, finding))
            continue
        path = target / f"{name}.nii.gz"
        rows.append(_written(path, volume, image.name, image.series.findings))
        masks = [mask for mask in found.masks if mask.image == place]
        for number, mask in enumerate(masks):
            ending = "" if len(masks) == 1 else f"_{number}"
            path = target / f"{name}_mask{ending}.nii.gz"
            rows.append(_written(path, mask.label_map, mask.name, ()))
    if not rows:
        raise none_or_many(FoundImages((), (), tuple(refused), found.source))
    return Converted(rows, tuple(refused))


def in_quantity(image: FoundSeries, quantity: str) -> Volume:
    """Return the image as stored, or in body-weight SUV.

    Raises
    ------
    InputError
        Code ``suv_unknown``, with the reason, where the SUV cannot be known.
    """
    volume = image.series.volume
    if quantity == "native" or volume.quantity is Quantity.SUVBW:
        return volume
    if image.series.suv_factor is None:
        raise InputError(
            f"no body-weight SUV: {image.series.suv_reason or 'not a PET'}",
            code="suv_unknown",
            hint="convert it with --quantity native",
            source=image.name,
        )
    from lesionary.prepare.suv import to_suvbw

    return to_suvbw(volume, image.series.suv_factor)


def _chosen(found: FoundImages, series: str | None) -> list[int]:
    """Return the places of the images that ``series`` names; all where it names none."""
    if series is None:
        return list(range(len(found.images)))
    by_uid = [
        place
        for place, image in enumerate(found.images)
        if image.series.identity.series_instance_uid == series
    ]
    if by_uid:
        return by_uid
    if series.isascii() and series.isdigit() and int(series) < len(found.images):
        return [int(series)]
    raise InputError(
        "no series goes by that UID or number",
        code="usage",
        hint=f"numbers go from 0 to {len(found.images) - 1}",
        source=found.source,
    )


def _written(
    path: Path, image: Volume | LabelMap, source: str, findings: Sequence[Finding]
) -> dict[str, Any]:
    write_checked(path, image)
    return _row(path, image, source, findings)


def _row(
    output: Path, image: Volume | LabelMap, source: str, findings: Sequence[Finding]
) -> dict[str, Any]:
    modality, quantity = ("SEG", "labels")
    if isinstance(image, Volume):
        modality, quantity = image.modality, image.quantity.value
    return {
        "source": source,
        "output": str(output),
        "modality": modality,
        "quantity": quantity,
        "shape": list(image.geometry.shape),
        "spacing_mm": list(image.geometry.spacing_mm),
        "warnings": [f"{finding.code}: {finding.reason}" for finding in findings],
    }
