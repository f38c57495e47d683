"""Which objects are set aside instead of released: what shows a person, or what no rule can read.

Rules clean elements, not pictures and not documents. Where identity may stand in the pixels
themselves, or in a file inside the file, the object is quarantined with a reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lesionary.ingest.deidentify.classes import (
    CT_SLICE,
    OF_THEIR_OWN,
    PROJECTIONS,
    SECTIONS,
    VALUES,
    ends_of,
    is_in,
    storage_classes,
)
from lesionary.ingest.deidentify.facts import MODALITY, ObjectFacts, facts_of, text_of
from lesionary.ingest.deidentify.screens import is_screen_part, is_screen_text, is_screen_type

__all__ = [
    "MODALITY",
    "ObjectFacts",
    "Quarantined",
    "facts_of",
    "picture_or_document",
    "reason_of_options",
    "reason_to_quarantine",
    "storage_classes",
    "text_of",
]


_SECTIONAL = frozenset({"CT", "MR", "PT", "NM"})
_PROJECTED = frozenset(
    {"CR", "DX", "MG", "IO", "PX", "RG", "XA", "RF", "DS", "DF", "CF", "VF", "TG", "RTIMAGE"}
)
_PICTURED = frozenset(
    {"SC", "DOC", "SR", "XC", "GM", "SM", "ES", "OP", "OPM", "OPT", "DMS", "DG", "HC", "ECG"}
)
_OTHERS = frozenset(
    {"OT", "PR", "KO", "AU", "SEG", "REG", "RTDOSE", "RTPLAN", "RTSTRUCT", "RTRECORD", "PLAN"}
)
"""Modalities of no slices, pictures apart; what is no modality at all says nothing."""

_VIDEO = "1.2.840.10008.1.2.4.10"
_SCREEN_BITS = 8

_ULTRASOUND = (
    "ultrasound",
    "an ultrasound image: these carry the patient's name in their pixels",
)
_DOCUMENT = ("encapsulated_document", "a document inside a DICOM file: no rule can clean it")
_UNDER = {
    "7": ("secondary_capture", "a secondary capture: a picture of a screen or of paper"),
    "104": _DOCUMENT,
    "6": _ULTRASOUND,
    "3": _ULTRASOUND,
    "77.1": ("visible_light", "a photograph or video: it may show a face, a label, a screen"),
    "66": ("raw_data", "raw data in a vendor's own form: no rule can read it"),
    "9": ("waveform", "a waveform: its notes and its signal may tell the patient"),
}
"""SOP classes by what follows the root of storage classes; the longest match goes first."""

_GREY = frozenset({"", "MONOCHROME1", "MONOCHROME2"})

_FACELESS = frozenset(
    {
        "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "BLADDER", "BREAST", "CALF", "CHEST",
        "CHESTABDOMEN", "CHESTABDPELVIS", "COLON", "ELBOW", "EXTREMITY", "FEMUR", "FINGER",
        "FOOT", "HAND", "HEART", "HIP", "HUMERUS", "KIDNEY", "KNEE", "LEG", "LIVER",
        "LSPINE", "LUNG", "PANCREAS", "PELVIS", "PROSTATE", "RECTUM", "SHOULDER", "SPLEEN",
        "STOMACH", "THIGH", "THORAX", "TIBIA", "TSPINE", "UTERUS", "WRIST",
    }
)  # fmt: skip
_BLANKED = frozenset({"burned_in_annotation", "secondary_capture", "ultrasound"})


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why an object is set aside."""

    code: str
    reason: str


def reason_to_quarantine(facts: ObjectFacts, *, is_blanked: bool = False) -> Quarantined | None:
    """Return why an object is not released, or None.

    Parameters
    ----------
    facts : ObjectFacts
    is_blanked : bool
        A pixel rule blanks the regions where this kind of image carries text: what is wrong with
        the pixels alone is then no reason.
    """
    unknown = unknown_class(facts.sop_class)
    if unknown is not None:
        return unknown
    excused = _BLANKED if is_blanked else frozenset()
    return next((found for found in _reasons(facts) if found.code not in excused), None)


def reason_of_options(
    facts: ObjectFacts, *, cleans_pixels: bool, cleans_faces: bool, is_blanked: bool
) -> Quarantined | None:
    """Return why an object is not released under an option that promises more than rules can do.

    Parameters
    ----------
    facts : ObjectFacts
    cleans_pixels : bool
        No text may be left in the pixels: only images that say so, or of modalities that burn in
        none, are released without a rule that blanks it.
    cleans_faces : bool
        No face may be left: nothing here takes one away, so only images of other parts are.
    is_blanked : bool
    """
    if not facts.has_pixels:
        return None
    is_sectional = facts.modality in _SECTIONAL
    if cleans_pixels and not (is_sectional or is_blanked or facts.burned_in == "NO"):
        return Quarantined("burned_in_annotation", "nothing says that no text is burned in")
    may_show_a_face = is_sectional or is_in(facts.sop_class, SECTIONS)
    if cleans_faces and may_show_a_face and facts.body_part not in _FACELESS:
        return Quarantined("visual_features", "it may show a face: no body part says otherwise")
    return None


