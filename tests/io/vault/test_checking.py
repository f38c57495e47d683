import pytest
import sqlalchemy as sa

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.registry.chain import Draft
from lesionary.io.vault import audit, checking, schema
from lesionary.io.vault.vault_keys import VaultKeys

WHY = "asked by the ethics board"


@pytest.fixture
def used(vault):
    """A vault with two patients, of whom one was revealed."""
    number, _ = vault.numbers_of([("one", ""), ("two", "")])
    vault.reveal(number, WHY)
    return vault


def codes(vault, **options):
    return {failure.code for failure in checking.failures(vault, **options)}


def tamper(vault, table, statement):
    with vault.writing() as connection:
        schema.drop_guards(connection, table)
        connection.execute(statement)
        schema.add_guards(connection, table)


def test_a_vault_that_nobody_touched_holds(used):
    assert codes(used) == set()


def test_a_trigger_that_is_gone_is_missed(used):
    with used.writing() as connection:
        schema.drop_guards(connection, schema.identity)
    assert codes(used) == {"guard_missing"}


def test_a_changed_reason_is_found(used):
    tamper(used, schema.event, sa.update(schema.event).values(why="another reason altogether"))
    assert "event_changed" in codes(used)


def test_a_removed_event_is_found(used):
    tamper(used, schema.event, sa.delete(schema.event).where(schema.event.c.seq == 1))
    assert "event_removed" in codes(used)


def test_an_audit_without_events_is_found(used):
    tamper(used, schema.event, sa.delete(schema.event))
    assert "event_removed" in codes(used)


def test_an_audit_written_anew_without_the_key_is_found(used):
    tamper(used, schema.event, sa.delete(schema.event))
    with used.writing() as connection:
        audit.append(connection, VaultKeys.create(), Draft("created", "vault"), "mallory")
    assert codes(used) == {"event_forged"}


def test_a_tail_that_was_cut_off_is_found_by_an_anchor(used):
    with used.reading() as connection:
        head = audit.head(connection)
    anchor = f"{head.seq}:{head.hash}"
    assert codes(used, anchor=anchor) == set()
    tamper(used, schema.event, sa.delete(schema.event).where(schema.event.c.seq == head.seq))
    assert codes(used) == set()
    assert codes(used, anchor=anchor) == {"audit_truncated"}


@pytest.mark.parametrize("anchor", ["", "x", "1", "1:", ":ab", "-1:ab"])
def test_what_is_no_anchor_is_refused(used, anchor):
    with pytest.raises(InputError):
        codes(used, anchor=anchor)


def test_exchanged_identities_are_found(used):
    table = schema.token
    with used.reading() as connection:
        query = sa.select(table.c.number, table.c.token).order_by(table.c.number)
        (one, token), (other, foreign) = connection.execute(query).all()
    swapped = sa.case((table.c.number == one, foreign), (table.c.number == other, token))
    tamper(used, table, sa.update(table).values(token=swapped))
    assert codes(used) == {"index_changed", "number_changed"}
    with pytest.raises(WorkflowError) as caught:
        used.reveal(one, WHY)
    assert caught.value.code == "vault_damaged"


def test_patients_whose_numbers_were_exchanged_are_found(used):
    identity, token = schema.identity, schema.token
    with used.reading() as connection:
        whole = [dict(row) for row in connection.execute(sa.select(token)).mappings()]
        found = [dict(row) for row in connection.execute(sa.select(identity)).mappings()]
    other = {one["number"]: two["number"] for one, two in zip(found, found[::-1], strict=True)}
    with used.writing() as connection:
        for table in (token, identity):
            schema.drop_guards(connection, table)
            connection.execute(sa.delete(table))
        for table, rows in ((identity, found), (token, whole)):
            exchanged = [row | {"number": other[row["number"]]} for row in rows]
            connection.execute(sa.insert(table), exchanged)
            schema.add_guards(connection, table)
    assert codes(used) == {"number_changed"}
    with pytest.raises(WorkflowError):
        used.reveal(found[0]["number"], WHY)


def test_a_damaged_and_a_lost_token_are_found(used):
    table = schema.token
    with used.reading() as connection:
        number = connection.execute(sa.select(sa.func.min(table.c.number))).scalar_one()
    of_first = table.c.number == number
    tamper(used, table, sa.update(table).where(of_first).values(token=b"gAAAA"))
    assert codes(used) == {"token_damaged"}
    tamper(used, table, sa.delete(table).where(of_first))
    assert codes(used) == {"token_missing"}
