"""What all rows of one subject by one reader share: keys, visits, days, evaluator."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.publish.response.courses import Row


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """One subject as one reader saw it.

    Parameters
    ----------
    keys : mapping
        STUDYID and USUBJID.
    reader_number : int or None
        None where no reader is named.
    responses : sequence of mapping
        In order of time.
    observations : sequence of mapping
    visit_numbers : mapping of str to int
        Over all readers' time points, from 1.
    baseline : datetime.date or None
        Day 1.
    """

    keys: Mapping[str, str]
    reader_number: int | None
    responses: Sequence[Row]
    observations: Sequence[Row]
    visit_numbers: Mapping[str, int]
    baseline: datetime.date | None

    def visit(self, domain: str, timepoint: str, date: str | None) -> dict[str, Any]:
        """Return visit, date and study day."""
        number = self.visit_numbers[timepoint]
        return {
            "VISITNUM": number,
            "VISIT": "BASELINE" if number == 1 else f"FOLLOW-UP {number - 1}",
            f"{domain}DTC": date,
            f"{domain}DY": self.day(date),
        }

    def day(self, date: str | None) -> int | None:
        """Return the study day: 1 on the baseline's day, -1 on the day before."""
        if date is None or self.baseline is None:
            return None
        days = (datetime.date.fromisoformat(date) - self.baseline).days
        return days + 1 if days >= 0 else days

    def evaluator(self, domain: str) -> dict[str, str | None]:
        """Return who judged; nobody where no reader is named."""
        if self.reader_number is None:
            return {}
        return {
            f"{domain}EVAL": "INDEPENDENT ASSESSOR",
            f"{domain}EVALID": f"RADIOLOGIST {self.reader_number}",
        }

    def link(self, one: Row) -> str:
        """Return what ties a lesion's rows together: ``R1-A``, of a part ``R1-A.1``."""
        name = f"{one['lesion']}.{one['part']}" if one["part"] else str(one["lesion"])
        return name if self.reader_number is None else f"R{self.reader_number}-{name}"

    def link_group(self, timepoint: str) -> str:
        """Return what ties a visit's measurements to its response."""
        who = "" if self.reader_number is None else f"R{self.reader_number}-"
        return f"{who}A{self.visit_numbers[timepoint]}"

    @property
    def first_timepoint(self) -> str:
        """The reader's baseline."""
        return str(self.responses[0]["timepoint"])


def assessments_of(study: str, judged: Row, numbers: Mapping[str, int]) -> list[Assessment]:
    """Take one subject's output apart by reader.

    Parameters
    ----------
    study : str
    judged : mapping
        ``observations`` and ``responses`` of one subject.
    numbers : mapping of str to int
        The number of each reader within the study.
    """
    responses: Sequence[Row] = judged.get("responses", ())
    if not responses:
        return []
    readers = sorted({row["reader"] or "" for row in responses})
    visits = _visit_numbers(responses)
    dates = [row["date"] for row in responses if visits[str(row["timepoint"])] == 1]
    baseline = min((date for date in dates if date), default=None)
    subject = str(responses[0]["subject"])
    return [
        Assessment(
            keys={"STUDYID": study, "USUBJID": f"{study}-{subject}"},
            reader_number=numbers.get(reader),
            responses=[row for row in responses if (row["reader"] or "") == reader],
            observations=[one for one in judged["observations"] if one["reader"] == reader],
            visit_numbers=visits,
            baseline=None if baseline is None else datetime.date.fromisoformat(baseline),
        )
        for reader in readers
    ]


def _visit_numbers(responses: Sequence[Row]) -> dict[str, int]:
    """Give all readers' time points their order: as numbers, else by date, else as they come."""
    dates: dict[str, str] = {}
    for row in responses:
        name = str(row["timepoint"])
        dates[name] = min(filter(None, (dates.get(name), row["date"])), default="")
    names = list(dates)
    if all(_is_number(name) for name in names):
        names.sort(key=float)
    elif all(dates.values()):
        names.sort(key=lambda name: dates[name])
    return {name: number for number, name in enumerate(names, 1)}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
