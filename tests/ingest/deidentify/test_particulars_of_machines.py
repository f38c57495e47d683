"""Versions, models, sequences and reconstructions stay by their grammar, whatever their number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.deidentify.test_particulars import IDENTITIES, NAMES
from lesionary.ingest.deidentify.particulars import TERMS

MODEL, VERSION, SEQUENCE, RECONSTRUCTION = 0x00081090, 0x00181020, 0x00180024, 0x00541103

RECONSTRUCTIONS = (
    "PSF+TOF 4i5s|OSEM3D 4i8s|BLOB-OS-TF|VPFXS|3D IR|VPFX-S|LOR-RAMLA|TrueX+TOF|Q.Clear|QCFX-S|"
    "OSEM 3i24s|FBP|AIDR 3D"
)


@pytest.mark.parametrize("prefix", ["DV", "SV", "MR", "PX", ""])
@given(st.integers(10, 40), st.integers(0, 9), st.integers(1, 9), st.integers(1, 53))
def test_a_release_of_a_scanner_stays(prefix, major, minor, release, week):
    for text in (
        f"{prefix}{major}.{minor}_R0{release}_18{week:02d}.b",
        f"MR Software release:{prefix}{major}.{minor}_M{release}_18{week:02d}.a",
    ):
        assert text.encode() in TERMS[VERSION]


@pytest.mark.parametrize("text", ["revo_ct_22bc.50", "revo_ct_21b.33", "DV26.0_R03_1831.b"])
def test_versions_stay(text):
    assert text.encode() in TERMS[VERSION]


@pytest.mark.parametrize("text", ["Spectral CT 7500", "Incisive CT 5300", "IQon 6000"])
def test_a_type_in_hundreds_stays_behind_its_family(text):
    assert text.encode() in TERMS[MODEL]


@given(st.integers(1000, 9999))
def test_of_four_digits_only_hundreds_that_are_no_year_are_a_type(number):
    is_type = number % 100 == 0 and number >= 2100
    assert (f"Spectral CT {number}".encode() in TERMS[MODEL]) == is_type
    assert str(number).encode() not in TERMS[MODEL]


@given(st.sampled_from(["q", "qD", "tf", "Se"]), st.sampled_from("23"), st.integers(1, 64))
def test_a_sequence_with_an_asterisk_stays_by_its_dimensions(stem, n_dimensions, n_echoes):
    assert f"*{stem}{n_dimensions}d{n_echoes}".encode() in TERMS[SEQUENCE]


@pytest.mark.parametrize("text", ["smith2d1", "*smith2d1", "ng2d1", "*ng2d1964", "*qD2d1 Smith"])
def test_no_name_is_a_sequence(text):
    assert text.encode() not in TERMS[SEQUENCE]


@pytest.mark.parametrize("text", RECONSTRUCTIONS.split("|"))
def test_ways_of_reconstruction_stay(text):
    assert text.encode() in TERMS[RECONSTRUCTION]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_identities_are_no_way_of_reconstruction(identity):
    assert identity.encode() not in TERMS[RECONSTRUCTION]


@given(st.sampled_from(NAMES), st.integers(10_000, 10**9))
def test_no_name_nor_number_stays_beside_a_way_of_reconstruction(name, number):
    for planted in (f"OSEM {name}", f"{name}-OS-TF", f"OSEM {number}", f"PSF_{number}"):
        if len(name) > 4:
            assert planted.encode() not in TERMS[RECONSTRUCTION]
