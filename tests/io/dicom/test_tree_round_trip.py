"""What is read and written again is the same to another reader: values, items and pixels."""

import copy
import io
import random
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import DATA_ROOT
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.dicom.tree import FileMeta, read_instance, write_instance

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
META = FileMeta(sop_class_uid="1.2.840.10008.1.3.10", sop_instance_uid="2.25.1")
PIXELS, PADDING = 0x7FE00010, 0xFFFCFFFC
SAMPLES = sorted(path for path in Path(DATA_ROOT).glob("*_files/**/*") if path.is_file())
REFUSED = {
    "rtplan_truncated.dcm": "truncated",
    "MR_truncated.dcm": "truncated",
    "DICOMDIR-nooffset": "truncated",  # lengths that reach 24 bytes over its end
    "no_meta.dcm": "not_dicom",  # begins with a stray byte
}


@pytest.fixture(autouse=True)
def _pydicom_may_warn() -> Iterator[None]:
    """Let pydicom complain of what its own samples hold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def again(data: bytes) -> bytes:
    return b"".join(write_instance(read_instance(data), meta=META))


def is_dropped(ds: Dataset, tag: pydicom.tag.BaseTag) -> bool:
    """Tell what is left out by design: group lengths, padding, and creators of nothing."""
    if tag.element == 0 or tag == PADDING or tag.group == 2:
        return True
    if not tag.is_private_creator or ds[tag].VR == "SQ":
        return False
    block = tag.group << 16 | tag.element << 8
    return not any(block <= other < block + 0x100 for other in ds._dict)


def assert_same(before: Dataset, after: Dataset, path: str = "") -> None:
    tags = {tag for tag in before._dict if not is_dropped(before, tag)}
    assert tags == set(after._dict), path
    for tag in tags:
        one, other = before[tag], after[tag]
        where = f"{path}/{tag}"
        if other.VR == "SQ":
            # pydicom leaves the unknown sequences of private groups as bytes
            if one.VR == "SQ":
                assert len(one.value) == len(other.value), where
                for inner, inner_after in zip(one.value, other.value, strict=True):
                    assert_same(inner, inner_after, where)
        elif path or tag != PIXELS:
            assert one.VR == other.VR, where
            assert padded(one.value) == padded(other.value), where


def padded(value: object) -> object:
    return value + b"\0" * (len(value) % 2) if isinstance(value, bytes) else value


def assert_same_pixels(before: Dataset, after: Dataset) -> None:
    """Compare stored values; those no plug-in here decodes, as bytes."""
    assert ("PixelData" in before) == ("PixelData" in after)
    if "PixelData" not in before:
        return
    try:
        expected = before.pixel_array
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        assert before.PixelData == after.PixelData
    else:
        assert np.array_equal(expected, after.pixel_array)


def assert_round_trip(data: bytes) -> None:
    written = again(data)
    before = pydicom.dcmread(io.BytesIO(data), force=True)
    after = pydicom.dcmread(io.BytesIO(written))
    assert_same(before, after)
    assert_same_pixels(before, after)
    assert again(written) == written


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(DATA_ROOT)))
def test_samples_of_pydicom_are_the_same_or_refused(path):
    data = path.read_bytes()
    is_named_dicom = data[128:132] == b"DICM" or data.startswith((b"\x08\0", b"\0\x08", b"\2\0"))
    if path.name in REFUSED or not is_named_dicom:
        with pytest.raises(UnreadableSeriesError) as caught:
            read_instance(data)
        assert caught.value.code == REFUSED.get(path.name, "not_dicom")
    else:
        assert_round_trip(data)


@pytest.mark.real_data
def test_public_scans_are_the_same(shared_data):
    paths = [path for path in shared_data.rglob("*") if is_dicom(path)]
    assert len(paths) > 300
    for path in paths:
        assert_round_trip(path.read_bytes())


def is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=15)
u16, i16 = st.integers(0, 65_535), st.integers(-32_768, 32_767)
u32, i32 = st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1)
VALUES = {
    0x00080018: st.integers(0, 2**100).map(lambda n: f"2.25.{n}"),
    0x00080020: st.dates().map(lambda date: f"{date:%Y%m%d}".zfill(8)),
    0x00080060: words,
    0x00080104: words,
    0x00081030: st.text("äöüß é漢字", max_size=20).map(str.strip),
    0x00100010: words.map(lambda word: f"{word}^{word}"),
    0x00181114: st.integers(-9999, 9999).map(str),
    0x00186020: i32,
    0x00189306: st.floats(allow_nan=False, width=64),
    0x00280009: st.sampled_from([0x00181063, 0x00181065]),
    0x00280010: u16,
    0x00280106: i16,
    0x00281201: st.binary(min_size=1, max_size=9).map(lambda data: data * 2),
    0x00287FE0: words.map(lambda word: f"https://{word}"),
    0x00420011: st.binary(max_size=9).map(lambda data: data * 2),
    0x00660016: st.binary(min_size=1, max_size=5).map(lambda data: data * 4),
    0x00720082: st.lists(u32, min_size=2, max_size=5),
    0x00720074: st.lists(st.floats(allow_nan=False, width=64), min_size=2, max_size=4),
    0x00720083: st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=3),
}


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 2) -> Dataset:
    """Draw a data set of every VR, with private blocks and sequences inside sequences."""
    ds = Dataset()
    ds.PixelRepresentation = 1
    for tag in draw(st.sets(st.sampled_from(sorted(VALUES)))):
        vr = pydicom.datadict.dictionary_VR(tag)
        ds.add_new(tag, "SS" if " or " in vr else vr, draw(VALUES[tag]))
    if draw(st.booleans()):
        block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
        block.add_new(0x02, "SL", draw(i32))
        block.add_new(0x9E, "LO", draw(words))
    if depth:
        for tag in draw(st.sets(st.sampled_from([0x00081032, 0x00400555, 0x00081140]))):
            ds.add_new(tag, "SQ", Sequence(draw(st.lists(data_sets(depth - 1), max_size=2))))
            ds[tag].is_undefined_length = draw(st.booleans())
    return ds


def saved(drawn: Dataset, syntax: str) -> bytes:
    ds = copy.deepcopy(drawn)
    if syntax == ExplicitVRBigEndian:
        turn_words(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "2.25.7"
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()


def turn_words(ds: Dataset) -> None:
    """Make the words of other VRs big-endian, which pydicom leaves to its callers."""
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                turn_words(item)
        elif element.VR in {"OW", "OF"}:
            n_bytes = 4 if element.VR == "OF" or ds.get("BitsAllocated") == 32 else 2
            words = np.frombuffer(element.value, f"<u{n_bytes}")
            element.value = words.byteswap().tobytes()


@settings(max_examples=60)
@given(data_sets(), st.sampled_from(SYNTAXES))
def test_any_data_set_in_any_syntax_is_the_same(ds, syntax):
    written = again(saved(ds, syntax))
    before = pydicom.dcmread(io.BytesIO(saved(ds, ExplicitVRLittleEndian)))
    assert_same(before, pydicom.dcmread(io.BytesIO(written)))
    assert again(written) == written


@settings(max_examples=30)
@given(data_sets())
def test_all_syntaxes_come_to_the_same_bytes(ds):
    assert len({again(saved(ds, syntax)) for syntax in SYNTAXES}) == 1


def test_every_frame_of_big_endian_pixels_is_the_same():
    for bits, samples in ((8, 1), (8, 3), (16, 1), (32, 1)):
        values = np.arange(12 * samples, dtype=f"u{bits // 8}") * 3 + 1
        ds = Dataset()
        ds.Rows, ds.Columns, ds.SamplesPerPixel = 3, 4, samples
        ds.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
        if samples == 3:
            ds.PlanarConfiguration = 0
        ds.BitsAllocated = ds.BitsStored = bits
        ds.HighBit, ds.PixelRepresentation = bits - 1, 0
        ds.PixelData = values.tobytes()
        ds["PixelData"].VR = "OW" if bits > 8 else "OB"
        after = pydicom.dcmread(io.BytesIO(again(saved(ds, ExplicitVRBigEndian))))
        assert np.array_equal(after.pixel_array.ravel(), values)


FUZZED = [
    "CT_small.dcm",
    "reportsi.dcm",
    "MR_small_bigendian.dcm",
    "rtstruct.dcm",
    "UN_sequence.dcm",
]


@pytest.mark.parametrize("name", FUZZED)
def test_damaged_headers_are_read_or_refused(name):
    data = Path(DATA_ROOT, "test_files", name).read_bytes()
    n_header = min(len(data), 6_000)
    chance = random.Random(name)  # noqa: S311 - damage, not a secret
    for _ in range(100):
        mutated = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(132, n_header)
            mutated[at] = chance.choice([0, 0xFF, 0xFE, chance.randrange(256), mutated[at] ^ 1])
        if chance.random() < 0.2:
            cut, n_gone = chance.randrange(132, n_header), chance.randint(1, 40)
            del mutated[cut : cut + n_gone]
        assert survives(bytes(mutated))


def survives(data: bytes) -> bool:
    """Tell whether a file is refused, or written and read again to the same bytes."""
    try:
        instance = read_instance(data)
    except UnreadableSeriesError as error:
        return error.code in {"not_dicom", "truncated", "too_deep", "unsupported_syntax"}
    for tag in (0x00080016, 0x00080018):
        instance.data_set.drop(tag)
    written = b"".join(write_instance(instance, meta=META))
    pydicom.dcmread(io.BytesIO(written))
    return again(written) == written
