"""Profiles: every public attribute has a decision, and options change what their column says."""

import json
import re
from collections import Counter
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, RepeatersDictionary, tag_for_keyword

from lesionary.core.errors import InputError
from lesionary.ingest.deidentify.defaults import BYTES, NEEDED_BYTES, TEMPORAL, UNSHIFTED
from lesionary.ingest.deidentify.dictionary import standard_vr
from lesionary.ingest.deidentify.profile import (
    BASIC_CODE,
    OPTIONS,
    Action,
    Option,
    Profile,
    default_action,
)
from lesionary.ingest.deidentify.table import standard_table

BASIC = Profile(frozenset())
DEFAULT = Profile.default()
FREE_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "AE", "UR"})

PUBLIC = [
    (tag, vr)
    for tag in [
        *DicomDictionary,
        *(int(tag.replace("x", "0"), 16) for tag in RepeatersDictionary),
        *(int(tag.replace("x", "2"), 16) for tag in RepeatersDictionary),
    ]
    for vr in standard_vr(tag)
]
"""Every attribute of the standard's dictionary with each of its VRs, repeating groups twice."""

profiles = st.frozensets(st.sampled_from(Option)).map(
    lambda options: (
        Profile(options - {Option.LONGITUDINAL_FULL})
        if Option.LONGITUDINAL_MODIFIED in options
        else Profile(options)
    )
)


def of_tag(profile: Profile, keyword: str) -> Action:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return profile.decide(tag, standard_vr(tag)[0])


def name_of(tag: int) -> str:
    return DicomDictionary[tag][2]


def keyword_of(tag: int) -> str:
    return DicomDictionary[tag][4]


# Options


def test_options_carry_the_codes_of_context_group_7050():
    codes = [BASIC_CODE[0], *(about.code[0] for about in OPTIONS.values())]
    assert sorted(codes) == [str(number) for number in range(113100, 113113)]
    assert set(OPTIONS) == set(Option)
    assert {about.scheme for about in OPTIONS.values()} == {"DCM"}
    assert all(len(about.code[1]) <= 64 for about in OPTIONS.values())


def test_names_of_options_are_read_and_listed_where_one_is_unknown():
    assert Profile.parse(["retain_uids", "clean_graphics"]).options == {
        Option.RETAIN_UIDS,
        Option.CLEAN_GRAPHICS,
    }
    assert Profile.parse([]) == BASIC
    with pytest.raises(InputError) as caught:
        Profile.parse(["retain_uid"])
    assert "did you mean retain_uids?" in str(caught.value.hint)
    assert all(option in str(caught.value.hint) for option in Option)


def test_dates_cannot_stay_and_be_shifted():
    with pytest.raises(InputError, match="cannot stay and be shifted"):
        Profile.parse(["retain_full_dates", "retain_modified_dates"])


def test_profiles_are_equal_by_their_options_whatever_was_asked_of_them():
    asked = Profile.default()
    asked.action(0x00100010, "PN")
    assert asked == Profile.default()
    assert hash(asked) == hash(Profile.default())


# The table


@given(profiles, st.sampled_from(list(standard_table().by_tag.items())))
def test_an_option_changes_only_what_its_column_names(profile, item):
    tag, row = item
    if not profile.options & set(row.options):
        assert profile.action(tag, row.vr) is BASIC.action(tag, row.vr)


@given(profiles, st.sampled_from(PUBLIC))
def test_cleaning_wins_over_keeping(profile, element):
    tag, vr = element
    row = standard_table().row(tag)
    if row and {row.options.get(option) for option in profile.options} >= {"C", "K"}:
        assert profile.action(tag, vr) is not Action.KEEP


def test_without_options_nothing_of_the_table_stays_unread():
    actions = {BASIC.action(tag, row.vr) for tag, row in standard_table().by_tag.items()}
    assert not actions & {Action.KEEP, Action.CLEAN}


