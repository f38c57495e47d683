"""Agreement over a data set: the mouse paper's Tables 3 and 4 and what they leave unsaid (M8, X3).

Long tables hold every tumour, pair and reader; from them come means with their spread and interval
(``metrics.py``), reliability (``reliability.py``), and the counts that say what was compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lesionary.agree.case_tables import PER, CaseTables, Rows
from lesionary.agree.metrics import subject_of, summary_rows
from lesionary.agree.reliability import bland_altman_rows, icc_rows
from lesionary.agree.rows import Case, Row
from lesionary.core.statistics import Resampling

TABLES = (
    "counts",
    "summary",
    "icc",
    "bland_altman",
    "tumours",
    "pairs",
    "tumour_readers",
    "cases",
    "case_pairs",
    "case_readers",
)


@dataclass(frozen=True)
class AgreementSummary:
    """All tables over many cases; each is a list of rows for CSV and JSON.

    Parameters
    ----------
    readers : tuple of str
        In the order in which they first appear: pairs follow it.
    tumours, pairs, tumour_readers : list of dict
        A row a tumour; a row a tumour and pair; a row a tumour and reader.
    cases, case_pairs, case_readers : list of dict
        The same for all foreground of a case together.
    counts : list of dict
        Tumours, missed by each reader, fused, undefined; overall and by group. ``missed_by_…``
        counts tumours of which the reader drew nothing in a case that was read, ``not_read_by_…``
        cases of which there is no mask by the reader.
    summary : list of dict
        Mean, SD, quartiles and interval of every metric; overall and by group.
    icc : list of dict
        Intraclass correlation of volumes and diameters; overall and by group.
    bland_altman : list of dict
        Bias and limits of agreement of each pair, for volumes and diameters.
    intra_reader : dict of str to AgreementSummary
        For each reader who read cases twice or more: the same tables over those readings.
    """

    readers: tuple[str, ...]
    tumours: list[Row]
    pairs: list[Row]
    tumour_readers: list[Row]
    cases: list[Row]
    case_pairs: list[Row]
    case_readers: list[Row]
    counts: list[Row]
    summary: list[Row]
    icc: list[Row]
    bland_altman: list[Row]
    intra_reader: dict[str, "AgreementSummary"] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return every table by name."""
        document: dict[str, Any] = {"readers": list(self.readers)}
        document |= {name: getattr(self, name) for name in TABLES}
        if self.intra_reader:
            repeats = {name: found.to_json() for name, found in self.intra_reader.items()}
            document["intra_reader"] = repeats
        return document


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows go into a figure: those of one group, or all."""

    name: str
    group: str

    @property
    def naming(self) -> Row:
        """The fields that tell rows of scopes apart."""
        return {"scope": self.name, "group": self.group}

    def holds(self, row: Row) -> bool:
        """Tell whether a row belongs to it."""
        return self.name == "overall" or row["group"] == self.group


def summarise(cases: Sequence[Case], resampling: Resampling | None = None) -> AgreementSummary:
    """Put the agreement of many cases into tables.

    Parameters
    ----------
    cases : sequence of (CaseKey, Agreement)
        Of one study. Readers may differ from case to case; each pair rests on the cases that both
        read. Subjects are the same only within one group.
    resampling : Resampling, optional
        10,000 resamples, seed 0, 95 % by default. Below 40 effective subjects intervals are by
        Student's t (``interval_method``): see :func:`~lesionary.core.statistics.mean_interval`.

    Returns
    -------
    AgreementSummary
        Without cases every table is empty. Rows of ``summary`` have ``n``, the values the mean
        rests on; ``n_missed``, the tumours that some of the compared readers missed, with
        ``missed`` telling whether they are counted or left out; ``n_undefined``, the tumours
        without a value; ``mean_without_missed`` with its own ``n_without_missed``;
        ``n_readers_least`` and ``n_readers_most``, how many readers one value rests on.
    """
    return summarise_tables(CaseTables.of(cases), resampling)


def summarise_tables(cases: CaseTables, resampling: Resampling | None = None) -> AgreementSummary:
    """Do as :func:`summarise` from the rows of the cases alone."""
    resampling = resampling or Resampling()
    readers = cases.names
    objects, pairs, single = cases.objects, cases.pairs, cases.readers
    groups = dict.fromkeys(row["group"] for row in objects["case"])
    scopes = [Scope("overall", "")] if objects["case"] else []
    scopes += [Scope("group", group) for group in groups if group or len(groups) > 1]
    summary, reliability, differences = [], [], []
    for per in PER:
        for scope in scopes:
            mine = [row for row in objects[per] if scope.holds(row)]
            paired = [row for row in pairs[per] if scope.holds(row)]
            alone = [row for row in single[per] if scope.holds(row)]
            naming: Row = {"level": per} | scope.naming
            summary += [naming | row for row in summary_rows(mine, paired, alone, resampling)]
            reliability += [naming | r for r in icc_rows(mine, readers, resampling.level)]
            differences += [naming | r for r in bland_altman_rows(paired, resampling)]
    return AgreementSummary(
        readers=readers,
        tumours=objects["tumour"],
        pairs=pairs["tumour"],
        tumour_readers=single["tumour"],
        cases=objects["case"],
        case_pairs=pairs["case"],
        case_readers=single["case"],
        counts=[_count_row(scope, objects, pairs["tumour"], readers) for scope in scopes],
        summary=summary,
        icc=reliability,
        bland_altman=differences,
        intra_reader={
            name: summarise_tables(own, resampling) for name, own in cases.intra_reader.items()
        },
    )


def _count_row(scope: Scope, objects: Rows, pairs: Sequence[Row], readers: Sequence[str]) -> Row:
    tumours = [row for row in objects["tumour"] if scope.holds(row)]
    cases = [row for row in objects["case"] if scope.holds(row)]
    missed = {name: sum(name in row["missed_by"] for row in tumours) for name in readers}
    not_read = {name: sum(name not in row["readers"] for row in cases) for name in readers}
    return scope.naming | {
        "n_cases": len(cases),
        "n_cases_with_all_readers": sum(set(readers) <= set(row["readers"]) for row in cases),
        "n_subjects": len({subject_of(row) for row in cases}),
        "n_cases_without_tumour": sum(row["n_tumours"] == 0 for row in cases),
        "n_tumours": len(tumours),
        "n_missed": sum(row["n_missed"] > 0 for row in tumours),
        "n_fused": sum(row["fused"] for row in tumours),
        "n_kappa_undefined": sum(row["fleiss_kappa"] is None for row in tumours),
        "n_pairs": sum(scope.holds(row) for row in pairs),
        "n_pairs_undefined": sum(scope.holds(r) and r["dice"] is None for r in pairs),
        **{f"missed_by_{name}": n for name, n in missed.items()},
        **{f"not_read_by_{name}": n for name, n in not_read.items()},
    }
