"""Which mask belongs to which image, by names alone: nothing is opened, nothing is guessed.

Three ways, in this order: the recist layout's folders; ``--reader-from``; and names as people give
them, ``X`` or ``X_image`` beside ``X_mask``, or sibling folders ``images`` and ``masks``. A file
named as a mask is never an image. What fits no image, or several, is left out with its reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.file_names import FileName, parse_name, stem_of
from lesionary.ingest.reader_pattern import NamedParts, ReaderPattern
from lesionary.ingest.recist_names import REGIONS, RecistName, metadata_role, parse_recist_name

FileRole = Literal["image", "json", "table"]

_IMAGE_READERS = frozenset(
    {"ct", "pet", "pt", "mr", "mri", "t1", "t2", "flair", "img", "image", "images", "scan"}
)

_ORPHAN = Finding(
    "orphan_reference",
    Outcome.LEFT_OUT,
    "no image goes by this mask's name",
    "name them X and X_mask, or put them into folders images and masks under one name",
)
_AMBIGUOUS = Finding(
    "ambiguous_reference",
    Outcome.LEFT_OUT,
    "more than one image goes by this mask's name",
    "name them X and X_mask, one image a mask",
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One file as pairing sees it.

    Parameters
    ----------
    number : int
        Its number among the sources.
    place : str
        Its path with ``/``, archives being folders.
    below : str
        The part of it below the user's argument.
    role : {"image", "json", "table"}
        What its content is; masks are image files too.
    """

    number: int
    place: str
    below: str
    role: FileRole


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image file.

    Parameters
    ----------
    number : int
        Its number among the sources.
    names : tuple of str
        What a ``boxes.csv`` may call it: its path below the argument, its name, its name without
        ending, and without the word that says image.
    subject, timepoint : str, optional
        As its path says, by ``--reader-from`` or the recist layout; text, as it stands.
    region, subset, uuid : str, optional
        As the recist layout's folders and names say.
    """

    number: int
    names: tuple[str, ...]
    subject: str | None = None
    timepoint: str | None = None
    region: str | None = None
    subset: str | None = None
    uuid: str | None = None


@dataclass(frozen=True, slots=True)
class MaskEntry:
    """One mask file with its image.

    Parameters
    ----------
    number, image : int
        Numbers among the sources.
    reader, label : str, optional
        As ``--reader-from`` found them.
    labels_file : int, optional
        Number of the JSON file with its label texts.
    """

    number: int
    image: int
    reader: str | None = None
    label: str | None = None
    labels_file: int | None = None


@dataclass(frozen=True, slots=True)
class RecistTables:
    """Numbers of the tables of one recist layout, None where one is not there."""

    root: str
    patients: int | None = None
    series: int | None = None
    windows: int | None = None
    measurements: int | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """All files, each in one place.

    Parameters
    ----------
    images, masks : tuple of ImageEntry, tuple of MaskEntry
        In the order of their numbers.
    boxes : tuple of int
        Numbers of ``boxes.csv`` files.
    recist : tuple of RecistTables
        One a layout.
    problems : tuple of (int, Finding)
        Masks left out: ``orphan_reference`` or ``ambiguous_reference``.
    unused : tuple of int
        JSON files and tables that belong to nothing here.
    """

    images: tuple[ImageEntry, ...]
    masks: tuple[MaskEntry, ...]
    boxes: tuple[int, ...]
    recist: tuple[RecistTables, ...]
    problems: tuple[tuple[int, Finding], ...]
    unused: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A file with all that its name says."""

    file: NamedFile
    name: FileName
    recist: RecistName | None
    parts: NamedParts | None

    @property
    def is_mask(self) -> bool:
        if self.recist is not None:
            return self.recist.role != "images"
        if self.parts is None or self.parts.reader is None:
            return self.name.is_mask
        is_scan = (
            self.name.says_image
            or parse_name(self.file.below).in_images
            or self.parts.reader.lower() in _IMAGE_READERS
        )
        return self.name.says_mask or not is_scan

    @property
    def visit(self) -> tuple[str | None, str | None] | None:
        """Subject and time point, where the pattern tells at least one."""
        if self.parts is None or self.parts.subject == self.parts.timepoint is None:
            return None
        return (self.parts.subject, self.parts.timepoint)


