"""The technical elements that go on from a DICOM header: an explicit list, nothing else.

A header is written by whoever held the scan, so a name can stand in any element. What goes on are
numbers, and words only where the standard or the vendors define them: no free text, no names, no
dates, no UIDs. A value outside its list is dropped in silence; it is no fault of the scan.

Sources: DICOM PS3.3 C.7.3, C.7.6, C.8.2, C.8.3, C.8.9 (elements and defined terms), PS3.16 annex L
(body parts); kernels as GE, Siemens, Philips and Canon name theirs.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lesionary.ingest.series import Json

Value: TypeAlias = str | float
Rule: TypeAlias = Callable[[Value], Json]

MAX_VALUES = 16
OLDEST_AGE = 90
"""Ages above 89 are written as this."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word.strip() for line in lines for word in line.split(","))


BODY_PARTS = _words(
    "ABDOMEN, ABDOMENPELVIS, ADRENAL, ANKLE, AORTA, ARM, AXILLA, BACK, BLADDER, BRAIN, BREAST",
    "BRONCHUS, BUTTOCK, CALCANEUS, CALF, CAROTID, CEREBELLUM, CERVIX, CHEEK, CHEST, CHESTABDOMEN",
    "CHESTABDPELVIS, CIRCLEOFWILLIS, CLAVICLE, COCCYX, COLON, CORNEA, CSPINE, CTSPINE, DUODENUM",
    "EAR, ELBOW, ESOPHAGUS, EXTREMITY, EYE, EYELID, FACE, FEMUR, FINGER, FOOT, GALLBLADDER, HAND",
    "HEAD, HEADNECK, HEART, HIP, HUMERUS, IAC, ILEUM, ILIUM, JAW, JEJUNUM, KIDNEY, KNEE, LARYNX",
    "LEG, LIVER, LSPINE, LSSPINE, LUNG, MAXILLA, MEDIASTINUM, MOUTH, NECK, NECKCHEST",
    "NECKCHESTABDOMEN, NECKCHESTABDPELV, NOSE, ORBIT, OVARY, PANCREAS, PAROTID, PATELLA, PELVIS",
    "PENIS, PHARYNX, PROSTATE, RECTUM, RETROPERITONEUM, RIB, SCALP, SCAPULA, SCLERA, SCROTUM",
    "SHOULDER, SKULL, SPINE, SPLEEN, SSPINE, STERNUM, STOMACH, SUBMANDIBULAR, TESTIS, THIGH",
    "THORAX, THUMB, THYMUS, THYROID, TIBIA, TLSPINE, TOE, TONGUE, TRACHEA, TSPINE, URETER",
    "URETHRA, UTERUS, VAGINA, VULVA, WHOLEBODY, WRIST, ZYGOMA",
)

IMAGE_TYPES = _words(
    "ORIGINAL, DERIVED, PRIMARY, SECONDARY, AXIAL, LOCALIZER, OTHER, MPR, MIP, MINIP, AVERAGE",
    "REFORMATTED, VOLUME, NONE, M, P, R, I, M_FFE, M_SE, M_IR, FFE, SE, IR, T1, T2, NORM, ND",
    "DIS2D, DIS3D, FIL, SUB, ADD, ADC, TRACEW, DIFFUSION, FA, WATER, FAT, IN_PHASE, OUT_PHASE",
    "OPP_PHASE, PROJECTION IMAGE, CT_SOM5 SPI, CT_SOM5 SEQ, CT_SOM5 TOP, CT_SOM7 SPI, STATIC",
    "DYNAMIC, GATED, WHOLE BODY, EMISSION, TRANSMISSION",
)

KERNELS = _words(
    "STANDARD, SOFT, DETAIL, BONE, BONEPLUS, BONE+, EDGE, LUNG, CHST, CHST+, ULTRA, HD STANDARD",
    "HEAD, BODY, SHARP, SMOOTH, A, B, C, D, E, F, L, YA, YB, YC, YD, UA, UB, UC, EB, EC",
)
_KERNEL = re.compile(r"[A-Z][a-z]?\d{1,3}[a-z]?(_\d)?|FC\d{1,2}|\d")

