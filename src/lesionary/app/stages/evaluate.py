"""Evaluate: drafts and predicted masks against what readers drew (A8).

References are the masks of readers, and masks that came along without a name. Predictions are the
masks of those whom the protocol calls predictions, and the study's own drafts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row, Stage, Work, finished
from lesionary.app.stages.agree import case_of
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.given_masks import DrawnLesion, GivenMask, current_lesions, given_masks
from lesionary.app.stages.readers import (
    ReaderCleanUp,
    by_author,
    common_maps,
    reader_clean_ups,
)
from lesionary.core.cases import CaseKey
from lesionary.core.volume import LabelMap
from lesionary.io.objects import ObjectStore

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.evaluate.options import EvaluateOptions

DRAFTS = "drafts"
"""Name of what the study's own segmenter drew."""


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """One image with references and predictions."""

    objects: Path
    key: CaseKey
    references: dict[str, tuple[GivenMask, ...]]
    predictions: dict[str, tuple[GivenMask, ...]]
    layers: tuple[str, ...]
    drafted: tuple[int, ...]
    section: dict[str, Any]
    consensus: str
    clean_up: ReaderCleanUp | None


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit for each image that has both a reference and a prediction."""
    section = study.protocol.evaluate
    masks = given_masks(study, rows)
    annotated = finished(study, ANNOTATE, rows)
    clean_ups = reader_clean_ups(study, rows)
    works = []
    for row in rows:
        authors = by_author(masks.get(row["id"], ()))
        drafts = annotated.get(row["id"], {"layers": [], "lesions": {}})
        drafted = tuple(
            int(value) for value, made in drafts["lesions"].items() if made["segmenter"] is not None
        )
        request = EvaluateRequest(
            objects=study.files.objects,
            key=case_of(row),
            references={n: m for n, m in authors.items() if n not in section.predictions},
            predictions={n: m for n, m in authors.items() if n in section.predictions},
            layers=tuple(drafts["layers"]) if drafted else (),
            drafted=drafted,
            section=section.model_dump(),
            consensus=study.protocol.agree.consensus,
            clean_up=clean_ups.get(row["id"]),
        )
        if request.references and (request.predictions or drafted):
            works.append(Work(row["id"], _inputs(request), request))
    return works


def not_predicted(study: "Study") -> dict[str, list[str]]:
    """List, for each prediction of the protocol, the series with a reference but without it."""
    predictions = frozenset(study.protocol.evaluate.predictions)
    authors = {
        series: {mask.author for mask in masks} for series, masks in given_masks(study).items()
    }
    return {
        name: sorted(
            series for series, by in authors.items() if by - predictions and name not in by
        )
        for name in predictions
    }


def _inputs(request: EvaluateRequest) -> dict[str, Any]:
    return {
        "case": [request.key.group, request.key.subject, request.key.case],
        "references": _of(request.references),
        "predictions": _of(request.predictions),
        "layers": list(request.layers),
        "drafted": list(request.drafted),
        "section": request.section,
        "consensus": request.consensus,
        "clean_up": request.clean_up and request.clean_up.inputs,
    }


def _of(authors: Mapping[str, tuple[GivenMask, ...]]) -> dict[str, Any]:
    return {name: [mask.inputs for mask in masks] for name, masks in authors.items()}


def evaluate_series(request: EvaluateRequest) -> dict[str, Any]:
    """Score every prediction of one image against every reference."""
    store = ObjectStore(request.objects)
    drawn = {
        name: current_lesions(store, masks)
        for authors in (request.references, request.predictions)
        for name, masks in authors.items()
    }
    first = next(iter(request.references.values()))[0]
    geometry = store.get_label_map(first.object_id).geometry
    if request.drafted:
        drawn[DRAFTS] = list(_drafts(store, request))
    maps = common_maps(drawn, geometry)
    if request.clean_up is not None:
        authors = request.references | request.predictions  # drafts were cleaned as they were made
        by_readers = {name: maps[name] for name in authors}
        masks = [mask for drawn_by in authors.values() for mask in drawn_by]
        maps |= request.clean_up.applied(by_readers, store, masks)
    options = options_of(request.section, maps)
    references = {_reference_name(name): maps[name] for name in request.references}
    names = [*request.predictions, *([DRAFTS] if request.drafted else [])]
    return {
        "predictions": {
            name: _scored(maps[name], references, options, request.consensus) for name in names
        }
    }


def _reference_name(reader: str) -> str:
    """Name a reference by its reader, but for names of what is made of all of them."""
    from lesionary.evaluate.evaluation import RESERVED

    return f"reader {reader}" if reader in RESERVED else reader


def _scored(
    prediction: LabelMap,
    references: Mapping[str, LabelMap],
    options: "EvaluateOptions",
    method: str,
) -> dict[str, Any]:
    """Score one prediction; one reference is named too, for other images may have several."""
    from lesionary.app.files.scoring import score

    names = list(references)
    document = score([prediction, *references.values()], names, options, method=method)
    return document if len(names) > 1 else {"reference": names[0]} | document


def _drafts(store: ObjectStore, request: EvaluateRequest) -> "list[DrawnLesion]":
    from scipy.ndimage import find_objects

    lesions = []
    for object_id in request.layers:
        layer = store.get_label_map(object_id)
        for value, box in enumerate(find_objects(layer.array), start=1):
            if box is not None and value in request.drafted:
                crop = layer.array[box] == value
                lesions.append(DrawnLesion(crop, box, layer.labels[value], 0))
    return lesions


def options_of(section: Mapping[str, Any], maps: Mapping[str, LabelMap]) -> "EvaluateOptions":
    """Return the stage's options: the protocol names labels by text, masks by value."""
    from lesionary.evaluate.options import EvaluateOptions, MatchRule

    values = {text: value for one in maps.values() for value, text in one.labels.items()}
    for text in sorted({text for texts in section["composites"].values() for text in texts}):
        values.setdefault(text, len(values) + 1)  # a label that this image does not have
    composites = {
        name: tuple(sorted({values[text] for text in texts}))
        for name, texts in section["composites"].items()
    }
    return EvaluateOptions(
        tolerance_mm=section["tolerance_mm"],
        tolerances_mm=dict(section["tolerances_mm"]),
        composites=composites,
        match=MatchRule.parse(section["match"]),
        min_voxels=section["min_voxels"],
        size_edges_mm=tuple(section["size_edges_mm"]),
    )


EVALUATE = Stage("evaluate", 1, plan, evaluate_series, ("evaluate", "agree", "annotate"))
