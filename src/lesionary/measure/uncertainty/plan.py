"""What a file says of uncertainty: a model, stated or to be estimated, and how much to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from lesionary.core.errors import InputError
from lesionary.measure.response.records import Observation
from lesionary.measure.uncertainty.model import ErrorModel
from lesionary.measure.uncertainty.predicting import uncertain_response
from lesionary.measure.uncertainty.readers import estimated
from lesionary.measure.uncertainty.records import UncertainTimepoint, UncertaintyOptions

OF_SAMPLING = ("pixel_mm", "slice_mm")
_OWN = {"from_readers": bool, "n_draws": int, "seed": int, "learn_changes": bool}


@dataclass(frozen=True, slots=True)
class UncertaintyPlan:
    """How uncertainty is worked out.

    Parameters
    ----------
    model : ErrorModel
        With ``is_estimated`` only what it says of pixels and slices counts.
    options : UncertaintyOptions
    is_estimated : bool
        Whether the readers of the table itself tell their errors.
    """

    model: ErrorModel
    options: UncertaintyOptions
    is_estimated: bool = False

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "UncertaintyPlan":
        """Read a plan from the keys of a file.

        Parameters
        ----------
        values : mapping
            The keys of :class:`ErrorModel`; ``from_readers``, ``n_draws``, ``seed`` and
            ``learn_changes``. What is left out keeps its default.

        Raises
        ------
        InputError
            Code ``bad_model``: an unknown key, a value of another kind or out of range, or a
            reader's variance beside ``from_readers``.

        Examples
        --------
        >>> UncertaintyPlan.from_mapping({"sd_percent": 8, "seed": 3}).options.seed
        3
        """
        known = {*(one.name for one in fields(ErrorModel)), *_OWN}
        unknown = sorted(str(name) for name in set(values) - known)
        if unknown:
            raise InputError(
                f"the model has no key {', '.join(unknown)}",
                code="bad_model",
                hint=f"keys are {', '.join(sorted(known))}",
            )
        for name, kind in _OWN.items():
            if name in values and type(values[name]) is not kind:
                word = "true or false" if kind is bool else "a whole number"
                raise InputError(f"{name} is {word}, not {values[name]!r}", code="bad_model")
        is_estimated = bool(values.get("from_readers", False))
        stated = {name: value for name, value in values.items() if name not in _OWN}
        both = sorted(set(stated) - set(OF_SAMPLING)) if is_estimated else []
        if both:
            raise InputError(
                f"from_readers estimates {', '.join(both)}: leave one out", code="bad_model"
            )
        options = {name: values[name] for name in ("n_draws", "seed") if name in values}
        return cls(
            ErrorModel.from_mapping(stated),
            UncertaintyOptions(**options, is_learning=values.get("learn_changes", True)),
            is_estimated,
        )

    def judge(self, observations: Sequence[Observation]) -> tuple[UncertainTimepoint, ...]:
        """Tell how likely each category is, as :func:`uncertain_response` does.

        Raises
        ------
        InputError
            If a row is faulty, or there are too few readers to estimate from.
        """
        model = estimated(observations, self.model) if self.is_estimated else self.model
        return uncertain_response(observations, model, self.options)
