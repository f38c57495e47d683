"""Tell a saved screen or a page of text from an image, by what it says of itself.

Scanners store dose reports, protocols of the examination and saved screens as images of an
ordinary class; the patient's name stands in their pixels. They give themselves away in words, in
whatever order, language or spelling: so words are compared, not texts.
"""

import re
import unicodedata
from itertools import product

_WORD = re.compile(r"[A-Z0-9]+")
_SCREENING = ("SCREENING", "SCREENED", "SCREENER")

_PAGES = frozenset(
    {
        "BERICHT", "DOC", "INFO", "INFOS", "INFORMATION", "INFORME", "LOG", "PAGE", "PROTOKOLL",
        "RAPORT", "RAPPORT", "RAPPORTO", "RECORD", "RECORDS", "REFERTO", "RELATORIO", "REPORT",
        "REPORTS", "RESUME", "RESUMEN", "RIEPILOGO", "SHEET", "SUMMARY", "UBERSICHT", "VERSLAG",
    }
)  # fmt: skip
_DOSES = frozenset({"DAWKA", "DAWKI", "DLP", "DOS", "DOSE", "DOSES", "DOSIS", "DOSI"})
_EXAMS = frozenset(
    {"ESAME", "EXAM", "EXAMEN", "EXAMINATION", "PACIENTE", "PATIENT", "PATIENTEN", "PAZIENTE"}
    | {"SCAN", "STUDY", "UNTERSUCHUNG", "UNTERSUCHUNGS"}
)
_PROTOCOLS = frozenset(
    {"PROTOCOL", "PROTOCOLE", "PROTOCOLLO", "PROTOCOLO", "PROTOKOL", "PROTOKOLL"}
)
_SAVED = frozenset(
    {"CAPTURE", "CAPTURED", "CAPTURES", "COPY", "DUMP", "GRAB", "GRABS", "PRINT"}
    | {"SAVE", "SAVED", "SAVER", "SAVES", "SHOT", "SHOTS"}
)
_PATIENTS = frozenset({"PACIENTE", "PATIENT", "PATIENTEN", "PAZIENTE"})

_PHRASES = frozenset(
    {
        *map(frozenset, product(("SCREEN", "SECONDARY"), _SAVED)),
        *map(frozenset, product(_DOSES, _PAGES)),
        *map(frozenset, product(_EXAMS, _PAGES - {"LOG", "PROTOKOLL"})),
    }
)
_ALONE = frozenset(
    {"BEFUND", "DOCUMENT", "DOCUMENTS", "HARDCOPY", "PAPERWORK", "REPORT", "REPORTS"}
    | {"REQUISITION", "SUMMARY", "WORKSHEET"}
)
"""Words that a series of slices does not bear in its description."""

_GLUED = re.compile(
    rf"SCREEN(?:CAPS?|{'|'.join(_SAVED)})"
    rf"|(?:{'|'.join(_DOSES)})(?:{'|'.join(_PAGES)})"
    rf"|(?:{'|'.join(_EXAMS)})(?:{'|'.join(_PAGES | _PROTOCOLS)})"
)
_OF_TYPES = frozenset(
    {"CAPTURE", "CAPTURED", "FILM", "FILMING", "PRINT", "PROT", "PROTOCOL", "SAVE", "SAVED"}
    | {"SCANNED", "SSAVE"}
)
_PARTS = frozenset({"DOCUMENT", "DOSE", "DOSES", "DOSIS", "REPORT", "SCREEN"})


def is_screen_type(value: str) -> bool:
    """Tell whether one value of ImageType is that of a screen, a page, or a black stand-in.

    Examples
    --------
    >>> [is_screen_type(value) for value in ("CT_SOM5 PROT", "SCREEN_SAVE", "CT_SOM5 SPI")]
    [True, True, False]
    """
    words = _words(value)
    if words in ({"DOSE"}, {"CSA", "BLACK", "IMAGE"}) or words & (_OF_TYPES | _ALONE):
        return True
    is_screen = any(word.startswith("SCREEN") and word not in _SCREENING for word in words)
    return is_screen or _has_phrase(words)


def is_screen_text(text: str) -> bool:
    """Tell whether a description of a series is that of a screen or of a page.

    Examples
    --------
    >>> [is_screen_text(text) for text in ("DOSE REPORT", "LOW DOSE LUNG SCREEN")]
    [True, False]
    """
    words = _words(text)
    return bool(words & _ALONE) or _has_phrase(words) or _is_patient_protocol(words)


def is_screen_part(body_part: str) -> bool:
    """Tell whether what stands for a part of the body is none but a page of text."""
    return bool(_words(body_part) & _PARTS)


def _has_phrase(words: frozenset[str]) -> bool:
    return any(phrase <= words for phrase in _PHRASES) or any(map(_GLUED.fullmatch, words))


def _is_patient_protocol(words: frozenset[str]) -> bool:
    """Tell the page from protocols for a kind of patients, which say which."""
    long = {word for word in words if len(word) > 3 and not word.isdigit()}
    return len(long) == 2 and bool(long & _PATIENTS) and bool(long & _PROTOCOLS)


def _words(text: str) -> frozenset[str]:
    folded = unicodedata.normalize("NFKD", text.upper())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return frozenset(_WORD.findall(plain))
