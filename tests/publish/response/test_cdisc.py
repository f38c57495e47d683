"""CDISC data sets: keys, links, days, terms."""

import csv
import io
import math

import pytest

from lesionary.measure.response.records import Criteria
from lesionary.publish.response.cdisc import cdisc_tables
from lesionary.publish.response.cdisc_variables import RS, TESTS, TR, TU

DAYS = (0, 40, 90)
LESIONS = {
    "A": ("30.0", "20.0", "10.5"),
    "node-B": ("18.0", "too_small", "absent"),
    "nt-C": ("present", "present", "unequivocal_progression"),
    "nt-node-D": ("12.0", "9.0", "not_evaluable"),
    "new-E": (None, None, "present"),
}


@pytest.fixture(scope="module")
def tables(made):
    return cdisc_tables("STUDY", [made("sub-0001", LESIONS, days=DAYS)])


def by(rows, **wanted):
    return [row for row in rows if all(row.get(k) == v for k, v in wanted.items())]


def test_every_lesion_is_identified_once_at_the_visit_that_first_shows_it(tables):
    assert [(row["TULNKID"], row["VISITNUM"], row["TUORRES"]) for row in tables.tu] == [
        ("A", 1, "TARGET"),
        ("node-B", 1, "TARGET"),
        ("nt-C", 1, "NON-TARGET"),
        ("nt-node-D", 1, "NON-TARGET"),
        ("new-E", 3, "NEW"),
    ]
    assert {row["TUTESTCD"] for row in tables.tu} == {"TUMIDENT"}
    assert by(tables.tu, TULNKID="node-B")[0]["TULOC"] == "LYMPH NODE"


def test_every_measurement_links_to_an_identified_lesion(tables):
    known = {row["TULNKID"] for row in tables.tu}
    assert {row["TRLNKID"] for row in tables.tr if "TRLNKID" in row} == known


def test_every_response_links_to_measurements_of_its_visit(tables):
    groups = {(row["TRLNKGRP"], row["VISITNUM"]) for row in tables.tr}
    responses = [row for row in tables.rs if "RSLNKGRP" in row]
    assert responses
    assert {(row["RSLNKGRP"], row["VISITNUM"]) for row in responses} <= groups


def test_tumours_have_their_longest_diameter_and_nodes_their_perpendicular(tables):
    assert [row["TRSTRESC"] for row in by(tables.tr, TRLNKID="A", TRTESTCD="LDIAM")] == [
        "30.0",
        "20.0",
        "10.5",
    ]
    node = by(tables.tr, TRLNKID="node-B", TRTESTCD="LPERP")
    assert [row["TRORRES"] for row in node] == ["18.0", "TOO SMALL TO MEASURE", "0"]
    assert [row["TRSTRESN"] for row in node] == [18.0, 5.0, 0.0]


def test_lesions_that_are_not_measured_have_a_state(tables):
    assert [row["TRORRES"] for row in by(tables.tr, TRLNKID="nt-C")] == [
        "PRESENT",
        "PRESENT",
        "UNEQUIVOCAL PROGRESSION",
    ]
    *seen, last = by(tables.tr, TRLNKID="nt-node-D")
    assert [row["TRORRES"] for row in seen] == ["PATHOLOGICAL", "NONPATHOLOGICAL"]
    assert last["TRTESTCD"] == "LNSTATE"
    assert (last["TRSTAT"], last["TRREASND"]) == ("NOT DONE", "NOT EVALUABLE")
    assert by(tables.tr, TRGRPID="NEW")[0]["TRORRES"] == "UNEQUIVOCAL"


def test_sums_stand_after_each_visits_targets(tables):
    assert [row["TRSTRESN"] for row in by(tables.tr, TRTESTCD="SUMDIAM")] == [48.0, 25.0, 10.5]
    assert [row["VISITNUM"] for row in by(tables.tr, TRTESTCD="PCBSD")] == [2, 3]


def test_a_sum_that_is_not_complete_was_not_done(made):
    rows = cdisc_tables("S", [made("s", {"A": ("20", "not_evaluable"), "B": ("20", "20")})]).tr
    late = by(rows, TRTESTCD="SUMDIAM")[1]
    assert late["TRSTAT"] == "NOT DONE"
    assert late["TRREASND"]
    assert "TRORRES" not in late


def test_days_count_from_one_and_there_is_no_day_zero(tables):
    assert {row["VISITNUM"]: row["TRDY"] for row in tables.tr} == {1: 1, 2: 41, 3: 91}
    assert {row["VISITNUM"]: row["VISIT"] for row in tables.tr} == {
        1: "BASELINE",
        2: "FOLLOW-UP 1",
        3: "FOLLOW-UP 2",
    }


def test_without_dates_there_are_no_days(made):
    rows = cdisc_tables("S", [made("s", LESIONS)]).tr
    assert not any("TRDY" in row or "TRDTC" in row for row in rows)


