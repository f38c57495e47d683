"""s5cmd as a child process: it lists and copies objects of a public bucket, many at a time.

Requests are not signed, and no credentials are looked for. The command's own answers are JSON, one
a line; an object that fails does not stop the others.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError, PluginUnavailableError
from lesionary.io.idc.index import INSTALL

N_RETRIES = 4
REGION = "us-east-1"
"""Where IDC's buckets lie."""
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """One object of a listing.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``.
    size_bytes : int
    etag : str
        MD5 of the content for objects uploaded in one piece; else of another form.
    """

    url: str
    size_bytes: int
    etag: str

    @property
    def name(self) -> str:
        """Return the last part of the key."""
        return self.url.rpartition("/")[2]

    @property
    def md5(self) -> str | None:
        """Return the MD5 of the content, where the ETag is one."""
        is_md5 = len(self.etag) == 32 and set(self.etag) <= set("0123456789abcdef")
        return self.etag if is_md5 else None


@dataclass(frozen=True, slots=True)
class S5cmd:
    """The program and the server it talks to.

    Parameters
    ----------
    program : Path
    endpoint_url : str, optional
        Another S3-compatible server than Amazon's.
    n_workers : int
        Objects fetched at one time.
    """

    program: Path
    endpoint_url: str | None = None
    n_workers: int = 32
    _environment: Mapping[str, str] = field(default_factory=dict)

    def list(self, urls: Sequence[str]) -> tuple[dict[str, list[RemoteObject]], dict[str, str]]:
        """List the objects below each ``s3://bucket/prefix/*``.

        Returns
        -------
        tuple of dict
            URL to its objects in order of their names, and URL to what went wrong.
        """
        found: dict[str, list[RemoteObject]] = {url: [] for url in urls}
        by_prefix = {url.removesuffix("*"): url for url in urls}
        errors: dict[str, str] = {}
        for answer in self._run([f"ls {_quoted(url)}" for url in urls]):
            if key := answer.get("key"):
                prefix = str(key).rpartition("/")[0] + "/"
                if prefix in by_prefix and answer.get("type") == "file":
                    found[by_prefix[prefix]].append(
                        RemoteObject(str(key), int(answer["size"]), str(answer.get("etag", "")))
                    )
            elif url := _named(answer, urls):
                errors[url] = str(answer.get("error", "failed"))
        for url, objects in found.items():
            objects.sort(key=lambda one: one.url)
            if not objects:
                errors.setdefault(url, "no object found")
        return found, errors

    def copy(self, wanted: Mapping[str, Path]) -> dict[str, str]:
        """Fetch objects to files; return the URLs of those that failed with the server's words."""
        lines = [f"cp --raw {_quoted(url)} {_quoted(str(path))}" for url, path in wanted.items()]
        errors: dict[str, str] = {}
        done = set()
        for answer in self._run(lines):
            if answer.get("success"):
                done.add(str(answer.get("source")))
            elif url := _named(answer, list(wanted)):
                errors[url] = str(answer.get("error", "failed"))
        unheard = {url: "no answer from s5cmd" for url in wanted if url not in done}
        return unheard | errors

    def _run(self, lines: Sequence[str]) -> Iterator[dict[str, Any]]:
        if not lines:
            return
        command = [str(self.program), "--json", "--no-sign-request"]
        command += ["--numworkers", str(self.n_workers), "--retry-count", str(N_RETRIES)]
        if self.endpoint_url:
            command += ["--endpoint-url", self.endpoint_url]
        kept = {key: value for key, value in os.environ.items() if key not in _SECRETS}
        with subprocess.Popen(  # noqa: S603 - the program is ours, the lines are quoted
            [*command, "run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={"AWS_REGION": REGION, **kept, **self._environment},
        ) as child:
            try:
                output, _ = child.communicate("\n".join(lines) + "\n")
            except BaseException:
                child.kill()
                raise
        for line in output.splitlines():
            try:
                answer = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(answer, dict):
                yield answer


def find_s5cmd(endpoint_url: str | None = None) -> S5cmd:
    """Find the program beside this Python or on the path.

    Raises
    ------
    InputError
        If the endpoint is no address.
    PluginUnavailableError
        If it is not installed.
    """
    if endpoint_url is not None and not endpoint_url.startswith(("http://", "https://")):
        raise InputError(
            "the endpoint should begin with http:// or https://",
            code="usage",
            hint="such as --endpoint-url https://s3.example.org; without it, Amazon's",
        )
    folders = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    places = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    found = shutil.which("s5cmd", path=places)
    if found is None:
        raise PluginUnavailableError("s5cmd is not installed", hint=INSTALL)
    return S5cmd(Path(found), endpoint_url)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _named(answer: Mapping[str, Any], urls: Sequence[str]) -> str | None:
    """Return the URL that an error is about."""
    words = str(answer.get("command", "")).split()
    return next((url for url in urls if url in words), None)
