"""Bodies of many parts (RFC 2046): taken apart as they come, put together in pieces.

No more is held in memory than one part, and of that no more than was allowed.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.limits import GIB, KIB, in_words

MOST_PART_BYTES = 4 * GIB
_READ_BYTES = 256 * KIB
_MOST_HEADER_BYTES = 16 * KIB
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*("([^"]+)"|[^\s;"]+)', re.IGNORECASE)
_LONGEST_BOUNDARY = 200


class Readable(Protocol):
    """A body that is read piece by piece."""

    def read(self, amount: int, /) -> bytes:
        """Return at most so many bytes; none at its end."""
        ...


def boundary_of(content_type: str) -> bytes:
    """Return what separates the parts of a body.

    Raises
    ------
    UnreadableSeriesError
        Code ``dicomweb``, if the type names none.

    Examples
    --------
    >>> boundary_of('multipart/related; type="application/dicom"; boundary=abc')
    b'abc'
    """
    found = _BOUNDARY.search(content_type)
    text = (found.group(2) or found.group(1)) if found else ""
    if not text or len(text) > _LONGEST_BOUNDARY or not text.isascii():
        raise _broken("its parts are not separated by anything")
    return text.encode("ascii")


def parts(body: Readable, boundary: bytes, *, most_bytes: int = MOST_PART_BYTES) -> Iterator[bytes]:
    """Yield the contents of the parts, one by one.

    Parameters
    ----------
    body : Readable
    boundary : bytes
    most_bytes : int
        A larger part is refused before it is read to its end.

    Raises
    ------
    UnreadableSeriesError
        Code ``truncated`` where the body ends too early, ``size_claim`` where a part is too large,
        ``dicomweb`` where it is no such body.
    """
    return _Parts(body, b"--" + boundary, most_bytes).run()


class _Parts:
    """A window on the body that moves from separator to separator."""

    def __init__(self, body: Readable, separator: bytes, most_bytes: int) -> None:
        self._body = body
        self._separator = separator
        self._most_bytes = most_bytes
        self._window = bytearray(b"\r\n")  # a separator begins a line, the first one too

    def run(self) -> Iterator[bytes]:
        mark = b"\r\n" + self._separator
        self._upto(mark, self._most_bytes)
        while not self._is_last():
            self._upto(b"\r\n\r\n", _MOST_HEADER_BYTES)
            yield self._upto(mark, self._most_bytes)

    def _is_last(self) -> bool:
        """Go past the end of a separator's line; tell whether it was the closing one."""
        while len(self._window) < 2:
            self._more()
        if self._window.startswith(b"--"):
            return True
        end = self._upto(b"\n", _MOST_HEADER_BYTES)
        if end.strip():
            raise _broken("a separator is followed by something else")
        self._window[:0] = b"\r\n"  # a part may have no header at all
        return False

    def _upto(self, mark: bytes, most_bytes: int) -> bytes:
        """Return what lies before a mark, and go past it."""
        seen = 0
        while True:
            found = self._window.find(mark, seen)
            if found >= 0:
                content = bytes(memoryview(self._window)[:found])
                del self._window[: found + len(mark)]
                return content
            if len(self._window) > most_bytes + len(mark):
                raise UnreadableSeriesError(
                    f"a part of the answer has more than {in_words(most_bytes)}", code="size_claim"
                )
            seen = max(0, len(self._window) - len(mark) + 1)
            self._more()

    def _more(self) -> None:
        piece = self._body.read(_READ_BYTES)
        if not piece:
            raise UnreadableSeriesError("the answer stops in the middle", code="truncated")
        self._window += piece


def related(
    objects: Sequence[Sequence[bytes | memoryview]], boundary: bytes
) -> list[bytes | memoryview]:
    """Return a body of DICOM objects, in pieces that are not copied.

    Parameters
    ----------
    objects : sequence
        Each a file in pieces.
    boundary : bytes
        Must not occur in any of them: a random one of 32 characters never does.
    """
    body: list[bytes | memoryview] = []
    for pieces in objects:
        body.append(b"--" + boundary + b"\r\nContent-Type: application/dicom\r\n\r\n")
        body += pieces
        body.append(b"\r\n")
    return [*body, b"--" + boundary + b"--\r\n"]


def _broken(problem: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(f"the server's answer is broken: {problem}", code="dicomweb")
