"""Reported diameters stand beside computed ones; neither ever takes the other's place."""

import csv
from decimal import Decimal

import pytest

from lesion_course import COURSE, HERE, PATTERN, THERE, judged, make_study, write_course
from lesionary.app.reported_places import MASK_CHANGED
from lesionary.app.study import Study
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.nifti import write_nifti
from lesionary.io.registry import tables
from small_scans import AFFINE, SHAPE, blobs

RECIST = ("patient_id", "uuid", "lesion_label_value", "recist_measurement_mm")


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, command, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return make_study(command, tmp_path, url)


def write_table(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def enter(command, place, diameter_mm, lesion="A", timepoint="0"):
    return command(
        "reported", place, "enter", "--subject", "sub-0001", "--timepoint", timepoint,
        "--lesion", lesion, "--diameter-mm", diameter_mm, "--reader", "ben",
    )  # fmt: skip


def observed(found, lesion="A", timepoint="0"):
    (row,) = [
        row
        for row in found["observations"]
        if (row["lesion"], row["timepoint"]) == (lesion, timepoint)
    ]
    return Decimal(row["diameter_mm"])


def test_what_is_entered_stands_beside_what_was_measured_and_is_never_lost(place, command):
    before = judged(place)
    assert before["reported"] == []
    code, entered = enter(command, place, "21.35")
    assert (code, entered["added"], entered["matched"]) == (0, 1, 1)
    (one,) = judged(place)["reported"]
    assert (one["timepoint"], one["track"], one["reported_mm"]) == ("0", "A", 21.35)
    assert one["difference_mm"] == 21.35 - one["computed_mm"]
    assert judged(place)["observations"] == before["observations"]
    assert enter(command, place, "21.350")[1]["unchanged"] == 1
    assert enter(command, place, "22")[1]["corrected"] == 1
    assert [row["reported_mm"] for row in judged(place)["reported"]] == [22.0]
    listed = command("reported", place, "list")[1]["reported"]
    assert [(row["diameter_mm"], row["is_valid"], row["replaces"]) for row in listed] == [
        ("21.35", False, None), ("22", True, 1),
    ]  # fmt: skip
    assert Study.open(place).verify().failed == []


def test_the_protocol_says_by_which_diameters_response_goes(place, command):
    enter(command, place, "31.37")
    computed = judged(place)
    protocol = place / "study.toml"
    text = protocol.read_text(encoding="utf-8")
    protocol.write_text(text.replace('diameters = "computed"', 'diameters = "reported"'))
    reported = judged(place)
    assert observed(reported) == Decimal("31.37") != observed(computed)
    assert observed(reported, timepoint="1") == observed(computed, timepoint="1")
    assert reported["reported"] == computed["reported"]
    sums = [found["responses"][0]["sum_mm"] for found in (reported, computed)]
    assert sums[0] - sums[1] == pytest.approx(31.37 - float(observed(computed)))


def test_a_diameter_of_no_known_lesion_is_kept_and_told_of(place, command):
    assert enter(command, place, "12", lesion="Q")[1]["matched"] == 0
    (one,) = judged(place)["reported"]
    assert (one["track"], one["computed_mm"], one["difference_mm"]) == (None, None, None)
    assert one["reason"].keys() == {"track", "reader", "computed_mm", "difference_mm"}


def test_a_plain_table_is_taken_whole_or_not_at_all(place, command, tmp_path):
    header = ("subject", "timepoint", "lesion", "diameter_mm")
    good = [("sub-0001", "0", "A", "20.5"), ("sub-0001", "1", "A", "17")]
    bad = [("sub-0002", "0", "A", "1"), ("sub-0001", "7", "A", "1"), ("sub-0001", "0", "", "1"),
           ("sub-0001", "0", "B", "12,5"), ("sub-0001", "0", "A", "9")]  # fmt: skip
    table = write_table(tmp_path / "t.csv", header, [*good, *bad])
    code, wrong = command("reported", place, "import", table, "--reader", "ben")
    assert (code, wrong["error"]["code"]) == (2, "bad_rows")
    assert [row["line"] for row in wrong["rows"]] == [4, 5, 6, 7, 8]
    assert Study.open(place).registry.rows(tables.reported_diameter) == []
    table = write_table(tmp_path / "t.csv", header, good)
    code, taken = command("reported", place, "import", table, "--reader", "ben")
    assert (code, taken["added"], taken["matched"]) == (0, 2, 2)
    assert len(judged(place)["reported"]) == 2


def test_the_layouts_own_table_is_matched_by_values_of_masks(place, command, tmp_path):
    series = {row["timepoint"]: row for row in Study.open(place).registry.all_series()}
    rows = [
        ("007", series[0]["series_uid"], "2", "23.4"),
        ("007", series[0]["series_uid"], "1", ""),
        ("007", "1.2.3.4", "1", "12"),
    ]
    table = write_table(tmp_path / "recist_measurements.csv", RECIST, rows)
    code, taken = command("reported", place, "import", table, "--reader", "ben")
    assert (code, taken["added"], taken["matched"]) == (1, 1, 1)
    assert [row["line"] for row in taken["left_out"]] == [4]
    (one,) = judged(place)["reported"]
    # The larger ball has the value 2, and the number and the track of the first.
    assert (one["track"], one["reported_mm"], one["lesion"]) == ("A", 23.4, "2")
    assert abs(one["difference_mm"]) < 3
    code, again = command("reported", place, "import", table, "--reader", "cleo")
    assert (again["added"], again["unchanged"]) == (0, 1)


def test_a_mask_drawn_anew_takes_no_reported_diameter_with_it(place, command, tmp_path):
    enter(command, place, "20", timepoint="1")
    (row,) = Study.open(place).registry.rows(tables.reported_diameter)
    assert (row["number"], row["source"], row["reader"]) == (1, "report", "ben")
    drawn_anew = write_course(tmp_path / "anew", {1: COURSE[1]})
    other = blobs((HERE, THERE), (6.0, 15.0))
    write_nifti(drawn_anew / "p0/1/anna_mask.nii.gz", LabelMap(other, Geometry(SHAPE, AFFINE)))
    command("ingest", place, drawn_anew, "--reader-from", PATTERN)
    (one,) = judged(place)["reported"]
    assert (one["reported_mm"], one["track"], one["reason"]["track"]) == (20.0, None, MASK_CHANGED)
    assert enter(command, place, "20", timepoint="1")[1]["corrected"] == 1
    (one,) = judged(place)["reported"]
    assert (one["reported_mm"], one["track"]) == (20.0, "A")
