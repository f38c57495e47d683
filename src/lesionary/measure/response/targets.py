"""Target lesions: their sum, and the response that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from lesionary.measure.response.amounts import total
from lesionary.measure.response.records import Response
from lesionary.measure.response.sightings import Visit

LEAST_RISE_MM = Decimal(5)
"""Of a progression above the nadir, beside the 20 %."""


@dataclass(frozen=True, slots=True)
class TargetSum:
    """All targets of one time point.

    Parameters
    ----------
    sum_mm : Decimal or None
        None while any target is not evaluable.
    measured_mm : Decimal
        Sum of those that are; 0 where none is.
    is_gone : bool
        Whether all other than nodes are gone and all nodes below 10 mm.
    may_be_gone : bool
        Whether that could be so of an incomplete sum: no target surely shows disease.
    """

    sum_mm: Decimal | None
    measured_mm: Decimal
    is_gone: bool
    may_be_gone: bool = False


def target_sum(targets: Sequence[str], visit: Visit) -> TargetSum:
    """Add up the targets of one time point.

    A target without a row, or present without a diameter, is not evaluable. Of a merged pair the
    one that carries the axis counts.

    Parameters
    ----------
    targets : sequence of str
        All of them, as named at baseline; at least one.
    visit : Visit
    """
    found = [visit.sightings.get(lesion) for lesion in targets]
    measured = total([one.measured_mm for one in found if one is not None])
    is_complete = all(one is not None and one.is_evaluable for one in found)
    return TargetSum(
        sum_mm=measured if is_complete else None,
        measured_mm=measured,
        is_gone=is_complete and not any(visit.has_disease(lesion) for lesion in targets),
        may_be_gone=not any(visit.has_certain_disease(lesion) for lesion in targets),
    )


def is_progression(sum_mm: Decimal, nadir_mm: Decimal) -> bool:
    """Tell whether a sum lies ≥ 20 % and ≥ 5 mm above the nadir; above 0 the 5 mm decide.

    Examples
    --------
    >>> is_progression(Decimal("25.2"), Decimal("21"))  # 20 %, 4.2 mm
    False
    >>> is_progression(Decimal("26"), Decimal("21"))
    True
    """
    rise = Fraction(sum_mm) - Fraction(nadir_mm)
    return rise >= LEAST_RISE_MM and 5 * rise >= Fraction(nadir_mm)


def is_partial_response(sum_mm: Decimal, baseline_mm: Decimal) -> bool:
    """Tell whether a sum lies ≥ 30 % below the baseline's."""
    return 10 * Fraction(sum_mm) <= 7 * Fraction(baseline_mm)


def target_response(
    found: TargetSum, *, baseline_mm: Decimal, nadir_mm: Decimal, has_responded: bool
) -> Response:
    """Judge the targets of one time point (RECIST 1.1, sections 4.3.1 and 4.3.2).

    Parameters
    ----------
    found : TargetSum
    baseline_mm, nadir_mm : Decimal
        The nadir is the smallest complete sum before, the baseline's included.
    has_responded : bool
        Whether the targets reached PR or CR before, with no PD of theirs since: then they are not
        SD again before PD.

    Returns
    -------
    Response
        CR, PR, SD, PD or NE; of an incomplete sum PD where the rest alone has progressed and a
        target surely shows disease, so that this is no CR; else NE.
    """
    if found.sum_mm is None:
        is_certain = is_progression(found.measured_mm, nadir_mm) and not found.may_be_gone
        return Response.PD if is_certain else Response.NE
    if found.is_gone:
        return Response.CR
    if is_progression(found.sum_mm, nadir_mm):
        return Response.PD
    if has_responded or is_partial_response(found.sum_mm, baseline_mm):
        return Response.PR
    return Response.SD
