"""``lesionary explain`` as people and programs call it."""

import json

import pytest

from lesionary.app.study import Study
from lesionary.cli.main import run_command
from small_scans import write_scans

DONE, PARTLY, UNUSABLE = 0, 1, 2


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    made = Study.create(folder / "study")
    made.ingest([write_scans(folder / "in", 1)])
    made.run()
    made.registry.close()
    return folder / "study"


def test_a_walk_is_told_from_the_number_to_the_scan(study, capsys):
    assert run_command(["explain", str(study), "ser-0001/1/volume_ml"]) == DONE
    out, err = capsys.readouterr()
    assert err == ""
    told = ["published", "voxels", "measured", "drawn", "box", "prepared", "image", "code"]
    places = [out.index(f"\n  {word}") for word in told]
    assert places == sorted(places)
    assert "Everything on the way holds" in out
    assert "no reader has affirmed it" in out


def test_the_same_as_one_json_document(study, capsys):
    assert run_command(["explain", str(study), "lesions.csv:2:voxels", "--json"]) == DONE
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert document["holds"] is True
    (hit,) = document["hits"]
    steps = {step["id"]: step for step in document["steps"]}
    assert set(hit["path"]) <= steps.keys()
    assert all(check["holds"] for step in steps.values() for check in step["checks"])


def test_a_number_in_many_places_is_capped_on_a_terminal_and_whole_in_json(study, capsys):
    run_command(["explain", str(study), "1", "--quick", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["n_hits"] == len(document["hits"]) > 1
    run_command(["explain", str(study), "1", "--quick", "--most", "1"])
    assert f"… and {document['n_hits'] - 1} more: see --json" in capsys.readouterr().out


def test_a_negative_number_is_a_value(study, capsys):
    assert run_command(["explain", str(study), "-123456.5"]) == UNUSABLE
    assert "no published number" in capsys.readouterr().err


def test_what_does_not_hold_is_told_last_and_by_the_exit_code(study, capsys):
    lesions = study / "release" / "lesions.csv"
    kept = lesions.read_bytes()
    lesions.write_bytes(kept + b"\n")
    try:
        assert run_command(["explain", str(study), "ser-0001/1/voxels"]) == PARTLY
    finally:
        lesions.write_bytes(kept)
    assert "lesions.csv is as published: its checksum differs" in capsys.readouterr().out


def test_prov_goes_to_a_file_of_a_value_or_of_the_whole_study(study, tmp_path, capsys):
    one, whole = tmp_path / "one.json", tmp_path / "whole.json"
    assert run_command(["explain", str(study), "ser-0001/1", "--prov", str(one)]) == DONE
    assert run_command(["explain", str(study), "--prov", str(whole), "--json"]) == DONE
    assert json.loads(one.read_text("utf-8"))["entity"]
    document = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert document["records"] > 10


def test_nothing_to_explain_is_a_wrong_command_line(study, capsys):
    assert run_command(["explain", str(study)]) == UNUSABLE
    assert "--prov FILE" in capsys.readouterr().err


def test_made_again_is_told_step_by_step(study, capsys):
    assert run_command(["explain", str(study), "ser-0001/1/voxels", "--recompute"]) == DONE
    out = capsys.readouterr().out
    assert out.count("made again: equal, by the same code") == 3
