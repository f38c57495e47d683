"""What became of a lesion over time leads back to the voxels of every time point."""

import csv
import json
import re
import shutil
import sqlite3
from decimal import Decimal

import nibabel
import numpy as np
import pytest

from lesionary.app.explain.explaining import Explainer, explain
from lesionary.app.explain.explanation import ExplainOptions
from lesionary.app.explain.provenance import explanation_prov, write_study_prov
from lesionary.app.study import Study
from lesionary.core.errors import InputError
from lesionary.io.registry import tables

SUBJECT = "sub-0001"
UNITS = ["unit/respond/sub-0001", "unit/track/sub-0001"]
TABLES = (
    "tracks.csv",
    *(
        f"response/{name}.csv"
        for name in (
            "response", "observations", "targets", "volumes", "growth", "burden", "straddling",
            "disagreements", "cdisc/tu", "cdisc/tr", "cdisc/rs",
        )
    ),
)  # fmt: skip


def rows_of(study, file):
    with (study.files.release / file).open(newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def address_of(study, file, column, **wanted):
    for line, row in enumerate(rows_of(study, file), start=2):
        if all(row[name] == value for name, value in wanted.items()):
            return f"{file}:{line}:{column}"
    raise AssertionError(wanted)


def lesion_rows(study):
    return {f"{row['series']}/{row['lesion']}": row for row in rows_of(study, "lesions.csv")}


@pytest.mark.parametrize("file", [*TABLES, "lesions.csv"])
def test_every_cell_leads_back_to_scans_and_all_of_it_holds(followed, file):
    study = Study.open(followed)
    explainer = Explainer.of(study)
    rows = rows_of(study, file)
    assert rows
    for line, row in enumerate(rows, start=2):
        for column in row:
            found = explainer.explained(f"{file}:{line}:{column}")
            (hit,) = found.hits
            assert found.holds, (hit.cell.address, found.faults_of(hit))
            assert {"unit", "annotation", "series", "subject"} <= {
                found.steps[step].kind for step in hit.path
            }
            if file != "lesions.csv":
                assert [step for step in hit.path if step in UNITS] == UNITS
    study.registry.close()


def test_a_sum_is_that_of_the_lesions_it_names(followed):
    study = Study.open(followed)
    explainer, measured = Explainer.of(study), lesion_rows(study)
    n_sums = 0
    for line, row in enumerate(rows_of(study, "response/response.csv"), start=2):
        (hit,) = explainer.explained(f"response.csv:{line}:sum_mm").hits
        named = [measured[name] for name in hit.facts["lesions"]]
        assert {(one["timepoint"], one["reader"]) for one in named} == {
            (row["timepoint"], row["reader"])
        }
        recorded = (
            Decimal(one["diameter_mm"]).quantize(Decimal("0.1"), "ROUND_HALF_UP") for one in named
        )
        assert sum(recorded) == Decimal(row["sum_mm"])
        n_sums += 1
    assert n_sums == 6
    study.registry.close()


@pytest.mark.parametrize(
    ("column", "timepoints"),
    [
        ("sum_mm", {"1"}),
        ("baseline_mm", {"0"}),
        ("nadir_mm", {"0"}),
        ("change_from_baseline_percent", {"0", "1"}),
        ("overall_response", {"0", "1"}),
    ],
)
def test_a_value_names_the_lesions_of_the_time_points_that_it_is_about(
    followed, column, timepoints
):
    study = Study.open(followed)
    address = address_of(study, "response/response.csv", column, reader="ben", timepoint="1")
    (hit,) = explain(study, address).hits
    named = [lesion_rows(study)[name] for name in hit.facts["lesions"]]
    assert {one["timepoint"] for one in named} == timepoints
    assert {one["reader"] for one in named} == {"ben"}
    tracks = {"A", "B"} | ({"C"} if column == "overall_response" else set())
    assert {one["track"] for one in named} == tracks


def test_a_new_lesion_is_named_and_of_a_reader_who_saw_none_nothing(followed):
    study = Study.open(followed)
    where = {"file": "response/response.csv", "column": "new_lesion", "timepoint": "2"}
    (seen,) = explain(study, address_of(study, reader="anna", **where)).hits
    (unseen,) = explain(study, address_of(study, reader="ben", **where)).hits
    (new,) = (lesion_rows(study)[name] for name in seen.facts["lesions"])
    assert (new["track"], new["timepoint"]) == ("D", "2")
    assert "lesions" not in unseen.facts


def test_each_lesion_behind_a_sum_lies_where_its_published_mask_has_its_number(followed):
    study = Study.open(followed)
    address = address_of(study, "response/response.csv", "sum_mm", reader="anna", timepoint="1")
    (hit,) = explain(study, address).hits
    masks = {
        row["id"]: next(study.files.release.glob(f"images/*/*/masks/*{row['series_uid']}.nii.gz"))
        for row in study.registry.all_series()
    }
    assert [place["lesion"] for place in hit.facts["places"]] == hit.facts["lesions"]
    for place in hit.facts["places"]:
        series, lesion = place["lesion"].split("/")
        array = np.asanyarray(nibabel.load(masks[series]).dataobj).transpose()
        inside = np.argwhere(array == int(lesion))
        low, high = inside.min(axis=0), inside.max(axis=0) + 1
        assert place["voxels"]["voxels"] == len(inside)
        assert place["voxels"]["box_kji"] == [list(pair) for pair in zip(low, high, strict=True)]
        assert place["drawing"]["from"]


def test_of_a_readers_sum_only_that_readers_masks_of_those_visits_are_on_the_way(followed):
    study = Study.open(followed)
    address = address_of(study, "response/response.csv", "sum_mm", reader="ben", timepoint="2")
    found = explain(study, address)
    masks = [step for step in found.steps.values() if step.kind == "annotation"]
    (series,) = {name.split("/")[0] for name in found.hits[0].facts["lesions"]}
    assert [(mask.facts["author"], mask.facts["series"]) for mask in masks] == [("ben", series)]


def test_a_link_names_its_two_lesions_and_one_that_is_gone_the_earlier_one(followed):
    study = Study.open(followed)
    explainer = Explainer.of(study)
    for line, row in enumerate(rows_of(study, "tracks.csv"), start=2):
        (hit,) = explainer.explained(f"tracks.csv:{line}:score").hits
        ends = [f"{row[f'{end}_series']}/{row[f'{end}_lesion']}" for end in ("from", "to")]
        assert hit.facts["lesions"] == [end for end in ends if not end.endswith("/")]
    study.registry.close()


def test_a_lesions_track_comes_from_the_subjects_unit_and_its_volume_from_the_series(followed):
    study = Study.open(followed)
    (track,) = explain(study, "ser-0001/1/track").hits
    (volume,) = explain(study, "ser-0001/1/volume_ml").hits
    assert track.sources == ("unit/respond/sub-0001",)
    assert volume.sources == ("unit/measure/ser-0001",)
    assert not set(UNITS) & set(volume.path)


def test_a_printed_sum_is_found_by_its_number_and_unit(followed):
    study = Study.open(followed)
    places = {hit.cell.address for hit in explain(study, "41.7 mm").hits}
    address = address_of(study, "response/response.csv", "sum_mm", reader="anna", timepoint="1")
    assert address in places


def test_units_of_subjects_made_again_are_equal_and_no_other_subject_is_planned(
    followed, monkeypatch
):
    study = Study.open(followed)
    for pages in ("series_pages", "subject_pages", "all_series"):
        monkeypatch.setattr(study.registry, pages, pytest.fail)
    options = ExplainOptions(recomputes=True)
    found = explain(study, "response.csv:2:sum_mm", options)
    again = {check.what: check for check in found.hits[0].checks if "made again" in check.what}
    assert {f"respond of {SUBJECT}, made again", f"track of {SUBJECT}, made again"} <= again.keys()
    assert found.holds
    assert all(check.reason.startswith("recomputed: equal") for check in again.values())


def test_a_study_that_is_judged_by_other_rules_cannot_make_the_old_response_again(copied_course):
    text = (copied_course / "study.toml").read_text("utf-8")
    assert 'criteria = "recist11"' in text
    (copied_course / "study.toml").write_text(text.replace("recist11", "irecist"), "utf-8")
    options = ExplainOptions(recomputes=True)
    found = explain(Study.open(copied_course), "response.csv:2:sum_mm", options)
    faults = [check.what for check in found.faults_of(found.hits[0])]
    assert faults == [f"respond of {SUBJECT}, made again"]


def test_a_study_judged_anew_says_that_the_release_is_old(copied_course):
    text = (copied_course / "study.toml").read_text("utf-8")
    path = copied_course / "study.toml"
    path.write_text(text.replace("min_slices = 1", "min_slices = 6"), encoding="utf-8")
    assert path.read_text("utf-8") != text
    study = Study.open(copied_course)
    study.measure()
    address = address_of(study, "response/response.csv", "sum_mm", reader="ben", timepoint="0")
    assert explain(study, address).hits[0].facts["lesions"]
    study.run()
    assert explain(study, address).holds


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE unit SET output = replace(output, '\"PD\"', '\"SD\"') WHERE stage = 'respond'",
            "unit/respond",
        ),
        (
            "UPDATE unit SET output = replace(output, '\"rigid\"', '\"affine\"')"
            " WHERE stage = 'track'",
            "unit/track",
        ),
        ("UPDATE series SET modality = 'MR'", "series/ser-0001"),
        ("DELETE FROM event WHERE object = 'unit/respond/sub-0001'", "unit/respond/sub-0001"),
    ],
)
def test_a_unit_changed_behind_our_back_does_not_hold(copied_course, statement, what):
    with sqlite3.connect(copied_course / "registry.db") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        assert database.execute(statement).rowcount
    database.close()
    found = explain(Study.open(copied_course), "response.csv:2:sum_mm")
    assert what in " ".join(check.what for check in found.faults_of(found.hits[0]))


