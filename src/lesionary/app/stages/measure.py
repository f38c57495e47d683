"""Measure: one row a lesion, and the map of instances that the rows' numbers name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row, Stage, Work, finished
from lesionary.app.stages.annotate import ANNOTATE
from lesionary.app.stages.clean_up import is_of_a_reader
from lesionary.io.objects import ObjectStore

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.core.volume import Geometry, LabelArray, LabelMap
    from lesionary.measure.diameter import Definition
    from lesionary.measure.lesions import MeasuredLesion, MeasureOptions


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """One series to measure."""

    objects: Path
    object_id: str
    layers: tuple[str, ...]
    lesions: dict[str, dict[str, Any]]
    min_voxels: int
    min_slices: int
    diameter: str
    keep_largest: bool


MADE_BY = {
    "segmenter": "no algorithm drew it",
    "segmenter_version": "no algorithm drew it",
    "reader": "no reader is named",
    "method": "its source does not say how it was drawn",
    "state": "",
}
"""Fields that say who made a mask, and why one may be null."""


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit for each annotated series."""
    section = study.protocol.measure
    works = []
    for name, annotated in finished(study, ANNOTATE, rows).items():
        request = MeasureRequest(
            objects=study.files.objects,
            object_id=annotated["object"],
            layers=tuple(annotated["layers"]),
            lesions=annotated["lesions"],
            min_voxels=section.min_voxels,
            min_slices=section.min_slices,
            diameter=section.diameter,
            keep_largest=section.keep_largest_piece,
        )
        inputs = {
            "object": request.object_id,
            "layers": list(request.layers),
            "lesions": request.lesions,
            "min_voxels": request.min_voxels,
            "min_slices": request.min_slices,
            "diameter": request.diameter,
            "keep_largest": request.keep_largest,
        }
        works.append(Work(name, inputs, request))
    return works


def measure_series(request: MeasureRequest) -> dict[str, Any]:
    """Measure every lesion in its own layer; number them together, largest first."""
    from lesionary.measure.instances import instances
    from lesionary.measure.lesions import MeasureOptions, measure_lesions

    store = ObjectStore(request.objects)
    volume = store.get_volume(request.object_id)
    options = MeasureOptions(
        min_voxels=request.min_voxels,
        min_slices=request.min_slices,
        diameter=request.diameter,  # type: ignore[arg-type]  # words become members there
        keep_largest=request.keep_largest,
        has_both=True,
    )
    found: list[tuple[int, MeasuredLesion]] = []
    maps: list[LabelMap] = []
    dropped: list[dict[str, Any]] = []
    names: list[str] = []
    parts = (
        (name, *part)
        for name in request.layers
        for part in _by_maker(store.get_label_map(name), request.lesions, options)
    )
    for place, (name, label_map, rules) in enumerate(parts):
        names.append(name)
        measured = measure_lesions(volume, label_map, rules)
        found += [(place, lesion) for lesion in measured.lesions]
        dropped += [{"label": crumb.label, "voxels": crumb.voxels} for crumb in measured.dropped]
        maps.append(instances(label_map, **_instance_options(rules)))
    found.sort(key=lambda entry: (-entry[1].voxels, entry[1].first, entry[0]))
    array, n_hidden = _flattened(maps, found, volume.geometry)
    rows = [
        _row(number, lesion, request.lesions[str(lesion.value)])
        | {"diameters_mm": _diameters_mm(lesion, options.diameter)}
        | {"layer": names[place], "value": lesion.value, "first_voxel": list(lesion.first)}
        for number, (place, lesion) in enumerate(found, start=1)
    ]
    texts = {row["lesion"]: row["label"] for row in rows}
    return {
        "object": request.object_id,
        "mask": store.put_label_map(_label_map(array, volume.geometry, texts)),
        "lesions": rows,
        "dropped": dropped,
        "n_hidden_voxels": n_hidden,
    }


def _diameters_mm(lesion: "MeasuredLesion", diameter: "Definition") -> dict[str, float | None]:
    """Return the lesion's size in every definition: what hangs on the choice can be told."""
    from lesionary.measure.diameter import Definition
    from lesionary.measure.straddling import sphere_mm

    other = next(one for one in Definition if one is not diameter)
    return {
        diameter.value: lesion.diameter_mm,
        other.value: lesion.other_diameter_mm,
        "volume": sphere_mm(lesion.volume_ml),
    }


def _by_maker(
    layer: "LabelMap", lesions: dict[str, dict[str, Any]], options: "MeasureOptions"
) -> "Iterator[tuple[LabelMap, MeasureOptions]]":
    """Part a layer by who drew it: of what a reader drew or affirmed no piece is a crumb."""
    from dataclasses import replace

    import numpy as np

    affirmed = {value for value in layer.labels if is_of_a_reader(lesions[str(value)])}
    everything = replace(options, min_voxels=1, min_slices=1)
    if len(affirmed) in {0, len(layer.labels)}:
        yield layer, everything if affirmed else options
        return
    is_affirmed = np.isin(layer.array, list(affirmed))
    yield replace(layer, array=np.where(is_affirmed, layer.array, 0)), everything
    yield replace(layer, array=np.where(is_affirmed, 0, layer.array)), options


def _instance_options(options: "MeasureOptions") -> dict[str, Any]:
    return {
        "min_voxels": options.min_voxels,
        "min_slices": options.min_slices,
        "keep_largest": options.keep_largest,
    }


def _flattened(
    maps: "list[LabelMap]", found: "list[tuple[int, MeasuredLesion]]", geometry: "Geometry"
) -> "tuple[LabelArray, int]":
    """Lay the layers over each other under the common numbers.

    Where lesions overlap, the smaller one (the higher number) is seen: the larger is known from
    its other voxels. Returns the array and how many voxels a larger lesion lost.
    """
    import numpy as np

    array = np.zeros(geometry.shape, dtype=np.uint16)
    n_hidden = 0
    for layer, label_map in enumerate(maps):
        numbers = np.zeros(65536, dtype=np.uint16)
        for number, (own_layer, lesion) in enumerate(found, start=1):
            if own_layer == layer:
                numbers[lesion.lesion] = number
        renumbered = numbers[label_map.array]
        n_hidden += int(np.count_nonzero((array != 0) & (renumbered != 0)))
        np.maximum(array, renumbered, out=array)
    return array, n_hidden


def _label_map(array: "LabelArray", geometry: "Geometry", texts: dict[int, str]) -> "LabelMap":
    from lesionary.core.volume import LabelMap

    return LabelMap(array, geometry, texts)


def _row(number: int, lesion: "MeasuredLesion", made: dict[str, Any]) -> dict[str, Any]:
    row = lesion.as_row() | {"lesion": number} | {name: made[name] for name in MADE_BY}
    reason = row.pop("reason", {})
    assert isinstance(reason, dict)  # noqa: S101 - as_row() says so, its type cannot
    reason |= {name: why for name, why in MADE_BY.items() if row[name] is None}
    return row | {"reason": reason} if reason else row


MEASURE = Stage("measure", 4, plan, measure_series, ("measure",))
