"""Smooth random fields, and the noise of a CT image.

A smooth field is a sum of random plane waves. On a lattice with an affine map each wave factors
into one term per axis, so a whole field costs one small matrix product, whatever its wavelength.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import AnyArray, FloatArray

Float32Array = NDArray[np.float32]


def random_directions(rng: np.random.Generator, n: int) -> FloatArray:
    """Draw ``n`` unit vectors, uniform on the sphere, shape (n, 3)."""
    vectors = rng.standard_normal((n, 3))
    directions: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return directions


def random_rotation(rng: np.random.Generator, largest_degrees: float = 180.0) -> FloatArray:
    """Draw a rotation about a random axis by up to ``largest_degrees``, shape (3, 3)."""
    axis = random_directions(rng, 1)[0]
    return rotation_about(axis, float(rng.uniform(-largest_degrees, largest_degrees)))


def rotation_about(axis: FloatArray, degrees: float) -> FloatArray:
    """Return the rotation about a unit vector, shape (3, 3)."""
    x, y, z = axis
    angle = np.deg2rad(degrees)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation: FloatArray = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return rotation


@dataclass(frozen=True, slots=True, eq=False)
class SmoothNoise:
    """A smooth random field with one or more components.

    Parameters
    ----------
    waves : array, shape (n, 3)
        Wave vectors in radians per mm.
    phases : array, shape (n,)
        In radians.
    amplitudes : array, shape (n, components)
        Of each wave in each component.
    """

    waves: FloatArray
    phases: FloatArray
    amplitudes: FloatArray

    @staticmethod
    def draw(
        rng: np.random.Generator,
        wavelength_mm: float,
        standard_deviation: float = 1.0,
        *,
        n_components: int = 1,
        n_waves: int = 24,
    ) -> "SmoothNoise":
        """Draw a field whose features are about ``wavelength_mm`` apart."""
        numbers = 2 * np.pi / wavelength_mm * rng.uniform(0.6, 1.4, (n_waves, 1))
        scale = standard_deviation * np.sqrt(2.0 / n_waves)
        return SmoothNoise(
            waves=random_directions(rng, n_waves) * numbers,
            phases=rng.uniform(0, 2 * np.pi, n_waves),
            amplitudes=scale * rng.choice((-1.0, 1.0), (n_waves, n_components)),
        )

    def __add__(self, other: "SmoothNoise") -> "SmoothNoise":
        return SmoothNoise(
            np.vstack((self.waves, other.waves)),
            np.concatenate((self.phases, other.phases)),
            np.vstack((self.amplitudes, other.amplitudes)),
        )

    def at(self, points_mm: AnyArray) -> FloatArray:
        """Evaluate at points, shape (..., 3); return shape (..., components)."""
        values: FloatArray = np.cos(points_mm @ self.waves.T + self.phases) @ self.amplitudes
        return values

    def on_lattice(self, affine: FloatArray, shape: tuple[int, int, int]) -> Float32Array:
        """Evaluate on a lattice; ``affine`` maps its indices to mm.

        Returns
        -------
        float32 array, shape (components, *shape)
        """
        per_index = self.waves @ affine[:3, :3]
        phases = self.waves @ affine[:3, 3] + self.phases
        slow, rows, columns = (
            np.exp(1j * np.outer(waves, np.arange(n)))
            for waves, n in zip(per_index.T, shape, strict=True)
        )
        slow = (slow * np.exp(1j * phases)[:, None]).T
        plane = rows.astype(np.complex64)[:, :, None] * columns.astype(np.complex64)[:, None, :]
        basis = np.concatenate((plane.real, -plane.imag)).reshape(2 * len(phases), -1)
        out = np.empty((self.amplitudes.shape[1], *shape), dtype=np.float32)
        for component, weights in zip(out, self.amplitudes.T, strict=True):
            waves = np.concatenate((slow.real * weights, slow.imag * weights), axis=1)
            np.matmul(waves.astype(np.float32), basis, out=component.reshape(shape[0], -1))
        return out


def ct_noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    *,
    streaks: float = 0.0,
) -> Float32Array:
    """Draw one slice of CT noise with unit variance.

    Filtered back-projection leaves a noise whose power rises with frequency and then falls off
    with the kernel: the grain is finer than that of blurred white noise.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where randomness comes from.
    shape : tuple of int
        Rows and columns.
    spacing_mm : tuple of float
        Row and column spacing.
    streaks : float
        0 is isotropic; larger draws the grain out along the rows, as behind wide shoulders.
    """
    rows, columns = shape
    f_row = np.fft.fftfreq(rows, spacing_mm[0])[:, None]
    f_column = np.fft.rfftfreq(columns, spacing_mm[1])[None, :]
    squared = f_row**2 + f_column**2
    knee_per_mm = 0.32
    power = (np.sqrt(squared) + 0.02) * np.exp(-squared / knee_per_mm**2)
    power *= 1 + streaks * f_row**4 / np.maximum(squared, 1e-12) ** 2
    scale = np.sqrt(power / _mean_power(power, columns)).astype(np.float32)
    spectrum = np.empty(scale.shape, dtype=np.complex64)
    spectrum.real = rng.standard_normal(scale.shape, dtype=np.float32)
    spectrum.imag = rng.standard_normal(scale.shape, dtype=np.float32)
    spectrum *= scale * np.float32(np.sqrt(rows * columns / 2.0))
    noise: Float32Array = np.fft.irfft2(spectrum, s=shape).astype(np.float32, copy=False)
    return noise


def _mean_power(power: FloatArray, columns: int) -> float:
    """Mean over the full spectrum, of which the last axis holds only the non-negative half."""
    twice = np.full(power.shape[1], 2.0)
    twice[0] = 1.0
    if columns % 2 == 0:
        twice[-1] = 1.0
    return float((power * twice).sum() / (power.shape[0] * columns))
