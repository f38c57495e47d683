"""Readers' decisions on links and targets: kept for good, applied, and left aside when stale."""

import csv
from uuid import UUID

import pytest

from lesion_course import COURSE, HERE, PATTERN, THERE, judged, make_study, write_course
from lesionary.app.decided import MASK_CHANGED
from lesionary.app.study import Study
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.nifti import write_nifti
from lesionary.io.registry import tables
from small_scans import AFFINE, SHAPE, blobs


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, command, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return make_study(command, tmp_path, url)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_what_is_accepted_is_affirmed_for_good_and_has_an_identity(place, command):
    before = judged(place)
    assert (before["state"], before["tracking"]) == ("proposed", [])
    code, status = command("review", place, "status")
    assert (code, status["awaiting"]) == (0, {"tracks": len(before["links"]), "targets": 2})
    _, accepted = command("review", place, "accept", "--stage", "tracks", "--reader", "ben")
    assert accepted["decisions"] == len(before["links"])
    found = judged(place)
    assert {(link["state"], link["reader"]) for link in found["links"]} == {("affirmed", "ben")}
    assert found["state"] == "proposed", "no reader has said what the targets are"
    identities = {(one["series"], one["lesion"]): one["tracking_uid"] for one in found["tracking"]}
    tracks = {(one["series"], one["lesion"]): one["track"] for one in found["members"]}
    assert identities.keys() == tracks.keys()
    assert len(set(identities.values())) == len(set(tracks.values())) == 3
    command("review", place, "accept", "--stage", "targets", "--reader", "ben")
    found = judged(place)
    assert found["state"] == "affirmed"
    assert {role["state"] for role in found["roles"]} == {"affirmed"}
    assert found["responses"] == before["responses"]
    for stage in ("tracks", "targets"):
        again = command("review", place, "accept", "--stage", stage, "--reader", "cleo")[1]
        assert again["decisions"] == 0
    study = Study.open(place)
    kept = {f"2.25.{UUID(row['id']).int}" for row in study.registry.rows(tables.lesion)}
    assert kept == set(identities.values())
    assert study.verify().failed == []


def test_a_reader_edits_a_table_and_it_comes_back_as_decisions(place, command, tmp_path):
    table = tmp_path / "tracks.csv"
    command("review", place, "export", table, "--stage", "tracks")
    rows = rows_of(table)
    (gone,) = [row for row in rows if row["relation"] == "gone"]
    (new,) = [row for row in rows if row["relation"] == "new"]
    gone |= {name: new[name] for name in ("to_series", "to_lesion")} | {"relation": "same"}
    edited = write_rows(tmp_path / "edited.csv", [row for row in rows if row is not new])
    code, taken = command("review", place, "import", edited, "--stage", "tracks", "--reader", "ben")
    assert (code, taken["subjects"][0]["decisions"]) == (0, {"affirm": 3, "relink": 1})
    found = judged(place)
    assert {link["relation"] for link in found["links"]} == {"same"}
    assert {one["track"] for one in found["members"]} == {"A", "B"}
    code, again = command("review", place, "import", edited, "--stage", "tracks", "--reader", "ben")
    assert (code, again["decisions"]) == (0, 0)


def test_roles_are_edited_too(place, command, tmp_path):
    table = tmp_path / "targets.csv"
    command("review", place, "export", table, "--stage", "targets")
    rows = rows_of(table)
    assert [(row["track"], row["role"]) for row in rows] == [
        ("A", "target"), ("B", "target"), ("C", "new"),
    ]  # fmt: skip
    rows[0]["role"] = "non-target"
    edited = write_rows(tmp_path / "edited.csv", rows)
    command("review", place, "import", edited, "--stage", "targets", "--reader", "ben")
    found = judged(place)
    assert [(role["role"], role["state"]) for role in found["roles"]] == [
        ("non-target", "affirmed"), ("target", "affirmed"), ("new", "proposed"),
    ]  # fmt: skip
    rows[2]["role"] = rows[1]["role"] = "marker"
    edited = write_rows(tmp_path / "wrong.csv", rows)
    code, wrong = command(
        "review", place, "import", edited, "--stage", "targets", "--reader", "ben"
    )
    assert (code, wrong["error"]["code"]) == (2, "bad_rows")
    assert [row["line"] for row in wrong["rows"]] == [3, 4]
    assert judged(place) == found


def test_a_bad_row_is_named_and_nothing_of_the_table_is_taken(place, command, tmp_path):
    table = tmp_path / "tracks.csv"
    command("review", place, "export", table, "--stage", "tracks")
    rows = rows_of(table)
    rows[1]["to_lesion"] = "77"
    edited = write_rows(tmp_path / "edited.csv", rows)
    code, wrong = command("review", place, "import", edited, "--stage", "tracks", "--reader", "ben")
    assert (code, wrong["error"]["code"]) == (2, "bad_rows")
    assert [row["line"] for row in wrong["rows"]] == [3]
    assert Study.open(place).registry.rows(tables.decision) == []
    code, wrong = command("review", place, "export", table, "--stage", "tracks")
    assert (code, wrong["error"]["code"]) == (2, "table_taken")


def test_a_decision_on_a_mask_that_is_another_now_is_left_aside(place, command, tmp_path):
    for stage in ("tracks", "targets"):
        command("review", place, "accept", "--stage", stage, "--reader", "ben")
    drawn_anew = write_course(tmp_path / "anew", {1: COURSE[1]})
    other = blobs((HERE, THERE), (6.0, 15.0))
    write_nifti(drawn_anew / "p0/1/anna_mask.nii.gz", LabelMap(other, Geometry(SHAPE, AFFINE)))
    command("ingest", place, drawn_anew, "--reader-from", PATTERN)
    found = judged(place)
    states = {
        (link["from"]["timepoint"], link["to"]["timepoint"]): link["state"]
        for link in found["links"]
    }
    assert set(states.values()) == {"proposed"}
    assert found["stale_decisions"]["n"] == 5
    assert [one["reason"] for one in found["stale_decisions"]["reasons"]] == [MASK_CHANGED]
    assert {role["state"] for role in found["roles"] if role["role"] == "target"} == {"affirmed"}
    assert command("review", place, "status")[1]["subjects"][0]["stale_decisions"] == 5
    command("review", place, "accept", "--stage", "tracks", "--reader", "ben")
    again = judged(place)
    assert (again["state"], again["stale_decisions"]) == ("affirmed", {"n": 0, "reasons": []})


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 65])
def test_a_reader_has_a_name(command, tmp_path, name):
    command("new", tmp_path / "study")
    words = ("review", tmp_path / "study", "accept", "--stage", "tracks", "--reader", name)
    code, wrong = command(*words)
    assert (code, wrong["error"]["code"]) == (2, "usage")


def test_where_nothing_is_followed_there_is_nothing_to_review(command, tmp_path):
    command("new", tmp_path / "study")
    assert command("review", tmp_path / "study", "status")[1]["subjects"] == []
    words = ("review", tmp_path / "study", "accept", "--stage", "tracks", "--reader", "ben")
    assert command(*words)[1]["error"]["code"] == "nothing_to_review"
