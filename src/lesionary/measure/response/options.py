"""How response is judged: which criteria, and what a trial asks for."""

from dataclasses import dataclass

from lesionary.core.errors import InputError
from lesionary.measure.response.records import Criteria


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    """What :func:`lesionary.measure.response.judging.respond` is asked for.

    Parameters
    ----------
    criteria : Criteria
        ``irecist`` adds its fields to those of RECIST 1.1.
    confirm_days : int
        Least days between a CR or PR and the time point that confirms it.
    sd_min_days : int
        Least days from the baseline for stable disease to be a best response.
    strict : bool
        Refuse what else is a warning at baseline: too many targets, or too small ones.

    Raises
    ------
    InputError
        If criteria is no :class:`Criteria`, days are no whole number of 0 or more, or ``strict`` is
        neither true nor false.
    """

    criteria: Criteria = Criteria.RECIST11
    confirm_days: int = 28
    sd_min_days: int = 0
    strict: bool = False

    def __post_init__(self) -> None:
        for name, kind in (("criteria", Criteria), ("strict", bool)):
            said: object = getattr(self, name)
            if not isinstance(said, kind):
                raise InputError(f"{name} is of type {kind.__name__}, not {type(said).__name__}")
        for name in ("confirm_days", "sd_min_days"):
            days: object = getattr(self, name)
            if not isinstance(days, int) or isinstance(days, bool):
                raise InputError(f"{name} is a whole number of days, not {type(days).__name__}")
            if days < 0:
                raise InputError(f"{name} is 0 or more, not {days}")
