"""One row a lesion: volume, mean intensity, diameters (R7, R8).

The fields are those of ``file measure --json`` (``docs/reference/measure.md``). Everything is
computed from the runs of the components, in one pass over the mask.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesionary.core.components import Component, Components, components
from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind, kind_of_text
from lesionary.core.volume import (
    AnyArray,
    BoolArray,
    Box,
    FloatArray,
    LabelMap,
    Volume,
    read_only,
)
from lesionary.measure.diameter import Definition, Diameters, as_published, caliper
from lesionary.measure.instances import is_kept

Row = dict[str, object]
"""Numbers, texts, lists and None only: ready for JSON."""

AXIS_FIELDS = (
    "long_axis_mm",
    "short_axis_mm",
    "diameter_mm",
    "slice_index",
    "long_axis_points_mm",
    "short_axis_points_mm",
)
"""What is null together, in the order of the row."""

NO_IMAGE = "no image was given"
NOT_FINITE = "the lesion holds NaN or infinite voxels"
INVALID = "the lesion holds voxels without a measurement (padding)"
NO_OUTLINE = "every section of the lesion consists of single pixels: no outline has two points"


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """How lesions are told apart and measured.

    Parameters
    ----------
    kind : LesionKind
        Of labels without text.
    min_voxels, min_slices : int
        Smaller components are dropped and listed.
    diameter : Definition
        ``caliper``, edge to edge, or ``as_published``.
    keep_largest : bool
        Never drop a label's only or largest component: the rule inside a study.
    has_both : bool
        Measure by the other definition too, for :attr:`MeasuredLesion.other_axes`.

    Raises
    ------
    InputError
        If a word is unknown or a number negative.
    """

    kind: LesionKind = LesionKind.TUMOUR
    min_voxels: int = 50
    min_slices: int = 1
    diameter: Definition = Definition.CALIPER
    keep_largest: bool = False
    has_both: bool = False

    def __post_init__(self) -> None:
        for name, words in (("kind", LesionKind), ("diameter", Definition)):
            value = getattr(self, name)
            if value not in set(words):
                allowed = " or ".join(words)
                raise InputError(f"{name} is {allowed}, not {value!r}")
            object.__setattr__(self, name, words(value))
        for name in ("min_voxels", "min_slices"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is 0 or more, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredLesion:
    """One lesion's row.

    Parameters
    ----------
    lesion : int
        Counts from 1, largest volume first.
    label : str or int
        The label's text, else its value.
    kind : LesionKind
        Decides which axis is the diameter.
    value : int
        The label map's value.
    box : Box
        Where it lies in the array.
    first : tuple of int
        Its first voxel in ``(k, j, i)`` order, which breaks ties of volume.
    voxels : int
        Their number.
    volume_ml : float
        Voxels times the volume of one.
    mean_intensity : float or None
        In the image's quantity.
    axes : Diameters or None
        Long and short axis.
    other_axes : Diameters or None
        The same by the other definition, where both were asked for.
    reason : mapping of str to str
        Why a field of the row is None, for each that is.
    """

    lesion: int
    label: str | int
    kind: LesionKind
    value: int
    box: Box
    first: tuple[int, int, int]
    voxels: int
    volume_ml: float
    mean_intensity: float | None
    axes: Diameters | None
    other_axes: Diameters | None
    reason: Mapping[str, str]

    @property
    def diameter_mm(self) -> float | None:
        """Long axis of a tumour; of a node the short axis beside the longest long one."""
        return self._diameter_of(self.axes)

    @property
    def other_diameter_mm(self) -> float | None:
        """The same by the other definition; None where it was not asked for, or has none."""
        return self._diameter_of(self.other_axes)

    def _diameter_of(self, axes: Diameters | None) -> float | None:
        if axes is None:
            return None
        return axes.short_axis_mm if self.kind is LesionKind.NODE else axes.long_axis_mm

    def as_row(self) -> Row:
        """Return the contract's fields, ready for JSON."""
        axes: Row = dict.fromkeys(AXIS_FIELDS)
        if self.axes is not None:
            axes = {
                "long_axis_mm": self.axes.long_axis_mm,
                "short_axis_mm": self.axes.short_axis_mm,
                "diameter_mm": self.diameter_mm,
                "slice_index": self.axes.slice_index,
                "long_axis_points_mm": self.axes.long_axis_points_mm.tolist(),
                "short_axis_points_mm": self.axes.short_axis_points_mm.tolist(),
            }
        row: Row = {
            "lesion": self.lesion,
            "label": self.label,
            "kind": self.kind.value,
            "voxels": self.voxels,
            "volume_ml": self.volume_ml,
            "mean_intensity": self.mean_intensity,
            **axes,
        }
        return row | {"reason": dict(self.reason)} if self.reason else row


@dataclass(frozen=True, slots=True)
class DroppedComponent:
    """A component too small to be a lesion."""

    label: str | int
    voxels: int


