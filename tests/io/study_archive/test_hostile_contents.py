"""Contents that contradict each other, under headers and hashes that are right."""

import json

import pytest

from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.identity import canonical_json
from lesionary.io.limits import Limits
from lesionary.io.study_archive import layout
from lesionary.io.study_archive.layout import MANIFEST, PROTOCOL
from portable_study import make_study


def with_rows(members, table, change):
    """Return the members with the rows of a table changed."""
    name = f"tables/{table}/000001.jsonl"
    lines = [json.loads(line) for line in members[name].splitlines()]
    content = b"".join(canonical_json(row) + b"\n" for row in change(lines))
    return members | {name: content}


def with_first_row(members, table, **values):
    return with_rows(members, table, lambda lines: [lines[0] | values, *lines[1:]])


def test_an_object_under_anothers_name_is_refused(members, refused_members):
    first, second = [name for name in members if name.startswith("objects/")][:2]
    error = refused_members(members | {first: members[second]})
    assert (error.source, error.message) == (first, "its content is not what its name says")


def test_an_object_that_no_row_names_is_refused(members, refused_members, tmp_path):
    study = make_study(tmp_path / "other")
    study.registry.close()
    mask = study.objects.get_label_map(
        next(i for i in study.objects.list_ids() if is_mask(study, i))
    )
    array = mask.array.copy()
    array[0, 0, 0] ^= 1
    object_id = study.objects.put_label_map(mask.with_array(array))
    content = study.objects.path_of(object_id).read_bytes()
    added = dict(
        sorted({**members, layout.object_member(object_id): content}.items(), key=in_order)
    )
    manifest = json.loads(members[MANIFEST]) | {"objects": 7}
    added[MANIFEST] = canonical_json(manifest) + b"\n"
    error = refused_members(added)
    assert (error.source, error.message) == (layout.object_member(object_id), "no row names it")


def is_mask(study, object_id):
    try:
        study.objects.get_label_map(object_id)
    except InputError:
        return False
    return True


def in_order(member):
    tops = (MANIFEST, PROTOCOL, "objects", "release", "tables", "SHA256SUMS")
    name = member[0]
    place = tops.index(next(top for top in tops if name.startswith(top)))
    return (place, name if name.startswith("objects") else "")


def test_an_object_larger_than_the_limit_is_refused_and_its_option_named(members, refused_members):
    error = refused_members(members, limits=Limits(volume_bytes=40))
    assert error.code == "archive_limit"
    assert "--max-volume-bytes" in error.hint


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("series", {"region": "abdomen"}),
        ("series", {"suv_factor": 0.25}),
        ("annotation", {"author": "ben"}),
        ("review", {"likert": 5}),
        ("unit", {"key": "other"}),
        ("unit", {"output": '{"dropped": []}'}),
        ("run", {"code_digest": "0" * 64}),
        ("split", {"part": "train"}),
        ("source_instance", {"sop_uid": "2.25.77"}),
        ("event", {"why": "because"}),
        ("event", {"action": "made"}),
        ("head", {"seq": 3}),
        ("head", {"hash": "0" * 64}),
        ("subject", {"age": 50}),
    ],
)
def test_a_row_that_is_not_what_the_audit_says_is_refused(members, refused_members, table, values):
    assert refused_members(with_first_row(members, table, **values)).code == "archive_changed"


