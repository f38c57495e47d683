"""Compiled loops over several readers' runs: their union, and who drew what within it.

A run, as in ``core/_kernels.py``, is a stretch of one value within a row. Import at first use.
"""

import numpy as np
from numpy.typing import NDArray

from lesionary.core._kernels import ValuedRuns
from lesionary.core.jit import kernel
from lesionary.core.readers._pattern_kernels import Int, Table, slot_of, take

_NO_STOP = 1 << 40  # beyond any row


@kernel
def unite_runs(runs: ValuedRuns) -> tuple[ValuedRuns, NDArray[np.int64]]:
    """Merge runs of one value that overlap or touch within a row.

    ``runs`` are sorted by value, then row, then start. Returns the union's runs, sorted alike, and
    for each run the one of the union that holds it.
    """
    united = np.empty_like(runs)
    holder = np.empty(runs.shape[0], np.int64)
    n = 0
    for run in range(runs.shape[0]):
        row, start, stop, value = runs[run]
        if (
            n > 0
            and united[n - 1, 3] == value
            and united[n - 1, 0] == row
            and united[n - 1, 2] >= start
        ):
            united[n - 1, 2] = max(united[n - 1, 2], stop)
        else:
            united[n] = runs[run]
            n += 1
        holder[run] = n - 1
    return united[:n].copy(), holder


@kernel
def count_run_patterns(
    runs: ValuedRuns,
    readers: NDArray[np.int64],
    holder: NDArray[np.int64],
    numbers: NDArray[np.int64],
    n_readers: int,
    table: Table,
    n_taken: int,
    begin: int,
) -> tuple[int, int]:
    """Count the patterns of each component, whose number plus one stands as the table's value.

    ``holder`` names the run of the union that each reader's run lies in, ``numbers`` the component
    of each run of the union. A line sweeps along a run of the union: ``ends`` knows how far the
    run of each reader at the line goes, and the line next stops at the next begin or end of any.

    Begins at run ``begin`` and stops where the table may have no room, as ``count_patterns`` does.
    """
    values, patterns, counts = table
    ends = np.zeros(n_readers, np.int64)
    slot: Int = 0
    while begin < runs.shape[0]:
        end = begin + 1
        while end < runs.shape[0] and holder[end] == holder[begin]:
            end += 1
        if 2 * (n_taken + 2 * (end - begin)) > values.size:
            break
        component = numbers[holder[begin]] + 1
        ends[:] = 0
        line = np.int64(runs[begin, 1])
        following = begin
        while True:
            while following < end and runs[following, 1] == line:
                ends[readers[following]] = runs[following, 2]
                following += 1
            stop = np.int64(runs[following, 1]) if following < end else np.int64(_NO_STOP)
            pattern = np.uint64(0)
            for reader in range(n_readers):
                if ends[reader] > line:
                    pattern |= np.uint64(1) << np.uint64(reader)
                    stop = min(stop, ends[reader])
            if pattern == np.uint64(0):
                break
            slot = slot_of(values, patterns, component, pattern, slot)
            n_taken += take(values, patterns, slot, component, pattern)
            counts[slot] += stop - line
            line = stop
        begin = end
    return n_taken, begin


@kernel
def sort_by_key(keys: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort stably by keys of 0 to ``n - 1``: return the order, and where each key's part begins."""
    begins = np.zeros(n + 1, np.int64)
    for key in keys:
        begins[key + 1] += 1
    for key in range(n):
        begins[key + 1] += begins[key]
    filled = begins[:-1].copy()
    order = np.empty(keys.size, np.int64)
    for place in range(keys.size):
        order[filled[keys[place]]] = place
        filled[keys[place]] += 1
    return order, begins