def test_a_lesion_measured_otherwise_than_it_was_judged_does_not_hold(copied_course):
    study = Study.open(copied_course)
    address = address_of(study, "response/response.csv", "sum_mm", reader="anna", timepoint="0")
    name = explain(study, address).hits[0].facts["lesions"][0]
    series, lesion = name.split("/")
    output = study.registry.units("measure", [series])[series].output
    for row in output["lesions"]:
        row["diameter_mm"] += row["lesion"] == int(lesion)
    with sqlite3.connect(copied_course / "registry.db") as database:
        database.execute(
            "UPDATE unit SET output = ? WHERE stage = 'measure' AND name = ?",
            (json.dumps(output), series),
        )
    database.close()
    found = explain(study, address)
    faults = {check.what for check in found.faults_of(found.hits[0])}
    assert f"lesion {name} was judged as it is measured" in faults


def test_a_forged_response_is_not_what_the_registry_gives(copied_course):
    study = Study.open(copied_course)
    path = study.files.release / "response" / "response.csv"
    path.write_text(path.read_text("utf-8").replace(",PD,", ",PR,"), encoding="utf-8")
    address = address_of(
        study, "response/response.csv", "overall_response", reader="anna", timepoint="2"
    )
    found = explain(study, address)
    reasons = " ".join(check.reason for check in found.faults_of(found.hits[0]))
    assert "its checksum differs" in reasons
    assert "it gives PD now" in reasons


