"""One image for a ``file`` verb, wherever it comes from: a file, a DICOM folder, an archive.

Errors name files as the user gave them; nothing is stored.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lesionary.app.files.reading import Reading, overwriting
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import LabelMap, Quantity, Volume
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.modality import modality_of_name
from lesionary.ingest.pairing import MaskEntry, pair
from lesionary.ingest.series import ImageSeries, SeriesIdentity, SeriesSummary
from lesionary.io.sources import SourceFile, SourceFinding, open_sources

if TYPE_CHECKING:
    from lesionary.ingest.grouping import SeriesCandidate

ANYONE = "anyone"
"""Subject of files that name none: a ``file`` verb numbers nobody."""


@dataclass(frozen=True, slots=True)
class OneImage:
    """An image with what the gate said of it."""

    volume: Volume
    findings: tuple[Finding, ...]


ImageKey: TypeAlias = tuple[int, int]
"""Number of an image's first file, and which of the images is meant that this file holds."""


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """An image of a source, with the number and name of its first file."""

    number: int
    name: str
    series: ImageSeries
    part: int = 0

    @property
    def key(self) -> ImageKey:
        """What tells it from the other images of the source."""
        return self.number, self.part


@dataclass(frozen=True, slots=True)
class FoundMask:
    """What was drawn on an image: the image's key among the sources, and one layer."""

    image: ImageKey
    name: str
    label_map: LabelMap


@dataclass(slots=True)
class ImageSource:
    """Everything of a source that can be read as an image; one volume is in memory at a time.

    Parameters
    ----------
    source : str
        As the user named it.
    files : tuple of SourceFile
        All that is there.
    candidates : tuple of SeriesCandidate
        DICOM series, before the gate.
    drawings : tuple of InstanceHeader
        RTSTRUCT and SEG.
    mask_files : tuple of MaskEntry
        Image files that are named as the mask of another.
    refused : list of SourceFinding
        What was left out; grows while images and masks are read.
    """

    source: str
    reading: Reading
    files: tuple[SourceFile, ...]
    candidates: "tuple[SeriesCandidate, ...]"
    drawings: tuple[InstanceHeader, ...]
    mask_files: tuple[MaskEntry, ...]
    refused: list[SourceFinding]

    def images(self, uid: str | None = None) -> Iterator[FoundSeries]:
        """Read image after image; of DICOM only the series of that UID, where one is given."""
        from lesionary.io.dicom.series import load_series

        names = self._names()
        parts = Counter[int]()
        for candidate in self.candidates:
            part = parts[candidate.number]
            parts[candidate.number] += 1
            if uid is not None and candidate.slices[0].series_instance_uid != uid:
                continue
            name = names[candidate.number]
            loaded = load_series(candidate, self.reading.limits, subject=ANYONE)
            if isinstance(loaded, tuple):
                self._refuse(name, candidate.number, loaded)
            else:
                yield FoundSeries(candidate.number, name, loaded, part)
        masks = {entry.number for entry in self.mask_files}
        for file in self.files:
            if uid is None and file.kind.is_image_file and file.number not in masks:
                try:
                    yield _read_file(file, self.reading)
                except LesionaryError as error:
                    self.refused.append(refusal(file.name, file.number, error))

    def has_uid(self, uid: str) -> bool:
        """Tell whether a DICOM series goes by this SeriesInstanceUID."""
        return any(one.slices[0].series_instance_uid == uid for one in self.candidates)

    def masks(self, images: Mapping[ImageKey, SeriesSummary]) -> Iterator[FoundMask]:
        """Lay drawing after drawing on its image, then every mask file."""
        keys, summaries = list(images), list(images.values())
        for header in self.drawings:
            try:
                yield from self._lay(header, keys, summaries)
            except LesionaryError as error:
                self.refused.append(refusal(self._names()[header.number], header.number, error))
        for entry in self.mask_files:
            if (entry.image, 0) in images:
                name = self._names()[entry.number]
                try:
                    yield self._read_mask_file(entry, name, images[entry.image, 0])
                except LesionaryError as error:
                    self.refused.append(refusal(name, entry.number, error))

    def holds(self, path: Path) -> bool:
        """Tell whether a file is one of those that are read."""
        try:
            target = path.stat()
        except OSError:  # not there, or a name that no file can have
            return False
        inputs = [Path(self.source), *(file.path for file in self.files)]
        return any(os.path.samestat(target, one.stat()) for one in inputs if one.is_file())

    def _lay(
        self, header: InstanceHeader, keys: list[ImageKey], summaries: list[SeriesSummary]
    ) -> Iterator[FoundMask]:
        from lesionary.app.intake.overlay import lay_on, read_drawing
        from lesionary.ingest.labels import LabelRules
        from lesionary.ingest.place import folder_of
        from lesionary.ingest.reference_clues import clues_of
        from lesionary.ingest.references import image_of

        name = self._names()[header.number]
        drawing = read_drawing(header, self.reading.limits)
        clues = clues_of(drawing, header, study_instance_uid=header.study_instance_uid)
        found = image_of(drawing, summaries, folder=folder_of(header), clues=clues)
        if isinstance(found, Finding):
            self._refuse(name, header.number, [found])
            return
        overlay = lay_on(drawing, summaries[found].geometry, LabelRules())
        self._refuse(name, header.number, overlay.refusals)
        for _, label_map in overlay.label_maps:
            yield FoundMask(keys[found], name, label_map)

    def _read_mask_file(self, entry: MaskEntry, name: str, image: SeriesSummary) -> FoundMask:
        from lesionary.ingest.file_gate import label_map_on

        (path,) = (file.path for file in self.files if file.number == entry.number)
        label_map, _ = label_map_on(read_mask(path, self.reading), image.geometry)
        return FoundMask((entry.image, 0), name, label_map)

    def _refuse(self, name: str, number: int, findings: Iterable[Finding]) -> None:
        left_out = [one for one in findings if one.outcome is Outcome.LEFT_OUT]
        self.refused += [SourceFinding(name, number, finding) for finding in left_out]

    def _names(self) -> dict[int, str]:
        return {file.number: file.name for file in self.files}


