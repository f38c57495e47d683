"""The tables of findings in the reference against the code that says what stands in them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAID = re.compile(r'(?:Finding\(|_left_out\()\s*"([a-z0-9_]+)"')


def test_every_finding_stands_in_the_reference():
    package = REPOSITORY / "src" / "lesionary"
    said = {
        code
        for path in package.rglob("*.py")
        for code in SAID.findall(path.read_text(encoding="utf-8"))
    }
    reference = REPOSITORY / "docs" / "reference"
    tables = [(reference / name).read_text(encoding="utf-8") for name in ("gate.md", "errors.md")]
    assert "missing_slice" in said
    assert {code for code in said if f"`{code}`" not in "".join(tables)} == set()
