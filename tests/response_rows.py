"""Tables of lesions in a few words: what the tests of response are written in."""

import datetime
from decimal import Decimal

from lesionary.core.terms import LesionKind
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import Criteria, Observation, Role, Status

FIRST_DAY = datetime.date(2024, 1, 1)


def seen(timepoint, lesion="A", diameter=None, **words):
    """Return one row; a diameter is text, so that it is the decimal it looks like."""
    date = words.pop("date", None)
    day = words.pop("day", None)
    if day is not None:
        date = FIRST_DAY + datetime.timedelta(days=day)
    thickness = words.pop("slice_thickness_mm", None)
    return Observation(
        subject=words.pop("subject", "s"),
        timepoint=str(timepoint),
        lesion=lesion,
        role=Role(words.pop("role", "target")),
        kind=LesionKind(words.pop("kind", "tumour")),
        organ=words.pop("organ", "liver"),
        diameter_mm=None if diameter is None else Decimal(diameter),
        status=Status(words.pop("status", "present")),
        date=date,
        slice_thickness_mm=None if thickness is None else Decimal(thickness),
        **words,
    )


def node(timepoint, lesion="N", diameter=None, **words):
    return seen(timepoint, lesion, diameter, kind="node", organ="axillary", **words)


def gone(timepoint, lesion="A", **words):
    return seen(timepoint, lesion, status="absent", **words)


def other(timepoint, lesion="X", status="present", **words):
    """Return a row of a non-target lesion."""
    return seen(
        timepoint, lesion, words.pop("diameter", None), role="non-target", status=status, **words
    )


def new(timepoint, lesion="Z", diameter=None, **words):
    return seen(timepoint, lesion, diameter, role="new", **words)


def marker(timepoint, status="present", lesion="M", **words):
    return seen(timepoint, lesion, role="marker", status=status, **words)


def course(*diameters, lesion="A", **words):
    """Return one target's rows at time points 0, 1, …; None is a visit without a row of it."""
    return [
        seen(place, lesion, diameter, **words)
        for place, diameter in enumerate(diameters)
        if diameter is not None
    ]


def judge(*rows, criteria="recist11", **options):
    """Return the verdicts on one subject by one reader, by time point."""
    found = respond(flat(rows), ResponseOptions(Criteria(criteria), **options))
    return {row.timepoint: row for row in found}


def flat(rows):
    if not isinstance(rows, list | tuple):
        return [rows]
    return [one for row in rows for one in flat(row)]


def overall(*rows, **options):
    """Return the overall responses in order, without the baseline's."""
    return said("overall_response", *rows, **options)


def said(field, *rows, **options):
    values = [getattr(row, field) for row in judge(*rows, **options).values()]
    return [value if value is None else value.value for value in values][1:]
