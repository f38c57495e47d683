"""The compiled loops of :mod:`lesionary.io.row_coding`. Import at first use: numba is heavy.

A *change* is a column where a row's value changes, and the new value. ``changes``, shape
``(2, columns + 1, 2)``, holds those of the present row and of the row above it, which take turns;
``turn`` tells from call to call how many are of the last row, and which half they lie in. No column
or byte is touched that was not compared with its bounds first: the bytes may come from a damaged
file. What is read of them becomes int64 first: numba makes float64 of uint64 with int64.
"""

import numpy as np
from numpy.typing import NDArray

from lesionary.core.jit import kernel

Changes = NDArray[np.int32]
Tokens = NDArray[np.uint8]
Turn = NDArray[np.int64]

END = 0
FIRST_STEP = 1
SPELT_OUT = 255
_LEAST_STEP, _MOST_STEP = -127, 126


@kernel
def _put_number(tokens: Tokens, place: int, number: int) -> int:
    while number > 127:
        tokens[place] = (number & 127) | 128
        place += 1
        number >>= 7
    tokens[place] = number
    return place + 1


@kernel
def _take_number(tokens: Tokens, place: int) -> tuple[int, int]:
    """Return a number of up to three bytes and where the next begins; -1 where it has no end."""
    number = 0
    for shift in (0, 7, 14):
        if place >= tokens.size:
            return -1, place
        byte = int(np.int64(tokens[place]))
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
    return -1, place


@kernel
def _put_change(tokens: Tokens, place: int, step: int, gap: int, value: int) -> int:
    """Write one change: as a step from the expected one, or spelt out."""
    if _LEAST_STEP <= step <= _MOST_STEP:
        zigzag = 2 * step if step >= 0 else -2 * step - 1
        tokens[place] = FIRST_STEP + zigzag
        return place + 1
    tokens[place] = SPELT_OUT
    place = _put_number(tokens, place + 1, gap)
    return _put_number(tokens, place, value)


@kernel
def _is_empty(words: NDArray[np.uint64], row: int) -> bool:
    held = np.uint64(0)
    for word in range(words.shape[1]):  # without a way out: the compiler makes wide ors of it
        held |= words[row, word]
    return bool(held == np.uint64(0))


@kernel
def _mark_changes(rows: NDArray[np.uint16], row: int, marks: NDArray[np.uint8]) -> None:
    marks[0] = rows[row, 0] != 0
    for column in range(1, rows.shape[1]):
        marks[column] = rows[row, column] != rows[row, column - 1]


@kernel
def encode_rows(
    rows: NDArray[np.uint16],
    row_words: NDArray[np.uint64],
    changes: Changes,
    turn: Turn,
    marks: NDArray[np.uint8],
    words: NDArray[np.uint64],
    tokens: Tokens,
) -> int:
    """Write the tokens of ``rows``; return how many bytes.

    ``row_words`` are the same rows by eight bytes, or have no columns where words do not fit rows.
    ``marks`` is room for one row, with zeros behind it up to a whole word; ``words`` are the same
    bytes by eight. ``tokens`` has room for a spelt-out change in every column.
    """
    width = rows.shape[1]
    n_above, here = turn[0], turn[1]
    place = 0
    for row in range(rows.shape[0]):
        above, here = here, 1 - here
        n_here = pointer = value = 0
        last = -1
        n_words = words.size
        if row_words.shape[1] and _is_empty(row_words, row):
            n_words = 0
        else:
            _mark_changes(rows, row, marks)
        for word in range(n_words):
            if words[word] == np.uint64(0):
                continue
            for change in range(8 * word, min(8 * word + 8, width)):
                if marks[change] == 0:
                    continue
                new = int(np.int64(rows[row, change]))
                while pointer < n_above and changes[above, pointer, 0] <= last:
                    pointer += 1
                expected = pointer
                while expected < n_above and changes[above, expected, 1] == value:
                    expected += 1
                step = _MOST_STEP + 1
                if expected < n_above and changes[above, expected, 1] == new:
                    step = change - int(changes[above, expected, 0])
                place = _put_change(tokens, place, step, change - last - 1, new)
                changes[here, n_here, 0], changes[here, n_here, 1] = change, new
                n_here += 1
                last, value = change, new
        tokens[place] = END
        place += 1
        n_above = n_here
    turn[0], turn[1] = n_above, here
    return place


@kernel
def decode_rows(
    tokens: Tokens, place: int, rows: NDArray[np.uint16], changes: Changes, turn: Turn
) -> int:
    """Paint ``rows``, zero before, from the tokens at ``place``; return where the next row begins.

    -1 where the tokens describe no such rows.
    """
    width = rows.shape[1]
    n_above, here = turn[0], turn[1]
    for row in range(rows.shape[0]):
        above, here = here, 1 - here
        n_here = pointer = value = 0
        last = -1
        while True:
            if place >= tokens.size:
                return -1
            token = int(np.int64(tokens[place]))
            place += 1
            if token == END:
                break
            if token == SPELT_OUT:
                gap, place = _take_number(tokens, place)
                new, place = _take_number(tokens, place)
                if gap < 0 or new < 0:
                    return -1
                change = last + 1 + gap
            else:
                while pointer < n_above and changes[above, pointer, 0] <= last:
                    pointer += 1
                expected = pointer
                while expected < n_above and changes[above, expected, 1] == value:
                    expected += 1
                if expected >= n_above:
                    return -1
                zigzag = token - FIRST_STEP
                step = zigzag >> 1 if zigzag & 1 == 0 else -((zigzag + 1) >> 1)
                change = int(changes[above, expected, 0]) + step
                new = int(changes[above, expected, 1])
            if change <= last or change >= width or new > 65535:
                return -1
            if value != 0:
                rows[row, last:change] = value
            changes[here, n_here, 0], changes[here, n_here, 1] = change, new
            n_here += 1
            last, value = change, new
        if value != 0:
            rows[row, last:] = value
        n_above = n_here
    turn[0], turn[1] = n_above, here
    return place
