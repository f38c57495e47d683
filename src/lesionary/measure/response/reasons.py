"""Why a field of a time point is null: a sentence for each."""

from collections.abc import Mapping
from dataclasses import fields, replace

from lesionary.measure.response.records import (
    IMMUNE_FIELDS,
    NO_DATE,
    NO_READER,
    TimepointResponse,
)

AT_BASELINE = "this is the baseline: later time points are held against it"
NO_TARGETS = "there is no target lesion"
NO_NON_TARGETS = "there is neither a non-target lesion nor a marker above normal"
NO_DISEASE = "there was no disease at baseline, and there is no new lesion"
NOT_PROGRESSED = "nothing has progressed up to this time point"
NOT_CONFIRMED = "no progression was confirmed up to this time point"
INCOMPLETE = "a target lesion is not evaluable: measured_sum_mm has the rest"
ZERO = "nothing is a percentage of 0 mm"
NO_NEW_TARGET = "no new lesion has been large enough to be measured"
NOT_ASKED = "iRECIST was not asked for"

_OF_SUMS = (
    "measured_sum_mm", "sum_mm", "baseline_mm", "nadir_mm", "change_from_baseline_mm",
    "change_from_baseline_percent", "change_from_nadir_mm", "change_from_nadir_percent",
    "target_response", "i_target_response",
)  # fmt: skip
_FIXED: Mapping[str, str] = {
    "reader": NO_READER,
    "date": NO_DATE,
    "non_target_response": NO_NON_TARGETS,
    "i_non_target_response": NO_NON_TARGETS,
    "overall_response": NO_DISEASE,
    "i_overall_response": NO_DISEASE,
    "i_best_overall_response": NO_DISEASE,
    "best_overall_response": NO_DISEASE,
    "progression_timepoint": NOT_PROGRESSED,
    "i_progression_timepoint": NOT_CONFIRMED,
    "new_target_sum_mm": NO_NEW_TARGET,
}


def reasons_of(
    row: TimepointResponse, own: Mapping[str, str], *, is_baseline: bool, is_immune: bool
) -> TimepointResponse:
    """Return the row with a reason for each field that is None.

    Parameters
    ----------
    row : TimepointResponse
    own : mapping of str to str
        What only who judged it can say; empty texts say nothing.
    is_baseline, is_immune : bool
        Whether the row is the baseline's, and whether iRECIST was asked for.
    """
    reason: dict[str, str] = {}
    for name in (one.name for one in fields(row)):
        if getattr(row, name) is not None:
            continue
        if name in IMMUNE_FIELDS and not is_immune:
            reason[name] = NOT_ASKED
        else:
            reason[name] = own.get(name) or _why(row, name, is_baseline=is_baseline)
    return replace(row, reason=reason)


def _why(row: TimepointResponse, name: str, *, is_baseline: bool) -> str:
    if name in _OF_SUMS and row.measured_sum_mm is None:
        return NO_TARGETS
    if is_baseline and name not in {"date", "progression_timepoint", "i_progression_timepoint"}:
        return AT_BASELINE
    if name in _OF_SUMS:
        return INCOMPLETE if row.sum_mm is None else ZERO
    return _FIXED[name]
