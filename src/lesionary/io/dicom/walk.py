"""Walk the elements of a DICOM file without recursion.

The walk goes through every level of every sequence with a stack of its own, so that a file of 3,000
nested sequences costs no more than its bytes, and only the elements asked for are copied out. It
reads what is there: a missing preamble, a transfer syntax that says explicit over elements that are
implicit, big-endian and deflated data sets, items of defined and of undefined length.

Source: DICOM PS3.5 §7.1 (elements), §7.5 (nesting), §6.2.2 (unknown VR).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from lesionary.io.dicom.elements import (
    DEFLATED,
    IMPLICIT_LITTLE,
    ITEM,
    ITEM_BYTES,
    ITEM_END,
    ITEM_GROUP,
    LONG_VRS,
    MOST_LISTED,
    PIXEL_TAGS,
    UNDEFINED,
    VR_BYTES,
    VR_NAMES,
    Buffer,
    Element,
    End,
    Path,
    RawHeader,
    RawPixels,
    Wanted,
    dictionary_vr,
    inflate,
    read_meta,
    start_of,
)

DEPTH_CAP = 100_000
"""The walk gives up here: whoever nests this deep is refused anyway."""


def read_elements(buffer: Buffer, wanted: Wanted, *, inflated_limit: int) -> RawHeader | None:
    """Walk a file's elements up to its pixel data.

    Parameters
    ----------
    buffer : bytes-like
        The whole file; only the pages that are walked are touched.
    wanted : Wanted
        What is copied out.
    inflated_limit : int
        Bytes that a deflated data set may have.

    Returns
    -------
    RawHeader or None
        None where this is not DICOM. A file that stops early comes back with ``end`` saying so.
    """
    start = start_of(buffer)
    if start is None:
        return None
    raw = RawHeader(size=len(buffer))
    at = read_meta(buffer, start, raw)
    raw.is_deflated = raw.transfer_syntax == DEFLATED
    if raw.is_deflated:
        buffer, is_whole = inflate(buffer[at:], inflated_limit)
        raw.size, at = len(buffer), 0
        raw.end = End.WHOLE if is_whole else End.TRUNCATED
    _Walk(buffer, at, raw, wanted).run()
    return raw


@dataclass(slots=True)
class _Level:
    """An open sequence or item.

    ``bound`` is where it ends at the latest: never beyond its parent, so that the walk only ever
    goes forward, whatever lengths are claimed. The items of an opaque one are bytes, not elements:
    the compressed icon of an image. ``path`` has tags only, ``key`` also numbers of listed items.
    """

    bound: int
    is_open_ended: bool
    is_item: bool
    is_implicit: bool
    path: Path | None
    key: Path = ()
    is_opaque: bool = False
    n_items: int = 0


class _Walk:
    """One pass over the elements, with the open sequences and items on a stack."""

    def __init__(self, buffer: Buffer, at: int, raw: RawHeader, wanted: Wanted) -> None:
        self.buffer = buffer
        self.at = at
        self.raw = raw
        self.wanted = wanted
        self.levels: list[_Level] = []
        self.n_open = 0
        self.last_tag = 0
        self.is_implicit = self._guess_encoding()
        order = "<" if raw.is_little_endian else ">"
        self.unpack_tag: Callable[..., tuple[int, ...]] = struct.Struct(order + "HHL").unpack_from
        self.unpack_short: Callable[..., tuple[int, ...]] = struct.Struct(order + "H").unpack_from
        self.unpack_long: Callable[..., tuple[int, ...]] = struct.Struct(order + "L").unpack_from

    def _guess_encoding(self) -> bool:
        """Believe the first element rather than the transfer syntax; return if it is implicit."""
        head = bytes(self.buffer[self.at : self.at + 8])
        if len(head) < 8:
            return self.raw.transfer_syntax == IMPLICIT_LITTLE
        group = int.from_bytes(head[:2], "little")
        self.raw.is_little_endian = not (group & 0xFF == 0 and group >> 8 != 0)
        return head[4:6] not in VR_BYTES

    def run(self) -> None:
        while self._close_finished() and self._step():
            pass
        if self.levels and self.raw.end is End.WHOLE:
            self.raw.end = End.TRUNCATED

    def _close_finished(self) -> bool:
        levels = self.levels
        while levels:
            if self.at < levels[-1].bound:
                break
            self.at = levels[-1].bound
            if self._pop().is_open_ended and self.at >= self.raw.size:
                self.raw.end = End.TRUNCATED
        return len(levels) < DEPTH_CAP

    def _pop(self) -> _Level:
        level = self.levels.pop()
        self.n_open -= not level.is_item
        return level

    def _push(self, level: _Level) -> None:
        self.levels.append(level)
        self.n_open += not level.is_item
        self.raw.depth = max(self.raw.depth, self.n_open)

    def _step(self) -> bool:
        """Go past one element, or into one sequence; return False at the end."""
        at = self.at
        if at + 8 > self.raw.size:
            return self._leftover()
        group, number, length = self.unpack_tag(self.buffer, at)
        if group == ITEM_GROUP:
            return self._delimiter(number, length)
        tag = group << 16 | number
        level = self.levels[-1] if self.levels else None
        is_implicit = level.is_implicit if level else self.is_implicit
        vr, value_at = "", at + 8
        if not is_implicit:
            vr, length, value_at = self._explicit(tag, at)
        if level is None and tag in PIXEL_TAGS:
            return self._pixels(tag, vr, value_at, length)
        if self._is_sequence(tag, vr, value_at, length):
            self._open(tag, vr, value_at, length)
            return True
        return self._plain(tag, vr, value_at, length)

    def _leftover(self) -> bool:
        if bytes(self.buffer[self.at :]).strip(b"\0"):
            self.raw.end = End.TRUNCATED
        return False

    def _explicit(self, tag: int, at: int) -> tuple[str, int, int]:
        """Read VR and length; an element whose VR is no VR at all is read as implicit."""
        code = bytes(self.buffer[at + 4 : at + 6])
        vr = VR_NAMES.get(code)
        if vr is None and not (code.isalpha() and code.isupper()):
            self.raw.odd_vrs.append(tag)
            return "", self.unpack_long(self.buffer, at + 4)[0], at + 8
        if vr in LONG_VRS:
            self._check_vr(tag, vr)
            is_cut = at + 12 > self.raw.size
            return vr, 0 if is_cut else self.unpack_long(self.buffer, at + 8)[0], at + 12
        self._check_vr(tag, vr or "")
        return vr or "UN", self.unpack_short(self.buffer, at + 6)[0], at + 8

    def _check_vr(self, tag: int, vr: str) -> None:
        known = dictionary_vr(tag)
        if known and vr not in known and vr != "UN":
            self.raw.odd_vrs.append(tag)

    def _is_sequence(self, tag: int, vr: str, value_at: int, length: int) -> bool:
        if vr == "SQ" or length == UNDEFINED:
            return True
        if vr not in {"", "UN"} or length < 8:
            return False
        if dictionary_vr(tag) == "SQ":
            return True
        is_unknown = tag >> 16 & 1 or vr == "UN"
        return bool(is_unknown) and bytes(self.buffer[value_at : value_at + 4]) == ITEM_BYTES

    def _open(self, tag: int, vr: str, value_at: int, length: int) -> None:
        parent = self.levels[-1] if self.levels else None
        path = None
        if parent is None or parent.path is not None:
            path = ((parent.path or ()) if parent else ()) + (tag,)
        if path not in self.wanted.paths:
            path = None
        # An UN of undefined length holds implicit little-endian items (PS3.5 §6.2.2).
        is_implicit = vr in {"", "UN"} or (parent.is_implicit if parent else self.is_implicit)
        self.at = value_at
        self._push(
            _Level(
                self._bound(length),
                is_open_ended=length == UNDEFINED,
                is_item=False,
                is_implicit=is_implicit,
                path=path,
                key=(*(parent.key if parent else ()), tag) if path else (),
                is_opaque=vr in {"OB", "OW"},
            )
        )

    def _bound(self, length: int) -> int:
        """Return where a value of ``length`` bytes ends at the latest, inside its parent."""
        bound = self.levels[-1].bound if self.levels else self.raw.size
        if length == UNDEFINED:
            return bound
        if self.at + length > self.raw.size:
            self.raw.end = End.TRUNCATED
        return min(bound, self.at + length)

    def _delimiter(self, number: int, length: int) -> bool:
        self.at += 8
        if not self.levels:
            self.raw.end = End.BROKEN
            return False
        if number == ITEM:
            self._open_item(length)
            return True
        is_item = number == ITEM_END
        while self.levels:
            level = self._pop()
            if level.is_item == is_item and level.is_open_ended:
                break
        return True

    def _open_item(self, length: int) -> None:
        sequence = self.levels[-1]
        sequence.n_items += 1
        if sequence.is_opaque and length != UNDEFINED:
            self.at = self._bound(length)
            return
        path, key = sequence.path, sequence.key
        if path is not None:
            self.raw.n_items[key] = sequence.n_items
            if path in self.wanted.listed:
                key = (*key, sequence.n_items - 1)
                path = path if sequence.n_items <= MOST_LISTED else None
            elif sequence.n_items > 1:
                path = None
        self._push(
            _Level(
                self._bound(length),
                is_open_ended=length == UNDEFINED,
                is_item=True,
                is_implicit=sequence.is_implicit,
                path=path,
                key=key,
            )
        )

    def _pixels(self, tag: int, vr: str, value_at: int, length: int) -> bool:
        if value_at > self.raw.size:
            self.raw.end = End.TRUNCATED
            return False
        self.raw.pixels = RawPixels(
            tag, vr or "OW", value_at, None if length == UNDEFINED else length
        )
        return False

    def _plain(self, tag: int, vr: str, value_at: int, length: int) -> bool:
        end = value_at + length
        level = self.levels[-1] if self.levels else None
        if end > self.raw.size:
            looks_sound = bool(dictionary_vr(tag)) and (level is not None or tag > self.last_tag)
            self.raw.end = End.TRUNCATED if looks_sound else End.BROKEN
            return False
        if level is None:
            self.last_tag = tag
            if self.wanted.takes(tag, length):
                self.raw.elements[tag] = self._copy(tag, vr, value_at, end)
        elif level.path is not None:
            self.raw.nested[(*level.key, tag)] = self._copy(tag, vr, value_at, end)
        self.at = min(end, level.bound) if level else end
        return True

    def _copy(self, tag: int, vr: str, start: int, end: int) -> Element:
        return Element(vr or dictionary_vr(tag) or "UN", bytes(self.buffer[start:end]))
