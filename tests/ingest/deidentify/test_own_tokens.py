"""A header's own words and numbers: what is told, what it is taken for, where it is found again."""

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.codes import Code
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.own_identifiers import GONE
from lesionary.ingest.deidentify.own_sources import own_tokens_of
from lesionary.ingest.deidentify.own_tokens import NOTHING, OwnTokens
from lesionary.ingest.deidentify.own_told import Source, tokens_of
from lesionary.ingest.deidentify.unowned import unowned_code, unowned_terms
from lesionary.ingest.deidentify.words import Words

NUMBER = "123456789"
WORDS = Words()
SURNAMES = ["Colon", "Brain", "Bone", "Swan", "Blue", "Pool", "Free", "Rider", "Cheek", "Testa"]


def told(**texts: str) -> OwnTokens:
    return tokens_of(
        frozenset((Source[kind.upper()], text) for kind, text in texts.items()), NUMBER
    )


@pytest.mark.parametrize("name", SURNAMES)
@pytest.mark.parametrize("form", ["{}", "CT {} 5mm", "{}MRI", "mri_{}_2", "T1{}", "{}12"])
def test_a_surname_is_found_wherever_it_stands_in_any_case(name, form):
    own = told(name=f"{name}^Quxxa")
    for written in (name, name.upper()):
        text = form.format(written)
        assert own.occur_in(text)
        assert name.casefold() not in own.marked(text).casefold()


def test_a_word_that_only_begins_like_a_name_stays():
    own = told(name="Li^Na")
    assert own.marked("LINE NASAL FLAIR LI Na") == f"LINE NASAL FLAIR {GONE} {GONE}"


def test_two_names_written_as_one_are_found():
    assert told(name="Swan^Bella").occur_in("BELLASWAN")
    assert not told(name="Swan^Bella").occur_in("SWALLOW")
    assert not told(name="Tran^An").occur_in("TRANSVERSE ANT")


@pytest.mark.parametrize(
    ("name", "text"),
    [("Müller^Ä", "MULLER"), ("Müller^Ä", "Mueller"), ("Smith-Jones^A", "smithjones"),
     ("O'Brien^A", "OBRIEN"), ("Łoś^A", "los"), ("A^B=X^Y=Kranke^C", "kranke")],
)  # fmt: skip
def test_a_name_is_found_in_other_spellings(name, text):
    assert told(name=name).occur_in(text)


@pytest.mark.parametrize(
    "name",
    [
        "ANONYMOUS",
        "LIVER^PHANTOM",
        "Removed",
        "PATIENT^TEST",
        "Dr.^MR^CT",
        "X^Y",
        "UNKNOWN^III",
        NUMBER,
    ],
)
def test_stand_ins_titles_modalities_and_our_own_number_are_no_names(name):
    assert not told(name=name)


def test_particles_are_no_names_unless_they_are_all_of_one():
    assert not told(name="de la Cruz^Maria").occur_in("TC de la columna")
    assert told(name="Le^Van").occur_in("le CT")


def test_the_words_of_a_numbered_subject_stay_and_its_number_goes():
    own = told(name="QIN-HEADNECK-01-00317", identity="QIN-HEADNECK-01-00317")
    assert not own.occur_in("HEADNECK")
    assert own.occur_in("317") is False
    assert told(identity="HEADNECK-48213").occur_in("48213")


@pytest.mark.parametrize(
    ("identity", "text"),
    [("482137", "0482137"), ("00482137", "482137mm"), ("482137", "A482137"), ("482137", "482-137"),
     ("123-45-6789", "123456789.0 mm"), ("123-45-6789", "123 45 6789"), ("AB12345", "ab12345"),
     ("+1 (212) 555-1234", "5551234"), ("+1 (212) 555-1234", "212.555.1234")],
)  # fmt: skip
def test_a_number_is_found_with_zeros_units_and_marks(identity, text):
    own = tokens_of(frozenset({(Source.IDENTITY, identity)}), "1")
    assert own.occur_in(text)
    assert not re.search("[0-9]{3}", own.marked(text))


def test_an_identifier_that_only_counts_is_a_stand_in_where_nobody_is_named():
    assert not told(name="Anonymous", identity="123456")
    assert told(name="Swan^A", identity="123456").occur_in("123456")


@pytest.mark.parametrize("identity", ["12", "123", "0007", "000", "A-1"])
def test_short_numbers_are_everybodys(identity):
    assert not told(identity=identity)


@pytest.mark.parametrize(
    "text", ["19640312", "12.03.1964", "12.3.1964", "3/12/64", "120364", "031264", "1964-03-12"]
)
def test_a_birth_date_is_found_in_its_usual_forms(text):
    assert told(birth="19640312").occur_in(text)


@pytest.mark.parametrize("text", ["1964", "12.3", "3/12", "64", "1203"])
def test_parts_of_a_birth_date_alone_are_no_tokens(text):
    assert not told(birth="19640312").occur_in(text)


@pytest.mark.parametrize(
    ("value", "is_own"),
    [(b"482137", True), (b"-0482137.00", True), (b"+482137", True), (b"1\\482137\\2", True),
     (b"482137.5", False), (b"4821370", False), (b"137", False), (b"", False), (b"x", False)],
)  # fmt: skip
def test_a_decimal_number_is_own_whatever_its_sign_and_zeros(value, is_own):
    assert told(identity="482137").number_in(value) is is_own


