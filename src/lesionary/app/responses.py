"""What became of every subject's lesions, as the study's commands and its release tell it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from lesionary.app.stage import finished
from lesionary.app.stages.respond import RESPOND
from lesionary.app.stages.track import TRACK
from lesionary.app.study import Study
from lesionary.io.release_files import ReleaseWriter
from lesionary.measure.response.records import TimepointResponse
from lesionary.measure.tracks.records import COLUMNS, FURTHER_COLUMNS
from lesionary.publish.tables import csv_text

Json = Mapping[str, Any]

NOT_FOLLOWED = "lesions of this subject are not followed yet"

LINK_COLUMNS = (*COLUMNS, *FURTHER_COLUMNS, "reason")

RESPONSE_COLUMNS = tuple(one.name for one in fields(TimepointResponse) if one.name != "reason")
"""Fields of a time point's response, in the order of the record; iRECIST's only where asked."""

UNCERTAIN_FIELDS = (
    "probability",
    "probability_by_source",
    "probability_any_targets",
    "sum_interval_mm",
    "moved_most_by",
    "moved_most_by_total_variation",
    "n_target_choices",
)
"""What uncertainty adds to them: objects, which the tables give apart."""

UNCERTAINTY_COLUMNS = (
    "subject",
    "reader",
    "timepoint",
    "source",
    "CR",
    "PR",
    "SD",
    "PD",
    "NE",
    "NON-CR/NON-PD",
    "sum_low_mm",
    "sum_high_mm",
    "moved_most_by",
    "moved_most_by_total_variation",
)

OBSERVATION_COLUMNS = (
    "subject",
    "timepoint",
    "lesion",
    "role",
    "kind",
    "organ",
    "diameter_mm",
    "status",
    "date",
    "modality",
    "slice_thickness_mm",
    "merged_into",
    "part",
    "reader",
    "state",
)
"""What ``file respond`` reads, and whether a reader has affirmed it."""

ROLE_COLUMNS = ("subject", "reader", "track", "role", "why", "state")
VOLUME_COLUMNS = (
    "subject",
    "reader",
    "timepoint",
    "target_volume_ml",
    "change_from_baseline_percent",
    "change_from_nadir_percent",
    "volumetric_response",
    "reason",
)
GROWTH_COLUMNS = (
    "subject",
    "reader",
    "track",
    "rate_per_day",
    "doubling_days",
    "halving_days",
    "reason",
)
BURDEN_COLUMNS = ("subject", "reader", "timepoint", "day", "total_ul", "warning")
STRADDLE_COLUMNS = (
    "subject",
    "reader",
    "track",
    "timepoint",
    "threshold",
    "limit",
    "definition",
    "reported",
    "other",
)
DISAGREEMENT_COLUMNS = (
    "subject",
    "timepoint",
    "reader_1",
    "reader_2",
    "response_1",
    "response_2",
    "causes",
    "is_joint",
    "seen",
)


@dataclass(frozen=True, slots=True)
class SubjectResponse:
    """One subject: how its lesions were linked, and what that says."""

    subject: str
    tracked: Json
    judged: Json

    @property
    def state(self) -> str:
        """``affirmed`` where a reader has affirmed every link, else ``proposed``."""
        return str(self.judged["state"])

    def responses(self) -> Iterator[dict[str, Any]]:
        """Yield one row a reader and time point."""
        for row in self.judged["responses"]:
            fields = (*RESPONSE_COLUMNS, *UNCERTAIN_FIELDS)
            known = {name: row[name] for name in fields if name in row}
            yield known | {"state": self.state, "reason": row["reason"]}

    def links(self) -> Iterator[dict[str, Any]]:
        """Yield the links between lesions, as the contract's objects."""
        yield from self.judged["links"]

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield one of the judged tables with the subject, and reasons as one text."""
        for row in self.judged[name]:
            flat = {"subject": self.subject} | row
            yield flat | {"reason": _reasons(row)} if "reason" in row else flat


def subject_responses(study: Study) -> list[SubjectResponse]:
    """Return every subject that is judged, in order of subjects."""
    tracked, judged = finished(study, TRACK), finished(study, RESPOND)
    return [SubjectResponse(name, tracked[name], judged[name]) for name in sorted(judged)]


def tracks_by_lesion(responses: Sequence[SubjectResponse]) -> dict[tuple[str, int], dict[str, Any]]:
    """Return track, part and state of each lesion, by series and number."""
    return {
        (one["series"], one["lesion"]): {
            "track": one["track"],
            "part": one["part"] or None,
            "track_state": response.state,
        }
        for response in responses
        for one in response.judged["members"]
    }


def with_tracks(
    rows: Sequence[dict[str, Any]], tracks: Mapping[tuple[str, int], Json]
) -> list[dict[str, Any]]:
    """Add to measured lesions which track they are, and why some have none."""
    return [_with_track(row, tracks.get((row["series"], row["lesion"]))) for row in rows]


def _with_track(row: dict[str, Any], known: Json | None) -> dict[str, Any]:
    fields = ("track", "part", "track_state")
    found = dict(known) if known is not None else dict.fromkeys(fields)
    why = NOT_FOLLOWED if known is None else "the lesion is whole"
    reason = {name: why for name in fields if found[name] is None}
    return row | found | {"reason": row.get("reason", {}) | reason}


def write_responses(
    responses: Sequence[SubjectResponse], subjects: Collection[str], writer: ReleaseWriter
) -> None:
    """Write what became of the subjects that are published: links, responses and their tables."""
    for path, text in response_texts([one for one in responses if one.subject in subjects]):
        writer.add_text(path, text)


def response_texts(chosen: Sequence[SubjectResponse]) -> Iterator[tuple[str, str]]:
    """Yield every table of some subjects, by its path within the release."""
    yield "tracks.csv", csv_text(LINK_COLUMNS, _flat_links(chosen))
    if not chosen:
        return
    yield "response/response.csv", csv_text(*_response_table(chosen))
    for name, columns, rows in _tables(chosen):
        yield f"response/{name}.csv", csv_text(columns, rows)


def _tables(
    chosen: Sequence[SubjectResponse],
) -> Iterator[tuple[str, Sequence[str], Iterator[dict[str, Any]]]]:
    for name, columns, source in (
        ("observations", OBSERVATION_COLUMNS, "observations"),
        ("targets", ROLE_COLUMNS, "roles"),
        ("volumes", VOLUME_COLUMNS, "volumetric"),
        ("straddling", STRADDLE_COLUMNS, "straddles"),
    ):
        yield (
            name,
            columns,
            ({"state": one.state} | row for one in chosen for row in one.rows(source)),
        )
    yield "disagreements", DISAGREEMENT_COLUMNS, _disagreements(chosen)
    yield "uncertainty", UNCERTAINTY_COLUMNS, _uncertainty(chosen)
    yield "growth", GROWTH_COLUMNS, _of_growth(chosen, "tumours")
    yield "burden", BURDEN_COLUMNS, _of_growth(chosen, "burden")


def _of_growth(chosen: Sequence[SubjectResponse], part: str) -> Iterator[dict[str, Any]]:
    for one in chosen:
        for growth in one.judged["growth"]:
            for row in growth[part]:
                flat = {"subject": one.subject, "reader": growth["reader"]} | row
                yield flat | {"reason": _reasons(row)}


def _uncertainty(chosen: Sequence[SubjectResponse]) -> Iterator[dict[str, Any]]:
    """Yield how likely each response is: by all errors of measurement, and by each source."""
    for one in chosen:
        for row in one.responses():
            place = {name: row[name] for name in ("subject", "reader", "timepoint")}
            for source, chances in _chances(row):
                yield {**place, "source": source, **_moved(row, source), **chances}


def _chances(row: Json) -> Iterator[tuple[str, Json]]:
    by_source = row.get("probability_by_source") or {}
    found = {"measurement": row.get("probability")} | dict(by_source)
    found["any_targets"] = row.get("probability_any_targets")
    yield from ((source, chances) for source, chances in found.items() if chances)


def _moved(row: Json, source: str) -> dict[str, Any]:
    """Return what is told of measurement as a whole alone."""
    if source != "measurement":
        return {}
    low, high = row["sum_interval_mm"] or (None, None)
    names = ("moved_most_by", "moved_most_by_total_variation")
    return {"sum_low_mm": low, "sum_high_mm": high} | {name: row[name] for name in names}


def _disagreements(chosen: Sequence[SubjectResponse]) -> Iterator[dict[str, Any]]:
    for one in chosen:
        for row in one.judged["disagreements"]:
            seen = "; ".join(
                f"{lesion}: {first} against {second}"
                for lesion, (first, second) in row["seen"].items()
            )
            yield {
                "subject": one.subject,
                "timepoint": row["timepoint"],
                "reader_1": row["readers"][0],
                "reader_2": row["readers"][1],
                "response_1": row["responses"][0],
                "response_2": row["responses"][1],
                "causes": ";".join(row["causes"]),
                "is_joint": row["is_joint"],
                "seen": seen,
            }


def _response_table(
    chosen: Sequence[SubjectResponse],
) -> tuple[list[str], list[dict[str, Any]]]:
    rows = [
        {name: value for name, value in row.items() if name not in UNCERTAIN_FIELDS}
        | {"reason": _reasons(row), "warnings": "; ".join(row["warnings"])}
        for one in chosen
        for row in one.responses()
    ]
    return list(rows[0]) if rows else ["subject", "timepoint"], rows


def _flat_links(chosen: Sequence[SubjectResponse]) -> Iterator[dict[str, Any]]:
    for one in chosen:
        for link in one.links():
            ends = {
                f"{end}_{name}": link[end][name]
                for end in ("from", "to")
                for name in ("timepoint", "series", "lesion")
            }
            yield link | ends | {"reason": _reasons(link)}


def _reasons(row: Json) -> str | None:
    reasons = row.get("reason", {})
    return "; ".join(f"{name}: {text}" for name, text in sorted(reasons.items())) or None
