"""How readers stand to the consensus of all: what is reported, and where there is nothing to say.

STAPLE's sensitivities and specificities are parameters of its model. They exist even where no voxel
reaches a probability of one half, so that the consensus is empty; a sensitivity to nothing, though,
is not a performance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lesionary.core.readers.consensus import Staple
from lesionary.core.volume import FloatArray

EMPTY_CONSENSUS = "the consensus is empty: no voxel reaches a probability of one half"
FULL_CONSENSUS = "the consensus is the whole image: there is no background to be left out"


@dataclass(frozen=True, eq=False)
class Performance:
    """How each reader stands to a consensus.

    Parameters
    ----------
    sensitivity, specificity : float64 array, shape (n_readers,), or None
        None where the consensus has no foreground, or no background.
    reason : mapping of str to str
        Why a field is None.
    """

    sensitivity: FloatArray | None
    specificity: FloatArray | None
    reason: Mapping[str, str] = field(default_factory=dict)


def performance(found: Staple) -> Performance:
    """Return each reader's sensitivity and specificity, where the consensus is there to be met.

    Parameters
    ----------
    found : Staple
        Of one object in the whole image.

    Returns
    -------
    Performance
        The estimates, but no sensitivity to an empty consensus, and no specificity where the
        consensus is the whole image.

    Examples
    --------
    >>> import numpy as np
    >>> from lesionary.core.readers.consensus import staple
    >>> from lesionary.core.readers.patterns import ReaderPatterns
    >>> alone = ReaderPatterns(3, np.array([0, 1], np.uint64), np.array([90, 10]))
    >>> performance(staple(alone)).reason["sensitivity"]
    'the consensus is empty: no voxel reaches a probability of one half'
    """
    reason = dict(found.reason)
    if found.n_voxels == 0:
        reason.setdefault("sensitivity", EMPTY_CONSENSUS)
    if found.n_voxels == found.patterns.n_voxels:
        reason.setdefault("specificity", FULL_CONSENSUS)
    return Performance(
        None if "sensitivity" in reason else found.sensitivity,
        None if "specificity" in reason else found.specificity,
        reason,
    )
