"""A small index of the archive for tests: made with DuckDB, of the real one's columns."""

from pathlib import Path

COLUMNS = (
    *("SeriesInstanceUID", "StudyInstanceUID", "PatientID", "collection_id", "Modality"),
    *("SeriesDescription", "StudyDescription", "BodyPartExamined", "PatientAge", "PatientSex"),
    *("SeriesNumber", "instanceCount", "license_short_name", "series_size_MB", "series_aws_url"),
    *("analysis_result_id", "series_revised_idc_version"),
)
_TYPES = {
    "instanceCount": "BIGINT",
    "series_size_MB": "DOUBLE",
    "series_revised_idc_version": "BIGINT",
}


def row(series: str, modality: str, description: str | None = None, **other: object) -> dict:
    """Return one series of the collection ``tiny``; other columns by name."""
    return {
        "SeriesInstanceUID": series,
        "StudyInstanceUID": "study-1",
        "PatientID": "patient-1",
        "collection_id": "tiny",
        "Modality": modality,
        "SeriesDescription": description,
        "instanceCount": 50,
        "license_short_name": "CC BY 4.0",
        "series_size_MB": 1.5,
        "series_aws_url": f"s3://bucket/{series}/*",
        "series_revised_idc_version": 7,
        **other,
    }


def write_parquet(path: Path, columns: dict[str, str], rows: list[dict]) -> Path:
    """Write rows as parquet; ``columns`` are names with DuckDB's types."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE t ({declared})")
        places = ", ".join("?" * len(columns))
        for one in rows:
            values = [one.get(name) for name in columns]
            connection.execute(f"INSERT INTO t VALUES ({places})", values)  # noqa: S608
        quoted = str(path).replace("'", "''")
        connection.execute(f"COPY t TO '{quoted}' (FORMAT parquet)")
    return path


def write_index(folder: Path, rows: list[dict]) -> Path:
    """Write ``idc_index.parquet`` into a folder; return the folder."""
    folder.mkdir(exist_ok=True)
    columns = {name: _TYPES.get(name, "VARCHAR") for name in COLUMNS}
    write_parquet(folder / "idc_index.parquet", columns, rows)
    return folder


PROTOCOL = """
name = "tiny"
title = "Tiny study"

[[curate.rule]]
rule = "collection"
any_of = ["tiny"]

[[curate.rule]]
rule = "modality"
any_of = ["PT", "CT"]

[[curate.rule]]
rule = "pet_ct_pair"
prefer_ct = ["ctac*"]
missing = "keep"

[published]
result = "published_by_us"
description = ["ai segmentation"]
modality = "PT"
unit = "pairs"
count = 3
"""

PAIRED = [
    row("pet-1", "PT", "PET AC", series_size_MB=2.0),
    row("ct-1", "CT", "CTAC"),
    row("ct-2", "CT", "Chest"),
    row("seg-1", "SEG", "Our AI segmentation", analysis_result_id="published_by_us"),
    row("mr-1", "MR", "T2", StudyInstanceUID="study-2"),
    row("pet-2", "PT", "PET WB", StudyInstanceUID="study-3", license_short_name="CC BY 3.0"),
    row("ct-3", "CT", "CTAC", StudyInstanceUID="study-3"),
    row("seg-3", "SEG", "Our AI segmentation", StudyInstanceUID="study-3",
        analysis_result_id="published_by_us"),
    row("far", "CT", "Far away", collection_id="elsewhere"),
]  # fmt: skip
"""Two pairs, in studies 1 and 3, and what does not belong to them."""
