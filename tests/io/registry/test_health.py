"""Somebody changes not rows but what guards them: definitions, constraints, triggers, functions."""

from uuid import uuid4

import pytest

from lesionary.app.verify import VerifyReport
from lesionary.app.verify.rows import verify_database
from lesionary.io.registry import health, tables
from lesionary.io.registry.place import RegistryPlace
from lesionary.io.registry.registry import Registry
from lesionary.io.registry.upgrade import upgrade_registry

EVENT_GUARD = "CREATE TRIGGER event_no_update BEFORE DELETE OR UPDATE ON event FOR EACH"
MEDDLE = (
    "CREATE FUNCTION meddle() RETURNS trigger AS"
    " $$ BEGIN NEW.output := '{}'; RETURN NEW; END $$ LANGUAGE plpgsql"
)
ALL_ON_SERVER = sorted(
    f"{name}_{what}"
    for name in [table.name for table in tables.PERMANENT]
    for what in ("no_update", "no_delete")
)


@pytest.fixture(scope="module")
def server(postgres_server, tmp_path_factory):
    """Return a new registry on a server: what a test does there is taken back."""
    postgres_server.start()
    url = postgres_server.create_database("test_health")
    made = Registry.create(RegistryPlace(tmp_path_factory.mktemp("none"), url, str(uuid4())))
    yield made
    made.close()
    postgres_server.drop_database("test_health")


@pytest.fixture
def on_server(server):
    """Return a connection whose transaction never ends well."""
    with server.engine.connect() as connection:
        yield connection


def change(registry: Registry, *statements: str) -> None:
    with registry.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def definitions(registry: Registry) -> list[str]:
    with registry.reading() as connection:
        return health.changed_definitions(connection)


def guards(registry: Registry) -> list[str]:
    with registry.reading() as connection:
        return health.missing_guards(connection)


def test_a_new_registry_is_as_it_should_be(registry):
    assert (definitions(registry), guards(registry)) == ([], [])


def test_so_is_one_that_was_upgraded(old):
    upgrade_registry(old)
    registry = Registry.open(old)
    assert (definitions(registry), guards(registry)) == ([], [])
    registry.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TABLE stranger (id INTEGER)", "the table stranger"),
        ("CREATE INDEX stranger ON unit (key)", "the index stranger"),
        ("CREATE VIEW stranger AS SELECT 1 AS n", "stranger"),
        ("DROP INDEX ix_unit_state", "the index ix_unit_state"),
        ("ALTER TABLE unit ADD COLUMN stranger VARCHAR", "unit"),
        ("ALTER TABLE claim RENAME COLUMN holder TO stranger", "claim"),
    ],
)
def test_what_is_added_renamed_or_gone_is_named(registry, statement, named):
    change(registry, statement)
    assert any(named in one for one in definitions(registry))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE unit DROP COLUMN seed", "the column unit.seed"),
        ("ALTER TABLE unit ALTER COLUMN version TYPE BIGINT", "the column unit.version"),
        ("ALTER TABLE unit ALTER COLUMN key DROP NOT NULL", "the column unit.key"),
        ("ALTER TABLE unit ALTER COLUMN state SET DEFAULT 'done'", "the column unit.state"),
        ('ALTER TABLE unit ALTER COLUMN name TYPE VARCHAR COLLATE "C"', "the column unit.name"),
        (
            "ALTER TABLE unit DROP CONSTRAINT unit_pkey",
            "the constraint PRIMARY KEY (stage, name) of unit",
        ),
        (
            "ALTER TABLE series DROP CONSTRAINT series_series_uid_key",
            "the constraint UNIQUE (series_uid) of series",
        ),
        (
            "ALTER TABLE unit DROP CONSTRAINT unit_run_id_fkey",
            "the constraint FOREIGN KEY (run_id) REFERENCES run(id) of unit",
        ),
        (
            "ALTER TABLE unit ALTER CONSTRAINT unit_run_id_fkey DEFERRABLE",
            "the constraint FOREIGN KEY (run_id) REFERENCES run(id) of unit",
        ),
        (
            "ALTER TABLE unit ADD CHECK (state <> 'failed')",
            "the constraint CHECK (((state)::text <> 'failed'::text)) of unit",
        ),
        ("ALTER TABLE unit DISABLE TRIGGER ALL", "the table unit"),
        ("ALTER TABLE unit ENABLE ROW LEVEL SECURITY", "the table unit"),
        ("CREATE TABLE more () INHERITS (unit)", "the table unit"),
        ("ALTER TABLE claim SET UNLOGGED", "the table claim"),
        ("CREATE RULE deaf AS ON UPDATE TO unit DO INSTEAD NOTHING", "the rule deaf of unit"),
        ("CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql", "the function f"),
        (
            "DROP INDEX ix_unit_state; CREATE INDEX ix_unit_state ON unit (state)",
            "the index ix_unit_state",
        ),
    ],
)
def test_a_servers_catalogue_is_looked_through(on_server, statement, named):
    on_server.exec_driver_sql(statement)
    assert named in health.changed_definitions(on_server)


