"""Enhanced multi-frame images as series: one header a frame, for the gate to judge like any slice.

Read are the enhanced CT, MR and PET images and those converted from single frames. All frames of a
file share its SOP instance UID; their numbers tell them apart.

Source: DICOM PS3.3 C.7.6.16 (multi-frame functional groups), C.7.6.16.2.2.4 (concatenations).
"""

from dataclasses import replace

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.header import (
    Concatenation,
    InstanceHeader,
    InstanceKind,
    PixelLocation,
)
from lesionary.io.dicom.elements import MOST_LISTED, Buffer, Path, RawHeader
from lesionary.io.dicom.enhanced_pet import ENHANCED_PET, LEGACY_PET, write_as_single_frame
from lesionary.io.dicom.frame_places import encapsulated_places, native_places
from lesionary.io.dicom.functional_groups import PER_FRAME, SHARED, FunctionalGroups
from lesionary.io.dicom.instance import (
    EXTENDED_OFFSETS,
    frame_elements,
    instance_of,
    value_faults,
)
from lesionary.io.dicom.values import HeaderValues
from lesionary.io.sources import SourceFile

_STORAGE = "1.2.840.10008.5.1.4.1.1."
ENHANCED = frozenset({_STORAGE + end for end in ("2.1", "2.2", "4.1", "4.4")}) | {
    ENHANCED_PET,
    LEGACY_PET,
}
"""SOP classes whose frames are slices: of CT, MR and PET, enhanced or converted to it."""


def is_enhanced(values: HeaderValues) -> bool:
    """Tell whether the frames of a file can be read as slices."""
    groups: tuple[Path, ...] = (PER_FRAME, SHARED)
    has_groups = any(values.raw.n_items.get(path) for path in groups)
    return has_groups and values.text("SOPClassUID") in ENHANCED


def frames_of(
    source: SourceFile, raw: RawHeader, buffer: Buffer, file_faults: list[Finding]
) -> tuple[InstanceHeader, ...]:
    """Return the header of each frame of an enhanced image.

    Parameters
    ----------
    source : SourceFile
        The file.
    raw : RawHeader
        What the walk copied out of it.
    buffer : bytes-like
        The file, where fragments of compressed frames are looked for.
    file_faults : list of Finding
        What is wrong with the file as a file.

    Returns
    -------
    tuple of InstanceHeader
        In the file's order. A file whose frames cannot be told gives one header, with the fault
        that keeps its series out.
    """
    groups = FunctionalGroups(raw, frame_elements())
    values = HeaderValues(groups.header_of(0))
    whole = instance_of(source, values, InstanceKind.IMAGE)
    concatenation = _concatenation(values)
    faults = [*file_faults, *value_faults(values, InstanceKind.IMAGE)]
    refused = any(fault.outcome is Outcome.LEFT_OUT for fault in faults)
    if not refused:
        try:
            places = _places(raw, buffer, whole, _n_frames(values, groups.n_described))
        except UnreadableSeriesError as error:
            faults = [Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")]
            refused = True
    if refused:
        return (replace(whole, faults=tuple(faults), frame=1, concatenation=concatenation),)
    return tuple(
        replace(
            header,
            pixels=place,
            frame=number + 1,
            n_frames=len(places),
            concatenation=concatenation,
        )
        for number, place in enumerate(places)
        for header in [_frame(source, groups, number)]
    )


def _frame(source: SourceFile, groups: FunctionalGroups, number: int) -> InstanceHeader:
    flat = groups.header_of(number)
    if flat.pixels is not None and HeaderValues(flat).text("SOPClassUID") in _PETS:
        write_as_single_frame(flat)
    values = HeaderValues(flat)
    header = instance_of(source, values, InstanceKind.IMAGE)
    faults = tuple(value_faults(values, InstanceKind.IMAGE))
    return replace(header, stack=values.text("StackID"), faults=faults)


_PETS = frozenset({ENHANCED_PET, LEGACY_PET})


def _n_frames(values: HeaderValues, n_described: int) -> int:
    claimed = values.integer("NumberOfFrames")
    if claimed is None:
        claimed = n_described
    if claimed != n_described or not 0 < n_described <= MOST_LISTED:
        raise UnreadableSeriesError(
            f"the header claims {claimed} frames and describes {n_described}"
            + (f", {MOST_LISTED} are the most" if n_described > MOST_LISTED else ""),
            code="size_claim",
            hint="export the series again from where it came from",
        )
    return claimed


def _places(
    raw: RawHeader, buffer: Buffer, whole: InstanceHeader, n_frames: int
) -> list[PixelLocation | None]:
    """Return where the frames' pixels lie; nowhere, where the file has none."""
    pixels, grid = whole.pixels, whole.pixel_format
    if pixels is None or grid is None or not pixels.available:
        return [pixels] * n_frames
    if pixels.length is None:
        tables = (raw.elements.get(EXTENDED_OFFSETS),)
        return list(encapsulated_places(buffer, pixels, n_frames, tables))
    return list(native_places(pixels, grid, n_frames))


def _concatenation(values: HeaderValues) -> Concatenation | None:
    uid, number = values.text("ConcatenationUID"), values.integer("InConcatenationNumber")
    if not uid or number is None:
        return None
    return Concatenation(uid, number, values.integer("InConcatenationTotalNumber"))
