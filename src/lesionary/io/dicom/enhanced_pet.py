"""An enhanced PET frame in the words of a single-frame PET.

The enhanced image names its unit in a real world value mapping, its corrections one by one, the
moment that it is corrected to, and its dose in MBq; the SUV factor is worked out from the elements
of a single-frame PET, so these are written in their place.

Source: DICOM PS3.3 C.7.6.16.2.11 (real world values), C.8.22.4 (isotope: dose in MBq), C.8.22.6
(corrections); PS3.16 CID 84, CID 85 (units of PET).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lesionary.io.dicom.elements import Element, RawHeader
from lesionary.io.dicom.functional_groups import REAL_WORLD, UNITS
from lesionary.io.dicom.pet import TRACER
from lesionary.io.dicom.values import HeaderValues, tag_of

ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
LEGACY_PET = "1.2.840.10008.5.1.4.1.1.128.1"

MOST_MBQ = 1e5
"""A larger dose is one that was written in Bq, as single-frame images have it."""

_CORRECTIONS = {
    "DecayCorrected": "DECY",
    "AttenuationCorrected": "ATTN",
    "ScatterCorrected": "SCAT",
    "DeadTimeCorrected": "DTIM",
    "GantryMotionCorrected": "MOTN",
    "PatientMotionCorrected": "PMOT",
    "CountLossNormalizationCorrected": "CLN",
    "RandomsCorrected": "RAN",
    "NonUniformRadialSamplingCorrected": "RADL",
    "SensitivityCalibrated": "DCAL",
    "DetectorNormalizationCorrection": "NORM",
}
ELEMENTS = frozenset({*_CORRECTIONS, "DecayCorrectionDateTime"})
"""Keywords that are read of the top level."""

_ACTIVITY = {"bq/ml": 1.0, "kbq/ml": 1e3, "mbq/ml": 1e6}
_COUNTS = {"{counts}": "CNTS", "{counts}/s": "CPS"}
_SUV = re.compile(r"\{suv(bw|lbm|bsa|ibw)\}")
_CLOCK = ("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime")


@dataclass(frozen=True, slots=True)
class _Mapping:
    """From stored values to a quantity, in the words of (0054,1001) and (0054,1006)."""

    slope: float
    intercept: float
    units: str
    suv_type: str = ""


def write_as_single_frame(flat: RawHeader) -> None:
    """Put the elements of a single-frame PET into the header of an enhanced one's frame.

    A converted image that kept its Units is one already. Where no mapping names a unit that is
    known, or two claim the same one, none is written.
    """
    values = HeaderValues(flat)
    is_legacy = values.text("SOPClassUID") == LEGACY_PET
    if is_legacy and values.has("Units"):
        return
    mapping = _best(list(_mappings(values)))
    if mapping is not None:
        _put(flat, "RescaleSlope", repr(mapping.slope))
        _put(flat, "RescaleIntercept", repr(mapping.intercept))
        _put(flat, "Units", mapping.units)
        _put(flat, "SUVType", mapping.suv_type)
    _write_corrections(flat, values)
    _write_dose(flat, values)


def _mappings(values: HeaderValues) -> Iterator[_Mapping]:
    for item in range(values.raw.n_items.get((REAL_WORLD,), 0)):
        within = (REAL_WORLD, item)
        slope = values.number("RealWorldValueSlope", within=within)
        intercept = values.number("RealWorldValueIntercept", within=within)
        unit = values.text("CodeValue", within=(*within, UNITS)).lower().replace(" ", "")
        if slope is None or intercept is None:
            continue
        if unit in _ACTIVITY:
            yield _Mapping(slope * _ACTIVITY[unit], intercept * _ACTIVITY[unit], "BQML")
        elif unit in _COUNTS:
            yield _Mapping(slope, intercept, _COUNTS[unit])
        elif suv := _SUV.search(unit):
            kind = suv[1].upper()
            yield _Mapping(slope, intercept, "CM2ML" if kind == "BSA" else "GML", kind)


def _best(mappings: list[_Mapping]) -> _Mapping | None:
    """Take activity before SUV before counts: SUV by weight follows from activity."""
    activity = [mapping for mapping in mappings if mapping.units == "BQML"]
    by_weight = [mapping for mapping in mappings if mapping.suv_type == "BW"]
    found = activity or by_weight or mappings
    return found[0] if len(found) == 1 else None


def _write_corrections(flat: RawHeader, values: HeaderValues) -> None:
    made = [name for keyword, name in _CORRECTIONS.items() if values.text(keyword).upper() == "YES"]
    if any(values.has(keyword) for keyword in _CORRECTIONS):
        _put(flat, "CorrectedImage", "\\".join(made) or "NONE")
    moment = values.text("DecayCorrectionDateTime")
    if "DECY" in made and moment:
        # That moment is exact, whatever the clocks of the frames say.
        _put(flat, "DecayCorrection", "START")
        _put(flat, "SeriesDate", moment[:8])
        _put(flat, "SeriesTime", re.sub(r"[+-]\d{4}$", "", moment[8:]))
        for keyword in _CLOCK:
            flat.elements.pop(tag_of(keyword), None)


def _write_dose(flat: RawHeader, values: HeaderValues) -> None:
    dose = values.number("RadionuclideTotalDose", within=TRACER)
    if dose is not None and 0 < dose <= MOST_MBQ:
        key = (*TRACER, tag_of("RadionuclideTotalDose"))
        flat.nested[key] = Element("DS", repr(dose * 1e6).encode())


def _put(flat: RawHeader, keyword: str, text: str) -> None:
    flat.elements[tag_of(keyword)] = Element("LO", text.encode())
