"""Read the header of one DICOM file, whatever state it is in.

Nothing here raises for what stands in a file: it comes back as a finding, or as a fault of the
instance where the file belongs to a series that must not go on without it.
"""

import mmap
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest import technical
from lesionary.ingest.deidentify.facts import ObjectFacts, is_rescaled
from lesionary.ingest.deidentify.quarantine import picture_or_document
from lesionary.ingest.header import InstanceHeader, InstanceKind
from lesionary.io.dicom.elements import INFLATED_BYTES, Buffer, End, RawHeader
from lesionary.io.dicom.instance import MODALITY_LUT, instance_of, value_faults, wanted
from lesionary.io.dicom.multiframe import ENHANCED, frames_of, is_enhanced
from lesionary.io.dicom.values import HeaderValues
from lesionary.io.dicom.walk import read_elements
from lesionary.io.limits import Limits, in_words
from lesionary.io.opening import opened
from lesionary.io.sources import SourceFile

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_KINDS: Mapping[str, InstanceKind] = {
    _STORAGE + "481.3": InstanceKind.RTSTRUCT,
    _STORAGE + "66.4": InstanceKind.SEG,
    _STORAGE + "66.7": InstanceKind.SEG,
}
_MULTIFRAME = frozenset(
    _STORAGE + end for end in ("2.1", "2.2", "4.1", "4.3", "4.4", "128.1", "130", "3.1", "6.2")
)
_IMAGES = frozenset(_STORAGE + end for end in ("2", "4", "128"))
_IMAGE_MODALITIES = frozenset({"CT", "MR", "PT"})

HeadersOrFinding: TypeAlias = tuple[InstanceHeader, ...] | Finding


