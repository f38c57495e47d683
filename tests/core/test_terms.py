"""The vocabulary lets places through and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.terms import (
    NODAL_REGIONS,
    ORGANS,
    SYNONYMS,
    LesionKind,
    LesionLabel,
    LesionType,
    kind_of_text,
    parse_label,
    stored_label,
)

PUBLISHED = [
    *("t,lung", "m,spleen", "m,rib", "m,liver", "m,pancreas", "m,abdominal wall", "m,lung"),
    *("m,kidney", "m,ovary", "m,suprarenal", "n,abdomen", "n,aortocaval", "n,axillary"),
    *("n,hepatic hilum", "n,iliac", "n,inguinal", "n,mediastinum", "n,mesenteric"),
    *("n,abdominal wall", "n,pelvis", "n,periaortic", "n,retroperitoneal", "n,suprarenal"),
]
"""All labels of the published recist data set."""


@pytest.mark.parametrize("text", PUBLISHED)
def test_every_published_label_passes_unchanged(text):
    assert str(parse_label(text)) == text


@given(
    st.sampled_from(sorted(LesionType)),
    st.sampled_from(sorted(ORGANS | NODAL_REGIONS | {*SYNONYMS})),
)
def test_case_and_spaces_do_not_matter_and_parsing_twice_is_parsing_once(kind, place):
    label = parse_label(f" {kind.upper()} ,  {place.title().replace(' ', '   ')} ")
    assert label is not None
    assert label == parse_label(f"{kind},{place}") == parse_label(str(label))


def test_synonyms_lead_to_places_of_the_vocabulary():
    assert set(SYNONYMS.values()) <= ORGANS | NODAL_REGIONS
    assert not set(SYNONYMS) & (ORGANS | NODAL_REGIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m,right lung", "m,lung"),
        ("M,LEFT_KIDNEY", "m,kidney"),
        ("t,bilateral ovaries", "t,ovary"),
        ("n,porta hepatis", "n,hepatic hilum"),
        ("n,para-aortic", "n,periaortic"),
        ("m,oesophagus", "m,esophagus"),
    ],
)
def test_sides_and_other_words_become_the_vocabulary_s(text, expected):
    assert str(parse_label(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "liver", "m", "m,", ",liver", "x,liver", "mm,liver", "m;liver", "m,liver,2"),
        *("m,liver of John Doe", "m,Müller", "right,lung", "m,right", "GTV_Mass", "m,n,liver"),
        "m,left left lung",
    ],
)
def test_free_text_does_not_pass(text):
    assert parse_label(text) is None


@given(st.text())
def test_what_is_stored_is_made_of_known_words(text):
    known = {f"{kind},{place}" for kind in LesionType for place in ORGANS | NODAL_REGIONS}
    assert stored_label(text, is_lesion=True) in known | {"lesion"}
    assert stored_label(text, is_lesion=False) in known | {"lesion", "structure"}


@pytest.mark.parametrize(
    ("text", "is_lesion", "expected"),
    [
        ("M, Liver", False, "m,liver"),
        ("GTV_Mass", True, "lesion"),
        ("GTV_Mass", False, "structure"),
        ("lesion", False, "lesion"),
        ("structure", False, "structure"),
    ],
)
def test_unknown_text_becomes_lesion_or_structure(text, is_lesion, expected):
    assert stored_label(text, is_lesion=is_lesion) == expected


def test_a_protocol_s_own_places_pass():
    assert parse_label("m,tail tip") is None
    assert str(parse_label("m,Tail  Tip", ["tail tip"])) == "m,tail tip"
    assert stored_label("t,flank", is_lesion=False, additions=("Flank",)) == "t,flank"


@pytest.mark.parametrize(
    ("text", "kind", "organ", "window"),
    [
        ("t,lung", LesionKind.TUMOUR, "lung", "lung"),
        ("m,liver", LesionKind.TUMOUR, "liver", "abdomen"),
        ("m,adrenal", LesionKind.TUMOUR, "adrenal", "abdomen"),
        ("m,suprarenal", LesionKind.TUMOUR, "adrenal", "abdomen"),
        ("m,rib", LesionKind.TUMOUR, "bone", "abdomen"),
        ("n,mediastinum", LesionKind.NODE, "lymph nodes", "abdomen"),
        ("n,suprarenal", LesionKind.NODE, "lymph nodes", "abdomen"),
    ],
)
def test_a_label_knows_its_kind_its_organ_and_its_window(text, kind, organ, window):
    label = parse_label(text)
    assert (label.kind, label.organ, label.window) == (kind, organ, window)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n,axilla xyz", "node"),
        (" N ,", "node"),
        ("n", "tumour"),
        ("m,n", "tumour"),
        ("", "tumour"),
    ],
)
def test_any_text_of_a_single_file_says_node_by_its_first_letter(text, kind):
    assert kind_of_text(text) == kind


def test_a_label_prints_as_it_is_published():
    assert str(LesionLabel(LesionType.ADENOPATHY, "iliac")) == "n,iliac"
