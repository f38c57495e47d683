"""What a report sums up, as a list: every count, sum, quartile, mean and correlation it prints.

The page is printed from this list, and the release holds it as ``summary.csv``: a number stands in
both, or in neither.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

SUMMARY_COLUMNS = (
    "section", "group", "measure", "statistic", "n", "value", "unit", "reason",
)  # fmt: skip

COUNT = "count"
_UNITS = {"_ml": "ml", "_mm": "mm", "_percent": "percent"}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number that describes many, or one that no other table has.

    Parameters
    ----------
    section : str
        Part of the report: ``study``, ``kinds``, ``time``, ``labels`` …
    group : str
        What is described within it, such as ``lung`` or ``sub-0001``; empty for all.
    measure : str
        What is counted, or summed up: ``lesions``, ``diameter_mm`` …
    statistic : str
        ``count``, ``sum``, ``median``, ``lower_quartile``, ``upper_quartile``, ``mean``, ``sd``,
        ``spearman_rho``, ``spearman_p``, or ``value`` for what is no statistic.
    value : int or float, optional
        None where undefined; ``reason`` says why.
    n : int, optional
        Values that it rests on; None for a count, which is one itself.
    quantity : str
        What a mean intensity counts.
    reason : str
        Why there is no value.
    """

    section: str
    group: str
    measure: str
    statistic: str
    value: int | float | None
    n: int | None = None
    quantity: str = ""
    reason: str = ""

    @property
    def unit(self) -> str:
        """``ml``, ``mm``, ``percent``, or the quantity of an intensity; empty for bare numbers."""
        if self.statistic.startswith("spearman"):
            return ""
        named = (unit for end, unit in _UNITS.items() if self.measure.endswith(end))
        return self.quantity or next(named, "")

    def row(self) -> dict[str, Any]:
        """Return the row of the table."""
        return {name: getattr(self, name) for name in SUMMARY_COLUMNS}


class Summary:
    """Statistics in the order of the report, found by what they are about."""

    def __init__(self, statistics: Iterable[Statistic]) -> None:
        self._groups: dict[tuple[str, str], list[Statistic]] = {}
        for one in statistics:
            self._groups.setdefault((one.section, one.group), []).append(one)

    def __iter__(self) -> Iterator[Statistic]:
        for found in self._groups.values():
            yield from found

    def groups(self, section: str) -> list[str]:
        """Return the groups of a section in their order."""
        return [group for one, group in self._groups if one == section]

    def find(
        self, section: str, group: str, measure: str, statistic: str = COUNT, quantity: str = ""
    ) -> Statistic | None:
        """Return one statistic, or None where there is none of this kind."""
        wanted = measure, statistic, quantity
        for one in self._groups.get((section, group), ()):
            if (one.measure, one.statistic, one.quantity) == wanted:
                return one
        return None

    def get(
        self, section: str, group: str, measure: str, statistic: str = COUNT, quantity: str = ""
    ) -> Statistic:
        """Return one statistic that every report has."""
        found = self.find(section, group, measure, statistic, quantity)
        assert found is not None, (section, group, measure, statistic)  # noqa: S101
        return found

    def count(self, section: str, group: str, measure: str) -> int:
        """Return a count that every report has."""
        return int(self.get(section, group, measure).value or 0)
