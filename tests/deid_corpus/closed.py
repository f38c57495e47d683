"""Objects that no rule can clean: they have to be set aside, or refused, never lost."""

import struct

from pydicom.uid import ImplicitVRLittleEndian

from .base import Person, Workshop, items, pixels
from .draft import QUARANTINED, REFUSED, Draft, element, encode
from .images import ct

_STORAGE = "1.2.840.10008.5.1.4.1.1."


def all_closed(shop: Workshop, person: Person) -> None:
    """Make one of every kind."""
    for path, end, modality in (
        ("screen capture", "7", "OT"), ("multi-frame capture", "7.2", "OT"),
        ("ultrasound", "6.1", "US"), ("photograph", "77.1.4", "XC"),
    ):  # fmt: skip
        draft = shop.draft(
            f"closed/{path}", _STORAGE + end, modality, person, 70, instance=len(shop.drafts),
            outcome=QUARANTINED,
        )  # fmt: skip
        pixels(draft, (16, 16), bits=8, stored=8)
    for path, end, content in (
        ("pdf", "104.1", b"%PDF-1.4 "), ("cda", "104.2", b"<ClinicalDocument>"),
    ):  # fmt: skip
        draft = shop.draft(
            f"closed/{path}", _STORAGE + end, "DOC", person, 71, instance=len(shop.drafts),
            outcome=QUARANTINED,
        )  # fmt: skip
        draft.put(0x00420011, "OB", content + draft.word(path).encode())
        draft.data_set.DocumentTitle = draft.word(f"{path}: title")
    dose_report = _slice(shop, person, "closed/dose report")
    dose_report.data_set.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    burned = _slice(shop, person, "closed/burned in")
    burned.data_set.BurnedInAnnotation = "YES"
    digitised = _slice(shop, person, "closed/digitised film")
    digitised.data_set.ConversionType = "DF"
    unknown = _slice(shop, person, "closed/private object")
    unknown.data_set.SOPClassUID = f"1.3.12.2.1107.5.9.{shop.mint.number(4)}"
    directory(shop, person)
    damaged(shop, person)


def _slice(shop: Workshop, person: Person, path: str) -> Draft:
    k = len(shop.drafts)
    return ct(shop, person, path, k, series=72, outcome=QUARANTINED)


def directory(shop: Workshop, person: Person) -> Draft:
    """Return a DICOMDIR."""
    draft = Draft("DICOMDIR", shop.mint, QUARANTINED, "dicomdir")
    shop.drafts.append(draft)
    ds = draft.data_set
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.1.3.10", shop.uid("dir")
    ds.FileSetID = draft.word("FileSetID").upper()[:16]
    record = items(DirectoryRecordType="PATIENT", PatientName=draft.name("record"))
    record[0].PatientID = draft.number("record")
    ds.DirectoryRecordSequence = record
    return draft


def damaged(shop: Workshop, person: Person) -> None:
    """Make files that are broken on purpose."""
    cut = ct(shop, person, "damaged/cut", 0, series=73, outcome=REFUSED)
    cut.encoded = cut.content()[:-60]
    head = ct(shop, person, "damaged/cut header", 1, series=73, outcome=REFUSED)
    head.encoded = head.content()[:700]
    deep = ct(shop, person, "damaged/too deep", 2, series=73, outcome=REFUSED)
    start = b"\x40\x00\x43\xa0SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    deep.raw[0x0040A043] = start * 70 + element(0x00100010, "PN", deep.word("too deep").encode())
    deep.raw[0x0040A043] += b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" * 70
    lying = ct(shop, person, "damaged/length", 3, series=73, outcome=REFUSED)
    name = lying.word("lying length").encode()
    lying.raw[0x00104000] = struct.pack("<HH2sH", 0x10, 0x4000, b"LT", 0xFFF0) + name
    none = ct(shop, person, "damaged/no pixels to speak of", 4, series=73, outcome=REFUSED)
    none.data_set.Rows = 4000
    text = Draft("damaged/notes.txt", shop.mint, REFUSED, "not_dicom")
    text.encoded = f"Patient {text.name('text file')} {text.number('text file')}".encode()
    empty = Draft("damaged/empty.dcm", shop.mint, REFUSED)
    empty.encoded = b""
    shop.drafts += [text, empty]
    bare = Draft("damaged/data set alone", shop.mint, QUARANTINED, syntax=ImplicitVRLittleEndian)
    bare.data_set.PatientName = bare.name("no UIDs")
    bare.encoded = bytes(128) + b"DICM" + encode(bare.data_set, ImplicitVRLittleEndian)
    shop.drafts.append(bare)
