"""Content items: what stays of a value is told by its concept."""

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr import _concepts_dict
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian

from deid_corpus.validator import errors, find_validator
from lesionary.ingest.deidentify.concepts import _BY_CODE, Kind, canonical, kind_of
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.engine import Deidentifier, Released, Subject
from lesionary.ingest.deidentify.profile import Action, Option, Profile
from lesionary.ingest.deidentify.report_items import (
    actions_of,
    cap_age,
    concept_of,
    report_item,
)
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.io.dicom.tree import read_instance, write_instance

NAME, CODES, TEXT, PERSON = 0x0040A043, 0x0040A168, 0x0040A160, 0x0040A123
MEASURED, NUMBER, UNITS = 0x0040A300, 0x0040A30A, 0x004008EA
FLOATING, NUMERATOR, DENOMINATOR = 0x0040A161, 0x0040A162, 0x0040A163
MOMENT, DATE, TIME, UID = 0x0040A120, 0x0040A121, 0x0040A122, 0x0040A124
USUAL = Profile.default().options
PER_YEAR = {"a": 1, "mo": 12, "wk": 52.18, "d": 365.25}

options = st.frozensets(st.sampled_from(Option))
concepts = st.sampled_from(sorted(_BY_CODE))
public = st.sampled_from(
    [(scheme, code) for scheme in ("DCM", "SCT", "LN")
     for by_code in _concepts_dict.concepts[scheme].values() for code in by_code]
)  # fmt: skip


def data_set(*elements: Element) -> DataSet:
    return DataSet({element.tag: element for element in elements})


def code(value: str, scheme: str = "DCM", meaning: str = "") -> DataSet:
    return data_set(
        Element(0x00080100, "SH", value.encode()),
        Element(0x00080102, "SH", scheme.encode()),
        Element(0x00080104, "LO", meaning.encode()),
    )


def item(name: DataSet, *values: Element) -> DataSet:
    return data_set(Element(NAME, "SQ", items=[name]), *values)


def number(value: bytes, unit: str | None = "a", *others: Element) -> DataSet:
    units = [] if unit is None else [Element(UNITS, "SQ", items=[code(unit, "UCUM")])]
    return data_set(Element(NUMBER, "DS", value), *units, *others)


def measured(name: DataSet, value: bytes, unit: str | None = "a", *others: Element) -> DataSet:
    return item(name, Element(MEASURED, "SQ", items=[number(value, unit, *others)]))


def number_of(one: DataSet) -> bytes | None:
    """Return the number of an item's measured value; None where that is empty."""
    items = one.elements[MEASURED].items
    assert items is not None
    return bytes(items[0].elements[NUMBER].value) if items else None


def plain(one: DataSet) -> list[object]:
    """Return a data set as values that can be compared."""
    return [
        (e.tag, e.vr, bytes(e.value), None if e.items is None else [plain(i) for i in e.items])
        for e in one
    ]


SUBJECT_AGE = code("121033", meaning="Subject Age")


# Concepts


def test_a_concept_is_named_by_scheme_and_code():
    assert concept_of(item(SUBJECT_AGE)) == "DCM:121033"
    assert concept_of(item(code("121033 ", "DCM "))) == "DCM:121033"
    long_code = data_set(Element(0x00080119, "UC", b"9"), Element(0x00080102, "SH", b"99X"))
    assert concept_of(item(long_code)) == "99X:9"


def test_what_has_no_concept_name_is_none_and_stays_itself():
    for one in (DataSet(), data_set(Element(NAME, "SQ", items=[])), number(b"97")):
        assert concept_of(one) is None
        made, actions = report_item(one, USUAL)
        assert made is one
        assert not actions


