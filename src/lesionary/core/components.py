"""Which voxels belong together: 26-connected components of a label map (R7).

Voxels that touch by a face, an edge or a corner and hold the same value are one component. The
work is done on *runs*, stretches of equal voxels along a row: empty space is skipped eight bytes
at a time, and everything a measurement needs later (counts, boxes, intensities, outlines) comes
from the runs alone, without another array of the image's size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lesionary.core.errors import InputError
from lesionary.core.flat import flat_voxels
from lesionary.core.volume import AnyArray, BoolArray, Box, LabelArray

RunArray = NDArray[np.int32]
"""Shape (n, 3): row ``k * n_j + j``, first column, column after the last; in voxel order."""

MAX_LABEL = 65535
"""Largest value of a label map."""


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One 26-connected piece of one label.

    Parameters
    ----------
    value : int
        The label's value; 1 for a mask.
    n_voxels : int
        At least 1.
    first : tuple of int
        Its first voxel in ``(k, j, i)`` order.
    box : Box
        The smallest half-open box around it.
    runs : int32 array, shape (n, 3)
        Where its voxels lie: row ``k * n_j + j``, first column, column after the last.
    shape : tuple of int
        Of the image it lies in.
    """

    value: int
    n_voxels: int
    first: tuple[int, int, int]
    box: Box
    runs: RunArray
    shape: tuple[int, int, int]

    def crop(self) -> BoolArray:
        """Return its voxels as a new mask of the size of its box."""
        from lesionary.core._kernels import paint_crop

        k, j, i = self.box
        out = np.zeros((k.stop - k.start, j.stop - j.start, i.stop - i.start), dtype=np.bool_)
        paint_crop(self.runs, self.shape[1], (k.start, j.start, i.start), out)
        return out


@dataclass(frozen=True, eq=False)
class Components:
    """All components of an image, numbered from 0 by their first voxel in ``(k, j, i)`` order.

    A mask's are numbered as :func:`scipy.ndimage.label` does, from 0 instead of 1.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    values : uint16 array, shape (n,)
        Label value of each.
    voxels : int64 array, shape (n,)
        Voxels of each.
    boxes : int32 array, shape (n, 3, 2)
        Half-open index ranges along ``(k, j, i)``.
    runs : int32 array, shape (m, 3)
        The runs of all, one component after the other.
    begins : int64 array, shape (n + 1,)
        ``runs[begins[n]:begins[n + 1]]`` are those of component ``n``.
    """

    shape: tuple[int, int, int]
    values: LabelArray
    voxels: NDArray[np.int64]
    boxes: NDArray[np.int32]
    runs: RunArray
    begins: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.voxels)

    def __getitem__(self, number: int) -> Component:
        box = tuple(slice(int(start), int(stop)) for start, stop in self.boxes[number])
        runs = self.runs[self.begins[number] : self.begins[number + 1]]
        k, j = divmod(int(runs[0, 0]), self.shape[1])
        return Component(
            value=int(self.values[number]),
            n_voxels=int(self.voxels[number]),
            first=(k, j, int(runs[0, 1])),
            box=(box[0], box[1], box[2]),
            runs=runs,
            shape=self.shape,
        )

    def __iter__(self) -> Iterator[Component]:
        return (self[number] for number in range(len(self)))

    @cached_property
    def by_volume(self) -> NDArray[np.int64]:
        """Numbers of the components, largest first, ties by first voxel."""
        return np.argsort(-self.voxels, kind="stable")

    @cached_property
    def is_largest_of_label(self) -> BoolArray:
        """Tell of each component whether no other of the same label has more voxels."""
        most = np.zeros(MAX_LABEL + 1, dtype=np.int64)
        np.maximum.at(most, self.values, self.voxels)
        largest: BoolArray = self.voxels == most[self.values]
        return largest

    def painted(self, numbers: AnyArray) -> LabelArray:
        """Return a label map of the whole image that holds ``numbers[n]`` in component ``n``.

        Parameters
        ----------
        numbers : integer array, shape (n,)
            0 leaves a component out.

        Raises
        ------
        InputError
            If there is not one number in 0 … 65535 for each component.
        """
        from lesionary.core._kernels import paint_runs

        numbers = np.asarray(numbers)
        if numbers.shape != (len(self),):
            raise InputError(f"{numbers.shape} numbers for {len(self)} components")
        if len(self) and not 0 <= int(numbers.min()) <= int(numbers.max()) <= MAX_LABEL:
            raise InputError(f"a label map holds 0 to {MAX_LABEL}, not {int(numbers.max())}")
        out = np.zeros(self.shape, dtype=np.uint16)
        rows = out.reshape(-1, self.shape[2])
        paint_runs(self.runs, self.begins, numbers.astype(np.uint16), rows)
        return out


def components(array: AnyArray) -> Components:
    """Find the 26-connected components of every label.

    Memory: 12 bytes a run for the result, about 30 while at work, whatever the image's size; an
    array that is not in C order is copied first.

    Parameters
    ----------
    array : bool, uint8 or uint16 array, shape (slices, rows, columns)
        0 is background. Neighbours of different values are different components.

    Returns
    -------
    Components
        None for an empty array.

    Raises
    ------
    InputError
        If the array has another type or not three axes.

    Examples
    --------
    >>> found = components(np.array([[[1, 0, 2, 2, 0, 1]]], dtype=np.uint16))
    >>> found.values.tolist(), found.voxels.tolist()
    ([1, 2, 1], [1, 2, 1])
    """
    from lesionary.core import _kernels

    if array.ndim != 3 or array.dtype.kind not in "bu" or array.dtype.itemsize > 2:
        raise InputError(f"components need three axes of labels, not {array.ndim} {array.dtype}")
    n_k, n_j, n_i = array.shape
    (flat,) = flat_voxels(array)
    shift = 3 if flat.itemsize == 1 else 2
    words = flat[: flat.size >> shift << shift].view(np.uint64)
    runs = _kernels.find_runs(flat, words, shift, n_i)
    parents = _kernels.join_runs(runs, n_j)
    grouped, begins, voxels, boxes = _kernels.group_runs(runs, parents, n_j)
    firsts = grouped[begins[:-1]].astype(np.int64)
    values = flat[firsts[:, 0] * n_i + firsts[:, 1]].astype(np.uint16)
    return Components((n_k, n_j, n_i), values, voxels, boxes, grouped, begins)
