"""The segments of a JPEG or JPEG-LS frame that its scans need, and not a byte more.

A table that no scan uses, a segment longer than its tables: a decoder never looks at them, so
anything may stand there.

Sources: ISO/IEC 10918-1 annex B, 14495-1 annex C.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

_DHT, _DQT, _DRI, _SOS, _DNL, _LSE = 0xC4, 0xDB, 0xDD, 0xDA, 0xDC, 0xF8
_ARITHMETIC_TABLE = 0xCC
_LOSSLESS_LS = 0xF7
_FRAMES = frozenset({*range(0xC0, 0xCF), _LOSSLESS_LS} - {_DHT, 0xC8, _ARITHMETIC_TABLE})
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF, _LOSSLESS_LS})
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF})
_ARITHMETIC = frozenset({0xC9, 0xCA, 0xCB})
_APP8, _APP14 = 0xE8, 0xEE
_ADOBE, _HP = b"Adobe", b"mrfx"

_Key: TypeAlias = tuple[int, int]
"""Marker of a table, and which of its kind."""


class OddFrameError(ValueError):
    """The frame is no image of the kind that its beginning promises."""


@dataclass(slots=True)
class _Segment:
    """A segment as it will be written: its tables are left out until a scan uses them."""

    marker: int
    tables: list[bytes]
    used: set[int] = field(default_factory=set)

    def written(self) -> bytes:
        body = b"".join(table for n, table in enumerate(self.tables) if n in self.used)
        if not self.used:
            return b""
        return bytes((0xFF, self.marker)) + (len(body) + 2).to_bytes(2) + body


@dataclass(slots=True)
class NeededSegments:
    """Gathers the segments of one frame as they come, and gives back those it needs."""

    _parts: list[_Segment | bytes] = field(default_factory=list)
    _defined: dict[_Key, tuple[_Segment, int]] = field(default_factory=dict)
    _frame: int = 0
    _precision: int = 16
    _n_lines: int = 0
    _components: dict[int, int] = field(default_factory=dict)
    _noted: set[int] = field(default_factory=set)
    _n_scans: int = 0

    def add(self, marker: int, payload: bytes) -> None:
        """Take the next segment, without its marker and length.

        Raises
        ------
        OddFrameError
            If its length is not that of what it says it holds.
        """
        if marker in _HIERARCHICAL:
            raise OddFrameError("a hierarchy of frames")
        if marker in _FRAMES:
            self._begin(marker, payload)
        elif marker == _SOS:
            self._scan(payload)
        elif marker == _DNL:
            self._count_lines(payload)
        elif marker in {_APP8, _APP14}:
            self._note(marker, payload)
        else:
            self._define(marker, list(_tables_of(marker, payload, self._precision)))

    def add_coded(self, data: bytes) -> None:
        """Take the data of the scan that was added last."""
        self._parts.append(data)

    def written(self) -> bytes:
        """Return what is needed, in the order in which it came.

        Raises
        ------
        OddFrameError
            If there was no scan.
        """
        if not self._n_scans:
            raise OddFrameError("no image")
        return b"".join(part if isinstance(part, bytes) else part.written() for part in self._parts)

    def _define(self, marker: int, tables: list[tuple[int, bytes]]) -> None:
        segment = _Segment(marker, [table for _, table in tables])
        for number, (which, _) in enumerate(tables):
            self._defined[marker, which] = segment, number
        if tables:
            self._parts.append(segment)

    def _whole(self, marker: int, payload: bytes) -> None:
        self._parts.append(_Segment(marker, [payload], {0}))

    def _begin(self, marker: int, payload: bytes) -> None:
        if self._frame or len(payload) < 9 or len(payload) != 6 + 3 * payload[5]:
            raise OddFrameError("a frame header of a wrong length, or a second one")
        self._frame, self._precision = marker, payload[0]
        self._n_lines = int.from_bytes(payload[1:3])
        for at in range(6, len(payload), 3):
            which, sampling, table = payload[at : at + 3]
            if not (1 <= sampling >> 4 <= 4 and 1 <= sampling & 15 <= 4 and table < 4):
                raise OddFrameError("a component without a sampling")
            self._components[which] = table
        self._whole(marker, payload)

    def _scan(self, payload: bytes) -> None:
        n = payload[0] if payload else 0
        if not self._frame or not 1 <= n <= 4 or len(payload) != 4 + 2 * n:
            raise OddFrameError("a scan header of a wrong length, or without a frame")
        selected = [(payload[1 + 2 * i], payload[2 + 2 * i]) for i in range(n)]
        if any(which not in self._components for which, _ in selected):
            raise OddFrameError("a scan of a component that the frame does not have")
        for key in self._needed(selected, payload[-3], payload[-2]):
            if key in self._defined:
                segment, number = self._defined[key]
                if key[0] == _DRI and self._frame != _LOSSLESS_LS and len(segment.tables[0]) != 2:
                    raise OddFrameError("a restart interval of a wrong length")
                segment.used.add(number)
        self._n_scans += 1
        self._whole(_SOS, payload)

    def _needed(self, selected: list[tuple[int, int]], first: int, last: int) -> Iterator[_Key]:
        """Yield the tables that a scan uses."""
        yield _DRI, 0
        if self._frame == _LOSSLESS_LS:
            yield from ((_LSE, 1), (_LSE, 4))
            return
        is_lossless = self._frame in _LOSSLESS
        kind = _ARITHMETIC_TABLE if self._frame in _ARITHMETIC else _DHT
        for which, tables in selected:
            if is_lossless or first == 0:
                yield kind, tables >> 4
            if not is_lossless and last > 0:
                yield kind, 0x10 | tables & 15
            if not is_lossless:
                yield _DQT, self._components[which]

    def _count_lines(self, payload: bytes) -> None:
        if len(payload) != 2:
            raise OddFrameError("a number of lines of a wrong length")
        if self._n_lines == 0:
            self._n_lines = int.from_bytes(payload)
            self._whole(_DNL, payload)

    def _note(self, marker: int, payload: bytes) -> None:
        """Keep of notes what decoders need, how colours were transformed, in its plainest form."""
        if marker in self._noted:
            return
        if marker == _APP14 and payload[:5] == _ADOBE and len(payload) == 12 and payload[11] < 3:
            self._whole(marker, _ADOBE + b"\0\x64\0\0\0\0" + payload[11:])
        elif marker == _APP8 and payload[:4] == _HP and len(payload) == 5 and payload[4] < 6:
            self._whole(marker, payload)
        else:
            return
        self._noted.add(marker)


def _tables_of(marker: int, payload: bytes, precision: int) -> Iterator[tuple[int, bytes]]:
    """Yield the tables of a segment, each with its number; none of what is a mere note."""
    if marker == _DQT:
        yield from _quantisations(payload)
    elif marker == _DHT:
        yield from _huffman_tables(payload)
    elif marker == _ARITHMETIC_TABLE:
        if len(payload) % 2:
            raise OddFrameError("conditions of a wrong length")
        yield from ((payload[at], payload[at : at + 2]) for at in range(0, len(payload), 2))
    elif marker == _DRI:
        if len(payload) not in {2, 3, 4}:
            raise OddFrameError("a restart interval of a wrong length")
        yield 0, payload
    elif marker == _LSE:
        yield _preset(payload, precision)


def _quantisations(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payload):
        size = {0: 65, 1: 129}.get(payload[at] >> 4)
        if size is None or payload[at] & 15 > 3 or at + size > len(payload):
            raise OddFrameError("a quantisation table of a wrong length")
        yield payload[at] & 15, payload[at : at + size]
        at += size


def _huffman_tables(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payload):
        counts = payload[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        if len(counts) < 16 or end > len(payload) or payload[at] & 0xEC:
            raise OddFrameError("a Huffman table of a wrong length")
        codes, symbols = sum(n << 15 - i for i, n in enumerate(counts)), payload[at + 17 : end]
        if codes > 1 << 16 or len(set(symbols)) < len(symbols):
            raise OddFrameError("a Huffman table of codes that cannot be")
        yield payload[at], payload[at:end]
        at = end


def _preset(payload: bytes, precision: int) -> tuple[int, bytes]:
    """Return the preset parameters of JPEG-LS; its mapping tables are used by nobody."""
    kind = payload[0] if payload else 0
    if kind == 4 and len(payload) == 2 + 2 * payload[1] and payload[1] <= 4:
        return kind, payload
    if kind != 1 or len(payload) != 11:
        raise OddFrameError("parameters of a wrong length or kind")
    largest, first, second, third, reset = (
        int.from_bytes(payload[at : at + 2]) for at in range(1, 11, 2)
    )
    top = largest or (1 << precision) - 1
    thresholds = [number for number in (first, second, third) if number]
    if top >> precision or thresholds != sorted(thresholds) or max((*thresholds, 0)) > top:
        raise OddFrameError("parameters that cannot be")
    if reset > max(255, top):
        raise OddFrameError("parameters that cannot be")
    return kind, payload
