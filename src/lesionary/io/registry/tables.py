"""The registry's tables, the same on SQLite and PostgreSQL.

Rows that people made (annotation, review, lesion, track, decision, role_decision and
reported_diameter) and events are never changed or deleted: triggers in the database refuse it
(``guards.py``). What stages derived (unit) may be made anew.
"""

import json
from typing import Any

import sqlalchemy as sa

from lesionary.core.identity import canonical_json


class StoredJson(sa.types.TypeDecorator[Any]):
    """JSON as canonical text: equal values are equal bytes, in every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """Write a value; None is SQL's null."""
        return None if value is None else canonical_json(value).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """Read a value back."""
        return None if value is None else json.loads(value)


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
    sa.Column("is_from_file", sa.Boolean, nullable=False, doc="known by one file's name only"),
    sa.Column("released_id", sa.Integer, unique=True, doc="the vault's number, where one was used"),
)

timepoint = sa.Table(
    "timepoint",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False, doc="counts on as earlier scans arrive"),
    sa.Column("study_date", sa.String, doc="shifted, ISO"),
    sa.Column("name", sa.String, doc="as --reader-from gave it, where there is no date"),
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
    sa.Column("shape", StoredJson, nullable=False),
    sa.Column("spacing_mm", StoredJson, nullable=False),
    sa.Column("affine", StoredJson, nullable=False),
    sa.Column("technical", StoredJson, nullable=False),
    sa.Column("suv_factor", sa.Float),
    sa.Column("suv_reason", sa.String, nullable=False),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("pixel_hash", sa.String, doc="core/pixels.py; null where schema 1 had none"),
    sa.Column("source", sa.String, nullable=False, doc="ingest and item, such as 1#12"),
    sa.Column("outcome", sa.String, nullable=False),
)

instance = sa.Table(
    "source_instance",
    metadata,
    sa.Column("series_id", sa.ForeignKey("series.id"), primary_key=True),
    sa.Column("k", sa.Integer, primary_key=True),
    sa.Column("sop_uid", sa.String, nullable=False, index=True),
    sa.Column("frame", sa.Integer, doc="from 1, where one file holds many; null before schema 3"),
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
    sa.Column("series_key", sa.String, nullable=False, unique=True, doc="keyed name of a series"),
    sa.Column("ingest", sa.Integer, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("series_id", sa.ForeignKey("series.id"), index=True, doc="null while it is out"),
    sa.Column("outcome", sa.String, nullable=False, doc="in or out"),
    sa.Column("rule", sa.String, nullable=False, doc="that put it out; gate: unsound"),
    sa.Column("label", sa.String, nullable=False, doc="the rule in the words of a chart"),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("shared_reason", sa.String, nullable=False, doc="without its own value"),
    sa.Column(
        "unchecked", StoredJson, nullable=False, doc="label, reason of rules that did not know"
    ),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_curation_outcome", "outcome", "rule", "label"),
)

annotation = sa.Table(
    "annotation",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False, index=True),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("author", sa.String, nullable=False, doc="given, a reader, or the model's name"),
    sa.Column("role", sa.String, nullable=False, doc="reader, model, or unknown"),
    sa.Column("version", sa.String, doc="of the algorithm that drew it"),
    sa.Column("generation", sa.Integer, doc="which generation of the model drew it"),
    sa.Column("method", sa.String, doc="SegmentAlgorithmType; null where nobody said"),
    sa.Column("parent_id", sa.ForeignKey("annotation.id"), doc="the annotation it corrects"),
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
    sa.Column("bounds", StoredJson, nullable=False, doc="k0, k1, j0, j1, i0, i1, half-open"),
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
    sa.Column("seconds", sa.Float, doc="time the reader took"),
)

lesion = sa.Table(
    "lesion",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False, doc="A, B, C … through time"),
    sa.Column("label", sa.String, nullable=False),
)

