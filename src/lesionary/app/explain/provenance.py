"""Steps as W3C PROV: of one explained value, or of a whole study, page by page."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lesionary.app.explain.lineage import Lineage, unit_step
from lesionary.app.explain.records import Step
from lesionary.app.explain.subjects import DECIDED_KINDS, subject_lineages
from lesionary.core.annotation import GIVEN
from lesionary.io.durable import replacing
from lesionary.io.registry import tables
from lesionary.publish.prov import (
    SECTIONS,
    TERMS,
    Record,
    activity,
    agent,
    document,
    entity,
    fresh,
    line_of,
    named,
    prefixes,
    relation,
    shared,
)

if TYPE_CHECKING:
    from lesionary.app.explain.explanation import Explanation
    from lesionary.app.study import Study

Told = Mapping[str, tuple[str, str]]
"""When the last event of a step was, and by whom, by the step's id."""

_PUBLISH = "unit/publish/release"
_ENTITIES = {
    "series": "image",
    "annotation": "annotation",
    "box": "box",
    "finding": "finding",
    **{kind: kind for kind in DECIDED_KINDS},
}
_PUBLISHED_UNITS = ("unit/measure/", "unit/respond/")
_PAGE = 500


def explanation_prov(explanation: "Explanation") -> dict[str, Any]:
    """Return the PROV-JSON document of an explained value."""
    told = {
        name: (looked.events[-1]["at"], looked.events[-1]["actor"])
        for name, looked in explanation.looked.items()
        if looked.events
    }
    records = [record for step in explanation.steps.values() for record in step_records(step, told)]
    for hit in explanation.hits:
        cell = hit.cell
        name = named("value", cell.file, cell.place)
        records.append(
            entity(
                name, "Value", cell.address,
                published=cell.text, column=cell.column, about=hit.about, holds=explanation.holds,
            )
        )  # fmt: skip
        sources = filter(None, map(entity_of, hit.sources))
        records += [relation("wasDerivedFrom", name, source) for source in sources]
        if _PUBLISH in hit.path:
            records.append(relation("wasGeneratedBy", name, named("unit", "publish", "release")))
    return document(explanation.study["id"], records)


