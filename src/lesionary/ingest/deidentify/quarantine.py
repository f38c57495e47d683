"""Which objects are set aside instead of released: what shows a person, or what no rule can read.

Rules clean elements, not pictures and not documents. Where identity may stand in the pixels
themselves, or in a file inside the file, the object is quarantined with a reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from lesionary.ingest.deidentify.elements import DataSet, Instance

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_OF_PATIENTS = (_STORAGE, "1.2.840.10008.5.1.4.34.")

SOP_CLASS, IMAGE_TYPE, MODALITY = 0x00080016, 0x00080008, 0x00080060
BURNED_IN, SAMPLES, CONVERSION_TYPE = 0x00280301, 0x00280002, 0x00080064
BODY_PART = 0x00180015
DOCUMENT = (0x00420011, 0x00420012)

_SCREENS = frozenset({"SCREEN SAVE", "SCREENSHOT", "SCREEN_CAPTURE", "SCREENCAPTURE", "DOSE_INFO"})
_SECTIONAL = frozenset({"CT", "MR", "PT", "NM"})
_SCANNED = frozenset({"DV", "DI", "DF", "SD", "SI", "WSD"})
_VIDEO = "1.2.840.10008.1.2.4.10"

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

_OF_THEIR_OWN = frozenset({"66.1", "66.2", "66.3", "66.4", "66.5", "66.6", "66.7"})
"""Registrations, segmentations, surfaces, tracts: numbered like raw data, and are none."""

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


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What decides whether an object is set aside; all texts in capitals.

    Parameters
    ----------
    sop_class : str
        UID.
    modality, conversion_type, burned_in : str
    image_type : frozenset of str
    n_samples : int
        Samples per pixel; 1 where there are no pixels.
    has_document, has_pixels : bool
        It names a MIME type, or holds a document; it holds pixels.
    body_part : str
    transfer_syntax : str
        UID.
    """

    sop_class: str
    modality: str = ""
    conversion_type: str = ""
    burned_in: str = ""
    image_type: frozenset[str] = frozenset()
    n_samples: int = 1
    has_document: bool = False
    has_pixels: bool = False
    body_part: str = ""
    transfer_syntax: str = ""


def facts_of(instance: Instance) -> ObjectFacts:
    """Gather the facts of an instance."""
    data_set = instance.data_set
    samples = data_set.get(SAMPLES)
    has_samples = instance.pixels is not None and samples is not None and samples.value
    return ObjectFacts(
        sop_class=text_of(data_set, SOP_CLASS),
        modality=text_of(data_set, MODALITY).upper(),
        conversion_type=text_of(data_set, CONVERSION_TYPE).upper(),
        burned_in=text_of(data_set, BURNED_IN).upper(),
        image_type=frozenset(words_of(data_set, IMAGE_TYPE)),
        n_samples=int.from_bytes(samples.value[:2], "little") if samples and has_samples else 1,
        has_document=any(data_set.get(tag) is not None for tag in DOCUMENT),
        has_pixels=instance.pixels is not None,
        body_part=text_of(data_set, BODY_PART).upper(),
        transfer_syntax=instance.transfer_syntax,
    )


def reason_to_quarantine(facts: ObjectFacts, *, is_blanked: bool = False) -> Quarantined | None:
    """Return why an object is not released, or None.

    Parameters
    ----------
    facts : ObjectFacts
    is_blanked : bool
        A pixel rule blanks the regions where this kind of image carries text: what is wrong with
        the pixels alone is then no reason.
    """
    found = unknown_class(facts.sop_class) or picture_or_document(facts)
    return None if found is not None and is_blanked and found.code in _BLANKED else found


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
    if cleans_faces and is_sectional and facts.body_part not in _FACELESS:
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
    found = _by_class(facts.sop_class) or _by_content(facts) or _by_pixels(facts)
    return None if found is None else Quarantined(*found)


def _by_content(facts: ObjectFacts) -> tuple[str, str] | None:
    if facts.has_document:
        return _DOCUMENT
    if not _SCREENS.isdisjoint(facts.image_type):
        return "secondary_capture", "a saved screen: it may show the patient's name"
    if facts.conversion_type in _SCANNED:
        return "secondary_capture", "digitised from film, video or paper"
    return _ULTRASOUND if facts.modality in {"US", "IVUS"} else None


def _by_pixels(facts: ObjectFacts) -> tuple[str, str] | None:
    if facts.transfer_syntax.startswith(_VIDEO):
        return "visible_light", "a video: nobody has looked at every frame"
    if facts.burned_in not in {"", "NO"}:
        return "burned_in_annotation", "its header says that text is burned in"
    if facts.n_samples > 1 and facts.modality in _SECTIONAL:
        what = f"a colour picture among {facts.modality} images: saved from a screen"
        return "secondary_capture", what
    return None


def _by_class(sop_class: str) -> tuple[str, str] | None:
    if not sop_class.startswith(_STORAGE):
        return None
    end = sop_class.removeprefix(_STORAGE).split(".")
    if ".".join(end[:2]) in _OF_THEIR_OWN:
        return None
    return _UNDER.get(".".join(end[:2])) or _UNDER.get(end[0])


_NEWER_CLASSES = frozenset({_STORAGE + "66.7", _STORAGE + "66.8"})
"""Storage classes that today's dictionary does not know: label map and height map."""


@cache
def storage_classes() -> frozenset[str]:
    """Return the standard's storage SOP classes, retired ones too."""
    from pydicom._uid_dict import UID_dictionary

    return _NEWER_CLASSES | frozenset(
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and uid.startswith(_OF_PATIENTS)
    )


def text_of(data_set: DataSet, tag: int) -> str:
    """Return the text of an element of plain characters; the empty text where there is none."""
    element = data_set.get(tag)
    if element is None or element.items is not None:
        return ""
    return bytes(element.value).decode("latin-1").strip(" \0")


def words_of(data_set: DataSet, tag: int) -> Iterable[str]:
    """Return the values of a multi-valued element of plain characters, upper case."""
    return (word.strip().upper() for word in text_of(data_set, tag).split("\\"))
