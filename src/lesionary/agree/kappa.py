"""Agreement beyond chance: Fleiss' kappa and Krippendorff's alpha of several readers.

Every voxel of a domain is drawn or not drawn by each reader. How often two readers agree on a voxel
by chance depends on how much background is counted, and so do both coefficients: over a tight box
they are low, over a whole body near Dice. A coefficient without its domain says nothing, so here
it carries one, and whoever prints the first has the second at hand (M6).

Only the number of readers that drew a voxel matters. The sums are Python integers, of any length,
and are divided once: the value is the correctly rounded quotient, whatever the image's size.
"""

from dataclasses import dataclass

from lesionary.core.errors import InputError
from lesionary.core.readers.patterns import ReaderPatterns

ONE_READER = "one reader agrees with nobody: two or more are needed"
NO_VOXELS = "the domain holds no voxels"
NOTHING_DRAWN = "nobody drew anything: all agree everywhere by necessity, chance agreement is 1"
ALL_DRAWN = "everybody drew the whole domain: all agree by necessity, chance agreement is 1"


@dataclass(frozen=True, slots=True)
class Domain:
    """The voxels that a coefficient counts.

    Parameters
    ----------
    kind : str
        ``image``: all voxels of the image (a cropped animal is its own image). Any other word
        names a part of it, such as ``box``.
    voxels : int
        How many.
    """

    kind: str
    voxels: int

    def __str__(self) -> str:
        return f"{self.kind}, {self.voxels} voxels"

    def to_json(self) -> dict[str, str | int]:
        """Return ``{"kind", "voxels"}``."""
        return {"kind": self.kind, "voxels": self.voxels}


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A chance-corrected coefficient with the domain it holds for.

    Parameters
    ----------
    name : str
        Such as ``Fleiss' kappa``.
    value : float or None
        1 for perfect agreement, 0 for as much as chance gives, negative for less. None where it
        is undefined.
    domain : Domain
        What was counted.
    n_readers : int
        How many readers.
    reason : str or None
        Why there is no value.

    Examples
    --------
    >>> print(Coefficient("Fleiss' kappa", 0.9031, Domain("image", 14745600), 3))
    Fleiss' kappa 0.903 (image, 14745600 voxels; 3 readers)
    """

    name: str
    value: float | None
    domain: Domain
    n_readers: int
    reason: str | None = None

    def __str__(self) -> str:
        value = f"undefined, {self.reason}" if self.value is None else f"{self.value:.3f}"
        return f"{self.name} {value} ({self.domain}; {self.n_readers} readers)"


def fleiss_kappa(patterns: ReaderPatterns, domain: Domain | None = None) -> Coefficient:
    """Compute Fleiss' kappa over {drawn, not drawn}.

    With *n* readers, *T = nN* judgements of *N* voxels, *D* of them "drawn", and *k* readers
    drawing a voxel, kappa is ``1 - T Σ k(n-k) / ((n-1) D (T-D))``: the definition with both of its
    fractions cleared.

    Parameters
    ----------
    patterns : ReaderPatterns
        Of one object.
    domain : Domain, optional
        What to count: the patterns' own voxels as ``image`` by default. Only the background
        follows it, so that patterns of a crop give exactly the value of the whole image.

    Returns
    -------
    Coefficient
        None for one reader, an empty domain, and where nobody drew anything or everybody all:
        chance agreement is 1 there and kappa 0/0.

    Raises
    ------
    InputError
        If the domain holds fewer voxels than were drawn.

    References
    ----------
    .. [1] Fleiss, Measuring nominal scale agreement among many raters, Psychol Bull 76, 378-382
       (1971).

    Examples
    --------
    >>> import numpy as np
    >>> two_of_four = ReaderPatterns(2, np.array([0, 1, 3], np.uint64), np.array([2, 1, 1]))
    >>> fleiss_kappa(two_of_four).value, fleiss_kappa(two_of_four, Domain("image", 8)).value
    (0.4666666666666667, 0.5897435897435898)
    """
    sums = _Sums.of(patterns, domain)
    n, judgements, drawn = sums.n_readers, sums.judgements, sums.drawn
    reason = sums.why_undefined()
    value = None
    if reason is None:
        scale = (n - 1) * drawn * (judgements - drawn)
        value = (scale - judgements * sums.discordant) / scale
    return Coefficient("Fleiss' kappa", value, sums.domain, n, reason)


def krippendorff_alpha(patterns: ReaderPatterns, domain: Domain | None = None) -> Coefficient:
    """Compute Krippendorff's alpha, nominal, over {drawn, not drawn}.

    It differs from Fleiss' kappa only in that chance draws without putting back: ``T - 1`` stands
    in the place of ``T``. On images the two agree to many digits; on a few voxels they do not.

    Parameters
    ----------
    patterns : ReaderPatterns
        Of one object. Every reader judges every voxel: nothing is missing.
    domain : Domain, optional
        As for :func:`fleiss_kappa`.

    Returns
    -------
    Coefficient
        None where kappa is None.

    Raises
    ------
    InputError
        If the domain holds fewer voxels than were drawn.

    References
    ----------
    .. [1] Krippendorff, Content Analysis, 3rd ed., Sage (2013), chapter 12.
    """
    sums = _Sums.of(patterns, domain)
    n, judgements, drawn = sums.n_readers, sums.judgements, sums.drawn
    reason = sums.why_undefined()
    value = None
    if reason is None:
        scale = (n - 1) * drawn * (judgements - drawn)
        value = (scale - (judgements - 1) * sums.discordant) / scale
    return Coefficient("Krippendorff's alpha", value, sums.domain, n, reason)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What both coefficients are made of, exactly."""

    n_readers: int
    domain: Domain
    drawn: int  # pairs of a reader and a voxel that this reader drew
    discordant: int  # sum over voxels of readers that drew it times readers that did not

    @property
    def judgements(self) -> int:
        return self.n_readers * self.domain.voxels

    @classmethod
    def of(cls, patterns: ReaderPatterns, domain: Domain | None) -> "_Sums":
        n = patterns.n_readers
        domain = domain or Domain("image", patterns.n_voxels)
        if domain.voxels < patterns.n_drawn:
            raise InputError(f"{patterns.n_drawn} drawn voxels in a domain of {domain.voxels}")
        drawing = zip(patterns.n_drawing.tolist(), patterns.counts.tolist(), strict=True)
        drawn = discordant = 0
        for k, count in drawing:
            drawn += k * count
            discordant += k * (n - k) * count
        return cls(n, domain, drawn, discordant)

    def why_undefined(self) -> str | None:
        if self.n_readers < 2:
            return ONE_READER
        if self.domain.voxels == 0:
            return NO_VOXELS
        if self.drawn == 0:
            return NOTHING_DRAWN
        return ALL_DRAWN if self.drawn == self.judgements else None
