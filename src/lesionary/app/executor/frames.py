"""Messages over a pipe: eight bytes of length, then as many bytes."""

import struct
from typing import BinaryIO

_LENGTH = struct.Struct("<Q")


def send(pipe: BinaryIO, message: bytes) -> None:
    """Write one message whole."""
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes | None:
    """Read one message; None where the other side is gone, also in the middle of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = pipe.read(length)
    return message if len(message) == length else None
