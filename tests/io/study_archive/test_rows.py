import json

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.app.portable import export_study, import_study
from lesionary.app.study import Study
from lesionary.core.errors import WorkflowError
from lesionary.io.registry import tables
from lesionary.io.study_archive import rows
from portable_study import make_study, members_of


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text(max_size=40)), max_size=40))
def test_parts_joined_are_the_rows(documents):
    lines = b"".join(rows.parts(documents)).split(b"\n")[:-1]
    assert [json.loads(line) for line in lines] == documents


def test_a_long_table_goes_on_in_further_members(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "PART_BYTES", 100)
    study = make_study(tmp_path / "study")
    export_study(study, tmp_path / "study.tar")
    study.registry.close()
    names = [name for name in members_of(tmp_path / "study.tar") if "/event/" in name]
    assert names == [f"tables/event/{n:06d}.jsonl" for n in range(1, len(names) + 1)]
    assert len(names) > 5
    import_study(tmp_path / "study.tar", tmp_path / "copy")
    copy = Study.open(tmp_path / "copy")
    export_study(copy, tmp_path / "again.tar")
    copy.registry.close()
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "study.tar").read_bytes()


def test_a_row_that_is_too_long_is_refused_before_it_travels(monkeypatch):
    monkeypatch.setattr(rows, "ROW_BYTES", 10)
    with pytest.raises(WorkflowError, match="too long"):
        list(rows.parts([{"a": "x" * 20}]))


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), unique=True))
def test_rows_come_by_code_points_whatever_the_database(names):
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        tables.meta.create(connection)
        if names:
            found = [{"key": name, "value": ""} for name in names if name != "import"]
            if found:
                connection.execute(sa.insert(tables.meta), found)
        keys = [row["key"] for row in rows.stored_rows(connection, tables.meta)]
    engine.dispose()
    assert keys == sorted(set(names) - {"import"})


def test_a_server_gives_rows_by_code_points_too(postgres_url):
    names = ["b", "B", "a", "ä", "Z", "_", "aa", "a b", "a-b", "é", "\U0001f9ea", "\uffee"]
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        tables.meta.create(connection)
        connection.execute(sa.insert(tables.meta), [{"key": n, "value": ""} for n in names])
        keys = [row["key"] for row in rows.stored_rows(connection, tables.meta)]
    engine.dispose()
    assert keys == sorted(names)
