"""Where a row about a subject's course comes from: its unit, and the measured lesions behind it."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.records import Cell, Origin
from lesionary.app.explain.subjects import SubjectLineage, subject_lineages
from lesionary.app.responses import SubjectResponse, response_texts, tracks_by_lesion, with_tracks

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]
Member = tuple[str, int]
"""A measured lesion: its series, its number there."""

TRACKS = "tracks.csv"
FOLDER = "response/"
_CDISC = "response/cdisc/"
_SUBJECT_ID = re.compile(r"sub-\d+$")
OF_TRACKS = ("track", "part", "track_state")
"""Columns of ``lesions.csv`` that the course of the subject gives."""

_NAMING = (
    "subject", "reader", "reader_1", "reader_2", "timepoint", "track", "lesion", "part", "role",
    "modality", "source", "threshold", "definition", "limit",
    "from_timepoint", "from_series", "from_lesion", "to_timepoint", "to_series", "to_lesion",
)  # fmt: skip
"""Columns that tell the rows of these tables apart."""

_AT_ONCE = ("response/observations.csv", "response/burden.csv", "response/straddling.csv")
"""Tables whose rows rest on their own time point alone."""

_ROLES = {
    "sum_mm": "target",
    "measured_sum_mm": "target",
    "baseline_mm": "target",
    "nadir_mm": "target",
    "change_from_baseline_mm": "target",
    "change_from_baseline_percent": "target",
    "change_from_nadir_mm": "target",
    "change_from_nadir_percent": "target",
    "target_response": "target",
    "i_target_response": "target",
    "target_volume_ml": "target",
    "volumetric_response": "target",
    "non_target_response": "non-target",
    "i_non_target_response": "non-target",
    "new_lesion": "new",
    "new_target_sum_mm": "new",
}
"""Columns that rest on lesions of one role."""

_WHEN = {
    "sum_mm": "now",
    "measured_sum_mm": "now",
    "target_volume_ml": "now",
    "new_lesion": "now",
    "new_target_sum_mm": "now",
    "baseline_mm": "first",
    "change_from_baseline_mm": "first and now",
    "change_from_baseline_percent": "first and now",
    "nadir_mm": "before",
}
"""Columns that rest on some time points; all others rest on all up to their own."""


@dataclass(slots=True)
class CoursesNow:
    """What the units of subjects stored, as the release's tables have it."""

    study: "Study"
    published: Sequence[str] = ()
    _lineages: dict[str, SubjectLineage] = field(default_factory=dict)
    _tables: dict[str, dict[str, list[dict[str, str]]]] = field(default_factory=dict)

    def lineage(self, subject: str) -> SubjectLineage:
        """Return what is known of one subject."""
        if subject not in self._lineages:
            self._lineages |= subject_lineages(self.study, [subject])
        return self._lineages[subject]

    def origin(self, cell: Cell) -> Origin:
        """Return where a row of ``tracks.csv`` or of a table of ``response/`` comes from."""
        if cell.file.startswith(_CDISC):
            now = self._cdisc_now(cell)
            cell = replace(cell, row=_plain(cell.row))
        else:
            now = self._row_now(cell, cell.row["subject"])
        subject = cell.row["subject"]
        lineage = self.lineage(subject)
        members = tuple(_Course.of(lineage).behind(cell))
        return Origin(
            _about(cell),
            (f"unit/respond/{subject}",),
            tuple(lineage.inputs("respond").get("scans", ())),
            now,
            facts=_facts(members),
            subjects=(subject,),
            members=members,
        )

    def with_track(self, row: dict[str, Any]) -> dict[str, Any]:
        """Add to a measured lesion which track it is, or why it is of none."""
        one = _stored(self.lineage(row["subject"]))
        return with_tracks([row], tracks_by_lesion([] if one is None else [one]))[0]

    def of_track(self, subject: str, found: Origin) -> Origin:
        """Return the origin of what a lesion's row says of its track."""
        series = tuple(self.lineage(subject).inputs("respond").get("scans", ()))
        return Origin(
            found.about,
            (f"unit/respond/{subject}",),
            tuple(dict.fromkeys((*found.series, *series))),
            found.now,
            found.lesion,
            subjects=(subject,),
        )

    def judged(self, subject: str, series: str, lesion: int) -> Row:
        """Return what a lesion was judged by; empty where it was not."""
        scans = self.lineage(subject).inputs("respond").get("scans", {})
        rows = scans.get(series, {}).get("lesions", ())
        return next((row for row in rows if row["lesion"] == lesion), {})

    def _row_now(self, cell: Cell, subject: str) -> Row | None:
        """Return the row about the same as it comes out now."""
        names = [name for name in _NAMING if name in cell.row]
        rows = [
            row
            for row in self._tables_of(subject).get(cell.file, ())
            if all(row.get(name) == cell.row[name] for name in names)
        ]
        equal = (row for row in rows if row == dict(cell.row))
        return next(equal, rows[0] if rows else None)

    def _cdisc_now(self, cell: Cell) -> Row | None:
        """Return a row of a CDISC domain as it comes out now; readers count over all subjects."""
        if _CDISC not in self._tables:
            self._tables[_CDISC] = dict(self._cdisc())
        names = [name for name in cell.row if name == "USUBJID" or name.endswith("SEQ")]
        rows = self._tables[_CDISC].get(cell.file, ())
        return next((r for r in rows if all(r[n] == cell.row[n] for n in names)), None)

    def _cdisc(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        from lesionary.publish.response.cdisc import cdisc_tables

        series = self.study.registry.some_series(self.published)
        subjects = sorted({row["subject_id"] for row in series})
        units = self.study.registry.units("respond", subjects)
        judged = [units[one].output for one in subjects if one in units and units[one].output]
        for name, data in cdisc_tables(self.study.section.title, judged).files():
            if name.endswith(".csv"):
                yield f"{_CDISC}{name}", list(csv.DictReader(io.StringIO(data.decode())))

    def _tables_of(self, subject: str) -> dict[str, list[dict[str, str]]]:
        if subject not in self._tables:
            stored = _stored(self.lineage(subject))
            texts = response_texts([stored] if stored is not None else [])
            self._tables[subject] = {
                path: list(csv.DictReader(io.StringIO(text))) for path, text in texts
            }
        return self._tables[subject]


@dataclass(frozen=True, slots=True)
class _Course:
    """What was judged: which lesion is of which track, and how each was observed."""

    timepoints: Sequence[str]
    scans: Mapping[str, Mapping[str, Any]]
    members: Sequence[Mapping[str, Any]]
    observations: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, lineage: SubjectLineage) -> "_Course":
        inputs, judged = lineage.inputs("respond"), lineage.output("respond") or {}
        return cls(
            inputs.get("tracks", {}).get("timepoints", ()),
            inputs.get("scans", {}),
            judged.get("members", ()),
            judged.get("observations", ()),
        )

    def behind(self, cell: Cell) -> Iterator[Member]:
        """Yield the measured lesions that a value rests on, those of earlier time points first."""
        if cell.file == TRACKS:
            for end in ("from", "to"):
                if cell.row[f"{end}_lesion"]:
                    yield cell.row[f"{end}_series"], int(cell.row[f"{end}_lesion"])
            return
        wanted = self._timepoints(cell)
        observed = self._observed(cell) if cell.column in _ROLES or _is_observation(cell) else None
        for timepoint in wanted:
            for one in self.members:
                if self._timepoint(one) != timepoint or not self._is_of(cell.row, one):
                    continue
                if observed is None or self._key(one) in observed:
                    yield one["series"], one["lesion"]

    def _timepoints(self, cell: Cell) -> list[str]:
        """Return the time points that a value rests on, in order of time."""
        known, own = list(self.timepoints), cell.row.get("timepoint")
        if own not in known:
            return known
        now = known.index(own)
        chosen = _WHEN.get(str(cell.column), "")
        if cell.file in _AT_ONCE or chosen == "now":
            return [own]
        seen = self._first(cell, known)
        if chosen == "first":
            return [seen]
        if chosen == "first and now":
            return list(dict.fromkeys((seen, own)))
        if chosen == "before":
            return known[: max(now, 1)]
        return known[: now + 1]

    def _first(self, cell: Cell, known: Sequence[str]) -> str:
        """Return a reader's own baseline."""
        reader = cell.row.get("reader", "")
        own = {one["timepoint"] for one in self.observations if (one["reader"] or "") == reader}
        return next((name for name in known if name in own), known[0])

    def _observed(self, cell: Cell) -> set[tuple[Any, ...]]:
        """Return the observations of a role, or those that a row is."""
        role = _ROLES.get(str(cell.column), cell.row.get("role"))
        return {
            (one["reader"] or "", one["lesion"], one["timepoint"], one["modality"])
            for one in self.observations
            if one["role"] == role
        }

    def _key(self, one: Mapping[str, Any]) -> tuple[Any, ...]:
        modality = self.scans[one["series"]]["modality"]
        return self._reader(one), one["track"], self._timepoint(one), modality

    def _is_of(self, row: Row, one: Mapping[str, Any]) -> bool:
        """Tell whether a lesion is of the reader, track, part and modality that a row names."""
        track = row.get("track", row.get("lesion"))
        readers = [row[name] for name in ("reader", "reader_1", "reader_2") if name in row]
        modality = row.get("modality")
        return (
            track in {None, one["track"]}
            and (not readers or self._reader(one) in readers)
            and (not row.get("part") or row["part"] == one["part"])
            and modality in {None, "", self.scans[one["series"]]["modality"]}
        )

    def _timepoint(self, one: Mapping[str, Any]) -> str:
        return str(self.scans[one["series"]]["timepoint"])

    def _reader(self, one: Mapping[str, Any]) -> str:
        lesions = self.scans[one["series"]]["lesions"]
        return next(row["reader"] or "" for row in lesions if row["lesion"] == one["lesion"])


