"""Say which servers this machine can start: their names on stdout, what is missing on stderr.

``python -m tests.servers`` prints what ``LESIONARY_REQUIRE`` may name here.
"""

import sys

from . import dcmtk, orthanc, postgres, slurm, small_disk


def what_is_missing() -> dict[str, str]:
    """Return a sentence for each server on what it lacks here, empty where it lacks nothing."""
    return {
        "dcmtk": dcmtk.what_is_missing(),
        "orthanc": orthanc.what_is_missing(),
        "postgres": "" if postgres.find_binaries() else postgres.PACKAGE,
        "slurm": slurm.what_is_missing(),
        "tmpfs": "" if small_disk.can_mount() else small_disk.NO_RIGHT,
    }


if __name__ == "__main__":
    missing = what_is_missing()
    sys.stdout.write(",".join(name for name, lack in missing.items() if not lack) + "\n")
    sys.stderr.writelines(f"{name}: {lack}\n" for name, lack in missing.items() if lack)
