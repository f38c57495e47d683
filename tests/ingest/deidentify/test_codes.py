"""Coded concepts: well-known codes stay, words elsewhere are words."""

import pytest
from pydicom.sr._concepts_dict import concepts

from lesionary.ingest.deidentify.codes import Code, clean_code, is_loinc, is_snomed_id, is_ucum
from lesionary.ingest.deidentify.words import Words

WORDS = Words()


def test_every_code_of_the_standard_stays_with_its_meaning():
    for scheme, keywords in concepts.items():
        for codes in keywords.values():
            for value, (meaning, _) in codes.items():
                code = Code(value, scheme, meaning.strip())
                assert clean_code(*code, WORDS) == code


@pytest.mark.parametrize(
    ("code", "cleaned"),
    [
        (("T-62000", "SRT", "Liver"), ("T-62000", "SRT", "Liver")),
        (("10200004", "SCT", "Liver of Smith"), ("10200004", "SCT", "Liver of")),
        (("12345678", "SCT", "Smith"), ("REMOVED", "SCT", "REMOVED")),
        (("SMITH", "DCM", "Liver"), ("REMOVED", "DCM", "Liver")),
        (("{Smith}", "UCUM", "mm"), ("REMOVED", "UCUM", "mm")),
        (("Smith", "UCUM", ""), ("REMOVED", "UCUM", "")),
        (("0012345", "99SMITH", "Smith"), ("REMOVED", "99LOCAL", "REMOVED")),
        (("LIVER", "99LIVER", "Liver"), ("LIVER", "99LIVER", "Liver")),
        (("LIVER", "99QIICR", "Liver"), ("LIVER", "99QIICR", "Liver")),
        (("LIVER", "Smith Hospital", ""), ("LIVER", "99LOCAL", "")),
        (("12345678", "FMA", "Liver"), ("REMOVED", "FMA", "Liver")),
        (("", "", ""), ("", "", "")),
    ],
)
def test_codes_are_cleaned_by_their_schemes(code, cleaned):
    assert clean_code(*code, WORDS) == cleaned
    assert clean_code(*cleaned, WORDS) == cleaned


def test_check_digits_tell_a_code_from_a_number():
    assert is_snomed_id("86049000")
    assert sum(is_snomed_id(str(number)) for number in range(12345000, 12346000)) <= 4
    assert is_loinc("24627-2")
    assert not is_loinc("24627-3")


@pytest.mark.parametrize(
    "unit",
    ["mm", "cm2", "{SUVbw}g/ml", "[hnsf'U]", "1", "%", "10*-6.mm2/s", "kBq/ml", "ms", "/min"],
)
def test_units_are_units(unit):
    assert is_ucum(unit)


@pytest.mark.parametrize(
    "text", ["Smith", "JohnDoe", "{John}", "mm{Smith}", "Anna", "", "12345678"]
)
def test_words_are_no_units(text):
    assert not is_ucum(text)