COUNTS = {
    frozenset(): (412, 68, 108, 0, 0, 56, 8),
    DEFAULT.options: (232, 40, 33, 3, 273, 56, 15),
    frozenset({Option.CLEAN_PIXEL_DATA}): (412, 68, 108, 0, 0, 56, 8),
    frozenset({Option.CLEAN_VISUAL_FEATURES}): (412, 68, 108, 0, 0, 56, 8),
    frozenset({Option.CLEAN_GRAPHICS}): (412, 68, 107, 0, 1, 56, 8),
    frozenset({Option.CLEAN_STRUCTURED_CONTENT}): (412, 66, 108, 0, 0, 56, 10),
    frozenset({Option.CLEAN_DESCRIPTORS}): (325, 53, 82, 0, 124, 56, 12),
    frozenset({Option.LONGITUDINAL_FULL}): (314, 58, 49, 167, 0, 56, 8),
    frozenset({Option.LONGITUDINAL_MODIFIED}): (329, 59, 61, 0, 139, 56, 8),
    frozenset({Option.PATIENT_CHARACTERISTICS}): (400, 66, 107, 3, 11, 56, 9),
    frozenset({Option.DEVICE_IDENTITY}): (370, 64, 97, 42, 11, 54, 14),
    frozenset({Option.INSTITUTION_IDENTITY}): (407, 64, 107, 8, 0, 56, 10),
    frozenset({Option.RETAIN_UIDS}): (410, 68, 108, 55, 0, 2, 9),
    frozenset({Option.SAFE_PRIVATE}): (412, 68, 108, 0, 0, 56, 8),
}
"""Rows by remove, empty, dummy, keep, clean, uid, recurse: a change here is a change of policy."""


@pytest.mark.parametrize("options", COUNTS, ids=lambda options: "+".join(sorted(options)))
def test_every_profile_does_what_it_did(options):
    profile = Profile(options)
    counts = Counter(profile.action(tag, row.vr) for tag, row in standard_table().by_tag.items())
    assert tuple(counts[action] for action in Action) == COUNTS[options]


@pytest.mark.parametrize(
    ("keyword", "basic", "default"),
    [
        ("PatientName", Action.EMPTY, Action.EMPTY),
        ("PatientID", Action.DUMMY, Action.DUMMY),
        ("PatientBirthDate", Action.EMPTY, Action.EMPTY),
        ("PatientAge", Action.REMOVE, Action.CLEAN),
        ("PatientSex", Action.EMPTY, Action.CLEAN),
        ("PatientWeight", Action.REMOVE, Action.KEEP),
        ("EthnicGroup", Action.REMOVE, Action.CLEAN),
        ("StudyDate", Action.EMPTY, Action.CLEAN),
        ("AcquisitionDateTime", Action.DUMMY, Action.CLEAN),
        ("StudyInstanceUID", Action.UID, Action.UID),
        ("TrackingUID", Action.UID, Action.UID),
        ("SOPClassUID", Action.KEEP, Action.KEEP),
        ("ReferencedSOPClassUID", Action.KEEP, Action.KEEP),
        ("CodingSchemeUID", Action.KEEP, Action.KEEP),
        ("MappingResourceUID", Action.KEEP, Action.KEEP),
        ("SOPInstanceUIDOfConcatenationSource", Action.UID, Action.UID),
        ("SeriesDescription", Action.REMOVE, Action.CLEAN),
        ("ROIName", Action.EMPTY, Action.CLEAN),
        ("StructureSetLabel", Action.DUMMY, Action.CLEAN),
        ("SegmentLabel", Action.CLEAN, Action.CLEAN),
        ("TextValue", Action.CLEAN, Action.CLEAN),
        ("InstitutionName", Action.REMOVE, Action.REMOVE),
        ("DeviceSerialNumber", Action.DUMMY, Action.DUMMY),
        ("ContentSequence", Action.RECURSE, Action.RECURSE),
        ("AcquisitionContextSequence", Action.EMPTY, Action.RECURSE),
        ("GraphicAnnotationSequence", Action.RECURSE, Action.RECURSE),
        ("UnformattedTextValue", Action.DUMMY, Action.CLEAN),
        ("SourceImageSequence", Action.RECURSE, Action.RECURSE),
        ("RequestAttributesSequence", Action.REMOVE, Action.REMOVE),
        ("ReferencedPatientSequence", Action.REMOVE, Action.REMOVE),
        ("OriginalAttributesSequence", Action.REMOVE, Action.REMOVE),
        ("ModifiedAttributesSequence", Action.REMOVE, Action.REMOVE),
        ("EncryptedAttributesSequence", Action.REMOVE, Action.REMOVE),
        ("DigitalSignaturesSequence", Action.REMOVE, Action.REMOVE),
        ("MACParametersSequence", Action.REMOVE, Action.REMOVE),
        ("IconImageSequence", Action.REMOVE, Action.REMOVE),
        ("DataSetTrailingPadding", Action.REMOVE, Action.REMOVE),
        ("PixelData", Action.REMOVE, Action.REMOVE),
        ("LUTData", Action.KEEP, Action.KEEP),
        ("RescaleSlope", Action.KEEP, Action.KEEP),
    ],
)
def test_known_attributes_meet_what_they_should(keyword, basic, default):
    assert of_tag(BASIC, keyword) is basic
    assert of_tag(DEFAULT, keyword) is default


