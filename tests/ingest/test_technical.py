"""What may go on of a header, and what a hostile header tries to smuggle through it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.technical import RULES, allow, common

NAMES = (
    "DOE^JOHN",
    "John Doe",
    "DOE",
    "SMITH",
    "JOHN_DOE",
    "19560312",
    "1956-03-12",
    "MRN 4711234",
    "4711234567",
    "1.2.840.113619.2.1",
    "St. Mary's Hospital",
    "CHEST of Mr Doe",
    "CHEST DOE",
    "B30f DOE",
    "STANDARD\nDOE",
)


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("keyword", sorted(set(RULES) - {"RadionuclideTotalDose"}))
def test_no_identity_passes_in_any_element(keyword, text):
    kept = allow({keyword: [text]}).get(keyword)
    assert kept is None or kept is True


@given(st.sampled_from(sorted(RULES)), st.text(max_size=40))
def test_what_passes_is_a_number_or_one_of_a_few_words(keyword, text):
    kept = allow({keyword: [text]}).get(keyword)
    if isinstance(kept, str):
        assert kept.upper() == text.strip().upper() or keyword in {
            "PatientAge",
            "Radiopharmaceutical",
            "Manufacturer",
        }
        assert len(kept) <= 20


@given(st.dictionaries(st.sampled_from(sorted(RULES)), st.lists(st.text() | st.floats())))
def test_whatever_passes_is_plain_json(elements):
    json.dumps(allow(elements), allow_nan=False)


def test_an_element_outside_the_list_is_dropped():
    assert allow({"PatientName": ["DOE^JOHN"], "StudyDate": ["20200101"]}) == {}


@pytest.mark.parametrize(
    ("age", "kept"),
    [("061Y", "061Y"), ("089Y", "089Y"), ("090Y", "090Y"), ("103Y", "090Y"), ("018M", "018M")],
)
def test_an_age_above_89_is_written_as_90(age, kept):
    assert allow({"PatientAge": [age]})["PatientAge"] == kept


@pytest.mark.parametrize("kernel", ["B30f", "Br38f", "I31f", "Bl57d", "FC08", "STANDARD", "YA"])
def test_kernels_of_the_vendors_pass(kernel):
    assert allow({"ConvolutionKernel": [kernel]}) == {"ConvolutionKernel": kernel}


def test_texts_are_named_by_our_words():
    elements = {
        "Manufacturer": ["GE MEDICAL SYSTEMS of Mr Doe"],
        "Radiopharmaceutical": ["FDG -- fluorodeoxyglucose"],
        "ContrastBolusAgent": ["Omnipaque for DOE^JOHN"],
    }
    assert allow(elements) == {
        "Manufacturer": "GE",
        "Radiopharmaceutical": "FDG",
        "ContrastBolusAgent": True,
    }


def test_an_unknown_word_in_a_list_leaves_the_others():
    image_type = ["ORIGINAL", "PRIMARY", "DOE"]
    assert allow({"ImageType": image_type}) == {"ImageType": ["ORIGINAL", "PRIMARY"]}


def test_a_series_keeps_what_all_slices_agree_on():
    slices = [{"KVP": 120, "Exposure": 10}, {"KVP": 120, "Exposure": 12}, {"KVP": 120}]
    assert common(slices) == {"KVP": 120}
    assert common([]) == {}
