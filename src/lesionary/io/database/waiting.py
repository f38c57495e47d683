"""How long one writer waits for another, in every database of ours."""

import math
import os

from lesionary.core.errors import InputError

WAIT_VARIABLE = "LESIONARY_REGISTRY_WAIT_S"
_WAIT_S = 60.0
_WAIT_AT_MOST_S = 86_400.0


def wait_s() -> float:
    """Return how long a writer waits for another, in seconds.

    Raises
    ------
    InputError
        Code ``usage`` where the environment says otherwise than with a number from 0 to a day.
    """
    text = os.environ.get(WAIT_VARIABLE) or str(_WAIT_S)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _WAIT_AT_MOST_S:
        raise InputError(
            f"{WAIT_VARIABLE} is no number of seconds from 0 to {_WAIT_AT_MOST_S:g}",
            code="usage",
            hint=f"export {WAIT_VARIABLE}={_WAIT_S:g}",
        )
    return seconds