def _plain(row: Row) -> dict[str, str]:
    """Return what a row of a CDISC domain is about, by our own names."""
    found = {"subject": _SUBJECT_ID.search(row["USUBJID"])[0]}  # type: ignore[index]
    link = row.get("TULNKID") or row.get("TRLNKID")
    return found | ({"track": link} if link else {})


def _is_observation(cell: Cell) -> bool:
    return cell.file == "response/observations.csv"


def _stored(lineage: SubjectLineage) -> SubjectResponse | None:
    tracked, judged = lineage.output("track"), lineage.output("respond")
    if tracked is None or judged is None:
        return None
    return SubjectResponse(lineage.subject, tracked, judged)


def _facts(members: Sequence[Member]) -> dict[str, Any]:
    if not members:
        return {}
    return {
        "units": len({series for series, _ in members}),
        "lesions": [f"{series}/{lesion}" for series, lesion in members],
    }


def _about(cell: Cell) -> str:
    row = cell.row
    if cell.file == TRACKS:
        where = f"from time point {row['from_timepoint']} to {row['to_timepoint']}"
        return f"track {row['track']} of {row['subject']}, {where}: {row['relation']}"
    words = [cell.file.removeprefix(FOLDER).removesuffix(".csv"), "of", row["subject"]]
    if track := row.get("track", row.get("lesion")):
        words += ["track", track]
    if row.get("timepoint"):
        words += ["at time point", row["timepoint"]]
    readers = [row[name] for name in ("reader", "reader_1", "reader_2") if row.get(name)]
    return " ".join(words) + (f", by {' and '.join(readers)}" if readers else "")
