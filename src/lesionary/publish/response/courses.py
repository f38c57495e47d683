"""What plots and reports need to know of one subject's course, as one reader saw it."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

PROGRESSED = frozenset({"PD", "iCPD"})
"""Responses that end a course: what comes after them is nobody's best."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One time point of a course.

    Parameters
    ----------
    timepoint : str
    place : int
        0 for the baseline, then counted on.
    day : int or None
        Since the baseline; None without both dates.
    change_percent : float or None
        Of the target sum, from the baseline.
    volume_change_percent : float or None
        Of the targets' volume, from the baseline.
    response : str or None
        Overall, by iRECIST where that was asked for; None on the baseline.
    has_new_lesion : bool
    """

    timepoint: str
    place: int
    day: int | None
    change_percent: float | None
    volume_change_percent: float | None
    response: str | None
    has_new_lesion: bool


@dataclass(frozen=True, slots=True)
class Course:
    """One subject by one reader: the baseline and what followed.

    Parameters
    ----------
    subject : str
    reader : str
        Empty where none is named.
    is_proposed : bool
        No reader has affirmed links and targets yet.
    visits : tuple of Visit
        In order of time, at least one.
    best : str or None
        Best overall response at the last visit.
    """

    subject: str
    reader: str
    is_proposed: bool
    visits: tuple[Visit, ...]
    best: str | None

    @property
    def until_progression(self) -> tuple[Visit, ...]:
        """Follow-ups up to and including the first progression."""
        found: list[Visit] = []
        for visit in self.visits[1:]:
            found.append(visit)
            if visit.response in PROGRESSED:
                break
        return tuple(found)

    @property
    def has_progressed(self) -> bool:
        """Whether any visit is a progression that ends the course."""
        return any(visit.response in PROGRESSED for visit in self.visits)

    @property
    def is_dated(self) -> bool:
        """Whether every visit has its day."""
        return all(visit.day is not None for visit in self.visits)


def courses_of(judged: Iterable[Row]) -> tuple[Course, ...]:
    """Read the courses of several subjects, each as every reader saw it.

    Parameters
    ----------
    judged : iterable of mapping
        One a subject, as ``respond --json`` puts it out: ``responses``, ``volumetric``, ``state``.

    Returns
    -------
    tuple of Course
        In the given order, readers in the order in which they first appear. A subject without
        responses has none.
    """
    return tuple(
        _course(reader, one)
        for one in judged
        for reader in dict.fromkeys(row["reader"] or "" for row in one.get("responses", ()))
    )


def days_since_first(dates: Iterable[str | None]) -> list[int | None]:
    """Count days from the first date; None where it, or one's own, is missing.

    Examples
    --------
    >>> days_since_first(["2020-01-01", None, "2020-02-01"])
    [0, None, 31]
    """
    read = [None if text is None else datetime.date.fromisoformat(text) for text in dates]
    first = read[0] if read else None
    return [None if one is None or first is None else (one - first).days for one in read]


def _course(reader: str, judged: Row) -> Course:
    rows = [row for row in judged["responses"] if (row["reader"] or "") == reader]
    by_volume = {
        row["timepoint"]: row["change_from_baseline_percent"]
        for row in judged.get("volumetric", ())
        if (row["reader"] or "") == reader
    }
    days = days_since_first(row["date"] for row in rows)
    visits = tuple(
        Visit(
            timepoint=str(row["timepoint"]),
            place=place,
            day=day,
            change_percent=row["change_from_baseline_percent"],
            volume_change_percent=by_volume.get(row["timepoint"]),
            response=overall_of(row),
            has_new_lesion=bool(row["new_lesion"]),
        )
        for place, (row, day) in enumerate(zip(rows, days, strict=True))
    )
    return Course(
        subject=rows[0]["subject"],
        reader=reader,
        is_proposed=judged.get("state") == "proposed",
        visits=visits,
        best=best_of(rows[-1]),
    )


def overall_of(row: Row) -> str | None:
    """Return a time point's response, by iRECIST where the row has it."""
    found: str | None = row.get("i_overall_response", row["overall_response"])
    return found


def best_of(row: Row) -> str | None:
    """Return the best overall response so far, by iRECIST where the row has it."""
    found: str | None = row.get("i_best_overall_response", row["best_overall_response"])
    return found
