"""What several readers would have drawn together: STAPLE and majority (M7).

Both need only how many voxels each set of readers drew (``readers/patterns.py``), so expectation
and maximisation run over a handful of numbers instead of a volume, with the same result. Counts are
always those of the whole image: STAPLE's prior is the share of foreground in it, and a crop, which
changes that share, changes the consensus.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lesionary.core.components import MAX_LABEL
from lesionary.core.errors import InputError
from lesionary.core.readers.drawings import Drawings
from lesionary.core.readers.patterns import ReaderPatterns, painted, patterns_of
from lesionary.core.volume import AnyArray, BoolArray, FloatArray, LabelArray, read_only

CONVERGED = 1e-7
"""STAPLE ends when no sensitivity or specificity moves by more in one iteration."""

MAX_ITERATIONS = 1_000_000
"""Readers who draw at random may need hundreds of thousands; real ones some tens."""

SAME_PROBABILITY = 9
"""Decimals to which probabilities are told apart: more are noise of the arithmetic."""

NO_FOREGROUND = "nobody drew anything: there is no foreground to be found"
NO_BACKGROUND = "every reader drew the whole image: there is no background to be left out"


class Method(StrEnum):
    """How several drawings become one."""

    STAPLE = "staple"
    MAJORITY = "majority"


@dataclass(frozen=True, eq=False)
class Staple:
    """What STAPLE estimates of one object.

    Parameters
    ----------
    patterns : ReaderPatterns
        What it was estimated from.
    probability : float64 array, shape (m,)
        Of each pattern's voxels to belong to the object.
    sensitivity : float64 array, shape (n_readers,), or None
        Share of the object that each reader drew, as estimated; None where there is no foreground.
        What is reported of readers is :func:`~lesionary.core.readers.performance.performance`.
    specificity : float64 array, shape (n_readers,), or None
        Share of the rest that each reader left out; None where there is no background.
    prior : float
        Mean share of the image that the readers drew.
    iterations : int
        Rounds of expectation and maximisation.
    is_converged : bool
        Whether the last one moved nothing by more than 1e-7.
    reason : mapping of str to str
        Why a field is None.
    """

    patterns: ReaderPatterns
    probability: FloatArray
    sensitivity: FloatArray | None
    specificity: FloatArray | None
    prior: float
    iterations: int
    is_converged: bool
    reason: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_inside(self) -> BoolArray:
        """Tell of each pattern whether it belongs to the consensus: probability ½ or more."""
        inside: BoolArray = _comparable(self.probability) >= 0.5
        return inside

    @property
    def n_voxels(self) -> int:
        """Voxels of the consensus."""
        return int(self.patterns.counts[self.is_inside].sum())


def staple(patterns: ReaderPatterns, *, max_iterations: int = MAX_ITERATIONS) -> Staple:
    """Estimate an object, and each reader's sensitivity and specificity, from their drawings [1]_.

    The first estimate of a voxel is the share of readers who drew it; the prior is the mean of
    these over the image and stays. This and the rule to stop are those of ITK's
    ``STAPLEImageFilter`` with a confidence weight of 1, and so are the results, to 6 digits and
    more. (ITK counts the last iteration only where it is stopped by the limit.)

    Parameters
    ----------
    patterns : ReaderPatterns
        Of one object in the *whole* image: see :meth:`ReaderPatterns.with_domain`.
    max_iterations : int
        At least 1; the estimate then is what has been reached.

    Returns
    -------
    Staple
        Where nobody drew anything, all probabilities are 0 and there is no sensitivity; where
        every reader drew all, they are 1 and there is no specificity (ITK gives NaN for either). A
        reader who alone drew nothing has sensitivity 0. If one of two readers drew nothing, what
        the other drew has probability ½, a tie, and is in.

    Raises
    ------
    InputError
        If the image has no voxels or the limit is below 1.

    References
    ----------
    .. [1] Warfield, Zou & Wells, IEEE Trans Med Imaging 23, 903-921 (2004).

    Examples
    --------
    >>> drawn = ReaderPatterns(3, np.array([0, 3, 4, 7], np.uint64), np.array([900, 30, 20, 50]))
    >>> found = staple(drawn)
    >>> found.is_inside.tolist(), found.sensitivity.round(3).tolist()
    ([False, True, False, True], [1.0, 1.0, 0.625])
    """
    if max_iterations < 1:
        raise InputError(f"STAPLE takes 1 iteration or more, not {max_iterations}")
    n_voxels = patterns.n_voxels
    if n_voxels == 0:
        raise InputError("STAPLE needs an image with voxels")
    ones = np.ones(patterns.n_readers)
    prior = int(patterns.voxels.sum()) / (patterns.n_readers * n_voxels)
    if prior == 0:
        nowhere = np.zeros(patterns.patterns.size)
        reason = {"sensitivity": NO_FOREGROUND}
        return Staple(patterns, nowhere, None, ones, prior, 0, True, reason)
    if prior == 1:
        reason = {"specificity": NO_BACKGROUND}
        return Staple(patterns, np.ones(1), ones, None, prior, 0, True, reason)
    from lesionary.core.readers._consensus_kernels import estimate

    probability = patterns.n_drawing / patterns.n_readers
    counts = patterns.counts.astype(np.float64)
    rates, iterations, is_converged = estimate(
        patterns.is_drawn, counts, prior, CONVERGED, max_iterations, probability
    )
    return Staple(patterns, probability, rates[0], rates[3], prior, iterations, is_converged)


def majority(patterns: ReaderPatterns) -> BoolArray:
    """Tell of each pattern whether more than half of the readers drew it, shape (m,).

    Half is not enough: of two readers both must have drawn a voxel. Where nobody drew anything,
    nothing is in.
    """
    inside: BoolArray = 2 * patterns.n_drawing > patterns.n_readers
    return inside


def _comparable(probability: FloatArray) -> FloatArray:
    """Round off the noise of the arithmetic, so that a tie is a tie on every machine."""
    return np.round(probability, SAME_PROBABILITY)


@dataclass(frozen=True, eq=False)
class Consensus:
    """One label array from several.

    Parameters
    ----------
    array : uint16 array
        0 is background.
    method : Method
        How it was found.
    patterns : mapping of int to ReaderPatterns
        Of each label that any reader drew, by ascending value.
    staples : mapping of int to Staple
        Of each label; empty for ``majority``.
    """

    array: LabelArray
    method: Method
    patterns: Mapping[int, ReaderPatterns]
    staples: Mapping[int, Staple]
    _arrays: tuple[AnyArray, ...] = field(repr=False)

    def probability(self, value: int | None = None) -> NDArray[np.float32]:
        """Return the probability of one label, else the highest of all, in every voxel.

        For ``majority`` it is the share of readers who drew the label there. A label that nobody
        drew has probability 0. Made anew at each call.
        """
        if value is not None and value not in self.patterns:
            return np.zeros(self.array.shape, dtype=np.float32)
        if value is not None:
            numbers = self._of_patterns(value).astype(np.float32)
            return painted(self._arrays, self.patterns[value], numbers, [value])
        probabilities = {label: self._of_patterns(label) for label in self.patterns}
        return _best(Drawings.of(self._arrays), self.patterns, probabilities, np.float32)

    def _of_patterns(self, value: int) -> FloatArray:
        if value in self.staples:
            return self.staples[value].probability
        share: FloatArray = self.patterns[value].n_drawing / self.patterns[value].n_readers
        return share


def consensus(
    arrays: Sequence[AnyArray],
    method: Method | str = Method.STAPLE,
    values: Collection[int] | None = None,
) -> Consensus:
    """Make one label array of several readers', label by label.

    Each label is estimated by itself over the whole image, its background being all else. A voxel
    gets the label of the highest probability, ties to the lower value, if that is ½ or more
    (STAPLE) or more than half of the readers drew it (majority).

    Parameters
    ----------
    arrays : sequence of bool, uint8 or uint16 arrays of the same shape
        One a reader, 1 to 64 of them; 0 is background. Never a crop: see the module.
    method : Method or str
        ``staple`` or ``majority``.
    values : collection of int, optional
        Labels to look at; by default all that any reader drew.

    Returns
    -------
    Consensus
        Nothing but background where nobody drew anything; the drawing itself of a single reader
        or of readers who agree.

    Raises
    ------
    InputError
        If the method is another word, or as :func:`reader_patterns`.
    GeometryMismatchError
        If the arrays differ in shape.

    Examples
    --------
    >>> readers = [np.array([[row]], np.uint8) for row in ([1, 1, 0], [1, 2, 0], [1, 2, 2])]
    >>> consensus(readers, "majority").array.tolist()
    [[[1, 2, 0]]]
    """
    if method not in set(Method):
        raise InputError(f"a consensus is {' or '.join(Method)}, not {method!r}")
    method = Method(method)
    drawings = Drawings.of(arrays)
    found = patterns_of(drawings, values)
    if method is Method.MAJORITY:
        staples: dict[int, Staple] = {}
        scores = {v: np.where(majority(p), p.n_drawing / p.n_readers, 0) for v, p in found.items()}
    else:
        staples = {value: staple(patterns) for value, patterns in found.items()}
        scores = {v: np.where(s.is_inside, s.probability, 0) for v, s in staples.items()}
    array = _best(drawings, found, scores, np.uint16)
    return Consensus(read_only(array), method, found, staples, tuple(arrays))


def _best(
    drawings: Drawings,
    patterns: Mapping[int, ReaderPatterns],
    scores: Mapping[int, FloatArray],
    kind: type[np.uint16 | np.float32],
) -> AnyArray:
    """Write each voxel's best label, 0 where its score is 0; as float32, the score itself."""
    meaning = np.zeros(MAX_LABEL + 1, dtype=np.uint16)
    meaning[list(patterns)] = list(patterns)
    if not patterns:
        return np.zeros(drawings.shape, dtype=kind)
    values = np.concatenate([np.full(p.patterns.size, v) for v, p in patterns.items()])
    score = np.concatenate([scores[value] for value in patterns])
    return replace(drawings, meaning=meaning).paint(
        values,
        np.concatenate([p.patterns for p in patterns.values()]),
        _comparable(score),
        (np.where(score > 0, values, 0) if kind is np.uint16 else score).astype(kind),
    )
