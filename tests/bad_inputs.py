"""Every input that the gate knows something of, each ready to be written into a folder.

A row says what is wrong, the code of the gate's table, and what becomes of it. All of them carry
the identities of :data:`PLANTED`, which must turn up nowhere.
"""

import gzip
import io
import os
import random
import socket
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from dicom_factory import (
    CORONAL,
    ct_series,
    encapsulated_document,
    encode,
    pet_series,
    secondary_capture,
    stored_values,
    uid,
    write_series,
)
from enhanced_factory import enhanced
from lesionary.core.findings import Outcome
from lesionary.core.volume import Geometry
from lesionary.io.nifti_header import NIFTI1, build_header
from structure_objects import (
    FRAME_UID,
    contour,
    rtstruct,
    save_rtstruct,
    save_seg,
    seg,
)

PATIENT = "Quaxi-4711"
FOLDER = "Mustermann, Erika 1957"
PLANTED = (PATIENT, "Planted", "Mustermann", "Erika", uid(), "20200102", "2020-01-02")

SHAPE = (4, 6, 8)
RAS = np.array([[-1.5, 0, 0, 30], [0, -1.5, 0, 25], [0, 0, 3, 10], [0, 0, 0, 1.0]])
VOXELS = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
LABELS = (VOXELS % 50 == 0).astype(np.uint8)

LEFT_OUT, FIXED, WARNED = Outcome.LEFT_OUT, Outcome.FIXED, Outcome.WARNED
IGNORED, FINE = Outcome.IGNORED, Outcome.INGESTED

Write = Callable[[Path], Any]


@dataclass(frozen=True, slots=True)
class BadInput:
    """One row: what is wrong, and what the contract says of it.

    Parameters
    ----------
    what : str
        The test's name.
    code : str
        Of the gate's table; empty where nothing is to be said.
    outcome : Outcome
        Of the input that the code is about.
    write : callable
        Writes it into a folder of its own.
    n_series : int
        Images that are taken nevertheless.
    options : tuple of str
        For ``lesionary ingest``.
    study_only : bool
        No business of the ``file`` verbs.
    """

    what: str
    code: str
    outcome: Outcome
    write: Write
    n_series: int = 0
    options: tuple[str, ...] = ()
    study_only: bool = False

    @property
    def has_mask(self) -> bool:
        """Whether it is about a mask file with its image."""
        return isinstance(self.write, MaskFile)


def slices(
    change: Callable[[list[FileDataset]], Any] = lambda _: None,
    *,
    make: Callable[..., list[FileDataset]] = ct_series,
    after: Write = lambda _: None,
    **options: Any,
) -> Write:
    """Return what writes a DICOM series that ``change`` has spoiled, as data or as files."""

    def write(folder: Path) -> None:
        series = make(patient=PATIENT, **options)
        changed = change(series)
        write_series(series if changed is None else changed, folder)
        after(folder)

    return write


def a_slice(change: Callable[[FileDataset], Any], number: int = 3) -> Write:
    """Return what writes a series with one spoiled slice."""

    def one(series: list[FileDataset]) -> None:
        change(series[number])

    return slices(one)


def each(change: Callable[[FileDataset], Any], **options: Any) -> Write:
    """Return what writes a series of spoiled slices."""

    def all_of(series: list[FileDataset]) -> None:
        for ds in series:
            change(ds)

    return slices(all_of, **options)


def moved(ds: FileDataset, axis: int, by_mm: float) -> None:
    place = list(ds.ImagePositionPatient)
    place[axis] += by_mm
    ds.ImagePositionPatient = place


def tilted(series: list[FileDataset]) -> None:
    for k, ds in enumerate(series):
        moved(ds, 1, 0.3 * k)


def with_copy(
    *, pixels: int = 0, sop: bool = False, at: int = 3
) -> Callable[[list[FileDataset]], Any]:
    """Return what adds a second slice in the place of another."""

    def change(series: list[FileDataset]) -> None:
        (other,) = ct_series(patient=PATIENT)[at : at + 1]
        if pixels:
            other.PixelData = bytes([pixels]) * len(other.PixelData)
        if sop:
            other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = uid(77)
        series.append(other)

    return change


