"""What a series is, from numbers and words."""

import pytest

from lesionary.ingest.curation import SeriesFacts
from lesionary.ingest.curation.places import places
from lesionary.ingest.curation.readings import (
    is_attenuation_corrected,
    is_enhanced,
    phase,
    plane,
    weighting,
)


def facts(description=None, **known):
    return SeriesFacts("s", "study", "subject", description=description, **known)


def times(sequence, echo_ms, repetition_ms):
    return {
        "scanning_sequence": (sequence,),
        "echo_time_ms": echo_ms,
        "repetition_time_ms": repetition_ms,
    }


@pytest.mark.parametrize(
    ("description", "known", "found"),
    [
        ("t2_tse_tra", {}, "T2"),
        ("AX T1 VIBE FS POST", {}, "T1"),
        ("ax T2* GRE", {}, "T2*"),
        ("ep2d_diff_tra T2", {}, "DWI"),
        ("lava post", {}, None),
        (None, times("SE", 95.0, 4000.0), "T2"),
        (None, times("SE", 12.0, 550.0), "T1"),
        (None, times("SE", 20.0, 2500.0), "PD"),
        (None, times("GR", 2.1, 4.3), "T1"),
        (None, times("GR", 25.0, 600.0), "T2*"),
        (None, times("EP", 80.0, 5000.0), None),
        (None, times("SE", 45.0, 1500.0), None),
    ],
)  # fmt: skip
def test_weighting_by_words_else_by_times(description, known, found):
    read = weighting(facts(description, **known))
    assert (None if read is None else read[0]) == found


def test_what_told_the_weighting_is_said():
    known = times("SE", 95.0, 4000.0)
    assert weighting(facts("x", **known)) == ("T2", "TE 95 ms, TR 4000 ms")
    assert weighting(facts("T1", **known)) == ("T1", "description")


@pytest.mark.parametrize(
    ("description", "corrections", "found"),
    [
        ("PET AC", None, True),
        ("PET NAC", None, False),
        ("WBNAC.img: Body-noattn", None, False),
        ("PET WB-uncorrected", None, False),
        ("PET_BODY_NO_AC", None, False),
        ("p4030s1_WES_ctac.img: 3D-RAMLA", None, True),
        ("PET WB", None, None),
        ("PET NAC", ("DECY", "ATTN"), True),
        ("PET AC", ("DECY",), False),
        ("PET AC", (), False),
    ],
)
def test_the_header_tells_attenuation_correction_before_words_do(description, corrections, found):
    assert is_attenuation_corrected(facts(description, corrections=corrections)) is found


@pytest.mark.parametrize(
    ("description", "known", "found"),
    [
        ("ARTERIAL PHASE", {}, True),
        ("PRE-CONTRAST", {"has_contrast": True}, False),
        ("W/O ABD", {}, False),
        ("Recon 2:", {"has_contrast": True}, True),
        ("Recon 2:", {}, None),
        ("Recon 2:", {"study_description": "CT ABD W CONTRAST"}, True),
        ("Recon 2:", {"study_description": "CT ABD W/WO CONTRAST"}, None),
    ],
)
def test_the_series_own_words_tell_contrast_first(description, known, found):
    assert is_enhanced(facts(description, **known)) is found


def test_phases_and_planes_are_what_is_written():
    assert phase(facts("Arterial  3.0  B40f")) == "arterial"
    assert phase(facts("5 MIN DELAY")) == "delayed"
    assert phase(facts("CHEST")) is None
    assert plane(facts("COR T1")) == "coronal"
    assert plane(facts("t2_tse_tra")) == "axial"


def test_cor_behind_attenuation_is_correction_not_coronal():
    assert plane(facts("CT ATTEN COR HEAD IN WB")) is None
    assert plane(facts("CT Attn Cor")) is None


def test_places_of_code_and_words_add_up():
    assert "liver" in places(facts(None, body_part="ABDOMEN"))
    assert "lung" in places(facts("PET WB", body_part="ABDOMEN"))
    assert places(facts("topogram", body_part="KNEE")) == frozenset()
    assert places(facts("3.0 B40f")) is None
    assert "kidney" in places(facts("Recon 2", study_description="CT RENAL"))
    assert "kidney" not in places(facts("CHEST", study_description="CT RENAL"))
