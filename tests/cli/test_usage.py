"""A wrong command line: told which option it is, and what that takes."""

from types import SimpleNamespace

import pytest

from lesionary.cli.main import run_command
from lesionary.cli.usage import usage_text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "80x"], "--port takes a whole number from 0 to 65535"),
        (["--port", "65536"], "--port takes a whole number from 0 to 65535"),
        (["--port", "-1"], "--port takes a whole number from 0 to 65535"),
        (["--max-associations", "0"], "--max-associations takes a whole number of at least 1"),
        (["--idle-s", "soon"], "--idle-s takes a number of at least 0"),
    ],
)
def test_a_number_that_is_none_is_told_which_and_what_is_allowed(capsys, words, said):
    assert run_command(["listen", "study", *words]) == 2
    error = capsys.readouterr().err
    assert f"error: {said}\n" in error
    assert "hint: see `lesionary listen --help`" in error
    assert "80x" not in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["listen"], "STUDY is missing"),
        (["pull", "study"], "--dicomweb is missing"),
        (["vault", "reveal", "1"], "--why is missing: the reason, three words at least"),
        (["listen", "study", "--word", "two words"], "--word takes one word"),
        (["pull", "study", "--dicomweb", "http://x", "--word", ""], "--word takes one word"),
        (["file", "deidentify", "in", "out", "--word", " "], "--word takes one word"),
        (["listen", "study", "--forward-ca", "ca.pem"], "without --forward"),
        (["ingest", "study", "x", "--affine", "other"], "--affine: "),
        (["listen", "study", "--nonsense"], "--nonsense"),
        (["vault", "nonsense"], "nonsense"),
    ],
)
def test_what_is_missing_or_unknown_is_named(capsys, words, said):
    assert run_command(words) == 2
    assert said in capsys.readouterr().err


def test_other_versions_of_the_library_are_understood():
    """Click's own types have names and bounds, and its messages repeat what was typed."""
    kind = SimpleNamespace(name="integer range", min=1, max=None)
    parameter = SimpleNamespace(opts=["-n", "--last"], metavar=None, name="last", type=kind)
    error = ValueError("no")
    error.message, error.param = "'x' is not a valid integer.", parameter
    assert usage_text(error) == "--last takes a whole number of at least 1"
    parameter.type = SimpleNamespace(name="choice")
    error.message = "'x' is not one of 'a', 'b'."
    assert usage_text(error) == "--last: 'x' is not one of 'a', 'b'."
