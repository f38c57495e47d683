"""Branching vessels that reach every part of an organ."""

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.phantoms.tubes import Tubes

MURRAY = 2.7
"""A parent's radius to this power is the sum over its children: between area and Murray's law."""


def grow_tree(
    root: FloatArray,
    targets: FloatArray,
    rng: np.random.Generator,
    *,
    root_radius_mm: float,
    smallest_radius_mm: float = 0.4,
) -> Tubes:
    """Connect ``targets`` to ``root`` by a tree whose branches taper towards the ends.

    Targets join in order of distance from the root, each at the place that keeps both the new
    branch and the way back to the root short.

    Parameters
    ----------
    root : array, shape (3,)
        Where the tree enters, in mm.
    targets : array, shape (n, 3)
        What it must reach; at least one.
    rng : numpy.random.Generator
        Bends the branches.
    root_radius_mm, smallest_radius_mm : float
        Radius of the trunk, and the least at the ends.
    """
    nodes, parents = _connect(root, targets)
    leaves = np.zeros(len(nodes))
    leaves[~np.isin(np.arange(len(nodes)), parents)] = 1
    for child in range(len(nodes) - 1, 0, -1):
        leaves[parents[child]] += leaves[child]
    radii = np.maximum(root_radius_mm * (leaves / leaves[0]) ** (1 / MURRAY), smallest_radius_mm)
    starts, ends = nodes[parents[1:]], nodes[1:]
    lengths = np.linalg.norm(ends - starts, axis=1, keepdims=True)
    middles = (starts + ends) / 2 + rng.normal(0, 0.06, starts.shape) * lengths
    return Tubes(
        np.concatenate((starts, middles)),
        np.concatenate((middles, ends)),
        np.concatenate((radii[1:], radii[1:])),
        np.concatenate((radii[1:], radii[1:] * 0.92)),
    )


def _connect(root: FloatArray, targets: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Order nodes root first; give each its parent's number, the root its own."""
    order = np.argsort(np.linalg.norm(targets - root, axis=1), kind="stable")
    nodes = [root]
    parents = [0]
    path_mm = [0.0]
    for target in targets[order]:
        at = np.array(nodes)
        gaps = np.linalg.norm(at - target, axis=1)
        best = int(np.argmin(gaps + 0.35 * np.array(path_mm)))
        if gaps[best] > 18:  # a long branch gets nodes of its own, so that others can join it
            middle = at[best] + 0.55 * (target - at[best])
            nodes.append(middle)
            parents.append(best)
            path_mm.append(path_mm[best] + 0.55 * float(gaps[best]))
            best = len(nodes) - 1
        nodes.append(target)
        parents.append(best)
        path_mm.append(path_mm[best] + float(np.linalg.norm(nodes[best] - target)))
    return np.array(nodes), np.array(parents)


def along(points: FloatArray, radii_mm: FloatArray, *, height: float = 1.0) -> Tubes:
    """Join points, shape (n, 3), with their radii, shape (n,), into one tube."""
    return Tubes(points[:-1], points[1:], radii_mm[:-1], radii_mm[1:], height)
