"""What a drawing says of its image beside UIDs: words, study, time, and exactly where it lies.

Several images may fit a drawing by frame of reference and planes: the CT and the PET of one
scanner, an MR that was registered to them. Then these clues are heard, and only where all that say
anything leave one image is it the one. Words are private: they are compared and forgotten.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lesionary.core.volume import Geometry
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.segmentation import SegObject
from lesionary.ingest.series import SeriesSummary
from lesionary.ingest.structures import StructureSet

_WORDS = {
    "ct": "CT", "cbct": "CT",
    "pet": "PT", "fdg": "PT", "suv": "PT",
    "mr": "MR", "mri": "MR", "flair": "MR", "dwi": "MR", "adc": "MR",
}  # fmt: skip
_BOTH = frozenset({"petct", "ctpet", "petmr", "petmri", "mrpet"})

SAME_PLANE_MM = 1e-3
"""Planes nearer than this are one plane, as corners of one grid are."""


@dataclass(frozen=True, slots=True, repr=False)
class Clues:
    """What one drawing says. Private but for what comes of it.

    Parameters
    ----------
    texts : tuple of tuples of str
        Names of all that was drawn, then texts of the whole object; each group speaks with one
        voice or not at all.
    study_instance_uid : str, optional
        Of the drawing itself, written like :attr:`SeriesIdentity.study_instance_uid`.
    studied_at : datetime.datetime, optional
        Date and time of its study, as in the file.
    offset_mm : callable, optional
        The farthest that any of it lies from a slice of a grid.
    """

    texts: tuple[tuple[str, ...], ...] = ()
    study_instance_uid: str | None = None
    studied_at: dt.datetime | None = None
    offset_mm: Callable[[Geometry], float] | None = None

    def choose(self, images: Sequence[SeriesSummary]) -> int | None:
        """Return the place of the one image that agrees with all clues; None where not just one.

        A clue that tells the images apart in no way is not heard; two that contradict each other
        leave none.
        """
        left = set(range(len(images)))
        for said in (self._by_words, self._by_study, self._by_time, self._by_planes):
            left &= said(images)
        return left.pop() if len(left) == 1 else None

    def _by_words(self, images: Sequence[SeriesSummary]) -> set[int]:
        modality = modality_of_words(self.texts)
        if modality is None:
            return set(range(len(images)))
        return {n for n, image in enumerate(images) if image.modality == modality}

    def _by_study(self, images: Sequence[SeriesSummary]) -> set[int]:
        uids = [image.identity.study_instance_uid for image in images]
        return _equal_to(self.study_instance_uid, uids)

    def _by_time(self, images: Sequence[SeriesSummary]) -> set[int]:
        times = [image.identity.acquired for image in images]
        return set(range(len(images))) if None in times else _equal_to(self.studied_at, times)

    def _by_planes(self, images: Sequence[SeriesSummary]) -> set[int]:
        if self.offset_mm is None:
            return set(range(len(images)))
        offsets_mm = [self.offset_mm(image.geometry.without_frame()) for image in images]
        exact = {n for n, offset_mm in enumerate(offsets_mm) if offset_mm <= SAME_PLANE_MM}
        return exact or set(range(len(images)))


def _equal_to(own: object, others: Sequence[object]) -> set[int]:
    """Return the places of what is the same; all where nothing is, or nothing is known."""
    same = set() if own is None else {n for n, other in enumerate(others) if other == own}
    return same or set(range(len(others)))


def clues_of(
    drawing: StructureSet | SegObject,
    header: InstanceHeader,
    *,
    study_instance_uid: str | None,
) -> Clues:
    """Collect what a drawing and its header say.

    Parameters
    ----------
    drawing : StructureSet or SegObject
    header : InstanceHeader
        Of the same file.
    study_instance_uid : str, optional
        Its StudyInstanceUID, keyed where the images' are.
    """
    if isinstance(drawing, StructureSet):
        named = tuple(roi.name for roi in drawing.rois if roi.outlines_mm)
        offset_mm = drawing.offset_mm
    else:
        named, offset_mm = tuple(segment.label for segment in drawing.segments), None
    whole = (header.series_description, *drawing.texts)
    return Clues(
        (named, *((text,) for text in whole)),
        study_instance_uid or None,
        header.studied_at,
        offset_mm,
    )


def modality_of_words(texts: Sequence[Sequence[str]]) -> str | None:
    """Return the modality that groups of texts name; None where none does, or two differ.

    A group names one where each of its texts names it and no other, as a word of its own: a GTV
    that was seen on PET may stand beside organs that were drawn on the CT.

    Examples
    --------
    >>> modality_of_words([["GTV_Mass_PET"], ["RTstruct_PET"], [""]])
    'PT'
    >>> modality_of_words([["GTV_CT", "GTV_PET"], ["contours"]])
    >>> modality_of_words([["GTV_CT"], ["PET"]])
    """
    named = {modality for group in texts if (modality := _of_group(group)) is not None}
    return named.pop() if len(named) == 1 else None


def _of_group(texts: Sequence[str]) -> str | None:
    named = {_of_text(text) for text in texts}
    return named.pop() if len(named) == 1 else None


def _of_text(text: str) -> str | None:
    words = re.split(r"[^a-z]+", text.lower())
    named = {_WORDS[word] for word in words if word in _WORDS}
    return named.pop() if len(named) == 1 and _BOTH.isdisjoint(words) else None
