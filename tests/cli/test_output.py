"""What goes to stdout is one JSON document, on every terminal."""

import json

import pytest

from lesionary.cli.output import write_json


def test_json_is_ascii_whatever_a_file_is_called(capsys):
    document = {"source": "caf\udce9 – Größe 😀"}
    write_json(document)
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == document


def test_a_number_that_is_not_finite_leaves_no_half_document(capsys):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"first": 1, "second": float("nan")})
    assert capsys.readouterr().out == ""
