"""Coded concepts: well-known codes stay, words elsewhere are words."""

import pytest
from pydicom.sr._concepts_dict import concepts

from lesionary.ingest.deidentify.codes import Code, clean_code
from lesionary.ingest.deidentify.schemes import is_loinc, is_snomed_id, is_ucum
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
        (("MDC_SMITH_JOHN_19640312", "MDC", "x"), ("REMOVED", "MDC", "x")),
        (("C-111A1", "SRT", "^18^Fluorine"), ("C-111A1", "SRT", "^18^Fluorine")),
        (("F-61FDB", "SRT", "agent"), ("F-61FDB", "SRT", "agent")),
        (("MDC_ECG_HEART_RATE", "MDC", ""), ("MDC_ECG_HEART_RATE", "MDC", "")),
        (("en-US", "RFC5646", ""), ("en-US", "RFC5646", "")),
        (("deu", "ISO639_2", ""), ("deu", "ISO639_2", "")),
        (("US", "ISO3166_1", ""), ("US", "ISO3166_1", "")),
        (("BW24ZZZ", "I10P", ""), ("BW24ZZZ", "I10P", "")),
        (("2C12.0", "I11", ""), ("2C12.0", "I11", "")),
        (("7203", "FMA", "Kidney"), ("7203", "FMA", "Kidney")),
        (("471112", "FMA", "Smith"), ("REMOVED", "FMA", "REMOVED")),
        (("C4711123", "UMLS", ""), ("REMOVED", "UMLS", "")),
        (("", "", ""), ("", "", "")),
    ],
)
def test_codes_are_cleaned_by_their_schemes(code, cleaned):
    assert clean_code(*code, WORDS) == cleaned
    assert clean_code(*cleaned, WORDS) == cleaned


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("ADA", "DCM"), ("123456", "DCM"), ("SMITH", "BI"), ("LEVY", "IBSI"), ("LEVY", "I11"),
        ("ANDERSN", "I10P"), ("4711123", "I10P"), ("J-SMITH", "SRT"), ("A-JONES", "99SDM"),
        ("A-FACADE", "SNM3"), ("4711123", "RXNORM"), ("C471112", "NCIt"), ("D471112345", "MSH"),
        ("1234567", "PUBCHEM_CID"), ("lee", "ISO639_2"), ("ng", "ISO639_1"), ("LEE", "ISO3166_1"),
        ("0212-5550-19", "NDC"), ("m19.s64.g03.L12", "UCUM"), ("471112", "MDC"), ("10:30", "MDC"),
        ("Kim", "UCUM"), ("Ed", "UCUM"),
    ],
)  # fmt: skip
def test_the_shape_of_a_scheme_is_no_cloak_for_a_name_or_a_number(value, scheme):
    assert clean_code(value, scheme, "Liver", WORDS).value == "REMOVED"


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
