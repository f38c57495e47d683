"""The reference page of the registry is what its tables say of themselves."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "make_registry.py"


def test_every_table_and_column_is_documented_as_it_is():
    script = runpy.run_path(str(SCRIPT))
    made = script["page"]()
    assert script["PAGE"].read_text(encoding="utf-8") == made, "run python docs/make_registry.py"
    assert "### `source_instance`" in made
