"""What is set aside, and what is not."""

import pytest

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