def test_codes_of_the_older_snomed_are_those_of_the_present_one():
    assert canonical("SRT", "F-01860") == canonical("SNM3", "F-01860") == "SCT:60621009"
    assert canonical("SRT", "no code") == "SRT:no code"


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        ("Patient's Name", Kind.IDENTITY),
        ("PATIENT_ID", Kind.IDENTITY),
        ("Medical Record Number", Kind.IDENTITY),
        ("Person Observer\u2019s Login Name", Kind.IDENTITY),
        ("Referring Physician Name", Kind.IDENTITY),
        ("Geburtsdatum", Kind.BIRTH),
        ("Date of birth of the patient", Kind.BIRTH),
        ("age", Kind.AGE),
        ("Patient Age in Years", Kind.AGE),
        ("Edad", Kind.AGE),
        ("Scanner Serial Number", Kind.DEVICE),
        ("Hospital Name", Kind.INSTITUTION),
        ("Expiration Date", Kind.THING),
        ("Date of last calibration", Kind.THING),
        ("Lesion Identifier", None),
        ("Image quality", None),
        ("Birth weight", None),
        ("Calibration factor", None),
        ("Stage", None),
        ("Person Observer's Role in this Procedure", None),
        ("", None),
    ],
)
def test_concepts_of_somebodys_own_are_known_by_what_they_mean(meaning, kind):
    assert kind_of("99LOCAL:1", meaning) is kind


def test_the_concepts_of_the_standard_are_what_the_table_takes_them_for():
    """Every DCM code is one that the standard has; no code is of two kinds."""
    known = {
        value for by_code in _concepts_dict.concepts["DCM"].values() for value in by_code
    }  # fmt: skip
    mine = {concept.partition(":")[2] for concept in _BY_CODE if concept.startswith("DCM:")}
    assert mine <= known
    meanings = {
        value: meaning
        for by_code in _concepts_dict.concepts["DCM"].values()
        for value, (meaning, _) in by_code.items()
    }
    for concept, kind in _BY_CODE.items():
        scheme, _, value = concept.partition(":")
        if scheme == "DCM" and kind is Kind.AGE:
            assert "Age" in meanings[value], value
        if scheme == "DCM" and kind is Kind.BIRTH:
            assert "Birth" in meanings[value], value


@given(st.text(max_size=300))
def test_any_meaning_is_read_in_no_time_and_without_fault(meaning):
    kind_of("99X:1", meaning)
    kind_of("99X:1", "patient " * 40 + meaning)
    kind_of("99X:1", "person observer " * 40 + meaning)


# Ages


@pytest.mark.parametrize(
    ("value", "unit", "capped"),
    [
        (b"97", "a", b"90"),
        (b"90", "a", b"90"),
        (b"89.5", "a", b"89.5"),
        (b"45", "a", b"45"),
        (b"1.1E2", "a", b"90"),
        (b"1164", "mo", b"1080"),
        (b"600", "mo", b"600"),
        (b"5061", "wk", b"4697"),
        (b"35429", "d", b"32873"),
        (b"200", "d", b"200"),
        (b"97", "years", b"90"),
        (b"97", "YR", b"90"),
        (b"850000", "h", b"788940"),
        (b"97", None, None),
        (b"97", "{Jahre}", None),
        (b"90", "1", None),
        (b"44", None, b"44"),
        (b"45\\97", "a", b"90"),
        (b"nan", "a", b"90"),
        (b"ninety", "a", b"90"),
    ],
)
def test_an_age_is_at_most_90_years_in_its_own_unit(value, unit, capped):
    assert number_of(cap_age(measured(SUBJECT_AGE, value, unit))) == capped


def test_a_unit_is_known_by_its_meaning_too():
    units = Element(UNITS, "SQ", items=[code("J1", "99X", "Years")])
    one = data_set(Element(NUMBER, "DS", b"97"), units)
    capped = cap_age(item(SUBJECT_AGE, Element(MEASURED, "SQ", items=[one])))
    assert number_of(capped) == b"90"


def test_an_age_is_said_once():
    others = (Element(FLOATING, "FD", bytes(8)), Element(NUMERATOR, "SL", bytes(4)),
              Element(DENOMINATOR, "UL", bytes(4)))  # fmt: skip
    for value in (b"97", b"45"):
        capped = cap_age(measured(SUBJECT_AGE, value, "a", *others))
        assert set(capped.elements[MEASURED].items[0].elements) == {NUMBER, UNITS}
    alone = data_set(others[0], number(b"1").elements[UNITS])
    assert cap_age(item(SUBJECT_AGE, Element(MEASURED, "SQ", items=[alone]))).elements[
        MEASURED
    ].items == []  # fmt: skip


