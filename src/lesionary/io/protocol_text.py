"""``study.toml`` as lines: tables that are a study's own are taken out of it, and put in."""

import json
import re
import tomllib
from itertools import takewhile

from lesionary.core.errors import InputError, PrivacyError
from lesionary.io.registry.place import POSTGRES

_ANY_TABLE = re.compile(r"\s*\[")
_ADDRESS = re.compile(r"\bpostgres(ql)?(\+\w+)?://", re.IGNORECASE)


def portable_text(text: str) -> str:
    """Return a ``study.toml`` that says nothing of where its registry lies.

    Raises
    ------
    InputError
        Where the registry is named otherwise than by a table of its own.
    PrivacyError
        Where a database's address stands elsewhere, in a comment for instance: it may hold a
        password.
    """
    kept = without_registry(text)
    _require_same_but_registry(text, kept)
    if _ADDRESS.search(kept):
        raise PrivacyError(
            "study.toml names a database outside its [registry] table",
            hint="take that line out of study.toml: an archive carries no address or password",
        )
    return kept


def without_registry(text: str) -> str:
    """Return a ``study.toml`` without the place of its registry, all else as it stands."""
    return without_table(text, "registry")


def without_table(text: str, name: str) -> str:
    r"""Return a protocol's text without one table, all else as it stands.

    Examples
    --------
    >>> without_table('a = 1\n\n[registry]\nurl = "x"\n\n[b]\nc = 2\n', "registry")
    'a = 1\n\n[b]\nc = 2\n'
    """
    header = re.compile(rf"\s*\[\s*{re.escape(name)}\s*\]")
    lines = (text if text.endswith("\n") else text + "\n").splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines) if header.match(line)), None)
    if start is not None:
        table = takewhile(lambda line: not _ANY_TABLE.match(line), lines[start + 1 :])
        del lines[start : start + 1 + len(list(table))]
    return "".join(lines)


def with_registry(text: str, url: str | None) -> str:
    r"""Put a ``[registry]`` table before the first table of a portable text.

    Examples
    --------
    >>> with_registry("a = 1\n\n[b]\nc = 2\n", "postgresql+psycopg://host/study")
    'a = 1\n\n[registry]\nurl = "postgresql+psycopg://host/study"\n\n[b]\nc = 2\n'
    """
    if url is None:
        return text
    lines = text.splitlines(keepends=True)
    before = list(takewhile(lambda line: not _ANY_TABLE.match(line), lines))
    table = f"[registry]\nurl = {json.dumps(url)}\n\n"
    return "".join([*before, table, *lines[len(before) :]])


def _require_same_but_registry(text: str, kept: str) -> None:
    """Hold the two against each other as TOML: lines are not all there is to it."""
    try:
        whole, rest = tomllib.loads(text), tomllib.loads(kept)
    except tomllib.TOMLDecodeError:
        whole, rest = {}, {"registry": None}
    whole.pop("registry", None)
    if "registry" in rest or whole != rest:
        raise InputError(
            "where the registry lies cannot be told apart from the rest of study.toml",
            code="protocol",
            hint=f'write it as a table of its own: [registry] and url = "{POSTGRES}://…" below it',
        )
