"""The commands that people type most must not wait for libraries they do not need."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "SimpleITK", "alembic", "cryptography", "cv2", "dask", "distributed", "duckdb", "keyring",
    "matplotlib", "nibabel", "numba", "numpy", "pandas", "psycopg", "pydantic", "pydicom",
    "pynetdicom", "scipy", "skimage", "sqlalchemy", "torch",
}  # fmt: skip

SHOW_MODULES = """
import json, sys
from lesionary.cli.main import run_command
code = run_command(sys.argv[1:])
sys.stderr.write("MODULES " + json.dumps([code, sorted({m.split('.')[0] for m in sys.modules})]))
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("startup")
    code, _ = loaded("new", str(folder / "study"))
    assert code == 0
    return folder / "study"


def loaded(*arguments: str) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    code, modules = json.loads(done.stderr.rpartition("MODULES ")[2])
    return code, set(modules)


def test_help_loads_no_heavy_library():
    code, modules = loaded("--help")
    assert code == 0
    assert modules & HEAVY - {"pydantic"} == set()


def test_status_loads_no_heavy_library(study):
    code, modules = loaded("status", str(study))
    assert code == 0
    assert modules & HEAVY - {"pydantic"} == set()