def read_headers(source: SourceFile, limits: Limits | None = None) -> HeadersOrFinding:
    """Read what the gate needs of one file; its pixels are only located.

    Parameters
    ----------
    source : SourceFile
        Any file; one that is not DICOM gives a finding.
    limits : Limits, optional
        How deep sequences may be nested.

    Returns
    -------
    tuple of InstanceHeader, or Finding
        One header; of an enhanced multi-frame image one a frame. A finding where the file cannot
        belong to an image series, an RTSTRUCT or a SEG. What is wrong with an instance whose series
        is known stands in its ``faults``, since the series must not go on without it.
    """
    limits = limits or Limits()
    try:
        with opened(source.path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
            raw = read_elements(m, wanted(), inflated_limit=INFLATED_BYTES)
            return _judged(source, raw, m, limits)
    except UnreadableSeriesError as error:
        return Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")


def _judged(
    source: SourceFile, raw: RawHeader | None, buffer: Buffer, limits: Limits
) -> HeadersOrFinding:
    if raw is None:
        return _not_dicom("the file does not begin like DICOM")
    values = HeaderValues(raw)
    faults = _file_faults(raw, limits)
    has_series = bool(values.text("SeriesInstanceUID"))
    other = _other_kind(values)
    if faults and (not has_series or other is not None):
        return faults[0]
    if other is not None:
        return other
    if is_enhanced(values):
        return frames_of(source, raw, buffer, faults)
    kind = _KINDS.get(values.text("SOPClassUID"), InstanceKind.IMAGE)
    if kind is InstanceKind.IMAGE and not has_series and raw.pixels is None:
        return Finding(
            "no_pixels",
            Outcome.LEFT_OUT,
            "an image header that names no series and ends before its pixels",
            "copy the file again from where it came",
        )
    header = instance_of(source, values, kind)
    # Last, since what could not be read is known only once all is read.
    return (replace(header, faults=(*faults, *value_faults(values, kind))),)


def _not_dicom(reason: str) -> Finding:
    return Finding("not_dicom", Outcome.LEFT_OUT, reason, "remove the file or export it again")


def _file_faults(raw: RawHeader, limits: Limits) -> list[Finding]:
    """Find what is wrong with the file as a file, gravest first."""
    faults = []
    if raw.depth >= limits.nesting:
        faults.append(
            Finding(
                "too_deep",
                Outcome.LEFT_OUT,
                f"sequences are nested {raw.depth} levels deep, {limits.nesting} are too many",
                "no scanner writes this: export the file again",
            )
        )
    if raw.end is End.BROKEN:
        faults.append(_not_dicom("the header is broken: an element does not fit into the file"))
    if raw.is_deflated and raw.end is End.TRUNCATED and raw.size >= INFLATED_BYTES:
        faults.append(
            Finding(
                "archive_limit",
                Outcome.LEFT_OUT,
                f"a deflated data set of more than {in_words(INFLATED_BYTES)}",
                "export the series without deflating it",
            )
        )
    elif raw.end is End.TRUNCATED:
        faults.append(
            Finding(
                "truncated",
                Outcome.LEFT_OUT,
                "the file stops within its header",
                "copy the file again from where it came",
            )
        )
    return faults


def _other_kind(values: HeaderValues) -> Finding | None:
    """Say what a file is that is neither image, RTSTRUCT nor SEG; None where it is one."""
    sop_class = values.text("SOPClassUID")
    if sop_class in _KINDS:
        return None
    against = picture_or_document(_facts_of(values, sop_class))
    if against is not None:
        return Finding(
            against.code,
            Outcome.LEFT_OUT,
            against.reason,
            "nothing of it is kept; ingest the original images instead",
        )
    if sop_class in _MULTIFRAME or (values.integer("NumberOfFrames") or 1) > 1:
        return None if is_enhanced(values) else _frames_nowhere(sop_class)
    return None if _is_image(values) else _not_an_image(values)


def _frames_nowhere(sop_class: str) -> Finding:
    if sop_class in ENHANCED:
        reason = "an enhanced multi-frame image without functional groups: its frames have no place"
    else:
        reason = "a multi-frame image of a kind that is not read: enhanced CT, MR and PET are"
    return Finding("multiframe", Outcome.LEFT_OUT, reason, "export the series as one file a slice")


def _facts_of(values: HeaderValues, sop_class: str) -> ObjectFacts:
    return ObjectFacts(
        sop_class=sop_class,
        modality=_all_of(values, "Modality"),
        conversion_type=_all_of(values, "ConversionType"),
        burned_in=_all_of(values, "BurnedInAnnotation"),
        image_type=frozenset(map(str.upper, values.texts("ImageType"))),
        has_document=values.has("MIMETypeOfEncapsulatedDocument"),
        has_pixels=values.raw.pixels is not None,
        body_part=_all_of(values, "BodyPartExamined"),
        transfer_syntax=values.raw.transfer_syntax,
        series_description=_all_of(values, "SeriesDescription"),
        protocol_name=_all_of(values, "ProtocolName"),
        has_faces=_all_of(values, "RecognizableVisualFeatures") not in {"", "NO"},
        n_bits=values.integer("BitsStored") or 0,
        is_rescaled=is_rescaled(values.text("RescaleSlope"), values.text("RescaleIntercept"))
        or values.raw.n_items.get(MODALITY_LUT, 0) > 0,
    )


def _all_of(values: HeaderValues, keyword: str) -> str:
    return "\\".join(values.texts(keyword)).upper()


def _is_image(values: HeaderValues) -> bool:
    """Tell an image, also one that lost its pixels, from vendors' and standard other objects."""
    if values.raw.pixels is not None or values.has("Rows"):
        return True
    sop_class = values.text("SOPClassUID")
    if sop_class:
        return sop_class in _IMAGES
    return values.text("Modality") in _IMAGE_MODALITIES


def _not_an_image(values: HeaderValues) -> Finding:
    if not values.has("SOPClassUID"):
        return _not_dicom("the header does not say what it holds")
    modality = technical.allow({"Modality": values.texts("Modality")}).get("Modality")
    named = f" (modality {modality})" if modality else ""
    return Finding("not_an_image", Outcome.IGNORED, f"neither image, RTSTRUCT nor SEG{named}")
