"""Take what is no pixel out of run-length coded frames: between the segments, behind the last one.

A decoder stops where it has all pixels, so anything may stand behind. The runs stay as they are.

Source: DICOM PS3.5 annex G.
"""

import struct

from lesionary.ingest.deidentify.jpeg_segments import OddFrameError

_HEADER = struct.Struct("<16L")
_SEGMENTS_AT_MOST = 15
_NOTHING = 128


def without_gaps(frame: bytes, n_pixels: int) -> bytes:
    """Return a frame of nothing but its header and the runs that its pixels need.

    Parameters
    ----------
    frame : bytes
    n_pixels : int
        Rows times columns: how many bytes each segment decodes to.

    Raises
    ------
    OddFrameError
        If the header is none, or a segment ends before its pixels do.
    """
    if len(frame) < _HEADER.size:
        raise OddFrameError("shorter than its header")
    n_segments, *offsets = _HEADER.unpack_from(frame)
    if not 1 <= n_segments <= _SEGMENTS_AT_MOST:
        raise OddFrameError("no number of segments")
    segments = [_runs(frame, at, n_pixels) for at in offsets[:n_segments]]
    header, at = [n_segments], _HEADER.size
    for segment in segments:
        header.append(at)
        at += len(segment)
    header += [0] * (_SEGMENTS_AT_MOST - n_segments)
    return _HEADER.pack(*header) + b"".join(segments)


def _runs(frame: bytes, start: int, n_pixels: int) -> bytes:
    """Return the runs from a place on that make so many bytes, padded to an even length."""
    if start < _HEADER.size:
        raise OddFrameError("a segment inside the header")
    at, left = start, n_pixels
    try:
        while left > 0:
            code = frame[at]
            if code < _NOTHING:
                at += code + 2
                left -= code + 1
            elif code > _NOTHING:
                at += 2
                left -= 257 - code
            else:
                at += 1
    except IndexError:
        raise OddFrameError("a segment ends before its pixels") from None
    if at > len(frame):
        raise OddFrameError("a segment ends before its pixels")
    segment = frame[start:at]
    return segment + b"\0" if len(segment) % 2 else segment