def test_an_object_behind_a_response_with_one_changed_byte_does_not_hold(copied_course):
    study = Study.open(copied_course)
    measured = study.registry.units("measure")["ser-0001"].output
    path = study.objects.path_of(measured["mask"])
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    found = explain(study, "response.csv:2:sum_mm")
    assert any(measured["mask"][:12] in one.what for one in found.faults_of(found.hits[0]))


def test_provenance_leads_from_a_response_to_images_and_readers(followed, tmp_path):
    study = Study.open(followed)
    made = explanation_prov(explain(study, "response.csv:2:sum_mm"))
    assert {"lsn:unit.respond.sub-0001", "lsn:unit.track.sub-0001"} <= made["activity"].keys()
    (start,) = (name for name in made["entity"] if name.startswith("lsn:value."))
    reached, due = set(), [start]
    while due:
        name = due.pop()
        reached.add(name)
        due += [
            one["prov:usedEntity"]
            for one in made["wasDerivedFrom"].values()
            if one["prov:generatedEntity"] == name and one["prov:usedEntity"] not in reached
        ]
    for kind in ("output.respond.", "output.track.", "output.measure.", "annotation.", "image."):
        assert any(name.startswith(f"lsn:{kind}") for name in reached), kind
    write_study_prov(study, tmp_path / "all.json")
    whole = json.loads((tmp_path / "all.json").read_text("utf-8"))
    for section, members in made.items():
        if section != "prefix":
            own = {name: one for name, one in members.items() if "value." not in name}
            assert own.items() <= whole[section].items()


