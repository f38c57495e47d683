"""What is said of one time point when its readings may be wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lesionary.core.errors import InputError

Probability = Mapping[str, float]
"""By category; adds up to 1."""

AT_BASELINE = "this is the baseline: later time points are held against it"
NO_DISEASE = "there was no disease at baseline, and there is no new lesion"
NO_TARGETS = "there is no target lesion"
INCOMPLETE = "a target lesion is not evaluable"
NO_OTHER_CHOICE = "no other choice of targets is allowed and was measured at all time points"
NOTHING_MOVES = "no lesion's error changes any probability"


@dataclass(frozen=True, slots=True)
class MovedMostBy:
    """The lesion whose exact knowledge would change the distribution most.

    Parameters
    ----------
    lesion : str
    total_variation : float
        By how much in all, from 0 to 1, once this lesion's readings are taken for exact.
    """

    lesion: str
    total_variation: float


@dataclass(frozen=True, slots=True)
class UncertainTimepoint:
    """How likely each category is at one time point, given one reader's readings.

    Parameters
    ----------
    subject, reader, timepoint : str
    probability : mapping or None
        Of CR, PR, SD, PD and NE, and of NON-CR/NON-PD where it can be, from reader and sampling.
    probability_by_source : mapping of str to mapping or None
        ``reader``, ``sampling`` and ``target_choice``, each by itself; None of the last where there
        is no other choice.
    probability_any_targets : mapping or None
        All sources together.
    sum_interval_mm : tuple of float or None
        2.5th and 97.5th percentile of the target sum without error.
    moved_most_by : MovedMostBy or None
    n_target_choices : int
        Choices of targets that the guideline allows and to which no lesion can be added.
    reason : mapping of str to str
        Why a field is None.
    """

    subject: str
    reader: str
    timepoint: str
    probability: Probability | None = None
    probability_by_source: Mapping[str, Probability | None] | None = None
    probability_any_targets: Probability | None = None
    sum_interval_mm: tuple[float, float] | None = None
    moved_most_by: MovedMostBy | None = None
    n_target_choices: int = 1
    reason: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``file respond --uncertainty`` adds, each null with a reason."""
        moved, sources = self.moved_most_by, self.probability_by_source
        interval = self.sum_interval_mm
        return {
            "probability": None if self.probability is None else dict(self.probability),
            "probability_by_source": None
            if sources is None
            else {name: None if one is None else dict(one) for name, one in sources.items()},
            "probability_any_targets": None
            if self.probability_any_targets is None
            else dict(self.probability_any_targets),
            "sum_interval_mm": None if interval is None else list(interval),
            "moved_most_by": None if moved is None else moved.lesion,
            "moved_most_by_total_variation": None if moved is None else moved.total_variation,
            "n_target_choices": self.n_target_choices,
            "reason": self._reasons(),
        }

    def _reasons(self) -> dict[str, str]:
        """Return why fields are null: what moves nothing has no total variation either."""
        reason = dict(self.reason)
        if "moved_most_by" in reason:
            reason["moved_most_by_total_variation"] = reason["moved_most_by"]
        return reason


@dataclass(frozen=True, slots=True)
class UncertaintyOptions:
    """How much is drawn, and from where.

    Parameters
    ----------
    n_draws : int
        Of each course, 100 or more. With 4,000 a probability near one half is off by some 0.015.
    seed : int
        Of the study. Each subject and reader draw by themselves, so that their order never matters.
    is_learning : bool
        Whether the cohort's own changes say how likely a change is; otherwise the stated chances
        do.
    has_sources : bool
        Whether each source is worked out by itself, too.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    n_draws: int = 4000
    seed: int = 0
    is_learning: bool = True
    has_sources: bool = True

    def __post_init__(self) -> None:
        if self.n_draws < 100:
            raise InputError(f"n_draws is 100 or more, not {self.n_draws}", code="bad_model")
        if self.seed < 0:
            raise InputError(f"seed is 0 or more, not {self.seed}", code="bad_model")
