"""One scan of a subject laid over another, by SimpleITK on coarse voxels.

The body is cut out of its surroundings, for the couch does not move with the patient. Several
starts (the centres of the bodies, and the head-foot offsets at which coarse scans look most alike)
are refined on 12 mm voxels, the best of them on 8 and 4 mm. Two scans of one modality are compared
by correlation, others by mutual information. One thread and a fixed seed: the same two volumes
give the same bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np

from lesionary.core.volume import FloatArray, Volume
from lesionary.engines._coarse import CoarseScan, coarse_scan
from lesionary.engines._likeness import Likeness, judge
from lesionary.measure.tracks.registration import (
    RegistrationKind,
    RegistrationOptions,
    Transform,
)

VOXEL_MM = 4.0
"""Edge of a coarse voxel; less where the longer scan is short, as of a mouse or a head."""

_N_ALONG = 75
_START_FACTOR, _JUDGE_FACTOR = 3, 2
_N_STARTS = 3
_LEVER_MM = 100.0
"""A turn by one radian moves the surface of a body of :data:`_BODY_MM` by about this much."""

_BODY_MM = 300.0

_LEAST_OVERLAP = 0.08
"""Share of the smaller body that both scans must show."""

_AMPLE_OVERLAP, _SLIVER_QUALITY = 0.25, 0.70
"""Below the first, a likeness must reach the second: slivers of bodies look alike by chance."""

_ONE_AT_A_TIME = Lock()
"""Held while settings of the whole process are changed, so that they are put back as they were."""

_BINS = 32
_SEED = 20


class CoarseRegistration:
    """Rigid or affine registration of bodies; the :class:`Registration` of the built-in engine."""

    def register(
        self,
        before: Volume,
        after: Volume,
        options: RegistrationOptions | None = None,
    ) -> Transform:
        """Find where the points of ``before`` lie in ``after``.

        Parameters
        ----------
        before, after : Volume
            Of one subject, any modality; they need not show the same part of the body.
        options : RegistrationOptions, optional

        Returns
        -------
        Transform
            ``body_centre`` with its ``reason`` where the result is poor or implausible.
        """
        options = options or RegistrationOptions()
        voxel_mm = _voxel_mm(before, after)
        fixed, moving = coarse_scan(before, voxel_mm), coarse_scan(after, voxel_mm)
        if not (fixed.body.any() and moving.body.any()):
            return _centred(fixed, moving, "no body was found in one of the scans")
        found = _best_start(fixed, moving)
        if found is None:
            return _centred(fixed, moving, "the scans share too little of the body")
        matrix = _refine(fixed, moving, found, options.model)
        likeness = judge(fixed.thinned(_JUDGE_FACTOR), moving.thinned(_JUDGE_FACTOR), matrix)
        why_not = _doubt(matrix, likeness, options)
        if why_not:
            return _centred(fixed, moving, why_not)
        return Transform(matrix, options.model, likeness.quality)


def _centred(fixed: CoarseScan, moving: CoarseScan, reason: str) -> Transform:
    matrix = _shift(moving.centre_mm - fixed.centre_mm)
    quality = 0.0
    if fixed.body.any() and moving.body.any():
        thin = fixed.thinned(_JUDGE_FACTOR), moving.thinned(_JUDGE_FACTOR)
        quality = judge(*thin, matrix).quality
    return Transform(matrix, RegistrationKind.BODY_CENTRE, quality, reason)


def _shift(offset_mm: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, 3] = offset_mm
    return matrix


def _doubt(matrix: FloatArray, likeness: Likeness, options: RegistrationOptions) -> str:
    """Say why a result is not to be believed; empty where it is."""
    left, stretch, right = np.linalg.svd(matrix[:3, :3])
    cosine = np.clip((np.trace(left @ right) - 1) / 2, -1, 1)
    degrees = float(np.degrees(np.arccos(cosine)))
    if likeness.overlap < _LEAST_OVERLAP:
        return f"the scans share only {likeness.overlap:.0%} of the smaller body"
    is_sliver = likeness.overlap < _AMPLE_OVERLAP
    least = max(options.least_quality, _SLIVER_QUALITY) if is_sliver else options.least_quality
    if likeness.quality < least:
        return f"likeness {likeness.quality:.2f} is below {least:.2f}"
    if degrees > options.largest_degrees:
        return f"a turn by {degrees:.0f}° is implausible"
    if stretch.max() > options.largest_scale or stretch.min() < 1 / options.largest_scale:
        return f"a stretch by {stretch.max():.2f} to {stretch.min():.2f} is implausible"
    return ""


def _voxel_mm(before: Volume, after: Volume) -> float:
    """Return the edge of coarse voxels that suits both scans."""
    longest = max(
        n * spacing
        for volume in (before, after)
        for n, spacing in zip(volume.geometry.shape, volume.geometry.spacing_mm, strict=True)
    )
    return min(VOXEL_MM, longest / _N_ALONG)


def _best_start(fixed: CoarseScan, moving: CoarseScan) -> FloatArray | None:
    """Refine each start on coarse voxels and return the best; None where nothing overlaps."""
    thin, other = fixed.thinned(_START_FACTOR), moving.thinned(_START_FACTOR)
    best, rank = None, 0.0
    for offset_mm in _starts(thin, other):
        matrix = _optimised(
            thin, other, _shift(offset_mm), RegistrationKind.RIGID, (1,), 2.0 * fixed.voxel_mm
        )
        found = judge(thin, other, matrix).rank
        if found > rank:
            best, rank = matrix, found
    return best


def _starts(fixed: CoarseScan, moving: CoarseScan) -> list[FloatArray]:
    """Return shifts: centre on centre, and the likeliest offsets along the body."""
    centred = moving.centre_mm - fixed.centre_mm
    step = fixed.voxel_mm
    extent = (fixed.values.shape[0] + moving.values.shape[0]) * step / 2
    heights = centred[2] + np.arange(-extent, extent + step, 2 * step)
    ranks = []
    for height in heights:
        shift = _shift(np.array([centred[0], centred[1], height]))
        likeness = judge(fixed, moving, shift)
        ranks.append(likeness.rank if likeness.overlap >= _LEAST_OVERLAP / 2 else 0.0)
    rank = np.array(ranks)
    before, behind = np.r_[-1.0, rank[:-1]], np.r_[rank[1:], -1.0]
    peaks = np.flatnonzero((rank > before) & (rank >= behind) & (rank > 0))
    peaks = peaks[np.argsort(-rank[peaks], kind="stable")][: _N_STARTS - 1]
    starts = [centred, *(np.array([centred[0], centred[1], heights[p]]) for p in peaks)]
    return [
        s for n, s in enumerate(starts) if all(np.linalg.norm(s - o) > step for o in starts[:n])
    ]


def _refine(
    fixed: CoarseScan, moving: CoarseScan, start: FloatArray, model: RegistrationKind
) -> FloatArray:
    matrix = _optimised(fixed, moving, start, RegistrationKind.RIGID, (2, 1), fixed.voxel_mm)
    if model is RegistrationKind.AFFINE:
        matrix = _optimised(fixed, moving, matrix, model, (2, 1), 0.5 * fixed.voxel_mm)
    return matrix


def _optimised(
    fixed: CoarseScan,
    moving: CoarseScan,
    start: FloatArray,
    model: RegistrationKind,
    factors: tuple[int, ...],
    step_mm: float,
) -> FloatArray:
    """Run SimpleITK's optimiser from ``start``; return ``start`` where it finds nothing better."""
    import SimpleITK as sitk

    scale = min(1.0, _extent_mm(fixed) / _BODY_MM)
    method = sitk.ImageRegistrationMethod()
    if fixed.modality == moving.modality:
        method.SetMetricAsCorrelation()
    else:
        method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricFixedMask(_image(fixed.body.astype(np.uint8), fixed))
    method.SetMetricMovingMask(_image(moving.seen.astype(np.uint8), moving))
    method.SetMetricSamplingStrategy(method.RANDOM)
    n_voxels = fixed.values.size
    shares = [float(np.clip(40_000 / (n_voxels / f**3), 0.05, 1.0)) for f in factors]
    method.SetMetricSamplingPercentagePerLevel(shares, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(factors)
    method.SetSmoothingSigmasPerLevel([0.0 if f == 1 else f / 2 for f in factors])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step_mm,
        minStep=0.02 * scale,
        numberOfIterations=80,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-8,
    )
    transform = _sitk_transform(start, fixed.centre_mm, model)
    lever = (_LEVER_MM * scale) ** 2
    n_turns = transform.GetNumberOfParameters() - 3
    method.SetOptimizerScales([lever] * n_turns + [1.0] * 3)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        with _quiet_and_in_order():
            method.Execute(_image(fixed.values, fixed), _image(moving.values, moving))
    except RuntimeError:  # no sample of the body lies in the other scan
        return start
    return _matrix_of(transform)


