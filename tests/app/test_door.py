"""The door: what it says of dates that it finds shifted, or not."""

import io

import pydicom
import pytest

from dicom_factory import ct_series
from lesionary.app.door import Taken, TakenAs, open_door
from lesionary.ingest.deidentify.profile import Profile

KEY = bytes(range(32))
DATE = "20200301"


class Numbers:
    """A vault that counts."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, str], int] = {}

    def number_of(self, patient_id: str, issuer: str = "") -> int:
        return self.given.setdefault((patient_id, issuer), 123_456_780 + len(self.given))

    def knows(self, number: int) -> bool:
        return number in self.given.values()


@pytest.fixture
def numbers():
    return Numbers()


def original() -> bytes:
    data_set = ct_series()[0]
    data_set.StudyDate = DATE
    buffer = io.BytesIO()
    data_set.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def through(content: bytes, numbers: Numbers, *added: str, without: tuple[str, ...] = ()) -> Taken:
    profile = Profile.default().with_changes(added=added, left_out=without)
    return open_door(profile, KEY, numbers).take(content)


def read(taken: Taken) -> pydicom.Dataset:
    assert taken.outcome is TakenAs.RELEASED
    return pydicom.dcmread(io.BytesIO(b"".join(taken.chunks)))


def test_dates_move_once(numbers):
    once = through(original(), numbers)
    assert read(once).StudyDate != DATE
    twice = through(b"".join(once.chunks), numbers)
    assert b"".join(twice.chunks) == b"".join(once.chunks)


def test_dates_that_were_kept_are_never_called_shifted(numbers):
    kept = through(original(), numbers, "retain_full_dates")
    assert read(kept).StudyDate == DATE
    assert read(kept).LongitudinalTemporalInformationModified == "UNMODIFIED"
    again = through(b"".join(kept.chunks), numbers)
    assert (again.outcome, again.code) == (TakenAs.QUARANTINED, "true_dates")
    without = through(b"".join(kept.chunks), numbers, without=("retain_modified_dates",))
    assert DATE.encode() not in b"".join(without.chunks)


def test_dates_that_were_shifted_are_never_called_true(numbers):
    shifted = through(original(), numbers)
    kept = read(through(b"".join(shifted.chunks), numbers, "retain_full_dates"))
    assert kept.LongitudinalTemporalInformationModified == "MODIFIED"


def test_who_it_was_is_told_by_a_keyed_hash_alone(numbers):
    taken = through(original(), numbers)
    assert len(taken.identity_hash) == 64
    assert taken.patient in {str(number) for number in numbers.given.values()}
    assert "P-007" not in repr(taken)
