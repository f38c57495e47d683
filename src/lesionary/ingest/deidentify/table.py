"""The standard's table of what happens to each attribute, as data of the package.

Source: DICOM PS3.15 annex E, table E.1-1; ``data/ps315.csv`` names its edition and where its facts
come from.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from types import MappingProxyType


class Action(StrEnum):
    """What happens to an element.

    A sequence is removed, emptied, or stays with every element of its items judged by the same
    profile (``RECURSE``); nothing else is ever said of one.
    """

    REMOVE = "remove"
    """It goes. (X)"""
    EMPTY = "empty"
    """It stays without a value. (Z)"""
    DUMMY = "dummy"
    """It stays with a value that says nothing. (D)"""
    KEEP = "keep"
    """It stays as it is, where its value is of its VR. (K)"""
    CLEAN = "clean"
    """What is known to be harmless in it stays: words, codes, shifted dates, capped ages. (C)"""
    UID = "uid"
    """A UID is replaced by its keyed hash; what the standard itself names stays. (U)"""
    RECURSE = "recurse"
    """A sequence stays, and its items are de-identified."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Parameters
    ----------
    tag : str
        Eight lower-case hexadecimal digits, ``x`` for any; ``odd`` for all private attributes.
    vr : str
        First VR of the dictionary; empty for a pattern.
    name : str
    basic : str
        The basic profile's code, as the standard writes it: ``X/Z/D``.
    action : Action
        What we do by the basic profile alone; where the code leaves a choice, ours.
    options : mapping of str to str
        ``K`` (keep) or ``C`` (clean) by the name of an option; only where the table says so.
    edition : str
        Edition of the standard that the row was taken from.
    """

    tag: str
    vr: str
    name: str
    basic: str
    action: Action
    options: Mapping[str, str]
    edition: str


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, found by tag.

    Parameters
    ----------
    by_tag : mapping of int to Row
        Rows of single tags.
    private : Row
        The row of all odd groups.
    repeating : mapping of int to Row
        Rows of repeating groups, by ``0xGG00EEEE`` without the group's lower byte; an element
        ``None`` of the standard ("any") is kept as ``0xGG000000``.
    """

    by_tag: Mapping[int, Row]
    private: Row
    repeating: Mapping[int, Row]

    def row(self, tag: int) -> Row | None:
        """Return the row of a tag, or None where the table does not name it."""
        if tag >> 16 & 1:
            return self.private
        found = self.by_tag.get(tag)
        if found is not None:
            return found
        group = tag & 0xFF000000
        return self.repeating.get(group | tag & 0xFFFF) or self.repeating.get(group)

    def __iter__(self) -> Iterator[Row]:
        yield from self.by_tag.values()
        yield from self.repeating.values()
        yield self.private


@lru_cache(maxsize=1)
def standard_table() -> Table:
    """Return the table that the package holds; read once."""
    by_tag: dict[int, Row] = {}
    repeating: dict[int, Row] = {}
    private: list[Row] = []
    for row in map(_row, read_data("ps315.csv")):
        if row.tag == "odd":
            private.append(row)
        elif "x" in row.tag:
            repeating[int(row.tag[:2] + "00" + row.tag[4:].replace("x", "0"), 16)] = row
        else:
            by_tag[int(row.tag, 16)] = row
    return Table(MappingProxyType(by_tag), private[0], MappingProxyType(repeating))


def read_data(name: str) -> Iterator[dict[str, str]]:
    """Read one of the package's tables, without the lines that say where it comes from."""
    text = resources.files("lesionary.ingest.deidentify").joinpath("data", name)
    lines = text.read_text(encoding="utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


_FIXED = ("tag", "vr", "name", "basic", "action", "edition")


def _row(values: dict[str, str]) -> Row:
    tag, vr, name, basic, action, edition = (values[column] for column in _FIXED)
    options = {key: said for key, said in values.items() if key not in _FIXED and said}
    return Row(tag, vr, name, basic, Action(action), MappingProxyType(options), edition)
