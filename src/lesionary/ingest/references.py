"""Decide which image a structure set or a segmentation was drawn on.

The file's own references come first: single images, then whole series. Where they lead to no image
at hand (UIDs were replaced, the image was exported anew), its place decides: an image of the same
frame of reference on whose slices all of it lies. Ties go to the nearest folder; where folders tell
nothing, to the one image that the drawing's own words, study, time and planes leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.reference_clues import Clues
from lesionary.ingest.series import SeriesSummary
from lesionary.ingest.structures import References


class Drawn(Protocol):
    """What was drawn on an image: a structure, a structure set, a segmentation."""

    @property
    def references(self) -> References:
        """The images that it names."""

    def lies_on(self, geometry: Geometry) -> bool:
        """Tell whether all of it lies on slices of ``geometry``."""


@dataclass(frozen=True, slots=True)
class Match:
    """The image of a drawing, by its place among those at hand.

    ``note`` is there where nothing but the drawing's words, study, time or planes told it.
    """

    image: int
    note: Finding | None = None


def image_of(
    drawn: Drawn, images: Sequence[SeriesSummary], *, folder: str, clues: Clues | None = None
) -> int | Finding:
    """Find the image that ``drawn`` belongs to, as :func:`match` does, without a note."""
    found = match(drawn, images, folder=folder, clues=clues)
    return found if isinstance(found, Finding) else found.image


def match(
    drawn: Drawn, images: Sequence[SeriesSummary], *, folder: str, clues: Clues | None = None
) -> Match | Finding:
    """Find the image that ``drawn`` belongs to.

    Parameters
    ----------
    drawn : Drawn
        A structure set or a segmentation, or one structure of a set.
    images : sequence of SeriesSummary
        All images at hand; their order does not matter.
    folder : str
        Folder of the file, written like :attr:`SeriesIdentity.folder`.
    clues : Clues, optional
        What the drawing says beside UIDs.

    Returns
    -------
    Match or Finding
        A finding where there is none (``orphan_reference``) or where several
        fit equally (``ambiguous_reference``); both leave the object out.

    Notes
    -----
    Images that are named equally well are told apart by whether all of it lies on their slices,
    then by how many of the single images named they hold, then by folder, then by the clues.
    """
    counts = [_count_named(drawn.references, image) for image in images]
    by_image = [index for index, count in enumerate(counts) if count]
    named = by_image or _of_series(drawn.references, images)
    if named:
        fitting = [n for n in named if len(named) > 1 and drawn.lies_on(images[n].geometry)]
        most = max(counts[n] for n in fitting or named)
        candidates = [n for n in fitting or named if counts[n] == most]
    else:
        candidates = _of_place(drawn, images)
    if not candidates:
        return _orphan(drawn.references, images)
    steps = [folder_distance(folder, images[n].identity.folder) for n in candidates]
    nearest = [n for n, distance in zip(candidates, steps, strict=True) if distance == min(steps)]
    if len(nearest) == 1:
        return Match(nearest[0])
    chosen = clues.choose([images[n] for n in nearest]) if clues is not None else None
    if chosen is None:
        return _ambiguous(len(nearest))
    return Match(nearest[chosen], _told_apart(len(nearest)))


def _count_named(references: References, image: SeriesSummary) -> int:
    """Count the single images named that are slices of ``image``.

    A reference to a frame that the image does not have is none to it.
    """
    held = references.sop_instance_uids.intersection(image.identity.sop_instance_uids)
    n_frames = max(image.identity.frames, default=image.geometry.shape[0])
    return sum(references.last_frames.get(uid, 1) <= n_frames for uid in held)


def _of_series(references: References, images: Sequence[SeriesSummary]) -> list[int]:
    return [
        index
        for index, image in enumerate(images)
        if image.identity.series_instance_uid in references.series_instance_uids
    ]


def _of_place(drawn: Drawn, images: Sequence[SeriesSummary]) -> list[int]:
    return [n for n in _of_frame(drawn.references, images) if drawn.lies_on(images[n].geometry)]


def _of_frame(references: References, images: Sequence[SeriesSummary]) -> list[int]:
    return [
        index
        for index, image in enumerate(images)
        if image.identity.frame_of_reference_uid in references.frame_of_reference_uids
    ]


def _orphan(references: References, images: Sequence[SeriesSummary]) -> Finding:
    n_in_frame = len(_of_frame(references, images))
    reason = f"none of the {len(images)} images is the one it names"
    if n_in_frame:
        reason += (
            f", and it does not lie on the slices of the {n_in_frame} in its frame of reference"
        )
    else:
        reason += ", and none lies in its frame of reference"
    hint = "ingest the image together with what was drawn on it"
    return Finding("orphan_reference", Outcome.LEFT_OUT, reason, hint)


def _told_apart(n_images: int) -> Finding:
    return Finding(
        "reference_by_clues",
        Outcome.INGESTED,
        f"{n_images} images fit what was drawn: its words, study, time and planes leave this one",
        "look whether it lies on the right image",
    )


def _ambiguous(n_images: int) -> Finding:
    return Finding(
        "ambiguous_reference",
        Outcome.LEFT_OUT,
        f"{n_images} images fit equally, and lie equally near",
        "put it into the folder of its image, or ingest it with that image alone",
    )


def folder_distance(one: str, other: str) -> int:
    """Count the steps from folder to folder, up to the common parent and down.

    Examples
    --------
    >>> folder_distance("CT/dicom/mask", "CT/dicom/image")
    2
    >>> folder_distance("CT/dicom/mask", "PET/dicom/image")
    6
    """
    mine, theirs = (
        [part for part in folder.split("/") if part not in {"", "."}] for folder in (one, other)
    )
    n_common = 0
    for left, right in zip(mine, theirs, strict=False):
        if left != right:
            break
        n_common += 1
    return len(mine) + len(theirs) - 2 * n_common
