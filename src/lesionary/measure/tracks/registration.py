"""How one scan is laid over another: what matching needs, and what an engine must give.

A transform is a 4 × 4 matrix from LPS millimetres of the earlier scan to those of the later one.
Nothing here computes one: :class:`Registration` is the promise,
:mod:`lesionary.engines.registration` keeps it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import AnyArray, FloatArray, Geometry, Volume, read_only


class RegistrationKind(StrEnum):
    """What a transform may do, from the most exact to the last resort."""

    RIGID = "rigid"
    AFFINE = "affine"
    BODY_CENTRE = "body_centre"


_ORDER = (RegistrationKind.RIGID, RegistrationKind.AFFINE, RegistrationKind.BODY_CENTRE)


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """Where a point of one scan lies in another.

    Parameters
    ----------
    matrix : array, shape (4, 4)
        LPS mm to LPS mm, homogeneous; kept as read-only float64.
    kind : RegistrationKind
        ``body_centre`` is a mere shift of one body's centre onto the other's.
    quality : float
        0 … 1: the share of the later scan's contrast that the earlier one explains where both
        show the body.
    reason : str
        Why it fell back to ``body_centre``; empty where it did not.

    Raises
    ------
    InputError
        If the matrix is not a finite, invertible affine map.
    """

    matrix: FloatArray
    kind: RegistrationKind = RegistrationKind.RIGID
    quality: float = 1.0
    reason: str = ""

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InputError("a transform is a finite 4 × 4 matrix")
        if not np.array_equal(matrix[3], [0, 0, 0, 1]) or abs(np.linalg.det(matrix)) < 1e-6:
            raise InputError("a transform's matrix is affine and can be inverted")
        object.__setattr__(self, "matrix", read_only(matrix))

    def apply(self, points_mm: AnyArray) -> FloatArray:
        """Map LPS points, shape (..., 3)."""
        points: FloatArray = np.asarray(points_mm, dtype=np.float64) @ self.matrix[:3, :3].T
        return points + self.matrix[:3, 3]

    def inverse(self) -> "Transform":
        """Return the way back, of the same kind and quality."""
        matrix: FloatArray = np.linalg.inv(self.matrix).astype(np.float64)
        matrix[3] = (0.0, 0.0, 0.0, 1.0)
        return Transform(matrix, self.kind, self.quality, self.reason)

    def then(self, other: "Transform") -> "Transform":
        """Return this transform followed by ``other``: as good as the worse of the two."""
        return Transform(
            other.matrix @ self.matrix,
            max(self.kind, other.kind, key=_ORDER.index),
            min(self.quality, other.quality),
            self.reason or other.reason,
        )

    def moved(self, geometry: Geometry) -> Geometry:
        """Return a grid as it lies in the later scan's space."""
        return Geometry(geometry.shape, self.matrix @ geometry.affine)


def identity() -> Transform:
    """Return the transform between two series that share a frame of reference."""
    return Transform(np.eye(4))


@dataclass(frozen=True, slots=True)
class RegistrationOptions:
    """How hard to try.

    Parameters
    ----------
    model : RegistrationKind
        ``rigid`` (default) or ``affine``.
    least_quality : float
        Below it the result is thrown away for the centre of the body.
    largest_degrees : float
        A patient turned further was not found, but lost.
    largest_scale : float
        An affine result that stretches or squeezes any axis by more is thrown away.
    """

    model: RegistrationKind = RegistrationKind.RIGID
    least_quality: float = 0.30
    largest_degrees: float = 35.0
    largest_scale: float = field(default=1.25)

    def __post_init__(self) -> None:
        if self.model is RegistrationKind.BODY_CENTRE:
            raise InputError("the centre of the body is what registration falls back to")


@runtime_checkable
class Registration(Protocol):
    """Lays one scan of a subject over another.

    The same two volumes give the same transform, byte for byte, on any number of cores.
    """

    def register(
        self, before: Volume, after: Volume, options: RegistrationOptions = ...
    ) -> Transform:
        """Find where the points of ``before`` lie in ``after``.

        Never fails for want of likeness: it falls back to the centre of the body, and the
        transform's ``reason`` says why.
        """
        ...