def test_dates_that_anybody_can_look_up_are_never_shifted():
    full = Profile(frozenset({Option.LONGITUDINAL_FULL}))
    for keyword in ("ContextGroupVersion", "ContextGroupLocalVersion", "EffectiveDateTime"):
        assert of_tag(DEFAULT, keyword) is Action.DUMMY
        assert of_tag(full, keyword) is Action.KEEP


def test_kept_device_dates_go_where_dates_are_shifted():
    """Every patient of a device shares them: one shifted tells the shift of another."""
    kept = Profile(frozenset({Option.DEVICE_IDENTITY}))
    shifted = Profile(frozenset({Option.DEVICE_IDENTITY, Option.LONGITUDINAL_MODIFIED}))
    full = Profile(frozenset({Option.DEVICE_IDENTITY, Option.LONGITUDINAL_FULL}))
    for keyword in ("CalibrationDateTime", "DateOfManufacture", "DateOfLastDetectorCalibration"):
        assert of_tag(kept, keyword) is of_tag(full, keyword) is Action.KEEP
        assert of_tag(shifted, keyword) is of_tag(BASIC, keyword)


OF_THINGS = {
    "ContextGroupVersion",
    "ContextGroupLocalVersion",
    "ItemInventoryDateTime",
    "ExpirationDateTime",
    "EthicsCommitteeApprovalEffectivenessStartDate",
    "EthicsCommitteeApprovalEffectivenessEndDate",
    "ExpiryDate",
    "DateOfGainCalibration",
    "TimeOfGainCalibration",
    "ProcedureCreationDate",
    "ProcedureExpirationDate",
    "ProcedureLastModifiedDate",
    "CalibrationTime",
    "CalibrationDate",
    "DateOfLastCalibration",
    "TimeOfLastCalibration",
    "DateTimeOfLastCalibration",
    "CalibrationDateTime",
    "DateOfManufacture",
    "DateOfInstallation",
    "DateOfLastDetectorCalibration",
    "TimeOfLastDetectorCalibration",
    "TemplateVersion",
    "TemplateLocalVersion",
    "HL7DocumentEffectiveTime",
    "ApprovalStatusDateTime",
    "ProductExpirationDateTime",
    "AssertionExpirationDateTime",
    "EffectiveDateTime",
    "InformationIssueDateTime",
    "HangingProtocolCreationDateTime",
    "SelectorDAValue",
    "SelectorDTValue",
    "SelectorTMValue",
    "SourceStrengthReferenceDate",
    "SourceStrengthReferenceTime",
}
"""Of devices, lots, templates, documents: never shifted."""

OF_NO_PATIENT_ACT = OF_THINGS | {"PatientBirthDate", "PatientBirthTime", "GPSTimeStamp"}

N_SHIFTED = 141
"""Of acts on the patient, the scan, or what was made of it."""


def test_every_date_of_the_dictionary_is_shifted_but_those_of_things():
    """All of them, one by one: a date that a new edition adds must be put on one side or other."""
    unshifted = {
        keyword_of(tag)
        for tag, vr in PUBLIC
        if vr in TEMPORAL and DEFAULT.decide(tag, vr) is not Action.CLEAN
    }
    assert unshifted == OF_NO_PATIENT_ACT
    assert {keyword_of(tag) for tag in UNSHIFTED} == OF_THINGS
    n_temporal = sum(vr in TEMPORAL for _, vr in PUBLIC)
    assert n_temporal - len(unshifted) == N_SHIFTED