def pair(files: Iterable[NamedFile], pattern: ReaderPattern | None = None) -> Pairing:
    """Sort files into images and masks, and give each mask its image.

    Parameters
    ----------
    files : iterable of NamedFile
        All image files, JSON files and tables of one call.
    pattern : ReaderPattern, optional
        ``--reader-from``. It tells reader, subject, time point and label; a file it matches is a
        mask, unless it is named as an image or its reader is a modality (``CT``).

    Returns
    -------
    Pairing
        Empty where there are no files.
    """
    files = sorted(files, key=lambda file: file.number)
    tables = _recist_tables(files)
    roots = {table.root for table in tables}
    known = [_known(file, pattern, roots) for file in files if file.role == "image"]
    images = [one for one in known if not one.is_mask]
    masks = [one for one in known if one.is_mask]
    found = _Images(images, masks)
    labels = {file.place: file.number for file in files if file.role == "json"}

    entries: list[MaskEntry] = []
    problems: list[tuple[int, Finding]] = []
    owners: dict[int, list[_Known]] = defaultdict(list)
    for mask in masks:
        candidates = found.of(mask)
        if len(candidates) != 1:
            problems.append((mask.file.number, _AMBIGUOUS if candidates else _ORPHAN))
            continue
        owners[candidates[0].file.number].append(mask)
        entries.append(_mask_entry(mask, candidates[0], labels))
    boxes = tuple(f.number for f in files if f.role == "table" and _is_boxes(f.place))
    used = {*boxes, *_numbers_of(tables), *(entry.labels_file for entry in entries)}
    return Pairing(
        images=tuple(_image_entry(image, owners[image.file.number]) for image in images),
        masks=tuple(entries),
        boxes=boxes,
        recist=tables,
        problems=tuple(problems),
        unused=tuple(f.number for f in files if f.role != "image" and f.number not in used),
    )


def _is_boxes(place: str) -> bool:
    return place.rpartition("/")[2].lower() == "boxes.csv"


def _recist_tables(files: Sequence[NamedFile]) -> tuple[RecistTables, ...]:
    tables: dict[str, dict[str, int]] = defaultdict(dict)
    for file in files:
        found = metadata_role(file.place) if file.role != "image" else None
        if found is not None:
            root, role = found
            tables[root][role] = file.number
    return tuple(
        RecistTables(
            root,
            patients=roles.get("patients"),
            series=roles.get("series"),
            windows=roles.get("windows"),
            measurements=roles.get("measurements"),
        )
        for root, roles in tables.items()
    )


def _numbers_of(tables: Iterable[RecistTables]) -> set[int | None]:
    return {
        number
        for table in tables
        for number in (table.patients, table.series, table.windows, table.measurements)
    }


def _known(file: NamedFile, pattern: ReaderPattern | None, roots: set[str]) -> _Known:
    recist = parse_recist_name(file.place)
    if recist is not None and recist.region not in REGIONS and recist.root not in roots:
        recist = None
    parts = pattern.match(file.below) if pattern is not None and recist is None else None
    return _Known(file, parse_name(file.place), recist, parts)


class _Images:
    """Images by everything a mask may share with them."""

    def __init__(self, images: Sequence[_Known], masks: Sequence[_Known]) -> None:
        self._by: dict[tuple[object, ...], list[_Known]] = defaultdict(list)
        self._n_masks: dict[str, int] = defaultdict(int)
        for image in images:
            for address in _addresses_of_image(image):
                self._by[address].append(image)
        for mask in masks:
            if mask.name.in_masks:
                self._n_masks[mask.name.root] += 1

    def of(self, mask: _Known) -> list[_Known]:
        """Return the one image that fits a mask, by the most exact way that leaves one.

        None fits, or no way leaves just one: all that fit by the most exact way that fits any.
        """
        several: list[_Known] = []
        for address in _addresses_of_mask(mask):
            found = self._by.get(address, [])
            if len(found) == 1 and (address[0] != "one each" or self._is_alone(mask)):
                return found
            if address[0] != "one each":
                several = several or found
        return several

    def _is_alone(self, mask: _Known) -> bool:
        return self._n_masks[mask.name.root] == 1


