"""One subject judged: observations, response by diameters and by volume, growth, close calls."""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from lesionary.app.decided import decided
from lesionary.app.files.adjudication import disagreement_row
from lesionary.app.files.response import with_uncertainty
from lesionary.app.lesion_courses import Courses
from lesionary.measure.adjudication import adjudicate
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import Criteria, Observation
from lesionary.measure.seen import Observed
from lesionary.measure.straddling import Size
from lesionary.measure.tracks.affirming import tracking
from lesionary.measure.tracks.records import Place
from lesionary.measure.uncertainty.plan import UncertaintyPlan

if TYPE_CHECKING:
    from lesionary.app.stages.respond import RespondRequest


def judge_subject(request: "RespondRequest") -> dict[str, Any]:
    """Return everything that is said of one subject's course, ready for JSON.

    Readers are judged apart.

    Raises
    ------
    InputError
        Code ``bad_rows`` where what a reader saw contradicts itself; ``bad_model`` or
        ``too_few_readers`` where readers' errors are to be told from too little.
    """
    found = decided(request)
    tracks, seen = found.tracks, found.seen
    options = ResponseOptions(
        Criteria(request.rules["criteria"]),
        request.rules["confirm_days"],
        request.rules["sd_min_days"],
    )
    rows = {place: _row_of(request.scans, place) for place in found.lesions}
    courses = Courses(tracks, rows, found.scans, seen, are_animals=request.rules["animals"])
    return {
        "observations": [_observation(one) for one in seen.observations],
        "roles": [
            {
                "reader": one.reader or None,
                "track": one.track,
                "role": one.role and one.role.value,
                "why": one.reason,
                "state": found.role_state(one),
            }
            for one in seen.roles
        ],
        "members": [
            {
                "series": place.series,
                "lesion": place.lesion,
                "track": member.track,
                "part": member.part,
            }
            for place, member in tracks.members.items()
        ],
        "links": [link.to_json() for link in tracks.links],
        "tracking": [
            {
                "series": place.series,
                "lesion": place.lesion,
                "tracking_id": one.tracking_id,
                "tracking_uid": one.tracking_uid,
            }
            for place, one in tracking(tracks, request.study).items()
        ],
        "state": found.state,
        "stale_decisions": {
            "n": found.stale.total(),
            "reasons": [{"reason": why, "n": n} for why, n in sorted(found.stale.items())],
        },
        "reported": [one.to_json() for one in found.reported],
        "responses": _responses(seen, options, request.rules),
        "disagreements": _disagreements(seen, options),
        "volumetric": courses.volumetric(),
        "growth": courses.growth(),
        "straddles": courses.straddles(Size(request.definition)),
    }


def _row_of(scans: Mapping[str, Mapping[str, Any]], place: Place) -> Mapping[str, Any]:
    return next(row for row in scans[place.series]["lesions"] if row["lesion"] == place.lesion)


def _observation(one: Observation) -> dict[str, Any]:
    return {
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
        "slice_thickness_mm": one.slice_thickness_mm and str(one.slice_thickness_mm),
        "merged_into": one.merged_into,
        "part": one.part,
        "reader": one.reader,
    }


def _responses(
    seen: Observed, options: ResponseOptions, rules: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Judge every reader's course, and tell how likely each response is (X4)."""
    plain = [one.to_json(options.criteria) for one in respond(seen.observations, options)]
    if not (rules["uncertainty"] and plain):
        return plain
    plan = UncertaintyPlan.from_mapping(rules["errors"])
    return with_uncertainty(plain, plan.judge(seen.observations))


def _disagreements(seen: Observed, options: ResponseOptions) -> list[dict[str, Any]]:
    """Hold each two readers against each other (X7)."""
    readers = sorted({one.reader for one in seen.observations})
    return [
        disagreement_row(one)
        for pair in combinations(readers, 2)
        for one in adjudicate(seen.observations, pair, options)
    ]
