"""Agree: what several readers drew on one image, held against each other (M6, M7, M11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row, Stage, Work
from lesionary.app.stages.given_masks import GivenMask, given_masks
from lesionary.app.stages.readers import (
    ReaderCleanUp,
    by_author,
    reader_clean_ups,
    reader_maps,
)
from lesionary.core.annotation import GIVEN
from lesionary.core.cases import CaseKey
from lesionary.io.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lesionary.app.study import Study

FEWEST_READERS = 2


@dataclass(frozen=True, slots=True)
class AgreeRequest:
    """One image that several readers drew on."""

    objects: Path
    key: CaseKey
    readers: dict[str, tuple[GivenMask, ...]]
    consensus: str
    clean_up: ReaderCleanUp | None


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit for each image that two readers or more drew on.

    What came along without a reader's name is no reader's.
    """
    consensus = study.protocol.agree.consensus
    excluded = {GIVEN, *study.protocol.evaluate.predictions}
    masks = given_masks(study, rows)
    clean_ups = reader_clean_ups(study, rows)
    works = []
    for row in rows:
        authors = by_author(masks.get(row["id"], ()))
        readers = {name: drawn for name, drawn in authors.items() if name not in excluded}
        if len(readers) < FEWEST_READERS:
            continue
        clean_up = clean_ups.get(row["id"])
        request = AgreeRequest(study.files.objects, case_of(row), readers, consensus, clean_up)
        inputs = {
            "readers": {name: [mask.inputs for mask in drawn] for name, drawn in readers.items()},
            "case": [request.key.group, request.key.subject, request.key.case],
            "consensus": consensus,
            "clean_up": clean_up and clean_up.inputs,
        }
        works.append(Work(row["id"], inputs, request))
    return works


def case_of(row: "Mapping[str, Any]") -> CaseKey:
    """Name a series in tables: by its subject and itself."""
    return CaseKey("", row["subject_id"], row["id"])


def agree_series(request: AgreeRequest) -> dict[str, Any]:
    """Compare the readers of one image; store their consensus and where they differ."""
    from lesionary.agree.agreement import agreement
    from lesionary.agree.case_tables import CaseTables
    from lesionary.agree.uncertainty import reader_entropy
    from lesionary.app.files.agreement import diameter_of
    from lesionary.core.readers.consensus import consensus
    from lesionary.core.volume import LabelMap, Volume

    store = ObjectStore(request.objects)
    first = next(iter(request.readers.values()))[0]
    geometry = store.get_label_map(first.object_id).geometry
    maps = reader_maps(store, request.readers, geometry)
    if request.clean_up is not None:
        masks = [mask for drawn in request.readers.values() for mask in drawn]
        maps = request.clean_up.applied(maps, store, masks)
    drawn = list(maps.values())
    found = agreement(drawn, list(maps), diameters=diameter_of)
    arrays = [one.array for one in drawn]
    agreed = LabelMap(consensus(arrays, request.consensus).array, geometry, drawn[0].labels)
    return {
        "readers": list(maps),
        "consensus": store.put_label_map(agreed),
        "uncertainty": store.put_volume(Volume(reader_entropy(arrays), geometry)),
        "agreement": found.to_json(),
        "tables": CaseTables.of([(request.key, found)]).to_json(),
    }


AGREE = Stage("agree", 1, plan, agree_series, ("agree", "evaluate", "annotate"))
