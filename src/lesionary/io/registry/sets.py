"""What splits and the leakage guard ask of the registry, streamed: a part is never read as a whole.

Kinds are those of ``declared_set``: ``patient``, ``study_uid``, ``series_uid``, ``sop_uid``,
``pixels``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from lesionary.io.registry import tables

_BY_SERIES: Mapping[str, sa.Column[Any]] = {
    "study_uid": tables.series.c.study_uid,
    "series_uid": tables.series.c.series_uid,
    "pixels": tables.series.c.pixel_hash,
}
_KINDS_THAT_LINK = ("study_uid", "pixels")
"""Kinds of which two subjects may hold the same value; other UIDs are told apart at ingest."""

Part = tuple[str, int | None]
"""Part and fold; None without folds."""

UNASSIGNED: Mapping[str, Part] = {
    "train": ("unassigned train", None),
    "test": ("unassigned test", None),
}
"""Who has no part in the split yet, by the folder that a release would put the images into: where
their layout had them, and without a layout to ``train``."""

_PAGE = {"yield_per": 5000}


@dataclass(frozen=True, slots=True)
class PartCounts:
    """How large a part is, and how much of it a comparison cannot see."""

    n_subjects: int
    n_from_file: int
    n_series: int
    n_without_slices: int
    n_without_pixels: int


class SplitMembers:
    """The members of a split, part by part; nobody is assigned where no split is named.

    Parameters
    ----------
    connection : Connection
        Stays open for as long as values are asked for.
    split : str, optional
        Name of the split.
    """

    def __init__(self, connection: sa.Connection, split: str | None) -> None:
        self._connection = connection
        self._split = split

    @cached_property
    def _shared_slices(self) -> dict[Part, list[tuple[str, str]]]:
        """Slices that two series hold, or a declared set too: the others are by far the most."""
        slices, series, declared = tables.instance.c, tables.series.c, tables.declared_set.c
        often = sa.select(slices.sop_uid).group_by(slices.sop_uid).having(sa.func.count() > 1)
        named = sa.select(declared.value).where(declared.kind == "sop_uid")
        query = (
            sa.select(series.subject_id, slices.sop_uid, series.id, series.subset)
            .join_from(tables.instance, tables.series, slices.series_id == series.id)
            .where(slices.sop_uid.in_(sa.union(often, named)))
        )
        rows = self._connection.execute(query).all()
        parts = self._parts_of({row[0] for row in rows})
        found: dict[Part, list[tuple[str, str]]] = {}
        for subject, sop_uid, series_id, subset in rows:
            part = parts.get(subject) or UNASSIGNED["test" if subset == "test" else "train"]
            found.setdefault(part, []).append((sop_uid, series_id))
        return found

    def _parts_of(self, subjects: set[str]) -> dict[str, Part]:
        if self._split is None or not subjects:
            return {}
        return {
            row["subject_id"]: (row["part"], row["fold"])
            for row in split_rows(self._connection, self._split)
        }

    def parts(self) -> list[Part]:
        """Return the parts, training by folds, and last those of who is not assigned."""
        row = tables.split.c
        query = sa.select(row.part, row.fold).distinct().where(row.name == self._split)
        found = [(str(part), fold) for part, fold in self._connection.execute(query)]
        parts = sorted(found, key=lambda one: (one[0], -1 if one[1] is None else one[1]))
        return parts + [part for part in UNASSIGNED.values() if self._has_subjects(part)]

    def _has_subjects(self, part: Part) -> bool:
        return self._connection.execute(self._subjects(part).limit(1)).first() is not None

    def values(self, part: Part, kind: str) -> Iterator[tuple[str, str]]:
        """Yield a part's values of one kind, each with the subject or the series that has it.

        Of slices only those come that can be a leak.
        """
        if kind == "sop_uid":
            yield from self._shared_slices.get(part, ())
            return
        subject, series = tables.subject.c, tables.series.c
        if kind == "patient":
            query = sa.select(subject.identity_hash, subject.id).where(
                subject.id.in_(self._subjects(part))
            )
        else:
            value = _BY_SERIES[kind]
            query = sa.select(value, series.id).where(self._is_series_of(part), value.is_not(None))
        for row in self._connection.execute(query, execution_options=_PAGE):
            yield row[0], row[1]

    def counts(self, part: Part) -> PartCounts:
        """Count members, and those of which something is not known."""
        subject, series = tables.subject.c, tables.series.c
        members = self._subjects(part)
        own_subjects = sa.select(
            sa.func.count(), sa.func.coalesce(sa.func.sum(subject.is_from_file.cast(sa.Integer)), 0)
        ).where(subject.id.in_(members))
        first_slice = sa.exists().where(
            tables.instance.c.series_id == series.id, tables.instance.c.k == 0
        )
        own_series = sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((first_slice, 0), else_=1)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((series.pixel_hash.is_(None), 1), else_=0)), 0),
        ).where(self._is_series_of(part))
        n_subjects, n_from_file = self._connection.execute(own_subjects).one()
        n_series, n_without_slices, n_without_pixels = self._connection.execute(own_series).one()
        return PartCounts(
            n_subjects, int(n_from_file), n_series, int(n_without_slices), int(n_without_pixels)
        )

    def _is_series_of(self, part: Part) -> sa.ColumnElement[bool]:
        series = tables.series.c
        is_of_subject = series.subject_id.in_(self._subjects(part))
        if part not in UNASSIGNED.values():
            return is_of_subject
        is_test = series.subset == "test"
        return is_of_subject & (is_test if part == UNASSIGNED["test"] else ~is_test)

    def _subjects(self, part: Part) -> sa.Select[Any]:
        row, (name, fold) = tables.split.c, part
        if part in UNASSIGNED.values():
            return self._unassigned(part)
        return sa.select(row.subject_id).where(
            row.name == self._split, row.part == name, row.fold.is_not_distinct_from(fold)
        )

    def _unassigned(self, part: Part) -> sa.Select[Any]:
        subject, series = tables.subject.c, tables.series.c
        tested = sa.select(series.subject_id).where(series.subset == "test")
        is_here: sa.ColumnElement[bool] = subject.id.in_(tested)
        if part == UNASSIGNED["train"]:
            others = sa.select(series.subject_id).where(series.subset != "test")
            is_here = subject.id.in_(others) | ~is_here
        assigned = sa.select(tables.split.c.subject_id).where(tables.split.c.name == self._split)
        return sa.select(subject.id).where(is_here, subject.id.not_in(assigned))


def split_names(connection: sa.Connection) -> list[str]:
    """Return the names of all splits, sorted."""
    name = tables.split.c.name
    return list(connection.execute(sa.select(name).distinct().order_by(name)).scalars())


def split_rows(connection: sa.Connection, split: str) -> list[Mapping[str, Any]]:
    """Return who was assigned to what."""
    query = sa.select(tables.split).where(tables.split.c.name == split)
    return [dict(row) for row in connection.execute(query).mappings()]


def n_unassigned(connection: sa.Connection, split: str) -> int:
    """Count the subjects that a split does not know: they came in after it was drawn."""
    known = sa.select(tables.split.c.subject_id).where(tables.split.c.name == split)
    query = sa.select(sa.func.count()).where(tables.subject.c.id.not_in(known))
    return int(connection.execute(query).scalar_one())


def words_of_subjects(connection: sa.Connection, column: str) -> dict[str, list[str]]:
    """Return what a column of ``series`` says of each subject's series: distinct, sorted."""
    series = tables.series.c
    query = sa.select(series.subject_id, series[column]).distinct()
    words: dict[str, list[str]] = {}
    for subject, word in connection.execute(query.order_by(series.subject_id, series[column])):
        if word:
            words.setdefault(subject, []).append(word)
    return words


