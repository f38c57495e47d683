"""The tables of schema 3, as they were. Not to be edited.

JSON is canonical text, and is written as such. The guards are those of schema 2, on more tables.
"""

import sqlalchemy as sa

from lesionary.io.registry.migrations import schema_2

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

tally = sa.Table(
    "tally",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    comment="counts that `status` shows, kept up with the rows in the same transaction",
)

subject = sa.Table(
    "subject",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("identity_hash", sa.String, nullable=False, unique=True),
    sa.Column("sex", sa.String),
    sa.Column("age", sa.Integer),
    sa.Column("is_from_file", sa.Boolean, nullable=False),
    sa.Column("released_id", sa.Integer, unique=True),
)

timepoint = sa.Table(
    "timepoint",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("study_date", sa.String),
    sa.Column("name", sa.String),
    sa.Column("version", sa.Integer, nullable=False),
)

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("timepoint_id", sa.ForeignKey("timepoint.id"), nullable=False),
    sa.Column("study_uid", sa.String, nullable=False),
    sa.Column("series_uid", sa.String, nullable=False, unique=True),
    sa.Column("frame_uid", sa.String),
    sa.Column("modality", sa.String, nullable=False),
    sa.Column("quantity", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("subset", sa.String, nullable=False),
    sa.Column("shape", sa.Text, nullable=False),
    sa.Column("spacing_mm", sa.Text, nullable=False),
    sa.Column("affine", sa.Text, nullable=False),
    sa.Column("technical", sa.Text, nullable=False),
    sa.Column("suv_factor", sa.Float),
    sa.Column("suv_reason", sa.String, nullable=False),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("pixel_hash", sa.String),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
)

instance = sa.Table(
    "source_instance",
    metadata,
    sa.Column("series_id", sa.ForeignKey("series.id"), primary_key=True),
    sa.Column("k", sa.Integer, primary_key=True),
    sa.Column("sop_uid", sa.String, nullable=False, index=True),
    sa.Column("frame", sa.Integer),
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("series_id", sa.ForeignKey("series.id"), index=True),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("hint", sa.String, nullable=False),
    sa.Column("instances", sa.Integer, nullable=False),
    sa.Column("by_rule", sa.Boolean, nullable=False),
    sa.Index("ix_finding_outcome", "outcome", "id"),
)

curation = sa.Table(
    "curation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("series_key", sa.String, nullable=False, unique=True),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("series_id", sa.ForeignKey("series.id"), index=True),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("shared_reason", sa.String, nullable=False),
    sa.Column("unchecked", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_curation_outcome", "outcome", "rule", "label"),
)

annotation = sa.Table(
    "annotation",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False, index=True),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("version", sa.String),
    sa.Column("generation", sa.Integer),
    sa.Column("method", sa.String),
    sa.Column("parent_id", sa.ForeignKey("annotation.id")),
    sa.Column("review_state", sa.String, nullable=False),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("source", sa.String),
)

box = sa.Table(
    "box",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
    sa.Column("bounds", sa.Text, nullable=False),
    sa.Column("source", sa.String, nullable=False),
)

review = sa.Table(
    "review",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("annotation_id", sa.ForeignKey("annotation.id"), nullable=False, index=True),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("likert", sa.Integer),
    sa.Column("comment", sa.String, nullable=False),
    sa.Column("seconds", sa.Float),
)

lesion = sa.Table(
    "lesion",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
)

track = sa.Table(
    "track",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("lesion_id", sa.ForeignKey("lesion.id"), nullable=False, index=True),
    sa.Column("from_series_id", sa.ForeignKey("series.id")),
    sa.Column("from_lesion", sa.Integer),
    sa.Column("to_series_id", sa.ForeignKey("series.id")),
    sa.Column("to_lesion", sa.Integer),
    sa.Column("relation", sa.String, nullable=False),
    sa.Column("reader", sa.String),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("from_series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("from_lesion", sa.Integer),
    sa.Column("from_object", sa.String, nullable=False),
    sa.Column("to_series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("to_lesion", sa.Integer),
    sa.Column("to_object", sa.String, nullable=False),
    sa.Column("further", sa.Text, nullable=False),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)

role_decision = sa.Table(
    "role_decision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("lesion", sa.Integer, nullable=False),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)

reported_diameter = sa.Table(
    "reported_diameter",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("timepoint_id", sa.ForeignKey("timepoint.id"), nullable=False),
    sa.Column("lesion", sa.String, nullable=False),
    sa.Column("series_id", sa.ForeignKey("series.id")),
    sa.Column("number", sa.Integer),
    sa.Column("object_id", sa.String),
    sa.Column("diameter_mm", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("replaces", sa.ForeignKey("reported_diameter.id")),
)

split = sa.Table(
    "split",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), primary_key=True),
    sa.Column("part", sa.String, nullable=False),
    sa.Column("fold", sa.Integer),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("seed", sa.BigInteger),
)

declared_set = sa.Table(
    "declared_set",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("value", sa.String, primary_key=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("stage_version", sa.Integer, nullable=False),
    sa.Column("section", sa.Text, nullable=False),
    sa.Column("code_version", sa.String, nullable=False),
    sa.Column("code_digest", sa.String, nullable=False),
    sa.Column("cluster", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("started_at", sa.String, nullable=False),
)

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("output", sa.Text),
    sa.Column("code", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("hint", sa.String),
    sa.Column("inputs", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("seed", sa.BigInteger),
    sa.Column("run_id", sa.ForeignKey("run.id")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_unit_state", "state", "stage", "name"),
)

claim = sa.Table(
    "claim",
    metadata,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False, index=True),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("object", sa.String, nullable=False, index=True),
    sa.Column("why", sa.String, nullable=False),
    sa.Column("fact", sa.String),
    sa.Column("run_id", sa.String),
    sa.Column("details", sa.Text),
    sa.Column("previous", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)

head = sa.Table(
    "head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    comment="one row: the last event. Its lock puts writers in a queue",
)


def add_guards(connection: sa.Connection) -> None:
    """Refuse changes to what is permanent, by triggers."""
    schema_2.add_guards(connection)
    for table in (decision, role_decision, reported_diameter):
        schema_2.guard(connection, table)