def write_explanation_prov(explanation: "Explanation", path: Path) -> None:
    """Write the PROV-JSON document of an explained value."""
    text = json.dumps(explanation_prov(explanation), indent=2, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_study_prov(study: "Study", path: Path) -> int:
    """Write the PROV-JSON document of a whole study; return how many records it has.

    The study is read page by page, and each section goes to a file of its own before they are put
    together, so memory is that of one page.
    """
    n_records = 0
    with ExitStack() as stack:
        spools: dict[str, IO[str]] = {}
        for record in fresh(study_records(study)):
            spool = spools.get(record.section)
            if spool is None:
                spool = stack.enter_context(
                    tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")
                )
                spools[record.section] = spool
            spool.write(("" if spool.tell() == 0 else ",\n") + "    " + line_of(record))
            n_records += 1
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            _join(file, study.section.id, spools)
    return n_records


def _join(file: IO[str], study_id: str, spools: Mapping[str, IO[str]]) -> None:
    file.write('{\n  "prefix": ' + json.dumps(prefixes(study_id)))
    for section in (name for name in SECTIONS if name in spools):
        file.write(f',\n  "{section}": {{\n')
        spool = spools[section]
        spool.seek(0)
        while piece := spool.read(1 << 20):
            file.write(piece)
        file.write("\n  }")
    file.write("\n}\n")


def study_records(study: "Study") -> Iterator[Record]:
    """Yield the records of every series of a study, and of its own release."""
    registry = study.registry
    published = registry.units("publish", ["release"]).get("release")
    is_published = published is not None and published.state == "done"
    if published is not None and is_published:
        runs = registry.rows(tables.run, id=published.run_id)
        step = unit_step(published, runs[0] if runs else None)
        yield from step_records(step, told_of(study, [step]))
    for steps in _pages_of_steps(study):
        told = told_of(study, steps)
        for step in steps:
            yield from step_records(step, told)
            if is_published and step.id.startswith(_PUBLISHED_UNITS):
                output = entity_of(step.id)
                if output is not None:
                    yield relation("used", named("unit", "publish", "release"), output)


def _pages_of_steps(study: "Study") -> Iterator[list[Step]]:
    """Yield the steps of the study, page by page: of series, then of subjects."""
    for page in study.registry.series_pages(_PAGE):
        yield list(Lineage.of(study, [row["id"] for row in page]).steps())
    for page in study.registry.subject_pages(_PAGE):
        lineages = subject_lineages(study, sorted({row["subject_id"] for row in page}))
        yield [step for lineage in lineages.values() for step in lineage.steps()]


def told_of(study: "Study", steps: list[Step]) -> Told:
    """Return when the last event of each step was, and by whom."""
    names = {"object": [step.id for step in steps]}
    rows = study.registry.rows(tables.event, among=names, order_by=("seq",))
    return {row["object"]: (row["at"], row["actor"]) for row in rows}


def step_records(step: Step, told: Told) -> Iterator[Record]:
    """Yield what one step is in PROV: entities, activities, agents and their relations."""
    at, actor = told.get(step.id, ("", ""))
    if step.kind == "unit":
        yield from _unit_records(step, at)
    elif step.kind in DECIDED_KINDS:
        yield from _decided_records(step)
    elif step.kind in _ENTITIES:
        yield from _entity_records(step, at, actor)


def entity_of(step_id: str) -> str | None:
    """Return the name of the entity that a step stands for; a subject is none."""
    if step_id == _PUBLISH:
        return named("release")
    kind, _, rest = step_id.partition("/")
    if kind == "unit":
        return named("output", *rest.split("/"))
    return named(_ENTITIES[kind], rest) if kind in _ENTITIES else None


def _entity_records(step: Step, at: str, actor: str) -> Iterator[Record]:
    facts, name = step.facts, entity_of(step.id)
    assert name is not None  # noqa: S101 - these kinds have one
    known = {key: value for key, value in facts.items() if key != "id"}
    yield entity(name, step.kind.capitalize(), _label(step), **known)
    ingest = named("ingest", facts["ingest"])
    yield shared(activity(ingest, "Ingest", f"ingest {facts['ingest']}", end=at))
    if actor:
        yield _actor(actor)
        yield shared(relation("wasAssociatedWith", ingest, named("actor", actor)))
    yield relation("wasGeneratedBy", name, ingest)
    for source in filter(None, map(entity_of, step.sources)):
        yield relation("wasDerivedFrom", name, source)
    if step.kind == "annotation" and facts["author"] != GIVEN:
        author = _author(facts)
        yield author
        yield relation("wasAttributedTo", name, author.name)


def _decided_records(step: Step) -> Iterator[Record]:
    """Yield what a reader decided, or took from a report, and who that was."""
    facts, name = step.facts, entity_of(step.id)
    assert name is not None  # noqa: S101 - these kinds have one
    known = {key: value for key, value in facts.items() if key != "id"}
    label = f"{step.kind.replace('_', ' ')} on {facts['subject']}"
    yield entity(name, step.kind.title().replace("_", ""), label, **known)
    author = agent(named("reader", facts["reader"]), "prov:Person", facts["reader"])
    yield author
    yield relation("wasAttributedTo", name, author.name)
    for source in filter(None, map(entity_of, step.sources)):
        yield relation("wasDerivedFrom", name, source)


def _label(step: Step) -> str:
    facts = step.facts
    if step.kind == "series":
        return f"{facts['modality']} image {facts['id']}"
    if step.kind == "annotation":
        by = "" if facts["author"] == GIVEN else f" by {facts['author']}"
        return f"mask of {facts['series']}{by}"
    if step.kind == "box":
        return f"box on {facts['series']}: {facts['label']}"
    return f"left out: {facts['code']}"


def _author(facts: Mapping[str, Any]) -> Record:
    """Return who drew a mask: a reader is a person, a model is software."""
    author = facts["author"]
    if facts["role"] == "reader":
        return agent(named("reader", author), "prov:Person", author)
    version, generation = facts.get("version"), facts.get("generation")
    parts = [part for part in (version, generation) if part is not None]
    return agent(
        named("model", author, *parts), "prov:SoftwareAgent", author,
        version=version, generation=generation,
    )  # fmt: skip


def _actor(name: str) -> Record:
    return agent(named("actor", name), f"{TERMS}:Actor", name)


def _unit_records(step: Step, at: str) -> Iterator[Record]:
    facts = step.facts
    stage, name, run = facts["stage"], facts["name"], facts.get("run") or {}
    own = named("unit", stage, name)
    yield activity(
        own, stage.capitalize(), f"{stage} of {name}", end=at,
        key=facts["key"], state=facts["state"], seed=facts.get("seed"), inputs=facts.get("inputs"),
        stage_version=run.get("stage_version"), run=run.get("id"),
    )  # fmt: skip
    yield from _agents_of(own, facts, run)
    output = entity_of(step.id)
    if facts["state"] != "done" or output is None:
        return
    kind, label = "Output", f"what {stage} made of {name}"
    if stage == "publish":
        kind, label = "Release", "the release"
    yield entity(output, kind, label, key=facts["key"], objects=sorted(step.objects) or None)
    yield relation("wasGeneratedBy", output, own)
    for source in filter(None, map(entity_of, step.sources)):
        yield relation("used", own, source)
        yield relation("wasDerivedFrom", output, source)


def _agents_of(own: str, facts: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the code that did a unit, by which plan and for whom, and what drew."""
    if run:
        code = named("lesionary", run["code_version"], run["code_digest"][:12])
        yield agent(
            code, "prov:SoftwareAgent", f"Lesionary {run['code_version']}",
            version=run["code_version"], code_digest=run["code_digest"],
        )  # fmt: skip
        plan = named("plan", run["id"])
        yield shared(
            entity(plan, "Protocol", f"protocol of {run['stage']}", section=run["section"])
        )
        yield relation("wasAssociatedWith", own, code, plan=plan)
        yield _actor(run["actor"])
        yield relation("actedOnBehalfOf", code, named("actor", run["actor"]), activity=own)
    model = facts.get("model")
    if model:
        drawn = named("segmenter", model["name"], model["version"])
        yield agent(
            drawn, "prov:SoftwareAgent", f"{model['name']} {model['version']}",
            version=model["version"], generation=model.get("generation"),
        )  # fmt: skip
        yield relation("wasAssociatedWith", own, drawn)