def test_a_trigger_that_is_not_ours_is_named(registry):
    if registry.place.url is None:
        meddling = "AFTER INSERT ON unit BEGIN UPDATE unit SET output = '{}'; END"
        change(registry, f"CREATE TRIGGER meddle {meddling}")
    else:
        meddling = "BEFORE INSERT ON unit FOR EACH ROW EXECUTE FUNCTION meddle()"
        change(registry, MEDDLE, f"CREATE TRIGGER meddle {meddling}")
    assert "the trigger meddle of unit" in definitions(registry)
    assert guards(registry) == []


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        (["DROP TRIGGER event_no_update ON event"], ["event_no_update"]),
        (["ALTER TABLE event DISABLE TRIGGER event_no_update"], ["event_no_update"]),
        (["ALTER TABLE event ENABLE REPLICA TRIGGER event_no_update"], ["event_no_update"]),
        (
            [
                "DROP TRIGGER event_no_update ON event",
                f"{EVENT_GUARD} ROW WHEN (false) EXECUTE FUNCTION lesionary_refuse()",
            ],
            ["event_no_update"],
        ),
        (
            [
                "DROP TRIGGER event_no_update ON event",
                MEDDLE,
                f"{EVENT_GUARD} ROW EXECUTE FUNCTION meddle()",
            ],
            ["event_no_update"],
        ),
        (
            [
                "DROP TRIGGER event_no_update ON event",
                f"{EVENT_GUARD} STATEMENT EXECUTE FUNCTION lesionary_refuse()".replace(
                    "DELETE OR UPDATE", "TRUNCATE"
                ),
            ],
            ["event_no_update"],
        ),
        (
            [
                "CREATE OR REPLACE FUNCTION lesionary_refuse() RETURNS trigger AS"
                " $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql"
            ],
            ALL_ON_SERVER,
        ),
        (
            [
                "CREATE OR REPLACE FUNCTION lesionary_refuse() RETURNS trigger AS"
                " $$ BEGIN END $$ LANGUAGE plpgsql"
            ],
            ALL_ON_SERVER,
        ),
        (["DROP FUNCTION lesionary_refuse CASCADE"], ALL_ON_SERVER),
    ],
)
def test_a_servers_guard_that_guards_no_more_is_named_and_put_back(on_server, statements, missing):
    for statement in statements:
        on_server.exec_driver_sql(statement)
    assert health.missing_guards(on_server) == missing
    health.put_guards_back(on_server)
    assert health.missing_guards(on_server) == []


def test_what_cannot_be_read_any_more_is_known_before_it_is_read(on_server):
    assert health.is_legible(on_server)
    on_server.exec_driver_sql("ALTER TABLE unit ALTER COLUMN key DROP NOT NULL")
    assert health.is_legible(on_server)
    on_server.exec_driver_sql("ALTER TABLE unit DROP COLUMN seed")
    assert not health.is_legible(on_server)


def test_the_report_says_which_part_is_not_as_it_should_be(registry):
    change(registry, "CREATE TABLE stranger (id INTEGER)")
    report = VerifyReport()
    with registry.reading() as connection:
        verify_database(connection, report)
    assert {
        (row["unit"], row["code"]) for row in report.failed if "the table stranger" in row["reason"]
    } == {("registry/definitions", "definition_changed")}
    assert "registry/guards" in report.done
