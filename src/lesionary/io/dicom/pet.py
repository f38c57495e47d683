"""What a PET header says of tracer, dose and times, with the two vendors' private elements.

Source: DICOM PS3.3 C.8.9.1, C.8.9.2; the private elements as GE's and Philips' conformance
statements and QIBA's SUV calculation name them.
"""

from lesionary.ingest.header import PetHeader, parse_moment, parse_time
from lesionary.io.dicom.elements import Path
from lesionary.io.dicom.values import HeaderValues

TRACER: Path = (0x00540016,)
TRACER_CODE: Path = (0x00540016, 0x00540300)
"""RadiopharmaceuticalInformationSequence, and RadionuclideCodeSequence in it."""

GE_GROUP, _GE_CREATOR, _GE_SCAN_AT = 0x0009, "GEMS_PETD_01", 0x0D
PHILIPS_GROUP, _PHILIPS_CREATOR = 0x7053, "Philips PET Private Group"
_PHILIPS_SUV, _PHILIPS_BQML = 0x00, 0x09
PRIVATE_GROUPS = frozenset({GE_GROUP, PHILIPS_GROUP})


def pet_of(values: HeaderValues) -> PetHeader:
    """Gather what the SUV factor depends on."""
    day = values.text("SeriesDate")
    acquired_day = values.text("AcquisitionDate") or day
    private = values.private_text
    return PetHeader(
        units=values.text("Units").upper(),
        suv_type=values.text("SUVType").upper(),
        decay_correction=values.text("DecayCorrection").upper(),
        corrections=tuple(map(str.upper, values.texts("CorrectedImage"))),
        series_at=parse_moment(_digits(day) + values.text("SeriesTime")),
        acquired_at=parse_moment(values.text("AcquisitionDateTime"))
        or parse_moment(_digits(acquired_day) + values.text("AcquisitionTime")),
        scan_at=parse_moment(private(GE_GROUP, _GE_CREATOR, _GE_SCAN_AT)),
        injected_at=parse_moment(values.text("RadiopharmaceuticalStartDateTime", within=TRACER)),
        injected_time=parse_time(values.text("RadiopharmaceuticalStartTime", within=TRACER)),
        dose_bq=values.number("RadionuclideTotalDose", within=TRACER),
        half_life_s=values.number("RadionuclideHalfLife", within=TRACER),
        weight_kg=values.number("PatientWeight"),
        n_tracers=values.raw.n_items.get(TRACER, 0),
        philips_suv=_positive(private(PHILIPS_GROUP, _PHILIPS_CREATOR, _PHILIPS_SUV)),
        philips_bqml=_positive(private(PHILIPS_GROUP, _PHILIPS_CREATOR, _PHILIPS_BQML)),
    )


def _digits(day: str) -> str:
    return day.replace(".", "")


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number > 0 else None
