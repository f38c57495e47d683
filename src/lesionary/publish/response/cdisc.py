"""Response as CDISC data sets: tumours identified (TU), measured (TR), judged (RS)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.publish.response.cdisc_lesions import result_rows, tumour_rows
from lesionary.publish.response.cdisc_responses import response_rows
from lesionary.publish.response.cdisc_variables import RS, TR, TU, Domain
from lesionary.publish.response.cdisc_visits import assessments_of
from lesionary.publish.response.courses import Row
from lesionary.publish.response.xpt import plain_text, xpt_bytes
from lesionary.publish.tables import csv_text


@dataclass(frozen=True, slots=True, eq=False)
class CdiscTables:
    """The rows of the three domains, in the order of their keys."""

    tu: tuple[dict[str, Any], ...]
    tr: tuple[dict[str, Any], ...]
    rs: tuple[dict[str, Any], ...]

    @property
    def domains(self) -> tuple[tuple[Domain, tuple[dict[str, Any], ...]], ...]:
        """Each domain with its rows."""
        return (TU, self.tu), (TR, self.tr), (RS, self.rs)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and bytes of each domain's table and transport file, such as ``tu.csv``."""
        for domain, rows in self.domains:
            name = domain.name.lower()
            yield f"{name}.csv", csv_text(domain.columns, rows).encode()
            yield f"{name}.xpt", xpt_bytes(domain.name, domain.label, domain.variables, rows)


def cdisc_tables(study: str, judged: Iterable[Row]) -> CdiscTables:
    """Lay response out in SDTM's oncology domains.

    Parameters
    ----------
    study : str
        Identifier of the study.
    judged : iterable of mapping
        One a subject, as ``respond --json`` puts it out: ``observations`` and ``responses``.

    Returns
    -------
    CdiscTables
        By subject, reader, visit and lesion. Days count from the baseline's scan, which is day 1;
        there is no day 0. Readers are radiologists by number, in the order of their names over
        the whole study: a name may be a person's. What was measured by no reader has no evaluator.
        A text is ASCII and at most 200 characters long.
    """
    everything = list(judged)
    readers = sorted(
        {row["reader"] for one in everything for row in one.get("responses", ()) if row["reader"]}
    )
    numbers = {reader: number for number, reader in enumerate(readers, 1)}
    tu: list[dict[str, Any]] = []
    tr: list[dict[str, Any]] = []
    rs: list[dict[str, Any]] = []
    for one in everything:
        own = assessments_of(study, one, numbers)
        tu += _numbered("TU", [row for seen in own for row in tumour_rows(seen)])
        tr += _numbered("TR", [row for seen in own for row in result_rows(seen)])
        rs += _numbered("RS", [row for seen in own for row in response_rows(seen)])
    return CdiscTables(tuple(tu), tuple(tr), tuple(rs))


def _numbered(domain: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give one subject's rows their sequence numbers; make all texts plain."""
    return [
        {
            name: plain_text(value) if isinstance(value, str) else value
            for name, value in row.items()
            if value is not None and value != ""
        }
        | {"DOMAIN": domain, f"{domain}SEQ": number}
        for number, row in enumerate(rows, 1)
    ]