@given(profiles, st.sampled_from(sorted(UNSHIFTED)))
def test_no_option_has_the_date_of_a_thing_shifted(profile, tag):
    for vr in standard_vr(tag):
        action = profile.decide(tag, vr)
        assert action is not Action.CLEAN
        if Option.LONGITUDINAL_MODIFIED in profile.options:
            assert action in {Action.REMOVE, Action.EMPTY, Action.DUMMY}
        if Option.LONGITUDINAL_FULL in profile.options:
            assert action is Action.KEEP


@pytest.mark.parametrize(
    "keyword",
    [
        "RadiopharmaceuticalStartDateTime",
        "RadiopharmaceuticalStopDateTime",
        "RadiopharmaceuticalStartTime",
        "SeriesDate",
        "SeriesTime",
        "AcquisitionDate",
        "AcquisitionTime",
        "AcquisitionDateTime",
        "DecayCorrectionDateTime",
        "FrameReferenceDateTime",
    ],
)
def test_what_a_standardized_uptake_value_needs_is_shifted_together(keyword):
    assert of_tag(DEFAULT, keyword) is Action.CLEAN


def test_uids_that_stay_beside_dates_that_do_not_are_warned_of():
    assert not DEFAULT.warnings
    assert not BASIC.warnings
    for shifted in (DEFAULT.with_changes(added=["retain_uids"]), Profile.parse(["retain_uids"])):
        assert len(shifted.warnings) == 1
        assert "retain_uids" in shifted.warnings[0]
    assert not Profile.parse(["retain_uids", "retain_full_dates"]).warnings


# Everything else


@settings(max_examples=25)
@given(profiles)
def test_every_public_attribute_has_a_decision_that_fits_its_kind(profile):
    for tag, vr in PUBLIC:
        action = profile.decide(tag, vr)
        if vr == "SQ":
            assert action in {Action.REMOVE, Action.EMPTY, Action.RECURSE}
        else:
            assert action is not Action.RECURSE
        if vr == "PN":
            assert action in {Action.REMOVE, Action.EMPTY, Action.DUMMY}
        if vr in BYTES and action is Action.KEEP:
            assert tag in NEEDED_BYTES


def test_by_default_no_date_stays_no_text_unread_no_uid_of_a_thing():
    for tag, vr in PUBLIC:
        action = DEFAULT.decide(tag, vr)
        if vr in TEMPORAL | FREE_TEXT | {"CS", "AS"}:
            assert action is not Action.KEEP, hex(tag)
        if vr == "UI" and action is Action.KEEP:
            assert re.search("Class|Syntax|Scheme|Context|Mapping|Template", name_of(tag)), name_of(
                tag
            )


@settings(max_examples=25)
@given(profiles)
def test_without_an_option_for_dates_none_is_left(profile):
    if profile.options & {Option.LONGITUDINAL_FULL, Option.LONGITUDINAL_MODIFIED}:
        return
    if Option.DEVICE_IDENTITY in profile.options:
        return
    for tag, vr in PUBLIC:
        if vr in TEMPORAL:
            assert profile.decide(tag, vr) in {Action.REMOVE, Action.EMPTY, Action.DUMMY}


def test_retained_uids_stay_wherever_they_stand():
    retained = Profile(frozenset({Option.RETAIN_UIDS}))
    replaced = {tag for tag, vr in PUBLIC if retained.decide(tag, vr) is Action.UID}
    assert replaced == {0x0040A124, 0x04000100}  # the table gives these two no option


def test_only_listed_bytes_stay_and_each_of_them_is_bytes_only():
    for tag in NEEDED_BYTES:
        assert set(standard_vr(tag)) & BYTES, hex(tag)
        assert set(standard_vr(tag)) <= BYTES | {"US", "SS"}, hex(tag)
        assert tag not in standard_table().by_tag


@given(st.integers(0, 0xFFFFFFFF), st.sampled_from(["LO", "UN", "OB", "DS", "SQ", "PN", "??"]))
def test_what_the_dictionary_does_not_know_goes(tag, vr):
    if not standard_vr(tag):
        assert default_action(tag, vr) is Action.REMOVE


