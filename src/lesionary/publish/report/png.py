"""A PNG writer for grey pictures that leaves no date and no program name in the file."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
"""PNG's filter that stores each row as its difference to the row above."""


def grey_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an 8-bit grey picture, shape (rows, columns), as PNG."""
    rows, columns = pixels.shape
    above = np.zeros_like(pixels)
    above[1:] = pixels[:-1]
    lines = np.full((rows, columns + 1), _UP, dtype=np.uint8)
    lines[:, 1:] = pixels - above  # modulo 256, as the format wants it
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return the picture as a ``data:`` address."""
    return f"data:image/png;base64,{base64.b64encode(grey_png(pixels)).decode('ascii')}"


def _chunk(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)
