"""Originals that are kept: encrypted, beside the vault, readable again."""

import stat

import pytest

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.kept_objects import KeptObjects
from lesionary.io.vault.database import Vault

CONTENT = b"\0" * 128 + b"DICM ZQXPLANTED"


@pytest.fixture
def vault(tmp_path):
    with Vault.create(tmp_path / "vault") as vault:
        yield vault


def test_an_object_comes_back_and_lies_there_encrypted(vault):
    kept = KeptObjects(vault)
    name = kept.keep(CONTENT, "ultrasound")
    assert list(kept.names()) == [name]
    assert kept.read(name) == CONTENT
    (path,) = kept.folder.iterdir()
    assert b"ZQXPLANTED" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    assert not kept.folder.is_relative_to(vault.place.path.parent)


def test_rotating_the_keys_loses_nothing(vault):
    from lesionary.app.vault import retire, rotate

    kept = KeptObjects(vault)
    name = kept.keep(CONTENT, "ultrasound")
    folder = str(vault.place.path.parent.parent)
    rotate(folder, "keys change every year")
    retire(folder, "keys change every year")
    with Vault.open(folder) as again:
        assert KeptObjects(again).read(name) == CONTENT


def test_what_is_not_there_or_was_changed_is_said(vault):
    kept = KeptObjects(vault)
    for name in ("../vault", "none", "", "ultrasound-" + "0" * 32):
        with pytest.raises(InputError) as unknown:
            kept.read(name)
        assert unknown.value.code == "kept_unknown"
    name = kept.keep(CONTENT, "../../etc")
    (path,) = kept.folder.iterdir()
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(WorkflowError) as damaged:
        kept.read(name)
    assert damaged.value.code == "kept_damaged"
