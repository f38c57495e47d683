"""Take a header's own words out of what the list of words let stay: code strings, codes, makers.

What the standard itself defines stays, even where somebody is called so: the terms of a code
string, the meaning of a standard code, names of models, sequences and kernels. That costs no
privacy: each is a word that anybody can read in the standard or in a brochure, in a place that says
nothing else. The same word in a description goes.
"""

import re
from functools import cache, lru_cache

from lesionary.ingest.deidentify.codes import LOCAL_SCHEME, OTHER, REMOVED, Code, meanings_of
from lesionary.ingest.deidentify.own_tokens import OwnTokens
from lesionary.ingest.deidentify.particulars import COUNTS, EQUIPMENT, MAKERS
from lesionary.ingest.deidentify.schemes import SHAPES
from lesionary.ingest.deidentify.vocabulary import element_terms, folded, package_sections
from lesionary.ingest.deidentify.words import Words

_BODY_PART = 0x00180015
_UCUM = "UCUM"
_REMEMBERED = 1024
_KERNELS = "kernels"
_SECTIONS = {
    0x00081090: "models", 0x00181020: "versions", 0x00180024: "sequences", 0x00181210: _KERNELS
}  # fmt: skip
"""Sections of the package's list that name machines, by the elements that do."""

_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[0-9]+|[^\W\d_]+")

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
"""Code strings without which an object falls apart: any term of the standard stays there."""

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
        What is a term of its own stays. Of other parts of the body only a person's name goes, not
        a site's.
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
    if _is_defined(tag, at, term):
        return False
    return own.name_a_person_in(term) if tag == _BODY_PART else own.occur_in(term)


def _is_defined(tag: int, at: int, term: str) -> bool:
    """Tell whether a term is one of those that the standard and makers have for this element."""
    if tag in _STRUCTURE:
        return term in package_sections()["terms"]
    places = element_terms().get(tag, ())
    return bool(places) and term.replace(" ", "_") in places[min(at, len(places) - 1)].names


def unowned_code(code: Code, own: OwnTokens, words: Words) -> Code:
    """Return a cleaned code without a header's own words.

    What the standard defines stays, value and meaning. Of another meaning beside a standard value
    only what names a person goes. A value of a public scheme's shape goes where an own number or
    word stands in it alone: any number holds some four digits.
    """
    if not own or code.scheme == _UCUM or not any(map(own.occur_in, code)):
        return code
    value, scheme, meaning = code
    meanings = meanings_of(value, scheme)
    if not meanings:
        is_own = own.stand_alone_in if scheme in SHAPES else own.occur_in
        value = REMOVED if is_own(value) else value
        scheme = LOCAL_SCHEME if own.occur_in(scheme) else scheme
    is_known = meaning.casefold() in meanings or (meanings and not own.name_a_person_in(meaning))
    while not is_known and own.occur_in(meaning):
        meaning = words.clean(own.marked(meaning))
    return Code(value, scheme, meaning or (code.meaning and REMOVED))


@lru_cache(_REMEMBERED)
def without_public_names(tag: int, text: str) -> str:
    """Return a text without what names makers and machines, where its element is there for those.

    Parameters
    ----------
    tag : int
        Makers are left out of a manufacturer or model, words of the list of models, versions and
        sequences out of these, kernels of the list out of kernels as whole values only.
    text : str

    Examples
    --------
    >>> without_public_names(0x00081090, "SIEMENS Skyra_fit AB12")
    'AB12'
    >>> without_public_names(0x00180024, "*se2d1")
    '2d1'
    """
    section = _SECTIONS.get(tag, "")
    if section == _KERNELS:
        kernels = package_sections()[section]
        values = (one for one in text.split("\\") if folded(one).replace(" ", "_") not in kernels)
        return "\\".join(values)
    public = _public_names(section, tag in EQUIPMENT)
    runs = (
        "".join(
            part for part in _PARTS.findall(run) if len(part) == 1 or folded(part) not in public
        )
        for run in _WORD.findall(text)
    )
    return " ".join(filter(None, runs))


@cache
def _public_names(section: str, has_makers: bool) -> frozenset[str]:
    makers = frozenset(map(folded, MAKERS)) if has_makers else frozenset()
    return makers | package_sections()[section] if section else makers
