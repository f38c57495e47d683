import json

import pytest

from lesionary import files
from lesionary.cli.file_respond import response_text
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError

HEADER = "subject,timepoint,lesion,role,kind,organ,diameter_mm,status,date"
WORKED = "\n".join(
    [
        HEADER,
        "007,10,A,target,tumour,liver,26,present,2024-05-01",
        "007,0,A,target,tumour,liver,30,present,2024-01-01",
        "007,1,A,target,tumour,liver,24,present,2024-02-01",
        "007,2,A,target,tumour,liver,21,present,2024-03-01",
        "007,3,A,target,tumour,liver,25.2,present,2024-04-01",
        "",
    ]
)
FIELDS = (
    "subject", "reader", "timepoint", "sum_mm", "baseline_mm", "nadir_mm",
    "change_from_baseline_mm", "change_from_baseline_percent", "change_from_nadir_mm",
    "change_from_nadir_percent", "target_response", "non_target_response", "new_lesion",
    "overall_response", "best_overall_response", "best_overall_response_confirmed", "progressed",
    "progression_timepoint", "warnings", "reason",
)  # fmt: skip


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "lesions.csv"
    path.write_text(WORKED, encoding="utf-8")
    return path


def test_the_worked_example_from_a_file(table):
    rows = files.respond(table)
    assert [row["timepoint"] for row in rows] == ["0", "1", "2", "3", "10"]
    assert [row["overall_response"] for row in rows] == [None, "SD", "PR", "PR", "PD"]
    assert rows[-1]["best_overall_response_confirmed"] == "PR"
    assert rows[0]["subject"] == "007"


def test_the_fields_are_those_of_the_contract_and_irecist_adds_its_own(table):
    for row in files.respond(table):
        assert set(FIELDS) <= set(row)
        assert not [name for name in row if name.startswith(("i_", "new_target"))]
    for row in files.respond(table, criteria="irecist"):
        assert {"i_overall_response", "new_target_sum_mm", *FIELDS} <= set(row)


def test_json_is_one_document_of_numbers_without_nan(table, capsys):
    assert run_command(["file", "respond", str(table), "--json"]) == 0
    said = capsys.readouterr().out
    rows = json.loads(said, parse_constant=pytest.fail)
    assert rows == files.respond(table)
    assert '"sum_mm": 25.2' in said
    assert '"sum_mm": 30,' in said


def test_options_reach_the_rules(table, capsys):
    options = ["--confirm-days", "40", "--sd-min-days", "10"]
    assert run_command(["file", "respond", str(table), "--json", *options]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["best_overall_response_confirmed"] for row in rows] == [
        None, "SD", "SD", "SD", "SD"]  # fmt: skip


def test_a_faulty_table_is_exit_code_2_with_each_line(table, capsys):
    table.write_text(WORKED.replace("24,present", "-24,present").replace(",26,", ",x,"))
    assert run_command(["file", "respond", str(table), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["code"] == "bad_rows"
    assert document["error"]["sources"] == [str(table)]
    assert [row["line"] for row in document["rows"]] == [2, 4]
    assert "line 2:" in document["error"]["message"]
    assert "line 4:" in document["error"]["message"]


def test_strict_refuses_what_else_is_a_warning(table, capsys):
    table.write_text(WORKED.replace(",30,", ",9,"))
    assert run_command(["file", "respond", str(table), "--json"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)[0]["warnings"]
    assert "too small" in warning
    assert run_command(["file", "respond", str(table), "--strict"]) == 2


@pytest.mark.parametrize("option", ["--criteria=recist10", "--confirm-days=-1", "--sd-min-days=x"])
def test_a_wrong_option_is_exit_code_2(table, option, capsys):
    assert run_command(["file", "respond", str(table), option, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]


def test_a_word_that_names_no_criteria_is_refused_in_python_too(table):
    with pytest.raises(InputError, match="recist11 or irecist"):
        files.respond(table, criteria="recist10")


def test_a_file_that_is_not_there_or_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError):
        files.respond(tmp_path / "nothing.csv")
    other = tmp_path / "image.csv"
    other.write_bytes(bytes(range(256)))
    with pytest.raises(InputError) as caught:
        files.respond(other)
    assert caught.value.source == str(other)


def test_latin_1_bytes_are_refused_with_their_line(table):
    table.write_bytes(WORKED.replace("liver,24", "Köln,24").encode("latin-1"))
    with pytest.raises(InputError) as caught:
        files.respond(table)
    assert [row["line"] for row in caught.value.details["rows"]] == [4]


def test_a_terminal_gets_a_table_for_each_subject_and_reader(table):
    table.write_text(
        WORKED + "8,0,A,target,tumour,lung,20,present,\n8,1,A,target,tumour,lung,,present,\n"
    )
    text = response_text(files.respond(table, criteria="irecist"))
    first, second = text.split("\n\n")
    lines = first.splitlines()
    assert lines[0] == "007"
    assert lines[1].split()[:4] == ["time", "point", "date", "sum"]
    assert "iUPD" in lines[6]
    assert "progression: first seen at 10" in first
    assert "time to progression: 121 days" in first
    assert second.startswith("8\n")
    assert "(0)" in second


def test_readers_have_tables_of_their_own(table):
    lines = WORKED.splitlines()
    text = "\n".join([lines[0] + ",reader", *(f"{line},anna" for line in lines[1:])])
    table.write_text(text)
    assert response_text(files.respond(table)).startswith("007, read by anna\n")
