"""An archive of schema 2 becomes a study of this schema, or nothing."""

import json
from pathlib import Path

import pytest

from lesionary.app.portable import import_study
from lesionary.app.study import Study
from lesionary.core.errors import LesionaryError
from lesionary.core.identity import canonical_json
from lesionary.io.registry import tables
from lesionary.io.registry.health import changed_definitions, missing_guards
from lesionary.io.registry.place import URL_VARIABLE
from lesionary.io.registry.soundness import faults
from lesionary.io.study_archive.layout import MANIFEST
from portable_study import exported, imported, members_of, schemas_of

ARCHIVE = Path(__file__).resolve().parents[2] / "golden" / "study-schema2.tar"


@pytest.fixture(scope="session")
def old_members():
    return members_of(ARCHIVE)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, monkeypatch):
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    is_server = request.param == "postgresql"
    return request.getfixturevalue("postgres_url") if is_server else None


def rows_in(members, table):
    return [json.loads(line) for line in members[f"tables/{table}/000001.jsonl"].splitlines()]


def with_row(members, table, **values):
    first, *rest = rows_in(members, table)
    content = b"".join(canonical_json(row) + b"\n" for row in (first | values, *rest))
    return members | {f"tables/{table}/000001.jsonl": content}


def test_it_becomes_a_sound_study_of_this_schema(url, tmp_path, old_members):
    receipt = import_study(ARCHIVE, tmp_path / "study", registry=url)
    study = Study.open(tmp_path / "study")
    with study.registry.reading() as connection:
        assert list(faults(connection)) == []
        assert missing_guards(connection) == []
        assert changed_definitions(connection) == []
    events = list(study.registry.events())
    told = rows_in(old_members, "event")
    assert [event.hash for event in events[: len(told)]] == [row["hash"] for row in told]
    assert [event.object for event in events[len(told) :]] == [
        "subject/sub-0001",
        "subject/sub-0002",
        "registry/schema",
    ]
    assert receipt.n_events == len(events)
    assert {row["frame"] for row in study.registry.rows(tables.instance)} == {None}
    study.registry.close()
    if url is not None:
        assert schemas_of(url) == {study.files.registry_place.schema}


def test_exported_again_it_is_an_archive_of_this_schema(url, tmp_path):
    first = exported(imported(ARCHIVE, tmp_path / "one", registry=url), tmp_path / "one.tar")
    again = exported(imported(tmp_path / "one.tar", tmp_path / "two"), tmp_path / "two.tar")
    assert json.loads(members_of(tmp_path / "one.tar")[MANIFEST])["schema"] == 3
    assert again == first


@pytest.mark.parametrize(
    ("table", "values", "source"),
    [
        ("subject", {"sex": "M"}, "subject/sub-0001"),
        ("series", {"region": "head"}, "series/ser-0001"),
        ("series", {"shape": "{"}, "tables/series/000001.jsonl"),
        ("event", {"why": "else"}, "event/1"),
        ("head", {"seq": 1}, "audit/head"),
        ("timepoint", {"subject_id": "sub-0404"}, "tables"),
        ("subject", {"released_id": 7}, "tables/subject/000001.jsonl"),
    ],
)
def test_what_was_changed_in_it_is_found(refused_members, old_members, table, values, source):
    error = refused_members(with_row(old_members, table, **values))
    assert (error.code, error.source) == ("archive_changed", source)


def test_its_rows_tell_of_the_same_schema(refused_members, old_members):
    name = "tables/meta/000001.jsonl"
    told = old_members[name].replace(b'"value":"2"', b'"value":"3"')
    assert told != old_members[name]
    error = refused_members(old_members | {name: told})
    assert (error.code, error.source) == ("archive_changed", "tables/meta")


def test_it_has_the_tables_of_its_schema_and_no_others(refused_members, old_members):
    manifest = json.loads(old_members[MANIFEST])
    for counts in (manifest["tables"] | {"curation": 0}, {}):
        content = canonical_json(manifest | {"tables": counts}) + b"\n"
        error = refused_members(old_members | {MANIFEST: content}, LesionaryError)
        assert error.code == "archive_changed"
