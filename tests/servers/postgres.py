"""A PostgreSQL server from its installed binaries, in a temporary folder, for one test session."""

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from .processes import LOOPBACK, GuardedFolder, ServerError, free_port, kill_all, tail, wait_until

PACKAGE = "no PostgreSQL server here: install the Debian package postgresql"
PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
ROLE = "lesionary"
START_S = 60.0
N_PORTS_TRIED = 3


def find_binaries() -> Path | None:
    """Return the folder that holds ``initdb`` and ``postgres``, the newest version, or nothing."""
    on_path = shutil.which("postgres")
    places = [Path(on_path).resolve().parent] if on_path else []
    for pattern in PLACES:
        places += sorted(Path("/").glob(pattern), key=_version, reverse=True)
    complete = (one for one in places if (one / "initdb").exists() and (one / "postgres").exists())
    return next(complete, None)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))


class PostgresServer:
    """One PostgreSQL server on a loopback port, with a password, with ``fsync`` on.

    It never runs as root: root starts it as ``postgres``, or as ``nobody``. The port and the
    password stay the same over a restart. As a context manager it starts, and is closed, itself.
    """

    def __init__(self) -> None:
        binaries = find_binaries()
        if binaries is None:
            raise ServerError(PACKAGE)
        self._binaries = binaries
        self._folder = GuardedFolder("pg")
        self._data = self._folder.path / "data"
        self._log = self._folder.path / "server.log"
        self._password = secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None
        self._run_as: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = _unprivileged_account()
            self._run_as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self._folder.path, account.pw_uid, account.pw_gid)
        self.port = free_port()

    @property
    def is_running(self) -> bool:
        """Whether the server's first process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's first process."""
        if self._process is None:
            raise ServerError("the PostgreSQL server was never started")
        return self._process.pid

    @property
    def url(self) -> str:
        """The address of the database ``postgres``, for SQLAlchemy, with the password."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """Return the address of a database of this server."""
        return f"postgresql+psycopg://{ROLE}:{self._password}@{LOOPBACK}:{self.port}/{name}"

    def start(self) -> None:
        """Start, after a crash recover, and return when connections are taken."""
        if self.is_running:
            return
        is_first = not self._data.exists()
        if is_first:
            self._create_cluster()
        for _ in range(N_PORTS_TRIED):
            self._launch()
            if wait_until(lambda: self._is_ready() or not self.is_running, START_S, pause_s=0.02):
                if self.is_running:
                    return
                if is_first:  # another process took the port in between
                    self.port = free_port()
        self.kill()
        raise ServerError(f"PostgreSQL did not start:\n{tail(self._log)}")

    def stop(self) -> None:
        """Shut down in order: sessions are ended, everything is written."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Crash: every process of the server gets SIGKILL; the next start recovers from the log."""
        if self._process is None or self._process.poll() is not None:
            return
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            first.suspend()  # so that it starts no further child while they are counted
            kill_all([first, *first.children(recursive=True)])
        self._process.wait(timeout=20)

    def restart(self) -> None:
        """Stop in order, unless it is down already, and start again at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and remove the folder."""
        try:
            self.stop()
        finally:
            self._folder.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database, empty or a copy of another that nobody uses; return its address."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.database_url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end whatever sessions still use it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _execute(self, statement: str, *names: str) -> None:
        import psycopg
        from psycopg import sql

        address = self.url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _create_cluster(self) -> None:
        password_file = self._folder.path / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password, encoding="ascii")
        if self._run_as:
            os.chown(password_file, self._run_as["user"], self._run_as["group"])
        command = [self._binaries / "initdb", "--no-sync", "--encoding=UTF8", "--locale=C"]
        command += [f"--username={ROLE}", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        with self._log.open("ab") as log:
            made = subprocess.run(
                [*command, f"--pgdata={self._data}"],
                cwd=self._folder.path,
                env=self._folder.environment,
                stdout=log,
                stderr=log,
                check=False,
                **self._run_as,
            )
        password_file.unlink()
        if made.returncode != 0:
            raise ServerError(f"initdb failed:\n{tail(self._log)}")

    def _launch(self) -> None:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": self._folder.path,
            "fsync": "on",
            "max_connections": 200,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *options],
                cwd=self._folder.path,
                env=self._folder.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._run_as,
            )

    def _is_ready(self) -> bool:
        """Ask the file that the server keeps beside its data: line 1 its id, line 8 its state."""
        with suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text(encoding="ascii").splitlines()
            return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].startswith("ready")
        return False


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError("root may not run PostgreSQL, and there is no user postgres or nobody")
