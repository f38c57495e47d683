"""The standard's data dictionary, as far as the rules ask it."""

from functools import lru_cache


@lru_cache(maxsize=16_384)
def standard_vr(tag: int) -> tuple[str, ...]:
    """Return the VRs that the standard allows for a tag; none where it does not know the tag.

    Group lengths and paddings are none of its data: they are unknown here.
    """
    from pydicom.datadict import dictionary_VR

    if tag & 0xFFFF == 0:
        return ()
    try:
        return tuple(dictionary_VR(tag).split(" or "))
    except KeyError:
        return ()


@lru_cache(maxsize=16_384)
def keyword_of(tag: int) -> str:
    """Return the standard's keyword for a tag; the empty text where it has none."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag)
