"""The factor from a PET's stored quantity to the standardised uptake value by body weight.

``SUVbw = value × factor``, in g/ml. The rules are those of the vendor-neutral pseudo-code of the
QIBA FDG-PET/CT profile, read strictly: whatever is missing or contradicts itself gives no factor
and a sentence that says why, since a wrong SUV is worse than none.

- ``BQML``: ``weight_g / dose at the values' reference time``. With DecayCorrection ADMIN the values
  refer to the injection, so the dose counts as injected; with START to the start of the scan, so
  the dose has decayed until then.
- ``GML``: the values are SUV already, by body weight unless SUVType says otherwise.
- ``CNTS``: Philips' private factors, to SUV or to Bq/ml.

Source: QIBA Profile FDG-PET/CT 1.14, annex G (SUV calculation); DICOM PS3.3 C.8.9.1, C.8.9.2.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from lesionary.ingest.header import PetHeader

_T = TypeVar("_T")

MIN_DOSE_BQ = 1e4
"""A smaller dose is one written in MBq: a mouse gets 1e6 Bq and more."""

MAX_WEIGHT_KG = 700.0
"""A larger weight is one written in grams."""

MAX_HALF_LIVES = 8.0
"""A scan later than this after the injection means a wrong clock or date: too little is left."""


@dataclass(frozen=True, slots=True)
class SuvFactor:
    """``factor`` in SUV per unit of the stored quantity, or None and the ``reason``."""

    factor: float | None
    reason: str = ""


class _NoFactorError(Exception):
    """Carries the sentence that says why there is no factor."""


def suv_factor(slices: Sequence[PetHeader]) -> SuvFactor:
    """Work out the factor that holds for a whole PET series.

    Parameters
    ----------
    slices : sequence of PetHeader
        One a slice, in any order; at least one. What the factor depends on must agree in all.

    Returns
    -------
    SuvFactor
        The factor, or None with the reason.

    Examples
    --------
    >>> at = dt.datetime.fromisoformat
    >>> suv_factor([PetHeader(units="BQML", decay_correction="START", weight_kg=70, dose_bq=3.7e8,
    ...     half_life_s=6600, injected_at=at("2020-01-01T10:00"), series_at=at("2020-01-01T11:50"),
    ...     acquired_at=at("2020-01-01T11:50"), n_tracers=1)]).factor * 3.7e8 / 70e3
    2.0
    """
    try:
        return SuvFactor(_factor(slices))
    except _NoFactorError as why:
        return SuvFactor(None, str(why))


def _factor(slices: Sequence[PetHeader]) -> float:
    units = _the_one({pet.units for pet in slices}, "Units")
    if units == "GML":
        return _already_suv(slices)
    if units == "CNTS":
        return _philips(slices)
    if units != "BQML":
        raise _NoFactorError(f"Units {units or 'missing'}: neither BQML, GML nor CNTS")
    return _from_activity(slices)


def _already_suv(slices: Sequence[PetHeader]) -> float:
    kind = _the_one({pet.suv_type or "BW" for pet in slices}, "SUVType")
    if kind != "BW":
        raise _NoFactorError(f"the values are SUV by {kind}, not by body weight")
    return 1.0


def _philips(slices: Sequence[PetHeader]) -> float:
    to_suv = _the_one({pet.philips_suv for pet in slices}, "(7053,1000)")
    if to_suv is not None and to_suv > 0:
        return to_suv
    to_bqml = _the_one({pet.philips_bqml for pet in slices}, "(7053,1009)")
    if to_bqml is not None and to_bqml > 0:
        return to_bqml * _from_activity(slices)
    raise _NoFactorError("the values are counts, without Philips' private factor to SUV or Bq/ml")


def _from_activity(slices: Sequence[PetHeader]) -> float:
    """Return g per Bq: grams of body weight over the dose at the values' reference time."""
    _require_corrections(slices)
    _require_one_tracer(slices)
    weight_kg = _positive({pet.weight_kg for pet in slices}, "PatientWeight")
    if weight_kg > MAX_WEIGHT_KG:
        raise _NoFactorError(f"PatientWeight {weight_kg:g} kg cannot be right")
    dose_bq = _positive({pet.dose_bq for pet in slices}, "RadionuclideTotalDose")
    if dose_bq < MIN_DOSE_BQ:
        raise _NoFactorError(f"RadionuclideTotalDose {dose_bq:g} Bq cannot be right: is it in MBq?")
    correction = _the_one({pet.decay_correction for pet in slices}, "DecayCorrection")
    if correction == "ADMIN":
        return weight_kg * 1000.0 / dose_bq
    if correction != "START":
        raise _NoFactorError(f"DecayCorrection {correction or 'missing'}: neither START nor ADMIN")
    half_life_s = _positive({pet.half_life_s for pet in slices}, "RadionuclideHalfLife")
    elapsed_s = _elapsed_s(slices)
    if elapsed_s > MAX_HALF_LIVES * half_life_s:
        raise _NoFactorError(
            f"the scan starts {elapsed_s / 3600:.1f} h after the injection, more than"
            f" {MAX_HALF_LIVES:g} half-lives: a clock or a date is wrong"
        )
    left_bq = dose_bq * math.exp2(-elapsed_s / half_life_s)
    return weight_kg * 1000.0 / left_bq


