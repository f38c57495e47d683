"""Scans made coarse for registration: even voxels along LPS, the body apart from its couch."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import AnyArray, BoolArray, FloatArray, Geometry, Volume

Field = NDArray[np.float32]

CT_WINDOW_HU = (-200.0, 400.0)
"""What registration sees of a CT: fat, flesh and bone; lungs are as dark as air."""

AIR_HU = -1000.0
_BODY_HU = -350.0
_OPENING = 2
"""Voxels by which the body is worn away and grown again: a couch is thinner than four."""

_BODY_SHARE = 0.5
"""Of Otsu's threshold: the body's dark parts count where there are no Hounsfield units."""


@dataclass(frozen=True, eq=False)
class CoarseScan:
    """One scan on even voxels along LPS.

    Parameters
    ----------
    values : float32 array, shape (K, J, I)
        0 … 1; 0 outside the body.
    body : bool array, shape (K, J, I)
        The largest object, with its holes filled slice by slice.
    seen : bool array, shape (K, J, I)
        Where the scan measured at all.
    origin_mm : array, shape (3,)
        Of the first voxel's centre, in ``(x, y, z)``.
    voxel_mm : float
        Edge of a voxel.
    modality : str
    """

    values: Field
    body: BoolArray
    seen: BoolArray
    origin_mm: FloatArray
    voxel_mm: float
    modality: str

    @cached_property
    def centre_mm(self) -> FloatArray:
        """Centre of the body; of the scan where no body was found."""
        inside = np.argwhere(self.body)
        if not len(inside):
            inside = np.array([[(n - 1) / 2 for n in self.body.shape]])
        centre: FloatArray = self.origin_mm + inside.mean(axis=0)[::-1] * self.voxel_mm
        return centre

    @property
    def matrix(self) -> FloatArray:
        """``(k, j, i, 1)`` to LPS mm."""
        matrix = np.zeros((4, 4))
        matrix[2, 0] = matrix[1, 1] = matrix[0, 2] = self.voxel_mm
        matrix[:3, 3] = self.origin_mm
        matrix[3, 3] = 1.0
        return matrix

    def thinned(self, factor: int) -> "CoarseScan":
        """Return the scan with voxels ``factor`` times as long."""
        if factor == 1:
            return self
        shape = [max(n // factor, 1) for n in self.values.shape]
        pads = [(0, max(0, s * factor - n)) for s, n in zip(shape, self.values.shape, strict=True)]

        def means(array: AnyArray) -> Field:
            padded = np.pad(array.astype(np.float32), pads)
            padded = padded[: shape[0] * factor, : shape[1] * factor, : shape[2] * factor]
            split = padded.reshape(shape[0], factor, shape[1], factor, shape[2], factor)
            thin: Field = split.mean(axis=(1, 3, 5))
            return thin

        return CoarseScan(
            values=means(self.values),
            body=means(self.body) >= 0.5,
            seen=means(self.seen) >= 0.5,
            origin_mm=self.origin_mm + (factor - 1) / 2 * self.voxel_mm,
            voxel_mm=self.voxel_mm * factor,
            modality=self.modality,
        )


def coarse_scan(volume: Volume, voxel_mm: float) -> CoarseScan:
    """Average a scan into blocks, lay it along LPS and find the body.

    Parameters
    ----------
    volume : Volume
        Any pose, spacing and modality. Voxels without a measurement count as air.
    voxel_mm : float
        Edge of the new voxels.
    """
    means, geometry = _block_means(volume, voxel_mm)
    values, seen, origin = _along_lps(means, geometry, voxel_mm, _background(volume))
    is_ct = volume.modality == "CT"
    body = _body(values > _BODY_HU if is_ct else values > _bright(values))
    window = CT_WINDOW_HU if is_ct else _window(values, body)
    scaled = np.clip((values - window[0]) / (window[1] - window[0]), 0, 1)
    scaled[~body] = 0
    return CoarseScan(scaled.astype(np.float32), body, seen, origin, voxel_mm, volume.modality)


def _background(volume: Volume) -> float:
    return AIR_HU if volume.modality == "CT" else 0.0


def _block_means(volume: Volume, voxel_mm: float) -> tuple[Field, Geometry]:
    """Average whole blocks no longer than a new voxel; what is left over at the end is dropped."""
    blocks = [
        max(1, min(n, int(voxel_mm / s)))
        for n, s in zip(volume.geometry.shape, volume.geometry.spacing_mm, strict=True)
    ]
    shape = [n // block for n, block in zip(volume.geometry.shape, blocks, strict=True)]
    out = np.empty(shape, dtype=np.float32)
    kb, jb, ib = blocks
    for k in range(shape[0]):
        slab = _slab(volume, slice(k * kb, (k + 1) * kb), shape[1] * jb, shape[2] * ib)
        rows = slab.reshape(shape[1], jb, -1).sum(axis=1)
        out[k] = rows.reshape(shape[1], shape[2], ib).sum(axis=2)
    out /= np.float32(kb * jb * ib)
    affine = volume.geometry.affine.copy()
    affine[:3, 3] = volume.geometry.to_world((np.array(blocks) - 1) / 2)
    affine[:3, :3] = affine[:3, :3] * np.array(blocks)
    return out, Geometry((shape[0], shape[1], shape[2]), affine)


def _slab(volume: Volume, k: slice, n_rows: int, n_columns: int) -> AnyArray:
    """Add up some slices."""
    box = (k, slice(0, n_rows), slice(0, n_columns))
    part = volume.array[box]
    is_exact = part.dtype.kind in "iub" and part.dtype.itemsize <= 2
    if volume.invalid is not None and volume.invalid[box].any():
        part = np.where(volume.invalid[box], part.dtype.type(_background(volume)), part)
    if part.dtype.kind == "f":
        part = np.nan_to_num(part, nan=_background(volume), posinf=0.0, neginf=0.0)
    slab: AnyArray = part.sum(axis=0, dtype=np.int32 if is_exact else np.float64)
    return slab


def _along_lps(
    means: Field, geometry: Geometry, voxel_mm: float, background: float
) -> tuple[Field, BoolArray, FloatArray]:
    """Sample block means on even voxels that run along LPS and hold the whole scan."""
    from scipy.ndimage import affine_transform

    corners = geometry.corners_mm()
    low, high = corners.min(axis=0), corners.max(axis=0)
    n_x, n_y, n_z = (np.floor((high - low) / voxel_mm + 1e-6).astype(int) + 1).tolist()
    turn = np.zeros((3, 3))
    turn[2, 0] = turn[1, 1] = turn[0, 2] = voxel_mm
    inverse = np.linalg.inv(geometry.affine[:3, :3])
    steps, start = inverse @ turn, geometry.to_index(low)
    shape = (n_z, n_y, n_x)
    values = affine_transform(
        means, steps, start, shape, order=1, mode="nearest", output=np.float32
    )
    grid = np.ogrid[:n_z, :n_y, :n_x]
    seen = np.ones(shape, dtype=np.bool_)
    for axis in range(3):
        place = sum(steps[axis, a] * grid[a] for a in range(3)) + start[axis]
        seen &= (place >= -0.5) & (place <= geometry.shape[axis] - 0.5)
    values[~seen] = background
    return values, seen, low


def _bright(values: Field) -> float:
    """Return half of Otsu's threshold on the root of what is above 0, as a value again."""
    from skimage.filters import threshold_otsu

    positive = values[values > 0]
    if positive.size < 2:
        return 0.0
    roots = np.sqrt(np.minimum(positive, np.percentile(positive, 99)))
    if roots.min() == roots.max():
        return 0.0
    return float((_BODY_SHARE**0.5 * threshold_otsu(roots)) ** 2)


def _window(values: Field, body: BoolArray) -> tuple[float, float]:
    """Return the first and the last hundredth of the body's values."""
    if not body.any():
        return 0.0, 1.0
    low, high = np.percentile(values[body], (1, 99))
    return float(low), float(max(high, low + 1e-6))


def _body(bright: BoolArray) -> BoolArray:
    """Return the largest object once thin ones are gone, with holes filled slice by slice."""
    from scipy.ndimage import binary_fill_holes, binary_opening, label

    n_times = _OPENING
    padded = np.pad(bright, n_times, mode="edge")
    core = (slice(n_times, -n_times),) * 3
    opened: BoolArray = binary_opening(padded, iterations=n_times)[core]
    pieces, n_pieces = label(opened)
    if n_pieces == 0:
        return opened
    counts = np.bincount(pieces.ravel())
    counts[0] = 0
    body: BoolArray = pieces == int(np.argmax(counts))
    for plane in body:
        plane[:] = binary_fill_holes(plane)
    return body
