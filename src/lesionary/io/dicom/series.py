"""From DICOM files to series: read the headers, group them, judge them, read the pixels.

::

    scan = scan_dicom(tree.files, limits)
    for candidate in group_images(scan.images):
        series = load_series(candidate, limits)    # or the findings that leave it out
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import AnyArray, BoolArray, Geometry, Quantity, Volume
from lesionary.ingest import technical
from lesionary.ingest.gate import Verdict, judge
from lesionary.ingest.grouping import SeriesCandidate, group_series
from lesionary.ingest.header import InstanceHeader, InstanceKind, PetHeader
from lesionary.ingest.place import folder_of
from lesionary.ingest.series import ImageSeries, Json, SeriesIdentity
from lesionary.ingest.suv import SuvFactor, suv_factor
from lesionary.io.dicom.headers import read_headers
from lesionary.io.dicom.pixels import SliceReader, stored_digest
from lesionary.io.file_kind import FileKind
from lesionary.io.limits import Limits
from lesionary.io.sources import SourceFile, SourceFinding
from lesionary.prepare.assemble import is_integral, rescale_exactly, rescale_rounded

_AS_STORED = (1.0, 0.0)
_HU_TYPES = frozenset({"", "HU", "HU_MOD"})


@dataclass(frozen=True, slots=True, repr=False)
class DicomScan:
    """What the headers of a set of files say.

    Parameters
    ----------
    images : tuple of InstanceHeader
        Slices and frames, for :func:`group_images`.
    references : tuple of InstanceHeader
        RTSTRUCT and SEG files.
    findings : tuple of SourceFinding
        Files that are neither, or that cannot be read.
    """

    images: tuple[InstanceHeader, ...]
    references: tuple[InstanceHeader, ...]
    findings: tuple[SourceFinding, ...]


def scan_dicom(files: Iterable[SourceFile], limits: Limits | None = None) -> DicomScan:
    """Read the header of every DICOM file; files of another kind are passed over."""
    images: list[InstanceHeader] = []
    references: list[InstanceHeader] = []
    findings: list[SourceFinding] = []
    for file in files:
        if file.kind is not FileKind.DICOM:
            continue
        headers = read_headers(file, limits)
        if isinstance(headers, Finding):
            findings.append(SourceFinding(file.name, file.number, headers))
        elif headers[0].kind is InstanceKind.IMAGE:
            images.extend(headers)
        else:
            references.extend(headers)
    return DicomScan(tuple(images), tuple(references), tuple(findings))


def group_images(images: Iterable[InstanceHeader]) -> tuple[SeriesCandidate, ...]:
    """Group slices into candidates; pixels are read only where two files claim one place."""
    return group_series(images, stored_digest)


def load_series(
    candidate: SeriesCandidate, limits: Limits | None = None, *, subject: str | None = None
) -> ImageSeries | tuple[Finding, ...]:
    """Judge a candidate and read its volume.

    Parameters
    ----------
    candidate : SeriesCandidate
        From :func:`group_images`.
    limits : Limits, optional
        Bounds on the volume that its headers may claim.
    subject : str, optional
        Subject of files that name none.

    Returns
    -------
    ImageSeries or tuple of Finding
        The findings, at least one of them ``LEFT_OUT`` or ``IGNORED``, where the gate or the
        pixels leave the series out.
    """
    return judge_series(candidate, limits, subject=subject).read()


@dataclass(frozen=True, slots=True, repr=False)
class JudgedSeries:
    """What the headers of a candidate say, before a pixel is read.

    Parameters
    ----------
    verdict : Verdict
        Of the gate; without a geometry the series is left out.
    identity : SeriesIdentity
        Who and when, the slices in order along ``k``.
    technical : mapping of str to JSON values
        What all slices agree on.
    """

    verdict: Verdict
    identity: SeriesIdentity
    technical: Mapping[str, Json]

    def read(self) -> ImageSeries | tuple[Finding, ...]:
        """Read the volume, as :func:`load_series` does."""
        if self.verdict.geometry is None:
            return self.verdict.findings
        try:
            pixels = _read_pixels(self.verdict.slices)
        except UnreadableSeriesError as error:
            refusal = Finding(error.code, Outcome.LEFT_OUT, error.message, error.hint or "")
            return (*self.verdict.findings, refusal)
        return _series(self, self.verdict.geometry, pixels)


def judge_series(
    candidate: SeriesCandidate, limits: Limits | None = None, *, subject: str | None = None
) -> JudgedSeries:
    """Judge a candidate by its headers; parameters as of :func:`load_series`."""
    limits = limits or Limits()
    verdict = judge(candidate, volume_bytes=limits.volume_bytes, has_subject=subject is not None)
    common = technical.common([header.technical for header in verdict.slices])
    return JudgedSeries(verdict, _identity(verdict.slices, subject), common)


@dataclass(frozen=True, slots=True, eq=False)
class _Pixels:
    """All slices: quantities, where they are none, and how many slices had overlay bits."""

    array: AnyArray
    invalid: BoolArray | None
    n_overlays: int


def _read_pixels(slices: tuple[InstanceHeader, ...]) -> _Pixels:
    """Read all slices: as int16 where that holds every value, else as float32."""
    if is_integral(header.rescale or _AS_STORED for header in slices):
        try:
            return _filled(slices, np.dtype(np.int16))
        except OverflowError:
            pass
    return _filled(slices, np.dtype(np.float32))


def _filled(slices: tuple[InstanceHeader, ...], dtype: np.dtype[Any]) -> _Pixels:
    grid = slices[0].pixel_format
    shape = (len(slices), grid.rows, grid.columns) if grid else (0, 0, 0)
    array = np.empty(shape, dtype=dtype)
    invalid: BoolArray | None = None
    n_overlays = 0
    reader = SliceReader()
    for k, header in enumerate(slices):
        stored = reader.read(header)
        slope, intercept = header.rescale or _AS_STORED
        if dtype == np.int16:
            rescale_exactly(stored.values, int(slope), int(intercept), array[k])
        else:
            rescale_rounded(stored.values, slope, intercept, array[k])
        n_overlays += stored.had_overlay
        if stored.padding is not None:
            invalid = np.zeros(shape, dtype=np.bool_) if invalid is None else invalid
            invalid[k] = stored.padding
    return _Pixels(array, invalid, n_overlays)


def _series(judged: JudgedSeries, geometry: Geometry, pixels: _Pixels) -> ImageSeries:
    slices = judged.verdict.slices
    first = slices[0]
    quantity, doubts = _quantity(first)
    suv = _suv(slices)
    return ImageSeries(
        volume=Volume(pixels.array, geometry, first.modality, quantity, invalid=pixels.invalid),
        identity=judged.identity,
        technical=judged.technical,
        findings=(*judged.verdict.findings, *doubts, *_pixel_findings(pixels)),
        suv_factor=suv.factor,
        suv_reason=suv.reason,
    )


def _quantity(header: InstanceHeader) -> tuple[Quantity, tuple[Finding, ...]]:
    """Tell what the numbers mean; CT in other units than HU is let in with a warning."""
    if header.pet is not None:
        return _pet_quantity(header.pet), ()
    if header.modality != "CT":
        return Quantity.ARBITRARY, ()
    if header.rescale_type.upper() in _HU_TYPES:
        return Quantity.HU, ()
    doubt = Finding(
        "not_hu",
        Outcome.WARNED,
        "the CT's RescaleType is not HU: its values are taken as arbitrary, without windows",
    )
    return Quantity.ARBITRARY, (doubt,)


def _pet_quantity(pet: PetHeader) -> Quantity:
    if pet.units == "GML" and pet.suv_type in {"", "BW"}:
        return Quantity.SUVBW
    return {"BQML": Quantity.BQML, "CNTS": Quantity.COUNTS}.get(pet.units, Quantity.ARBITRARY)


def _suv(slices: tuple[InstanceHeader, ...]) -> SuvFactor:
    pets = [header.pet for header in slices if header.pet is not None]
    return suv_factor(pets) if pets else SuvFactor(None, "not a PET")


def _identity(slices: tuple[InstanceHeader, ...], subject: str | None) -> SeriesIdentity:
    first = slices[0]
    folder = folder_of(first)
    names = (first.series_instance_uid, folder.rpartition("/")[2])
    return SeriesIdentity(
        subject_key=first.subject_key or subject,
        study_instance_uid=first.study_instance_uid or None,
        series_instance_uid=first.series_instance_uid or None,
        frame_of_reference_uid=first.frame_of_reference_uid or None,
        sop_instance_uids=tuple(header.sop_instance_uid for header in slices),
        frames=tuple(header.frame for header in slices) if first.n_frames > 1 else (),
        acquired=first.studied_at,
        folder=folder,
        names=tuple(filter(None, names)),
    )


def _pixel_findings(pixels: _Pixels) -> tuple[Finding, ...]:
    findings = []
    if pixels.n_overlays:
        findings.append(
            Finding(
                "overlay_bits",
                Outcome.FIXED,
                f"{pixels.n_overlays} of {len(pixels.array)} slices had bits set beyond BitsStored:"
                " only the stored bits are read",
            )
        )
    if pixels.invalid is not None:
        n_padded = int(np.count_nonzero(pixels.invalid))
        findings.append(
            Finding(
                "padding",
                Outcome.WARNED,
                f"{n_padded} of {pixels.array.size} voxels hold the padding value:"
                " no measurement, kept out of windows and means",
            )
        )
    return tuple(findings)
