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
from lesionary.ingest.file_names import stem_of
from lesionary.ingest.name_clues import (
    ONE_EACH,
    Address,
    NameClues,
    addresses_of_image,
    addresses_of_mask,
    clues_of,
    label_places,
)
from lesionary.ingest.reader_pattern import NamedParts, ReaderPattern
from lesionary.ingest.recist_names import RecistTables, recist_tables

FileRole = Literal["image", "json", "table"]

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
    clues: NameClues


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
    tables = recist_tables((f.number, f.place) for f in files if f.role != "image")
    roots = {table.root for table in tables}
    known = [
        _Known(file, clues_of(file.place, file.below, pattern, roots))
        for file in files
        if file.role == "image"
    ]
    images = [one for one in known if not one.clues.is_mask]
    masks = [one for one in known if one.clues.is_mask]
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
    used = {*boxes, *(entry.labels_file for entry in entries)}
    used |= {number for table in tables for number in table.numbers}
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


class _Images:
    """Images by everything a mask may share with them."""

    def __init__(self, images: Sequence[_Known], masks: Sequence[_Known]) -> None:
        self._by: dict[Address, list[_Known]] = defaultdict(list)
        self._n_masks: dict[str, int] = defaultdict(int)
        for image in images:
            for address in addresses_of_image(image.clues):
                self._by[address].append(image)
        for mask in masks:
            if mask.clues.name.in_masks:
                self._n_masks[mask.clues.name.root] += 1

    def of(self, mask: _Known) -> list[_Known]:
        """Return the one image that fits a mask, by the most exact way that leaves one.

        None fits, or no way leaves just one: all that fit by the most exact way that fits any.
        """
        several: list[_Known] = []
        for address in addresses_of_mask(mask.clues):
            found = self._by.get(address, [])
            if len(found) == 1 and (address[0] != ONE_EACH or self._is_alone(mask)):
                return found
            if address[0] != ONE_EACH:
                several = several or found
        return several

    def _is_alone(self, mask: _Known) -> bool:
        return self._n_masks[mask.clues.name.root] == 1


def _mask_entry(mask: _Known, image: _Known, labels: dict[str, int]) -> MaskEntry:
    parts = mask.clues.parts or NamedParts()
    return MaskEntry(
        number=mask.file.number,
        image=image.file.number,
        reader=parts.reader,
        label=parts.label,
        labels_file=next(
            (labels[place] for place in label_places(mask.clues, image.clues) if place in labels),
            None,
        ),
    )


def _image_entry(image: _Known, masks: Sequence[_Known]) -> ImageEntry:
    place, below = image.file.place, image.file.below
    name = place.rpartition("/")[2]
    clues = image.clues
    recist = clues.recist
    visits = {one.clues.visit for one in masks if one.clues.visit is not None}
    inherited = visits.pop() if clues.visit is None and len(visits) == 1 else (None, None)
    subject, timepoint = clues.visit or inherited
    if recist is not None:
        subject = recist.patient
    names = dict.fromkeys([below, name, stem_of(name), clues.name.key])
    return ImageEntry(
        number=image.file.number,
        names=tuple(one for one in names if one),
        subject=subject,
        timepoint=timepoint,
        region=recist.region if recist else None,
        subset=recist.subset if recist else None,
        uuid=recist.uuid if recist else None,
    )
