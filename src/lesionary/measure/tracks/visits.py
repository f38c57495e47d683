"""One time point seen by several series: each tumour once (X5).

Thin and thick reconstructions, or the CT and the PET of one study, show the same tumour. The
series are put in order: those that were looked through first, then CT, MR, PET and the rest, the
smallest voxels first, ties by name. Each lesion of a later series is matched against what is known
already. What matches is a twin and gets the track of its original; what does not is a lesion that
only this series shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.core.errors import InputError
from lesionary.measure.tracks.likeness import Form, MatchOptions
from lesionary.measure.tracks.pairing import pair
from lesionary.measure.tracks.records import Place, TimepointLesions, TrackedLesion, View
from lesionary.measure.tracks.registration import RegistrationKind

_MODALITIES = ("CT", "MR", "PT")


@dataclass(frozen=True, slots=True, eq=False)
class SeriesLesions:
    """One series and its lesions, in the space of the time point's reference series."""

    view: View
    lesions: tuple[TrackedLesion, ...] = ()


def timepoint_lesions(
    subject: str,
    timepoint: str,
    series: Sequence[SeriesLesions],
    options: MatchOptions | None = None,
) -> TimepointLesions:
    """Bring the series of one time point together.

    Parameters
    ----------
    subject, timepoint : str
    series : sequence of SeriesLesions
        At least one, in any order: the result does not depend on it.
    options : MatchOptions, optional

    Raises
    ------
    InputError
        If there is no series, or two bear the same name.
    """
    names = [each.view.series for each in series]
    if len(set(names)) < len(names):
        raise InputError(f"two series of time point {timepoint!r} bear the same name")
    options = options or MatchOptions()
    known: list[TrackedLesion] = []
    twins: dict[Place, Place] = {}
    ordered = sorted(series, key=_rank)
    for each in ordered:
        found = _twins(known, each.lesions, options)
        twins |= found
        known += [lesion for lesion in each.lesions if lesion.place not in found]
    views = tuple(each.view for each in ordered)
    return TimepointLesions(subject, timepoint, views, tuple(known), twins)


def _rank(series: SeriesLesions) -> tuple[bool, int, float, str]:
    """Order of the series: looked through, modality, voxel size, name."""
    view = series.view
    place = _MODALITIES.index(view.modality) if view.modality in _MODALITIES else len(_MODALITIES)
    return not view.has_mask, place, round(view.geometry.voxel_volume_mm3, 6), view.series


def _twins(
    known: Sequence[TrackedLesion], lesions: Sequence[TrackedLesion], options: MatchOptions
) -> dict[Place, Place]:
    """Find which lesions of a further series are known: one to one, or as parts of one."""
    old, new = [Form.of(lesion) for lesion in known], [Form.of(lesion) for lesion in lesions]
    pairing = pair(old, new, RegistrationKind.RIGID, options)
    twins = {}
    for m, lesion in enumerate(lesions):
        owners = pairing.owners(m)
        if owners:
            best = max(owners, key=lambda n: (pairing.score(n, m), -n))
            twins[lesion.place] = known[best].place
    return twins
