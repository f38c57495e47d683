"""Label maps in few bytes: every row is told by where it differs from the row above.

A contour moves little from one row to the next, so most of its crossings are one byte, a step from
where the row above was crossed, and small steps are most frequent, which gzip then makes use of.
The tokens of a row, in the order of its columns:

======= =====================================================================================
byte    meaning
======= =====================================================================================
0       the row ends; its last value holds to its end
1…254   the value changes as it next changes in the row above, some columns earlier or later:
        0, -1, 1, -2, 2, …
255     two numbers follow, 7 bits a byte, the lowest first: columns skipped since the last
        change, and the new value
======= =====================================================================================

*As it next changes in the row above* is that row's first change right of this row's last one to
a value other than the present. A row begins with 0; above the first row nothing changes.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import LabelArray

WIDEST = 65535
"""Columns of the widest row that is coded."""

LEAST_SAVING = 16
"""Tokens take at most one in so many bytes of what they stand for, or it is not coded at all."""

_SLAB_VOXELS = 1 << 18
_MOST_BYTES_OF_CHANGE = 7  # spelt out: a byte, and two numbers of up to three


class _Rows:
    """What both directions remember of the row above."""

    def __init__(self, width: int) -> None:
        self.changes = np.zeros((2, width + 1, 2), np.int32)
        self.turn = np.zeros(2, np.int64)


def encode(rows: LabelArray) -> NDArray[np.uint8] | None:
    """Return the tokens of a label map, or None where they would not be few.

    Memory: a sixteenth of the array's at most, and 2 MB.

    Parameters
    ----------
    rows : uint16 array, shape (rows, columns)
        In C order.
    """
    width = rows.shape[1]
    if width > WIDEST:
        return None
    most, n_bytes = rows.nbytes // LEAST_SAVING, 0
    slabs = []
    for tokens in _encoded_slabs(rows):
        n_bytes += tokens.size
        if n_bytes > most:
            return None
        slabs.append(tokens)
    return np.concatenate(slabs)


def _encoded_slabs(rows: LabelArray) -> Iterator[NDArray[np.uint8]]:
    from lesionary.io._row_kernels import encode_rows

    n_rows, width = rows.shape
    state = _Rows(width)
    words = np.zeros(-(-width // 8), np.uint64)
    n_together = max(_SLAB_VOXELS // width, 1)
    tokens = np.empty(n_together * (1 + _MOST_BYTES_OF_CHANGE * width), np.uint8)
    for begin in range(0, n_rows, n_together):
        slab = rows[begin : begin + n_together]
        n_bytes = encode_rows(
            slab,
            _words_of(slab),
            state.changes,
            state.turn,
            words.view(np.uint8),
            words,
            tokens,
        )
        yield tokens[:n_bytes].copy()


def _words_of(rows: LabelArray) -> NDArray[np.uint64]:
    """Return the rows by eight bytes, without columns where words do not fit them."""
    if rows.shape[1] % 4 or rows.ctypes.data % 8:
        return np.empty((len(rows), 0), np.uint64)
    return rows.view(np.uint64)


class RowDecoder:
    """Paint the rows that tokens describe, a few at a time.

    Parameters
    ----------
    tokens : uint8 array
        Anything at all: what describes no rows is refused.
    width : int
        Columns, at most :data:`WIDEST`.
    """

    def __init__(self, tokens: NDArray[np.uint8], width: int) -> None:
        self._tokens = tokens
        self._place = 0
        self._state = _Rows(width)

    def fill(self, rows: LabelArray) -> None:
        """Paint the next rows into an array of zeros.

        Raises
        ------
        ValueError
            If the tokens describe no such rows.
        """
        from lesionary.io._row_kernels import decode_rows

        state = self._state
        self._place = decode_rows(self._tokens, self._place, rows, state.changes, state.turn)
        if self._place < 0:
            raise ValueError("tokens that describe no row")

    def finish(self) -> None:
        """Raise :class:`ValueError` unless every token is used."""
        if self._place != self._tokens.size:
            raise ValueError("tokens behind the last row")
