"""Values by their representation: what is not of its shape goes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import python_encoding

from lesionary.ingest.deidentify.characters import decode
from lesionary.ingest.deidentify.dummies import dummy
from lesionary.ingest.deidentify.values import (
    TEXT_LETTERS,
    WORD_BYTES,
    clean_age,
    clean_binary,
    clean_cs,
    clean_ds,
    clean_is,
    clean_text,
    uids,
)
from lesionary.ingest.deidentify.words import Words

WORDS = Words()
CHARSETS = sorted(term for term in python_encoding if term)


@given(st.binary(), st.sampled_from(["", *CHARSETS]), st.sampled_from(["SH", "LO", "LT", "UT"]))
def test_any_bytes_are_cleaned_without_an_error(value, charset, vr):
    cleaned = clean_text(value, vr, [charset] if charset else [], WORDS)
    assert clean_text(cleaned, vr, ["ISO_IR 192"], WORDS) == cleaned


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_name_in_any_character_set_goes_and_the_words_stay(charset):
    codec = python_encoding[charset]
    name = {"shift_jis": "ﾔﾏﾀﾞ", "iso2022_jp": "山田太郎", "euc_kr": "김희중"}.get(codec, "Müller")
    value = b"CT " + name.encode(codec, "ignore") + b" LIVER"
    assert clean_text(value, "LO", [charset], WORDS).split() in ([b"CT", b"LIVER"], [b"CT"])


def test_names_behind_escape_sequences_go():
    value = b"LIVER Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B CT"
    assert clean_text(value, "LO", ["", "ISO 2022 IR 87"], WORDS) == b"LIVER CT"


def test_words_behind_escape_sequences_stay():
    value = b"\x1b-ASch\xe4del CT"
    assert (
        clean_text(value, "LO", ["ISO 2022 IR 6", "ISO 2022 IR 100"], WORDS)
        == "Schädel CT".encode()
    )


def test_a_latin_text_without_a_character_set_is_read():
    assert decode("Schädel".encode("latin-1"), []) == decode("Schädel".encode(), []) == "Schädel"


def test_what_cannot_be_decoded_goes_with_its_word():
    assert clean_text(b"LIVER Lun\xffg CT", "LO", ["ISO_IR 192"], WORDS) == b"LIVER CT"


def test_values_keep_their_places():
    assert clean_text(b"SMITH\\CT LIVER", "LO", [], WORDS) == b"\\CT LIVER"
    assert clean_text(b"SMITH\\DOE", "LO", [], WORDS) == b""


@pytest.mark.parametrize(("vr", "n_letters"), sorted(TEXT_LETTERS.items()))
def test_texts_are_cut_at_their_length_and_stay_allowed(vr, n_letters):
    cleaned = clean_text(b"LIVER " * (n_letters // 5), vr, [], WORDS)
    assert len(cleaned) <= n_letters
    assert set(cleaned.split()) == {b"LIVER"}


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (b"ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI", b"ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI"),
        (b"ORIGINAL\\PRIMARY\\SMITH", b"ORIGINAL\\PRIMARY\\OTHER"),
        (b"SMITH", b""),
        (b"SMITH\\JONES", b""),
        (b"HFS ", b"HFS"),
        (b"MONOCHROME2", b"MONOCHROME2"),
        (b"YES", b"YES"),
        (b"HAS OBS CONTEXT", b"HAS OBS CONTEXT"),
        (b"CHEST", b"CHEST"),
        (b"HAND", b"HAND"),
        (b"L\\P", b"L\\P"),
        (b"DERIVED\\SECONDARY\\\\MIP", b"DERIVED\\SECONDARY\\\\MIP"),
        (b"12345678", b""),
        (b"M\xfcller", b""),
        (b"", b""),
    ],
)
def test_code_strings_stay_whole_or_not_at_all(value, cleaned):
    assert clean_cs(value, WORDS) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (b"045Y", b"045Y"),
        (b"089Y", b"089Y"),
        (b"090Y", b"090Y"),
        (b"101Y", b"090Y"),
        (b"92y ", b"090Y"),
        (b"006M", b"006M"),
        (b"1080M", b"090Y"),
        (b"1079M", b"089Y"),
        (b"999W", b"999W"),
        (b"9999D", b"027Y"),
        (b"Smith", b""),
        (b"45", b""),
        (b"", b""),
        (b"045Y\\Doe", b"045Y\\"),
    ],
)
def test_no_age_is_above_ninety(value, cleaned):
    assert clean_age(value) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (b"1.5 ", b"1.5"),
        (b"-1\\+2.\\.5\\1e-3", b"-1\\+2.\\.5\\1e-3"),
        (b"1\\Smith\\2", b""),
        (b"0.48828125000000001", b"0.48828125000000001"),
        (b"370000000", b"370000000"),
        (b"nan", b""),
        (b"01234567890123", b""),
        (b"1,5", b""),
        (b"", b""),
        (b"555-0123", b""),
    ],
)
def test_decimal_numbers_stay_as_written(value, cleaned):
    assert clean_ds(value) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [(b" 12 ", b"12"), (b"-5\\7", b"-5\\7"), (b"1234567890", b""), (b"1.5", b""), (b"Doe", b"")],
)
def test_whole_numbers_stay_as_written(value, cleaned):
    assert clean_is(value) == cleaned


def test_what_is_no_uid_is_told_from_what_is():
    value = b"1.2.840.10008.1.1\0\\John Doe\\1.2.03\\12345\\" + b"1." * 40 + b"1"
    assert uids(value) == ["1.2.840.10008.1.1", "", "1.2.03", "", ""]


@given(st.binary(max_size=40), st.sampled_from(sorted(WORD_BYTES)))
def test_binary_values_are_made_of_whole_words(value, vr):
    cleaned = clean_binary(value, vr)
    assert cleaned == (b"" if len(value) % WORD_BYTES[vr] else value)


def test_unknown_representations_keep_nothing():
    assert clean_binary(b"SMITH", "UN") == b""


@pytest.mark.parametrize(
    "vr", sorted({*WORD_BYTES, *TEXT_LETTERS, "PN", "DA", "TM", "DT", "CS", "DS", "IS"})
)
def test_dummies_are_valid_and_not_empty(vr):
    value = dummy(0x00091001, vr)
    assert value
    assert len(value) % WORD_BYTES.get(vr, 1) == 0
    if vr in {"DS", "IS"}:
        assert clean_ds(value) == clean_is(value) == value
    assert re.fullmatch(rb"[\x00-\x7f]*", value)


def test_a_dummy_fits_its_enumeration():
    assert dummy(0x00100040, "CS") == b"O"
    assert dummy(0x00081111, "SQ") == b""


def test_one_id_is_one_text_in_every_character_set():
    written = [
        ("山本".encode("iso2022_jp"), ["", "ISO 2022 IR 87"]),
        ("山本".encode(), ["ISO_IR 192"]),
        ("山本".encode("gb18030"), ["GB18030"]),
    ]
    assert {decode(value, charsets) for value, charsets in written} == {"山本"}


@pytest.mark.parametrize("term", ["ISO_IR 203", "ISO 2022 IR 203"])
def test_latin_9_is_known(term):
    assert decode("Œuvre 5 €".encode("iso8859-15"), [term]) == "Œuvre 5 €"
