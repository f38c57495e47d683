"""Compiled kernels and the cache that they leave on disk."""

import importlib.util
import os
import subprocess
import sys

import pytest

MODULE = """
import numpy as np
from lesionary.core.jit import kernel

@kernel
def doubled(number):
    return 2 * number
"""


def load(path):
    spec = importlib.util.spec_from_file_location("some_kernels", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["some_kernels"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "stale", [b"", b"garbage", b"\x80\x04\x8c\x0f", b"cno.such.module\nThing\n."]
)
def test_a_cache_that_cannot_be_read_is_forgotten(tmp_path, stale):
    path = tmp_path / "some_kernels.py"
    path.write_text(MODULE)
    assert load(path).doubled(21) == 42
    (index,) = (tmp_path / "__pycache__").glob("*.nbi")
    version = index.read_bytes()
    index.write_bytes(version[: version.index(b".") + 1] + stale)
    assert load(path).doubled(21) == 42
    assert load(path).doubled(21) == 42


def test_kernels_run_where_no_cache_can_be_written(tmp_path):
    path = tmp_path / "some_kernels.py"
    path.write_text(MODULE + "\nassert doubled(4) == 8\n")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "some_kernels.py" / "below")}
    subprocess.run([sys.executable, path], check=True, env=environment)
