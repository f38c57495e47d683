"""Images of the corpus: slices in every syntax, many frames, and what hides beside pixels."""

import struct
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from .base import CT, MR, PET, Person, Workshop, code, items, pixels, plane
from .draft import Draft, element

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
CT_SERIES = 1


def slices(shop: Workshop, person: Person) -> list[Draft]:
    """Return a CT of five slices, each in another encoding: what the others refer to."""
    made = []
    for k in range(5):
        folder = f"{person.name.replace('^', ' ')} {person.id}"
        draft = ct(shop, person, f"{folder}/IM{k}.dcm", k, SYNTAXES[k % 4])
        draft.token(person.name, "name", "folder's name")
        if k == 4:
            draft.preamble = None
        made.append(draft)
    return made


def ct(
    shop: Workshop,
    person: Person,
    path: str,
    k: int,
    syntax: str = ExplicitVRLittleEndian,
    **options: Any,
) -> Draft:
    """Return one CT slice."""
    options.setdefault("series", CT_SERIES)
    series = options.pop("series")
    draft = shop.draft(path, CT, "CT", person, series, instance=k + 1, syntax=syntax, **options)
    ds = draft.data_set
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.AcquisitionDate, ds.AcquisitionTime = "20170302", "091530.25"
    ds.KVP, ds.ConvolutionKernel, ds.BodyPartExamined = "120", "B30f", "CHEST"
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = "1", "-1024", "HU"
    ds.AcquisitionNumber, ds.PatientPosition = "1", "HFS"
    plane(ds, k, shop.uid(1, "frame"))
    pixels(draft, (12, 10))
    return draft


def mr(shop: Workshop, person: Person, path: str) -> Draft:
    """Return one MR slice."""
    draft = shop.draft(path, MR, "MR", person, 11, study=2)
    ds = draft.data_set
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "SE", "SK", "FS"
    ds.MRAcquisitionType, ds.RepetitionTime, ds.EchoTime = "2D", "5660", "104"
    ds.EchoTrainLength, ds.MagneticFieldStrength = "15", "1.5"
    draft.text("ImageComments", "T2 weighted {} axial")
    draft.text("PatientComments", "left kidney {} cyst")
    draft.text("AdditionalPatientHistory", "metastasis {} liver")
    draft.text("ProtocolName", "T2 TSE {}")
    plane(ds, 0, shop.uid(2, "frame"))
    pixels(draft, (10, 12))
    return draft


def pet(shop: Workshop, person: Person) -> list[Draft]:
    """Return a PET of three slices in Bq/ml, and one in counts with Philips' private factors."""
    made = []
    for k in range(4):
        is_philips = k == 3
        series = 22 if is_philips else 21
        draft = shop.draft(f"pet/slice{k}", PET, "PT", person, series, study=3, instance=k + 1)
        ds = draft.data_set
        ds.ImageType = ["ORIGINAL", "PRIMARY"]
        ds.Units, ds.DecayCorrection = "CNTS" if is_philips else "BQML", "START"
        ds.SeriesType, ds.CountsSource = ["STATIC", "IMAGE"], "EMISSION"
        ds.CorrectedImage = ["DECY", "ATTN", "SCAT"]
        ds.AcquisitionDate, ds.AcquisitionTime = "20170302", f"0916{k:02d}"
        ds.RescaleSlope, ds.RescaleIntercept = f"{0.5 + k / 16}", "0"
        ds.ActualFrameDuration, ds.FrameReferenceTime = "180000", "90000"
        tracer = Dataset()
        tracer.RadiopharmaceuticalStartTime = "080500.00"
        tracer.RadiopharmaceuticalStartDateTime = "20170302080500.00"
        tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = "370000000", "6586.2"
        tracer.Radiopharmaceutical = "FDG"
        tracer.RadionuclideCodeSequence = code("C-111A1", "SRT", "^18^Fluorine")
        ds.RadiopharmaceuticalInformationSequence = Sequence([tracer])
        if is_philips:
            draft.put(0x70530010, "LO", b"Philips PET Private Group ")
            draft.put(0x70531000, "DS", b"0.000526")
            draft.put(0x70531009, "DS", b"1.75")
            draft.put(0x70531003, "ST", draft.word("beside Philips' factors").encode())
        plane(ds, k, shop.uid(3, "frame"))
        pixels(draft, (8, 8), stored=16)
        made.append(draft)
    return made


