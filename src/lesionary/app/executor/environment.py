"""What workers are given in their environment, and what they are not."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

ONE_THREAD: Mapping[str, str] = dict.fromkeys(
    (
        "BLIS_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
"""One thread a library, for workers share the cores already; read when a library is loaded."""

NOT_FOR_WORKERS = (
    "LESIONARY_VAULT",
    "LESIONARY_VAULT_KEY",
    "LESIONARY_VAULT_URL",
    "LESIONARY_REGISTRY_URL",
)
"""Workers need no key and open no registry; addresses may hold a password."""

PREFIX = "LESIONARY_"


def child_environment() -> dict[str, str]:
    """Return this process's environment as a child that runs units gets it."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_FOR_WORKERS}
    return {**ONE_THREAD, **kept}


@contextmanager
def environment_kept() -> Iterator[None]:
    """Put the environment back at the end: Dask sets its workers' variables in this process too."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