def test_needed_numbers_may_share_the_digits_of_a_short_record():
    assert told(identity="1024").number_in(b"-1024")
    assert not told(identity="1024").number_in(b"-1024", least_digits=6)


@pytest.mark.parametrize(("vr", "form"), [("FD", "d"), ("UL", "I"), ("SL", "i"), ("UV", "Q")])
def test_a_binary_number_is_own_where_it_has_many_digits(vr, form):
    own = tokens_of(frozenset({(Source.IDENTITY, "482137"), (Source.IDENTITY, "1024")}), NUMBER)
    assert own.binary_number_in(struct.pack(f"<{form}", 482137), vr)
    assert not own.binary_number_in(struct.pack(f"<{form}", 1024), vr)


@given(st.floats(width=64))
def test_no_binary_number_is_too_odd(number):
    assert not told(identity="482137135").binary_number_in(struct.pack("<d", number), "FD")


@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=4))
def test_what_is_marked_holds_no_token_any_more(text, names):
    own = tokens_of(frozenset((Source.NAME, name) for name in names), NUMBER)
    left = text
    for _ in range(len(text) + 1):
        if not own.occur_in(left):
            break
        left = own.marked(left)
    assert not own.occur_in(left)


def test_places_tell_their_names_but_not_what_places_are_called():
    own = told(place="Swan Head and Breast Clinic, 12 Pool Lane")
    assert own.occur_in("swan")
    assert own.occur_in("Pool")
    assert not own.occur_in("CT head breast and 12")


def test_all_levels_and_all_names_are_heard():
    inner, item = DataSet(), DataSet()
    inner.put(Element(0x0040A123, "PN", b"Swan^Bella\\Pool^Tilda"))
    item.put(Element(0x0040A730, "SQ", items=[inner]))
    item.put(Element(0x00100030, "DA", b"19640312"))
    top = DataSet()
    top.put(Element(0x00080005, "CS", b"ISO_IR 100"))
    top.put(Element(0x00081115, "SQ", items=[item]))
    top.put(Element(0x00100020, "LO", b"482137 "))
    top.put(Element(0x00081070, "UN", "Größe^A".encode("latin-1")))
    own = own_tokens_of(top, NUMBER)
    assert {"SWAN", "BELLA", "POOL", "TILDA", "GROSSE", "GROESSE"} <= own.people
    assert {"482137", "19640312"} <= own.numbers


def test_a_treated_header_tells_nothing():
    top = DataSet()
    top.put(Element(0x00100010, "PN", NUMBER.encode()))
    top.put(Element(0x00100020, "LO", NUMBER.encode()))
    top.put(Element(0x00181000, "LO", b"REMOVED "))
    top.put(Element(0x00080090, "PN", b"ANONYMOUS "))
    assert not own_tokens_of(top, NUMBER)


def test_code_strings_lose_own_terms_and_keep_their_places():
    own = told(name="Swan^Lin", place="Head Lane")
    assert unowned_terms(0x00180022, b"SWAN_1\\FAT SAT", own) == b"OTHER\\FAT SAT"
    assert unowned_terms(0x00180022, b"SWAN", own) == b""
    assert unowned_terms(0x0040A040, b"TEXT", told(name="Text^A")) == b"TEXT"
    assert unowned_terms(0x00281040, b"LIN", own) == b"LIN"


def test_defined_terms_stay_whoever_is_called_so():
    own = told(name="Cheek^Axial", place="Hand Lane 4")
    assert unowned_terms(0x00180015, b"CHEEK", own) == b"CHEEK"
    assert unowned_terms(0x00080008, b"ORIGINAL\\PRIMARY\\AXIAL", own) == (
        b"ORIGINAL\\PRIMARY\\AXIAL"
    )


def test_another_part_of_the_body_goes_for_a_person_and_not_for_a_place():
    assert unowned_terms(0x00180015, b"BLUE LUNG", told(place="Blue Lane 4")) == b"BLUE LUNG"
    assert unowned_terms(0x00180015, b"BLUE LUNG", told(name="Blue^A")) == b""


def test_a_code_loses_own_words_but_not_what_the_standard_defines():
    own = told(name="Colon^A", identity="71854001")
    standard = Code("71854001", "SCT", "Colon")
    assert unowned_code(standard, own, WORDS) == standard
    assert unowned_code(Code("71854001", "SCT", "colon lesion"), own, WORDS).meaning == "lesion"
    assert unowned_code(Code("COLON", "99COLON", "Colon lesion"), own, WORDS) == Code(
        "REMOVED", "99LOCAL", "lesion"
    )
    assert unowned_code(Code("mm", "UCUM", "mm"), told(name="Mm^A"), WORDS).value == "mm"


@given(st.text(max_size=30))
def test_nothing_is_found_where_nothing_was_told(text):
    assert not NOTHING.occur_in(text)
    assert NOTHING.marked(text) == text


def test_tokens_are_in_no_repr():
    assert "SWAN" not in repr(told(name="Swan^A"))
