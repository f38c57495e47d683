"""What a terminal is shown of a judged table."""

from lesionary import files
from lesionary.cli.file_respond import response_text

HEAD = "subject,timepoint,lesion,role,kind,organ,diameter_mm,status,reader\n"


def test_names_never_reach_a_terminal_as_control_characters(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(
        HEAD + "\x1b[2Js,0\u202e,\x1b[31mA\x07,target,tumour,liver,3,present,é\x9b1m\n",
        encoding="utf-8",
    )
    text = response_text(files.respond(table))
    assert all(char.isprintable() for char in text.replace("\n", ""))
    assert r"\x1b[2Js, read by é\x9b1m" in text
    assert r"target \x1b[31mA\x07 is too small" in text
    assert r"0\u202e" in text
