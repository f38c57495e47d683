"""Growth curves of tumours, above all in mice: doubling time, burden, humane endpoint (M10).

Volumes are fitted on their logarithm, so a tumour that grows exponentially lies on a line. Nothing
here is a response: a growing tumour may still be stable disease.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lesionary.core.errors import InputError

TYPICAL_ENDPOINT_UL = 1500.0
"""Total burden of one mouse at which most protocols end the experiment."""

LIMIT_UL = 2000.0
"""Total burden that none may exceed."""

UL_PER_ML = 1000.0

FLAT_PER_DAY = 1e-12
"""Rates below are rounding: a tumour that keeps its volume neither doubles nor halves."""

ONE_VISIT = "only one visit shows it"
NOT_GROWING = "it does not grow"
NOT_SHRINKING = "it does not shrink"


@dataclass(frozen=True, slots=True)
class Growth:
    """How fast one tumour grows.

    Parameters
    ----------
    rate_per_day : float or None
        Slope of the logarithm of the volume, by least squares over all visits that show it.
    doubling_days, halving_days : float or None
        One of them, by the rate's sign.
    n_visits : int
        Visits that the fit rests on: those with a volume above 0.
    n_without : int
        Visits that show nothing; the logarithm has no place for them.
    reason : dict of str to str
        Why a field is None.
    """

    rate_per_day: float | None
    doubling_days: float | None
    halving_days: float | None
    n_visits: int
    n_without: int
    reason: Mapping[str, str] = field(default_factory=dict)


class Endpoint(StrEnum):
    """Where a burden stands."""

    BELOW = ""
    TYPICAL = "humane_endpoint"
    LIMIT = "humane_limit"


@dataclass(frozen=True, slots=True)
class Burden:
    """All tumours of one animal at one visit.

    ``warning`` is :attr:`Endpoint.TYPICAL` from 1500 µL on, :attr:`Endpoint.LIMIT` above 2000 µL,
    and empty below.
    """

    day: float
    total_ul: float
    warning: Endpoint


def growth_of(days: Sequence[float], volumes_ml: Sequence[float]) -> Growth:
    """Fit one tumour's exponential growth.

    Parameters
    ----------
    days : sequence of float
        Since any day, in any order.
    volumes_ml : sequence of float
        One a day; 0 where the tumour is not seen.

    Returns
    -------
    Growth
        With a rate from two visits of different days on.

    Raises
    ------
    InputError
        If the two are not equally long, or a volume is negative or no number.

    Examples
    --------
    >>> round(growth_of([0, 4, 8], [0.1, 0.2, 0.4]).doubling_days, 6)
    4.0
    """
    _require_pairs(days, volumes_ml)
    seen = [(day, math.log(ml)) for day, ml in zip(days, volumes_ml, strict=True) if ml > 0]
    n_without = len(days) - len(seen)
    rate = _slope(seen)
    if rate is None:
        nothing = dict.fromkeys(("rate_per_day", "doubling_days", "halving_days"), ONE_VISIT)
        return Growth(None, None, None, len(seen), n_without, nothing)
    doubling = math.log(2) / rate if rate > FLAT_PER_DAY else None
    halving = -math.log(2) / rate if rate < -FLAT_PER_DAY else None
    reason = {"doubling_days": NOT_GROWING} if doubling is None else {}
    reason |= {"halving_days": NOT_SHRINKING} if halving is None else {}
    return Growth(rate, doubling, halving, len(seen), n_without, reason)


def burdens_of(
    days: Sequence[float],
    volumes_ml: Mapping[str, Sequence[float]],
    *,
    typical_ul: float = TYPICAL_ENDPOINT_UL,
    limit_ul: float = LIMIT_UL,
) -> tuple[Burden, ...]:
    """Add up an animal's tumours, visit by visit, and warn at the humane endpoint.

    Parameters
    ----------
    days : sequence of float
    volumes_ml : mapping of str to sequence of float
        Each tumour's volumes, one a day; without tumours every burden is 0.
    typical_ul, limit_ul : float
        Where warnings begin: at the first from there on, at the second above it.

    Raises
    ------
    InputError
        If a tumour has another number of volumes, or a volume is negative or no number.

    Examples
    --------
    >>> [str(burden.warning) for burden in burdens_of([0, 7], {"A": [0.4, 1.2], "B": [0.1, 0.3]})]
    ['', 'humane_endpoint']
    """
    for own in volumes_ml.values():
        _require_pairs(days, own)
    totals_ul = [
        math.fsum(own[visit] for own in volumes_ml.values()) * UL_PER_ML
        for visit in range(len(days))
    ]
    return tuple(
        Burden(day, total, _warning(total, typical_ul, limit_ul))
        for day, total in zip(days, totals_ul, strict=True)
    )


def _warning(total_ul: float, typical_ul: float, limit_ul: float) -> Endpoint:
    if total_ul > limit_ul:
        return Endpoint.LIMIT
    return Endpoint.TYPICAL if total_ul >= typical_ul else Endpoint.BELOW


def _slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the least-squares slope, or None where all points lie on one day."""
    if len({day for day, _ in points}) < 2:
        return None
    n = len(points)
    mean_day = math.fsum(day for day, _ in points) / n
    mean_log = math.fsum(log for _, log in points) / n
    spread = math.fsum((day - mean_day) ** 2 for day, _ in points)
    return math.fsum((day - mean_day) * (log - mean_log) for day, log in points) / spread


def _require_pairs(days: Sequence[float], volumes_ml: Sequence[float]) -> None:
    if len(days) != len(volumes_ml):
        raise InputError(f"{len(days)} days, but {len(volumes_ml)} volumes")
    if not all(math.isfinite(ml) and ml >= 0 for ml in volumes_ml):
        raise InputError("a volume is 0 or more")
    if not all(map(math.isfinite, days)):
        raise InputError("a day is a number")
