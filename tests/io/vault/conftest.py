"""The vault's tests run on both databases, and are the very same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lesionary.io.vault.database import Vault
from lesionary.io.vault.key_places import KEY_VARIABLE
from lesionary.io.vault.place import URL_VARIABLE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of this test's own vault and keys."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    return tmp_path / "vault"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Return the address of a vault that is not there yet."""
    is_server = request.param == "postgresql"
    return request.getfixturevalue("postgres_url") if is_server else None


@pytest.fixture
def vault(url: str | None) -> Iterator[Vault]:
    """Return a new vault."""
    with Vault.create(url) as made:
        yield made