def linked_subjects(connection: sa.Connection) -> list[list[str]]:
    """Return groups of subjects whose series are of one DICOM study, or have the same voxels."""
    series = tables.series.c
    links: list[list[str]] = []
    for kind in _KINDS_THAT_LINK:
        value = _BY_SERIES[kind]
        shared = (
            sa.select(value)
            .where(value.is_not(None))
            .group_by(value)
            .having(sa.func.count(series.subject_id.distinct()) > 1)
        )
        query = sa.select(value, series.subject_id).distinct().where(value.in_(shared))
        groups: dict[str, list[str]] = {}
        for found, subject in connection.execute(query):
            groups.setdefault(found, []).append(subject)
        links += groups.values()
    return links


def declared_subjects(connection: sa.Connection) -> dict[str, set[str]]:
    """Return, by subject, the roles of declared sets that hold the subject or a scan of it."""
    declared, series, slices = tables.declared_set.c, tables.series.c, tables.instance.c
    matches = [
        sa.select(tables.subject.c.id, declared.role).join_from(
            tables.subject,
            tables.declared_set,
            (declared.kind == "patient") & (declared.value == tables.subject.c.identity_hash),
        ),
        sa.select(series.subject_id, declared.role)
        .join_from(tables.declared_set, tables.instance, slices.sop_uid == declared.value)
        .join(tables.series, slices.series_id == series.id)
        .where(declared.kind == "sop_uid"),
    ]
    matches += [
        sa.select(series.subject_id, declared.role).join_from(
            tables.series,
            tables.declared_set,
            (declared.kind == kind) & (declared.value == value),
        )
        for kind, value in _BY_SERIES.items()
    ]
    roles: dict[str, set[str]] = {}
    for query in matches:
        for subject, role in connection.execute(query.distinct()):
            roles.setdefault(subject, set()).add(role)
    return roles


def declared_sets(connection: sa.Connection) -> dict[tuple[str, str], dict[str, int]]:
    """Return how many values of each kind every declared set has, by its name and role."""
    row = tables.declared_set.c
    query = sa.select(row.name, row.role, row.kind, sa.func.count()).group_by(
        row.name, row.role, row.kind
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for name, role, kind, n in connection.execute(query):
        found.setdefault((name, role), {})[kind] = n
    return dict(sorted(found.items()))


def declared_rows(connection: sa.Connection, name: str) -> list[Mapping[str, Any]]:
    """Return all that a declared set holds."""
    query = sa.select(tables.declared_set).where(tables.declared_set.c.name == name)
    return [dict(row) for row in connection.execute(query).mappings()]


def declared_values(connection: sa.Connection, name: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield values of one kind of a declared set, each with how the user's list names it."""
    row = tables.declared_set.c
    query = sa.select(row.value, row.label).where(row.name == name, row.kind == kind)
    for found in connection.execute(query, execution_options=_PAGE):
        yield found[0], found[1]
