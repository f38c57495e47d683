"""The reference page of the commands is what the commands say of themselves."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "make_commands.py"


def test_every_command_and_option_is_documented_as_it_is():
    script = runpy.run_path(str(SCRIPT))
    made = script["page"]()
    assert script["PAGE"].read_text(encoding="utf-8") == made, "run python docs/make_commands.py"
    assert "## file measure" in made
