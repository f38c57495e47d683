"""What a row of a comparison is about: one image of one subject, in one group of the data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class CaseKey:
    """Names one case.

    Parameters
    ----------
    group : str
        Data set or collection that the case belongs to; empty where there is only one.
    subject : str
        Person or animal: cases of one subject are not independent.
    case : str
        The image, unique within the whole.
    """

    group: str
    subject: str
    case: str
