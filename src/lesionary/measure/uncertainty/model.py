"""By how much one reading of a diameter is off: the stated model of a reader's errors."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lesionary.core.errors import InputError

MOST_PERCENT = 200.0
MOST_MM = 100.0


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Standard deviations of what comes between a diameter and its reading.

    The logarithm of a reading is that of the diameter, plus the reader's bias in this patient, plus
    a habit for each lesion, plus an effect of each visit, plus noise. Defaults follow the pooled
    limits of agreement of Yoon et al. [1]_: single lesions and sums, one observer and two.

    Parameters
    ----------
    bias_sd_percent : float
        Of the reader's bias, the same at all visits and lesions of a patient.
    lesion_sd_percent : float
        Of the habit: how this reader always cuts this lesion.
    visit_sd_percent : float
        Of what all lesions of one visit share: breath, contrast, the day.
    sd_percent, sd_mm : float
        Of the noise, in percent of the diameter and in millimetres, as independent parts.
    tail_df : float
        Degrees of freedom of the noise's t distribution, above 2; infinite is normal. The standard
        deviations above hold whatever the tails.
    pixel_mm : float
        In-plane pixel spacing; 0 leaves pixels out.
    slice_mm : float
        Slice spacing where a row has no slice thickness; 0 leaves slices out there.

    Raises
    ------
    InputError
        If a value is out of range.

    References
    ----------
    .. [1] Yoon et al., Observer variability in RECIST-based tumour burden measurements: a
       meta-analysis, Eur J Cancer 53, 5-15 (2016).
    """

    bias_sd_percent: float = 5.0
    lesion_sd_percent: float = 3.0
    visit_sd_percent: float = 2.0
    sd_percent: float = 5.0
    sd_mm: float = 0.5
    tail_df: float = 5.0
    pixel_mm: float = 0.75
    slice_mm: float = 3.0

    def __post_init__(self) -> None:
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise InputError(f"{name} is a number, not {value!r}", code="bad_model")
            if name == "tail_df":
                if not value > 2:
                    raise InputError(f"tail_df is above 2, not {value}", code="bad_model")
                continue
            most = MOST_MM if name.endswith("_mm") else MOST_PERCENT
            if not 0 <= value <= most:
                raise InputError(f"{name} is 0 to {most:g}, not {value}", code="bad_model")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "ErrorModel":
        """Read a model from the keys of a file; what is left out keeps its default.

        Raises
        ------
        InputError
            Code ``bad_model``: an unknown key, or a value out of range.

        Examples
        --------
        >>> ErrorModel.from_mapping({"sd_percent": 8, "tail_df": "inf"}).tail_df
        inf
        """
        known = {one.name for one in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f"the model has no key {', '.join(unknown)}",
                code="bad_model",
                hint=f"keys are {', '.join(sorted(known))}",
            )
        read = {
            name: math.inf if name == "tail_df" and value == "inf" else value
            for name, value in values.items()
        }
        return cls(**read)

    def to_json(self) -> dict[str, float | str]:
        """Return the model's keys and values; infinite tails as the word ``inf``."""
        found: dict[str, float | str] = asdict(self)
        return found | ({"tail_df": "inf"} if math.isinf(self.tail_df) else {})
