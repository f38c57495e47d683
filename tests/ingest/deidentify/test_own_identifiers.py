"""A header's identifiers: which count, and that no glue and no separators hide one."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.own_identifiers import (
    GONE,
    Identifier,
    identifier_of,
    pattern_of,
    squeezed,
    without,
)
from lesionary.ingest.deidentify.own_sources import own_tokens_of
from lesionary.ingest.deidentify.own_tokens import OwnTokens
from lesionary.ingest.deidentify.own_told import Source, tokens_of
from lesionary.ingest.deidentify.unowned import without_public_names
from lesionary.ingest.deidentify.vocabulary import folded

SEPARATORS = st.text("-_ ./^", max_size=2)
MAKER, MODEL, SEQUENCE, VERSION, KERNEL = (
    0x00080070, 0x00081090, 0x00180024, 0x00181020, 0x00181210,
)  # fmt: skip
LETTERS = "ABEGHKMQVXZ"
WORDS_AROUND = st.sampled_from(["", "CT", "x", "Lesion", "mm", "T1", " ", "PET ", "äß"])


def own(*texts: str, source: Source = Source.IDENTITY) -> OwnTokens:
    return tokens_of(frozenset((source, text) for text in texts), "123456789")


def identifiers(least_digits: int) -> st.SearchStrategy[list[str]]:
    """Runs of letters and digits in turn: long enough that nothing hides one."""
    letters = st.text(LETTERS, min_size=1, max_size=4)
    digits = st.text("123456789", min_size=least_digits, max_size=6)
    return st.one_of(
        st.lists(digits, min_size=1, max_size=3).filter(lambda runs: sum(map(len, runs)) >= 5),
        st.tuples(letters, digits).map(list),
        st.tuples(digits, letters, digits).map(list),
        st.tuples(letters, digits, letters).map(list),
    )


@given(identifiers(4), st.data(), WORDS_AROUND, WORDS_AROUND)
def test_no_separators_and_no_glue_hide_an_identifier(runs, data, before, behind):
    written = "-".join(runs)
    identifier = identifier_of(written)
    assert identifier is not None
    respaced = runs[0] + "".join(data.draw(SEPARATORS) + run for run in runs[1:])
    cased = data.draw(st.sampled_from([str.upper, str.lower, str.title]))(respaced)
    text = before + data.draw(SEPARATORS) + cased + data.draw(SEPARATORS) + behind
    assert own(written).occur_in(text)
    assert identifier.key not in squeezed(without(text, [identifier]).replace(GONE, " | "))


@given(identifiers(4), st.text("0123456789", max_size=3), st.text("0123456789", max_size=3))
def test_digits_around_hide_no_long_number(runs, before, behind):
    identifier = identifier_of(" ".join(runs))
    assert identifier is not None
    assert pattern_of(identifier).search(before + "".join(runs) + behind)


@given(st.from_regex(r"[AEGKQUZ][1-9]{2}", fullmatch=True), st.sampled_from(["", "-", "_", " "]))
def test_three_characters_are_found_glued_or_apart(short, separator):
    glued, apart = f"xx{short}yy", f"CT {short[0]}{separator}{short[1:]} liver"
    assert own(short).occur_in(glued)
    assert own(short).occur_in(apart)
    assert short not in squeezed(without(f"{glued}, {apart}", [Identifier(short)]))


@given(identifiers(1), st.text(max_size=60))
def test_a_text_without_an_identifier_is_unchanged(runs, text):
    identifier = identifier_of("-".join(runs))
    assume(identifier is not None and identifier.key not in squeezed(text))
    assert without(text, [identifier]) == text


@given(identifiers(2), st.lists(st.sampled_from(["CT", "5 mm", "T2", "lesion", "3.0", "b1000"])))
def test_what_is_no_identifier_stays_around_one(runs, words):
    written = "-".join(runs)
    identifier = identifier_of(written)
    assume(identifier is not None and identifier.key not in squeezed(" ".join(words)))
    text = f"{' '.join(words)} ; {written} ; {' '.join(words)}"
    left = re.sub(rf" *{GONE} *", " ", without(text, [identifier])).split(";")
    assume(len(left) == 3)
    assert left[0].split() == left[2].split() == " ".join(words).split()


@given(st.text(max_size=30), identifiers(1), SEPARATORS)
def test_what_is_marked_holds_no_identifier_any_more(text, runs, separator):
    written = separator.join(runs)
    identifier = identifier_of(written)
    assume(identifier is not None)
    marked = without(text + written + text, [identifier])
    assert not pattern_of(identifier).search(folded(marked))


@pytest.mark.parametrize(
    "text",
    ["T2", "L4", "T2W", "T12", "L4-5", "1.5T", "5mm", "B50", "12", "123", "0007", "A-1", "", "-",
     "CT", "Liver", "…"],
)  # fmt: skip
def test_terms_and_short_numbers_are_everybodys(text):
    assert identifier_of(text) is None


@pytest.mark.parametrize(
    ("identity", "text"),
    [("A12", "A123"), ("A12", "A12.5"), ("S07", "SERIES 07"), ("S07", "AXIS 07"),
     ("Case 5", "case 50 mm"), ("Case 5", "case 5.5"), ("CT1", "CT 1 mm"), ("5-AB-12", "15AB12"),
     ("LUNG1", "lung 12")],
)  # fmt: skip
def test_a_short_run_of_digits_is_another_number_with_more_behind_it(identity, text):
    assert not own(identity).occur_in(text)


@pytest.mark.parametrize(
    ("station", "text"), [("MR1.5T", "MR 1.5T"), ("CT64", "CT 64"), ("PETCT1", "PET CT 1")]
)
def test_a_station_that_is_called_what_it_is_takes_nothing_with_it(station, text):
    assert not own(station, source=Source.DEVICE).occur_in(text)
    assert own("AWP4557", source=Source.DEVICE).occur_in("ctAWP-4557x")


def test_a_step_that_is_called_what_it_is_takes_nothing_with_it():
    assert not own("CT ABDOMEN 2 PHASES", source=Source.ORDER).occur_in("CT abdomen 2 phases")
    assert own("CT ABDOMEN 2104", source=Source.ORDER).occur_in("CT-abdomen 2104")


def test_a_name_with_a_number_is_an_identifier_too():
    named = own("PETCT1 1001", source=Source.NAME)
    assert named.occur_in("petct1 liver")
    assert own("CT48-213", source=Source.NAME).occur_in("xCT 48.213x")


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [("Meier", "BRAINMEIER", True), ("Meier", "ctmeierx", True), ("Mei", "MEINHARDT", False),
     ("Lane", "PLANE", False), ("Elvis", "PELVISDELAY", False), ("Tran", "TransverseLesion", False),
     ("Swan", "SWANSON", True), ("Colon", "SEMICOLONLESION", True)],
)  # fmt: skip
def test_a_name_is_found_inside_a_word_that_no_list_has(name, text, is_found):
    assert own(f"{name}^Quxxa", source=Source.NAME).occur_in(text) is is_found


@pytest.mark.parametrize(
    ("tag", "text", "left"),
    [(MODEL, "SIEMENS Skyra", ""), (MODEL, "LightSpeed16", "16"), (MODEL, "Skyra Meier", "Meier"),
     (MODEL, "WATER^FAT", "WATER FAT"), (MAKER, "SIEMENS Skyra", "Skyra"),
     (SEQUENCE, "*tse2d1_9", "2d1 9"), (SEQUENCE, "Skyra", "Skyra"),
     (VERSION, "syngo MR B17", "B17"), (KERNEL, "LUNG", ""), (KERNEL, "Lung Meier", "Lung Meier"),
     (KERNEL, "B30f", "B30f"), (0x0008103E, "SIEMENS Skyra", "SIEMENS Skyra")],
)  # fmt: skip
def test_only_public_names_of_machines_are_left_out_where_they_belong(tag, text, left):
    assert without_public_names(tag, text) == left


def test_serials_are_heard_and_steps_are_told_from_patients():
    top = DataSet()
    top.put(Element(0x00181000, "LO", b"AB-4821-K"))
    top.put(Element(0x00400009, "SH", b"MR BRAIN 1"))
    top.put(Element(0x00100020, "LO", b"48-213"))
    heard = own_tokens_of(top, "1")
    assert {one.key for one in heard.identifiers} == {"AB4821K", "48213"}
    assert "48213" in heard.numbers


def test_an_identifier_is_in_no_repr():
    assert "48213" not in repr(Identifier("48213"))
