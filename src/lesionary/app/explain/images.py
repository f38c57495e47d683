"""A published image or mask, and one voxel of it, as a value that can be explained."""

from typing import TYPE_CHECKING, Any

from lesionary.app.explain.origins import Origins
from lesionary.app.explain.records import Cell, Origin
from lesionary.app.explain.voxels import point_mm, value_at
from lesionary.core.errors import InputError

if TYPE_CHECKING:
    from lesionary.app.study import Study

Voxel = tuple[int, int, int]

_PARTS = {
    "/images/": ("image", "prepare", "object"),
    "/masks/": ("mask of lesions", "measure", "mask"),
    "agreement/consensus/": ("readers' consensus", "agree", "consensus"),
    "agreement/uncertainty/": ("map of disagreement", "agree", "uncertainty"),
}
"""By part of the path: what the file is, the stage that made it, and the field of its output."""


def cell_of_voxel(study: "Study", origins: Origins, file: str, voxel: Voxel | None) -> Cell:
    """Return an image as a cell, with what is known of one voxel.

    Parameters
    ----------
    study : Study
    origins : Origins
    file : str
        Path below the release.
    voxel : tuple of int, optional
        Index ``i, j, k`` from 0, in nibabel's order.

    Raises
    ------
    InputError
        Codes ``no_walk``, ``no_such_series``, ``no_such_voxel``.
    """
    what, stage, name = _part_of(file)
    series = origins.series_named(file.rpartition("/")[2].removesuffix(".nii.gz"))
    lineage = origins.lineage(series)
    object_id = (lineage.output(stage, series) or {}).get(name)
    row: dict[str, Any] = {"series": series, "what": what, "stage": stage, "object": object_id}
    if voxel is None:
        return Cell(file, "", None, None, row)
    i, j, k = voxel
    index, shape = (k, j, i), lineage.series[series]["shape"]
    if any(n >= size for n, size in zip(index, shape, strict=True)):
        raise InputError(
            f"the image has no voxel {i},{j},{k}",
            code="no_such_voxel",
            hint="indices i,j,k count from 0 in nibabel's order; it has"
            f" {' × '.join(str(n) for n in reversed(shape))} voxels",
            source=file,
        )
    row |= {"index_kji": list(index), **_values(study, lineage, series, index)}
    return Cell(file, f"@{i},{j},{k}", "voxel", None, row)


def origin_of_image(origins: Origins, cell: Cell) -> Origin:
    """Return where an image comes from; a voxel within a lesion leads to that lesion."""
    row = cell.row
    series = row["series"]
    lesion = row.get("lesion")
    if lesion:
        found = origins.of_lesion(series, lesion)
        about = f"voxel {cell.place[1:]} (i, j, k) of {series}, in {found.about}"
        return Origin(about, found.sources, (series,), found.now, lesion)
    about = f"the {row['what']} of {series}"
    if cell.place:
        about = f"voxel {cell.place[1:]} (i, j, k) of {series}: no lesion is there"
    now = row if row["object"] else None
    return Origin(about, (f"unit/{row['stage']}/{series}",), (series,), now)


def _part_of(file: str) -> tuple[str, str, str]:
    for part, found in _PARTS.items():
        if part in file:
            return found
    raise InputError(
        "this image is none of the study's", code="no_walk", hint="name an image or a mask of it"
    )


def _values(study: "Study", lineage: Any, series: str, index: Voxel) -> dict[str, Any]:
    """Return what lies at a voxel: its place, the image's number there, and the lesion."""
    prepared, measured = lineage.output("prepare", series), lineage.output("measure", series)
    values: dict[str, Any] = {}
    if prepared:
        volume = study.objects.get_volume(prepared["object"])
        values["intensity"] = float(volume.array[index])
        values["quantity"] = prepared["quantity"]
        values["point_mm"] = point_mm(volume.geometry, index)
    if measured:
        values["lesion"] = value_at(study.objects.get_label_map(measured["mask"]), index)
    return values
