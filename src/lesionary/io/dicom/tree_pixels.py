"""The pixel data of the top level: found, and little-endian where they are not compressed."""

from dataclasses import replace

from lesionary.ingest.deidentify.elements import DataSet, Element, PixelData
from lesionary.io.dicom.byte_order import pixel_word_bytes, swapped
from lesionary.io.dicom.elements import UNDEFINED, dictionary_vr
from lesionary.io.dicom.tree_errors import truncated
from lesionary.io.dicom.tree_fragments import read_fragments, require_encapsulated
from lesionary.io.dicom.tree_heads import Head
from lesionary.io.dicom.tree_start import Stream
from lesionary.io.dicom.tree_vrs import BITS_ALLOCATED, is_ambiguous, nearest_integer, resolved

_PIXEL_VRS = frozenset({"OB", "OD", "OF", "OW"})
_DEFAULT_BITS = 16
_BIG_ENDIAN_PIXELS = "1.2.840.113619.5.2"
"""GE's own syntax: an implicit little-endian data set with big-endian pixels."""


def read_pixels(stream: Stream, head: Head) -> tuple[PixelData, int]:
    """Locate pixel data and return what comes after them; nothing is copied.

    Raises
    ------
    UnreadableSeriesError
        ``truncated``, ``not_dicom``, or ``unsupported_syntax`` for compressed pixels in a file that
        does not say how they are.
    """
    buffer = stream.buffer
    if head.length == UNDEFINED:
        offsets, fragments, end = read_fragments(
            buffer, head.value_at, len(buffer), is_big_endian=stream.is_big_endian
        )
        require_encapsulated(stream.transfer_syntax)
        return PixelData(head.tag, "OB", fragments=fragments, offsets=offsets), end
    end = head.value_at + head.length
    if end > len(buffer):
        raise truncated("the pixel data stop before their end")
    vr = head.vr if head.vr in _PIXEL_VRS else dictionary_vr(head.tag)
    return PixelData(head.tag, vr, memoryview(buffer)[head.value_at : end]), end


def little_endian_pixels(
    pixels: PixelData | None, root: DataSet, stream: Stream
) -> PixelData | None:
    """Settle the VR of native pixels, and turn the words of big-endian ones around.

    Parameters
    ----------
    pixels : PixelData or None
    root : DataSet
        Whole by now: the bits of a cell may stand anywhere in it.
    stream : Stream
        Where the pixels come from.
    """
    if pixels is None or pixels.native is None:
        return pixels
    vr, native = pixels.vr, pixels.native
    if is_ambiguous(vr):
        vr = resolved(Element(pixels.tag, vr), (root,))
    if stream.is_big_endian or stream.transfer_syntax == _BIG_ENDIAN_PIXELS:
        bits = nearest_integer((root,), BITS_ALLOCATED) or _DEFAULT_BITS
        native = swapped(native, pixel_word_bytes(vr, bits))
    return replace(pixels, vr=vr, native=native)
