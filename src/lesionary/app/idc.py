"""Series of the Imaging Data Commons by the rules of a protocol, found offline.

``idc_get`` fetches what is found here.

>>> from lesionary.app.idc import find_series                      # doctest: +SKIP
>>> find_series("idc-liver-mr").n_found                            # doctest: +SKIP
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesionary.app.curation import CurationProtocol, flow_files, flow_rows, read_curation
from lesionary.core.errors import InputError
from lesionary.ingest.curation import Curation, curate
from lesionary.ingest.curation.recall import (
    Recall,
    recall_of_cases,
    recall_of_certain_series,
    recall_of_studies,
)
from lesionary.io.curation_text import shipped_curations
from lesionary.io.durable import make_folder, write_bytes
from lesionary.io.idc.index import IdcIndex, IdcSeries, open_index
from lesionary.io.idc.published import LINKS, linked_cases, published_results
from lesionary.publish.tables import csv_text

COLUMNS = (
    *("series_uid", "study_uid", "patient_id", "collection", "modality", "description"),
    *("n_files", "size_bytes", "licence", "pair", "s3_url"),
)
"""Of the list of series that ``find`` writes and ``get`` reads."""
_BENEFITS = (
    ("contrast agent", "contrast_index"),
    ("attenuation correction", "pt_index"),
    ("whether slices are missing", "volume_geometry_index"),
    ("slice thickness", "ct_index, mr_index or pt_index"),
    ("image type", "ct_index"),
    ("units", "pt_index"),
    ("weighting", "mr_index"),
)
"""What is not known of a series without a further table of the archive, and that table."""


@dataclass(frozen=True, slots=True)
class FindReport:
    """What the rules found in the index."""

    protocol: CurationProtocol
    index: IdcIndex
    considered: Sequence[IdcSeries]
    curation: Curation
    recalls: tuple[Recall, ...]
    missing: tuple[dict[str, Any], ...]
    found: tuple[IdcSeries, ...] = field(init=False)

    def __post_init__(self) -> None:
        kept = set(self.curation.kept)
        found = tuple(one for one in self.considered if one.facts.series in kept)
        object.__setattr__(self, "found", found)

    @property
    def n_found(self) -> int:
        """Return how many were found, in the unit of the paper where one is compared."""
        is_pairs = bool(self.curation.pairs)
        return len(self.curation.pairs) if is_pairs else len(self.found)

    def licences(self) -> list[dict[str, Any]]:
        """Return series and bytes by licence, the most frequent first."""
        series: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for one in self.found:
            name = one.facts.licence or "not stated"
            series[name] += 1
            sizes[name] += one.size_bytes
        ordered = sorted(series.items(), key=lambda entry: (-entry[1], entry[0]))
        return [{"licence": name, "series": n, "size_bytes": sizes[name]} for name, n in ordered]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each series found, as ``get`` reads it."""
        pairs = {}
        for number, pair in enumerate(self.curation.pairs, start=1):
            pairs[pair.pet] = pairs[pair.ct] = number
        return [
            {
                "series_uid": one.facts.series,
                "study_uid": one.facts.study,
                "patient_id": one.facts.subject,
                "collection": one.facts.collection,
                "modality": one.facts.modality,
                "description": one.facts.description,
                "n_files": one.facts.n_slices,
                "size_bytes": one.facts.size_bytes,
                "licence": one.facts.licence,
                "pair": pairs.get(one.facts.series),
                "s3_url": one.s3_url,
            }
            for one in self.found
        ]

    def document(self) -> dict[str, Any]:
        """Return the whole as JSON."""
        published = self.protocol.published
        return {
            "protocol": self.protocol.name,
            "index": {"version": self.index.version, "tables": list(self.index.tables)},
            "found": {
                "series": len(self.found),
                "pairs": len(self.curation.pairs) or None,
                "studies": len({one.facts.study for one in self.found}),
                "subjects": len({one.facts.subject for one in self.found}),
                "size_bytes": sum(one.size_bytes for one in self.found),
                "licences": self.licences(),
            },
            "published": None
            if published is None
            else {
                "result": published.result,
                "count": published.count,
                "unit": published.unit,
                "found": self.n_found,
                "recall": [
                    {
                        "of": one.of,
                        "link": one.link,
                        "published": one.n_published,
                        "found": one.n_found,
                        "recall": one.value,
                    }
                    for one in self.recalls
                ],
            },
            "missing": list(self.missing),
            "flow": flow_rows(self.curation, self.protocol.rules),
            "series": self.rows(),
        }


