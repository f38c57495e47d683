"""What the gate says of an input: data, not exceptions.

A finding never holds a path, a UID as it came, or any other identity: it is stored, shown and
published. The table of all codes is ``docs/reference/gate.md``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of the input that a finding is about."""

    INGESTED = "ingested"
    FIXED = "fixed"
    WARNED = "warned"
    LEFT_OUT = "left_out"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the gate noticed.

    Parameters
    ----------
    code : str
        From the gate's table, such as ``missing_slice``.
    outcome : Outcome
        ``LEFT_OUT`` refuses the series; ``FIXED`` and ``WARNED`` let it in and say so.
    reason : str
        One sentence with values and units.
    hint : str
        What the user can do about it.
    """

    code: str
    outcome: Outcome
    reason: str
    hint: str = ""