_TRACERS = {
    "FDG": ("fdg", "fluorodeoxyglucose", "fludeoxyglucose"),
    "PSMA": ("psma", "piflufolastat", "flotufolastat"),
    "DOTATATE": ("dotatate",),
    "DOTATOC": ("dotatoc",),
    "DOTANOC": ("dotanoc",),
    "FLT": ("flt", "fluorothymidine"),
    "FMISO": ("fmiso", "fluoromisonidazole"),
    "FET": ("fet", "fluoroethyltyrosine"),
    "CHOLINE": ("choline", "fluorocholine"),
    "NAF": ("naf", "sodium fluoride"),
    "FES": ("fes", "fluoroestradiol"),
    "FAPI": ("fapi",),
}

_VENDORS = {
    "GE": ("ge medical", "ge healthcare"),
    "Siemens": ("siemens", "cti"),
    "Philips": ("philips", "marconi", "adac"),
    "Canon": ("canon", "toshiba"),
    "Hitachi": ("hitachi", "fujifilm"),
    "United Imaging": ("uih", "united imaging"),
    "Bruker": ("bruker", "skyscan"),
    "MILabs": ("milabs",),
    "PerkinElmer": ("perkinelmer", "rigaku"),
    "Mediso": ("mediso",),
}

_ABSENT_AGENT = frozenset({"", "NO", "NONE", "N", "NO CONTRAST", "WITHOUT", "0"})
_AGE = re.compile(r"(\d{3})([DWMY])")


def _number(value: Value, largest: float = 1e6) -> Json:
    """Keep a number of the size a scanner writes: a date or a record number has more digits."""
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) > largest:
        return None
    return int(number) if number.is_integer() else number


def _one_of(*lines: str) -> Rule:
    return _in(_words(*lines))


def _in(words: frozenset[str]) -> Rule:
    def rule(value: Value) -> Json:
        word = str(value).strip().upper()
        return word if word in words else None

    return rule


def _named(names: Mapping[str, Sequence[str]]) -> Rule:
    """Keep our name for what a text names, never the text."""

    def rule(value: Value) -> Json:
        text = str(value).lower()
        for name, signs in names.items():
            if any(re.search(rf"\b{re.escape(sign)}\b", text) for sign in signs):
                return name
        return None

    return rule


def _kernel(value: Value) -> Json:
    word = str(value).strip()
    return word if word.upper() in KERNELS or _KERNEL.fullmatch(word) else None


def _age(value: Value) -> Json:
    match = _AGE.fullmatch(str(value).strip())
    if match is None:
        return None
    number, unit = int(match[1]), match[2]
    if unit == "Y":
        return f"{min(number, OLDEST_AGE):03d}Y"
    years = number / {"M": 12, "W": 52.18, "D": 365.25}[unit]
    return f"{OLDEST_AGE:03d}Y" if years >= OLDEST_AGE else match[0]


def _agent(value: Value) -> Json:
    """Keep only whether a contrast agent is named: its text is free."""
    return True if str(value).strip().upper() not in _ABSENT_AGENT else None


def _code(pattern: str) -> Rule:
    compiled = re.compile(pattern)

    def rule(value: Value) -> Json:
        word = str(value).strip()
        return word if compiled.fullmatch(word) else None

    return rule


