"""Private elements that may stay: known numbers and codes, nothing else."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import private_dictionary_VR

from lesionary.ingest.deidentify.private import safe_elements, safe_private
from lesionary.ingest.deidentify.table import read_data

NUMBERS = {"DS", "IS", "FL", "FD", "US", "SS", "UL", "SL"}


@pytest.mark.parametrize(
    ("creator", "group", "low_byte", "vr"),
    [
        ("Philips PET Private Group", 0x7053, 0x00, "DS"),
        ("Philips PET Private Group", 0x7053, 0x09, "DS"),
        ("Philips Imaging DD 001", 0x2001, 0x03, "FL"),
        ("Philips MR Imaging DD 001", 0x2005, 0x0E, "FL"),
        ("SIEMENS MR HEADER", 0x0019, 0x0C, "IS"),
        ("SIEMENS MR HEADER", 0x0019, 0x0E, "FD"),
        ("GEMS_PARM_01", 0x0043, 0x39, "IS"),
        ("GEMS_ACQU_01", 0x0019, 0xBB, "DS"),
        ("GEMS_HELIOS_01", 0x0045, 0x02, "FL"),
        ("ELSCINT1", 0x01F1, 0x26, "DS"),
    ],
)
def test_factors_and_diffusion_stay(creator, group, low_byte, vr):
    assert safe_private(creator, group, low_byte) == vr
    assert safe_private(f" {creator} \0", group, low_byte) == vr


@pytest.mark.parametrize(
    ("creator", "group", "low_byte"),
    [
        ("Philips PET Private Group", 0x7053, 0x03),
        ("Philips PET Private Group", 0x7055, 0x00),
        ("SIEMENS CSA HEADER", 0x0029, 0x10),
        ("SIEMENS CSA HEADER", 0x0029, 0x20),
        ("SIEMENS MR HEADER", 0x0051, 0x08),
        ("GEMS_IDEN_01", 0x0009, 0x27),
        ("GEMS_PARM_01", 0x0043, 0x2A),
        ("GEMS_PETD_01", 0x0009, 0x0D),
        ("CTP", 0x0013, 0x10),
        ("", 0x7053, 0x00),
        ("philips pet private group", 0x7053, 0x00),
    ],
)
def test_what_is_not_listed_goes(creator, group, low_byte):
    assert safe_private(creator, group, low_byte) is None


@given(st.text(max_size=40), st.integers(0, 0xFFFF), st.integers(0, 0xFF))
def test_no_creator_by_chance(creator, group, low_byte):
    listed = (group, creator.strip(" \0"), low_byte) in safe_elements()
    assert (safe_private(creator, group, low_byte) is not None) == listed


def test_the_list_is_odd_groups_of_named_creators_once_each():
    rows = list(read_data("safe_private.csv"))
    assert len(rows) == len(safe_elements())
    for group, creator, low_byte in safe_elements():
        assert group & 1
        assert group > 8
        assert creator == creator.strip()
        assert creator.isascii()
        assert 0 <= low_byte <= 0xFF


def test_only_numbers_and_the_standards_own_codes_are_listed():
    for row in read_data("safe_private.csv"):
        assert row["vr"] in NUMBERS or (row["source"] == "standard" and row["vr"] != "UI"), row
        assert row["vr"] in NUMBERS | {"CS", "SH", "LO"}, row


def test_no_number_that_counts_persons_days_or_files_is_listed():
    told = re.compile(
        r"\b(dates?|id|uid|birth|name of|serial|exam|series number)\b|datetime", re.IGNORECASE
    )
    assert not [row for row in read_data("safe_private.csv") if told.search(row["name"])]


DISPUTED = {(0x01F1, "ELSCINT1", 0x26): "FD"}
"""Where the private dictionary says another VR than the standard's list."""


def test_vrs_are_those_of_the_private_dictionary():
    agreed = Counter()
    for (group, creator, low_byte), vr in safe_elements().items():
        try:
            known = private_dictionary_VR(group << 16 | 0x1000 | low_byte, creator)
        except KeyError:
            agreed["unknown"] += 1
            continue
        assert known == DISPUTED.get((group, creator, low_byte), vr)
        agreed["known"] += 1
    assert agreed["known"] > 500
