"""Which part of the body a series shows, finer than the study's region: for rules of curation."""

from lesionary.ingest.curation.facts import SeriesFacts
from lesionary.ingest.curation.words import first_found

_COVERS = {
    "head": "head",
    "neck": "neck",
    "headneck": "head neck",
    "brain": "head",
    "chest": "chest lung heart breast",
    "thorax": "chest lung heart breast",
    "lung": "chest lung",
    "mediastinum": "chest heart",
    "breast": "chest breast",
    "heart": "chest heart",
    "abdomen": "abdomen liver kidney pancreas spleen",
    "liver": "abdomen liver",
    "kidney": "abdomen kidney",
    "pancreas": "abdomen pancreas",
    "spleen": "abdomen spleen",
    "pelvis": "pelvis prostate",
    "prostate": "pelvis prostate",
}
_WHOLE = "chest lung heart breast abdomen liver kidney pancreas spleen pelvis prostate"
PLACES = tuple(sorted({place for covered in _COVERS.values() for place in covered.split()}))
"""What the rule ``region`` may ask for."""

_CODED = {
    "abdomenpelvis": ("abdomen", "pelvis"),
    "chestabdomen": ("chest", "abdomen"),
    "chestabdpelvis": ("chest", "abdomen", "pelvis"),
    "neckchest": ("neck", "chest"),
    "neckchestabdomen": ("neck", "chest", "abdomen"),
    "neckchestabdpelv": ("neck", "chest", "abdomen", "pelvis"),
}
_REGION_WORDS = (
    ("head", ("head", "brain", "skull")),
    ("neck", ("neck",)),
    ("chest", ("chest", "thorax", "thoracic", "cap", "c a p", "ch", "torso")),
    ("lung", ("lung*", "pulm*")),
    ("breast", ("breast*", "mamm*")),
    ("abdomen", ("abd", "abdom*", "cap", "c a p", "a p", "torso")),
    ("liver", ("liver", "hepat*", "foie")),
    ("kidney", ("kidney*", "renal*")),
    ("pancreas", ("pancrea*",)),
    ("spleen", ("spleen", "splenic")),
    ("pelvis", ("pelvis", "pelvic", "pel", "cap", "c a p", "a p")),
    ("prostate", ("prostat*",)),
)
_WHOLE_WORDS = ("wb", "wb*", "whole body", "wholebody", "petct body", "body")


def places(facts: SeriesFacts) -> frozenset[str] | None:
    """Return what a series shows: by its coded body part and by its words, or None.

    A scanner's protocol may be coded by its first part only, and say the rest in words: both count.
    The words of the study count where neither the code nor the series names a place.
    """
    code = "".join(letter for letter in (facts.body_part or "").lower() if letter.isalpha())
    known: set[str] = set()
    if code == "wholebody":
        known |= set(_WHOLE.split())
    for part in _CODED.get(code, (code,)):
        known |= set(_COVERS.get(part, "").split())
    known |= _places_of_words(facts.description)
    if not known and not code:
        known = _places_of_words(facts.study_description)
    return frozenset(known) if known or code else None


def _places_of_words(text: str | None) -> set[str]:
    if not text:
        return set()
    found: set[str] = set(_WHOLE.split()) if first_found(_WHOLE_WORDS, text) else set()
    for place, patterns in _REGION_WORDS:
        if first_found(patterns, text):
            found |= set(_COVERS[place].split())
    return found
