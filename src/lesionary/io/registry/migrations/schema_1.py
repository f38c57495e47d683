"""The tables of schema 1, as they were. Not to be edited."""

import sqlalchemy as sa

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

subject = sa.Table(
    "subject",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("identity_hash", sa.String, nullable=False, unique=True),
    sa.Column("sex", sa.String),
    sa.Column("age", sa.Integer),
)

series = sa.Table(
    "series",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("timepoint", sa.Integer, nullable=False),
    sa.Column("timepoint_name", sa.String),
    sa.Column("study_date", sa.String),
    sa.Column("study_uid", sa.String, nullable=False),
    sa.Column("series_uid", sa.String, nullable=False, unique=True),
    sa.Column("frame_uid", sa.String),
    sa.Column("modality", sa.String, nullable=False),
    sa.Column("quantity", sa.String, nullable=False),
    sa.Column("region", sa.String, nullable=False),
    sa.Column("subset", sa.String, nullable=False),
    sa.Column("shape", sa.JSON, nullable=False),
    sa.Column("spacing_mm", sa.JSON, nullable=False),
    sa.Column("affine", sa.JSON, nullable=False),
    sa.Column("technical", sa.JSON, nullable=False),
    sa.Column("suv_factor", sa.Float),
    sa.Column("suv_reason", sa.String, nullable=False),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
)

instance = sa.Table(
    "source_instance",
    metadata,
    sa.Column("series_id", sa.ForeignKey("series.id"), primary_key=True),
    sa.Column("k", sa.Integer, primary_key=True),
    sa.Column("sop_uid", sa.String, nullable=False),
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("series_id", sa.ForeignKey("series.id")),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("hint", sa.String, nullable=False),
    sa.Column("instances", sa.Integer, nullable=False),
    sa.Column("by_rule", sa.Boolean, nullable=False),
)

annotation = sa.Table(
    "annotation",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("version", sa.String),
    sa.Column("method", sa.String),
    sa.Column("review_state", sa.String, nullable=False),
    sa.Column("source", sa.String),
)

box = sa.Table(
    "box",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
    sa.Column("bounds", sa.JSON, nullable=False),
    sa.Column("source", sa.String, nullable=False),
)

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("output", sa.JSON),
    sa.Column("code", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("hint", sa.String),
)
