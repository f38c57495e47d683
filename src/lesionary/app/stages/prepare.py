"""Prepare: every image in the quantity that is measured, with the window it is shown in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row, Stage, Work
from lesionary.core.volume import Quantity
from lesionary.io.objects import ObjectStore

if TYPE_CHECKING:
    from lesionary.app.study import Study


@dataclass(frozen=True, slots=True)
class PrepareRequest:
    """One series to prepare."""

    objects: Path
    object_id: str
    suv_factor: float | None
    window: str


def plan(study: "Study", rows: Sequence[Row]) -> list[Work]:
    """Plan one unit a series."""
    windows = study.protocol.prepare.windows
    works = []
    for row in rows:
        window = getattr(windows, row["region"])
        request = PrepareRequest(study.files.objects, row["object_id"], row["suv_factor"], window)
        inputs = {"object": row["object_id"], "suv_factor": row["suv_factor"], "window": window}
        works.append(Work(row["id"], inputs, request))
    return works


def prepare_series(request: PrepareRequest) -> dict[str, Any]:
    """Turn PET into SUV where its factor is known; name the window."""
    from lesionary.prepare.suv import to_suvbw

    store = ObjectStore(request.objects)
    volume = store.get_volume(request.object_id)
    object_id = request.object_id
    if request.suv_factor is not None and volume.quantity is not Quantity.SUVBW:
        volume = to_suvbw(volume, request.suv_factor)
        object_id = store.put_volume(volume)
    n_invalid = 0 if volume.invalid is None else int(volume.invalid.sum())
    return {
        "object": object_id,
        "quantity": volume.quantity.value,
        "window": request.window,
        "n_invalid": n_invalid,
    }


PREPARE = Stage("prepare", 1, plan, prepare_series, ("prepare",))
