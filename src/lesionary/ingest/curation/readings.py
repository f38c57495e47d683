"""What a series is, read from its numbers first and from the words of its descriptions else.

Each reading returns None where neither says enough: then the rule's ``missing`` decides. Vendors'
names of sequences (VIBE, LAVA, SPGR) name no weighting, and a phase is only what is written.
"""

import re
from enum import StrEnum

from lesionary.ingest.curation.facts import SeriesFacts
from lesionary.ingest.curation.words import first_found


class Weighting(StrEnum):
    """What the contrast of an MR series is made of."""

    T1 = "T1"
    T2 = "T2"
    T2_STAR = "T2*"
    PD = "PD"
    FLAIR = "FLAIR"
    DWI = "DWI"


class Plane(StrEnum):
    """How the slices lie."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Phase(StrEnum):
    """When after the contrast agent a scan was made."""

    NATIVE = "native"
    ARTERIAL = "arterial"
    VENOUS = "venous"
    NEPHROGRAPHIC = "nephrographic"
    DELAYED = "delayed"


_WEIGHTING_WORDS = (
    (Weighting.DWI, ("dwi*", "diff*", "adc*", "ep2d", "trace*", "*tracew")),
    (Weighting.FLAIR, ("flair*", "*flair")),
    (Weighting.T2, ("t2", "t2w*", "t2 weighted")),
    (Weighting.PD, ("pd", "pdw", "proton density")),
    (Weighting.T1, ("t1", "t1w*", "t1 weighted")),
)
SHORT_REPETITION_MS, LONG_REPETITION_MS = 1000.0, 1800.0
"""Spin echoes below the one are T1-weighted at short echo times; T2 and PD lie above the other."""
SHORT_ECHO_MS, LONG_ECHO_MS = 30.0, 60.0
GRADIENT_T1_ECHO_MS, GRADIENT_T2_STAR_ECHO_MS = 8.0, 15.0

_UNCORRECTED = (
    *("nac", "*nac", "nac*", "no ac", "noac", "non ac", "nonac", "no atten*", "noatt*"),
    *("no attn", "uncorr*", "non corr*", "no corr*"),
)
_CORRECTED = ("ac", "*ctac", "ctac*", "mac", "*mac", "corr*", "attn*", "atten*", "wbac", "*_ac")
_WITHOUT = (
    *("without", "w o", "wo", "non contrast", "noncontrast", "no contrast", "pre", "precontrast"),
    *("native", "nativ", "dry", "nonenh*", "unenh*", "non enh*", "plain"),
)
_WITH = (
    *("with contrast", "w contrast", "w iv", "contrast", "post", "enhanced", "enh", "c+", "+c"),
    *("ce", "gad*", "gd", "arterial", "art", "portal", "venous", "delay*", "nephro*", "cortico*"),
    *("parenchym*", "excretory", "bipha*", "tripha*", "hepatocyte"),
)
_PHASES = (
    (Phase.NATIVE, _WITHOUT),
    (Phase.ARTERIAL, ("arterial", "art", "corticomed*", "bipha*")),
    (Phase.VENOUS, ("venous", "portal", "pv", "ven")),
    (Phase.NEPHROGRAPHIC, ("nephro*", "parenchym*")),
    (Phase.DELAYED, ("delay*", "excretory", "late", "equilibrium", "hepatocyte")),
)
_PLANES = (
    (Plane.CORONAL, ("cor", "coronal*")),
    (Plane.SAGITTAL, ("sag", "sagittal*")),
    (Plane.AXIAL, ("ax", "axial*", "tra", "trans", "transvers*")),
)
_CORRECTION = re.compile(r"\batt?e?n?\w*[\W_]+cor\w*", re.IGNORECASE)


def weighting(facts: SeriesFacts) -> tuple[Weighting, str] | None:
    """Return the weighting of an MR series and what says so.

    The description counts where it names one. Else echo and repetition time decide, for spin
    echoes and gradient echoes that they tell apart; between the limits nothing is said.
    """
    text = facts.description or ""
    if first_found(("t2 star", "t2star"), text) or "t2*" in text.lower():
        return Weighting.T2_STAR, "description"
    for found, patterns in _WEIGHTING_WORDS:
        if first_found(patterns, text):
            return found, "description"
    return _weighting_of_times(facts)


def _weighting_of_times(facts: SeriesFacts) -> tuple[Weighting, str] | None:
    echo, repetition, kinds = (
        facts.echo_time_ms,
        facts.repetition_time_ms,
        facts.scanning_sequence or (),
    )
    if "EP" in kinds or echo is None or repetition is None or "IR" in kinds:
        return None
    found = None
    if "GR" in kinds:
        if echo <= GRADIENT_T1_ECHO_MS and repetition < SHORT_REPETITION_MS:
            found = Weighting.T1
        elif echo >= GRADIENT_T2_STAR_ECHO_MS:
            found = Weighting.T2_STAR
    elif "SE" in kinds:
        if repetition <= SHORT_REPETITION_MS and echo <= SHORT_ECHO_MS:
            found = Weighting.T1
        elif repetition >= LONG_REPETITION_MS and echo >= LONG_ECHO_MS:
            found = Weighting.T2
        elif repetition >= LONG_REPETITION_MS and echo <= SHORT_ECHO_MS:
            found = Weighting.PD
    return None if found is None else (found, f"TE {echo:g} ms, TR {repetition:g} ms")


def is_attenuation_corrected(facts: SeriesFacts) -> bool | None:
    """Tell whether a PET series is corrected for attenuation: CorrectedImage, else the words."""
    if facts.corrections is not None:
        return "ATTN" in {word.strip().upper() for word in facts.corrections}
    if first_found(_UNCORRECTED, facts.description):
        return False
    return True if first_found(_CORRECTED, facts.description) else None


def is_enhanced(facts: SeriesFacts) -> bool | None:
    """Tell whether a contrast agent was given before this series.

    The series' own words go first, for an agent stands in the headers of the native series of a
    study too; then the named agent; then a study whose description names only one of the two.
    """
    if first_found(_WITHOUT, facts.description):
        return False
    if first_found(_WITH, facts.description):
        return True
    if facts.has_contrast is not None:
        return facts.has_contrast
    study = facts.study_description or ""
    is_without = first_found(_WITHOUT, study) is not None
    is_with = first_found((*_WITH, "w", "with"), study) is not None
    return is_with if is_with != is_without else None


def phase(facts: SeriesFacts) -> Phase | None:
    """Return the phase that the description names first in the order of time, or None."""
    return next((p for p, words in _PHASES if first_found(words, facts.description)), None)


def plane(facts: SeriesFacts) -> Plane | None:
    """Return the plane that the description names, or None.

    ``COR`` is coronal, but correction behind a word of attenuation: ``CT ATTEN COR``.
    """
    text = _CORRECTION.sub(" ", facts.description or "")
    return next((p for p, words in _PLANES if first_found(words, text)), None)
