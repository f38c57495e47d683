"""Storage classes of the standard, by what follows their common root; UIDs that it names itself."""

import re
from functools import cache, lru_cache

_STORAGE = "1.2.840.10008.5.1.4.1.1."
CT_SLICE = _STORAGE + "2"
_OF_PATIENTS = (_STORAGE, "1.2.840.10008.5.1.4.34.")

OF_THEIR_OWN = frozenset({"66.1", "66.2", "66.3", "66.4", "66.5", "66.6", "66.7"})
"""Registrations, segmentations, surfaces, tracts: numbered like raw data, and are none."""

SECTIONS = frozenset({"2", "4", "5", "20", "128", "130"})
"""Images of slices."""

PROJECTIONS = frozenset({"1", "12", "13", "481.1"})
"""X-rays of all kinds; also tomosynthesis and rotation, which the same machines make."""

VALUES = frozenset({"30", "481.2"}) | OF_THEIR_OWN
"""Classes whose pixels are values or labels; colours only as a palette of labels."""

_NEWER_CLASSES = frozenset({_STORAGE + "66.7", _STORAGE + "66.8"})
"""Storage classes that today's dictionary does not know: label map and height map."""

_CODING_SCHEME = re.compile(r"2\.16\.840\.1\.113883\.(?:6\.[0-9]{1,4}|3\.26\.1\.1)")
"""UIDs of the coding schemes that the standard uses; HL7 gave them."""

_REMEMBERED = 65_536


@cache
def storage_classes() -> frozenset[str]:
    """Return the standard's storage SOP classes, retired ones too."""
    from pydicom._uid_dict import UID_dictionary

    return _NEWER_CLASSES | frozenset(
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and uid.startswith(_OF_PATIENTS)
    )


def ends_of(sop_class: str) -> tuple[str, str]:
    """Return what follows the root of storage classes: two numbers, and one."""
    if not sop_class.startswith(_STORAGE):
        return "", ""
    end = sop_class.removeprefix(_STORAGE).split(".")
    return ".".join(end[:2]), end[0]


def is_in(sop_class: str, ends: frozenset[str]) -> bool:
    """Tell whether a class is one of those, or under one of those, that end like this."""
    return not ends.isdisjoint(ends_of(sop_class))


@lru_cache(maxsize=_REMEMBERED)
def is_well_known(uid: str) -> bool:
    """Tell whether the standard itself names a UID: a class, a syntax, a frame of reference."""
    from pydicom._uid_dict import UID_dictionary

    is_named = uid in UID_dictionary or uid in storage_classes()
    return is_named or _CODING_SCHEME.fullmatch(uid) is not None
