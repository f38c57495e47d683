"""UIDs that tell when a scan was made, and those that only look like numbers."""

import datetime as dt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.dated_uids import tells_a_date

DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
SECONDS = st.integers(631_152_000, 2_208_988_800)
MOMENTS = SECONDS.map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
ROOTS = st.sampled_from(
    ["1.3.12.2.1107.5.2.32.35162", "1.2.840.113619.2.55.3", "1.2.826.0.1.3680043.8.498", "1.2.3",
     "1.3.6.1.4.1.14519.5.2.1.7009", "2.25", "1.2.840.113654.2.55"]
)  # fmt: skip
ARCHIVES = st.sampled_from(
    ["1.3.6.1.4.1.14519.5.2.1.7009.9004", "1.3.6.1.4.1.14519.5.2.1", "1.2.840.113654.2.55",
     "1.3.6.1.4.1.9328.50.4", "1.3.6.1.4.1.9590.100.1.2"]
)  # fmt: skip
TICKS = 10_000_000


@pytest.mark.parametrize(
    "uid",
    [
        "1.3.12.2.1107.5.2.32.35162.2010031109342712345",
        "1.3.12.2.1107.5.1.4.1001.30000013072513125762500009613",
        "1.3.12.2.1107.5.1.4.73395.300000210223061.17",
        "1.2.840.113619.2.55.3.313318667.350.1615792077.391",
        "1.2.840.113619.2.62.994044785528.114289542805",
        "1.2.276.0.7230010.3.1.3.17436516.270878.1696966588.943239",
        "1.2.392.200036.9116.2.6.1.48.1214833767.1398137404.1",
        "1.3.46.670589.33.1.63757882424204853400001.5046914828573533553",
        "1.3.46.670589.11.17169.5.0.5780.2010100110490460987.2",
        "1.2.246.352.71.2.494841863751.4253616.20190218155318",
        "1.2.124.113532.19.61.24022.20060721.163414.1234",
        "1.2.826.0.1.534147.667.2747872357.2023410102410222.4",
        "1.3.6.1.4.1.5962.99.1.1038785163.1205633671.1637421357707.2.0",
        "1.2.3.2010.3.11.4",
        "1.2.3.11.03.2010",
        "1.2.3.11032010.4",
        "1.2.3.100311093427",
        "1.2.99.1951.12.3.4",
        "1.2.99.3.12.1951",
        "1.2.99.12.03.1951",
        "1.2.99.132186318720000000",
    ],
)
def test_forms_of_makers_are_known(uid):
    assert tells_a_date(uid)


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.3.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.113619.2.55.3.17.2", "2.25",
        "1.2.3.20101311", "1.2.3.20100230", "1.99.77.2010.13.11", "1.99.77.2010.2.77",
        "1.3.6.1.4.1.14519.5.2.1.2099.3754.1",
        "1.2.826.0.1.3680043.8.498.56046203939823473875129608016149951794",
        "2.25.209305285024999667472141278659027142851.1",
        "1.3.6.1.4.1.14519.5.2.1.6279.6001.298806137288633453246975630178",
    ],
)  # fmt: skip
def test_numbers_that_are_no_day_stay(uid):
    assert not tells_a_date(uid)


@given(ROOTS, DAYS, st.sampled_from(["", ".1", ".7.12"]))
def test_a_component_that_is_a_day_is_seen_under_any_root(root, day, end):
    assert tells_a_date(f"{root}.{day:%Y%m%d}{end}")


@given(ROOTS, DAYS, st.integers(0, 9999), st.integers(0, 10**8 - 1))
def test_a_day_within_a_short_component_is_seen(root, day, before, after):
    assert tells_a_date(f"{root}.{before}{day:%Y%m%d}{after:08d}")


@given(ROOTS, MOMENTS, st.sampled_from(["%Y%m%d%H%M%S", "%Y%m%d%H%M%S%f", "%y%m%d%H%M%S"]))
def test_a_moment_is_seen_in_every_form(root, moment, form):
    if moment.year != 2000 or form[1] == "Y":
        assert tells_a_date(f"{root}.{moment.strftime(form).lstrip('0')}.1")


@given(MOMENTS, st.sampled_from(["%Y.%m.%d", "%d.%m.%Y"]))
def test_a_day_in_three_components_is_seen(moment, form):
    assert tells_a_date(f"1.2.840.113532.7.{moment.strftime(form)}.4")


@given(ROOTS, SECONDS, st.integers(0, 999_999), st.sampled_from([1, 1000, 1_000_000]))
def test_seconds_since_1970_are_seen(root, seconds, part, per_s):
    assert tells_a_date(f"{root}.{seconds * per_s + part % per_s}.3")


@given(ARCHIVES, st.integers(10**27, 10**38))
def test_hashes_of_archives_stay(root, number):
    assert not tells_a_date(f"{root}.{number}"[:64])


@given(st.uuids(version=4), st.sampled_from(["", ".1"]))
def test_random_uuids_stay(uuid, end):
    assert not tells_a_date(f"2.25.{uuid.int | 1 << 127}{end}"[:64])


@given(MOMENTS, st.integers(0, 2**62 - 1), st.sampled_from([1, 6, 7]))
def test_a_uuid_made_of_a_clock_tells_its_time(moment, rest, version):
    since = moment - dt.datetime(1582, 10, 15, tzinfo=dt.UTC)
    ticks = (since.days * 86_400 + since.seconds) * TICKS
    if version == 7:
        high = int(moment.timestamp() * 1000) << 16
    elif version == 6:
        high = (ticks >> 12 << 16) | (ticks & 0xFFF)
    else:
        high = (ticks & 0xFFFFFFFF) << 32 | (ticks >> 32 & 0xFFFF) << 16 | ticks >> 48
    number = (high & ~0xF000 | version << 12) << 64 | 2 << 62 | rest
    assert UUID(int=number).version == version
    assert tells_a_date(f"2.25.{number}")


@given(st.from_regex(r"[0-2](\.(0|[1-9][0-9]{0,30})){1,8}", fullmatch=True))
def test_any_uid_is_judged_and_always_alike(uid):
    assert tells_a_date(uid) == tells_a_date(uid)
