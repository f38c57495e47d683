"""Which part of the body a scan shows: the coded body part first, then words, then the lungs."""

import re
from typing import Literal

Region = Literal["thorax", "abdomen", "thorax_abdomen", "other"]

_BODY_PARTS: dict[str, Region] = {
    "CHEST": "thorax",
    "THORAX": "thorax",
    "LUNG": "thorax",
    "HEART": "thorax",
    "MEDIASTINUM": "thorax",
    "ABDOMEN": "abdomen",
    "ABDOMENPELVIS": "abdomen",
    "LIVER": "abdomen",
    "KIDNEY": "abdomen",
    "PANCREAS": "abdomen",
    "PELVIS": "abdomen",
    "SPLEEN": "abdomen",
    "CHESTABDOMEN": "thorax_abdomen",
    "CHESTABDPELVIS": "thorax_abdomen",
    "WHOLEBODY": "thorax_abdomen",
}
_THORAX_WORDS = re.compile(r"\b(thorax|chest|lungs?|torax|pulm\w*)\b")
_ABDOMEN_WORDS = re.compile(r"\b(abd\w*|liver|pelvis|renal|kidneys?|hepat\w*|pancrea\w*)\b")

MOSTLY_LUNG = 0.6
"""Share of slices with lung from which a scan is one of the thorax."""


def region_of_words(body_part: str, description: str) -> Region | None:
    """Return the region that a header names, or None.

    Parameters
    ----------
    body_part : str
        BodyPartExamined (PS3.16 Annex L), empty where not given. A coded part that is neither
        thorax nor abdomen is ``other``.
    description : str
        SeriesDescription or StudyDescription; read here, stored nowhere.
    """
    if part := re.sub(r"[^A-Z]", "", body_part.upper()):
        return _BODY_PARTS.get(part, "other")
    words = re.sub(r"[_\W]+", " ", description.lower())
    is_thorax, is_abdomen = _THORAX_WORDS.search(words), _ABDOMEN_WORDS.search(words)
    if is_thorax and is_abdomen:
        return "thorax_abdomen"
    if is_thorax or is_abdomen:
        return "thorax" if is_thorax else "abdomen"
    return None


def region_of_lung(share: float, *, has_apex: bool) -> Region:
    """Return the region of a CT from its lungs.

    Parameters
    ----------
    share : float
        Share of slices that show lung.
    has_apex : bool
        Whether the scan goes beyond the lungs' upper end. A scan of the abdomen begins within the
        lung bases, one of thorax and abdomen above the apex.

    Returns
    -------
    Region
        A scan without any lung may be of anything: ``other``.
    """
    if share <= 0:
        return "other"
    if share >= MOSTLY_LUNG:
        return "thorax"
    return "thorax_abdomen" if has_apex else "abdomen"
