"""What is wrong with a command line, in words of our own: which option, and what it takes.

Typer brings click or its own copy of it, and each version has sentences of its own; some name no
option, some repeat what was typed. Here only attributes are read that all of them have.
"""

from typing import Any

_KINDS = {int: "a whole number", float: "a number"}
_NAMES = {
    "integer": int,
    "integer range": int,
    "float": float,
    "float range": float,
}
"""Click's names of types."""


def usage_text(error: Exception) -> str:
    """Say what is wrong.

    Parameters
    ----------
    error : Exception
        A ``UsageError`` of Typer or click.
    """
    message = (getattr(error, "message", "") or str(error)).removeprefix("Value error, ")
    parameter = getattr(error, "param", None)
    if parameter is None:
        return message
    name = _name(parameter)
    if type(error).__name__ == "MissingParameter":
        what = (getattr(parameter, "help", "") or "").rstrip(".")
        return f"{name} is missing" + (f": {what[0].lower()}{what[1:]}" if what else "")
    expected = _number(parameter)
    return f"{name} takes {expected}" if expected else f"{name}: {message}"


def _name(parameter: Any) -> str:
    options = [one for one in parameter.opts if one.startswith("-")]
    return max(options, key=len) if options else str(parameter.metavar or parameter.name.upper())


def _number(parameter: Any) -> str:
    """Name the numbers that an option takes; empty where it takes something else."""
    described = getattr(parameter, "type_descriptor", None)
    if described is not None:
        kind, bounds = described.annotation, described.parameter_info
    else:
        bounds = parameter.type
        kind = _NAMES.get(getattr(bounds, "name", ""))
    noun = _KINDS.get(kind, "")
    low, high = getattr(bounds, "min", None), getattr(bounds, "max", None)
    if not noun or (low is None and high is None):
        return noun
    if low is None or high is None:
        return f"{noun} of at " + (f"least {low:g}" if high is None else f"most {high:g}")
    return f"{noun} from {low:g} to {high:g}"
