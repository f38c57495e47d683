"""Make the golden archive of schema 2: a small study with rows of every kind, as it was exported.

Run with the last Lesionary that wrote schema 2 (commit 004077d)::

    PYTHONPATH=<that commit's src>:<its tests> python tests/golden/make_archive_schema2.py OUT
"""

import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

from lesionary.io.registry import registry as module
from portable_study import exported, make_study


def main(out: Path) -> None:
    """Write the archive."""
    told = {"this_actor": lambda: "anna", "utc_now": lambda: "2025-01-31T09:00:00.000+00:00"}
    with tempfile.TemporaryDirectory() as folder, mock.patch.multiple(module, **told):
        os.environ["LESIONARY_VAULT"] = str(Path(folder) / "vault")
        exported(make_study(Path(folder) / "study"), out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
