"""Overall response of one time point: the guideline's Tables 1 and 2."""

from lesionary.measure.response.records import Response


def overall_response(
    target: Response | None,
    non_target: Response | None,
    *,
    is_new: bool,
    has_returned: bool = False,
) -> Response | None:
    """Put target, non-target and new lesions together (RECIST 1.1, Tables 1 and 2).

    Parameters
    ----------
    target : Response or None
        None without targets: the table for non-target disease only.
    non_target : Response or None
        None without non-targets.
    is_new : bool
        Whether a new lesion counts.
    has_returned : bool
        Whether there is disease again after an overall CR of the patient.

    Returns
    -------
    Response or None
        None where there was no disease at baseline and there is no new lesion.

    Examples
    --------
    >>> overall_response(Response.CR, Response.NON_CR_NON_PD, is_new=False).value
    'PR'
    """
    if is_new or has_returned or Response.PD in {target, non_target}:
        return Response.PD
    if target is None:
        return non_target
    if target is Response.CR and non_target in {Response.NON_CR_NON_PD, Response.NE}:
        return Response.PR
    return target