def enhanced(shop: Workshop, person: Person, kind: str, number: int) -> Draft:
    """Return an enhanced multi-frame CT, MR or PET."""
    end, modality = {"ct": ("2.1", "CT"), "mr": ("4.1", "MR"), "pet": ("130", "PT")}[kind]
    sop_class = f"1.2.840.10008.5.1.4.1.1.{end}"
    draft = shop.draft(f"enhanced/{kind}", sop_class, modality, person, number, study=4)
    ds = draft.data_set
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.AcquisitionDateTime = "20170302091530.5"
    measures = items(PixelSpacing=["0.8", "0.7"], SliceThickness="3")
    towards = items(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])
    ds.SharedFunctionalGroupsSequence = items(
        PixelMeasuresSequence=measures, PlaneOrientationSequence=towards
    )
    frames = []
    for k in range(3):
        frame = Dataset()
        frame.PlanePositionSequence = items(ImagePositionPatient=["-20", "-30", f"{40 + 3 * k}"])
        content = items(FrameAcquisitionDateTime=f"2017030209153{k}", DimensionIndexValues=[k + 1])
        content[0].FrameComments = f"arterial {draft.word('FrameComments')}"
        frame.FrameContentSequence = content
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    organisation = shop.uid(4, number, "dim")
    ds.DimensionOrganizationSequence = items(DimensionOrganizationUID=organisation)
    ds.FrameOfReferenceUID = shop.uid(4, "frame")
    pixels(draft, (3, 6, 8))
    return draft


def compressed(shop: Workshop, person: Person, syntax: str, number: int) -> Draft:
    """Return a slice in a compressed syntax, with texts wherever its frame has room for them."""
    name = {
        JPEGBaseline8Bit: "jpeg",
        JPEG2000Lossless: "j2k",
        JPEGLSLossless: "jls",
        RLELossless: "rle",
    }[syntax]
    draft = ct(shop, person, f"compressed/{name}", 0, syntax, series=number)
    ds = draft.data_set
    values = pixels(draft, (32, 32), bits=8, stored=8)
    frame = _frame(values.astype(np.uint8), ds, syntax)
    behind, comment = draft.word(f"{name}: end"), ""
    if syntax != RLELossless:
        comment = draft.word(f"{name}: comment")
    if syntax == JPEG2000Lossless:
        at = frame.index(b"\xff\x52")
        frame = frame[:at] + _segment(0x64, b"\0\1" + comment.encode()) + frame[at:]
    elif syntax != RLELossless:
        note = draft.word(f"{name}: note").encode()
        notes = _segment(0xFE, comment.encode()) + _segment(0xE1, b"Exif\0\0" + note)
        frame = frame[:2] + notes + frame[2:]
    frame += behind.encode() + b"\0" * ((len(frame) + len(behind)) % 2)
    ds.PixelData = encapsulate([frame], has_bot=False)
    table = draft.word("basic offset table").encode()
    table += b"\0" * (-len(table) % 4)
    value = struct.pack("<HHL", 0xFFFE, 0xE000, len(table)) + table + ds.PixelData[8:]
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    end = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0) * (not value.endswith(b"\xfe\xff\xdd\xe0\0\0\0\0"))
    draft.raw[0x7FE00010] = head + value + end
    draft.raw[0x7FE00001] = element(0x7FE00001, "OV", draft.word("offsets").encode().ljust(16))
    return draft


def _frame(values: Any, ds: Dataset, syntax: str) -> bytes:
    if syntax == JPEGBaseline8Bit:
        import cv2

        return bytes(cv2.imencode(".jpg", values)[1])
    ds.PixelData, ds.file_meta = values.tobytes(), Dataset()
    from pydicom.encaps import generate_frames

    clone = Dataset()
    for keyword in (
        "Rows",
        "Columns",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelData",
        "SOPClassUID",
        "SOPInstanceUID",
    ):
        setattr(clone, keyword, getattr(ds, keyword))
    from pydicom.dataset import FileMetaDataset

    clone.file_meta = FileMetaDataset()
    clone.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    clone.compress(syntax, generate_instance_uid=False)
    return next(iter(generate_frames(clone.PixelData, number_of_frames=1)))


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2) + payload