@pytest.mark.parametrize("table", sorted({t.name for t in layout.CARRIED} - {"meta", "tally"}))
def test_a_table_that_lost_its_last_row_is_refused(members, refused_members, table):
    lost = with_rows(members, table, lambda lines: lines[:-1])
    if not lost[f"tables/{table}/000001.jsonl"]:
        del lost[f"tables/{table}/000001.jsonl"]
    assert refused_members(lost).code == "archive_changed"
    manifest = json.loads(members[MANIFEST])
    manifest["tables"][table] -= 1
    lost[MANIFEST] = canonical_json(manifest) + b"\n"
    assert refused_members(lost).code == "archive_changed"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("subject", {"number": True}),
        ("subject", {"number": 2**31}),
        ("subject", {"number": "1"}),
        ("subject", {"number": 1.0}),
        ("subject", {"id": None}),
        ("subject", {"id": "a\0b"}),
        ("subject", {"is_from_file": 1}),
        ("subject", {"more": 1}),
        ("series", {"suv_factor": 1}),
        ("series", {"shape": [1, 2]}),
        ("series", {"shape": "[1, 2"}),
        ("series", {"shape": "[" * 100_000}),
        ("series", {"subject_id": "sub-0099"}),
        ("annotation", {"parent_id": "nobody"}),
        ("series", {"series_uid": "2.25.2.2"}),
    ],
)
def test_a_value_that_a_column_does_not_take_is_refused(members, refused_members, table, values):
    error = refused_members(with_first_row(members, table, **values))
    assert error.code == "archive_changed"
    assert error.source.startswith(f"tables/{table}") or error.source == "tables"


def test_a_reference_to_nothing_is_refused_on_a_server_too(members, refused_members, postgres_url):
    broken = with_first_row(members, "annotation", parent_id="nobody")
    assert refused_members(broken, registry=postgres_url).code == "archive_changed"


@pytest.mark.parametrize(
    "line",
    [b"[]", b"nonsense", b'{"a":NaN}', b"[" * 100_000, b"1" * 5000, b'{"key": "x"}',
     b'{"key":"x","value":"\\ud800"}', b'{"key":"x"}', b'{"key":"x","key":"x","value":"y"}'],
)  # fmt: skip
def test_a_line_that_is_no_row_is_refused(members, refused_members, line):
    name = "tables/meta/000001.jsonl"
    assert refused_members(members | {name: line + b"\n" + members[name]}).source == name
    assert refused_members(members | {name: members[name] + line}).source == name


def test_rows_out_of_order_or_twice_are_refused(members, refused_members):
    for change in (lambda lines: lines[::-1], lambda lines: [lines[0], *lines]):
        error = refused_members(with_rows(members, "subject", change))
        assert error.source == "tables/subject/000001.jsonl"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"kind": "a zoo"}, "no_archive"),
        ({"format": 2}, "format_new"),
        ({"format": "1"}, "no_archive"),
        ({"schema": 1}, "schema_old"),
        ({"schema": 99}, "schema_new"),
        ({"schema": None}, "archive_changed"),
        ({"objects": 5}, "archive_changed"),
        ({"objects": -1}, "archive_changed"),
        ({"release": 0}, "archive_changed"),
        ({"release": 2}, "archive_changed"),
        ({"tables": {}}, "archive_changed"),
        ({"study": "../other"}, "archive_changed"),
        ({"study": "00000000-0000-0000-0000-000000000000"}, "archive_changed"),
        ({"more": 1}, "archive_changed"),
    ],
)
def test_a_manifest_that_tells_otherwise_is_refused(members, refused_members, values, code):
    manifest = canonical_json(json.loads(members[MANIFEST]) | values) + b"\n"
    assert refused_members(members | {MANIFEST: manifest}, LesionaryError).code == code


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"a =",
        b'[registry]\nurl = "postgresql+psycopg://host/x"\n',
        b"[study]\nid = 1\n",
    ],
)
def test_a_study_toml_that_is_no_protocol_is_refused(members, refused_members, content):
    for text in (content, members[PROTOCOL] + b"\n" + content + b"\n"):
        if text.strip() != members[PROTOCOL].strip():
            assert refused_members(members | {PROTOCOL: text}).source == PROTOCOL


@pytest.mark.parametrize("name", ["../../outside", "/etc/outside", "SHA256SUMS", "", "a//b", "b\0"])
def test_a_release_that_lists_what_lies_elsewhere_is_refused(members, refused_members, name):
    listed = members["release/SHA256SUMS"] + f"{'0' * 64}  {name}\n".encode()
    refused_members(members | {"release/SHA256SUMS": listed})
