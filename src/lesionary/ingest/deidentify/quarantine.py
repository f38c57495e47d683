"""Which objects are set aside instead of released: what shows a person, or what no rule can read.

Rules clean elements, not pictures and not documents. Where identity may stand in the pixels
themselves, or in a file inside the file, the object is quarantined with a reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from lesionary.ingest.deidentify.elements import DataSet, Instance

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_DIRECTORY = "1.2.840.10008.1.3.10"
_OF_PATIENTS = (_STORAGE, "1.2.840.10008.5.1.4.34.")

SOP_CLASS, IMAGE_TYPE, MODALITY = 0x00080016, 0x00080008, 0x00080060
BURNED_IN, SAMPLES, DOCUMENT = 0x00280301, 0x00280002, 0x00420011
_CONVERSION_TYPE = 0x00080064

_SCREENS = frozenset({"SCREEN SAVE", "SCREENSHOT", "SCREEN_CAPTURE", "SCREENCAPTURE", "DOSE_INFO"})
_SECTIONAL = frozenset({"CT", "MR", "PT", "NM"})
_SCANNED = frozenset({"DV", "DI", "DF", "SD", "SI", "WSD"})
_VIDEO = "1.2.840.10008.1.2.4.10"

_UNDER = {
    "7": ("secondary_capture", "a secondary capture: a picture of a screen or of paper"),
    "104": ("encapsulated_document", "a document inside a DICOM file: no rule can clean it"),
    "6": ("ultrasound", "an ultrasound image: these carry the patient's name in their pixels"),
    "3": ("ultrasound", "an ultrasound image: these carry the patient's name in their pixels"),
    "77.1": ("visible_light", "a photograph or video: it may show a face, a label, a screen"),
    "66": ("raw_data", "raw data in a vendor's own form: no rule can read it"),
}
"""SOP classes by what follows the root of storage classes; the longest match goes first."""

_ALLOWED_UNDER_66 = frozenset({"66.1", "66.2", "66.3", "66.4", "66.5", "66.6", "66.7"})


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why an object is set aside."""

    code: str
    reason: str


def reason_to_quarantine(instance: Instance, *, is_blanked: bool = False) -> Quarantined | None:
    """Return why an instance is not released, or None.

    Parameters
    ----------
    instance : Instance
        As it came.
    is_blanked : bool
        A pixel rule blanks the regions where this kind of image carries text: what is wrong with
        the pixels alone is then no reason.
    """
    data_set = instance.data_set
    sop_class = text_of(data_set, SOP_CLASS)
    found = _by_class(sop_class) or _by_content(data_set)
    if found is not None and not (is_blanked and found.code in {"ultrasound", "secondary_capture"}):
        return found
    if instance.transfer_syntax.startswith(_VIDEO):
        return Quarantined("visible_light", "a video: nobody has looked at every frame")
    return None if is_blanked else _by_pixels(instance)


def _by_class(sop_class: str) -> Quarantined | None:
    if sop_class == _DIRECTORY:
        return Quarantined("dicomdir", "a directory of files: they are read one by one without it")
    if sop_class not in storage_classes():
        return Quarantined(
            "unknown_object",
            "it names no storage class of the standard: no rule says what it may hold",
        )
    end = sop_class.removeprefix(_STORAGE)
    if end in _ALLOWED_UNDER_66:
        return None
    for depth in (2, 1):
        known = _UNDER.get(".".join(end.split(".")[:depth]))
        if known is not None:
            return Quarantined(*known)
    return None


def _by_content(data_set: DataSet) -> Quarantined | None:
    if data_set.get(DOCUMENT) is not None:
        return Quarantined(*_UNDER["104"])
    if not _SCREENS.isdisjoint(words_of(data_set, IMAGE_TYPE)):
        return Quarantined("screenshot", "a saved screen: it may show the patient's name")
    if text_of(data_set, _CONVERSION_TYPE).upper() in _SCANNED:
        return Quarantined("secondary_capture", "digitised from film, video or paper")
    if text_of(data_set, MODALITY).upper() in {"US", "IVUS"}:
        return Quarantined(*_UNDER["6"])
    return None


def _by_pixels(instance: Instance) -> Quarantined | None:
    data_set = instance.data_set
    if text_of(data_set, BURNED_IN).upper() not in {"", "NO"}:
        return Quarantined("burned_in_annotation", "its header says that text is burned in")
    samples = data_set.get(SAMPLES)
    is_colour = samples is not None and bytes(samples.value[:2]) not in {b"\1\0", b""}
    if instance.pixels is not None and is_colour:
        modality = text_of(data_set, MODALITY).upper()
        if modality in _SECTIONAL:
            return Quarantined(
                "screenshot", f"a colour picture among {modality} images: saved from a screen"
            )
    return None


@cache
def storage_classes() -> frozenset[str]:
    """Return the standard's storage SOP classes, retired ones too."""
    from pydicom._uid_dict import UID_dictionary

    return frozenset(
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
