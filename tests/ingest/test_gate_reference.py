"""The tables of codes in the reference against the code that says them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAID = re.compile(r'(?:Finding\(|_left_out\(|code=)\s*"([a-z0-9_]+)"')


def test_every_code_stands_in_the_reference():
    package = REPOSITORY / "src" / "lesionary"
    said = {
        code
        for path in package.rglob("*.py")
        if path.name != "errors.py"  # defaults that every raise narrows down
        for code in SAID.findall(path.read_text(encoding="utf-8"))
    }
    table = (REPOSITORY / "docs" / "reference" / "gate.md").read_text(encoding="utf-8")
    assert "missing_slice" in said
    assert {code for code in said if f"`{code}`" not in table} == set()