def unknown_class(sop_class: str) -> Quarantined | None:
    """Return why a class of objects is unfit as such: it is none of the standard's."""
    if sop_class not in storage_classes():
        return Quarantined(
            "unknown_object",
            "it names no storage class of the standard: no rule says what it may hold",
        )
    return None


def picture_or_document(facts: ObjectFacts) -> Quarantined | None:
    """Return why an object may show the patient where no rule of elements reaches, or None."""
    return next(_reasons(facts), None)


def _reasons(facts: ObjectFacts) -> Iterator[Quarantined]:
    judges = (_by_class, _by_content, _by_modality, _by_pixels, _by_screen, _by_depth, _by_silence)
    for judge in judges:
        found = judge(facts)
        if found is not None:
            yield Quarantined(*found)


def _by_content(facts: ObjectFacts) -> tuple[str, str] | None:
    if facts.has_document:
        return _DOCUMENT
    if facts.conversion_type:
        return "secondary_capture", "digitised or drawn: from film, video, paper, or on a screen"
    return None


def _by_modality(facts: ObjectFacts) -> tuple[str, str] | None:
    """Judge a modality of pictures in a class of images.

    One that is empty says nothing, unless the image says that it is a secondary one.
    """
    named = set(facts.modality.split("\\"))
    if not named.isdisjoint({"US", "IVUS"}):
        return _ULTRASOUND
    if not facts.has_pixels:
        return None
    is_foreign = not named.isdisjoint(_PICTURED)
    if is_in(facts.sop_class, SECTIONS):
        is_foreign = is_foreign or len(named) > 1 or not named.isdisjoint(_OTHERS)
        is_foreign = is_foreign or (not facts.modality and "SECONDARY" in facts.image_type)
    if is_foreign:
        return "secondary_capture", "its modality is none of its class: a picture among images"
    return None


def _by_pixels(facts: ObjectFacts) -> tuple[str, str] | None:
    if facts.transfer_syntax.startswith(_VIDEO):
        return "visible_light", "a video: nobody has looked at every frame"
    if facts.burned_in not in {"", "NO"}:
        return "burned_in_annotation", "its header says that text is burned in"
    if facts.has_faces:
        return "visual_features", "its header does not deny that the patient can be recognised"
    return _by_colour(facts)


def _by_colour(facts: ObjectFacts) -> tuple[str, str] | None:
    if is_in(facts.sop_class, OF_THEIR_OWN):
        is_colour = facts.photometric not in _GREY | {"PALETTE COLOR"}
    else:
        is_colour = facts.photometric not in _GREY or facts.n_samples > 1
    what = "a colour picture among images in grey: saved from a screen"
    return ("secondary_capture", what) if is_colour else None


def _by_screen(facts: ObjectFacts) -> tuple[str, str] | None:
    """Judge what an image says of itself: a saved screen, a page of doses, a protocol."""
    if is_in(facts.sop_class, VALUES):
        return None
    is_screen = any(is_screen_type(value) for value in facts.image_type)
    if facts.has_pixels:
        is_screen = is_screen or is_screen_part(facts.body_part)
        texts = (facts.series_description, facts.protocol_name)
        is_screen = is_screen or any(
            is_screen_text(text, is_original=facts.is_original) for text in texts
        )
    what = "a saved screen or a page of text: it may show the patient's name"
    return ("secondary_capture", what) if is_screen else None


def _by_depth(facts: ObjectFacts) -> tuple[str, str] | None:
    """Judge slices of CT in the depth of a screen: nothing turns them into Hounsfield units."""
    is_derived = not facts.image_type.isdisjoint({"DERIVED", "SECONDARY"})
    is_slice = facts.has_pixels and facts.sop_class == CT_SLICE
    if is_slice and is_derived and 0 < facts.n_bits <= _SCREEN_BITS and not facts.is_rescaled:
        return "secondary_capture", "a CT image in shades of a screen, without Hounsfield units"
    return None


def _by_silence(facts: ObjectFacts) -> tuple[str, str] | None:
    """Judge projections, into which names are burned as a habit: somebody has to deny it."""
    is_projected = facts.modality in _PROJECTED or is_in(facts.sop_class, PROJECTIONS)
    if not (is_projected and facts.has_pixels):
        return None
    if facts.burned_in != "NO":
        return "burned_in_annotation", "a projection, and nothing says that no text is burned in"
    if is_in(facts.sop_class, SECTIONS):
        return "secondary_capture", "a projection in a class of slices"
    return None


def _by_class(facts: ObjectFacts) -> tuple[str, str] | None:
    long, short = ends_of(facts.sop_class)
    return None if long in OF_THEIR_OWN else _UNDER.get(long) or _UNDER.get(short)
