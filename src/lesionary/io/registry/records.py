"""Rows as values: what stages hand to the registry and get back. Light: no database library."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One stage's work on one unit: done with an output, or failed with a reason.

    Parameters
    ----------
    stage, name : str
        The stage, and the series (or subject) it is about.
    key : str
        Hash of inputs, protocol section and stage version.
    state : {"done", "failed"}
    output : JSON value
        The receipt of a unit that is done.
    code, reason, hint : str, optional
        Why a unit failed, and what to do.
    inputs : JSON value
        Everything the result depends on.
    model : JSON value
        Name, version and generation of what drew; None where nothing did.
    seed : int, optional
        Of what is drawn at random; None where nothing is.
    run_id : str, optional
        The run that did it.
    version : int
        How often the unit was recorded; 0 for one that is not yet.
    """

    stage: str
    name: str
    key: str
    state: str
    output: Any = None
    code: str | None = None
    reason: str | None = None
    hint: str | None = None
    inputs: Any = None
    model: Any = None
    seed: int | None = None
    run_id: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class UnitState:
    """What planning needs to know of a unit."""

    key: str
    state: str
    version: int

    def is_done(self, key: str) -> bool:
        """Tell whether the unit is done under a key."""
        return self.state == "done" and self.key == key


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of one stage: by which code, which part of the protocol, whom, and when."""

    id: str
    stage: str
    stage_version: int
    section: Any
    code_version: str
    code_digest: str
    cluster: str
    actor: str
    started_at: str