track = sa.Table(
    "track",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("lesion_id", sa.ForeignKey("lesion.id"), nullable=False, index=True),
    sa.Column("from_series_id", sa.ForeignKey("series.id")),
    sa.Column("from_lesion", sa.Integer, doc="its number among the series' measurements"),
    sa.Column("to_series_id", sa.ForeignKey("series.id")),
    sa.Column("to_lesion", sa.Integer),
    sa.Column("relation", sa.String, nullable=False, doc="same, split, merge, new, gone"),
    sa.Column("reader", sa.String, doc="who affirmed it; null for a proposal"),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, doc="in order of deciding"),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("verdict", sa.String, nullable=False, doc="affirm, relink, split, reject"),
    sa.Column("from_series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("from_lesion", sa.Integer, doc="its number in that mask; null where it is new"),
    sa.Column("from_object", sa.String, nullable=False, doc="the mask that the number is of"),
    sa.Column("to_series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("to_lesion", sa.Integer, doc="null where it is gone"),
    sa.Column("to_object", sa.String, nullable=False),
    sa.Column("further", StoredJson, nullable=False, doc="series, lesion, object of other lesions"),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False, doc="UTC, ISO"),
)

role_decision = sa.Table(
    "role_decision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, doc="in order of deciding"),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("series_id", sa.ForeignKey("series.id"), nullable=False),
    sa.Column("lesion", sa.Integer, nullable=False, doc="with which its drawer's track begins"),
    sa.Column("object_id", sa.String, nullable=False, doc="the mask that the number is of"),
    sa.Column("role", sa.String, nullable=False, doc="target or non-target"),
    sa.Column("reader", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False, doc="UTC, ISO"),
)

reported_diameter = sa.Table(
    "reported_diameter",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, doc="in order of entry"),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False, index=True),
    sa.Column("timepoint_id", sa.ForeignKey("timepoint.id"), nullable=False),
    sa.Column("lesion", sa.String, nullable=False, doc="as its source names it"),
    sa.Column("series_id", sa.ForeignKey("series.id"), doc="null where nobody said"),
    sa.Column("number", sa.Integer, doc="of the measured lesion; null where none was found"),
    sa.Column("object_id", sa.String, doc="the mask that the number is of"),
    sa.Column("diameter_mm", sa.String, nullable=False, doc="the decimal as it was written"),
    sa.Column("source", sa.String, nullable=False, doc="report"),
    sa.Column("reader", sa.String, nullable=False, doc="who entered it"),
    sa.Column("at", sa.String, nullable=False, doc="UTC, ISO"),
    sa.Column("replaces", sa.ForeignKey("reported_diameter.id"), doc="what it corrects"),
)

split = sa.Table(
    "split",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), primary_key=True),
    sa.Column("part", sa.String, nullable=False, doc="train, test, holdout"),
    sa.Column("fold", sa.Integer),
    sa.Column("origin", sa.String, nullable=False, doc="given or drawn"),
    sa.Column("seed", sa.BigInteger),
)

declared_set = sa.Table(
    "declared_set",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True, doc="patient, study_uid, …, pixels"),
    sa.Column("value", sa.String, primary_key=True, doc="a keyed hash or a pixel hash"),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False, doc="line of the user's list"),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("stage_version", sa.Integer, nullable=False),
    sa.Column("section", StoredJson, nullable=False, doc="the part of the protocol it goes by"),
    sa.Column("code_version", sa.String, nullable=False),
    sa.Column("code_digest", sa.String, nullable=False, doc="SHA-256 over the package's sources"),
    sa.Column("cluster", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("started_at", sa.String, nullable=False),
)

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False, doc="hash of inputs, protocol section, version"),
    sa.Column("state", sa.String, nullable=False, doc="done or failed"),
    sa.Column("output", StoredJson),
    sa.Column("code", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("hint", sa.String),
    sa.Column("inputs", StoredJson, doc="everything the result depends on; null before schema 2"),
    sa.Column("model", StoredJson, doc="name, version, generation of what drew; null where none"),
    sa.Column("seed", sa.BigInteger, doc="of what it draws at random; null where nothing is"),
    sa.Column("run_id", sa.ForeignKey("run.id")),
    sa.Column("version", sa.Integer, nullable=False, doc="how often it was recorded"),
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
    sa.Column("at", sa.String, nullable=False, doc="UTC, ISO"),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("object", sa.String, nullable=False, index=True),
    sa.Column("why", sa.String, nullable=False),
    sa.Column("fact", sa.String, doc="SHA-256 of the row after the action; null once it is gone"),
    sa.Column("run_id", sa.String),
    sa.Column("details", StoredJson),
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

PERMANENT = (
    event,
    annotation,
    review,
    lesion,
    track,
    decision,
    role_decision,
    reported_diameter,
    instance,
)
"""Tables whose rows are never changed and never deleted."""