def test_the_number_of_a_contexts_item_stands_in_the_item_itself():
    of_context = item(SUBJECT_AGE, *number(b"97"))
    assert bytes(cap_age(of_context).elements[NUMBER].value) == b"90"
    unknown = item(SUBJECT_AGE, *number(b"97", None))
    assert bytes(cap_age(unknown).elements[NUMBER].value) == b"0"


@pytest.mark.parametrize("scheme", ["99LOCAL", "", "L"])
def test_years_of_a_concept_that_nobody_knows_are_taken_for_an_age(scheme):
    assert number_of(cap_age(measured(code("X1", scheme), b"97"))) == b"90"
    assert number_of(cap_age(measured(code("X1", scheme), b"97", "mm"))) == b"97"


def test_a_measurement_is_no_age_whatever_its_number():
    half_life = code("304283002", "SCT", "Half-life of nuclide")
    assert number_of(cap_age(measured(half_life, b"1600", "a"))) == b"1600"
    diameter = code("113937", "DCM", "AAPM 204 Effective Diameter Estimated From Patient Age")
    assert number_of(cap_age(measured(diameter, b"310", "mm"))) == b"310"


@given(st.integers(0, 200), st.sampled_from(sorted(PER_YEAR)))
def test_no_age_above_90_stays_and_none_below_changes(years, unit):
    value = int(years * PER_YEAR[unit])
    capped = number_of(cap_age(measured(SUBJECT_AGE, b"%d" % value, unit)))
    assert capped is not None
    assert int(capped) < 91 * PER_YEAR[unit]
    if years < 90:
        assert int(capped) == value


@pytest.mark.parametrize(
    ("text", "is_left_to_words"),
    [(b"45", True), (b"045Y", True), (b"97", False), (b"097Y", False), (b"ninety", False),
     (b"1164 months", False), (b"44 97", False), (b"", True)],
)  # fmt: skip
def test_an_age_in_words_stays_only_as_one_small_number(text, is_left_to_words):
    actions = actions_of("DCM:121033", item(SUBJECT_AGE, Element(TEXT, "UT", text)), USUAL)
    assert actions.get(TEXT) is (None if is_left_to_words else Action.DUMMY)


# Options


def action(concept: str, tag: int, *chosen: Option) -> Action | None:
    return actions_of(concept, item(code(*reversed(concept.split(":")))), {*chosen}).get(tag)


@given(options)
def test_names_identifiers_and_births_stay_under_no_option(chosen):
    for concept, kind in _BY_CODE.items():
        if kind in {Kind.IDENTITY, Kind.BIRTH}:
            actions = actions_of(concept, item(code("x")), chosen)
            assert actions[TEXT] is actions[PERSON] is actions[DATE] is Action.DUMMY
            assert actions[MOMENT] is actions[TIME] is actions[NUMBER] is Action.DUMMY
            assert actions[MEASURED] is Action.EMPTY


@pytest.mark.parametrize(
    ("concept", "option"),
    [
        ("DCM:121016", Option.DEVICE_IDENTITY),
        ("DCM:121013", Option.DEVICE_IDENTITY),
        ("DCM:110119", Option.DEVICE_IDENTITY),
        ("DCM:121009", Option.INSTITUTION_IDENTITY),
    ],
)
def test_devices_and_institutions_stay_where_their_option_is_chosen(concept, option):
    assert action(concept, TEXT) is Action.DUMMY
    assert action(concept, TEXT, option) is Action.KEEP
    others = set(Option) - {option}
    assert action(concept, TEXT, *others) is Action.DUMMY


def test_no_option_keeps_a_persons_name():
    for concept in _BY_CODE:
        assert action(concept, PERSON, *Option) in {None, Action.DUMMY}


