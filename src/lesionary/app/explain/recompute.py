"""Make a unit's result again from its stored inputs, in a folder of its own, and compare."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.code import code_digest
from lesionary.app.explain.records import Check
from lesionary.app.stage import Scope
from lesionary.app.stages.agree import AGREE
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.evaluate import EVALUATE
from lesionary.app.stages.measure import MEASURE
from lesionary.app.stages.prepare import PREPARE
from lesionary.app.stages.respond import RESPOND
from lesionary.app.stages.track import TRACK
from lesionary.core.errors import LesionaryError
from lesionary.core.identity import canonical_json
from lesionary.io.objects import ObjectStore, is_object_id
from lesionary.io.registry import tables
from lesionary.io.scratch import scratch_folder

if TYPE_CHECKING:
    from lesionary.app.stage import Stage, Work
    from lesionary.app.study import Study
    from lesionary.io.registry.records import UnitRecord

_STAGES = (PREPARE, ANNOTATE, MEASURE, TRACK, RESPOND, AGREE, EVALUATE)
_BY_NAME = {stage.name: stage for stage in _STAGES}


def recomputed(study: "Study", record: "UnitRecord", run: Mapping[str, Any] | None) -> Check:
    """Run a unit's task again, and tell whether it gives the result that is stored.

    The study is only read: what the task stores goes to a temporary folder, which holds nothing
    of the study but the unit's inputs.
    """
    what = f"{record.stage} of {record.name}, made again"
    stage = _BY_NAME[record.stage]
    work = _planned(study, stage, record.name)
    if work is None or stage.key_of(work) != record.key:
        reason = "its inputs, its part of study.toml or the stage's version are others by now"
        return Check(what, holds=False, reason=f"recomputed: not possible, {reason}")
    try:
        output = _done_again(study, stage, work)
    except LesionaryError as error:
        return Check(what, holds=False, reason=f"recomputed: failed, {error.message}")
    if canonical_json(output) != canonical_json(record.output):
        fields = ", ".join(_differing(output, record.output))
        return Check(what, holds=False, reason=f"recomputed: different in {fields}")
    code = run["code_digest"] if run is not None else ""
    by = "by the same code" if code == code_digest() else "by other code than then"
    return Check(what, holds=True, reason=f"recomputed: equal, {by}")


def _planned(study: "Study", stage: "Stage", name: str) -> "Work | None":
    works = stage.plan(study, _series_of(study, stage, name))
    return next((work for work in works if work.name == name), None)


def _series_of(study: "Study", stage: "Stage", name: str) -> Sequence[Mapping[str, Any]]:
    """Return the series that a unit is about: all of a subject's where it is one."""
    if stage.scope is Scope.SERIES:
        return study.registry.some_series([name])
    own = study.registry.rows(tables.series, subject_id=name)
    return study.registry.some_series([row["id"] for row in own])


def _done_again(study: "Study", stage: "Stage", work: "Work") -> Any:
    with scratch_folder() as folder:
        scratch = ObjectStore(folder / "objects")
        for object_id in sorted(set(_ids_in(work.inputs))):
            if study.objects.has(object_id):
                _lend(study.objects.path_of(object_id), scratch.path_of(object_id))
        return stage.task(replace(work.request, objects=scratch.root))


def _ids_in(value: Any) -> Iterator[str]:
    """Yield every name of an object within a unit's inputs."""
    if isinstance(value, str) and is_object_id(value):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _ids_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _ids_in(one)


def _lend(source: Path, target: Path) -> None:
    """Put an object where the task looks for it: by a link, or where there are none, a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(source.resolve())
    except OSError:
        shutil.copyfile(source, target)


def _differing(output: Any, before: Any) -> list[str]:
    if not (isinstance(output, dict) and isinstance(before, dict)):
        return ["the output"]
    names = sorted(output.keys() | before.keys())
    return [name for name in names if output.get(name) != before.get(name)]
