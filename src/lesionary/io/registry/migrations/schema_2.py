"""The tables of schema 2, as they were, with their guards. Not to be edited.

JSON is canonical text, and is written as such.
"""

import sqlalchemy as sa

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

_PERMANENT = (event, annotation, review, lesion, track, instance)
_REFUSE = "lesionary_refuse"


def add_guards(connection: sa.Connection) -> None:
    """Refuse changes to what is permanent, by triggers."""
    is_server = connection.dialect.name == "postgresql"
    if is_server:
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {_REFUSE}() RETURNS trigger AS $$ BEGIN"
            " RAISE EXCEPTION USING MESSAGE ="
            " 'rows of ' || TG_TABLE_NAME || ' are never changed'; END $$"
            " LANGUAGE plpgsql"
        )
    for table in _PERMANENT:
        guard(connection, table)


def guard(connection: sa.Connection, table: sa.Table) -> None:
    """Add the triggers of one table; a server's call a function that is there."""
    is_server = connection.dialect.name == "postgresql"
    for statement in _on_server(table.name) if is_server else _in_file(table):
        connection.exec_driver_sql(statement)


def _on_server(name: str) -> tuple[str, ...]:
    return (
        f"CREATE TRIGGER {name}_no_update BEFORE UPDATE OR DELETE ON {name}"
        f" FOR EACH ROW EXECUTE FUNCTION {_REFUSE}()",
        f"CREATE TRIGGER {name}_no_delete BEFORE TRUNCATE ON {name}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSE}()",
    )


def _in_file(table: sa.Table) -> tuple[str, ...]:
    name = table.name
    refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are never changed'); END"
    same = " AND ".join(f"{key.name} = NEW.{key.name}" for key in table.primary_key)
    is_taken = f"EXISTS (SELECT 1 FROM {name} WHERE {same})"  # noqa: S608 - our own names
    return (
        f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} {refuse}",
        f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {refuse}",
        f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {is_taken} {refuse}",
    )