@pytest.mark.parametrize("concept", ["DCM:121033", "LN:29463-7", "DCM:121032", "SCT:50373000"])
def test_characteristics_of_a_patient_stay_where_their_option_is_chosen(concept):
    assert action(concept, MEASURED) is Action.EMPTY
    assert action(concept, NUMBER) is Action.DUMMY
    assert action(concept, MEASURED, Option.PATIENT_CHARACTERISTICS) is None


def test_a_coded_value_that_may_not_stay_says_unknown():
    sex = item(code("121032"), Element(CODES, "SQ", items=[code("M", "DCM", "Male")]))
    assert plain(report_item(sex, USUAL)[0]) == plain(sex)
    hidden, _ = report_item(sex, frozenset())
    found = hidden.elements[CODES].items[0]
    assert bytes(found.elements[0x00080104].value) == b"Unknown"


def test_dates_of_things_are_never_shifted_and_those_of_acts_are():
    for concept in ("DCM:113723",):
        assert action(concept, MOMENT, *USUAL) is Action.DUMMY
        assert action(concept, MOMENT, Option.LONGITUDINAL_FULL) is None
    for concept in ("DCM:123003", "DCM:111018", "DCM:122165", "DCM:126201"):
        assert action(concept, MOMENT, *USUAL) is None


def test_roles_kinds_and_uids_are_left_to_the_profile():
    for concept in ("DCM:121005", "DCM:121010", "DCM:121011", "DCM:121012", "DCM:121028",
                    "DCM:121023", "DCM:121024"):  # fmt: skip
        assert not actions_of(concept, item(code("x")), USUAL)
    for concept in _BY_CODE:
        assert action(concept, UID) is None


# All of it


@given(public, options, st.integers(0, 200))
def test_what_the_table_does_not_name_is_left_alone(named, chosen, value):
    concept = canonical(*named)
    one = measured(code(named[1], named[0]), b"%d" % value, "mm")
    made, actions = report_item(one, chosen)
    if kind_of(concept) is None:
        assert made is one or plain(made) == plain(one)
        assert not actions


@given(concepts, options, st.integers(0, 50_000), st.sampled_from([*PER_YEAR, "kg", None]))
def test_twice_is_once_and_the_item_given_is_not_changed(concept, chosen, value, unit):
    scheme, _, bare = concept.partition(":")
    one = measured(code(bare, scheme), b"%d" % value, unit, Element(FLOATING, "FD", bytes(8)))
    one.put(Element(TEXT, "UT", b"%d" % value))
    one.put(Element(CODES, "SQ", items=[code("M")]))
    before = plain(one)
    made, actions = report_item(one, chosen)
    assert plain(one) == before
    again, actions_again = report_item(made, chosen)
    assert plain(again) == plain(made)
    assert actions_again == actions


# Through the engine


def content(kind: str, name: tuple[str, str, str], **value: object) -> Dataset:
    one = Dataset()
    one.RelationshipType = "HAS OBS CONTEXT"
    one.ValueType = kind
    one.ConceptNameCodeSequence = [coded(*name)]
    for keyword, said in value.items():
        setattr(one, keyword, said)
    return one


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = value, scheme, meaning
    return one


def age_of(years: str) -> Dataset:
    one = Dataset()
    one.NumericValue = years
    one.MeasurementUnitsCodeSequence = [coded("a", "UCUM", "year")]
    return one


