"""Explain a published value: find it, walk back from it, and look at every step on the way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.address import (
    Address,
    ImagePlace,
    JsonPlace,
    LesionPlace,
    TablePlace,
    parse_address,
)
from lesionary.app.explain.cells import cell_at, cells_with, json_cell
from lesionary.app.explain.compared import ComparedTables
from lesionary.app.explain.curated import CurationNow
from lesionary.app.explain.explanation import ExplainOptions, Explanation
from lesionary.app.explain.followed import CoursesNow
from lesionary.app.explain.images import cell_of_voxel, origin_of_image
from lesionary.app.explain.lineage import finding_step, unit_step
from lesionary.app.explain.looking import Looking, event_document
from lesionary.app.explain.meanings import meaning_of
from lesionary.app.explain.origins import Origins, text_now
from lesionary.app.explain.places import Places
from lesionary.app.explain.published import Published
from lesionary.app.explain.records import Cell, Check, Hit, Looked, Origin, Step
from lesionary.app.explain.subjects import DECIDED_KINDS, SUBJECT_STAGES
from lesionary.app.explain.summarised import SummaryNow
from lesionary.core.errors import InputError
from lesionary.io.registry import tables

if TYPE_CHECKING:
    from lesionary.app.study import Study

RELEASE = "release"
_PUBLISH = "unit/publish/release"


def explain(study: "Study", value: str, options: ExplainOptions | None = None) -> Explanation:
    """Walk from a published value to the voxels, masks, readers, model and code behind it.

    Parameters
    ----------
    study : Study
    value : str
        A place in the release, a lesion, a voxel, or the number as printed; see
        :func:`~lesionary.app.explain.address.parse_address`.
    options : ExplainOptions, optional

    Raises
    ------
    InputError
        Codes ``usage``, ``no_such_file``, ``no_such_line``, ``no_such_column``, ``no_such_value``,
        ``other_study``.
    WorkflowError
        Code ``not_published``.
    """
    return Explainer.of(study, options).explained(value)


@dataclass(slots=True)
class Explainer:
    """Explains values of one release; what was read and looked at once is kept."""

    study: "Study"
    release: Published
    options: ExplainOptions
    origins: Origins
    places: Places
    looking: Looking
    above: tuple[str, ...] = ()
    steps: dict[str, Step] = field(default_factory=dict)
    looked: dict[str, Looked] = field(default_factory=dict)
    _known: dict[str, Step] = field(default_factory=dict)

    @classmethod
    def of(cls, study: "Study", options: ExplainOptions | None = None) -> "Explainer":
        """Begin at a release; see :func:`explain`."""
        options = options or ExplainOptions()
        release = Published.of(study, options.release)
        record = study.registry.units("publish", ["release"]).get("release")
        run = _run_of(study, record.run_id) if record is not None else None
        predictions = study.protocol.evaluate.predictions
        if run is not None:
            predictions = run["section"].get("evaluate", {}).get("predictions", predictions)
        curated = CurationNow(study)
        origins = Origins(
            study,
            tuple(release.manifest.get("objects", ())),
            ComparedTables(study, tuple(predictions)),
            SummaryNow(study, curated),
            curated,
            CoursesNow(study, tuple(release.manifest.get("objects", ()))),
            record.seed if record is not None else None,
        )
        places, looking = Places(study, release, origins), Looking(study, options.reads_objects)
        own = cls(study, release, options, origins, places, looking)
        own._begin(_release_step(release))
        is_own = record is not None and record.key == release.manifest.get("key")
        if is_own and record is not None and record.state == "done":
            own._keep(unit_step(record, run))
        own.above = tuple(own.steps)
        return own

    def explained(self, value: str) -> Explanation:
        """Return the explanation of a value."""
        address = parse_address(value)
        cells = self._cells(address)
        if not cells:
            raise InputError(
                "no published number equals this or rounds to it",
                code="no_such_value",
                hint="give it as printed, with the digits that stand there; or name its place,"
                " such as lesions.csv:2:volume_ml",
                source=value,
            )
        n_hits = len(cells)
        hits = tuple(self._hit(cell, address) for cell in cells[: self.options.at_most])
        names = dict.fromkeys(name for hit in hits for name in hit.path)
        return Explanation(
            value,
            {"id": self.study.section.id, "title": self.study.section.title},
            self._release_document(),
            n_hits,
            hits,
            {name: self.steps[name] for name in names},
            {name: self.looked[name] for name in names},
        )

    def _cells(self, address: Address) -> list[Cell]:
        if isinstance(address, TablePlace):
            return [cell_at(self.release, address)]
        if isinstance(address, JsonPlace):
            return [json_cell(self.release, address)]
        if isinstance(address, LesionPlace):
            return [self._lesion_cell(address)]
        if isinstance(address, ImagePlace):
            return [self._image_cell(address)]
        return cells_with(self.release, address)

    def _lesion_cell(self, place: LesionPlace) -> Cell:
        n_lesions = 0
        for index, (line, _, row) in enumerate(self.release.rows("lesions.csv")):
            if row["series"] == place.series:
                n_lesions += 1
                if row["lesion"] == str(place.lesion):
                    cell = Cell("lesions.csv", str(line), None, None, row, index)
                    return cell if place.field is None else self._field(cell, place.field)
        raise InputError(
            f"the release has no lesion {place.lesion} of {place.series}",
            code="no_such_value",
            hint=f"it has {n_lesions} of this series" if n_lesions else "see its lesions.csv",
        )

    def _field(self, cell: Cell, name: str) -> Cell:
        if name not in cell.row:
            raise InputError(
                f"no column `{name}`",
                code="no_such_column",
                hint=f"columns: {', '.join(cell.row)}",
                source=cell.file,
            )
        return replace(cell, place=f"{cell.place}:{name}", column=name, text=cell.row[name])

    def _image_cell(self, place: ImagePlace) -> Cell:
        file = self.release.file_named(place.file)
        return cell_of_voxel(self.study, self.origins, file, place.voxel)

    def _hit(self, cell: Cell, address: Address) -> Hit:
        is_image = isinstance(address, ImagePlace)
        origin = origin_of_image(self.origins, cell) if is_image else self.origins.of(cell)
        for lineage in self.origins.lineages(origin.series):
            self._known |= {step.id: step for step in lineage.steps()}
        for course in self.origins.subjects(origin.subjects):
            self._known |= {step.id: step for step in course.steps()}
        self._know_findings(origin.sources)
        behind = self.places.behind(origin)
        checks = [self.release.check(cell.file), self._value_check(cell, origin), *behind.checks]
        if is_image and cell.row["object"]:
            checks.append(self.looking.object_check(cell.row["object"], cell.row["what"]))
        path = [*self.above, *self._path(origin.sources, behind.chosen)]
        for name in path:
            if name not in self.steps:
                self._keep(self._known[name])
        if self.options.recomputes:
            checks += self._recomputed(path)
        return Hit(
            cell, origin.about, meaning_of(cell.column), {**origin.facts, **behind.facts},
            origin.sources, tuple(path), tuple(checks),
        )  # fmt: skip

    def _value_check(self, cell: Cell, origin: Origin) -> Check:
        """Tell whether the registry still gives what is published."""
        what = "the registry gives this value"
        if origin.now is None:
            return Check(what, holds=False, reason="it has no such row any more: publish again")
        if cell.text is None:
            return Check("the registry has this", holds=True, reason="it is there")
        now = text_now(cell, origin.now)
        if (now or "") == cell.text:
            return Check(what, holds=True, reason="it comes out of what the units stored")
        now = "nothing" if now in {None, ""} else now
        reason = f"it gives {now} now: the study was run again since, publish it again"
        return Check(what, holds=False, reason=reason)

    def _path(self, sources: Sequence[str], chosen: Sequence[str]) -> list[str]:
        """Return all steps behind some, each before what it was made from.

        Of the drawings that a unit was given only the ``chosen`` are walked, where any are.
        """
        path: dict[str, None] = {}

        def visit(name: str) -> None:
            is_drawing = name.startswith(("annotation/", "box/"))
            if name in path or name not in self._known or (is_drawing and not is_wanted(name)):
                return
            path[name] = None
            for source in self._known[name].sources:
                visit(source)

        def is_wanted(name: str) -> bool:
            return not chosen or name in chosen

        for source in sources:
            visit(source)
        kinds = ("unit", *DECIDED_KINDS, "finding", "annotation", "box", "series", "subject")
        return sorted(path, key=lambda name: kinds.index(self._known[name].kind))

    def _know_findings(self, sources: Iterable[str]) -> None:
        ids = [int(name[8:]) for name in sources if name.startswith("finding/")]
        if ids:
            for row in self.study.registry.rows(tables.finding, among={"id": ids}):
                self._known[f"finding/{row['id']}"] = finding_step(row)

    def _keep(self, step: Step) -> None:
        self.steps[step.id] = step
        self.looked[step.id] = self.looking.at(step)

    def _begin(self, step: Step) -> None:
        """Look at the release itself: does the audit tell of these very checksums."""
        events = [
            event
            for event in self.study.registry.events(of=RELEASE)
            if f'"{self.release.seal}"' in (event.details or "")
        ]
        what = "the audit tells of this release"
        if events:
            told = Check(what, holds=True, reason=f"event {events[-1].seq} names its checksums")
            checks = [told, self.looking.links(events)]
        else:
            reason = "no event names its checksums: it is not what this study published"
            checks = [Check(what, holds=False, reason=reason)]
        self.steps[step.id] = step
        self.looked[step.id] = Looked(
            tuple(map(event_document, events)), (self.release.manifest_check(), *checks)
        )

    def _recomputed(self, path: Iterable[str]) -> list[Check]:
        from lesionary.app.explain.recompute import recomputed

        checks = []
        for name in path:
            if name.startswith("unit/") and name != _PUBLISH:
                _, stage, own = name.split("/")
                if stage in SUBJECT_STAGES:
                    course = self.origins.subject(own)
                    record, runs = course.units[stage], course.runs
                else:
                    lineage = self.origins.lineage(own)
                    record, runs = lineage.units[stage, own], lineage.runs
                checks.append(recomputed(self.study, record, runs.get(record.run_id or "")))
        return checks

    def _release_document(self) -> dict[str, Any]:
        return {"folder": str(self.release.folder), "sha256": self.release.seal}


def _release_step(release: Published) -> Step:
    manifest = release.manifest
    names = ("title", "study", "layout", "protocol", "software", "images", "lesions", "key")
    facts = {name: manifest[name] for name in names if manifest.get(name) is not None}
    return Step(RELEASE, RELEASE, facts | {"sha256": release.seal})


def _run_of(study: "Study", run_id: str | None) -> Mapping[str, Any] | None:
    rows = study.registry.rows(tables.run, id=run_id) if run_id else []
    return rows[0] if rows else None