def find_series(
    protocol: str, *, index: Path | None = None, links: Path | None = None
) -> FindReport:
    """Find the series of the archive that a protocol's rules ask for, without any network.

    Parameters
    ----------
    protocol : str
        Name of a shipped one, or a file.
    index : Path, optional
        Another ``idc_index.parquet``, or a folder with it and its further tables; by default the
        installed package's.
    links : Path, optional
        What joins published results to their source series: ``seg_index.parquet`` or a CSV.

    Raises
    ------
    InputError
        If protocol, index or links cannot be used, or a collection is not in the index.
    PluginUnavailableError
        If the extra ``idc`` is not installed.
    """
    rules = read_curation(protocol)
    opened = open_index(index)
    if rules.collections is not None:
        _require_collections(rules.collections, opened)
    considered = opened.series(rules.collections)
    curation = curate([one.facts for one in considered], rules.rules)
    recalls, missing = _compare(rules, opened, considered, curation, links)
    return FindReport(rules, opened, considered, curation, recalls, missing)


def write_list(report: FindReport, path: Path) -> None:
    """Write the list of series found: what ``get`` reads."""
    write_bytes(path, csv_text(COLUMNS, report.rows()).encode())


def write_flow(report: FindReport, folder: Path) -> list[Path]:
    """Write every decision and the flow chart; return the files."""
    make_folder(folder)
    series = [one.facts for one in report.considered]
    title = report.protocol.title or report.protocol.name
    files = flow_files(report.curation, report.protocol.rules, title=title, series=series)
    for name, content in files:
        write_bytes(folder / name, content)
    return [folder / name for name, _ in files]


def _require_collections(wanted: Sequence[str], index: IdcIndex) -> None:
    absent = sorted(set(wanted) - index.collections())
    if absent:
        raise InputError(
            f"the index has no collection {', '.join(absent)}",
            hint="collections are written as in the index: tcga_luad",
        )


def _compare(
    protocol: CurationProtocol,
    index: IdcIndex,
    considered: Sequence[IdcSeries],
    curation: Curation,
    links: Path | None,
) -> tuple[tuple[Recall, ...], tuple[dict[str, Any], ...]]:
    """Hold what was found against what is published, and say which elements the index lacks."""
    missing = _unknown_elements(curation)
    published = protocol.published
    if published is None:
        return (), tuple(missing)
    results = published_results(
        index,
        published.result,
        published.descriptions,
        protocol.collections or sorted(index.collections()),
        published.modality,
    )
    facts = [one.facts for one in considered]
    kept = set(curation.kept)
    studies = [one.study for one in results]
    left = [one for one in facts if one.series in kept]
    recalls = [
        recall_of_studies(left, studies, "StudyInstanceUID"),
        recall_of_certain_series(facts, kept, studies, published.modality),
    ]
    cases = linked_cases(index, links, results)
    if cases is None:
        missing.append(
            {
                "rule": None,
                "element": "the source series of a published segmentation",
                "series": len(results),
                "table": LINKS,
            }
        )
    else:
        recalls.append(recall_of_cases(kept, cases, LINKS if links is None else "given links"))
    return tuple(recalls), tuple(missing)


def _unknown_elements(curation: Curation) -> list[dict[str, Any]]:
    found = []
    for step in curation.steps:
        for reason, n in (*step.unchecked, *step.reasons):
            element = reason.removesuffix(" is not known")
            table = next((table for name, table in _BENEFITS if name == element), None)
            if table and element != reason:
                found.append({"rule": step.rule, "element": element, "series": n, "table": table})
    return found


__all__ = [
    "COLUMNS",
    "FindReport",
    "find_series",
    "shipped_curations",
    "write_flow",
    "write_list",
]
