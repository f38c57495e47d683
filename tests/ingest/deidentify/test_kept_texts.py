"""What options let stay as it is: devices, institutions, time zones; and nobody's name in them."""

import pytest
from pydicom.dataset import Dataset
from tests.ingest.deidentify.test_engine import engine, released, slice_of_ct, twice

from lesionary.ingest.deidentify.dictionary import standard_vr
from lesionary.ingest.deidentify.profile import Action, Profile
from lesionary.ingest.deidentify.table import standard_table

FULL, DEVICE, PLACE = (
    "retain_full_dates", "retain_device_identity", "retain_institution_identity"
)  # fmt: skip
WHO = {
    "PatientName": "Vogelsang^Hildrun", "PatientID": "KX-77-3092", "PatientBirthDate": "19511203",
    "ReferringPhysicianName": "Oyelaran^Tunde", "AccessionNumber": "ACC9081726",
    "StudyDate": "20191119",
}  # fmt: skip
WHOSE = ["vogelsang", "hildrun", "3092", "oyelaran", "9081726", "1951", "031251"]
TEXTS = {"LO", "SH", "ST", "UC", "UT", "CS"}


def kept_texts(option: str) -> list[tuple[int, str]]:
    profile = Profile.default().with_changes(added=[option])
    return [
        (int(row.tag, 16), row.vr)
        for row in standard_table()
        if row.vr in TEXTS
        and "x" not in row.tag
        and profile.action(int(row.tag, 16), row.vr) is Action.KEEP
    ]


def coded(value: str, meaning: str) -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, "DCM", meaning
    return made


def test_the_options_keep_texts_of_devices_institutions_and_the_time_zone():
    assert len(kept_texts(DEVICE)) > 20
    assert len(kept_texts(PLACE)) > 5
    assert kept_texts(FULL) == [(0x00080201, "SH")]


@pytest.mark.parametrize("text", ["Vogelsang", "CET", "+1", "+01000", "0100", "+0160", "+0100 K"])
def test_a_time_zone_is_none_that_is_not_of_its_shape(text):
    made = released(slice_of_ct(TimezoneOffsetFromUTC=text), engine(FULL))
    assert not made.get("TimezoneOffsetFromUTC")


@pytest.mark.parametrize("text", ["+0100", "-0330", "+0545"])
def test_a_time_zone_stays_with_full_dates(text):
    made = released(slice_of_ct(TimezoneOffsetFromUTC=text), engine(FULL))
    assert made.TimezoneOffsetFromUTC == text


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("option", [DEVICE, PLACE])
@pytest.mark.parametrize(
    "text",
    ["VOGELSANG", "KX-77-3092", "KX773092", "for Hildrun", "Oyelaran", "031251", "HildrunCT",
     "ACC9081726", "3.12.1951", "3 Dec 1951"],
)  # fmt: skip
def test_no_kept_text_tells_who_somebody_is(option, text):
    header = slice_of_ct(**WHO)
    tags = kept_texts(option)
    for tag, vr in tags:
        assert vr in standard_vr(tag)
        header.add_new(tag, vr, text.upper() if vr == "CS" else text)
    made = released(header, engine(DEVICE, PLACE))
    for tag, _ in tags:
        said = str(made[tag].value or "").lower() if tag in made else ""
        assert not any(one in said for one in WHOSE), (hex(tag), said)


def test_devices_and_institutions_stay_as_they_are():
    texts = {
        "StationName": "CTAWP99881", "DeviceSerialNumber": "SN664-5512", "DetectorID": "99881",
        "InstitutionName": "Krankenhaus Unterwaldhausen", "DeviceDescription": "Pump of CTAWP99881",
        "InstitutionAddress": "Waldweg 3, Unterwaldhausen", "GantryID": "SN664-5512",
    }  # fmt: skip
    made = released(slice_of_ct(**WHO, **texts), engine(DEVICE, PLACE))
    assert {keyword: getattr(made, keyword) for keyword in texts} == texts


def test_a_place_that_is_kept_for_a_device_stays_and_that_of_an_institution_goes():
    texts = {
        "ScheduledStudyLocation": "Haus Unterwald", "InstitutionName": "Krankenhaus Krumbach",
        "StationName": "KRUMBACH CT 2", "PerformedStationAETitle": "GANTRY9",
        "DeviceDescription": "of GANTRY9",
    }  # fmt: skip
    made = released(slice_of_ct(**WHO, **texts), engine(DEVICE))
    assert made.ScheduledStudyLocation == texts["ScheduledStudyLocation"]
    assert made.DeviceDescription == texts["DeviceDescription"]
    assert "KRUMBACH" not in str(made).upper()


def test_what_a_kept_text_must_have_is_a_stand_in():
    made = released(slice_of_ct(**WHO | {"DeviceSerialNumber": "KX-77-3092"}), engine(DEVICE))
    assert made.DeviceSerialNumber == "REMOVED"


def test_the_same_words_still_go_from_descriptions():
    texts = {"StationName": "CTAWP99881", "SeriesDescription": "CHEST CTAWP99881"}
    made = released(slice_of_ct(**WHO, **texts), engine(DEVICE))
    assert made.SeriesDescription == "CHEST"


@pytest.mark.parametrize(
    ("concept", "meaning"), [("121016", "Serial Number"), ("121009", "Organization Name")]
)
def test_items_of_devices_and_institutions_name_nobody(concept, meaning):
    made = []
    for text in ("KX-77-3092", "Oyelaran", "Unit 7"):
        item = Dataset()
        item.ConceptNameCodeSequence = [coded(concept, meaning)]
        item.TextValue = text
        made.append(item)
    out = released(
        slice_of_ct(**WHO, AcquisitionContextSequence=made), engine(DEVICE, PLACE)
    ).AcquisitionContextSequence
    assert [one.TextValue for one in out] == ["REMOVED", "REMOVED", "Unit 7"]


def test_a_second_pass_changes_nothing():
    header = slice_of_ct(
        **WHO, StationName="VOGELSANG", DeviceDescription="Pump of Vogelsang KX-77-3092",
        InstitutionName="Vogelsang ward", InstitutionAddress="for Hildrun 03.12.1951",
        TimezoneOffsetFromUTC="+0100",
    )  # fmt: skip
    made = twice(header, engine(DEVICE, PLACE, FULL))
    assert not any(one in str(made).lower() for one in WHOSE)
