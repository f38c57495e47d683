"""The rows of one case, or of many: what a summary is made of, without any mask.

Rows are plain JSON, so that what was computed case by case, on whatever machine, is put together
later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lesionary.agree.rows import Case, Per, Row, object_rows, pair_rows, reader_order, reader_rows

PER: tuple[Per, ...] = ("tumour", "case")
KINDS = ("objects", "pairs", "readers")

Rows = dict[str, list[Row]]
"""Rows by what they are about: ``tumour`` or ``case``."""


@dataclass(frozen=True)
class CaseTables:
    """Long tables of some cases.

    Parameters
    ----------
    names : tuple of str
        Readers in the order in which they first appear: pairs follow it.
    objects, pairs, readers : dict of str to list of dict
        A row a tumour (or case); one for each pair of readers; one for each reader.
    intra_reader : dict of str to CaseTables
        For each reader who read a case twice or more: the same over those readings.
    """

    names: tuple[str, ...]
    objects: Rows
    pairs: Rows
    readers: Rows
    intra_reader: dict[str, "CaseTables"] = field(default_factory=dict)

    @classmethod
    def of(cls, cases: Sequence[Case]) -> "CaseTables":
        """Lay out cases that are compared together."""
        return cls(
            names=reader_order(cases),
            objects={per: object_rows(cases, per) for per in PER},
            pairs={per: pair_rows(cases, per) for per in PER},
            readers={per: reader_rows(cases, per) for per in PER},
            intra_reader={name: cls.of(own) for name, own in _repeats(cases).items()},
        )

    @classmethod
    def joined(cls, parts: "Iterable[CaseTables]") -> "CaseTables":
        """Put the tables of cases one below the other.

        Pairs keep the order they have in each part: name readers in one order in all of them.
        """
        listed = list(parts)
        repeating = dict.fromkeys(name for part in listed for name in part.intra_reader)
        return cls(
            names=tuple(dict.fromkeys(name for part in listed for name in part.names)),
            objects=_below(part.objects for part in listed),
            pairs=_below(part.pairs for part in listed),
            readers=_below(part.readers for part in listed),
            intra_reader={
                name: cls.joined(p.intra_reader[name] for p in listed if name in p.intra_reader)
                for name in repeating
            },
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "names": list(self.names),
            **{kind: getattr(self, kind) for kind in KINDS},
            "intra_reader": {name: one.to_json() for name, one in self.intra_reader.items()},
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "CaseTables":
        """Read back what :meth:`to_json` returned."""
        repeats = document["intra_reader"]
        return cls(
            tuple(document["names"]),
            document["objects"],
            document["pairs"],
            document["readers"],
            {name: cls.from_json(one) for name, one in repeats.items()},
        )


def _below(parts: Iterable[Rows]) -> Rows:
    listed = list(parts)
    return {per: [row for part in listed for row in part[per]] for per in PER}


def _repeats(cases: Sequence[Case]) -> dict[str, list[Case]]:
    by_reader: dict[str, list[Case]] = {}
    for key, found in cases:
        for repeat in found.intra_reader:
            names = tuple(f"reading {n}" for n in range(1, len(repeat.places) + 1))
            renamed = replace(repeat.agreement, readers=names, readings=names)
            by_reader.setdefault(repeat.reader, []).append((key, renamed))
    return by_reader
