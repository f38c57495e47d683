"""What response is judged from, and what it is: one observation a lesion, one verdict a visit.

Diameters are :class:`decimal.Decimal`, exactly as they were recorded: thresholds know no tolerance.
"""

import datetime
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lesionary.core.terms import LesionKind


class Role(StrEnum):
    """What a lesion is to RECIST."""

    TARGET = "target"
    NON_TARGET = "non-target"
    NEW = "new"
    MARKER = "marker"


class Status(StrEnum):
    """What a reader saw of a lesion at one time point."""

    PRESENT = "present"
    ABSENT = "absent"
    TOO_SMALL = "too_small"
    NOT_EVALUABLE = "not_evaluable"
    UNEQUIVOCAL_PROGRESSION = "unequivocal_progression"
    MERGED = "merged"


class Response(StrEnum):
    """Response of one time point by RECIST 1.1."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    NON_CR_NON_PD = "NON-CR/NON-PD"


class ImmuneResponse(StrEnum):
    """Response of one time point by iRECIST."""

    ICR = "iCR"
    IPR = "iPR"
    ISD = "iSD"
    IUPD = "iUPD"
    ICPD = "iCPD"
    NON_ICR_NON_IUPD = "NON-iCR/NON-iUPD"
    NE = "NE"


class Criteria(StrEnum):
    """Which rules decide."""

    RECIST11 = "recist11"
    IRECIST = "irecist"


@dataclass(frozen=True, slots=True)
class Observation:
    """One lesion, or one part of a split lesion, at one time point as one reader saw it.

    Parameters
    ----------
    subject, timepoint, lesion : str
        ``lesion`` is the track: the same text at every time point.
    role : Role
    kind : LesionKind
        Nodes are measured by their short axis.
    organ : str
        As RECIST counts organs: all lymph nodes are one, paired organs are one.
    diameter_mm : Decimal or None
        None where nothing was measured.
    status : Status
    date : datetime.date or None
        Of the scan.
    modality : str
        DICOM's word, such as CT or PT; empty where nobody said.
    slice_thickness_mm : Decimal or None
    merged_into : str
        The lesion that carries the one axis of a merged pair.
    part : str
        Names a part of a split lesion.
    reader : str
        Readers are judged apart.
    row : int
        Where it stands in its table, counted as an editor counts lines; 0 where there is no table.
    """

    subject: str
    timepoint: str
    lesion: str
    role: Role
    kind: LesionKind
    organ: str
    diameter_mm: Decimal | None
    status: Status
    date: datetime.date | None = None
    modality: str = ""
    slice_thickness_mm: Decimal | None = None
    merged_into: str = ""
    part: str = ""
    reader: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class TimepointResponse:
    """What one time point says of one subject by one reader: the fields of ``file respond``.

    Every None among the fields has its sentence in ``reason``. On the baseline all responses are
    None. Nothing here looks ahead: a later visit changes no earlier row.

    Parameters
    ----------
    subject, reader, timepoint : str
        ``reader`` is empty where the table names none.
    sum_mm, measured_sum_mm : Decimal or None
        Target sum, None while a target is not evaluable; the sum of those that are.
    baseline_mm, nadir_mm : Decimal or None
        Sum at baseline; smallest complete sum before this time point.
    change_from_baseline_mm, change_from_nadir_mm : Decimal or None
    change_from_baseline_percent, change_from_nadir_percent : float or None
        The only rounded numbers here; no threshold looks at them.
    target_response, non_target_response, overall_response : Response or None
    new_lesion : bool
        By this time point's rows; what counted before is in ``progressed``.
    best_overall_response, best_overall_response_confirmed : Response or None
        So far, closed at the first PD.
    progressed : bool
        Whether overall was PD here or before.
    progression_timepoint : str or None
        At which what decided the first PD was first seen.
    warnings : tuple of str
    reason : dict of str to str
        Why a field is None.
    i_target_response, i_non_target_response, i_overall_response : ImmuneResponse or None
        By iRECIST.
    new_target_sum_mm : Decimal or None
        Sum of new lesions that are large enough to be followed, by iRECIST.
    date : datetime.date or None
        Of the earliest scan of the time point.
    duration_of_response_days : int or None
        From the first CR or PR to progression, or to this time point.
    duration_of_response_censored : bool or None
        True where the response still lasts.
    time_to_progression_days : int or None
        From the baseline's scan to progression, or to this time point.
    time_to_progression_censored : bool or None
        True where nothing has progressed.
    i_best_overall_response : ImmuneResponse or None
        Best so far, closed at the first confirmed progression.
    i_progressed : bool
        Whether iRECIST confirmed a progression here or before.
    i_progression_timepoint : str or None
        The unconfirmed progression that was confirmed.
    """

    subject: str
    reader: str
    timepoint: str
    sum_mm: Decimal | None = None
    measured_sum_mm: Decimal | None = None
    baseline_mm: Decimal | None = None
    nadir_mm: Decimal | None = None
    change_from_baseline_mm: Decimal | None = None
    change_from_baseline_percent: float | None = None
    change_from_nadir_mm: Decimal | None = None
    change_from_nadir_percent: float | None = None
    target_response: Response | None = None
    non_target_response: Response | None = None
    new_lesion: bool = False
    overall_response: Response | None = None
    best_overall_response: Response | None = None
    best_overall_response_confirmed: Response | None = None
    progressed: bool = False
    progression_timepoint: str | None = None
    warnings: tuple[str, ...] = ()
    reason: dict[str, str] = field(default_factory=dict)
    i_target_response: ImmuneResponse | None = None
    i_non_target_response: ImmuneResponse | None = None
    i_overall_response: ImmuneResponse | None = None
    new_target_sum_mm: Decimal | None = None
    date: datetime.date | None = None
    duration_of_response_days: int | None = None
    duration_of_response_censored: bool | None = None
    time_to_progression_days: int | None = None
    time_to_progression_censored: bool | None = None
    i_best_overall_response: ImmuneResponse | None = None
    i_progressed: bool = False
    i_progression_timepoint: str | None = None

    def to_json(self, criteria: Criteria = Criteria.RECIST11) -> dict[str, Any]:
        """Return the contract's object; iRECIST's fields only where ``criteria`` asks for them.

        Numbers are the shortest that read back as the same decimal; every null has its reason.
        """
        skipped = {"warnings", "reason"}
        if criteria is not Criteria.IRECIST:
            skipped |= IMMUNE_FIELDS
        row = {
            name: _as_json(getattr(self, name))
            for name in (one.name for one in fields(self))
            if name not in skipped
        }
        row["reader"] = self.reader or None
        known = {"reader": NO_READER, "date": NO_DATE} | self.reason
        reason = {name: known[name] for name, value in row.items() if value is None}
        return row | {"warnings": list(self.warnings), "reason": reason}


IMMUNE_FIELDS = frozenset({
    "i_target_response", "i_non_target_response", "i_overall_response", "new_target_sum_mm",
    "i_best_overall_response", "i_progressed", "i_progression_timepoint",
})  # fmt: skip
"""Fields that only iRECIST fills."""

NO_READER = "the table names no reader"
NO_DATE = "the table has no date for this time point"


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