def one_sop_uid(series: list[FileDataset]) -> None:
    series[5].SOPInstanceUID = series[2].SOPInstanceUID


def with_localizer(series: list[FileDataset]) -> None:
    (scout,) = ct_series(stored_values((1, 30, 20)), orientation=CORONAL, patient=PATIENT)
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SOPInstanceUID = scout.file_meta.MediaStorageSOPInstanceUID = uid(78)
    series.append(scout)


def with_second_grid(series: list[FileDataset]) -> None:
    for number, ds in enumerate(ct_series(stored_values((7, 9, 9)), patient=PATIENT)):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(79, number)
        series.append(ds)


def with_overlay(ds: FileDataset) -> None:
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
    stored = np.frombuffer(ds.PixelData, "<u2").copy()
    stored[:3] |= 0x8000
    ds.PixelData = stored.tobytes()


def padded(ds: FileDataset) -> None:
    ds.add_new("PixelPaddingValue", "SS", -2000)
    ds.PixelData = np.int16(-2000).tobytes() * 5 + ds.PixelData[10:]


def deep(levels: int) -> Callable[[Path], None]:
    """Return what hides a deep nest of sequences in a written slice."""
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    start = b"\x40\x00\x43\xa0SQ\0\0\xff\xff\xff\xff" + item
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"

    def change(folder: Path) -> None:
        path = folder / "0003.dcm"
        content = path.read_bytes()
        at = content.rindex(b"\xe0\x7f\x10\x00")
        path.write_bytes(content[:at] + start * levels + end * levels + content[at:])

    return change


def cut(folder: Path, name: str = "0003.dcm", n_bytes: int = 40) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-n_bytes])


def without_preamble(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[132:])


def place_in_words(folder: Path) -> None:
    """Put a name where the position stands."""
    path = folder / "0003.dcm"
    content = path.read_bytes()
    at = content.index(b"\x20\x00\x32\x00DS") + 8
    path.write_bytes(content[:at] + b"Planted" + content[at + 7 :])


