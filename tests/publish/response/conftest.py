"""Courses made by the rules themselves, so that renderers meet rows as they are."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from lesionary.core.terms import LesionKind
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import Criteria, Observation, Role, Status

BASELINE = datetime.date(2021, 3, 1)
Sight = str | None
"""A diameter, a status, or None where there is no row."""


def _observation(
    subject: str, name: str, place: int, sight: str, reader: str, days: Sequence[int] | None
) -> Observation:
    """Read a lesion's name: ``A``, ``node-B``, ``nt-C``, ``new-D``; a part as ``A#1``."""
    lesion, _, part = name.partition("#")
    is_measured = sight[0].isdigit()
    status, _, merged_into = ("present", "", "") if is_measured else sight.partition(">")
    role = Role.NEW if "new-" in name else Role.NON_TARGET if "nt-" in name else Role.TARGET
    return Observation(
        subject=subject,
        timepoint=str(place),
        lesion=lesion,
        role=role,
        kind=LesionKind.NODE if "node" in name else LesionKind.TUMOUR,
        organ="lymph nodes" if "node" in name else "liver",
        diameter_mm=Decimal(sight) if is_measured else None,
        status=Status(status),
        date=None if days is None else BASELINE + datetime.timedelta(days[place]),
        modality="CT",
        merged_into=merged_into,
        part=part,
        reader=reader,
    )


def _made(
    subject: str,
    lesions: Mapping[str, Sequence[Sight]],
    *,
    reader: str = "",
    days: Sequence[int] | None = None,
    criteria: Criteria = Criteria.RECIST11,
) -> dict[str, Any]:
    seen = [
        _observation(subject, name, place, sight, reader, days)
        for name, sights in lesions.items()
        for place, sight in enumerate(sights)
        if sight is not None
    ]
    responses = respond(seen, ResponseOptions(criteria))
    return {
        "observations": [
            {
                "subject": one.subject,
                "timepoint": one.timepoint,
                "lesion": one.lesion,
                "role": one.role.value,
                "kind": one.kind.value,
                "organ": one.organ,
                "diameter_mm": None if one.diameter_mm is None else str(one.diameter_mm),
                "status": one.status.value,
                "date": one.date and one.date.isoformat(),
                "modality": one.modality,
                "slice_thickness_mm": None,
                "merged_into": one.merged_into,
                "part": one.part,
                "reader": one.reader,
            }
            for one in seen
        ],
        "responses": [one.to_json(criteria) for one in responses],
        "volumetric": [],
        "growth": [],
        "straddles": [],
        "disagreements": [],
        "reported": [],
        "state": "proposed",
    }


@pytest.fixture(scope="session")
def made() -> Callable[..., dict[str, Any]]:
    """Return a maker of one subject's output: lesions by name, a sight a time point."""
    return _made


@pytest.fixture(scope="session")
def together() -> Callable[..., dict[str, Any]]:
    """Return what joins several readers' outputs of one subject."""

    def join(*parts: dict[str, Any]) -> dict[str, Any]:
        joined = dict(parts[0])
        for name in ("observations", "responses"):
            joined[name] = [row for part in parts for row in part[name]]
        return joined

    return join
