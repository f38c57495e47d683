"""What is set aside, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.quarantine import (
    ObjectFacts,
    reason_of_options,
    reason_to_quarantine,
    storage_classes,
)

ROOT = "1.2.840.10008.5.1.4.1.1."
CT = ROOT + "2"


def code_of(facts: ObjectFacts, *, is_blanked: bool = False) -> str | None:
    found = reason_to_quarantine(facts, is_blanked=is_blanked)
    return None if found is None else found.code


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("2", None), ("4", None), ("128", None), ("2.1", None), ("4.1", None), ("130", None),
        ("1.1", None), ("20", None), ("481.3", None), ("66.4", None), ("66.1", None),
        ("88.33", None), ("88.59", None), ("11.1", None), ("67", None), ("1", None), ("12.1", None),
        ("7", "secondary_capture"), ("7.2", "secondary_capture"),
        ("104.1", "encapsulated_document"), ("104.3", "encapsulated_document"),
        ("6.1", "ultrasound"), ("3.1", "ultrasound"),
        ("77.1.4", "visible_light"), ("66", "raw_data"), ("9.1.1", "waveform"),
        ("999.1", "unknown_object"),
    ],
)  # fmt: skip
def test_a_class_decides(end, code):
    assert code_of(ObjectFacts(ROOT + end)) == code


@pytest.mark.parametrize("sop_class", ["", "1.3.46.670589.11.0.0.12.1", "1.2.840.10008.1.1"])
def test_what_is_no_storage_class_of_the_standard_is_unknown(sop_class):
    assert code_of(ObjectFacts(sop_class)) == "unknown_object"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (ObjectFacts(CT, burned_in="YES"), "burned_in_annotation"),
        (ObjectFacts(CT, burned_in="MAYBE"), "burned_in_annotation"),
        (ObjectFacts(CT, burned_in="NO"), None),
        (ObjectFacts(CT, modality="CT", n_samples=3), "secondary_capture"),
        (ObjectFacts(ROOT + "66.4", modality="SEG", n_samples=3), None),
        (ObjectFacts(CT, image_type=frozenset({"DERIVED", "SCREEN SAVE"})), "secondary_capture"),
        (ObjectFacts(CT, image_type=frozenset({"DERIVED", "SECONDARY"})), None),
        (ObjectFacts(CT, conversion_type="WSD"), "secondary_capture"),
        (ObjectFacts(CT, has_document=True), "encapsulated_document"),
        (ObjectFacts(CT, modality="US"), "ultrasound"),
        (ObjectFacts(CT, transfer_syntax="1.2.840.10008.1.2.4.102"), "visible_light"),
    ],
)
def test_content_decides(facts, code):
    assert code_of(facts) == code


def test_blanked_pixels_excuse_pixels_only():
    assert code_of(ObjectFacts(ROOT + "6.1", modality="US"), is_blanked=True) is None
    assert code_of(ObjectFacts(CT, burned_in="YES"), is_blanked=True) is None
    document = ObjectFacts(ROOT + "104.1")
    assert code_of(document, is_blanked=True) == "encapsulated_document"


@pytest.mark.parametrize(
    ("facts", "pixels", "faces"),
    [
        (ObjectFacts(CT, modality="CT", body_part="CHEST", has_pixels=True), None, None),
        (
            ObjectFacts(CT, modality="CT", body_part="HEAD", has_pixels=True),
            None,
            "visual_features",
        ),
        (ObjectFacts(CT, modality="CT", has_pixels=True), None, "visual_features"),
        (ObjectFacts(ROOT + "1", modality="CR", has_pixels=True), "burned_in_annotation", None),
        (ObjectFacts(ROOT + "1", modality="CR", has_pixels=True, burned_in="NO"), None, None),
        (ObjectFacts(ROOT + "88.33", modality="SR"), None, None),
    ],
)
def test_an_option_that_promises_clean_pixels_sets_aside_what_nobody_vouches_for(
    facts, pixels, faces
):
    def code(**options: bool) -> str | None:
        chosen = {"cleans_pixels": False, "cleans_faces": False, "is_blanked": False} | options
        found = reason_of_options(facts, **chosen)
        return None if found is None else found.code

    assert code(cleans_pixels=True) == pixels
    assert code(cleans_faces=True) == faces
    assert code(cleans_pixels=True, is_blanked=True) is None
    assert code() is None


def test_storage_classes_are_those_of_patients():
    assert CT in storage_classes()
    assert "1.2.840.10008.5.1.4.38.1" not in storage_classes(), "hanging protocols have no patient"


def image(sop_class: str = CT, **more) -> ObjectFacts:
    return ObjectFacts(sop_class, has_pixels=True, **({"modality": "CT"} | more))


@pytest.mark.parametrize(
    "value",
    ["CT_SOM5 PROT", "CT_SOM7 PROT", "SCREENSAVE", "SCREEN_SAVE", "SCREEN SHOT", "SAVE", "SCREEN",
     "CSA BLACK IMAGE", "DOSE_INFO", "DOSE REPORT", "DOSE", "CSA REPORT", "SCREEN-CAPTURE"],
)  # fmt: skip
def test_a_type_of_screens_is_set_aside_whatever_its_spelling(value):
    facts = image(image_type=frozenset({"DERIVED", "SECONDARY", "OTHER", value}))
    assert code_of(facts) == "secondary_capture"


@pytest.mark.parametrize(
    "values",
    ["ORIGINAL PRIMARY AXIAL", "DERIVED SECONDARY AXIAL", "DERIVED SECONDARY REFORMATTED",
     "DERIVED SECONDARY MPR", "DERIVED PRIMARY DIFFUSION ADC", "ORIGINAL PRIMARY LOCALIZER"],
)  # fmt: skip
@pytest.mark.parametrize(
    "value", ["CT_SOM5 SPI", "CT_SOM7 TOP", "CSA RESULT", "CSA MPR", "NORM", "SCREENING", "OTHER"]
)
def test_types_of_ordinary_images_pass(values, value):
    assert code_of(image(image_type=frozenset({*values.split(), value}))) is None


@pytest.mark.parametrize("where", ["series_description", "protocol_name"])
@pytest.mark.parametrize(
    "text",
    ["DOSE REPORT", "SCREEN SAVE", "PATIENT PROTOCOL", "DOSE RECORD", "EXAM SUMMARY", "SUMMARY",
     "DOSISBERICHT", "DOSIS BERICHT", "RAPPORT DE DOSE", "INFORME DE DOSIS", "REPORT: DOSE (CT)",
     "PATIENTENPROTOKOLL", "PROTOCOLO DEL PACIENTE", "RELATÓRIO DE DOSE", "SCREENSHOT_1",
     "SECONDARY CAPTURE", "DOSE-INFO", "999 DOSE REPORT", "DOSEREPORT"],
)  # fmt: skip
def test_a_page_is_set_aside_in_the_words_of_any_order_and_language(where, text):
    assert code_of(image(**{where: text})) == "secondary_capture"
    plan = image(ROOT + "481.2", modality="RTDOSE", **{where: text})
    assert code_of(plan) is None, "its pixels are doses"
    told = ObjectFacts(ROOT + "88.67", modality="SR", **{where: text})
    assert code_of(told) is None, "a report in elements is cleaned like any"


@pytest.mark.parametrize(
    "text",
    ["LOW DOSE CT", "LUNG SCREEN", "LDCT LUNG SCREENING LOW DOSE", "CT CHEST LOW DOSE PROTOCOL",
     "STROKE PROTOCOL", "SNAPSHOT PULSE", "LUNG SCREEN CAP", "ABD LARGE PATIENT PROTOCOL",
     "PATIENT MOVED", "SCAN 2", "SECONDARY RECON", "T2 SPACE", "DOSE 50 MG", "INFORM STUDY"],
)  # fmt: skip
def test_words_of_ordinary_series_pass(text):
    assert code_of(image(series_description=text, protocol_name=text)) is None


@pytest.mark.parametrize("part", ["DOSE", "DOSE REPORT", "DOCUMENT"])
def test_a_part_that_is_none_of_the_body_is_set_aside(part):
    assert code_of(image(body_part=part)) == "secondary_capture"


@pytest.mark.parametrize(
    ("modality", "code"),
    [
        ("", None), ("CT", None), ("MR", None), ("PT", None), ("NM", None), ("PET", None),
        ("SC", "secondary_capture"), ("DOC", "secondary_capture"), ("OT", "secondary_capture"),
        ("XC", "secondary_capture"), ("SR", "secondary_capture"), ("US", "ultrasound"),
        ("CT\\US", "ultrasound"), ("CT\\MR", "secondary_capture"), ("CR", "burned_in_annotation"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["2", "2.1", "4", "128", "20"])
def test_a_modality_fits_its_class(end, modality, code):
    assert code_of(image(ROOT + end, modality=modality)) == code


@pytest.mark.parametrize(
    "photometric", ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "PALETTE COLOR", "ARGB"]
)
def test_colour_passes_as_a_palette_of_labels_only(photometric):
    assert code_of(image(photometric=photometric)) == "secondary_capture"
    doses = image(ROOT + "481.2", modality="RTDOSE", photometric=photometric)
    assert code_of(doses) == "secondary_capture"
    labels = image(ROOT + "66.7", modality="SEG", photometric=photometric)
    assert code_of(labels) == (None if photometric == "PALETTE COLOR" else "secondary_capture")


@pytest.mark.parametrize("photometric", ["", "MONOCHROME1", "MONOCHROME2"])
def test_grey_passes(photometric):
    assert code_of(image(photometric=photometric)) is None


@pytest.mark.parametrize("conversion", ["SYN", "DRW", "DV", "WSD", "DI\\SYN"])
def test_what_was_digitised_or_drawn_is_set_aside(conversion):
    assert code_of(image(conversion_type=conversion)) == "secondary_capture"


def test_a_recognisable_patient_is_set_aside_and_no_rule_excuses_it():
    assert code_of(image(has_faces=True)) == "visual_features"
    assert code_of(image(has_faces=True), is_blanked=True) == "visual_features"


PROJECTIONS = [
    ("1", "CR"), ("1.1", "DX"), ("1.2", "MG"), ("1.3", "IO"), ("12.1", "XA"), ("12.2", "RF"),
    ("12.1.1", "XA"), ("481.1", "RTIMAGE"), ("1.1", "PX"), ("13.1.3", "MG"), ("1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("end", "modality"), PROJECTIONS)
def test_of_projections_somebody_has_to_deny_burned_in_text(end, modality):
    facts = image(ROOT + end, modality=modality)
    assert code_of(facts) == "burned_in_annotation"
    assert code_of(facts, is_blanked=True) is None
    assert code_of(image(ROOT + end, modality=modality, burned_in="NO")) is None


def test_blanked_pixels_do_not_excuse_what_else_is_wrong():
    facts = image(ROOT + "6.1", modality="US", has_document=True)
    assert code_of(facts, is_blanked=True) == "encapsulated_document"


def test_a_slice_without_a_modality_may_show_a_face():
    facts = image(modality="")
    found = reason_of_options(facts, cleans_pixels=False, cleans_faces=True, is_blanked=False)
    assert found.code == "visual_features"


ORIGINAL, DERIVED = frozenset({"ORIGINAL", "PRIMARY"}), frozenset({"DERIVED", "SECONDARY"})

PAGES = [
    "EXAM PROTOCOL", "PATIENT DATA", "PATIENT PROTOCOL", "PATIENTENDATEN", "CT DOSE", "DOSE REPORT",
    "DOSE INFO", "DLP", "DLP 350 MGYCM", "CTDIVOL", "TOTAL DLP", "RADIATION DOSE", "SNAPSHOT",
    "SNAPSHOTS 2", "SCREEN SAVE", "SCREENS", "SAVED IMAGES", "CAPTURES", "RESULTS SPINE", "RESULTS",
    "ERGEBNISSE", "REPORT", "PERFUSION SUMMARY", "PROTOCOL", "PROTOCOLE D'EXAMEN",
    "501 PATIENT PROTOCOL", "DONNÉES PATIENT", "UNTERSUCHUNGSPROTOKOLL", "999 DOSE REPORT",
    "EXPOSURE", "DATOS DEL PACIENTE", "TC DOSIS", "PET STATISTICS",
    "INDIVIDUALLY CAPTURED IMAGES", "RESULTS MM ONCOLOGY READING",
]  # fmt: skip
COMPUTED = [
    "MPR COR 3MM", "MIP THICK", "ADC (10^-6 MM2/S)", "SUBTRACTION", "SUB ART-NATIVE", "RFMT SAG",
    "CBF MAP", "CBV RESULTS", "ADC RESULTS", "DOSE MAP Y90", "LOW DOSE MPR", "LUNG SCREEN MIP",
    "SNAPSHOT PULSE MPR", "SNAPSHOT FREEZE", "CT", "CT 2", "SCAN 3", "STUDY", "PATIENT", "COR",
    "STROKE PROTOCOL MPR", "T1 DOS", "SERIE DOS", "DATA 4", "3D VRT", "AX T2 RECON", "", "501",
]  # fmt: skip


@pytest.mark.parametrize("end", ["2", "4", "128"])
@pytest.mark.parametrize("text", PAGES)
def test_a_derived_image_is_believed_to_be_the_page_that_it_is_called(end, text):
    facts = image(ROOT + end, image_type=DERIVED, series_description=text)
    assert code_of(facts) == "secondary_capture"


@pytest.mark.parametrize("types", [DERIVED, ORIGINAL, frozenset({"DERIVED", "PRIMARY"})])
@pytest.mark.parametrize("text", COMPUTED)
def test_images_computed_from_others_pass(types, text):
    assert code_of(image(image_type=types, series_description=text)) is None


@pytest.mark.parametrize(
    "text",
    ["PERFUSION SUMMARY", "SUMMARY", "REPORT", "REPORT CHEST", "LOW DOSE REPORT", "RESULTS SPINE",
     "SNAPSHOT", "CT DOSE", "DLP", "CAPTURE", "PATIENT DATA LUNG", "CHEST INFO SCAN"],
)  # fmt: skip
def test_an_original_image_is_believed_unless_it_is_called_nothing_but_a_page(text):
    assert code_of(image(image_type=ORIGINAL, series_description=text)) is None
    assert code_of(image(image_type=ORIGINAL, series_description="DOSE REPORT")) is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "secondary_capture"),
        ({"n_bits": 16}, None),
        ({"n_bits": 12}, None),
        ({"n_bits": 0}, None),
        ({"is_rescaled": True}, None),
        ({"image_type": ORIGINAL}, None),
        ({"sop_class": ROOT + "4", "modality": "MR"}, None),
        ({"has_pixels": False}, None),
    ],
)
def test_a_derived_ct_in_eight_bits_has_hounsfield_units_or_is_a_picture(changes, code):
    given = {"sop_class": CT, "modality": "CT", "has_pixels": True, "image_type": DERIVED}
    assert code_of(ObjectFacts(**(given | {"n_bits": 8} | changes))) == code


@pytest.mark.parametrize("end", ["2", "4", "128"])
def test_a_secondary_slice_without_a_modality_is_a_picture(end):
    assert code_of(image(ROOT + end, modality="", image_type=DERIVED)) == "secondary_capture"
    assert code_of(image(ROOT + end, modality="", image_type=ORIGINAL)) is None


@given(st.lists(st.sampled_from(PAGES), min_size=1, max_size=3), st.randoms())
def test_pages_are_known_in_any_order_spelling_and_company(texts, random):
    words = " ".join(texts).split()
    random.shuffle(words)
    text = random.choice(["_", " ", "-", " / "]).join(words)
    assert code_of(image(image_type=DERIVED, series_description=text)) == "secondary_capture"
