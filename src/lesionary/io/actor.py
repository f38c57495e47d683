"""Who acts: the name that events carry."""

import getpass
import os

ACTOR_VARIABLE = "LESIONARY_ACTOR"


def this_actor() -> str:
    """Return ``LESIONARY_ACTOR``, else the user's name on this machine."""
    named = os.environ.get(ACTOR_VARIABLE, "").strip() or _user()
    return named.encode("utf-8", "backslashreplace").decode()  # bytes that are no text, as text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
