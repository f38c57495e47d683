"""Which modality an image file's name tells, where the format knows none."""

import re
from typing import Literal

Modality = Literal["CT", "PT", "MR", "OT"]

_WORDS: dict[str, Modality] = {"ct": "CT", "pet": "PT", "pt": "PT", "mr": "MR", "mri": "MR"}


def modality_of_name(below: str) -> Modality:
    """Return the modality that a path names as a word of its own, the nearest to the file first.

    Parameters
    ----------
    below : str
        Path below the argument. Only whole words count: ``001_CT_image.nii.gz`` is CT,
        ``CTRL01.nii.gz`` is nothing; a name with two modalities is nothing either.

    Examples
    --------
    >>> modality_of_name("007/PET/image.nii.gz")
    'PT'
    >>> modality_of_name("ct_on_pet.nii.gz")
    'OT'
    """
    for part in reversed(below.lower().split("/")):
        found = {_WORDS[word] for word in re.split(r"[^a-z]+", part) if word in _WORDS}
        if len(found) == 1:
            return found.pop()
        if found:
            return "OT"
    return "OT"