def report() -> Dataset:
    """Return a report whose observation context says everything about everybody."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = ComprehensiveSRStorage, "1.2.3.4"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    made.PatientID, made.PatientName, made.Modality = "77", "Quux^Zorblax", "SR"
    made.PatientBirthDate = made.PatientSex = made.StudyID = made.AccessionNumber = ""
    made.StudyDate = made.ContentDate = "20200301"
    made.StudyTime = made.ContentTime = "101112"
    made.ReferringPhysicianName = made.Manufacturer = ""
    made.SeriesNumber = made.InstanceNumber = "1"
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
    made.ReferencedPerformedProcedureStepSequence = []
    made.PerformedProcedureCodeSequence = []
    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    made.ConceptNameCodeSequence = [coded("126000", "DCM", "Imaging Measurement Report")]
    made.ContentSequence = [
        content("CODE", ("121005", "DCM", "Observer Type"),
                ConceptCodeSequence=[coded("121006", "DCM", "Person")]),
        content("PNAME", ("121008", "DCM", "Person Observer Name"), PersonName="Vorbl^Ix"),
        content("TEXT", ("121009", "DCM", "Person Observer's Organization Name"),
                TextValue="Breast Center"),
        content("UIDREF", ("121012", "DCM", "Device Observer UID"), UID="1.2.840.1"),
        content("TEXT", ("121016", "DCM", "Device Observer Serial Number"), TextValue="41"),
        content("PNAME", ("121029", "DCM", "Subject Name"), PersonName="Quux^Zorblax"),
        content("TEXT", ("121030", "DCM", "Subject ID"), TextValue="77"),
        content("DATE", ("121031", "DCM", "Subject Birth Date"), Date="19230405"),
        content("CODE", ("121032", "DCM", "Subject Sex"),
                ConceptCodeSequence=[coded("F", "DCM", "Female")]),
        content("NUM", ("121033", "DCM", "Subject Age"), MeasuredValueSequence=[age_of("97")]),
        content("DATE", ("111060", "DCM", "Study Date"), Date="20200301"),
        content("TEXT", ("121022", "DCM", "Accession Number"), TextValue="123"),
    ]  # fmt: skip
    return made


def file_of(made: Dataset) -> bytes:
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def released(file: bytes, profile: Profile, shift_days: int = 100) -> bytes:
    key = bytes(range(32))
    engine = Deidentifier(profile, Pseudonymiser(key), Words())
    outcome = engine.apply(read_instance(file), Subject("123456789", shift_days))
    assert isinstance(outcome, Released)
    return b"".join(write_instance(outcome.instance))


def items_of(file: bytes) -> dict[str, Dataset]:
    made = pydicom.dcmread(io.BytesIO(file))
    return {one.ConceptNameCodeSequence[0].CodeValue: one for one in made.ContentSequence}


def test_a_report_tells_nothing_of_who_was_seen_by_whom():
    made = items_of(released(file_of(report()), Profile.default()))
    for concept in ("121009", "121016", "121030", "121022"):
        assert made[concept].TextValue == "REMOVED"
    assert made["121008"].PersonName == made["121029"].PersonName == "ANONYMOUS"
    assert made["121031"].Date == "19000101"
    assert made["111060"].Date == "20191122"
    assert made["121033"].MeasuredValueSequence[0].NumericValue == 90
    assert made["121032"].ConceptCodeSequence[0].CodeValue == "F"
    assert made["121012"].UID.startswith("2.25.")


def test_the_basic_profile_withholds_what_a_patient_is_like():
    made = items_of(released(file_of(report()), Profile(frozenset())))
    assert not made["121033"].MeasuredValueSequence
    assert made["121032"].ConceptCodeSequence[0].CodeMeaning == "Unknown"


def test_what_options_let_stay_stays_as_it_is():
    options = Profile.default().with_changes(
        added=["retain_device_identity", "retain_institution_identity"]
    )
    made = items_of(released(file_of(report()), options))
    assert made["121016"].TextValue == "41"
    assert made["121009"].TextValue == "Breast Center"
    assert made["121030"].TextValue == "REMOVED"


@pytest.mark.parametrize("profile", [Profile.default(), Profile(frozenset())])
def test_a_second_pass_changes_nothing_in_a_report(profile):
    once = released(file_of(report()), profile)
    assert released(once, profile, shift_days=0) == once


@pytest.mark.parametrize("profile", [Profile.default(), Profile(frozenset())])
def test_a_report_stays_as_valid_as_it_was(profile, tmp_path):
    program = find_validator()
    if program is None:
        pytest.skip("no dciodvfy here")
    before, after = file_of(report()), released(file_of(report()), profile)
    found = []
    for file, made in ((tmp_path / "before.dcm", before), (tmp_path / "after.dcm", after)):
        file.write_bytes(made)
        found.append(errors(program, file))
    assert found[1] <= found[0]
