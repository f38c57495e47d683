"""Exports and imports that are killed: nothing stays under the name, and the next one clears up."""

import os
import signal
import subprocess
import sys

import pytest

from lesionary.app.portable import export_study, import_study
from lesionary.core.errors import WorkflowError
from portable_study import exported, imported, schemas_of

KILLED = """
import os, signal, sys
from pathlib import Path
import lesionary.app.portable as portable
import lesionary.io.study_archive.{module} as module
from lesionary.app.study import Study

calls = 0
original = module.{name}

def dying(*arguments, **options):
    global calls
    calls += 1
    if calls == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)

module.{name} = dying
{action}
"""


def kill(module: str, name: str, at: int, action: str) -> None:
    script = KILLED.format(module=module, name=name, at=at, action=action)
    ended = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("name", "at"), [("require_sound", 1), ("_add_object", 3), ("stored_rows", 9)]
)
def test_an_export_that_is_killed_leaves_no_archive_and_the_next_one_clears_up(
    study, tmp_path, name, at
):
    target = tmp_path / "study.tar"
    root = str(study.files.root)
    kill("write", name, at, f"portable.export_study(Study.open({root!r}), Path({str(target)!r}))")
    assert not target.exists()
    export_study(study, target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study", "study.tar"]


@pytest.mark.parametrize(
    ("module", "name", "at"),
    [("read", "_copy", 4), ("load", "insert_stored", 5), ("load", "faults", 1)],
)
def test_an_import_that_is_killed_leaves_no_study_and_the_next_one_clears_up(
    archive, tmp_path, postgres_url, module, name, at
):
    for url in (None, postgres_url):
        root = tmp_path / "copy"
        action = f"Path({str(archive)!r}), Path({str(root)!r}), registry={url!r}"
        kill(module, name, at, f"portable.import_study({action})")
        assert not root.exists()
        copy = imported(archive, root, registry=url)
        copy.registry.close()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "study.tar"]
        root.rename(tmp_path.parent / f"{tmp_path.name}-{url is None}")


def test_an_import_killed_between_schema_and_folder_is_made_anew(archive, tmp_path, postgres_url):
    root = tmp_path / "copy"
    action = f"Path({str(archive)!r}), Path({str(root)!r}), registry={postgres_url!r}"
    script = (
        "import lesionary.io.study_files as module, os, signal; from pathlib import Path\n"
        "from lesionary.app.portable import import_study\n"
        "module.PendingFolder.settle = lambda self: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"import_study({action})"
    )
    ended = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not root.exists()
    assert len(schemas_of(postgres_url)) == 1
    with pytest.raises(WorkflowError) as refused:
        import_study(archive, tmp_path / "elsewhere", registry=postgres_url)
    assert refused.value.code == "registry_taken"
    copy = imported(archive, root, registry=postgres_url)
    assert exported(copy, tmp_path / "again.tar") == archive.read_bytes()