def image(
    *, name: str = "scan.nii.gz", voxels: bytes = VOXELS.tobytes(), spoil: Any = None, **fields: Any
) -> Write:
    """Return what writes a NIfTI file with some header fields changed, or its bytes spoiled."""

    def write(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(nifti(voxels, spoil=spoil, **fields))

    return write


def nifti(
    voxels: bytes,
    *,
    shape: tuple[int, int, int] = SHAPE,
    ras: Any = RAS,
    dtype: Any = np.int16,
    spoil: Callable[[bytes], bytes] | None = None,
    **fields: Any,
) -> bytes:
    header = bytearray(build_header(shape, ras, np.dtype(dtype)))
    for field, value in fields.items():
        at, code = NIFTI1[field]
        values = value if isinstance(value, tuple) else (value,)
        struct.pack_into("<" + code, header, at, *values)
    header[148:228] = f"{PATIENT} Planted".encode().ljust(80, b"\0")
    packed = gzip.compress(bytes(header) + voxels, mtime=0)
    return spoil(packed) if spoil else packed


def wrong_crc(packed: bytes) -> bytes:
    return packed[:-8] + b"\1\2\3\4" + packed[-4:]


@dataclass(frozen=True, slots=True)
class MaskFile:
    """Writes ``scan_image.nii.gz`` with a ``scan_mask.nii.gz``."""

    array: Any
    fields: tuple[tuple[str, Any], ...] = ()
    ras: Any = None

    def __call__(self, folder: Path) -> None:
        """Write both."""
        image(name="scan_image.nii.gz")(folder)
        array = np.ascontiguousarray(self.array)
        content = nifti(
            array.tobytes(),
            shape=array.shape,
            dtype=array.dtype,
            ras=RAS if self.ras is None else self.ras,
            **dict(self.fields),
        )
        (folder / "scan_mask.nii.gz").write_bytes(content)


def turned() -> MaskFile:
    """Return the mask with its first index running the other way."""
    ras = RAS.copy()
    ras[:3, 3] += RAS[:3, 0] * (SHAPE[2] - 1)
    ras[:3, 0] *= -1
    return MaskFile(LABELS[:, :, ::-1], ras=ras)


def shifted() -> MaskFile:
    ras = RAS.copy()
    ras[0, 3] += 0.4
    return MaskFile(LABELS, ras=ras)


def file(name: str, content: bytes | str) -> Write:
    """Return what writes one file."""

    def write(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        raw = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(raw)

    return write


def both(*writes: Write) -> Write:
    """Return what writes several things into one folder."""

    def write(folder: Path) -> None:
        for one in writes:
            one(folder)

    return write


def zipped(*members: str, link: bool = False) -> Write:
    """Return what writes a zip whose members go by the given names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if link else 0o100644) << 16
            archive.writestr(info, b"../../../etc/passwd" if link else nifti(VOXELS.tobytes()))
    return file("scans.zip", buffer.getvalue())


def tarred(*members: str, kind: bytes = tarfile.REGTYPE) -> Write:
    """Return what writes a tar whose members are files, links or devices."""
    buffer = io.BytesIO()
    content = nifti(VOXELS.tobytes())
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))
    return file("scans.tar.gz", buffer.getvalue())


def bomb(folder: Path) -> None:
    """Write a tar of 1.3 GiB of zeros in 1.3 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    info = tarfile.TarInfo("scan.dcm")
    info.size = 1_300 << 20
    zeros = gzip.compress(bytes(1 << 20), mtime=0)
    (folder / "scans.tar.gz").write_bytes(gzip.compress(info.tobuf(), mtime=0) + zeros * 1_300)


def structure_set(folder: Path) -> None:
    """Write contours on the slice at z = 43 mm of :func:`in_frame`'s series."""
    folder.mkdir(parents=True, exist_ok=True)
    outline = [[-19.0, -29.0, 43.0], [-15.0, -29.0, 43.0], [-15.0, -24.0, 43.0]]
    built = rtstruct({1: [contour(outline)]}, names={1: "Planted Mustermann"}, types={1: "GTV"})
    built.PatientID, built.PatientName = PATIENT, "Planted^Name"
    save_rtstruct(folder / "rs.dcm", built)


def segmentation(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    built = seg(np.ones((1, 6, 8), np.uint8), [1], Geometry(SHAPE, np.eye(4)), [1])
    built.PatientID, built.PatientName = PATIENT, "Planted^Name"
    save_seg(folder / "seg.dcm", built)


def in_frame(series: int) -> Write:
    """Return what writes a series in the structure set's frame of reference."""

    def change(built: list[FileDataset]) -> list[FileDataset]:
        for ds in built:
            ds.FrameOfReferenceUID = FRAME_UID
        return built

    def write(folder: Path) -> None:
        built = change(ct_series(series=series, patient=PATIENT))
        write_series(built, folder, name=(f"{series}-" + "{:04d}.dcm").format)

    return write


def single(make: Callable[[], FileDataset]) -> Write:
    """Return what writes one DICOM file."""

    def write(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ds = make()
        ds.PatientID = PATIENT
        encode(ds, folder / "one.dcm")

    return write


def without_groups() -> FileDataset:
    ds = enhanced(ct_series())
    del ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence
    return ds


def frame_missing() -> FileDataset:
    built = ct_series()
    return enhanced([*built[:3], *built[4:]])


def many_frames() -> FileDataset:
    return changed(enhanced(ct_series()), NumberOfFrames=2**31 - 1)


def changed(ds: FileDataset, **values: Any) -> FileDataset:
    sets(**values)(ds)
    return ds


def compressed(syntax: str) -> Write:
    frames = stored_values((5, 32, 32))
    return each(
        lambda ds: ds.compress(syntax, generate_instance_uid=False),
        make=lambda **options: ct_series(frames, **options),
    )


def cut_stream(folder: Path) -> None:
    compressed(JPEG2000Lossless)(folder)
    cut(folder, n_bytes=60)


def without(*keywords: str) -> Callable[[FileDataset], None]:
    def change(ds: FileDataset) -> None:
        for keyword in keywords:
            delattr(ds, keyword)

    return change


def sets(**values: Any) -> Callable[[FileDataset], None]:
    def change(ds: FileDataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return change


def pipe(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / "scan.dcm")


def plug(folder: Path) -> None:
    """Write a socket; its path may be too long to bind, so it is bound from within its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    here = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("scan.dcm")
    finally:
        os.chdir(here)


def link_loop(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "again").symlink_to(folder)
    (folder / "self.dcm").symlink_to("self.dcm")
    (folder / "nowhere.dcm").symlink_to("/nonexistent/Mustermann")


_FLOATS = VOXELS.astype(np.float32)
_WITH_NAN = _FLOATS.copy()
_WITH_NAN[1, 2, 3] = np.nan
_NOISE = random.Random(5).randbytes(4000)  # noqa: S311 - noise, no secret
_MHD = "ObjectType = Image\nNDims = 3\nDimSize = {0}\nElementType = MET_SHORT\n"
_MHD += "ElementSpacing = 1 1 1\nOffset = 0 0 0\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n"
_MHD += "ElementDataFile = {1}\n"
_NRRD = "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {0}\n"
_NRRD += "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: raw\n"
_NRRD += "endian: little\n{1}\n"
_SQUARE = (1.0, 0.2, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
_MOVED = (-1.5, 0, 0, 30.6, 0, -1.5, 0, 25, 0, 0, 3, 10)

ROWS: Sequence[BadInput] = (
    # Slices that are no regular volume.
    BadInput("a slice is missing", "missing_slice", LEFT_OUT, slices(lambda s: s.pop(3) and None)),
    BadInput("uneven spacing", "uneven_spacing", LEFT_OUT, a_slice(lambda ds: moved(ds, 2, 0.5))),
    BadInput("gantry tilt", "gantry_tilt", LEFT_OUT, slices(tilted)),
    BadInput("the same file twice", "duplicate_identical", FIXED, slices(with_copy()), 1),
    BadInput("same pixels again", "duplicate_identical", FIXED, slices(with_copy(sop=True)), 1),
    BadInput(
        "other pixels in one place", "duplicate_slice", LEFT_OUT,
        slices(with_copy(pixels=9, sop=True)),
    ),
    BadInput("one UID, two contents", "sop_conflict", LEFT_OUT, slices(with_copy(pixels=9))),
    BadInput("one UID, two places", "sop_conflict", LEFT_OUT, slices(one_sop_uid)),
    BadInput("a localizer mixed in", "localizer", FIXED, slices(with_localizer), 1),
    BadInput("a second grid mixed in", "split_geometry", WARNED, slices(with_second_grid), 2),
    BadInput("no position", "no_orientation", LEFT_OUT, a_slice(without("ImagePositionPatient"))),
    # Pixels and what they mean.
    BadInput("a slice without pixels", "no_pixels", LEFT_OUT, a_slice(without("PixelData"))),
    BadInput("cut pixel data", "truncated", LEFT_OUT, slices(after=cut)),
    BadInput(
        "cut header", "truncated", LEFT_OUT, slices(after=lambda f: cut(f, n_bytes=400))
    ),
    BadInput("cut code stream", "truncated", LEFT_OUT, cut_stream),
    BadInput("60,000 rows claimed", "size_claim", LEFT_OUT, each(sets(Rows=60_000))),
    BadInput(
        "rescale on some slices", "rescale_mixed", LEFT_OUT,
        a_slice(without("RescaleSlope", "RescaleIntercept")),
    ),
    BadInput(
        "CT without rescale", "rescale_missing", LEFT_OUT,
        each(without("RescaleSlope", "RescaleIntercept")),
    ),
    BadInput("a slope per PET slice", "", FINE, slices(make=pet_series), 1),
    BadInput("padding values", "padding", WARNED, each(padded), 1),
    BadInput("overlay in unused bits", "overlay_bits", FIXED, each(with_overlay), 1),
    # Encodings that are fine.
    *(
        BadInput(name, "", FINE, slices(syntax=syntax), 1)
        for name, syntax in (
            ("implicit", ImplicitVRLittleEndian),
            ("big endian", ExplicitVRBigEndian),
            ("deflated", DeflatedExplicitVRLittleEndian),
        )
    ),
    *(
        BadInput(name, "", FINE, compressed(syntax), 1)
        for name, syntax in (
            ("JPEG 2000", JPEG2000Lossless),
            ("JPEG-LS", JPEGLSLossless),
            ("RLE", RLELossless),
        )
    ),
    BadInput("no preamble", "", FINE, slices(after=without_preamble), 1),
    # Headers.
    BadInput("3,000 sequences deep", "too_deep", LEFT_OUT, slices(after=deep(3_000))),
    BadInput("63 sequences deep", "", FINE, slices(after=deep(63)), 1),
    BadInput(
        "a position that is text", "wrong_vr", LEFT_OUT,
        slices(after=place_in_words),
    ),
    BadInput(
        "an age in words", "wrong_vr", WARNED,
        each(lambda ds: ds.add_new("PatientAge", "LO", "Erika")), 1,
    ),
    BadInput(
        "no PatientID", "subject_missing", LEFT_OUT, each(without("PatientID")), study_only=True
    ),
    BadInput(
        "no PatientID, but --subject", "", FINE, each(without("PatientID")), 1,
        ("--subject", PATIENT),
    ),
    BadInput("a PDF inside", "encapsulated_document", LEFT_OUT, single(encapsulated_document)),
    BadInput("a screenshot", "secondary_capture", LEFT_OUT, single(secondary_capture)),
    BadInput("enhanced multi-frame", "", FINE, single(lambda: enhanced(ct_series())), 1),
    BadInput("enhanced, without groups", "multiframe", LEFT_OUT, single(without_groups)),
    BadInput("enhanced, a frame missing", "missing_slice", LEFT_OUT, single(frame_missing)),
    BadInput("2³¹ frames claimed", "size_claim", LEFT_OUT, single(many_frames)),
    BadInput(
        "cine", "multiframe", LEFT_OUT,
        single(lambda: changed(ct_series()[0], NumberOfFrames=20)),
    ),
    # Image files.
    BadInput("nobody named", "subject_from_file", FINE, image(), 1),
    BadInput("NaN in an image", "nan", WARNED, image(voxels=_WITH_NAN.tobytes(), dtype="f4"), 1),
    BadInput("4D", "not_3d", LEFT_OUT, image(dim=(4, 8, 6, 2, 2, 1, 1, 1))),
    BadInput("qform is not sform", "affine_conflict", LEFT_OUT, image(srow=_MOVED)),
    BadInput(
        "qform is not sform, but --affine", "", FINE, image(srow=_MOVED), 1, ("--affine", "qform")
    ),
    BadInput("neither form", "no_orientation", LEFT_OUT, image(qform_code=0, sform_code=0)),
    BadInput("sheared", "sheared", LEFT_OUT, image(qform_code=0, srow=_SQUARE)),
    BadInput("cut .nii.gz", "truncated", LEFT_OUT, image(spoil=lambda b: b[: len(b) // 2])),
    BadInput("wrong CRC", "gzip_corrupt", LEFT_OUT, image(spoil=wrong_crc)),
    BadInput("data behind the end", "gzip_oversized", LEFT_OUT, image(voxels=bytes(99_000))),
    BadInput(
        "32,000³ voxels claimed", "size_claim", LEFT_OUT,
        image(dim=(3, 32_000, 32_000, 32_000, 1, 1, 1, 1)),
    ),
    BadInput(
        "NRRD claims too much", "size_claim", LEFT_OUT,
        file("scan.nrrd", _NRRD.format("32000 32000 32000", "")),
    ),
    BadInput(
        "MetaImage claims too much", "size_claim", LEFT_OUT,
        file("scan.mha", _MHD.format("32000 32000 32000", "LOCAL")),
    ),
    BadInput(
        "a name where NRRD has a type", "not_scalar", LEFT_OUT,
        file("scan.nrrd", _NRRD.replace("short", PATIENT).format("4 4 4", "")),
    ),
    BadInput(
        "a name where NRRD has an encoding", "not_dicom", LEFT_OUT,
        file("scan.nrrd", _NRRD.replace("raw", PATIENT).format("4 4 4", "")),
    ),
    BadInput(
        "a name where NRRD has a unit", "not_dicom", LEFT_OUT,
        file(
            "scan.nrrd",
            _NRRD.format("4 4 4", f'space units: "{PATIENT}" "{PATIENT}" "{PATIENT}"\n'),
        ),
    ),
    BadInput(
        "a name where MetaImage has a type", "not_scalar", LEFT_OUT,
        file("scan.mha", _MHD.replace("MET_SHORT", PATIENT).format("4 4 4", "LOCAL")),
    ),
    BadInput(
        "MetaImage points outside", "path_outside", LEFT_OUT,
        file("scan.mhd", _MHD.format("4 4 4", "../../../../etc/passwd")),
    ),
    BadInput(
        "NRRD points outside", "path_outside", LEFT_OUT,
        file("scan.nhdr", _NRRD.format("4 4 4", "data file: /etc/passwd\n")),
    ),
    # Masks.
    BadInput("a float mask", "mask_not_integer", FIXED, MaskFile(LABELS + np.float32(3e-4)), 1),
    BadInput("a mask of thirds", "mask_not_integer", LEFT_OUT, MaskFile(LABELS / np.float32(3)), 1),
    BadInput("a mask with NaN", "mask_not_integer", LEFT_OUT, MaskFile(_WITH_NAN), 1),
    BadInput("labels below 0", "mask_not_integer", LEFT_OUT, MaskFile(-LABELS.astype("i2")), 1),
    BadInput("a mask turned round", "grid_mismatch", FIXED, turned(), 1),
    BadInput("a mask on another grid", "grid_mismatch", LEFT_OUT, shifted(), 1),
    BadInput("a smaller mask", "grid_mismatch", LEFT_OUT, MaskFile(LABELS[1:]), 1),
    BadInput(
        "a cut mask", "truncated", LEFT_OUT,
        MaskFile(LABELS, (("spoil", lambda packed: packed[:-40]),)), 1,
    ),
    # References.
    BadInput("RTSTRUCT without image", "orphan_reference", LEFT_OUT, structure_set),
    BadInput("SEG without image", "orphan_reference", LEFT_OUT, segmentation),
    BadInput(
        "mask without image", "orphan_reference", LEFT_OUT, image(name="x_mask.nii.gz"),
        study_only=True,
    ),
    BadInput(
        "RTSTRUCT between two images", "ambiguous_reference", LEFT_OUT,
        both(in_frame(2), in_frame(3), structure_set), 2,
    ),
    BadInput(
        "mask between two images", "ambiguous_reference", LEFT_OUT,
        both(*(image(name=f"x{end}.nii.gz") for end in ("", "_image", "_mask"))), 2,
    ),
    # Files that are none of this, and archives.
    BadInput("zero bytes", "empty_file", LEFT_OUT, file("scan.dcm", b"")),
    BadInput("noise", "not_dicom", LEFT_OUT, file("scan.dcm", _NOISE)),
    BadInput("noise with magic", "not_dicom", LEFT_OUT, file("x", bytes(128) + b"DICM" + _NOISE)),
    BadInput("noise as .nii.gz", "not_dicom", LEFT_OUT, file("scan.nii.gz", _NOISE)),
    BadInput("zip with ../", "path_outside", LEFT_OUT, zipped("../scan.nii.gz")),
    BadInput("zip with /", "path_outside", LEFT_OUT, zipped("/scan.nii.gz")),
    BadInput("zip with a link", "path_outside", LEFT_OUT, zipped("scan.dcm", link=True)),
    BadInput("tar with ../", "path_outside", LEFT_OUT, tarred("a/../../scan.nii.gz")),
    BadInput("tar with /", "path_outside", LEFT_OUT, tarred("/scan.nii.gz")),
    BadInput("tar with a link", "path_outside", LEFT_OUT, tarred("x.dcm", kind=tarfile.SYMTYPE)),
    BadInput("tar with a device", "path_outside", LEFT_OUT, tarred("x.dcm", kind=tarfile.CHRTYPE)),
    BadInput(
        "zip with ../ and a scan", "path_outside", LEFT_OUT,
        zipped("../x.nii.gz", "y.nii.gz"), 1,
    ),
    BadInput("an archive of zeros", "archive_limit", LEFT_OUT, bomb),
    BadInput("a pipe", "not_a_file", IGNORED, pipe),
    BadInput("a socket", "not_a_file", IGNORED, plug),
    BadInput("links in a circle", "not_a_file", IGNORED, link_loop),
    BadInput("clutter", "not_a_file", IGNORED, file("Thumbs.db", "Planted")),
)  # fmt: skip
