"""What one visit says by RECIST 1.1: what iRECIST starts from."""

from collections.abc import Mapping
from dataclasses import dataclass

from lesionary.measure.response.records import Response
from lesionary.measure.response.sightings import Visit
from lesionary.measure.response.targets import TargetSum


@dataclass(frozen=True, slots=True)
class Verdict:
    """One visit after the baseline, by itself and in the light of those before it.

    Parameters
    ----------
    visit : Visit
    targets : TargetSum or None
        None without targets.
    target, non_target, overall : Response or None
    counting : mapping of str to str
        New lesions that are there and count, with the time point at which each was first seen.
    has_returned : bool
        Whether there is disease again after an overall CR.
    """

    visit: Visit
    targets: TargetSum | None
    target: Response | None
    non_target: Response | None
    overall: Response | None
    counting: Mapping[str, str]
    has_returned: bool