@dataclass(frozen=True, slots=True)
class Measured:
    """All lesions of one label map, and what was dropped, both by volume descending."""

    lesions: tuple[MeasuredLesion, ...]
    dropped: tuple[DroppedComponent, ...]

    def to_json(self) -> Row:
        """Return ``{"lesions": […], "dropped": […]}``."""
        dropped = [{"label": crumb.label, "voxels": crumb.voxels} for crumb in self.dropped]
        return {"lesions": [lesion.as_row() for lesion in self.lesions], "dropped": dropped}


def measure_lesions(
    volume: Volume | None, labels: LabelMap, options: MeasureOptions | None = None
) -> Measured:
    """Measure every 26-connected instance of every label.

    Parameters
    ----------
    volume : Volume or None
        Without an image there is no mean intensity; all else is measured.
    labels : LabelMap
        0 is background. An empty one has no lesions.
    options : MeasureOptions, optional
        Those of ``file measure`` by default.

    Returns
    -------
    Measured
        By volume descending, ties by the first voxel in ``(k, j, i)`` order.

    Raises
    ------
    GeometryMismatchError
        If the image and the label map lie on different grids.
    """
    options = options or MeasureOptions()
    if volume is not None:
        labels.geometry.require_same_grid(volume.geometry)
    found = components(labels.array)
    kept = is_kept(
        found,
        labels.geometry.superior_axis,
        min_voxels=options.min_voxels,
        min_slices=options.min_slices,
        keep_largest=options.keep_largest,
    )
    order = found.by_volume
    lesions, crumbs = order[kept[order]], order[~kept[order]]
    means = _Intensities.of(found, volume)
    return Measured(
        lesions=tuple(
            _measured(place, found[number], labels, means.of_component(number), options)
            for place, number in enumerate(lesions.tolist(), start=1)
        ),
        dropped=tuple(
            DroppedComponent(labels.labels.get(value, value), voxels)
            for value, voxels in zip(
                found.values[crumbs].tolist(), found.voxels[crumbs].tolist(), strict=True
            )
        ),
    )


def _measured(
    place: int,
    component: Component,
    labels: LabelMap,
    mean: tuple[float | None, str],
    options: MeasureOptions,
) -> MeasuredLesion:
    text = labels.labels.get(component.value)
    is_caliper = options.diameter is Definition.CALIPER
    axes = _axes(component, labels, by_caliper=is_caliper)
    other_axes = _axes(component, labels, by_caliper=not is_caliper) if options.has_both else None
    mean_intensity, why_no_mean = mean
    reason = {"mean_intensity": why_no_mean} if why_no_mean else {}
    if axes is None:
        reason |= dict.fromkeys(AXIS_FIELDS, NO_OUTLINE)
    return MeasuredLesion(
        lesion=place,
        label=component.value if text is None else text,
        kind=options.kind if text is None else kind_of_text(text),
        value=component.value,
        box=component.box,
        first=component.first,
        voxels=component.n_voxels,
        volume_ml=component.n_voxels * labels.geometry.voxel_volume_mm3 / 1000,
        mean_intensity=mean_intensity,
        axes=axes,
        other_axes=other_axes,
        reason=reason,
    )


def _axes(component: Component, labels: LabelMap, *, by_caliper: bool) -> Diameters | None:
    measure = caliper if by_caliper else as_published
    return measure(component, labels.geometry)


@dataclass(frozen=True, slots=True, eq=False)
class _Intensities:
    """Mean intensity of every component, and which of them hold voxels without a measurement."""

    means: FloatArray | None
    is_invalid: BoolArray

    @classmethod
    def of(cls, found: Components, volume: Volume | None) -> "_Intensities":
        from lesionary.measure._kernels import sum_runs

        nowhere = np.zeros(len(found), dtype=np.bool_)
        if volume is None:
            return cls(None, nowhere)
        array, zero = _summable(volume.array)
        means = sum_runs(found.runs, found.begins, array, zero) / found.voxels
        if volume.invalid is None:
            return cls(means, nowhere)
        marked, zero = _summable(volume.invalid)
        return cls(means, sum_runs(found.runs, found.begins, marked, zero) > 0)

    def of_component(self, number: int) -> tuple[float | None, str]:
        """Return a component's mean, or None and the reason."""
        if self.means is None:
            return None, NO_IMAGE
        mean = float(self.means[number])
        if not np.isfinite(mean):
            return None, NOT_FINITE
        return (None, INVALID) if self.is_invalid[number] else (mean, "")


def _summable(array: AnyArray) -> tuple[AnyArray, np.int64 | np.float64]:
    """Return the array in a type that kernels read, and the zero of the type it adds up in.

    Whole numbers of up to four bytes add up exactly as int64; all else as float64.
    """
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    if array.dtype == np.float16 or not array.dtype.isnative:
        native = np.float32 if array.dtype == np.float16 else array.dtype.newbyteorder("=")
        array = array.astype(native)
    is_exact = array.dtype.kind in "iu" and array.dtype.itemsize <= 4
    return read_only(array), np.int64(0) if is_exact else np.float64(0)
