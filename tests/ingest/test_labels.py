import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.terms import LESION, NODAL_REGIONS, ORGANS, STRUCTURE
from lesionary.ingest.labels import LabelRules, label_of, roi_label, segment_label
from lesionary.ingest.structures import Code, References, Roi, Segment

RULES = LabelRules()
ALTERED = Code("49755003", "SCT", "Morphologically Altered Structure")
TISSUE = Code("85756007", "SCT", "Tissue")
LIVER = Code("10200004", "SCT", "Liver")
ALLOWED = {LESION, STRUCTURE} | {f"{k},{place}" for k in "tmn" for place in ORGANS | NODAL_REGIONS}


def roi(name, interpreted_type=""):
    return Roi(1, name, interpreted_type, (), References())


def segment(label="", category=None, type_=None, anatomy=()):
    return Segment(1, label, category, type_, tuple(anatomy))


@pytest.mark.parametrize(
    ("name", "interpreted_type", "expected"),
    [
        ("GTV_Mass", "GTV", "lesion"),
        ("GTV_Mass", "", "structure"),
        ("GTV_Mass", "CTV", "structure"),
        ("Liver", "ORGAN", "structure"),
        ("m, Liver", "GTV", "m,liver"),
        ("N,Mediastinal", "", "n,mediastinum"),
        ("m,liver of John Doe", "GTV", "lesion"),
        ("", "GTV", "lesion"),
        ("", "", "structure"),
    ],
)
def test_a_structures_name_counts_then_its_type(name, interpreted_type, expected):
    assert roi_label(roi(name, interpreted_type), RULES) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (segment("t,lung", TISSUE), "t,lung"),
        (segment("Edema", ALTERED), "lesion"),
        (segment("Neoplasm", Code("M-01000", "SRT")), "lesion"),
        (segment("Liver", TISSUE), "structure"),
        (segment("", None), "structure"),
        (segment("x", ALTERED, Code("14799000", "SCT"), [LIVER]), "m,liver"),
        (segment("x", ALTERED, Code("M-80003", "SRT"), [LIVER]), "t,liver"),
        (segment("x", ALTERED, Code("108369006", "SCT"), [LIVER]), "lesion"),
        (segment("n,axillary", ALTERED, Code("14799000", "SCT"), [LIVER]), "n,axillary"),
        (segment("x", ALTERED, Code("14799000", "SCT"), [Code("1", "99X", "Doe")]), "lesion"),
        (segment("x", ALTERED, Code("14799000", "99X"), [LIVER]), "lesion"),
    ],
)
def test_a_segments_label_counts_then_its_codes_then_its_category(found, expected):
    assert segment_label(found, RULES) == expected


def test_the_protocols_names_mean_a_lesion_whatever_their_case():
    rules = LabelRules(lesion_names=["GTV*", "*tumour*"])
    assert label_of("gtv_1", is_tumour=False, rules=rules) == "lesion"
    assert label_of("The Tumour", is_tumour=False, rules=rules) == "lesion"
    assert label_of("my GTV", is_tumour=False, rules=rules) == "structure"


def test_the_protocols_places_are_allowed():
    rules = LabelRules(extra_places=["flank"])
    assert label_of("t,flank", is_tumour=False, rules=rules) == "t,flank"
    assert label_of("t,flank", is_tumour=False, rules=RULES) == "structure"


@pytest.mark.parametrize(
    "name",
    [
        "Doe^John",
        "m,liver\nDoe^John",
        "m,Doe^John",
        "t,liver,Doe",
        "lesion Doe",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "m,liver; DROP TABLE lesion",
        "n," + "a" * 10_000,
    ],
)
@pytest.mark.parametrize("interpreted_type", ["GTV", "ORGAN"])
def test_a_hostile_name_never_comes_through(name, interpreted_type):
    assert roi_label(roi(name, interpreted_type), RULES) in {LESION, STRUCTURE}


names = st.one_of(
    st.text(max_size=40),
    st.builds("{},{}".format, st.sampled_from("tmnx"), st.text(max_size=20)),
    st.builds("{},{}".format, st.sampled_from("TMN"), st.sampled_from(sorted(ORGANS))),
)


@given(names, st.sampled_from(["GTV", "", "ORGAN"]))
def test_only_allowed_texts_come_out_of_structures(name, interpreted_type):
    rules = LabelRules(lesion_names=["*"])
    assert roi_label(roi(name, interpreted_type), RULES) in ALLOWED
    assert roi_label(roi(name, interpreted_type), rules) in ALLOWED - {STRUCTURE}


@given(names, names, st.sampled_from(["86049000", "14799000", "30746006", "1"]))
def test_only_allowed_texts_come_out_of_segments(label, meaning, value):
    found = segment(label, ALTERED, Code(value, "SCT"), [Code("1", "SCT", meaning)])
    assert segment_label(found, RULES) in ALLOWED


def test_private_texts_stay_out_of_repr():
    assert "Doe" not in repr(roi("Doe^John")) + repr(segment("Doe^John")) + repr(
        Code("1", "SCT", "Doe")
    )
