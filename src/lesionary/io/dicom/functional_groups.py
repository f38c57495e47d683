"""The functional groups of an enhanced multi-frame image, frame by frame as a plain header.

What a single-frame header says at its top level, an enhanced one says in macros that are shared by
all frames or stand once for each. Here they are laid over the top level, renamed where the enhanced
element has another keyword, so that one reading of headers serves both.

Source: DICOM PS3.3 C.7.6.16 (functional groups), C.8.13, C.8.15, C.8.22 (those of MR, CT and PET);
PS3.16 annex L (body parts).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TypeAlias

from lesionary.io.dicom.elements import Element, Path, RawHeader, Wanted
from lesionary.io.dicom.pet import TRACER, TRACER_CODE
from lesionary.io.dicom.values import HeaderValues, tag_of

SHARED: Path = (0x52009229,)
PER_FRAME: Path = (0x52009230,)
REAL_WORLD = 0x00409096
"""RealWorldValueMappingSequence: behind it stands the item's number."""

UNITS = 0x004008EA
"""MeasurementUnitsCodeSequence, in each of its items."""

_ANATOMY: Path = (0x00209071,)
_REGION: Path = (0x00209071, 0x00082218)
_CONVERTED = (0x00209170, 0x00209171)
"""Unassigned converted attributes, shared and of a frame: single-frame elements as they were."""

_Group: TypeAlias = dict[Path, Element]

_OWN: Mapping[str, tuple[str, ...]] = {
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
}
"""Elements that count only where the standard puts them: place and values of a frame."""

_MACROS = (
    *_OWN,
    "FrameContentSequence",
    "CardiacSynchronizationSequence",
    "TemporalPositionSequence",
    "MRImageFrameTypeSequence",
    "MRTimingAndRelatedParametersSequence",
    "MREchoSequence",
    "MRModifierSequence",
    "MRImagingModifierSequence",
    "MRDiffusionSequence",
    "MRAveragesSequence",
    "MRFOVGeometrySequence",
    "CTImageFrameTypeSequence",
    "CTAcquisitionDetailsSequence",
    "CTTableDynamicsSequence",
    "CTGeometrySequence",
    "CTReconstructionSequence",
    "CTExposureSequence",
    "CTXRayDetailsSequence",
    "PETFrameTypeSequence",
)

_RENAMED: Mapping[str, str] = {
    "FrameType": "ImageType",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "FrameAcquisitionDateTime": "AcquisitionDateTime",
    "FrameAcquisitionDuration": "ActualFrameDuration",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "EffectiveEchoTime": "EchoTime",
    "InversionTimes": "InversionTime",
    "RFEchoTrainLength": "EchoTrainLength",
    "TransmitterFrequency": "ImagingFrequency",
    "ResonantNucleus": "ImagedNucleus",
    "ExposureTimeInms": "ExposureTime",
    "XRayTubeCurrentInmA": "XRayTubeCurrent",
    "ExposureInmAs": "Exposure",
}
"""Keyword of the enhanced element to that of the same element in a single-frame image."""

_BODY_PARTS: Mapping[str, str] = {
    "816094009": "CHEST",
    "51185008": "CHEST",
    "T-D3000": "CHEST",
    "818981001": "ABDOMEN",
    "818983003": "ABDOMEN",
    "113345001": "ABDOMEN",
    "T-D4000": "ABDOMEN",
    "818982008": "ABDOMENPELVIS",
    "816092008": "PELVIS",
    "12921003": "PELVIS",
    "T-D6000": "PELVIS",
    "416550000": "CHESTABDOMEN",
    "416775004": "CHESTABDPELVIS",
    "417437006": "NECKCHEST",
    "416152001": "NECKCHESTABDOMEN",
    "416319003": "NECKCHESTABDPELV",
    "69536005": "HEAD",
    "774007": "HEADNECK",
    "45048000": "NECK",
    "12738006": "BRAIN",
    "39607008": "LUNG",
    "10200004": "LIVER",
    "64033007": "KIDNEY",
    "15776009": "PANCREAS",
    "78961009": "SPLEEN",
    "23451007": "ADRENAL",
    "76752008": "BREAST",
    "41216001": "PROSTATE",
    "34402009": "RECTUM",
    "80891009": "HEART",
    "421060004": "SPINE",
    "38266002": "WHOLEBODY",
}
"""Code of an anatomic region to BodyPartExamined, which enhanced images do without."""


