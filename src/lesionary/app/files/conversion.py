"""``file convert``: one volume under a name, or a folder of them.

A series is read, written and forgotten before the next one.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesionary.app.files.reading import (
    IMAGE_ENDINGS,
    PathLike,
    Reading,
    require_ending,
)
from lesionary.app.files.single import (
    FoundSeries,
    ImageKey,
    ImageSource,
    described,
    none_or_many,
    open_images,
    refusal,
    require_no_input,
)
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.findings import Finding
from lesionary.core.volume import LabelMap, Quantity, Volume
from lesionary.ingest.series import SeriesSummary
from lesionary.io.checked_images import write_checked
from lesionary.io.durable import partial_name, writing
from lesionary.io.sources import SourceFinding

OTHER_ENDINGS = (".dcm", ".gz", ".hdr", ".img", ".jpg", ".json", ".mhd", ".nhdr", ".png", ".tif")
"""Endings that a user means as a file's: no folder is made under such a name."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What ``convert`` wrote, and what it left out."""

    rows: list[dict[str, Any]]
    refused: tuple[SourceFinding, ...]


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
    is_one = str(target).lower().endswith(IMAGE_ENDINGS)
    if not is_one and str(target).lower().endswith(OTHER_ENDINGS) and not Path(target).is_dir():
        require_ending(target)
    write = convert_one if is_one else convert_folder
    with open_images(Path(source), reading or Reading()) as found:
        return write(found, Path(target), series=series, quantity=quantity)


def convert_one(
    found: ImageSource, target: Path, *, series: str | None, quantity: str
) -> Converted:
    """Write the one image that there is, or that ``series`` names, under a name.

    Raises
    ------
    InputError
        If it is not one.
    """
    require_no_input(require_ending(target), found)
    one: FoundSeries | None = None
    listed: list[str] = []
    # Of other series nothing is asked, so they are not even read.
    uid = series if series is not None and found.has_uid(series) else None
    for _, image in _chosen(found.images(uid), series if uid is None else None, found):
        one = one or image
        listed.append(described(image))
    if one is None or len(listed) > 1:
        raise none_or_many(found, listed)
    volume = in_quantity(one, quantity)
    try:
        write_checked(target, volume)
    except LesionaryError as error:
        raise error.at(str(target)) from None
    refused = found.refused if series is None else []
    return Converted([_row(target, volume, one.name, one.series.findings)], tuple(refused))


def convert_folder(
    found: ImageSource, target: Path, *, series: str | None, quantity: str
) -> Converted:
    """Write every image, and what was drawn on it, into a folder; a failure leaves nothing.

    Raises
    ------
    InputError
        If nothing can be converted.
    """
    folder = _PendingFolder(target)
    names: dict[ImageKey, str] = {}
    summaries: dict[ImageKey, SeriesSummary] = {}

    def seen() -> Iterator[FoundSeries]:
        for image in found.images():
            summaries[image.key] = image.series.summary
            yield image

    try:
        for place, image in _chosen(seen(), series, found):
            try:
                is_pet = image.series.volume.modality == "PT"
                volume = in_quantity(image, quantity if is_pet else "native")
            except InputError as error:
                found.refused.append(refusal(image.name, image.number, error))
                continue
            names[image.key] = f"{place:03d}_{volume.modality}"
            folder.add(names[image.key], volume, image.name, image.series.findings)
        for mask in found.masks(summaries):
            if mask.image in names:
                folder.add(f"{names[mask.image]}_mask", mask.label_map, mask.name)
        if not folder.rows:
            raise none_or_many(found, [])
        if quantity != "native" and not folder.has(quantity):
            raise _no_suv("no PET is there", found.source)
        return Converted(folder.settle(found), tuple(found.refused))
    finally:
        folder.discard()


def _no_suv(reason: str, source: str) -> InputError:
    return InputError(
        f"no body-weight SUV: {reason}",
        code="suv_unknown",
        hint="convert it with --quantity native",
        source=source,
    )


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
        raise _no_suv(image.series.suv_reason or "not a PET", image.name)
    from lesionary.prepare.suv import to_suvbw

    return to_suvbw(volume, image.series.suv_factor)


def _chosen(
    images: Iterator[FoundSeries], series: str | None, found: ImageSource
) -> Iterator[tuple[int, FoundSeries]]:
    """Yield the images that ``series`` names, with their places; all where it names none."""
    by_uid = series is not None and found.has_uid(series)
    n_images = 0
    is_found = False
    for place, image in enumerate(images):
        n_images += 1
        name = image.series.identity.series_instance_uid if by_uid else str(place)
        if series is None or series == name:
            is_found = True
            yield place, image
    if n_images and not is_found and not by_uid:
        raise InputError(
            "no series goes by that UID or number",
            code="usage",
            hint=f"numbers go from 0 to {n_images - 1}",
            source=found.source,
        )


@dataclass(slots=True)
class _PendingFolder:
    """Files under a temporary folder, until all are written."""

    target: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    _folder: Path = field(init=False)

    def __post_init__(self) -> None:
        if self.target.exists() and not self.target.is_dir():
            raise InputError(
                "a file stands where the folder should go",
                code="not_writable",
                source=str(self.target),
            )
        self._folder = partial_name(self.target.absolute())

    def add(
        self, name: str, image: Volume | LabelMap, source: str, findings: Sequence[Finding] = ()
    ) -> None:
        """Write one file; a name that is taken gets a number."""
        taken = {row["output"] for row in self.rows}
        path = self.target / f"{name}.nii.gz"
        number = 1
        while str(path) in taken:
            path = self.target / f"{name}_{number}.nii.gz"
            number += 1
        with writing():
            self._folder.mkdir(parents=True, exist_ok=True)
        write_checked(self._folder / path.name, image)
        self.rows.append(_row(path, image, source, findings))

    def has(self, quantity: str) -> bool:
        """Tell whether an image in this quantity was written."""
        return any(row["quantity"] == quantity for row in self.rows)

    def settle(self, found: ImageSource) -> list[dict[str, Any]]:
        """Give the files their places; return their rows, each image ahead of its masks."""
        self.rows.sort(key=lambda row: int(Path(row["output"]).name.partition("_")[0]))
        paths = [Path(row["output"]) for row in self.rows]
        for path in paths:
            require_no_input(path, found)
        with writing():
            self.target.mkdir(parents=True, exist_ok=True)
            for path in paths:
                (self._folder / path.name).replace(path)
        return self.rows

    def discard(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self._folder, ignore_errors=True)


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
