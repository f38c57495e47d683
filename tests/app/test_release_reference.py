"""The page on releases names every table over time, and every column of it."""

import re
from pathlib import Path

import pytest

from lesionary.app import responses
from lesionary.app.explain.meanings import meaning_of
from lesionary.app.release_tables import LESION_COLUMNS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "release.md"
COLUMNS = {
    "lesions.csv": LESION_COLUMNS,
    "tracks.csv": responses.LINK_COLUMNS,
    "response.csv": responses.RESPONSE_COLUMNS,
    "observations.csv": responses.OBSERVATION_COLUMNS,
    "targets.csv": responses.ROLE_COLUMNS,
    "volumes.csv": responses.VOLUME_COLUMNS,
    "growth.csv": responses.GROWTH_COLUMNS,
    "burden.csv": responses.BURDEN_COLUMNS,
    "straddling.csv": responses.STRADDLE_COLUMNS,
    "disagreements.csv": responses.DISAGREEMENT_COLUMNS,
}
_CENSORED = re.compile(r"duration_of_response_censored|time_to_progression_censored")


@pytest.mark.parametrize("table", COLUMNS)
def test_every_column_is_documented(table):
    page = PAGE.read_text("utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    undocumented = {name for name in COLUMNS[table] if not _CENSORED.fullmatch(name)} - named
    assert f"`{table}`" in page
    assert not undocumented
    assert "`…_censored`" in page


@pytest.mark.parametrize("table", ["response.csv", "volumes.csv", "growth.csv", "burden.csv"])
def test_every_number_over_time_has_a_meaning(table):
    endings = ("_mm", "_ml", "_ul", "_percent", "_days", "_per_day", "response")
    numbers = [name for name in COLUMNS[table] if name.endswith(endings)]
    assert numbers
    assert [name for name in numbers if not meaning_of(name)] == []
