"""Non-target lesions and tumour markers: response by what is seen, not by size."""

from collections.abc import Sequence

from lesionary.measure.response.records import Response, Status
from lesionary.measure.response.sightings import Visit


def non_target_response(
    lesions: Sequence[str], raised_markers: Sequence[str], visit: Visit
) -> Response | None:
    """Judge the non-target lesions of one time point (RECIST 1.1, section 4.3.3).

    Parameters
    ----------
    lesions : sequence of str
        All non-target lesions, as named at baseline.
    raised_markers : sequence of str
        Markers that were above normal at any time point up to this one; others say nothing.
    visit : Visit

    Returns
    -------
    Response or None
        PD where one progressed unequivocally; else NE where one is not evaluable; else CR where all
        are gone, nodes below 10 mm, and markers normal; else NON-CR/NON-PD. A marker that was
        raised and is unknown now leaves a CR undecided: NE. None where there is nothing to judge.
    """
    if not lesions and not raised_markers:
        return None
    found = [visit.sightings.get(lesion) for lesion in lesions]
    if any(one is not None and one.has(Status.UNEQUIVOCAL_PROGRESSION) for one in found):
        return Response.PD
    if not all(visit.is_looked_at(lesion) for lesion in lesions):
        return Response.NE
    markers = [_is_raised(name, visit) for name in raised_markers]
    if True in markers or any(visit.has_disease(lesion) for lesion in lesions):
        return Response.NON_CR_NON_PD
    return Response.NE if None in markers else Response.CR


def _is_raised(marker: str, visit: Visit) -> bool | None:
    found = visit.sightings.get(marker)
    if found is None or found.has(Status.NOT_EVALUABLE):
        return None
    return not found.has(Status.ABSENT)
