"""Writing what became of a stage's units, in place of what became of them before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lesionary.io.registry import tables
from lesionary.io.registry.chain import Draft
from lesionary.io.registry.facts import BY_TABLE, fact_of, facts, stored
from lesionary.io.registry.records import UnitRecord
from lesionary.io.registry.row_writer import RowWriter
from lesionary.io.registry.statements import upsert


class UnitWriter(RowWriter):
    """Writes units too, whose rows are replaced, and ends claims on them."""

    def record_units(self, records: Iterable[UnitRecord], whys: Mapping[str, str]) -> None:
        """Store outcomes in place of older ones; ``whys`` says by name why a unit was due.

        What another process recorded under the same key meanwhile stands: the work was the same.
        """
        for stage, group in _by_stage(records).items():
            known = self._known(stage, list(group))
            fresh = [
                record for record in group.values() if not _stands(known.get(record.name), record)
            ]
            self._write_units(stage, fresh, known, whys)

    def end_claims(self, records: Iterable[UnitRecord], holder: str) -> None:
        """Give up a holder's claims on what is now recorded."""
        claim = tables.claim
        for stage, group in _by_stage(records).items():
            self.connection.execute(
                sa.delete(claim).where(
                    claim.c.stage == stage, claim.c.name.in_(list(group)), claim.c.holder == holder
                )
            )

    def forget_units(self, stage: str, names: Iterable[str], *, why: str) -> None:
        """Make units due again, or drop those that no longer exist."""
        unit = tables.unit
        known = self._known(stage, list(names))
        self._tell_changed(stage, list(known))
        for name, row in known.items():
            self.connection.execute(
                sa.delete(unit).where(unit.c.stage == stage, unit.c.name == name)
            )
            self._tell("forgotten", f"unit/{stage}/{name}", None, why)
            self.count(f"unit:{stage}:{row['state']}", -1)

    def _known(self, stage: str, names: Sequence[str]) -> dict[str, Any]:
        unit = tables.unit
        query = sa.select(unit.c.name, unit.c.version, unit.c.state, unit.c.key).where(
            unit.c.stage == stage, unit.c.name.in_(names)
        )
        return {row["name"]: row for row in self.connection.execute(query).mappings()}

    def _write_units(
        self,
        stage: str,
        records: Sequence[UnitRecord],
        known: Mapping[str, Any],
        whys: Mapping[str, str],
    ) -> None:
        if not records:
            return
        unit = tables.unit
        columns = [column.name for column in unit.columns]
        self._tell_changed(stage, [one.name for one in records if one.name in known])
        rows = []
        for record in records:
            before = known.get(record.name)
            version = 1 if before is None else before["version"] + 1
            row = {name: getattr(record, name) for name in columns} | {"version": version}
            rows.append(row)
            fact = fact_of(stored(unit, row))
            why = whys.get(record.name, "")
            self._tell(record.state, f"unit/{stage}/{record.name}", fact, why, record.run_id)
            self.count(f"unit:{stage}:{record.state}")
            if before is not None:
                self.count(f"unit:{stage}:{before['state']}", -1)
        self.connection.execute(upsert(self.connection, unit, columns), rows)

    def _tell_changed(self, stage: str, names: Sequence[str]) -> None:
        """Say which rows that are about to go are not what their last events say.

        Somebody changed them past Lesionary; what replaces them must not hide that.
        """
        if not names:
            return
        unit, event = tables.unit, tables.event
        objects = {f"unit/{stage}/{name}" for name in names}
        query = sa.select(event.c.object, event.c.fact).where(event.c.object.in_(objects))
        told = {
            row.object: row.fact for row in self.connection.execute(query.order_by(event.c.seq))
        }
        where = (unit.c.stage == stage, unit.c.name.in_(names))
        for name, fact in facts(self.connection, BY_TABLE[unit.name], *where):
            if told.get(name) != fact:
                why = "the row was not what its last event says: it was changed past Lesionary"
                self._drafts.append(Draft("found changed", name, why, fact))


def _by_stage(records: Iterable[UnitRecord]) -> dict[str, dict[str, UnitRecord]]:
    groups: dict[str, dict[str, UnitRecord]] = {}
    for record in records:
        groups.setdefault(record.stage, {})[record.name] = record
    return groups


def _stands(known: Any, record: UnitRecord) -> bool:
    return known is not None and known["key"] == record.key and known["state"] == "done"