def read_one_image(source: ImageSource) -> OneImage:
    """Read the one image that a source holds.

    Raises
    ------
    InputError
        If it holds none, or several: then the list tells which.
    """
    one: FoundSeries | None = None
    listed: list[str] = []
    for image in source.images():
        one = one or image
        listed.append(described(image))
    if one is None or len(listed) > 1:
        raise none_or_many(source, listed)
    return OneImage(one.series.volume, one.series.findings)


def read_mask(path: Path, reading: Reading) -> LabelMap:
    """Read a mask file.

    Raises
    ------
    InputError
        If it is no image file, or its numbers are no labels.
    """
    from lesionary.io.image_file import read_image_file

    try:
        image = read_image_file(path, limits=reading.limits, affine=reading.affine)
        return image.as_label_map()[0]
    except LesionaryError as error:
        raise error.at(str(path)) from None


@contextmanager
def open_images(path: Path, reading: Reading) -> Iterator[ImageSource]:
    """Look through everything below ``path``; what cannot be read is listed, not raised."""
    from lesionary.io.dicom.series import group_images, scan_dicom

    try:
        with open_sources([path], reading.limits) as tree:
            scan = scan_dicom(tree.files, reading.limits)
            found = [*tree.findings, *scan.findings]
            yield ImageSource(
                source=str(path),
                reading=reading,
                files=tree.files,
                candidates=group_images(scan.images),
                drawings=scan.references,
                mask_files=pair(tree.named_files(), None).masks,
                refused=[one for one in found if one.finding.outcome is Outcome.LEFT_OUT],
            )
    except InputError as error:
        raise error.at(str(path)) from None


def require_no_input(target: Path, found: ImageSource) -> None:
    """Refuse to write over what is read: scans cannot be had again."""
    if found.holds(target):
        raise overwriting(target)


def described(image: FoundSeries) -> str:
    """Name an image in the list of several."""
    volume = image.series.volume
    return f"{volume.modality} " + " × ".join(str(n) for n in volume.geometry.shape)


def none_or_many(found: ImageSource, images: Sequence[str]) -> InputError:
    """Return the error for a source that does not hold exactly one image."""
    if images:
        listed = "; ".join(f"{number}: {image}" for number, image in enumerate(images))
        return InputError(
            f"it holds {len(images)} series: {listed}",
            code="several_series",
            hint="name one with --series, or give the folder of one",
            source=found.source,
        )
    if not found.refused:
        list(found.masks({}))  # a drawing without its image says so
    if found.refused:
        first = found.refused[0].finding
        more = f" (and {len(found.refused) - 1} more)" if len(found.refused) > 1 else ""
        return InputError(
            first.reason + more,
            code=first.code,
            hint=first.hint or None,
            source=found.source,
            sources=[refused.name for refused in found.refused],
        )
    return InputError(
        "it holds no image",
        code="not_dicom",
        hint="DICOM, NIfTI, NRRD and MetaImage are read",
        source=found.source,
    )


def _read_file(file: SourceFile, reading: Reading) -> FoundSeries:
    from lesionary.io.image_file import read_image_file

    read = read_image_file(file.path, limits=reading.limits, affine=reading.affine)
    identity = SeriesIdentity(folder=file.place.rpartition("/")[0], names=(file.name,))
    modality = modality_of_name(file.below)
    quantity = Quantity.HU if modality == "CT" else Quantity.ARBITRARY
    volume = read.as_volume(modality, quantity)
    return FoundSeries(
        file.number, file.name, ImageSeries(volume, identity, findings=read.findings)
    )


def refusal(name: str, number: int, error: LesionaryError) -> SourceFinding:
    """Return the error about one file of several as the finding that leaves it out."""
    finding = Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")
    return SourceFinding(name, number, finding)
