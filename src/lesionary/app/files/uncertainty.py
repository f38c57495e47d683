"""The file that states how readers err: what ``lesionary file respond --uncertainty`` reads."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError, LesionaryError
from lesionary.io.limits import MIB
from lesionary.io.opening import opened, size_of
from lesionary.measure.uncertainty.plan import UncertaintyPlan


def read_plan(path: str | os.PathLike[str]) -> UncertaintyPlan:
    """Read a model of readers' errors from TOML, or from JSON where the name ends so.

    Raises
    ------
    InputError
        Code ``bad_model``, if the file cannot be read or says what no model can.
    """
    try:
        return UncertaintyPlan.from_mapping(_mapping(Path(path)))
    except LesionaryError as error:
        raise error.at(str(path)) from None


def _mapping(path: Path) -> dict[str, Any]:
    with opened(path) as file:
        if size_of(file) > MIB:
            raise InputError("a model of more than a MiB is something else", code="bad_model")
        data = file.read()
    try:
        text = data.decode("utf-8-sig")
        found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise InputError(
            "the model is neither TOML nor, in a file ending in .json, JSON",
            code="bad_model",
            hint="docs/reference/uncertainty.md lists its keys",
        ) from None
    if not isinstance(found, dict):
        raise InputError("the model is a table of keys and values", code="bad_model")
    return found
