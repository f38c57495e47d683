"""Birth dates go wherever they stand, and no counter repeats the day that dates were moved from."""

import datetime as dt

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from tests.ingest.deidentify.test_engine import engine, released, slice_of_ct, twice

from lesionary.ingest.deidentify.own_days import forms_of

BORN = dt.date(1951, 12, 3)
SCANNED = dt.date(2019, 11, 19)
FULL = ("retain_full_dates",)
DUMMY = "19000101"


def concept(meaning: str, scheme: str = "99LOC") -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = "X2", scheme, meaning
    return made


def item(meaning: str, **value: str) -> Dataset:
    made = Dataset()
    made.ConceptNameCodeSequence = [concept(meaning)]
    for keyword, said in value.items():
        setattr(made, keyword, said)
    return made


def with_items(*items: Dataset, **elements: object) -> Dataset:
    plain: dict[str, object] = {
        "PatientBirthDate": f"{BORN:%Y%m%d}", "StudyDate": f"{SCANNED:%Y%m%d}",
    }  # fmt: skip
    return slice_of_ct(AcquisitionContextSequence=list(items), **(plain | elements))


# Birth


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
@pytest.mark.parametrize("added", [(), FULL])
@pytest.mark.parametrize("meaning", ["Anniversary", "syntymaaika", "Nar.", ""])
@pytest.mark.parametrize(
    ("keyword", "said"),
    [("Date", "19511203"), ("DateTime", "195112031015"), ("DateTime", "19511203101500+0100"),
     ("DateTime", "195112"), ("Date", "1951.12.03")],
)  # fmt: skip
def test_an_item_with_the_date_of_birth_loses_it_whatever_its_concept(
    added, meaning, keyword, said
):
    made = released(with_items(item(meaning, **{keyword: said})), engine(*added))
    (found,) = made.AcquisitionContextSequence
    assert getattr(found, keyword).startswith(DUMMY)


@pytest.mark.parametrize("added", [(), FULL])
@pytest.mark.parametrize(
    "keyword", ["DateOfSecondaryCapture", "ContentDate", "SeriesDate", "StructureSetDate"]
)
def test_any_element_with_the_date_of_birth_loses_it(added, keyword):
    made = released(with_items(**{keyword: "19511203"}), engine(*added))
    assert getattr(made, keyword) in {DUMMY, ""}


def test_the_end_of_a_range_is_a_date_too():
    made = released(with_items(DateOfSecondaryCapture="19500101-19511203"))
    assert made.DateOfSecondaryCapture == DUMMY


def test_a_date_of_birth_that_only_an_item_tells_goes_from_the_others():
    birth = item("Date of Birth", Date="19511203")
    made = released(with_items(birth, item("enrolled", Date="19511203"), PatientBirthDate=""))
    assert {one.Date for one in made.AcquisitionContextSequence} == {DUMMY}


def test_other_days_stay_or_move():
    enrolled = item("enrolled", Date="20191120")
    moved = released(with_items(enrolled)).AcquisitionContextSequence[0].Date
    assert moved == f"{dt.date(2019, 11, 20) - dt.timedelta(100):%Y%m%d}"
    kept = released(with_items(enrolled), engine(*FULL))
    assert kept.AcquisitionContextSequence[0].Date == "20191120"


@pytest.mark.parametrize("n_days", [0, 1])
def test_who_was_scanned_when_born_keeps_the_dates_of_the_scan(n_days):
    born = SCANNED + dt.timedelta(n_days)
    dates = {
        keyword: f"{SCANNED + dt.timedelta(n_days):%Y%m%d}"
        for keyword in ("SeriesDate", "AcquisitionDate", "ContentDate")
    }
    private = item("Anniversary", Date=f"{born:%Y%m%d}")
    newborn = with_items(private, PatientBirthDate=f"{born:%Y%m%d}", **dates)
    made = released(newborn, engine(*FULL))
    assert made.StudyDate == f"{SCANNED:%Y%m%d}"
    assert {getattr(made, keyword) for keyword in dates} == set(dates.values())
    assert made.AcquisitionContextSequence[0].Date == DUMMY


# Counters


@pytest.mark.parametrize("keyword", ["SeriesNumber", "AcquisitionNumber", "InstanceNumber"])
@pytest.mark.parametrize("form", ["%y%m%d", "%d%m%y", "%Y%j", "%m%d%Y"])
@pytest.mark.parametrize("day", [SCANNED, dt.date(2005, 3, 11)])
def test_a_counter_that_is_the_files_own_day_goes(keyword, form, day):
    written = day.strftime(form)
    header = {"StudyDate": f"{day:%Y%m%d}", keyword: written}
    assert getattr(released(slice_of_ct(**header)), keyword) is None
    kept = getattr(released(slice_of_ct(**header), engine(*FULL)), keyword)
    if len(written.lstrip("0")) < 8:
        assert kept == int(written)


@pytest.mark.parametrize("keyword", ["SeriesNumber", "AcquisitionNumber"])
@pytest.mark.parametrize("written", ["20191", "201911", "2019323", "18219"])
def test_a_free_counter_may_not_begin_with_the_year_nor_count_days(keyword, written):
    made = released(slice_of_ct(AcquisitionDate=f"{SCANNED:%Y%m%d}", **{keyword: written}))
    assert getattr(made, keyword) is None


@pytest.mark.parametrize("number", ["1", "2019", "1119", "18219", "20191", "191120", "19111"])
def test_an_image_keeps_its_own_number(number):
    made = released(slice_of_ct(StudyDate=f"{SCANNED:%Y%m%d}", InstanceNumber=number))
    assert made.InstanceNumber == int(number)


def test_a_measure_stays_though_it_is_a_day():
    made = released(
        slice_of_ct(StudyDate="20191119", SliceThickness="191119", ActualFrameDuration="191119")
    )
    assert (made.SliceThickness, made.ActualFrameDuration) == (191119, 191119)


def test_any_other_number_of_six_digits_that_is_a_day_goes():
    made = released(slice_of_ct(StudyDate="20191119", TemporalPositionIndex=191119,
                                NumberOfTemporalPositions="191119"))  # fmt: skip
    assert "191119" not in str(made)


@settings(max_examples=25, deadline=None)
@given(st.dates(dt.date(1985, 1, 1), dt.date(2040, 1, 1)), st.data())
def test_no_form_of_a_day_is_left_in_a_number_of_a_series(day, data):
    form = data.draw(st.sampled_from([one for one in forms_of(day) if len(one.lstrip("0")) >= 5]))
    made = released(slice_of_ct(StudyDate=f"{day:%Y%m%d}", SeriesNumber=form))
    assert made.SeriesNumber is None


def test_what_was_moved_once_loses_nothing_the_second_time():
    moved = SCANNED - dt.timedelta(100)
    header = slice_of_ct(
        StudyDate=f"{SCANNED:%Y%m%d}", SeriesNumber=f"{moved:%y%m%d}",
        PatientBirthDate="19511203", DateOfSecondaryCapture="19511203", InstanceNumber="191119",
    )  # fmt: skip
    made = twice(header)
    assert isinstance(made, pydicom.Dataset)
    assert made.SeriesNumber == int(f"{moved:%y%m%d}")
