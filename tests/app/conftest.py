"""One command line, as a hostile client calls it: what holds for every answer is checked here."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lesionary.cli.main import run_command

Command = Callable[..., tuple[int, Any]]
DONE, PARTLY, UNUSABLE = 0, 1, 2
NAMES = frozenset({"label", "group", "method"})
"""Names, not values: null is every label, every data set, or a method that nobody told."""


@pytest.fixture
def command(
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """Return ``command(*words) -> (exit code, document)``.

    Every answer is one JSON document with finite numbers, says why each null is one, and comes
    without a traceback; an error has its five fields and exit code 2.
    """
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))

    def run(*words: object) -> tuple[int, Any]:
        code = run_command([*map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        document = json.loads(out, parse_constant=pytest.fail)
        if "error" in document:
            assert code == UNUSABLE
            assert set(document["error"]) == {"code", "message", "hint", "source", "sources"}
            assert document["error"]["message"]
        else:
            assert code in (DONE, PARTLY)
            assert unexplained(document) == []
        return code, document

    return run


def unexplained(part: Any, place: str = "") -> list[str]:
    """Return the places of nulls whose object has no ``reason`` for the field that holds them."""
    if isinstance(part, list):
        return [found for n, one in enumerate(part) for found in unexplained(one, f"{place}[{n}]")]
    if not isinstance(part, dict):
        return []
    told = part.get("reason", {})
    missing = []
    for field, value in part.items():
        if field in NAMES:
            continue
        if _is_or_holds_null(value):
            missing += [] if told.get(field) else [f"{place}.{field}"]
        elif field != "reason":
            missing += unexplained(value, f"{place}.{field}")
    return missing


def _is_or_holds_null(value: Any) -> bool:
    plain = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or (None in plain and "reason" not in value)