_NUMBERS = _words(
    "SliceThickness, SpacingBetweenSlices, ReconstructionDiameter",
    "KVP, DataCollectionDiameter, ExposureTime, XRayTubeCurrent, Exposure, GeneratorPower",
    "GantryDetectorTilt, TableHeight, FocalSpots, SpiralPitchFactor, SingleCollimationWidth",
    "TotalCollimationWidth, TableSpeed, TableFeedPerRotation, CTDIvol, ContrastBolusVolume",
    "RepetitionTime, EchoTime, InversionTime, EchoTrainLength, MagneticFieldStrength, FlipAngle",
    "NumberOfAverages, ImagingFrequency, EchoNumbers, PixelBandwidth, PercentSampling",
    "PercentPhaseFieldOfView, AcquisitionMatrix, NumberOfPhaseEncodingSteps, SAR",
    "DiffusionBValue, NumberOfTemporalPositions, TemporalResolution",
    "ActualFrameDuration, NumberOfSlices, NumberOfTimeSlices, ScatterFractionFactor",
)

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(sorted(_NUMBERS), _number),
    "Modality": _one_of("CT, MR, PT, OT, CR, DX, MG, NM, US, XA"),
    "ImageType": _in(IMAGE_TYPES),
    "Manufacturer": _named(_VENDORS),
    "BodyPartExamined": _in(BODY_PARTS),
    "PatientPosition": _one_of("HFS, HFP, HFDL, HFDR, FFS, FFP, FFDL, FFDR"),
    "PatientSex": _one_of("M, F, O"),
    "PatientAge": _age,
    "LossyImageCompression": _one_of("00, 01"),
    "RescaleType": _one_of("HU, US, OD, Z_EFF, ED, MGML, HU_MOD"),
    "ConvolutionKernel": _kernel,
    "RotationDirection": _one_of("CW, CC"),
    "FilterType": _one_of("BODY FILTER, HEAD FILTER, WEDGE, FLAT, NONE, LARGE, SMALL, MEDIUM"),
    "ScanOptions": _one_of(
        "HELICAL MODE, AXIAL MODE, HELIX, SPIRAL, AXIAL, PER, RG, CG, PPG, FC, PFF, PFP, SP, FS"
    ),
    "ContrastBolusAgent": _agent,
    "ScanningSequence": _one_of("SE, IR, GR, EP, RM"),
    "SequenceVariant": _one_of("SK, MTC, SS, TRSS, SP, MP, OSP, NONE"),
    "MRAcquisitionType": _one_of("1D, 2D, 3D"),
    "ImagedNucleus": _one_of("1H, 3HE, 7LI, 13C, 19F, 23NA, 31P, 129XE"),
    "InPlanePhaseEncodingDirection": _one_of("ROW, COL"),
    "SeriesType": _one_of("STATIC, DYNAMIC, GATED, WHOLE BODY, IMAGE, REPROJECTION"),
    "Units": _one_of("BQML, GML, CNTS, CPS, PROPCNTS, PROPCPS, NONE, PCNT, CM2ML, UMOLML, MLMING"),
    "SUVType": _one_of("BW, LBM, LBMJANMA, LBMJAMES128, BSA, IBW"),
    "DecayCorrection": _one_of("NONE, START, ADMIN"),
    "CorrectedImage": _one_of(
        "DECY, ATTN, SCAT, DTIM, MOTN, PMOT, CLN, RAN, RADL, DCAL, NORM, SLSENS"
    ),
    "CountsSource": _one_of("EMISSION, TRANSMISSION"),
    "RandomsCorrectionMethod": _one_of("NONE, DLYD, SING"),
    "CollimatorType": _one_of("NONE, RING"),
    "RadionuclideTotalDose": functools.partial(_number, largest=1e11),
    "RadionuclideHalfLife": _number,
    "RadionuclidePositronFraction": _number,
    "Radiopharmaceutical": _named(_TRACERS),
    "RadionuclideCode": _code(r"C-1[0-9A-F]{3}[0-9A-F]{1,3}"),
}
"""Keyword to rule. ``RadionuclideCode`` is our name for the code value inside the sequence."""


def allow(elements: Mapping[str, Sequence[Value]]) -> dict[str, Json]:
    """Keep what may go on of a header.

    Parameters
    ----------
    elements : mapping of str to sequence of str or float
        DICOM keyword to the element's values. Unknown keywords are dropped.

    Returns
    -------
    dict
        Keyword to a value, or to a list where the element has several. In ``ImageType`` and the
        like, words that are not listed are left out and the rest stays.

    Examples
    --------
    >>> allow({"KVP": ["120"], "BodyPartExamined": ["DOE^JOHN"], "PatientAge": ["093Y"]})
    {'KVP': 120, 'PatientAge': '090Y'}
    """
    kept: dict[str, Json] = {}
    for keyword, values in elements.items():
        rule = RULES.get(keyword)
        if rule is None or not 0 < len(values) <= MAX_VALUES:
            continue
        allowed: list[Json] = [value for value in map(rule, values) if value is not None]
        if allowed:
            kept[keyword] = allowed[0] if len(values) == 1 else allowed
    return kept


def common(headers: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Keep what all slices of a series agree on; tube current and the like vary along the body."""
    if not headers:
        return {}
    first, *rest = headers
    return {
        keyword: value
        for keyword, value in sorted(first.items())
        if all(other.get(keyword) == value for other in rest)
    }