@contextmanager
def _quiet_and_in_order() -> Iterator[None]:
    """Let ITK add up in one order, and write nothing on stderr.

    Its metrics heed the number of threads of the whole process alone.
    """
    import SimpleITK as sitk

    process = sitk.ProcessObject
    with _ONE_AT_A_TIME:
        n_threads, is_loud = (
            process.GetGlobalDefaultNumberOfThreads(),
            process.GetGlobalWarningDisplay(),
        )
        process.SetGlobalDefaultNumberOfThreads(1)
        process.SetGlobalWarningDisplay(False)
        try:
            yield
        finally:
            process.SetGlobalDefaultNumberOfThreads(n_threads)
            process.SetGlobalWarningDisplay(is_loud)


def _image(array: Any, scan: CoarseScan) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    image.SetOrigin(scan.origin_mm.tolist())
    image.SetSpacing([scan.voxel_mm] * 3)
    return image


def _extent_mm(scan: CoarseScan) -> float:
    """Return the longest edge of a scan."""
    return float(max(scan.values.shape) * scan.voxel_mm)


def _sitk_transform(matrix: FloatArray, centre_mm: FloatArray, model: RegistrationKind) -> Any:
    """Return the transform that turns about the body's centre and equals ``matrix``."""
    import SimpleITK as sitk

    is_affine = model is RegistrationKind.AFFINE
    transform: Any = sitk.AffineTransform(3) if is_affine else sitk.Euler3DTransform()
    transform.SetCenter(centre_mm.tolist())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist(), *(() if is_affine else (1e-6,)))
    moved = matrix[:3, :3] @ centre_mm + matrix[:3, 3]
    transform.SetTranslation((moved - centre_mm).tolist())
    return transform


def _matrix_of(transform: Any) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    origin = transform.TransformPoint((0.0, 0.0, 0.0))
    matrix[:3, 3] = origin
    return matrix
