"""A PostgreSQL of our own: on loopback only, not root's, and back after a crash."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from servers.postgres import PostgresServer
from servers.processes import MARK, is_alive, marked, wait_until


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_each_test_gets_an_empty_database_of_its_own(postgres_server, postgres_url):
    other = postgres_server.create_database("another")
    with connect(postgres_url) as here:
        here.execute("CREATE TABLE seen (number int)")
    with connect(other) as there:
        tables = there.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == []
    postgres_server.drop_database("another")


def test_a_database_is_copied(postgres_server, postgres_url):
    with connect(postgres_url) as connection:
        connection.execute("CREATE TABLE seen (number int)")
    copy = postgres_server.create_database("copy", template=postgres_url.rpartition("/")[2])
    with connect(copy) as connection:
        assert connection.execute("SELECT * FROM seen").fetchall() == []
    postgres_server.drop_database("copy")


def test_writes_reach_the_disk(postgres_url):
    with connect(postgres_url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_only_the_loopback_interface_is_listened_on(postgres_server):
    listening = {
        (one.laddr.ip, one.laddr.port)
        for one in psutil.Process(postgres_server.pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", postgres_server.port)}


def test_the_server_does_not_run_as_root(postgres_server):
    assert 0 not in psutil.Process(postgres_server.pid).uids()


def test_nobody_enters_without_the_password(postgres_url):
    scheme, rest = postgres_url.split("//")
    address = f"{scheme}//lesionary:wrong@{rest.split('@')[1]}"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(address)


def test_what_was_committed_survives_a_crash(postgres_server, postgres_url):
    with connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        children = psutil.Process(postgres_server.pid).children()
        postgres_server.kill()
        assert not any(map(is_alive, children))
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not postgres_server.is_running
    postgres_server.restart()
    with connect(postgres_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


def test_a_restart_keeps_the_address(postgres_server, postgres_url):
    before = postgres_server.url, postgres_server.pid
    postgres_server.restart()
    assert (postgres_server.url, postgres_server.pid != before[1]) == (before[0], True)
    with connect(postgres_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_taken_port_is_exchanged_for_another(postgres_server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = PostgresServer()
        server.port = taken.getsockname()[1]
        with server:
            assert server.port != taken.getsockname()[1]
            assert server.is_running


@pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of other processes")
def test_killed_tests_leave_no_server_and_no_folder(postgres_server):
    script = (
        "import sys; from servers.postgres import PostgresServer; server = PostgresServer();"
        "server.start(); print(server._folder.path, flush=True); sys.stdin.read()"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    with tests:
        folder = Path(tests.stdout.readline().strip())
        assert marked(folder), f"{MARK} is not found in any process"
        os.killpg(tests.pid, signal.SIGKILL)
    assert wait_until(lambda: not marked(folder) and not folder.exists(), timeout_s=30)
