"""Make the golden registry of schema 1: a study with rows of every kind, as SQL text.

Run with the last Lesionary that wrote schema 1 (commit 9731e2c) and an empty ``LESIONARY_VAULT``::

    PYTHONPATH=<that commit's src> python tests/golden/make_registry_schema1.py OUT.sql
"""

import datetime as dt
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from lesionary import Study
from lesionary.app.ingest import IngestOptions
from lesionary.io.nifti import write_nifti
from lesionary.io.phantom_readers import PATTERN, SPEC, write_reader_scans
from lesionary.phantoms.mouse import mouse_scan

BOXES = "image,lesion,i0,i1,j0,j1,k0,k1,label\nK01_0_CT_image.nii.gz,A,3,9,3,9,2,5,tumour\n"


def make_study(folder: Path) -> Study:
    """Ingest twice, by readers' names and with boxes, and run all stages."""
    # As that Lesionary had them:
    from lesionary.io.dicom.write import SeriesHeader, hashed_uid, write_series

    from lesionary.io.registry import UnitRecord

    scans = write_reader_scans(folder / "scans", seed=7, n_scans=2)
    (scans / "torn.nii.gz").write_bytes(b"\x1f\x8b torn")
    study = Study.create(folder / "study")
    options = IngestOptions(reader_from=PATTERN)
    study.ingest([scans], options)
    later = folder / "later"
    later.mkdir()
    volume = mouse_scan(SPEC, 1).volume
    write_nifti(later / "K01_0_CT_image.nii.gz", volume)
    write_nifti(later / "K02.nii.gz", replace(volume, array=volume.array + 1))
    (later / "boxes.csv").write_text(BOXES)
    (later / "notes.txt").write_text("not an image\n")
    write_nifti(later / "K02_mask.nii.gz", mouse_scan(SPEC, 1).truth)
    for month in (3, 1):
        acquired = dt.datetime(2020, month, 1, 9, tzinfo=dt.UTC).replace(tzinfo=None)
        uids = [hashed_uid(f"{level} {month}") for level in ("study", "series", "frame")]
        header = SeriesHeader("P1", "Phantom^One", acquired, *uids)
        write_series(later / f"visit{month}", replace(volume, array=volume.array + month), header)
    study.ingest([later])
    study.run()
    study.registry.record_unit(
        UnitRecord(
            "measure", "ser-9999", "0" * 64, "failed",
            code="unreadable", reason="the object is torn – ½ of it", hint="ingest it again",
        )
    )  # fmt: skip
    return study


def main(out: Path) -> None:
    """Write the registry's SQL."""
    with tempfile.TemporaryDirectory() as folder:
        study = make_study(Path(folder))
        study.registry.close()
        with closing(sqlite3.connect(study.files.registry)) as connection:
            lines = list(connection.iterdump())
            tables = "subject", "series", "source_instance", "finding", "annotation", "box", "unit"
            for table in tables:
                query = f"SELECT count(*) FROM {table}"  # noqa: S608 - our own names
                (n,) = connection.execute(query).fetchone()
                sys.stderr.write(f"{table}: {n}\n")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
