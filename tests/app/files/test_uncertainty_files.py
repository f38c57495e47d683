"""``lesionary file respond --uncertainty``: a model from a file, probabilities beside responses."""

import json

import pytest

from lesionary.app.files.response import respond
from lesionary.app.files.uncertainty import read_plan
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError

TABLE = """subject,timepoint,lesion,role,kind,organ,diameter_mm,status
1,0,A,target,tumour,liver,40,present
1,1,A,target,tumour,liver,28.5,present
1,2,A,target,tumour,liver,60,present
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "lesions.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def written(tmp_path, text, name="model.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [("m.toml", "sd_percent = 6\nseed = 2\n"), ("m.json", '{"sd_percent": 6, "seed": 2}')],
)
def test_a_model_is_read_from_toml_and_from_json(tmp_path, name, text):
    plan = read_plan(written(tmp_path, text, name))
    assert (plan.model.sd_percent, plan.options.seed) == (6, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [("m.toml", "sd_percent: 6"), ("m.json", "[1]"), ("m.json", "{"), ("m.toml", "wrong = 1")],
)
def test_what_is_no_model_is_refused_with_its_file(tmp_path, name, text):
    path = written(tmp_path, text, name)
    with pytest.raises(InputError) as raised:
        read_plan(path)
    assert raised.value.code == "bad_model"
    assert raised.value.source == str(path)


def test_probabilities_stand_beside_unchanged_responses(table, tmp_path):
    plain = respond(table)
    found = respond(table, uncertainty=written(tmp_path, "# all defaults\n"))
    for one, other in zip(plain, found, strict=True):
        assert one | {"reason": 0} == {name: other[name] for name in one} | {"reason": 0}
        assert one["reason"].items() <= other["reason"].items()
    assert found[0]["probability"] is None
    assert found[1]["probability"]["SD"] > 0.2
    assert found[2]["probability"]["PD"] > 0.95


def test_without_a_model_nothing_is_added(table):
    assert "probability" not in respond(table)[0]


def test_the_command_prints_one_document_and_a_line_a_time_point(table, tmp_path, capsys):
    model = str(written(tmp_path, "n_draws = 500\n"))
    assert run_command(["file", "respond", str(table), "--uncertainty", model, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert sum(rows[1]["probability"].values()) == pytest.approx(1)
    assert run_command(["file", "respond", str(table), "--uncertainty", model]) == 0
    shown = capsys.readouterr().out
    assert shown.count("probability: ") == 2
    assert "moved most by A" in shown


def test_a_wrong_key_ends_with_2_and_says_which(table, tmp_path, capsys):
    model = str(written(tmp_path, "sd_prcent = 5\n"))
    assert run_command(["file", "respond", str(table), "--uncertainty", model, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "bad_model"
    assert "sd_prcent" in error["message"]


def test_readers_of_the_table_tell_their_errors(tmp_path):
    lines = [TABLE.splitlines()[0] + ",reader"]
    for subject in range(12):
        for timepoint in range(3):
            for reader in range(2):
                size = 30 + (7 * subject + 5 * timepoint + 11 * reader * (subject + 1)) % 5
                lines.append(
                    f"{subject},{timepoint},A,target,tumour,liver,{size},present,r{reader}"
                )
    table = written(tmp_path, "\n".join(lines), "lesions.csv")
    found = respond(table, uncertainty=written(tmp_path, "from_readers = true\nn_draws = 200\n"))
    assert len(found) == 72
    assert all((row["probability"] is None) == (row["timepoint"] == "0") for row in found)