def test_responses_are_those_of_the_rows_and_the_best_stands_last(tables):
    assert [(row["RSTESTCD"], row["RSORRES"]) for row in tables.rs] == [
        ("TRGRESP", "PR"),
        ("NTRGRESP", "NON-CR/NON-PD"),
        ("OVRLRESP", "PR"),
        ("TRGRESP", "PR"),
        ("NTRGRESP", "PD"),
        ("NEWLPROG", "UNEQUIVOCAL"),
        ("OVRLRESP", "PD"),
        ("BESTRESP", "PR"),
    ]
    assert "VISITNUM" not in tables.rs[-1]


def test_irecist_has_rows_of_its_own_category(made):
    rows = cdisc_tables("S", [made("s", LESIONS, days=DAYS, criteria=Criteria.IRECIST)]).rs
    assert {row["RSCAT"] for row in rows} == {"RECIST 1.1", "iRECIST"}
    assert by(rows, RSCAT="iRECIST", RSTESTCD="OVRLRESP")[-1]["RSORRES"] == "iUPD"


def test_readers_are_numbered_and_never_named(made, together):
    anna, bert = (made("s", LESIONS, reader=name, days=DAYS) for name in ("anna", "bert"))
    tables = cdisc_tables("S", [together(anna, bert)])
    assert {row["TREVALID"] for row in tables.tr} == {"RADIOLOGIST 1", "RADIOLOGIST 2"}
    assert {row["TREVAL"] for row in tables.tr} == {"INDEPENDENT ASSESSOR"}
    assert by(tables.tu, TUEVALID="RADIOLOGIST 2")[0]["TULNKID"] == "R2-A"
    everything = b"".join(data for _, data in tables.files()).lower()
    assert b"anna" not in everything
    assert b"bert" not in everything


def test_sequence_numbers_are_unique_within_a_subject(made):
    several = [made(f"sub-000{n}", LESIONS, days=DAYS) for n in (1, 2)]
    for domain, rows in cdisc_tables("S", several).domains:
        keys = [(row["USUBJID"], row[f"{domain.name}SEQ"]) for row in rows]
        assert len(set(keys)) == len(keys)


def test_a_split_and_a_merger_are_identified_as_such(made):
    lesions = {
        "A": ("30", None, None),
        "A#1": (None, "12", "12"),
        "A#2": (None, "11", "11"),
        "B": ("20", "20", "40"),
        "C": ("20", "20", "merged>B"),
    }
    tu = cdisc_tables("S", [made("s", lesions)]).tu
    assert [row["TULNKID"] for row in by(tu, TUTESTCD="TUSPLIT")] == ["A.1", "A.2"]
    assert {row["TUGRPID"] for row in by(tu, TUTESTCD="TUSPLIT")} == {"A"}
    (merger,) = by(tu, TUTESTCD="TUMERGE")
    assert (merger["TULNKID"], merger["TUGRPID"], merger["VISITNUM"]) == ("C", "B", 3)


def test_a_subject_without_responses_has_no_rows():
    nothing = {"observations": [], "responses": []}
    assert cdisc_tables("S", [nothing]).tu == ()
    assert [name for name, _ in cdisc_tables("S", []).files()] == [
        f"{domain}.{ending}" for domain in ("tu", "tr", "rs") for ending in ("csv", "xpt")
    ]


@pytest.mark.parametrize("domain", [TU, TR, RS], ids=lambda domain: domain.name)
def test_names_labels_and_tests_keep_their_limits(domain):
    assert all(len(one.name) <= 8 and len(one.label) <= 40 for one in domain.variables)
    assert len(set(domain.columns)) == len(domain.columns)
    assert all(len(code) <= 8 and len(name) <= 40 for code, name in TESTS.items())


def test_rows_hold_nothing_but_the_columns_and_what_is_required(tables):
    for domain, rows in tables.domains:
        name = domain.name
        required = {"STUDYID", "DOMAIN", "USUBJID", f"{name}SEQ", f"{name}TESTCD", f"{name}TEST"}
        assert all(required <= set(row) <= set(domain.columns) for row in rows)


def test_the_transport_file_holds_what_the_table_holds(tables, tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    for name, data in tables.files():
        (tmp_path / name).write_bytes(data)
    for name in ("tu", "tr", "rs"):
        table = list(csv.DictReader(io.StringIO((tmp_path / f"{name}.csv").read_text())))
        frame, _ = pyreadstat.read_xport(tmp_path / f"{name}.xpt")
        assert len(frame) == len(table)
        for column in frame.columns:
            wanted = [row[column] for row in table]
            if frame[column].dtype == float:
                read = ["" if math.isnan(value) else value for value in frame[column]]
                assert read == [value and float(value) for value in wanted]
            else:
                assert frame[column].tolist() == wanted
