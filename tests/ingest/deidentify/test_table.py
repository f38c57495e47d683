"""The standard's table as data: whole, well formed, and what its script makes of its sources."""

import runpy
from collections import Counter
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR

from lesionary.ingest.deidentify.options import Option
from lesionary.ingest.deidentify.table import Action, standard_table

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "make_ps315.py"


def test_every_row_of_both_editions_is_there():
    assert Counter(row.edition for row in standard_table()) == {"2024e": 621, "2026c": 35}


def test_every_code_of_the_standard_is_known():
    assert Counter(row.basic for row in standard_table()) == {
        "X": 416,
        "D": 93,
        "U": 55,
        "Z": 42,
        "X/D": 23,
        "X/Z": 11,
        "X/Z/D": 8,
        "Z/D": 6,
        "X/Z/U*": 2,
    }


def test_an_option_column_is_an_option_and_says_keep_or_clean():
    for row in standard_table():
        assert set(row.options) <= set(Option), row
        assert set(row.options.values()) <= {"K", "C"}, row


def test_only_the_two_pixel_options_have_no_column():
    named = {option for row in standard_table() for option in row.options}
    assert set(Option) - named == {Option.CLEAN_PIXEL_DATA, Option.CLEAN_VISUAL_FEATURES}


def test_a_row_has_the_vr_of_the_dictionary():
    for tag, row in standard_table().by_tag.items():
        try:
            vrs = dictionary_VR(tag).split(" or ")
        except KeyError:
            assert row.action is Action.REMOVE, row
        else:
            assert row.vr in vrs, row


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (0x00100010, "Patient's Name"),
        (0x60003000, "Overlay Data"),
        (0x601E3000, "Overlay Data"),
        (0x60024000, "Overlay Comments"),
        (0x50000005, "Curve Data"),
        (0x50FE3000, "Curve Data"),
        (0x50013000, "Private Attributes"),
        (0x00091001, "Private Attributes"),
        (0x70531000, "Private Attributes"),
    ],
)
def test_a_tag_finds_its_row_by_number_or_by_pattern(tag, name):
    row = standard_table().row(tag)
    assert row is not None
    assert row.name == name


@pytest.mark.parametrize("tag", [0x00080016, 0x60000010, 0x00280010, 0x7FE00010])
def test_what_the_table_does_not_name_has_no_row(tag):
    assert standard_table().row(tag) is None


def test_a_choice_never_keeps_what_the_basic_profile_does_not():
    unread = {Action.KEEP, Action.CLEAN}
    assert not [row for row in standard_table() if row.action in unread]


def test_only_references_and_what_an_object_is_made_of_are_gone_through():
    recursed = {row.name for row in standard_table() if row.action is Action.RECURSE}
    assert recursed == {
        "Content Sequence",
        "Flow Identifier Sequence",
        "Graphic Annotation Sequence",
        "Referenced Image Sequence",
        "Referenced Performed Procedure Step Sequence",
        "Referenced Study Sequence",
        "Source Image Sequence",
        "Verifying Observer Sequence",
    }


def test_a_sequence_is_never_given_a_dummy_and_bytes_neither():
    for row in standard_table():
        if row.vr in {"SQ", "OB", "OW", "UN"}:
            assert row.action in {Action.REMOVE, Action.EMPTY, Action.RECURSE}, row


def test_the_page_lists_the_options_and_choices_that_there_are():
    script = runpy.run_path(str(SCRIPT))
    made = script["page"]()
    assert script["PAGE"].read_text(encoding="utf-8") == made, "run python docs/make_ps315.py"


@pytest.mark.real_data
def test_the_table_is_what_its_script_makes(shared_data):
    pytest.importorskip("dicomanonymizer")
    source = shared_data / "ps315" / "confidentiality_profile_attributes.json"
    made = runpy.run_path(str(SCRIPT))["rows"](source)
    assert [(row["tag"], row["basic"], row["action"]) for row in made] == sorted(
        (row.tag, row.basic, row.action.value) for row in standard_table()
    )
