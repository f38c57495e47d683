"""Records written as a file of which every byte is known."""

import io
import struct

import pydicom
import pytest
from pydicom.encaps import generate_frames

from lesionary.core.errors import InputError, UnreadableSeriesError
from lesionary.ingest.deidentify.elements import DataSet, Element, Instance, PixelData
from lesionary.io.dicom.tree import FileMeta, read_instance, write_instance, written_syntax

CLASS, UID = "1.2.840.10008.5.1.4.1.1.2", "2.25.7"
RLE = "1.2.840.10008.1.2.5"
PIXELS = 0x7FE00010


def instance_of(*elements: Element, pixels: PixelData | None = None, syntax: str = "") -> Instance:
    data_set = DataSet()
    data_set.put(Element(0x00080018, "UI", UID.encode()))
    data_set.put(Element(0x00080016, "UI", CLASS.encode()))
    for element in elements:
        data_set.put(element)
    return Instance(data_set, syntax, pixels)


def written(instance: Instance, **options) -> bytes:
    return b"".join(write_instance(instance, **options))


def reread(instance: Instance) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(written(instance)))


def test_preamble_is_nul_and_meta_is_our_own():
    data = written(instance_of(syntax="1.2.840.10008.1.2"))
    assert data[:132] == b"\0" * 128 + b"DICM"
    meta = pydicom.dcmread(io.BytesIO(data)).file_meta
    assert meta.FileMetaInformationVersion == b"\0\1"
    assert meta.MediaStorageSOPClassUID == CLASS
    assert meta.MediaStorageSOPInstanceUID == UID
    assert meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert meta.ImplementationClassUID.startswith("2.25.")
    assert meta.ImplementationVersionName == "LESIONARY"
    assert len(meta) == 7
    n_meta = 144 + meta.FileMetaInformationGroupLength
    assert data[n_meta : n_meta + 4] == struct.pack("<HH", 0x0008, 0x0016)


def test_who_writes_may_say_so():
    meta = FileMeta(implementation_class_uid="1.2.3", implementation_version_name="x" * 30)
    found = pydicom.dcmread(io.BytesIO(written(instance_of(), meta=meta))).file_meta
    assert found.ImplementationClassUID == "1.2.3"
    assert found.ImplementationVersionName == "x" * 16


@pytest.mark.parametrize("bad", [b"", b"JOHN DOE", b"1." * 40 + b"1", b"1..2"])
def test_what_is_no_uid_never_gets_into_the_meta(bad):
    for tag in (0x00080016, 0x00080018):
        instance = instance_of(Element(tag, "UI", bad))
        with pytest.raises(InputError) as caught:
            write_instance(instance)
        assert caught.value.code == "sop_missing"
        assert "JOHN" not in str(caught.value)


def test_a_directory_borrows_its_uids():
    meta = FileMeta(sop_class_uid="1.2.840.10008.1.3.10", sop_instance_uid="2.25.9")
    found = pydicom.dcmread(io.BytesIO(written(Instance(DataSet(), ""), meta=meta)))
    assert found.file_meta.MediaStorageSOPInstanceUID == "2.25.9"
    assert written(instance_of(), meta=meta) != written(Instance(DataSet(), ""), meta=meta)


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("LO", b"abc", b"abc "),
        ("UI", b"1.2", b"1.2\0"),
        ("OB", b"123", b"123\0"),
        ("UN", b"123", b"123\0"),
        ("UT", b"123", b"123 "),
        ("DS", b"1.5", b"1.5 "),
        ("PN", memoryview(b"A^B"), b"A^B "),
        ("LT", b"", b""),
    ],
)
def test_values_are_padded_to_even_lengths(vr, value, expected):
    data = written(instance_of(Element(0x00091001, vr, value)))
    assert data.endswith(expected)
    assert len(data) % 2 == 0


def test_elements_go_up_and_sequences_have_lengths():
    inner = DataSet()
    inner.put(Element(0x00080104, "LO", b"word"))
    inner.put(Element(0x00080100, "SH", b"code"))
    sequence = Element(0x00081032, "SQ", items=[inner, DataSet()])
    data = written(instance_of(Element(0x00200010, "SH", b"1"), sequence))
    ds = pydicom.dcmread(io.BytesIO(data))
    assert list(ds.keys()) == sorted(ds.keys())
    assert [len(item) for item in ds.ProcedureCodeSequence] == [2, 0]
    assert b"\xff\xff\xff\xff" not in data
    assert b"\xfe\xff\x0d\xe0" not in data


def test_depth_costs_no_recursion():
    data_set = DataSet()
    for _ in range(5_000):
        outer = DataSet()
        outer.put(Element(0x00081032, "SQ", items=[data_set]))
        data_set = outer
    assert len(written(instance_of(*data_set))) > 5_000 * 20


def test_values_too_long_for_explicit_vr_make_the_file_implicit():
    contour = b"\\".join([b"-12.5"] * 30_000)
    item = DataSet()
    item.put(Element(0x30060050, "DS", contour))
    instance = instance_of(
        Element(0x30060040, "SQ", items=[item]), pixels=PixelData(PIXELS, "OW", b"12")
    )
    data = written(instance)
    assert written_syntax(instance) == "1.2.840.10008.1.2"
    ds = pydicom.dcmread(io.BytesIO(data))
    assert ds.file_meta.TransferSyntaxUID == written_syntax(instance)
    assert len(ds.ContourSequence[0].ContourData) == 30_000
    assert ds.PixelData == b"12"
    assert written(read_instance(data)) == data


