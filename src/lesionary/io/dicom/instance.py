"""From a header's values to the record that the gate judges."""

from collections.abc import Mapping
from functools import cache

from lesionary.core.findings import Finding, Outcome
from lesionary.ingest import technical
from lesionary.ingest.header import (
    InstanceHeader,
    InstanceKind,
    Padding,
    PixelFormat,
    PixelLocation,
    combine,
    parse_date,
    parse_time,
)
from lesionary.ingest.series import Json
from lesionary.io.dicom.elements import PIXEL_DATA, RawHeader, Wanted
from lesionary.io.dicom.enhanced_pet import ELEMENTS as ENHANCED_PET_ELEMENTS
from lesionary.io.dicom.functional_groups import with_groups
from lesionary.io.dicom.pet import PRIVATE_GROUPS, TRACER, TRACER_CODE, pet_of
from lesionary.io.dicom.values import HeaderValues, keyword_of, tag_of
from lesionary.io.sources import SourceFile

MODALITY_LUT = (0x00283000,)
_IN_TRACER = frozenset(
    {
        "Radiopharmaceutical",
        "RadionuclideTotalDose",
        "RadionuclideHalfLife",
        "RadionuclidePositronFraction",
    }
)
_PHASES = (
    "EchoTime",
    "EchoNumbers",
    "TemporalPositionIdentifier",
    "TemporalPositionTimeOffset",
    "DiffusionBValue",
    "InversionTime",
    "TriggerTime",
    "NominalPercentageOfCardiacPhase",
    "FlipAngle",
    "KVP",
    "AcquisitionNumber",
)
NEEDED = frozenset(
    {
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "SamplesPerPixel",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "NumberOfFrames",
    }
)
_READ = NEEDED | frozenset(
    {
        "SpecificCharacterSet",
        "SOPClassUID",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
        "FrameOfReferenceUID",
        "PatientID",
        "IssuerOfPatientID",
        "StudyDate",
        "StudyTime",
        "SeriesDate",
        "SeriesTime",
        "SeriesDescription",
        "StudyDescription",
        "SeriesNumber",
        "AcquisitionDate",
        "AcquisitionTime",
        "AcquisitionDateTime",
        "InstanceNumber",
        "PhotometricInterpretation",
        "BurnedInAnnotation",
        "ConversionType",
        "ProtocolName",
        "RecognizableVisualFeatures",
        "MIMETypeOfEncapsulatedDocument",
        "PatientWeight",
        "ConcatenationUID",
        "InConcatenationNumber",
        "InConcatenationTotalNumber",
    }
)
_OF_A_FRAME = frozenset(
    {"AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "InstanceNumber", "StackID"}
)
_OF_THE_FILE = frozenset({"Modality", "Manufacturer", "PatientSex", "PatientAge", "RescaleType"})
EXTENDED_OFFSETS = 0x7FE00001

_SHOWN = 5


@cache
def wanted() -> Wanted:
    """Return what the walk copies out of a file."""
    keywords = _READ | set(_PHASES) | _technical_elements() | ENHANCED_PET_ELEMENTS
    return with_groups(
        Wanted(
            tags=frozenset(map(tag_of, keywords)) | {EXTENDED_OFFSETS},
            paths=frozenset({TRACER, TRACER_CODE, MODALITY_LUT}),
            private_groups=PRIVATE_GROUPS,
        )
    )


@cache
def frame_elements() -> Wanted:
    """Return what the functional groups may say of a frame besides its place and values."""
    keywords = _OF_A_FRAME | set(_PHASES) | (_technical_elements() - _OF_THE_FILE)
    return Wanted(tags=frozenset(map(tag_of, keywords)), private_groups=PRIVATE_GROUPS)


def _technical_elements() -> set[str]:
    """Return the keywords of technical elements that stand at the top level of a file."""
    return set(technical.RULES) - {"RadionuclideCode"} - _IN_TRACER


def instance_of(source: SourceFile, values: HeaderValues, kind: InstanceKind) -> InstanceHeader:
    """Gather what grouping, gate and assembly need of one file; its faults come later."""
    raw = values.raw
    modality = values.text("Modality").upper() or "OT"
    pixel_format = _pixel_format(values)
    position = values.numbers("ImagePositionPatient")
    orientation = values.numbers("ImageOrientationPatient")
    spacing = values.numbers("PixelSpacing")
    return InstanceHeader(
        number=source.number,
        path=source.path,
        place=source.place,
        kind=kind,
        sop_class_uid=values.text("SOPClassUID"),
        sop_instance_uid=values.text("SOPInstanceUID"),
        series_instance_uid=values.text("SeriesInstanceUID"),
        study_instance_uid=values.text("StudyInstanceUID"),
        frame_of_reference_uid=values.text("FrameOfReferenceUID"),
        subject_key=_subject_key(values),
        modality=modality,
        studied_at=combine(
            parse_date(values.text("StudyDate")), parse_time(values.text("StudyTime"))
        ),
        series_description=values.text("SeriesDescription"),
        study_description=values.text("StudyDescription"),
        series_number=values.integer("SeriesNumber"),
        image_type=tuple(map(str.upper, values.texts("ImageType"))),
        instance_number=values.integer("InstanceNumber"),
        orientation=orientation if len(orientation) == 6 else None,
        position_mm=position if len(position) == 3 else None,
        pixel_spacing_mm=spacing if len(spacing) == 2 else None,
        slice_thickness_mm=values.number("SliceThickness"),
        pixel_format=pixel_format,
        pixels=_pixel_location(raw),
        rescale=_rescale(values),
        rescale_type=values.text("RescaleType"),
        has_modality_lut=raw.n_items.get(MODALITY_LUT, 0) > 0,
        padding=_padding(values, pixel_format),
        pet=pet_of(values) if modality == "PT" and kind is InstanceKind.IMAGE else None,
        phases=_phases(values),
        technical=_technical(values),
    )


def _subject_key(values: HeaderValues) -> str | None:
    patient, issuer = values.text("PatientID"), values.text("IssuerOfPatientID")
    if not patient:
        return None
    return f"{patient}^^^{issuer}" if issuer else patient


def _pixel_format(values: HeaderValues) -> PixelFormat | None:
    rows, columns = values.integer("Rows"), values.integer("Columns")
    allocated = values.integer("BitsAllocated")
    if not rows or not columns or not allocated:
        return None
    stored = values.integer("BitsStored") or allocated
    high_bit = values.integer("HighBit")
    return PixelFormat(
        rows=rows,
        columns=columns,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        is_signed=values.integer("PixelRepresentation") == 1,
        samples=values.integer("SamplesPerPixel") or 1,
        photometric=values.text("PhotometricInterpretation").upper() or "MONOCHROME2",
    )


def _pixel_location(raw: RawHeader) -> PixelLocation | None:
    if raw.pixels is None or raw.pixels.tag != PIXEL_DATA:
        return None
    return PixelLocation(
        transfer_syntax=raw.transfer_syntax,
        offset=raw.pixels.offset,
        length=raw.pixels.length,
        available=raw.size - raw.pixels.offset,
        vr=raw.pixels.vr,
        is_little_endian=raw.is_little_endian,
        is_deflated=raw.is_deflated,
    )


def _rescale(values: HeaderValues) -> tuple[float, float] | None:
    slope, intercept = values.number("RescaleSlope"), values.number("RescaleIntercept")
    if slope is None or intercept is None:
        return None
    return slope, intercept


def _padding(values: HeaderValues, pixel_format: PixelFormat | None) -> Padding | None:
    if pixel_format is None:
        return None
    is_signed = pixel_format.is_signed
    value = values.integer("PixelPaddingValue", is_signed=is_signed)
    if value is None:
        return None
    limit = values.integer("PixelPaddingRangeLimit", is_signed=is_signed)
    ends = sorted(
        _as_stored(end, pixel_format) for end in (value, value if limit is None else limit)
    )
    return Padding(ends[0], ends[1])


def _as_stored(value: int, pixel_format: PixelFormat) -> int:
    """Read a padding value as the pixels are read, whichever sign its own VR gave it."""
    span = 1 << pixel_format.bits_allocated
    value %= span
    return value - span if pixel_format.is_signed and value >= span // 2 else value


def _phases(values: HeaderValues) -> dict[str, float | str]:
    phases: dict[str, float | str] = {
        keyword: number for keyword in _PHASES if (number := values.number(keyword)) is not None
    }
    kinds = technical.allow({"ImageType": values.texts("ImageType")}).get("ImageType")
    if isinstance(kinds, list):
        phases["ImageType"] = "\\".join(map(str, kinds))
    return phases


@cache
def _technical_keywords() -> Mapping[int, str]:
    inside = _IN_TRACER | {"RadionuclideCode"}
    return {tag_of(keyword): keyword for keyword in technical.RULES if keyword not in inside}


def _technical(values: HeaderValues) -> dict[str, Json]:
    keywords = _technical_keywords()
    found = {
        keyword: values.values(keyword)
        for tag in values.raw.elements
        if (keyword := keywords.get(tag)) is not None
    }
    found |= {keyword: values.values(keyword, within=TRACER) for keyword in _IN_TRACER}
    found["RadionuclideCode"] = values.values("CodeValue", within=TRACER_CODE)
    return technical.allow(found)


def value_faults(values: HeaderValues, kind: InstanceKind) -> list[Finding]:
    """Say which elements could not be read, and whether the image can do without."""
    needed = sorted(values.lost & NEEDED) if kind is InstanceKind.IMAGE else []
    if needed:
        return [
            Finding(
                "wrong_vr",
                Outcome.LEFT_OUT,
                f"{', '.join(needed)} cannot be read as numbers",
                "export the series again from where it came from",
            )
        ]
    odd = sorted(values.lost | set(filter(None, map(keyword_of, values.raw.odd_vrs))))
    if not odd:
        return []
    shown = ", ".join(odd[:_SHOWN]) + (f" and {len(odd) - _SHOWN} more" if odd[_SHOWN:] else "")
    return [Finding("wrong_vr", Outcome.WARNED, f"written with a wrong VR or value: {shown}")]
