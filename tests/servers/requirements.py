"""What a machine may lack, and whether a test may then be left out.

A laptop without PostgreSQL still tests all the rest. A machine that is known to have it must not
leave those tests out unseen: ``LESIONARY_REQUIRE=postgres,slurm`` makes their absence a failure.
"""

import os

import pytest

VARIABLE = "LESIONARY_REQUIRE"
NAMES = frozenset({"dcmtk", "orthanc", "postgres", "slurm", "tmpfs"})


def demanded() -> frozenset[str]:
    """Return what ``LESIONARY_REQUIRE`` names; fail on a name that nothing here answers to."""
    names = frozenset(os.environ.get(VARIABLE, "").replace(",", " ").split())
    if unknown := names - NAMES:
        wrong, right = ", ".join(sorted(unknown)), ", ".join(sorted(NAMES))
        pytest.fail(f"{VARIABLE} names {wrong}; it may name {right}", pytrace=False)
    return names


def require(name: str, is_there: bool, why: str) -> None:
    """Go on where a server is there; else skip saying why, or fail where it was demanded.

    ``why`` is a sentence that says what is missing and which package brings it.
    """
    if name not in NAMES:
        raise ValueError(f"{name} is not one of {', '.join(sorted(NAMES))}")
    is_demanded = name in demanded()
    if is_there:
        return
    if is_demanded:
        pytest.fail(f"{VARIABLE} names {name}, but: {why}", pytrace=False)
    pytest.skip(why)