def overlays(shop: Workshop, person: Person) -> Draft:
    """Return a slice with overlays, a curve, an icon, texts in unused bits, and a long tail."""
    draft = ct(shop, person, "beside the pixels/slice", 0, series=31)
    ds = draft.data_set
    plant, put = draft.word, draft.put
    for group, label in ((0x6000, "overlay"), (0x601E, "last overlay")):
        tag = group << 16
        put(tag | 0x10, "US", b"\x0c\0")
        put(tag | 0x11, "US", b"\x0a\0")
        put(tag | 0x22, "LO", plant(f"{label}: description").encode())
        put(tag | 0x40, "CS", b"G ")
        put(tag | 0x45, "LO", plant(f"{label}: subtype").encode())
        put(tag | 0x50, "SS", b"\1\0\1\0")
        put(tag | 0x100, "US", b"\1\0")
        put(tag | 0x102, "US", b"\0\0")
        put(tag | 0x1500, "LO", plant(f"{label}: label").encode())
        put(tag | 0x3000, "OW", plant(f"{label}: data").encode())
        put(tag | 0x4000, "LT", plant(f"{label}: comments").encode())
    put(0x50000005, "US", b"\2\0")
    put(0x50000022, "LO", plant("curve: description").encode())
    put(0x50003000, "OW", plant("curve: data").encode())
    icon = items(Rows=2, Columns=8, BitsAllocated=8, SamplesPerPixel=1)
    put(0x7FE00010, "OB", plant("icon").encode(), icon[0])
    ds.IconImageSequence = icon
    put(0x00282000, "OB", plant("ICC profile").encode())
    hidden = plant("bits that no pixel uses").encode()
    words = np.frombuffer(ds.PixelData, "<u2").copy()
    bits = np.unpackbits(np.frombuffer(hidden, np.uint8))[: len(words)]
    words[: len(bits)] |= bits.astype(np.uint16) << 15
    ds.PixelData = words.tobytes() + plant("behind the pixels").encode().ljust(32)
    put(0xFFFCFFFC, "OB", plant("DataSetTrailingPadding").encode())
    draft.tail = plant("trailing bytes").encode() + b"\0\0"
    return draft


def numbers(shop: Workshop, person: Person) -> Draft:
    """Return a slice whose numbers are records' numbers."""
    draft = ct(shop, person, "numbers/slice", 0, series=32)
    for tag, vr, n_digits in (
        (0x00101030, "DS", 11),
        (0x00101020, "DS", 12),
        (0x00200013, "IS", 11),
        (0x00180050, "DS", 14),
        (0x00281050, "DS", 12),
    ):
        digits = draft.number(f"{vr} of {tag:08x}", n_digits)
        draft.put(tag, vr, digits.encode().ljust(n_digits + n_digits % 2))
    return draft


def uids(shop: Workshop, person: Person) -> Draft:
    """Return a slice whose UIDs spell a record's number."""
    draft = ct(shop, person, "uids/slice", 0, series=33)
    ds = draft.data_set
    ds.SOPInstanceUID = f"1.2.826.0.1.{draft.number('root of SOPInstanceUID', 9)}.1"
    ds.SeriesInstanceUID = f"1.2.840.113619.2.{draft.number('in SeriesInstanceUID', 9)}.7"
    ds.FrameOfReferenceUID = f"1.2.840.10008.{draft.number('below the root of DICOM', 9)}"
    ds.IrradiationEventUID = f"2.25.{draft.number('2.25', 12)}"
    ds.SynchronizationFrameOfReferenceUID = f"1.3.6.{draft.number('another', 9)}"
    instance = f"1.2.840.10008.5.1.4.1.1.{draft.number('below storage', 9)}"
    ds.ReferencedImageSequence = items(
        ReferencedSOPClassUID=f"1.2.840.10008.5.1.4.1.1.2.{draft.number('class', 9)}",
        ReferencedSOPInstanceUID=instance,
    )
    return draft