@given(st.sampled_from(PUBLIC), st.sampled_from(["UN", "OB", "LO", "SQ", "DA", "DS"]), profiles)
def test_another_vr_than_the_dictionary_allows_never_lets_more_stay(element, vr, profile):
    tag, _ = element
    allowed = standard_vr(tag)
    if vr in allowed:
        return
    if standard_table().row(tag) is None:
        assert default_action(tag, vr) is (Action.EMPTY if "PN" in allowed else Action.REMOVE) or (
            default_action(tag, allowed[0]) is Action.REMOVE
        )
    elif vr in {"UN", "OB", "SQ"}:
        assert profile.action(tag, vr) in {Action.REMOVE, Action.EMPTY, Action.RECURSE}


@pytest.mark.parametrize("tag", [0x00080000, 0x00100000, 0x00020010, 0xFFFEE000, 0x00041220])
def test_group_lengths_meta_directories_and_markers_go(tag):
    assert DEFAULT.decide(tag, "UL") is Action.REMOVE


@pytest.mark.parametrize("group", [0x5000, 0x501E, 0x6000, 0x601E, 0x60FE, 0x7F00, 0x7FE1, 0x0009])
def test_no_element_of_curves_overlays_and_private_groups_stays(group):
    for element in (0x0010, 0x0022, 0x1000, 0x1500, 0x3000, 0x4000):
        for vr in ("US", "LO", "OB", "OW", "LT", "UN"):
            assert DEFAULT.decide(group << 16 | element, vr) is Action.REMOVE


def test_decisions_remembered_do_not_grow_without_end():
    profile = Profile.default()
    for tag in range(0x00100000, 0x00110000):
        profile.decide(tag, "LO")
    assert len(profile._decided) <= 32_768


# Objects stay valid

COMMON = [
    "ct-image",
    "mr-image",
    "positron-emission-tomography-image",
    "enhanced-ct-image",
    "enhanced-mr-image",
    "enhanced-pet-image",
    "segmentation",
    "parametric-map",
    "rt-structure-set",
    "rt-dose",
    "rt-plan",
    "grayscale-softcopy-presentation-state",
    "key-object-selection-document",
    "basic-text-sr",
    "comprehensive-3d-sr",
    "digital-x-ray-image",
    "digital-mammography-x-ray-image",
    "spatial-registration",
    "deformable-spatial-registration",
    "real-world-value-mapping",
]
LEFT_OUT = {
    "PixelData": "the engine's own matter",
    "FloatPixelData": "the engine's own matter",
    "DoubleFloatPixelData": "the engine's own matter",
    "ICCProfile": "may name a device",
    "FillPattern": "a bitmap",
    "EncryptedAttributesSequence": "the originals",
    "PatientAlternativeCalendar": "goes with the date of birth it belongs to",
    "PixelDataProviderURL": "pixels elsewhere: nothing to release",
    "HL7StructuredDocumentReferenceSequence": "documents of another system",
    "ROIInterpreterSequence": "persons; the table removes them",
}


def test_no_attribute_that_a_common_object_must_have_is_lost():
    standard = resources.files("highdicom").joinpath("_standard")
    if not standard.is_dir():
        pytest.skip("highdicom keeps its modules elsewhere now")
    modules = json.loads(standard.joinpath("iod_module_map.json").read_text())
    attributes = json.loads(standard.joinpath("module_attribute_map.json").read_text())
    lost = {
        one["keyword"]
        for kind in COMMON
        for module in modules[kind]
        for one in attributes.get(module["key"], [])
        if is_lost(one)
    }
    assert lost == set(LEFT_OUT)


def is_lost(attribute: dict) -> bool:
    """Return whether a required attribute goes, though the sequences around it stay."""
    tags = [tag_for_keyword(word) for word in [*attribute["path"], attribute["keyword"]]]
    *around, tag = tags
    if tag is None or not standard_vr(tag):
        return False
    if any(one is None or DEFAULT.decide(one, "SQ") is not Action.RECURSE for one in around):
        return False
    action = DEFAULT.decide(tag, standard_vr(tag)[0])
    return (action is Action.REMOVE and attribute["type"] in {"1", "1C", "2", "2C"}) or (
        action is Action.EMPTY and attribute["type"] in {"1", "1C"}
    )
