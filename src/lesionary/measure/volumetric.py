"""Response by volume, beside RECIST and never instead of it.

No guideline sets thresholds for volumes. These are RECIST's own, carried over to a sphere whose
diameter changes by them: 0.7³ and 1.2³. A lesion that keeps its shape is judged alike by both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lesionary.core.errors import InputError
from lesionary.measure.response.records import Response

PARTIAL = 0.343
"""Share of the baseline's volume at or below which a response is partial: 0.7³, −65.7 %."""

PROGRESSION = 1.728
"""Share of the nadir's volume from which on disease has progressed: 1.2³, +72.8 %."""

NOT_MEASURED = "a target's volume is not known here"
BASELINE = "the baseline has no response"
NOTHING_LEFT = "the volume was 0: no percentage can be told from it"


@dataclass(frozen=True, slots=True)
class VolumetricResponse:
    """All targets' volume at one time point.

    ``reason`` has a sentence for each field that is None.
    """

    timepoint: str
    total_ml: float | None
    change_from_baseline_percent: float | None
    change_from_nadir_percent: float | None
    response: Response | None
    reason: dict[str, str] = field(default_factory=dict)


def volumetric_response(
    timepoints: Sequence[str], volumes_ml: Sequence[Sequence[float | None]]
) -> tuple[VolumetricResponse, ...]:
    """Judge the targets' total volume through time.

    Parameters
    ----------
    timepoints : sequence of str
        In order; the first is the baseline.
    volumes_ml : sequence of sequence of float or None
        For each time point the volume of every target: 0 where it is gone, None where it could not
        be measured, and then the time point is NE and no nadir.

    Returns
    -------
    tuple of VolumetricResponse
        The nadir is the smallest total before, baseline included; a partial response stays one
        until progression. Where the baseline has no volume, or one of its targets was not
        measured, every later time point is NE.

    Raises
    ------
    InputError
        If time points and volumes differ in number, or a volume is negative or no number.

    Examples
    --------
    >>> found = volumetric_response(["0", "1", "2"], [[8.0, 2.0], [2.0, 1.0], [4.0, 1.5]])
    >>> [one.response and one.response.value for one in found]
    [None, 'PR', 'PD']
    """
    if len(timepoints) != len(volumes_ml):
        raise InputError(f"{len(timepoints)} time points, but volumes of {len(volumes_ml)}")
    totals_ml = [_total_ml(own) for own in volumes_ml]
    found: list[VolumetricResponse] = []
    has_responded = False
    for place, name in enumerate(timepoints):
        before = [total for total in totals_ml[:place] if total is not None]
        one = _judged(name, totals_ml[place], before if totals_ml[0] else [], place)
        if one.response is Response.SD and has_responded:
            one = replace(one, response=Response.PR)
        if one.response is not Response.NE:
            has_responded = one.response in {Response.PR, Response.CR}
        found.append(one)
    return tuple(found)


def _total_ml(volumes_ml: Sequence[float | None]) -> float | None:
    known = [ml for ml in volumes_ml if ml is not None]
    if not all(math.isfinite(ml) and ml >= 0 for ml in known):
        raise InputError("a volume is 0 or more")
    return math.fsum(known) if known and len(known) == len(volumes_ml) else None


def _judged(
    timepoint: str, total_ml: float | None, before: Sequence[float], place: int
) -> VolumetricResponse:
    fields = ("change_from_baseline_percent", "change_from_nadir_percent")
    if place == 0:
        reason = dict.fromkeys((*fields, "response"), BASELINE)
        reason |= {} if total_ml is not None else {"total_ml": NOT_MEASURED}
        return VolumetricResponse(timepoint, total_ml, None, None, None, reason)
    if total_ml is None or not before:
        reason = dict.fromkeys(fields, NOT_MEASURED)
        reason |= {} if total_ml is not None else {"total_ml": NOT_MEASURED}
        return VolumetricResponse(timepoint, total_ml, None, None, Response.NE, reason)
    baseline_ml, nadir_ml = before[0], min(before)
    return VolumetricResponse(
        timepoint,
        total_ml,
        100 * (total_ml - baseline_ml) / baseline_ml,
        100 * (total_ml - nadir_ml) / nadir_ml if nadir_ml else None,
        _response(total_ml, baseline_ml, nadir_ml),
        {} if nadir_ml else {fields[1]: NOTHING_LEFT},
    )


def _response(total_ml: float, baseline_ml: float, nadir_ml: float) -> Response:
    if total_ml == 0:
        return Response.CR
    if total_ml >= nadir_ml * PROGRESSION:
        return Response.PD
    return Response.PR if total_ml <= baseline_ml * PARTIAL else Response.SD
