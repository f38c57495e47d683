"""Whole instances read into records: every encoding, every lie, every damage."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_factory import ct_series, encode
from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import DataSet, Instance
from lesionary.io.dicom import tree_reading
from lesionary.io.dicom.tree import read_instance
from lesionary.io.limits import Limits
from raw_dicom import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    explicit,
    file_of,
    implicit,
    item,
)

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
MODALITY, CODES, MEANING, ROWS = 0x00080060, 0x00081032, 0x00080104, 0x00280010
CLASS = explicit(0x00080016, "UI", b"1.2.3\0")
CT = explicit(MODALITY, "CS", b"CT")
WORD = explicit(MEANING, "LO", b"word")
PIXELS = 0x7FE00010


def read(*elements: bytes, syntax: str = EXPLICIT_LITTLE) -> Instance:
    return read_instance(file_of(*elements, syntax=syntax))


def refusal(data: bytes, **options) -> str:
    with pytest.raises(UnreadableSeriesError) as caught:
        read_instance(data, **options)
    assert caught.value.hint
    return caught.value.code


def outcome(data: bytes) -> str:
    """Return the code of a refusal, or that there was none; anything but house errors passes on."""
    try:
        read_instance(data)
    except UnreadableSeriesError as error:
        return error.code
    return "read"


def code_of(data_set: DataSet) -> bytes:
    (one,) = data_set.get(CODES).items
    return bytes(one.get(MEANING).value)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_gives_the_same_records(tmp_path, syntax):
    instance = read_instance(encode(ct_series(syntax=syntax)[0], tmp_path / "a.dcm").read_bytes())
    expected = read_instance(encode(ct_series()[0], tmp_path / "b.dcm").read_bytes())
    assert instance.transfer_syntax == syntax
    found = [(e.tag, e.vr, bytes(e.value)) for e in instance.data_set]
    assert found == [(e.tag, e.vr, bytes(e.value)) for e in expected.data_set]
    assert (instance.pixels.tag, instance.pixels.vr) == (PIXELS, "OW")
    assert instance.pixels.native == expected.pixels.native


@pytest.mark.parametrize("syntax", SYNTAXES[:3])
def test_a_file_without_preamble_or_meta_is_read(tmp_path, syntax):
    data = encode(ct_series(syntax=syntax)[0], tmp_path / "a.dcm").read_bytes()
    n_meta = 12 + struct.unpack_from("<L", data, 140)[0]
    assert read_instance(data[132:]).transfer_syntax == syntax
    bare = read_instance(data[132 + n_meta :])
    assert bare.transfer_syntax == ""
    assert bare.data_set.get(0x00100020).value == b"P-007 "


def test_elements_are_believed_over_the_syntax():
    assert read(CT, syntax=IMPLICIT_LITTLE).data_set.get(MODALITY).vr == "CS"
    assert read(implicit(MODALITY, b"CT")).data_set.get(MODALITY).vr == "CS"
    assert read(CT, syntax=DeflatedExplicitVRLittleEndian).data_set.get(MODALITY).value == b"CT"


def test_meta_written_with_implicit_vr_is_passed():
    meta = implicit(0x00020010, b"1.2.840.10008.1.2.1\0")
    instance = read_instance(b"\0" * 128 + b"DICM" + meta + CT)
    assert (instance.transfer_syntax, len(instance.data_set.elements)) == (EXPLICIT_LITTLE, 1)


def test_pixels_and_long_values_are_views_of_the_file():
    data = file_of(CT, explicit(0x00420011, "OB", b"x" * 70_000), explicit(PIXELS, "OW", b"12" * 9))
    instance = read_instance(data)
    assert instance.data_set.get(0x00420011).value.obj is data
    assert instance.pixels.native.obj is data
    assert instance.pixels.native == b"12" * 9


@pytest.mark.parametrize("buffer_type", [bytes, bytearray, memoryview])
def test_any_buffer_is_read(buffer_type):
    assert read_instance(buffer_type(file_of(CT))).data_set.get(MODALITY).value == b"CT"


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("is_item_open", [True, False])
def test_sequences_of_every_length_are_read(is_open, is_item_open):
    items = item(WORD, is_open_ended=is_item_open) + item()
    value = items + (SEQUENCE_END if is_open else b"")
    instance = read(explicit(CODES, "SQ", value, UNDEFINED if is_open else None), CT)
    first, second = instance.data_set.get(CODES).items
    assert (first.get(MEANING).value, len(second.elements)) == (b"word", 0)
    assert instance.data_set.get(MODALITY).value == b"CT"


def test_a_missing_item_delimiter_is_made_up_for():
    open_item = item(WORD, is_open_ended=True)[: -len(ITEM_END)]
    instance = read(explicit(CODES, "SQ", open_item * 2 + SEQUENCE_END, UNDEFINED), CT)
    assert [bytes(i.get(MEANING).value) for i in instance.data_set.get(CODES).items] == [
        b"word",
        b"word",
    ]


@pytest.mark.parametrize("inside", [implicit(MEANING, b"word"), WORD])
@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("tag", [CODES, 0x00091001, 0x00191001])
def test_unknown_elements_give_away_the_sequences_they_hide(inside, is_open, tag):
    value = item(inside) + (SEQUENCE_END if is_open else b"")
    instance = read(explicit(tag, "UN", value, UNDEFINED if is_open else None), CT)
    element = instance.data_set.get(tag)
    assert (element.vr, bytes(element.items[0].get(MEANING).value)) == ("SQ", b"word")
    assert instance.data_set.get(MODALITY).value == b"CT"


def test_a_sequence_under_a_false_vr_is_a_sequence():
    assert code_of(read(explicit(CODES, "OB", item(WORD)), CT).data_set) == b"word"
    assert code_of(read(explicit(CODES, "LO", item(WORD)), CT).data_set) == b"word"


def test_what_only_looks_like_a_sequence_stays_bytes():
    value = item(b"no element at all")
    inner = explicit(0x00091001, "UN", value)
    instance = read(inner, explicit(CODES, "SQ", item(inner + WORD)), CT)
    assert (instance.data_set.get(0x00091001).vr, instance.data_set.get(0x00091001).value) == (
        "UN",
        value,
    )
    assert code_of(instance.data_set) == b"word"


def test_known_elements_get_their_vr_back_if_they_fit_it():
    instance = read(
        explicit(0x00100010, "UN", b"A^B "),
        explicit(0x00110001, "UN", b"??"),
        explicit(ROWS, "UN", b"\1\0\2\0\3"),
        explicit(0x00280011, "UN", b"\1\0"),
        explicit(0x00720080, "UN", b"nothing that is known as sequence"),
    )
    assert [e.vr for e in instance.data_set] == ["PN", "UN", "UN", "US", "UN"]


def test_unknown_letters_and_no_letters_are_read_by_the_dictionary():
    odd = explicit(MODALITY, "ZZ", b"CT")
    mixed = implicit(0x00080070, b"maker ")
    instance = read(explicit(0x00080005, "CS", b"ISO_IR 6"), odd, mixed)
    assert [(e.vr, bytes(e.value)) for e in instance.data_set][1:] == [
        ("CS", b"CT"),
        ("LO", b"maker "),
    ]


@pytest.mark.parametrize(("representation", "vr"), [(b"\1\0", "SS"), (b"\0\0", "US"), (b"", "US")])
def test_the_sign_of_pixels_decides_for_padding_and_within_items_too(representation, vr):
    smallest = implicit(0x00280106, b"\xff\xff")
    instance = read(
        implicit(MODALITY, b"CT"),
        implicit(0x00280103, representation),
        smallest,
        implicit(0x00283010, item(implicit(0x00283002, b"\1\0" * 3))),
        syntax=IMPLICIT_LITTLE,
    )
    assert instance.data_set.get(0x00280106).vr == vr
    assert instance.data_set.get(0x00283010).items[0].get(0x00283002).vr == vr


@pytest.mark.parametrize(
    ("bits", "vr"), [(b"\x08\0", "OB"), (b"\x10\0", "OW"), (b"\x01\0", "OB"), (b"", "OW")]
)
def test_the_bits_of_a_cell_decide_between_bytes_and_words(bits, vr):
    instance = read(
        implicit(MODALITY, b"CT"), implicit(0x00280100, bits), implicit(PIXELS, b"1234")
    )
    assert instance.pixels.vr == vr


@pytest.mark.parametrize(("n_entries", "vr"), [(1, "US"), (2, "OW"), (None, "OW")])
def test_tables_are_words_and_one_entry_is_a_number(n_entries, vr):
    descriptor = implicit(0x00283002, struct.pack("<HHH", n_entries or 0, 0, 16))
    data = implicit(0x00283006, b"\1\0" * (n_entries or 0))
    instance = read(implicit(MODALITY, b"CT"), descriptor if n_entries else b"", data)
    assert instance.data_set.get(0x00283006).vr == vr


@pytest.mark.parametrize(("n_words", "vr"), [(1, "US"), (2, "OW")])
def test_old_gray_tables_are_words_as_well(n_words, vr):
    instance = read(implicit(MODALITY, b"CT"), implicit(0x00281200, b"\1\0" * n_words))
    assert instance.data_set.get(0x00281200).vr == vr


@pytest.mark.parametrize(("bits", "vr"), [(8, "OB"), (16, "OW")])
def test_waveforms_and_overlays_have_the_vr_that_their_bits_ask_for(bits, vr):
    wave = implicit(0x54001004, struct.pack("<H", bits)) + implicit(0x54001010, b"1234")
    instance = read(
        implicit(MODALITY, b"CT"), implicit(0x54000100, item(wave)), implicit(0x60023000, b"12")
    )
    assert instance.data_set.get(0x54000100).items[0].get(0x54001010).vr == vr
    assert instance.data_set.get(0x60023000).vr == "OW"


@pytest.mark.parametrize(
    ("vr", "bits", "dtype"), [("OW", 16, "H"), ("OW", 32, "I"), ("OB", 8, "B"), ("OF", 32, "f")]
)
def test_words_of_big_endian_pixels_are_turned_around(vr, bits, dtype):
    tag = 0x7FE00008 if vr == "OF" else PIXELS
    array = np.arange(6).astype(">" + dtype)
    instance = read(
        explicit(MODALITY, "CS", b"CT", order=">"),
        explicit(0x00280100, "US", struct.pack(">H", bits), order=">"),
        explicit(0x00281201, "OW", b"\1\2", order=">"),
        explicit(tag, vr, array.tobytes(), order=">"),
        syntax=ExplicitVRBigEndian,
    )
    assert np.array_equal(np.frombuffer(instance.pixels.native, "<" + dtype), array)
    assert instance.data_set.get(0x00281201).value == b"\2\1"


def test_bytes_of_eight_bit_words_are_told_apart():
    instance = read(
        explicit(0x00280100, "US", b"\0\x08", order=">"),
        explicit(PIXELS, "OW", b"2143", order=">"),
        syntax=ExplicitVRBigEndian,
    )
    assert instance.pixels.native == b"1234"


def test_unknown_values_of_a_big_endian_file_are_little_endian():
    instance = read(
        explicit(MODALITY, "CS", b"CT", order=">"),
        explicit(ROWS, "UN", b"\1\0", order=">"),
        explicit(CODES, "UN", item(implicit(MEANING, b"word")), order=">"),
        explicit(0x00280011, "US", b"\0\2", order=">"),
        syntax=ExplicitVRBigEndian,
    )
    assert instance.data_set.get(ROWS).value == b"\1\0"
    assert instance.data_set.get(0x00280011).value == b"\2\0"
    assert code_of(instance.data_set) == b"word"


def test_the_pixels_of_one_maker_are_big_endian_by_themselves():
    instance = read(
        implicit(0x00280100, b"\x10\0"), implicit(PIXELS, b"\1\0"), syntax="1.2.840.113619.5.2"
    )
    assert instance.data_set.get(0x00280100).value == b"\x10\0"
    assert instance.pixels.native == b"\0\1"


def test_fragments_are_taken_as_they_lie():
    data = item(b"\0\0\0\0") + item(b"one " + SEQUENCE_END) + item(b"two ") + SEQUENCE_END
    data = file_of(CT, explicit(PIXELS, "OB", data, UNDEFINED), syntax="1.2.840.10008.1.2.5")
    pixels = read_instance(data).pixels
    assert (pixels.native, pixels.offsets) == (None, b"\0\0\0\0")
    assert [bytes(f) for f in pixels.fragments] == [b"one " + SEQUENCE_END, b"two "]
    assert all(f.obj is data for f in pixels.fragments)


def test_a_compressed_icon_is_an_element():
    icon = explicit(PIXELS, "OB", item() + item(b"ab") + item(b"cd") + SEQUENCE_END, UNDEFINED)
    instance = read(explicit(0x00880200, "SQ", item(icon)), syntax=EXPLICIT_LITTLE)
    element = instance.data_set.get(0x00880200).items[0].get(PIXELS)
    assert (element.vr, element.value, instance.pixels) == ("OB", b"abcd", None)


def test_fragments_in_the_place_of_a_creator_are_nothing():
    fragments = item() + item(b"ab") + SEQUENCE_END
    instance = read(CT, explicit(0x00090010, "OB", fragments, UNDEFINED))
    assert list(instance.data_set.elements) == [MODALITY]
    assert not instance.data_set.private_creators


@pytest.mark.parametrize("syntax", [EXPLICIT_LITTLE, "", "1.2.840.10008.1.2.4.JOHN", "1.2.3"])
def test_compressed_pixels_of_no_known_syntax_are_refused(syntax):
    pixels = explicit(PIXELS, "OB", item() + item(b"ab") + SEQUENCE_END, UNDEFINED)
    assert refusal(file_of(CT, pixels, syntax=syntax)) == "unsupported_syntax"


def test_what_only_fills_or_repeats_is_left_out():
    instance = read(
        explicit(0x00080000, "UL", b"\1\0\0\0"),
        CT,
        explicit(MODALITY, "CS", b"MR"),
        explicit(0x00090000, "UL", b"\1\0\0\0"),
        explicit(CODES, "SQ", item(WORD)),
        explicit(CODES, "SQ", item(explicit(MEANING, "LO", b"last"))),
        explicit(PIXELS, "OW", b"12"),
        explicit(0xFFFCFFFC, "OB", b"padding "),
    )
    assert sorted(instance.data_set.elements) == [MODALITY, CODES]
    assert instance.data_set.get(MODALITY).value == b"CT"
    assert code_of(instance.data_set) == b"word"
    assert instance.n_trailing_bytes == 0


def test_creators_are_known_to_their_own_data_set_only():
    inner = explicit(0x00090010, "LO", b"INNER ") + explicit(0x00091002, "SH", b"b ")
    instance = read(
        explicit(0x00090010, "LO", b"OUTER\0"),
        explicit(0x00090011, "LO", b"x" * 66),
        explicit(0x00091001, "SQ", item(inner)),
        explicit(0x00091101, "SH", b"of nobody"),
    )
    assert instance.data_set.private_creators == {0x00091000: "OUTER"}
    (one,) = instance.data_set.get(0x00091001).items
    assert one.private_creators == {0x00091000: "INNER"}
    assert list(one.elements) == [0x00091002]
    assert 0x00090010 not in instance.data_set.elements


def test_private_elements_of_implicit_files_get_the_vr_of_their_creator():
    instance = read(
        implicit(0x00190010, b"GEMS_ACQU_01"),
        implicit(0x00191002, b"\1\0\0\0"),
        implicit(0x00191103, b"\1\0\0\0"),
        syntax=IMPLICIT_LITTLE,
    )
    assert [e.vr for e in instance.data_set] == ["SL", "UN"]


@pytest.mark.parametrize(
    "junk", [b"JOHN DOE", b"JOHN DOE 1970", b"\0" * 7, b"DICM" * 40, CT, ITEM_END, b"\x10\0\x10"]
)
def test_what_lies_behind_the_pixels_is_counted_and_never_read(junk):
    instance = read(CT, explicit(PIXELS, "OW", b"12"), junk)
    assert instance.n_trailing_bytes == len(junk)
    assert list(instance.data_set.elements) == [MODALITY]


def test_a_sequence_that_breaks_behind_the_pixels_is_not_kept_in_part():
    broken = explicit(0xFFFAFFFA, "SQ", item(WORD), 4000)
    instance = read(CT, explicit(PIXELS, "OW", b"12"), broken)
    assert instance.n_trailing_bytes == len(broken)
    assert list(instance.data_set.elements) == [MODALITY]


@pytest.mark.parametrize("tag", [0x7FE00009, PIXELS])
def test_pixels_behind_pixels_are_trailing_bytes(tag):
    second = explicit(tag, "OW", b"12345678")
    instance = read(CT, explicit(0x7FE00009, "OD", b"12345678"), second)
    assert (instance.pixels.tag, instance.n_trailing_bytes) == (0x7FE00009, len(second))


def test_elements_behind_the_pixels_are_elements():
    signature = explicit(0xFFFAFFFA, "SQ", item(WORD))
    instance = read(CT, explicit(PIXELS, "OW", b"12"), signature)
    assert list(instance.data_set.elements) == [MODALITY, 0xFFFAFFFA]


@pytest.mark.parametrize("junk", [b"JOHN DOE born 1970 in a town", b"\0" * 7, b"!" * 9])
def test_what_hangs_on_an_object_without_pixels_is_counted(junk):
    assert read(CLASS, CT, junk).n_trailing_bytes == len(junk)


@pytest.mark.parametrize("vr", ["OW", "OB"])
def test_a_header_that_breaks_before_its_end_is_no_whole_object(vr):
    lost = explicit(0x00200013, "IS", b"7 ")
    assert refusal(file_of(CLASS, CT, b"noise in between....", lost)) == "not_dicom"
    image = file_of(CLASS, explicit(ROWS, "US", b"\1\0"), b"noise in the place of pixels")
    assert refusal(image) == "not_dicom"


def test_what_lies_behind_a_deflated_data_set_is_counted():
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(CT) + packer.flush()
    data = file_of(packed, b"JOHN", syntax=DeflatedExplicitVRLittleEndian)
    assert read_instance(data).n_trailing_bytes == 4
    assert refusal(data[:-8]) == "truncated"


def test_a_deflated_bomb_is_refused():
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(explicit(0x00420011, "OB", bytes(1 << 20))) + packer.flush()
    data = file_of(packed, syntax=DeflatedExplicitVRLittleEndian)
    assert refusal(data, inflated_limit=1 << 19) == "archive_limit"
    assert len(read_instance(data).data_set.elements) == 1


@pytest.mark.parametrize("levels", [63, 64, 20_000])
@pytest.mark.parametrize("is_open", [True, False])
def test_levels_are_counted_and_too_many_refused(levels, is_open):
    body = b""
    if is_open:
        opening = explicit(CODES, "SQ", item(is_open_ended=True)[: -len(ITEM_END)], UNDEFINED)
        body = opening * levels + (ITEM_END + SEQUENCE_END) * levels
    else:
        for _ in range(min(levels, 400)):
            body = explicit(CODES, "SQ", item(body))
    if levels < 64:
        assert read_instance(file_of(body)).data_set.get(CODES).vr == "SQ"
    else:
        assert refusal(file_of(body)) == "too_deep"
        assert refusal(file_of(body), limits=Limits(nesting=2)) == "too_deep"


def test_depth_hidden_in_unknown_elements_counts_as_well():
    body = b""
    for _ in range(70):
        body = implicit(0x00091001, item(body))
    assert refusal(file_of(explicit(0x00091001, "UN", item(body)))) == "too_deep"


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ((explicit(MODALITY, "CS", b"CT", 40),), "truncated"),
        ((explicit(PIXELS, "OW", b"12", 40),), "truncated"),
        ((CT, explicit(CODES, "SQ", item(WORD), UNDEFINED)), "truncated"),
        ((CT, explicit(CODES, "SQ", item(WORD, length=90), 98)), "truncated"),
        ((CT, explicit(CODES, "SQ", item(WORD, length=90)), CT * 20), "not_dicom"),
        ((CT, explicit(CODES, "SQ", item(explicit(MEANING, "LO", b"", 9))), CT * 4), "not_dicom"),
        ((CT, explicit(CODES, "SQ", b"no items"), CT), "not_dicom"),
        ((CT, explicit(CODES, "SQ", item(SEQUENCE_END)), CT), "not_dicom"),
        ((CT, SEQUENCE_END), "not_dicom"),
        ((CT, explicit(0x00011111, "LO", b"", 4000)), "not_dicom"),
        ((), "not_dicom"),
        ((explicit(0x00080000, "UL", b"1234"),), "not_dicom"),
    ],
)
def test_damage_has_a_name(elements, code):
    assert refusal(file_of(*elements)) == code


@pytest.mark.parametrize("cut", [4, 11, 20])
def test_fragments_that_stop_are_truncated(cut):
    pixels = explicit(PIXELS, "OB", item() + item(b"abcd") + SEQUENCE_END, UNDEFINED)
    data = file_of(CT, pixels, syntax="1.2.840.10008.1.2.5")
    assert refusal(data[:-cut]) == "truncated"
    wrong = explicit(PIXELS, "OB", item() + CT + SEQUENCE_END, UNDEFINED)
    assert refusal(file_of(CT, wrong, syntax="1.2.840.10008.1.2.5")) == "not_dicom"


@pytest.mark.parametrize("data", [b"", b"DICM", b"a text that is no image", b"\0" * 400])
def test_what_does_not_begin_like_dicom_is_refused(data):
    assert refusal(data) == "not_dicom"


def hostile_bodies() -> list[bytes]:
    n_bytes = 1 << 20
    empty_items = explicit(CODES, "SQ", item() * (n_bytes // 8))
    openings = explicit(CODES, "SQ", item(length=UNDEFINED), UNDEFINED) * (n_bytes // 20)
    false_items = explicit(0x00091001, "UN", item(length=100)) * (n_bytes // 20)
    claims = explicit(CODES, "SQ", item(length=12), 8_000) * (n_bytes // 20)
    nested = b"".join(
        explicit(0x00091001, "UN", item(length=n_bytes - 20 * k - 20), n_bytes - 20 * k - 12)
        for k in range(60)
    )
    return [empty_items, openings, false_items, claims, nested + b"\1" * (n_bytes - len(nested))]


@pytest.mark.parametrize("body", hostile_bodies(), ids=range(5))
def test_a_hostile_megabyte_comes_to_an_end(body):
    # quadratic work on a million bytes would not end here at all
    assert outcome(file_of(CT, body)) in {"read", "too_deep", "not_dicom"}


def test_millions_of_elements_are_too_many(monkeypatch):
    monkeypatch.setattr(tree_reading, "MOST_STEPS", 10)
    assert refusal(file_of(CT * 10)) == "size_claim"
    assert outcome(file_of(CT * 9)) == "read"


@given(st.binary(max_size=600))
def test_noise_is_read_or_refused(noise):
    for data in (noise, b"\0" * 128 + b"DICM" + noise, file_of(CT, noise), file_of(CLASS, noise)):
        assert outcome(data) in {"read", "not_dicom", "truncated", "unsupported_syntax"}


@given(st.data())
def test_a_cut_file_is_refused_or_lacks_what_was_cut(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "whole.dcm"
    whole = encode(ct_series()[0], path).read_bytes()
    cut = whole[: data.draw(st.integers(140, len(whole) - 1))]
    if outcome(cut) == "read":
        left, all_of_it = read_instance(cut), read_instance(whole)
        assert left.pixels is None
        assert left.data_set.elements.keys() <= all_of_it.data_set.elements.keys()
        for element in left.data_set:
            assert element.value == all_of_it.data_set.get(element.tag).value