def _addresses_of_image(image: _Known) -> list[tuple[object, ...]]:
    name, recist = image.name, image.recist
    if recist is not None:
        layout = (recist.root, recist.region, recist.subset)
        return [("recist", *layout, recist.patient, recist.uuid), ("recist", *layout, recist.uuid)]
    addresses: list[tuple[object, ...]] = [
        ("folder and key", name.folder, name.key),
        ("folder", name.folder),
        ("key", name.key),
    ]
    if image.visit is not None:
        addresses.append(("visit", *image.visit))
    if name.in_images:
        addresses += [("sibling", name.root, name.below, name.key), ("one each", name.root)]
    return addresses


def _addresses_of_mask(mask: _Known) -> list[tuple[object, ...]]:
    name, recist = mask.name, mask.recist
    if recist is not None:
        layout = (recist.root, recist.region, recist.subset)
        return [("recist", *layout, recist.patient, recist.uuid), ("recist", *layout, recist.uuid)]
    addresses: list[tuple[object, ...]] = [("folder and key", name.folder, name.key)]
    if name.in_masks:
        addresses += [("sibling", name.root, name.below, name.key), ("one each", name.root)]
    if not name.key:
        addresses.append(("folder", name.folder))
    if mask.parts is not None and mask.parts.reader is not None:
        visits = [] if mask.visit is None else [("visit", *mask.visit)]
        addresses = [*visits, *addresses, ("folder", name.folder), ("key", name.key)]
    return addresses


def _mask_entry(mask: _Known, image: _Known, labels: dict[str, int]) -> MaskEntry:
    parts = mask.parts or NamedParts()
    return MaskEntry(
        number=mask.file.number,
        image=image.file.number,
        reader=parts.reader,
        label=parts.label,
        labels_file=next(
            (labels[place] for place in _label_places(mask, image) if place in labels), None
        ),
    )


def _label_places(mask: _Known, image: _Known) -> list[str]:
    """Return where a mask's label texts may lie, the nearest first."""
    name = mask.name
    stems = [name.stem, image.name.stem, name.key]
    if mask.recist is not None and image.recist is not None:
        patient = mask.recist.patient or image.recist.patient
        stems += [mask.recist.uuid, f"{patient}_{mask.recist.uuid}"]
    above = name.folder.rpartition("/")[0]
    below = f"/{name.below}" if name.below else ""
    beside = [f"{name.root}/labels{below}"] if name.in_masks else [f"{name.folder}/labels"]
    folders = [*beside, f"{above}/labels"]
    places = [f"{name.folder}/{name.stem}.json"]
    places += [f"{folder}/{stem}.json" for folder in folders for stem in stems if stem]
    return [place.lstrip("/") if not name.folder.startswith("/") else place for place in places]


def _image_entry(image: _Known, masks: Sequence[_Known]) -> ImageEntry:
    place, below = image.file.place, image.file.below
    name = place.rpartition("/")[2]
    recist = image.recist
    visits = {mask.visit for mask in masks if mask.visit is not None}
    inherited = visits.pop() if image.visit is None and len(visits) == 1 else (None, None)
    subject, timepoint = image.visit or inherited
    if recist is not None:
        subject = recist.patient
    names = dict.fromkeys([below, name, stem_of(name), image.name.key])
    return ImageEntry(
        number=image.file.number,
        names=tuple(one for one in names if one),
        subject=subject,
        timepoint=timepoint,
        region=recist.region if recist else None,
        subset=recist.subset if recist else None,
        uuid=recist.uuid if recist else None,
    )
