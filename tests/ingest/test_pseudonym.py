import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.pseudonym import STAND_INS, Pseudonymiser

KEY = bytes(range(32))
UIDS = st.from_regex(r"[0-2](\.(0|[1-9][0-9]{0,8})){1,6}", fullmatch=True)


@given(UIDS, UIDS)
def test_uids_stay_apart_and_valid(one, other):
    names = Pseudonymiser(KEY)
    assert (names.uid(one) == names.uid(other)) == (one == other)
    assert names.uid(one).startswith("2.25.")
    assert len(names.uid(one)) <= 64
    assert one not in names.uid(one)[5:] or len(one) < 5


REAL_DATES = st.dates(dt.date(1950, 1, 1)).filter(lambda date: date not in STAND_INS)


@given(st.text(min_size=1), REAL_DATES, REAL_DATES)
def test_intervals_between_dates_stay_exact(subject, first, second):
    names = Pseudonymiser(KEY)
    shifted = names.shifted(second, subject) - names.shifted(first, subject)
    assert shifted == second - first
    assert names.shifted(first, subject) < first


def test_another_key_gives_other_names():
    one, other = Pseudonymiser(KEY), Pseudonymiser(bytes(32))
    assert one.uid("1.2.3") != other.uid("1.2.3")
    assert one.identity_hash("007") != other.identity_hash("007")
    assert one.identity_hash("007") != one.identity_hash("7")


def test_public_uids_may_be_kept():
    assert Pseudonymiser(KEY, keep_uids=True).uid("1.2.840.1") == "1.2.840.1"


def test_a_key_never_shows_in_a_message():
    assert str(KEY) not in repr(Pseudonymiser(KEY))


@pytest.mark.parametrize("text", ["DOE^JANE", "../../etc", "1.2.3/../4", "1.2.", "", "1.2\n"])
def test_what_is_no_uid_is_never_passed_through(text):
    keyed = Pseudonymiser(KEY, keep_uids=True).uid(text)
    assert keyed == Pseudonymiser(KEY).uid(text)
    assert keyed.startswith("2.25.")


def test_names_of_broken_bytes_have_hashes_too():
    names = Pseudonymiser(KEY)
    assert names.identity_hash("caf\udce9") != names.identity_hash("café")


@given(UIDS)
def test_a_uid_of_ours_is_known_again_and_stays(uid):
    names, others = Pseudonymiser(KEY), Pseudonymiser(bytes(32))
    keyed = names.uid(uid)
    assert names.is_own(keyed)
    assert names.uid(keyed) == keyed
    assert not others.is_own(keyed)
    assert others.uid(keyed) != keyed


@pytest.mark.parametrize("uid", ["2.25.0", "2.25.", "2.25.1", f"2.25.{2**128}", "1.2.3", "2.25.01"])
def test_a_uid_of_somebody_else_is_not_taken_for_ours(uid):
    assert not Pseudonymiser(KEY).is_own(uid)
