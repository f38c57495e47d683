"""What curation knows of a series: plain facts, each of which may be unknown.

They come from an index of an archive, from headers, or from a table: the rules do not ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lesionary.ingest.series import Json


@dataclass(frozen=True, slots=True, repr=False)
class SeriesFacts:
    """One series before curation. ``None`` means unknown, an empty tuple means known to be none.

    Parameters
    ----------
    series, study, subject : str
        Identifiers, unique among the series curated together.
    modality : str, optional
        DICOM's: CT, MR, PT.
    body_part : str, optional
        BodyPartExamined as written (PS3.16 Annex L).
    region : str, optional
        The study's word: ``thorax``, ``abdomen``, ``thorax_abdomen``, ``other``.
    description, study_description : str, optional
        Free text: read by the rules, never repeated in a reason.
    image_type : tuple of str, optional
        Values of ImageType.
    has_contrast : bool, optional
        Whether a contrast agent is named in the header.
    slice_thickness_mm : float, optional
        Nominal.
    n_slices : int, optional
        Images of the series.
    is_complete : bool, optional
        False where a slice is missing from a row of even steps.
    scanning_sequence : tuple of str, optional
        SE, GR, IR, EP, RM (PS3.3 C.8.3.1).
    echo_time_ms, repetition_time_ms : float, optional
        Of an MR series with one echo.
    corrections : tuple of str, optional
        CorrectedImage of PET: ATTN where attenuation is corrected (PS3.3 C.8.9.1).
    units : str, optional
        Of PET: BQML, CNTS, GML.
    age_years : float, optional
        At the scan.
    sex : str, optional
        F, M, O.
    frame_of_reference : str, optional
        Frame of reference UID.
    series_number : int, optional
        As the scanner counts: later series have larger ones.
    lesion_diameters_mm : tuple of float, optional
        Longest diameters of the known lesions; nodes by their short axis.
    is_recist_evaluated : bool, optional
        Whether the subject's response was read by RECIST.
    collection, licence : str, optional
        Of the archive.
    size_bytes : int, optional
        Of all files.
    """

    series: str
    study: str
    subject: str
    modality: str | None = None
    body_part: str | None = None
    region: str | None = None
    description: str | None = None
    study_description: str | None = None
    image_type: tuple[str, ...] | None = None
    has_contrast: bool | None = None
    slice_thickness_mm: float | None = None
    n_slices: int | None = None
    is_complete: bool | None = None
    scanning_sequence: tuple[str, ...] | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    corrections: tuple[str, ...] | None = None
    units: str | None = None
    age_years: float | None = None
    sex: str | None = None
    frame_of_reference: str | None = None
    series_number: int | None = None
    lesion_diameters_mm: tuple[float, ...] | None = None
    is_recist_evaluated: bool | None = None
    collection: str | None = None
    licence: str | None = None
    size_bytes: int | None = None

    def __repr__(self) -> str:
        return "SeriesFacts(…)"


def age_in_years(text: str | None) -> float | None:
    """Read a DICOM age string; None where it is none.

    Examples
    --------
    >>> age_in_years("018M"), age_in_years("065Y"), age_in_years("about 60")
    (1.5, 65.0, None)
    """
    word = (text or "").strip().upper()
    if len(word) != 4 or not word[:3].isascii() or not word[:3].isdecimal():
        return None
    per_year = {"Y": 1.0, "M": 12.0, "W": 52.1775, "D": 365.2425}.get(word[3])
    return int(word[:3]) / per_year if per_year else None


def technical_facts(technical: Mapping[str, Json]) -> dict[str, Any]:
    """Return the facts that a study's stored technical elements hold, for :class:`SeriesFacts`.

    Parameters
    ----------
    technical : mapping
        As :func:`lesionary.ingest.technical.allow` makes it: keyword to value or list.

    Returns
    -------
    dict
        Keyword arguments of :class:`SeriesFacts`; what the header lacks is missing.
    """
    facts: dict[str, Any] = {
        "modality": _word(technical, "Modality"),
        "body_part": _word(technical, "BodyPartExamined"),
        "image_type": _several(technical, "ImageType"),
        "slice_thickness_mm": _number(technical, "SliceThickness"),
        "scanning_sequence": _several(technical, "ScanningSequence"),
        "echo_time_ms": _number(technical, "EchoTime"),
        "repetition_time_ms": _number(technical, "RepetitionTime"),
        "corrections": _several(technical, "CorrectedImage"),
        "units": _word(technical, "Units"),
        "age_years": age_in_years(_word(technical, "PatientAge")),
        "sex": _word(technical, "PatientSex"),
        "has_contrast": True if technical.get("ContrastBolusAgent") else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _word(technical: Mapping[str, Json], keyword: str) -> str | None:
    value = technical.get(keyword)
    return value if isinstance(value, str) and value else None


def _number(technical: Mapping[str, Json], keyword: str) -> float | None:
    value = technical.get(keyword)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _several(technical: Mapping[str, Json], keyword: str) -> tuple[str, ...] | None:
    value = technical.get(keyword)
    values = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if one is not None) or None