def test_values_too_long_beside_compressed_pixels_are_unknown_ones_and_come_back():
    long = Element(0x00081030, "LO", b"word" * 20_000)
    pixels = PixelData(PIXELS, "OB", fragments=[b"ab"])
    data = written(instance_of(long, pixels=pixels, syntax=RLE))
    assert struct.pack("<HH2s", 0x0008, 0x1030, b"UN") in data
    back = read_instance(data).data_set.get(0x00081030)
    assert (back.vr, back.value) == ("LO", long.value)
    assert written(read_instance(data)) == data


def test_creators_are_written_for_the_blocks_that_hold_elements():
    instance = instance_of(Element(0x00091001, "SH", b"kept"), Element(0x00111201, "SH", b"lost"))
    instance.data_set.private_creators.update(
        {0x00091000: "MAKER", 0x00091100: "PLANTED", 0x00111000: "PLANTED"}
    )
    data = written(instance)
    ds = pydicom.dcmread(io.BytesIO(data))
    assert ds[0x00090010].value == "MAKER"
    assert b"PLANTED" not in data
    assert 0x00110010 not in ds


def test_groups_of_messages_and_meta_are_never_written():
    planted = [Element(tag, "LO", b"PLANTED ") for tag in (0x00020016, 0x00000010, 0x00090000)]
    assert b"PLANTED" not in written(instance_of(*planted))


def test_pixels_are_written_without_being_copied():
    pixels = memoryview(bytes(100_001))
    chunks = write_instance(instance_of(pixels=PixelData(PIXELS, "OB", pixels)))
    assert any(chunk is pixels for chunk in chunks)
    assert b"".join(chunks).endswith(b"\0" * 100_002)
    fragments = [memoryview(bytes(100_000)), b"ab"]
    encapsulated = PixelData(PIXELS, "OW", fragments=fragments)
    chunks = write_instance(instance_of(pixels=encapsulated, syntax=RLE))
    assert any(chunk is fragments[0] for chunk in chunks)


@pytest.mark.parametrize("tag", [0x7FE00008, 0x7FE00009, PIXELS])
def test_pixels_stand_where_their_tag_belongs(tag):
    behind = Element(0xFFFAFFFA, "SQ", items=[])
    vr = {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(tag, "OW")
    ds = reread(instance_of(behind, pixels=PixelData(tag, vr, b"12345678")))
    assert list(ds.keys())[-2:] == [tag, 0xFFFAFFFA]
    assert ds[tag].value == b"12345678"


@pytest.mark.parametrize(
    ("offsets", "kept"),
    [
        ((0, 12), True),
        ((0,), True),
        ((), True),
        ((0, 13), False),
        ((12, 0), False),
        ((0, 12, 12), False),
        ((0x4E484F4A,), False),
    ],
)
def test_offset_tables_are_tables_or_left_empty(offsets, kept):
    table = struct.pack(f"<{len(offsets)}L", *offsets)
    pixels = PixelData(PIXELS, "OB", fragments=[b"abcd", b"efgh"], offsets=table)
    instance = instance_of(pixels=pixels, syntax=RLE)
    back = read_instance(written(instance))
    assert back.pixels.offsets == (table if kept else b"")
    assert [bytes(f) for f in back.pixels.fragments] == [b"abcd", b"efgh"]
    assert back.transfer_syntax == written_syntax(instance) == RLE


def test_odd_fragments_are_padded_and_their_table_dropped():
    pixels = PixelData(PIXELS, "OB", fragments=[b"abc", b"d"], offsets=struct.pack("<LL", 0, 11))
    data = written(instance_of(pixels=pixels, syntax=RLE))
    assert list(generate_frames(io.BytesIO(data[-38:]), number_of_frames=2)) == [b"abc\0", b"d\0"]


@pytest.mark.parametrize(
    ("offsets", "lengths", "kept"),
    [((0, 12), (4, 4), True), ((0, 13), (4, 4), False), ((0, 12), (4, 5), False), ((0,), (4,), 0)],
)
def test_extended_offset_tables_fit_or_are_dropped(offsets, lengths, kept):
    tables = [
        Element(0x7FE00001, "OV", struct.pack(f"<{len(offsets)}Q", *offsets)),
        Element(0x7FE00002, "OV", struct.pack(f"<{len(lengths)}Q", *lengths)),
    ]
    pixels = PixelData(PIXELS, "OB", fragments=[b"abcd", b"efgh"])
    ds = reread(instance_of(*tables, pixels=pixels, syntax=RLE))
    assert ("ExtendedOffsetTable" in ds) is bool(kept)
    assert ("ExtendedOffsetTableLengths" in ds) is bool(kept)
    native = instance_of(*tables, pixels=PixelData(PIXELS, "OB", b"12"))
    assert "ExtendedOffsetTable" not in reread(native)


@pytest.mark.parametrize("syntax", ["", "1.2.840.10008.1.2.1", "JOHN", "1.2.840.10008.1.2.4.7081"])
def test_compressed_pixels_need_a_syntax_that_is_one(syntax):
    instance = instance_of(pixels=PixelData(PIXELS, "OB", fragments=[b"ab"]), syntax=syntax)
    with pytest.raises(UnreadableSeriesError) as caught:
        write_instance(instance)
    assert caught.value.code == "unsupported_syntax"
    assert "JOHN" not in str(caught.value)


def test_a_vr_that_is_none_is_refused():
    with pytest.raises(InputError) as caught:
        write_instance(instance_of(Element(0x00100010, "US or SS", b"12")))
    assert caught.value.code == "wrong_vr"


def test_values_over_the_longest_length_are_refused():
    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 32

    for element in (Element(0x00420011, "OB", Huge()), Element(0x00100010, "PN", Huge())):
        with pytest.raises(InputError) as caught:
            write_instance(instance_of(element))
        assert caught.value.code == "size_claim"
