"""The reference page of the commands is what the commands say of themselves."""

import re
import runpy
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "docs" / "make_commands.py"
VARIABLE = re.compile(r"LESIONARY(?:_[A-Z]+)+")


def test_every_command_and_option_is_documented_as_it_is():
    script = runpy.run_path(str(SCRIPT))
    made = script["page"]()
    assert script["PAGE"].read_text(encoding="utf-8") == made, "run python docs/make_commands.py"
    assert "## file measure" in made


def test_every_variable_of_the_environment_is_documented():
    sources = (REPOSITORY / "src").rglob("*.py")
    read = {name for path in sources for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    documented = set(VARIABLE.findall(runpy.run_path(str(SCRIPT))["page"]()))
    assert "LESIONARY_TIMEOUT" in read
    assert read == documented
