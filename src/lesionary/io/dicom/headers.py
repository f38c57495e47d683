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
from lesionary.ingest.header import InstanceHeader, InstanceKind
from lesionary.io.dicom.elements import End, RawHeader
from lesionary.io.dicom.instance import NEEDED, instance_of, wanted
from lesionary.io.dicom.values import HeaderValues, keyword_of
from lesionary.io.dicom.walk import read_elements
from lesionary.io.limits import MIB, Limits
from lesionary.io.opening import opened
from lesionary.io.sources import SourceFile

INFLATED_BYTES = 256 * MIB
"""A deflated instance with a larger data set is no slice."""

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
_SCREENS = frozenset({"SCREEN SAVE", "SCREENSHOT", "SCREEN_CAPTURE", "DOSE_INFO"})

_SHOWN = 5

HeaderOrFinding: TypeAlias = InstanceHeader | Finding


def read_header(source: SourceFile, limits: Limits | None = None) -> HeaderOrFinding:
    """Read what the gate needs of one file; its pixels are only located.

    Parameters
    ----------
    source : SourceFile
        Any file; one that is not DICOM gives a finding.
    limits : Limits, optional
        How deep sequences may be nested.

    Returns
    -------
    InstanceHeader or Finding
        A finding where the file cannot belong to an image series, an RTSTRUCT or a SEG. What is
        wrong with an instance whose series is known stands in its ``faults``, since the series
        must not go on without it.
    """
    limits = limits or Limits()
    try:
        with opened(source.path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
            raw = read_elements(m, wanted(), inflated_limit=INFLATED_BYTES)
    except UnreadableSeriesError as error:
        return Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")
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
    return replace(header, faults=(*faults, *_value_faults(values, kind)))


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
    if raw.end is End.TRUNCATED:
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
    if sop_class.startswith(_STORAGE + "104.") or values.has("MIMETypeOfEncapsulatedDocument"):
        return Finding(
            "encapsulated_document",
            Outcome.LEFT_OUT,
            "a document inside a DICOM file: it may name the patient in text and picture",
            "remove it from what is ingested",
        )
    if sop_class == _STORAGE + "7" or sop_class.startswith(_STORAGE + "7."):
        return _screenshot("a secondary capture: a picture of a screen, not a measurement")
    if not _SCREENS.isdisjoint(map(str.upper, values.texts("ImageType"))):
        return _screenshot("a saved screen: a picture, not a measurement")
    if sop_class in _MULTIFRAME or (values.integer("NumberOfFrames") or 1) > 1:
        return Finding(
            "multiframe",
            Outcome.LEFT_OUT,
            "an enhanced multi-frame image: these are not read yet",
            "export the series as one file a slice",
        )
    return None if _is_image(values) else _not_an_image(values)


def _screenshot(reason: str) -> Finding:
    return Finding("secondary_capture", Outcome.LEFT_OUT, reason, "ingest the original images")


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


def _value_faults(values: HeaderValues, kind: InstanceKind) -> list[Finding]:
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
