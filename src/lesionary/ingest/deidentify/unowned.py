"""Take a header's own words out of what the list of words let stay: code strings, codes, makers."""

import re
from functools import cache

from lesionary.ingest.deidentify.codes import LOCAL_SCHEME, OTHER, REMOVED, Code, standard_codes
from lesionary.ingest.deidentify.own_tokens import OwnTokens
from lesionary.ingest.deidentify.particulars import COUNTS, MAKERS
from lesionary.ingest.deidentify.vocabulary import element_terms, folded, package_sections
from lesionary.ingest.deidentify.words import Words

_BODY_PART = 0x00180015
_UCUM = "UCUM"
_SHORT_TERM = 3
_WORD = re.compile(r"[^\W_]+")

_STRUCTURE = frozenset(
    {
        0x00080005,  # character set
        0x0040A010,  # relationship, kind, continuity of a report's items
        0x0040A040,
        0x0040A050,
        0x00700023,  # kinds of graphics and contours
        0x30060042,
    }
)
"""Code strings without which an object falls apart, where they are the standard's own terms."""

MEASURES = frozenset(
    {
        0x00081160,  # frames that are meant
        0x00180050,  # thickness, spacing
        0x00180080,  # times of a sequence, of a trigger, of an exposure
        0x00180081,
        0x00180082,
        0x00180088,
        0x00181060,
        0x00181062,
        0x00181063,
        0x00181075,  # half-life
        0x00181100,  # diameters, distances, height of the table
        0x00180090,
        0x00181110,
        0x00181111,
        0x00181130,
        0x00181150,
        0x00189087,  # b-value
        0x00189182,  # gradient
        0x00200032,  # position, directions, spacing
        0x00200037,
        0x00280030,
        0x00281050,  # window
        0x00281051,
        0x00281052,  # rescaling
        0x00281053,
        0x00409211,  # real world values
        0x00409212,
        0x00409224,
        0x00409225,
        0x0040A161,  # measurements of a report
        0x00541321,  # factors of a PET
        0x00541322,
        0x300A00B4,  # a machine's axis and isocentre
        0x300A012C,
        0x30060046,  # contours
        0x30060050,
        0x3004000C,  # planes of a dose
        *COUNTS,
    }
)
"""Numbers of the physical world: one of them may be somebody's number by chance, and without it an
image is wrong and nobody sees it."""


FREE_COUNTERS = frozenset({0x00200011, 0x00200012})
"""Numbers of series and acquisitions: whoever numbers them may take what he likes, so that even a
short number of the patient's is no chance there."""


def unowned_terms(tag: int, cleaned: bytes, own: OwnTokens) -> bytes:
    """Return a cleaned code string without the values that hold a header's own word.

    Parameters
    ----------
    tag : int
        What must be one of a few terms says nothing else, so it stays. A part of the body goes for
        a person's name, not for a site's.
    cleaned : bytes
        One value, or several with backslashes between.
    own : OwnTokens

    Returns
    -------
    bytes
        Of several values, one that goes becomes ``OTHER``; empty where none stays.
    """
    terms = cleaned.decode().split("\\")
    kept = [OTHER if _is_owned_term(tag, at, term, own) else term for at, term in enumerate(terms)]
    return "\\".join(kept).encode() if set(kept) - {OTHER, ""} else b""


def _is_owned_term(tag: int, at: int, term: str, own: OwnTokens) -> bool:
    if _is_structure(tag, at, term):
        return False
    return own.name_a_person_in(term) if tag == _BODY_PART else own.occur_in(term)


def _is_structure(tag: int, at: int, term: str) -> bool:
    """Tell whether an element must say one of a few terms, so that it says nothing else."""
    if tag in _STRUCTURE:
        return term in package_sections()["terms"]
    places = element_terms().get(tag)
    if places is None:
        return False
    place = places[min(at, len(places) - 1)]
    is_few = place.is_closed or len(term) <= _SHORT_TERM
    return is_few and term.replace(" ", "_") in place.names


def unowned_code(code: Code, own: OwnTokens, words: Words) -> Code:
    """Return a cleaned code without a header's own words.

    What the standard defines stays; of a meaning that it gives, only a person's name goes.
    """
    if not own or code.scheme == _UCUM or not any(map(own.occur_in, code)):
        return code
    is_standard = (code.scheme, code.value) in standard_codes()
    value, scheme, meaning = code
    if not is_standard and own.occur_in(value):
        value = REMOVED
    if not is_standard and own.occur_in(scheme):
        scheme = LOCAL_SCHEME
    is_known = is_standard and not own.name_a_person_in(meaning)
    while not is_known and own.occur_in(meaning):
        meaning = words.clean(own.marked(meaning))
    return Code(value, scheme, meaning or (code.meaning and REMOVED))


def without_makers(text: str) -> str:
    """Return the words of a text that are no maker's."""
    return " ".join(word for word in _WORD.findall(text) if folded(word) not in _makers())


@cache
def _makers() -> frozenset[str]:
    return frozenset(map(folded, MAKERS))
