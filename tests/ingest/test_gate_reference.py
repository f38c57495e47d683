"""The table of codes in the reference against the code that says them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAID = re.compile(r'(?:Finding\(|_left_out\(|code=)\s*"([a-z0-9_]+)"')


def test_every_code_of_the_dicom_gate_stands_in_the_reference():
    package = REPOSITORY / "src" / "lesionary"
    said = {
        code
        for folder in (package / "ingest", package / "io" / "dicom")
        for path in folder.glob("*.py")
        for code in SAID.findall(path.read_text(encoding="utf-8"))
        if not code.startswith("rule_")  # a protocol's rules, not the gate
    }
    table = (REPOSITORY / "docs" / "reference" / "gate.md").read_text(encoding="utf-8")
    assert "missing_slice" in said
    assert {code for code in said if f"`{code}`" not in table} == set()