def _require_corrections(slices: Sequence[PetHeader]) -> None:
    for name, meaning in (("ATTN", "attenuation"), ("DECY", "decay")):
        if any(pet.corrections and name not in pet.corrections for pet in slices):
            raise _NoFactorError(f"the values are not corrected for {meaning}")


def _require_one_tracer(slices: Sequence[PetHeader]) -> None:
    most = max(pet.n_tracers for pet in slices)
    if most != 1:
        raise _NoFactorError("no radiopharmaceutical is named" if most == 0 else f"{most} tracers")


def _elapsed_s(slices: Sequence[PetHeader]) -> float:
    """Return the seconds from the injection to the moment the values refer to."""
    scan_at = _reference_time(slices)
    injected_at = _the_one({pet.injected_at for pet in slices}, "RadiopharmaceuticalStartDateTime")
    if injected_at is None:
        injected_at = _on_the_day_of(scan_at, slices)
    elapsed_s = (scan_at - injected_at).total_seconds()
    if elapsed_s < 0:
        raise _NoFactorError(f"the injection is {-elapsed_s / 3600:.1f} h later than the scan")
    return elapsed_s


def _on_the_day_of(scan_at: dt.datetime, slices: Sequence[PetHeader]) -> dt.datetime:
    """Give the injection's time of day its date: the scan's, or the day before over midnight."""
    time = _the_one({pet.injected_time for pet in slices}, "RadiopharmaceuticalStartTime")
    if time is None:
        raise _NoFactorError("the time of the injection is missing")
    injected_at = dt.datetime.combine(scan_at.date(), time)
    return injected_at - dt.timedelta(days=1) if injected_at > scan_at else injected_at


def _reference_time(slices: Sequence[PetHeader]) -> dt.datetime:
    """Return the start of the scan, to which START corrects.

    The series time is that start, unless it lies after the first acquisition: then it was rewritten
    when the series was processed again, and GE's private element or the first acquisition tells.
    """
    series_at = _the_one({pet.series_at for pet in slices}, "SeriesDate and SeriesTime")
    acquired = [pet.acquired_at for pet in slices if pet.acquired_at is not None]
    first_acquired = min(acquired, default=None)
    if series_at is not None and (first_acquired is None or series_at <= first_acquired):
        return series_at
    scan_at = _the_one({pet.scan_at for pet in slices}, "GE's time of the scan")
    start = scan_at or first_acquired
    if start is None:
        raise _NoFactorError("the time of the scan is missing")
    return start


def _the_one(values: set[_T], name: str) -> _T:
    if len(values) != 1:
        raise _NoFactorError(f"{name} differs between the slices")
    return next(iter(values))


def _positive(values: set[float | None], name: str) -> float:
    value = _the_one(values, name)
    if value is None or not (math.isfinite(value) and value > 0):
        raise _NoFactorError(f"{name} is missing or not above 0")
    return value
