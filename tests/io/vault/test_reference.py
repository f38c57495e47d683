"""The reference page names the tables as they are, and every code."""

import re
from pathlib import Path

from lesionary.io.vault import schema

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = (REPOSITORY / "docs" / "reference" / "vault.md").read_text(encoding="utf-8")
CODE = re.compile(r'(?:code=|(?:Failure|VaultFault)\([^,]*, |return )"([a-z]+_[a-z]+)"')


def test_every_table_and_column_is_documented():
    for table in schema.metadata.sorted_tables:
        columns = ", ".join(f"`{column.name}`" for column in table.columns)
        assert f"| `{table.name}` | {columns} |" in PAGE


def test_every_code_is_documented():
    sources = (REPOSITORY / "src" / "lesionary" / "io" / "vault").glob("*.py")
    codes = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    codes -= {"schema_new"}  # of every database: errors.md
    assert "guard_missing" in codes
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
