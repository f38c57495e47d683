"""What a file's name says of it, and by which words of it a mask and its image may meet."""

from dataclasses import dataclass

from lesionary.ingest.file_names import FileName, parse_name
from lesionary.ingest.reader_pattern import NamedParts, ReaderPattern
from lesionary.ingest.recist_names import REGIONS, RecistName, parse_recist_name

Address = tuple[object, ...]
"""One way to name an image: the way's own name, and what an image and its masks share by it."""

ONE_EACH = "one each"
"""The way of sibling folders that hold one image and one mask, whatever those are called."""

_IMAGE_READERS = frozenset(
    {"ct", "pet", "pt", "mr", "mri", "t1", "t2", "flair", "img", "image", "images", "scan"}
)


@dataclass(frozen=True, slots=True)
class NameClues:
    """All that a file's name says.

    Parameters
    ----------
    below : str
        The part of its path below the user's argument.
    name : FileName
        Its path taken apart.
    recist : RecistName, optional
        Its place in a recist layout.
    parts : NamedParts, optional
        What ``--reader-from`` found.
    """

    below: str
    name: FileName
    recist: RecistName | None
    parts: NamedParts | None

    @property
    def is_mask(self) -> bool:
        """Whether it is named as a mask; what it holds counts for nothing."""
        if self.recist is not None:
            return self.recist.role != "images"
        if self.parts is None or self.parts.reader is None:
            return self.name.is_mask
        is_scan = (
            self.name.says_image
            or parse_name(self.below).in_images
            or self.parts.reader.lower() in _IMAGE_READERS
        )
        return self.name.says_mask or not is_scan

    @property
    def visit(self) -> tuple[str | None, str | None] | None:
        """Subject and time point, where the pattern tells at least one."""
        if self.parts is None or self.parts.subject == self.parts.timepoint is None:
            return None
        return (self.parts.subject, self.parts.timepoint)


def clues_of(place: str, below: str, pattern: ReaderPattern | None, roots: set[str]) -> NameClues:
    """Take a file's name apart.

    Parameters
    ----------
    place, below : str
        Its path, and the part of it below the user's argument.
    pattern : ReaderPattern, optional
        ``--reader-from``.
    roots : set of str
        Folders that hold a recist layout's tables; only there any name of a region is one.
    """
    recist = parse_recist_name(place)
    if recist is not None and recist.region not in REGIONS and recist.root not in roots:
        recist = None
    parts = pattern.match(below) if pattern is not None and recist is None else None
    return NameClues(below, parse_name(place), recist, parts)


def addresses_of_image(image: NameClues) -> list[Address]:
    """Return every way to name an image, in no order."""
    name, recist = image.name, image.recist
    if recist is not None:
        layout = (recist.root, recist.region, recist.subset)
        return [("recist", *layout, recist.patient, recist.uuid), ("recist", *layout, recist.uuid)]
    addresses: list[Address] = [
        ("folder and key", name.folder, name.key),
        ("folder", name.folder),
        ("key", name.key),
    ]
    if image.visit is not None:
        addresses.append(("visit", *image.visit))
    if name.in_images:
        addresses += [("sibling", name.root, name.below, name.key), (ONE_EACH, name.root)]
    return addresses


def addresses_of_mask(mask: NameClues) -> list[Address]:
    """Return the ways in which a mask may name its image, the most exact first."""
    name, recist = mask.name, mask.recist
    if recist is not None:
        layout = (recist.root, recist.region, recist.subset)
        return [("recist", *layout, recist.patient, recist.uuid), ("recist", *layout, recist.uuid)]
    addresses: list[Address] = [("folder and key", name.folder, name.key)]
    if name.in_masks:
        addresses += [("sibling", name.root, name.below, name.key), (ONE_EACH, name.root)]
    if not name.key:
        addresses.append(("folder", name.folder))
    if mask.parts is not None and mask.parts.reader is not None:
        visits = [] if mask.visit is None else [("visit", *mask.visit)]
        addresses = [*visits, *addresses, ("folder", name.folder), ("key", name.key)]
    return addresses


def label_places(mask: NameClues, image: NameClues) -> list[str]:
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
