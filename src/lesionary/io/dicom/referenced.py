"""What the sequences of structure sets and segmentations have in common."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.structures import References

if TYPE_CHECKING:
    from pydicom import Dataset


def items_of(dataset: "Dataset", *keywords: str) -> Iterable["Dataset"]:
    """Yield the items of a sequence, or of the sequences inside its items; absent means none."""
    for item in dataset.get(keywords[0]) or ():
        if len(keywords) == 1:
            yield item
        else:
            yield from items_of(item, *keywords[1:])


def text_of(dataset: "Dataset", keyword: str) -> str:
    """Return an element as text without padding; absent or empty means ``""``."""
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def uids_of(dataset: "Dataset", keyword: str) -> frozenset[str]:
    """Return the element's UID as a set of one, or of none."""
    return frozenset({text_of(dataset, keyword)} - {""})


def image_references(items: Iterable["Dataset"]) -> References:
    """Read references to single images, and the highest frame meant of each.

    Raises
    ------
    UnreadableSeriesError
        ``not_dicom``, if a frame below 1 is referenced.
    """
    uids: set[str] = set()
    last_frames: dict[str, int] = {}
    for item in items:
        uid = text_of(item, "ReferencedSOPInstanceUID")
        uids.add(uid)
        for frame in _integers_of(item, "ReferencedFrameNumber"):
            if frame < 1:
                raise UnreadableSeriesError(
                    f"frame {frame} is referenced: frames count from 1", code="not_dicom"
                )
            last_frames[uid] = max(frame, last_frames.get(uid, 1))
    return References(frozenset(uids - {""}), last_frames=last_frames)


def _integers_of(item: "Dataset", keyword: str) -> list[int]:
    """Return the values of an element that has one or several."""
    value = item.get(keyword)
    if value is None:
        return []
    return [int(number) for number in ([value] if isinstance(value, int | str) else value)]
