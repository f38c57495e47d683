"""Take comments and applications' notes out of compressed frames; the coded image stays.

Cameras, converters and archives write texts into JPEG's COM and APPn segments and JPEG 2000's COM,
and anything may stand behind the end of the image. None of it is needed to decode.

Sources: ISO/IEC 10918-1 annex B (markers), 14495-1 annex C (JPEG-LS), 15444-1 annex A (JPEG 2000).
"""

from lesionary.ingest.deidentify.jpeg_tables import NeededSegments, OddFrameError

__all__ = ["OddFrameError", "without_notes"]

_EOI, _SOS = 0xD9, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})

_J2K_SOC, _J2K_EOC = b"\xff\x4f", b"\xff\xd9"
_J2K_SOT, _J2K_SOD = 0x90, 0x93
_J2K_CODING = frozenset(
    {0x50, 0x51, 0x52, 0x53, 0x55, 0x57, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x61, 0x63}
)
"""Segments of JPEG 2000 that its standard knows, comments apart."""
_JP2_SIGNATURE = b"\0\0\0\x0cjP  "


def without_notes(frame: bytes) -> bytes:
    """Return a frame without comments, notes, and what lies behind its end.

    Parameters
    ----------
    frame : bytes
        One whole frame: JPEG, JPEG-LS or JPEG 2000.

    Raises
    ------
    OddFrameError
        If it is something else, or its segments do not fit into it.
    """
    if frame[:2] == b"\xff\xd8":
        return _without_jpeg_notes(frame)
    if frame[:8] == _JP2_SIGNATURE:
        frame = _codestream(frame)
    if frame[:2] == _J2K_SOC:
        return _without_j2k_notes(frame)
    raise OddFrameError("neither JPEG nor JPEG 2000")


def _without_jpeg_notes(frame: bytes) -> bytes:
    needed, at, size = NeededSegments(), 2, len(frame)
    ending = b""
    while at + 1 < size:
        if frame[at] != 0xFF:
            raise OddFrameError("no marker where one has to be")
        marker = frame[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _EOI:
            ending = frame[at : at + 2]
            break
        end = _segment_end(frame, at)
        needed.add(marker, frame[at + 4 : end])
        at = end
        if marker == _SOS:
            at = _scan_end(frame, end)
            needed.add_coded(frame[end:at])
    return frame[:2] + needed.written() + ending


def _segment_end(frame: bytes, at: int) -> int:
    length = int.from_bytes(frame[at + 2 : at + 4])
    end = at + 2 + length
    if length < 2 or end > len(frame):
        raise OddFrameError("a segment is longer than the frame")
    return end


def _scan_end(frame: bytes, at: int) -> int:
    """Return where the entropy-coded data end: at a marker that is no restart."""
    while True:
        at = frame.find(b"\xff", at)
        if at < 0 or at + 1 >= len(frame):
            return len(frame)
        code = frame[at + 1]
        if code >= 0x80 and code not in _BARE and code != 0xFF:
            return at
        at += 1 if code == 0xFF else 2


def _without_j2k_notes(frame: bytes) -> bytes:
    head, at = _noted_header(frame, 2, _J2K_SOT)
    kept = bytearray(frame[:2] + head)
    while frame[at : at + 2] == b"\xff\x90":
        length = int.from_bytes(frame[at + 6 : at + 10])
        end = at + length if length else _end_of_image(frame, at)
        if end > len(frame) or end < at + 14:
            raise OddFrameError("a tile-part is longer than the frame")
        head, data_at = _noted_header(frame, at + 12, _J2K_SOD)
        body = head + frame[data_at:end]
        whole = (12 + len(body)).to_bytes(4) if length else frame[at + 6 : at + 10]
        kept += frame[at : at + 6] + whole + frame[at + 10 : at + 12] + body
        at = end
    return bytes(kept + _J2K_EOC)


def _noted_header(frame: bytes, at: int, last: int) -> tuple[bytes, int]:
    """Return a header's segments but for comments, and where the marker after it stands."""
    kept = bytearray()
    while True:
        if at + 2 > len(frame) or frame[at] != 0xFF:
            raise OddFrameError("no marker where one has to be")
        if frame[at + 1] == last:
            return bytes(kept), at
        end = _segment_end(frame, at)
        if frame[at + 1] in _J2K_CODING:
            kept += frame[at:end]
        at = end


def _end_of_image(frame: bytes, at: int) -> int:
    end = frame.rfind(_J2K_EOC)
    return end if end > at else len(frame)


def _codestream(boxes: bytes) -> bytes:
    """Return the code stream inside a JP2 file."""
    at = 0
    while at + 8 <= len(boxes):
        length, kind = int.from_bytes(boxes[at : at + 4]), boxes[at + 4 : at + 8]
        head = 16 if length == 1 else 8
        if length == 1:
            length = int.from_bytes(boxes[at + 8 : at + 16])
        if kind == b"jp2c":
            return boxes[at + head :] if length == 0 else boxes[at + head : at + length]
        if length < head:
            break
        at += length
    raise OddFrameError("a JP2 file without a code stream")
