"""Words of findings stay in six languages, and so do the numerals that tell segments apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.counted_numerals import COUNTED, is_numeral
from lesionary.ingest.deidentify.vocabulary import package_vocabulary
from lesionary.ingest.deidentify.words import Words

WORDS = Words()
NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
KNOWN = sorted(word for word in COUNTED if word in package_vocabulary().plain)


@pytest.mark.parametrize("numeral", [*NUMERALS, "IVa", "IVb", "IIIB", "IIa", "viii", "iva"])
@pytest.mark.parametrize("text", ["Segment {}", "hepatic segment {}", "stage {}", "level_{}"])
def test_a_numeral_stays_behind_what_it_counts(text, numeral):
    counted = text.format(numeral)
    assert WORDS.clean(counted) == counted


@pytest.mark.parametrize("word", KNOWN)
@given(numerals=st.lists(st.sampled_from(NUMERALS), min_size=2, max_size=2, unique=True))
def test_two_of_a_kind_are_never_made_one(word, numerals):
    first, second = (WORDS.clean(f"{word} {numeral}") for numeral in numerals)
    assert first != second


@pytest.mark.parametrize(
    "text",
    [
        "segments V, VI and VII", "Segmente V-VIII", "segments V/VI", "levels II to IV",
        "Couinaud segment IVa", "SegmentVIII", "SegmentIVb", "segmento VIII", "Grad III",
        "Bosniak III", "BI-RADS IV", "zone II", "type II endoleak", "nerve VII",
    ],
)  # fmt: skip
def test_rows_of_numerals_and_glued_ones_stay(text):
    assert WORDS.clean(text) == text


def test_a_numeral_stays_even_where_a_name_goes():
    assert WORDS.clean("Segment VIII Smith") == "Segment VIII"
    assert WORDS.clean("Smith segment V") == "segment V"


@pytest.mark.parametrize(
    "text", ["John VIII", "VIII", "Ludwig XI", "XI 2019", "19.XI", "Smith V. Segment"]
)
def test_a_numeral_that_counts_nothing_goes(text):
    assert set(WORDS.clean(text).split()) <= {"Segment"}


@pytest.mark.parametrize(
    "name", ["Vi", "Iva", "Via", "Xi", "XIA", "Mix", "Ivan", "Vivi", "V. Huber", "I. Maier"]
)
def test_a_name_behind_what_is_counted_is_no_numeral(name):
    assert WORDS.clean(f"Segment {name}") in {"Segment", "Segment Via", "Segment Mix"}
    assert not is_numeral(name)


@pytest.mark.parametrize(
    "text",
    [
        "No ascites.", "compared", "GIST", "hepatomegaly", "splenomegaly", "hydronephrosis",
        "Metastase", "Metastasen", "Lebermetastase", "Lebermetastasen", "Lungenmetastasen",
        "Raumforderung", "Rundherde", "Pleuraerguss", "Aszites", "Zyste", "Nierenzysten",
        "unverändert", "Leberherd", "Läsion", "Hämangiom", "Verkalkung",
        "adénopathie", "adénopathies", "urogramme", "épanchement pleural", "kyste", "ascite",
        "hépatomégalie", "surrénale", "nécrose", "artères", "œdème",
        "adenopatía", "nódulo", "quiste", "derrame pleural", "lesiones", "ganglio", "ascitis",
        "linfonodo", "linfonodi", "lesione", "noduli", "cisti", "versamento pleurico", "epatico",
        "lesão", "cisto", "linfonodos", "trombose", "calcificação", "fratura",
        "uitzaaiing", "lymfeklier", "levermetastase", "pleuravocht", "galblaas", "bijnier",
    ],
)  # fmt: skip
def test_findings_and_anatomy_stay(text):
    assert WORDS.clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "ASiR-V 50%", "LI-RADS 5", "CT LI-RADS 5", "node station 7", "LN station 4R", "MRAC_PET",
        "SUB_1", "SUB 12", "sDW_SSh",
    ],
)  # fmt: skip
def test_standard_terms_of_two_parts_stay_whole(text):
    assert WORDS.clean(text) == text


@pytest.mark.parametrize("text", ["Li", "Li Sub", "Asir", "Station 7", "Sub Li", "Li 5", "Zona"])
def test_their_parts_alone_are_names(text):
    assert WORDS.clean(text) in {"", "7", "5"}


@pytest.mark.parametrize(
    "text", ["KW47", "KW 47", "week 47", "Week47", "wk 47", "Woche 12", "week_31", "semaine 40"]
)
def test_a_week_of_the_year_goes_however_it_is_said(text):
    assert not any(map(str.isdigit, WORDS.clean(f"CT {text} CHEST")))


@pytest.mark.parametrize("text", ["week 8", "WEEK_4"])
def test_a_visit_counted_by_one_digit_stays(text):
    assert WORDS.clean(text) == text
