"""Who acts: the name that events carry."""

import getpass
import os

ACTOR_VARIABLE = "LESIONARY_ACTOR"


def this_actor() -> str:
    """Return ``LESIONARY_ACTOR``, else the user's name on this machine."""
    named = os.environ.get(ACTOR_VARIABLE, "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