def test_a_subject_that_could_not_be_followed_is_left_out_by_its_unit(copied_course, monkeypatch):
    def refuse(*_):
        raise InputError("these scans cannot be laid over each other", code="no_overlap")

    monkeypatch.setattr("lesionary.app.tracking.follow", refuse)
    study = Study.open(copied_course)
    with study.registry.writing() as transaction:
        for stage in ("track", "respond"):
            transaction.forget_units(stage, [SUBJECT], why="to be made again")
    shutil.rmtree(study.files.release)
    study.run()
    (row,) = rows_of(study, "left_out.csv")
    assert row["code"] == "no_overlap"
    found = explain(study, "left_out.csv:2:instances")
    (hit,) = found.hits
    assert hit.sources == ("unit/track/sub-0001",)
    assert any(step.startswith("series/") for step in hit.path)
    (counted,) = explain(study, summary_line(study)).hits
    assert counted.sources == ("unit/track/sub-0001",)
    assert study.registry.rows(tables.unit, stage="respond") == []


def summary_line(study):
    for line, row in enumerate(rows_of(study, "summary.csv"), start=2):
        if (row["section"], row["measure"]) == ("study", "left_out"):
            return f"summary.csv:{line}:value"
    raise AssertionError


@pytest.mark.parametrize("file", TABLES)
def test_the_document_says_nothing_without_a_reason(file, followed, command):
    code, document = command("explain", followed, f"{file}:2")
    assert (code, document["holds"]) == (0, True)
    assert "unit/respond/sub-0001" in {step["id"] for step in document["steps"]}


def test_a_walk_is_told_from_the_sum_to_the_scans(followed, capsys):
    from lesionary.cli.main import run_command

    assert run_command(["explain", str(followed), "response.csv:2:sum_mm"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    told = ("published", "rests on", "voxels", "judged", "followed", "measured", "mask", "image")
    places = [out.index(f"\n  {word}") for word in told]
    assert places == sorted(places)
    assert "criteria recist11" in out
    assert "sub-0001 through 3 time points" in out
    assert re.search(r"ser-\d{4}/1: 1419 voxels of 8 mm³: slices 5–19, rows 13–27", out)
    assert "Everything on the way holds" in out


@pytest.mark.parametrize("stage", ["tracks", "targets"])
def test_what_a_reader_decided_is_on_the_way_with_who_decided_it(copied_course, command, stage):
    accept = ("--stage", stage, "--reader", "dora")
    assert command("review", copied_course, "accept", *accept)[0] == 0
    study = Study.open(copied_course)
    study.run()
    found = explain(study, "response.csv:2:sum_mm", ExplainOptions(recomputes=True))
    assert found.holds, found.faults_of(found.hits[0])
    kind = "decision" if stage == "tracks" else "role_decision"
    decided = [step for step in found.steps.values() if step.kind == kind]
    table = {"decision": tables.decision, "role_decision": tables.role_decision}[kind]
    assert len(decided) == len(study.registry.rows(table)) > 0
    assert {step.facts["reader"] for step in decided} == {"dora"}
    made = explanation_prov(found)
    assert made["agent"]["lsn:reader.dora"]["prov:type"]["$"] == "prov:Person"
    assert any(name.startswith(f"lsn:{kind}.") for name in made["entity"])