def with_groups(wanted: Wanted) -> Wanted:
    """Add the functional groups to what the walk copies of a file."""
    macros = [(tag_of(keyword),) for keyword in _MACROS]
    below = [(), *macros, (REAL_WORLD,), (REAL_WORLD, UNITS), _ANATOMY, _REGION]
    below += [(tag, *inner) for tag in _CONVERTED for inner in ((), TRACER, TRACER_CODE)]
    roots = (SHARED, PER_FRAME)
    return replace(
        wanted,
        tags=wanted.tags | {tag_of("ResonantNucleus")},
        paths=wanted.paths | {root + path for root in roots for path in below},
        listed=wanted.listed | {PER_FRAME, *((*root, REAL_WORLD) for root in roots)},
    )


@cache
def _own_tags() -> Mapping[int, frozenset[int]]:
    """Return the macros of place and values, with the elements that only they may give."""
    return {tag_of(macro): frozenset(map(tag_of, inside)) for macro, inside in _OWN.items()}


@cache
def _only_in_groups() -> frozenset[int]:
    return frozenset().union(*_own_tags().values())


@cache
def _new_names() -> Mapping[int, int]:
    return {tag_of(enhanced): tag_of(plain) for enhanced, plain in _RENAMED.items()}


class FunctionalGroups:
    """Reads the frames of one file as headers of single-frame images.

    Parameters
    ----------
    raw : RawHeader
        Walked with :func:`with_groups`.
    wanted : Wanted
        What a macro may say of a frame: no macro replaces identity or layout of the pixels.
    """

    def __init__(self, raw: RawHeader, wanted: Wanted) -> None:
        self._raw = raw
        self._wanted = wanted
        shared: _Group = {}
        self._frames: dict[int, _Group] = defaultdict(dict)
        for key, element in raw.nested.items():
            # Shorter keys are of elements that stand in no macro, or outside of all items.
            if key[:1] == SHARED and len(key) > 2:
                shared[key[1:]] = element
            elif key[:1] == PER_FRAME and len(key) > 3:
                self._frames[key[1]][key[2:]] = element
        top = {tag: e for tag, e in raw.elements.items() if tag not in _only_in_groups()}
        self._base = replace(
            raw,
            elements={_new_names().get(tag, tag): element for tag, element in top.items()},
            nested={key: e for key, e in raw.nested.items() if key[:1] not in {SHARED, PER_FRAME}},
            n_items={k: n for k, n in raw.n_items.items() if k[:1] not in {SHARED, PER_FRAME}},
            odd_vrs=sorted(set(raw.odd_vrs)),
        )
        self._lay(self._base, shared, SHARED)

    @property
    def n_described(self) -> int:
        """Frames that have a group of their own."""
        return self._raw.n_items.get(PER_FRAME, 0)

    def header_of(self, frame: int) -> RawHeader:
        """Return what the file says of one frame, counted from 0, as of a single-frame image."""
        base = self._base
        group = self._frames.get(frame, {})
        nested = base.nested
        if any(key[0] == REAL_WORLD for key in group):
            nested = {key: e for key, e in nested.items() if key[0] != REAL_WORLD}
        flat = replace(
            base, elements=dict(base.elements), nested=dict(nested), n_items=dict(base.n_items)
        )
        self._lay(flat, group, (*PER_FRAME, frame))
        _name_body_part(flat)
        return flat

    def _lay(self, flat: RawHeader, group: _Group, root: Path) -> None:
        """Lay one group over a header; converted elements first, since macros know better."""
        converted = {key: e for key, e in group.items() if key[0] in _CONVERTED}
        for key, element in converted.items():
            if len(key) == 2 and self._may_say(key[1], len(element.value)):
                flat.elements[key[1]] = element
            elif len(key) > 2:
                flat.nested[key[1:]] = element
        n_mappings = self._raw.n_items.get((*root, REAL_WORLD), 0)
        if n_mappings:
            flat.n_items[REAL_WORLD,] = n_mappings
        if any(key[1:2] == TRACER for key in converted):
            counts = (self._raw.n_items.get((*root, tag, *TRACER), 0) for tag in _CONVERTED)
            flat.n_items[TRACER] = max(counts)
        for key, element in group.items():
            if key[0] in _CONVERTED:
                continue
            if len(key) == 2:
                self._take(flat, key[0], key[1], element)
            else:
                flat.nested[key] = element

    def _take(self, flat: RawHeader, macro: int, tag: int, element: Element) -> None:
        tag = _new_names().get(tag, tag)
        if tag in _own_tags().get(macro, ()) or self._may_say(tag, len(element.value)):
            flat.elements[tag] = element

    def _may_say(self, tag: int, length: int) -> bool:
        return tag not in _only_in_groups() and self._wanted.takes(tag, length)


def _name_body_part(flat: RawHeader) -> None:
    """Name the body part where only its code stands."""
    values = HeaderValues(flat)
    part = _BODY_PARTS.get(values.text("CodeValue", within=_REGION))
    if part is not None and not values.has("BodyPartExamined"):
        flat.elements[tag_of("BodyPartExamined")] = Element("CS", part.encode())
