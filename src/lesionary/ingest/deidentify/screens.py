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
        "REPORTS", "RESUME", "RESUMEN", "RIEPILOGO", "SHEET", "STATISTICS", "SUMMARY", "UBERSICHT",
        "VERSLAG",
    }
)  # fmt: skip
_DOSES = frozenset({"DAWKA", "DAWKI", "DLP", "DOS", "DOSE", "DOSES", "DOSIS", "DOSI"})
_INDICES = frozenset({"CTDI", "CTDIVOL", "CTDIW", "DLP"})
_RADIATION = frozenset({"EXPOSURE", "MGY", "MGYCM", "MSV", "RADIATION"})
_PATIENTS = frozenset({"PACIENTE", "PACJENTA", "PATIENT", "PATIENTEN", "PAZIENTE"})
_EXAMS = _PATIENTS | frozenset(
    {"ESAME", "EXAM", "EXAMEN", "EXAMINATION", "SCAN", "STUDY"} | {"UNTERSUCHUNG", "UNTERSUCHUNGS"}
)
_DATA = frozenset({"DADOS", "DANE", "DATA", "DATEN", "DATI", "DATOS", "DONNEES", "GEGEVENS"})
_PROTOCOLS = frozenset(
    {"PROTOCOL", "PROTOCOLE", "PROTOCOLLO", "PROTOCOLO", "PROTOKOL", "PROTOKOLL"}
)
_SAVED = frozenset(
    {"CAPTURE", "CAPTURED", "CAPTURES", "COPY", "DUMP", "GRAB", "GRABS", "PRINT"}
    | {"SAVE", "SAVED", "SAVER", "SAVES", "SHOT", "SHOTS"}
)
_SCREENS = frozenset({"SCREEN", "SCREENS", "SNAP", "SNAPS", "SNAPSHOT", "SNAPSHOTS"})
_RESULTS = frozenset(
    {"ERGEBNISSE", "RESULTADOS", "RESULTATEN", "RESULTATS", "RESULTS", "RISULTATI", "WYNIKI"}
)

_PHRASES = frozenset(
    {
        *map(frozenset, product(("SCREEN", "SECONDARY"), _SAVED)),
        *map(frozenset, product(_DOSES, _PAGES)),
        *map(frozenset, product(_EXAMS, _PAGES - {"LOG", "PROTOKOLL"})),
        *map(frozenset, product(_PATIENTS, _DATA)),
    }
)
_ALONE = _INDICES | frozenset(
    {"BEFUND", "DOCUMENT", "DOCUMENTS", "HARDCOPY", "PAPERWORK", "REPORT", "REPORTS"}
    | {"REQUISITION", "SUMMARY", "WORKSHEET", "CAPTURE", "CAPTURED", "CAPTURES"}
)
"""Words that a series of slices seldom bears in its description."""

_FILLING = frozenset(
    {"CT", "IRM", "MR", "MRI", "NM", "PET", "PT", "RM", "SPECT", "TC", "TDM"}
    | {"IMAGE", "IMAGES", "SERIE", "SERIES", "TOTAL"}
    | {"D", "DA", "DE", "DEL", "DELLA", "DER", "DES", "DI", "DO", "DU", "EL", "FOR", "L", "LA"}
    | {"LE", "OF", "THE", "VON"}
)
_NEUTRAL = _FILLING | _EXAMS | _DATA | frozenset({"COPY", "DOS", "SECONDARY"})
"""Words that alone say nothing of a page."""

_OF_PAGES = (
    _NEUTRAL | _PAGES | _DOSES | _INDICES | _RADIATION | _PROTOCOLS | _SAVED | _SCREENS | _RESULTS
    | _ALONE
)  # fmt: skip
_COMPUTED = frozenset(
    {
        "ADC", "CBF", "CBV", "DIXON", "FA", "FUSED", "FUSION", "KTRANS", "MAP", "MAPS", "MINIP",
        "MIP", "MIPS", "MOCO", "MPR", "MPRS", "MTT", "RECON", "REFORMAT", "REFORMATS",
        "REFORMATTED", "SUB", "SUBTRACTED", "SUBTRACTION", "TMAX", "TRACE", "TTP",
    }
)  # fmt: skip
"""Images that are computed from others, and are results too."""

_GLUED = re.compile(
    rf"SCREEN(?:CAPS?|{'|'.join(_SAVED)})S?"
    rf"|(?:{'|'.join(_DOSES)})(?:{'|'.join(_PAGES)})"
    rf"|(?:{'|'.join(_EXAMS)})(?:{'|'.join(_PAGES | _PROTOCOLS)})"
    rf"|(?:{'|'.join(_PATIENTS)})(?:{'|'.join(_DATA)})"
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


def is_screen_text(text: str, *, is_original: bool = False) -> bool:
    """Tell whether a description of a series is that of a screen or of a page.

    Parameters
    ----------
    text : str
    is_original : bool
        The image says that it is an original and primary one. It is believed unless the
        description is nothing but a page's name.

    Examples
    --------
    >>> [is_screen_text(text) for text in ("DOSE REPORT", "LOW DOSE LUNG SCREEN", "SUMMARY")]
    [True, False, True]
    >>> [is_screen_text(text, is_original=True) for text in ("DOSE REPORT", "PERFUSION SUMMARY")]
    [True, False]
    """
    words = _words(text)
    is_named = _has_phrase(words) or _is_exam_protocol(words)
    is_bare = all(map(_is_of_pages, words))
    if is_original:
        return is_named and is_bare
    is_page = is_bare and any(word not in _NEUTRAL and not word.isdigit() for word in words)
    has_results = bool(words & _RESULTS) and not words & _COMPUTED
    return is_named or is_page or has_results or bool(words & _ALONE)


def is_screen_part(body_part: str) -> bool:
    """Tell whether what stands for a part of the body is none but a page of text."""
    return bool(_words(body_part) & _PARTS)


def _has_phrase(words: frozenset[str]) -> bool:
    return any(phrase <= words for phrase in _PHRASES) or any(map(_GLUED.fullmatch, words))


def _is_exam_protocol(words: frozenset[str]) -> bool:
    """Tell the page from protocols for a kind of patients or exams, which say which."""
    long = {word for word in words if len(word) > 3 and not word.isdigit()}
    return len(long) == 2 and bool(long & _EXAMS) and bool(long & _PROTOCOLS)


def _is_of_pages(word: str) -> bool:
    return word in _OF_PAGES or word.isdigit() or _GLUED.fullmatch(word) is not None


def _words(text: str) -> frozenset[str]:
    folded = unicodedata.normalize("NFKD", text.upper())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return frozenset(_WORD.findall(plain))
