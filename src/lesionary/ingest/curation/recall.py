"""How much of a published selection a curation finds again, and by what that could be told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lesionary.ingest.curation.facts import SeriesFacts


@dataclass(frozen=True, slots=True)
class Recall:
    """Found of published, by one kind of link.

    Parameters
    ----------
    of : str
        What is counted: ``studies``, ``series``, or ``cases`` of one or more series each.
    link : str
        How a published result is joined to its source.
    n_published, n_found : int
        All, and those of them that the curation found.
    """

    of: str
    link: str
    n_published: int
    n_found: int

    @property
    def value(self) -> float | None:
        """Return the share found; None where nothing is published."""
        return self.n_found / self.n_published if self.n_published else None


def recall_of_studies(kept: Sequence[SeriesFacts], published: Collection[str], link: str) -> Recall:
    """Count the published studies in which the curation found a series."""
    studies = {facts.study for facts in kept}
    wanted = set(published)
    return Recall("studies", link, len(wanted), len(wanted & studies))


def recall_of_certain_series(
    series: Sequence[SeriesFacts],
    kept: Collection[str],
    published: Collection[str],
    modality: str,
) -> Recall:
    """Count series where a study leaves no choice of the source.

    The one series of its modality is the source of a study's results, without any further link.

    Parameters
    ----------
    series : sequence of SeriesFacts
        All, as they were before curation.
    kept : collection of str
        What curation found.
    published : collection of str
        Studies that results were published of.
    modality : str
        Of the sources.
    """
    wanted = set(published)
    sources: dict[str, list[str]] = {}
    for facts in series:
        if facts.modality == modality and facts.study in wanted:
            sources.setdefault(facts.study, []).append(facts.series)
    certain = {found[0] for found in sources.values() if len(found) == 1}
    return Recall("series", "study without a choice", len(certain), len(certain & set(kept)))


def recall_of_cases(
    kept: Collection[str], published: Collection[tuple[str, ...]], link: str
) -> Recall:
    """Count the published cases all of whose series the curation found."""
    cases, found = set(published), set(kept)
    is_single = all(len(case) == 1 for case in cases)
    n_found = sum(1 for case in cases if set(case) <= found)
    return Recall("series" if is_single else "cases", link, len(cases), n_found)
