"""Which components of two label maps share voxels, and how many.

Both masks are kept as runs (``core/components``); a sweep along both lists finds every pair that
meets. Nothing of the image's size is built, whatever the number of lesions.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import Components, RunArray, components
from lesionary.core.volume import AnyArray, LabelArray


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """The components of one mask, by runs in voxel order.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    values : uint16 array, shape (n,)
        Label value of each component.
    voxels : int64 array, shape (n,)
        Voxels of each.
    runs : int32 array, shape (m, 3)
        Row, first column, column after the last; in voxel order.
    owners : int32 array, shape (m,)
        The component that each run belongs to.
    """

    shape: tuple[int, int, int]
    values: LabelArray
    voxels: NDArray[np.int64]
    runs: RunArray
    owners: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.voxels)

    @classmethod
    def of(cls, array: AnyArray) -> "Side":
        """Find the components of a label map."""
        return cls._of_components(components(array))

    @classmethod
    def _of_components(cls, found: Components) -> "Side":
        lengths = np.diff(found.begins)
        owners = np.repeat(np.arange(len(found), dtype=np.int32), lengths)
        place = found.runs[:, 0].astype(np.int64) * found.shape[2] + found.runs[:, 1]
        order = np.argsort(place, kind="stable")
        return cls(found.shape, found.values, found.voxels, found.runs[order], owners[order])

    def merged(self, values: Collection[int]) -> "Side":
        """Return the components of the union of several labels, which all get the value 1."""
        from lesionary.core._kernels import group_runs, join_runs

        wanted = np.isin(self.values, np.array(sorted(values), dtype=np.uint16))
        runs = _without_seams(self.runs[wanted[self.owners]])
        valued = np.column_stack([runs, np.ones(len(runs), dtype=np.int32)])
        parents = join_runs(valued, self.shape[1])
        grouped, begins, voxels, boxes = group_runs(valued, parents, self.shape[1])
        ones = np.ones(len(voxels), dtype=np.uint16)
        return Side._of_components(Components(self.shape, ones, voxels, boxes, grouped, begins))


def _without_seams(runs: RunArray) -> RunArray:
    """Join runs of one row that touch, as those of two labels side by side do."""
    if len(runs) == 0:
        return runs
    is_seam = (runs[1:, 0] == runs[:-1, 0]) & (runs[1:, 1] == runs[:-1, 2])
    begins = np.concatenate([[True], ~is_seam])
    ends = np.concatenate([~is_seam, [True]])
    return np.ascontiguousarray(np.column_stack([runs[begins, :2], runs[ends, 2]]))


@dataclass(frozen=True, eq=False, slots=True)
class Contacts:
    """Pairs of components of the same label that share voxels, each pair once, in order.

    Parameters
    ----------
    first, second : int64 array, shape (p,)
        Numbers of the components.
    voxels : int64 array, shape (p,)
        What they share, at least 1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    voxels: NDArray[np.int64]

    def iou(self, first: Side, second: Side) -> NDArray[np.float64]:
        """Return the intersection over union of each pair, shape (p,)."""
        union = first.voxels[self.first] + second.voxels[self.second] - self.voxels
        shares: NDArray[np.float64] = self.voxels / union
        return shares


def contacts(first: Side, second: Side) -> Contacts:
    """Find which components of two sides of the same shape share voxels of the same label."""
    from lesionary.evaluate._kernels import shared_voxels

    met = shared_voxels(first.runs, first.owners, second.runs, second.owners)
    met = met[first.values[met[:, 0]] == second.values[met[:, 1]]]
    keys, places = np.unique(met[:, 0] * max(len(second), 1) + met[:, 1], return_inverse=True)
    voxels = np.zeros(len(keys), dtype=np.int64)
    np.add.at(voxels, places, met[:, 2])
    return Contacts(*np.divmod(keys, max(len(second), 1)), voxels)
