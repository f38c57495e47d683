"""Tell noise from elements, and what hangs behind a data set from one that broke in the middle."""

from typing import Literal

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import Buffer, DataSet
from lesionary.io.dicom.elements import PIXEL_TAGS, VR_BYTES, dictionary_vr
from lesionary.io.dicom.tree_errors import cut, not_dicom
from lesionary.io.dicom.tree_heads import Head
from lesionary.io.dicom.tree_levels import Level

_SOP_CLASS, _ROWS = 0x00080016, 0x00280010
_LOOKED_AT_BYTES = 4096


def is_plausible(level: Level, head: Head, *, is_behind_pixels: bool) -> bool:
    """Tell elements of the top level from noise that looks like a tag.

    Elements may be out of order if they are known otherwise; behind the pixels none goes back, and
    there are no pixels again.
    """
    is_ascending = head.tag > level.last_tag
    if is_behind_pixels:
        is_element = level.is_implicit or bool(head.vr)
        return is_ascending and is_element and head.tag not in PIXEL_TAGS
    return is_ascending or bool(head.vr) or bool(dictionary_vr(head.tag))


def ends_too_late(buffer: Buffer, level: Level, head: Head) -> UnreadableSeriesError:
    """Return the error for a value that reaches over its level's end: cut off, or never one."""
    is_due = bool(dictionary_vr(head.tag)) and head.tag > level.last_tag
    if level.parent is None and not is_due:
        return not_dicom("the header is broken: an element does not fit into the file")
    return cut(buffer, level.bound, head.value_at + head.length)


def is_only_trailing(
    rest: Buffer, data_set: DataSet, *, last_tag: int, is_implicit: bool, is_big_endian: bool
) -> bool:
    """Tell whether the data set was over before the bytes that could not be read.

    It was if they are all NUL, or if the instance can be whole as it is (it has a class, and no
    rows without pixels) and nothing in the first 4 KiB of the rest looks like an element of the
    standard that would come later.

    Parameters
    ----------
    rest : bytes-like
        From the first unreadable element of the top level on.
    data_set : DataSet
        What was read before; without pixel data.
    last_tag : int
        Of the last element read.
    is_implicit, is_big_endian : bool
        How the data set is encoded.
    """
    if not bytes(rest).strip(b"\0"):
        return True
    if data_set.get(_SOP_CLASS) is None or data_set.get(_ROWS) is not None:
        return False
    order: Literal["big", "little"] = "big" if is_big_endian else "little"
    head = bytes(rest[:_LOOKED_AT_BYTES])
    for at in range(len(head) - 7):
        tag = int.from_bytes(head[at : at + 2], order) << 16
        tag |= int.from_bytes(head[at + 2 : at + 4], order)
        if tag <= last_tag or not dictionary_vr(tag):
            continue
        length = int.from_bytes(head[at + 4 : at + 8], order)
        if head[at + 4 : at + 6] in VR_BYTES or (is_implicit and length <= len(rest)):
            return False
    return True
