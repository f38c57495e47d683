"""A subject's lesions through time as pictures: cut out of the scans they were measured on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from lesionary.app.pictures import display_window
from lesionary.core.volume import AnyArray, Geometry, LabelMap, Volume

if TYPE_CHECKING:
    from lesionary.app.results import SeriesResult
    from lesionary.app.study import Study
    from lesionary.publish.comparison.picture import Picture
    from lesionary.publish.report.gallery import Segment
    from lesionary.publish.response.strips import StripCell, StripImage, StripRow

PIXELS = 144
"""Rows and columns of a picture, whatever the scan's are."""
LEAST_FIELD_MM = 36.0
"""No picture shows less: a small nodule needs its neighbourhood."""

_SURROUNDINGS = 1.7
"""Field of a row's pictures: so many times its lesion's longest axis."""

_WORDS = {
    "absent": "absent",
    "too_small": "too small to measure",
    "not_evaluable": "not evaluable",
    "present": "present, not measured",
    "unequivocal_progression": "unequivocal progression",
}
NOT_YET = "not seen yet"
NOT_LOOKED_AT = "not looked at"

Row = Mapping[str, Any]
Key = tuple[str, str]
"""Track and time point."""


def strips_of(
    study: "Study",
    judged: Row,
    results: "Sequence[SeriesResult]",
    *,
    reader: str = "",
    name: str = "strips",
) -> "tuple[Picture, ...]":
    """Draw one subject's lesions through time, as one reader saw them.

    Parameters
    ----------
    study : Study
        For the scans and masks, one series in memory at a time.
    judged : mapping
        What :func:`~lesionary.app.responding.judge_subject` put out.
    results : sequence of SeriesResult
        Of this subject; others are passed over.
    reader : str
        As the observations name the reader.
    name : str
        Of the pictures.

    Returns
    -------
    tuple of Picture
        Several, numbered, where there are many lesions; empty where the reader saw none, or
        response could not be judged.
    """
    from lesionary.publish.response.strips import figure_strips

    book = _Book.of(judged, results, reader)
    if not book.timepoints:
        return ()
    images: dict[Key, StripImage] = {}
    for result in results:
        own = book.shown_in(result.id)
        if own:
            volume = study.objects.get_volume(result.prepared["object"])
            drawn = study.objects.get_label_map(result.measured["mask"])
            window = str(result.prepared["window"])
            for key, parts in own:
                images[key] = strip_image(volume, drawn, parts, book.fields_mm[key[0]], window)
    rows = [book.row(track, images) for track in book.tracks]
    title = f"Lesions of {judged['responses'][0]['subject']} through time"
    title += f", as {reader} saw them" if reader else ""
    return figure_strips(name, title, book.headings, rows)


def strip_image(
    volume: Volume, drawn: LabelMap, parts: Sequence[Row], field_mm: float, window: str
) -> "StripImage":
    """Cut one measured lesion out of its scan.

    Parameters
    ----------
    volume, drawn : Volume, LabelMap
        On one grid; in the map a lesion's number is its value.
    parts : sequence of mapping
        The lesion as the measure stage put it out, with its axes. Of one that has split the first
        part is measured; all are outlined where they show.
    field_mm : float
        Side of the picture: the same for all pictures of a lesion.
    window : str
        What the region is shown in where the label names no organ.

    Returns
    -------
    StripImage
        Of the slice of the long axis, its middle in the middle; the patient's right on the
        viewer's left, anterior up. Black beyond the scan.
    """
    from lesionary.publish.response.strips import StripImage

    volume.geometry.require_same_grid(drawn.geometry)
    row = parts[0]
    ends_mm = np.array([row["long_axis_points_mm"], row["short_axis_points_mm"]], dtype=np.float64)
    view = _View.of(volume.geometry, row["slice_index"], ends_mm[0].mean(axis=0), field_mm)
    grey = display_window(volume, str(row["label"]), window)
    section = view.section(volume.array)
    invalid = None if volume.invalid is None else view.section(volume.invalid)
    values = grey.apply(section, invalid).astype(np.float64)
    mask = np.isin(view.section(drawn.array), [part["lesion"] for part in parts])
    long_axis, short_axis = (view.segment(volume.geometry, points) for points in ends_mm)
    return StripImage(
        pixels=np.rint(view.sampled(values, order=1)).astype(np.uint8),
        mask=view.sampled(mask.astype(np.float64), order=0) > 0.5,
        pixel_mm=field_mm / PIXELS,
        long_axis=long_axis,
        short_axis=short_axis,
        long_axis_mm=row["long_axis_mm"],
        short_axis_mm=row["short_axis_mm"],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """One section of a grid, and where in it each pixel of a picture lies."""

    across: int
    index: int
    axes: tuple[int, int]
    starts: tuple[float, float]
    steps: tuple[float, float]

    @staticmethod
    def of(geometry: Geometry, index: int, centre_mm: AnyArray, field_mm: float) -> "_View":
        """Turn the section so that rows go down to posterior and columns to the patient's left."""
        across = geometry.superior_axis
        first, second = (axis for axis in range(3) if axis != across)
        x, y, _ = np.abs(geometry.directions)
        if x[first] + y[second] > x[second] + y[first]:
            first, second = second, first
        centre = geometry.to_index(centre_mm[np.newaxis])[0]
        starts, steps = [], []
        for axis, towards in ((first, 1), (second, 0)):
            sign = -1.0 if geometry.directions[towards, axis] < 0 else 1.0
            step = sign * field_mm / PIXELS / geometry.spacing_mm[axis]
            steps.append(step)
            starts.append(float(centre[axis]) - step * (PIXELS - 1) / 2)
        return _View(across, index, (first, second), (starts[0], starts[1]), (steps[0], steps[1]))

    def section(self, array: AnyArray) -> AnyArray:
        """Return the slice, rows first."""
        found: AnyArray = array.take(self.index, axis=self.across)
        return found.T if self.axes[0] > self.axes[1] else found

    def sampled(self, section: AnyArray, *, order: int) -> AnyArray:
        """Read a section at every pixel; 0 beyond its voxels."""
        from scipy.ndimage import map_coordinates

        places = [
            start + step * np.arange(PIXELS)
            for start, step in zip(self.starts, self.steps, strict=True)
        ]
        grid = np.meshgrid(*places, indexing="ij")
        found: AnyArray = map_coordinates(section, grid, order=order, mode="grid-constant")
        return found

    def segment(self, geometry: Geometry, points_mm: AnyArray) -> "Segment":
        """Return two world points, shape (2, 3), in rows and columns of the picture."""
        ends = geometry.to_index(points_mm)[:, list(self.axes)]
        (r0, c0), (r1, c1) = ((ends - self.starts) / self.steps).tolist()
        return (r0, c0), (r1, c1)


@dataclass(frozen=True, slots=True, eq=False)
class _Book:
    """What one reader saw, and which measured lesions show it.

    ``lesions`` has the rows of a track's parts at a time point, the largest first, each with its
    series.
    """

    timepoints: tuple[str, ...]
    headings: tuple[str, ...]
    observations: Mapping[Key, Sequence[Row]]
    lesions: Mapping[Key, Sequence[tuple[str, Row]]]
    fields_mm: Mapping[str, float]

    @classmethod
    def of(cls, judged: Row, results: "Sequence[SeriesResult]", reader: str) -> "_Book":
        """Gather what one reader saw of one subject."""
        from lesionary.publish.response.courses import days_since_first

        responses = [row for row in judged.get("responses", ()) if (row["reader"] or "") == reader]
        days = days_since_first(row["date"] for row in responses)
        headings = [
            f"time {row['timepoint']}" + ("" if day is None else f"\nday {day}")
            for row, day in zip(responses, days, strict=True)
        ]
        observations: dict[Key, list[Row]] = {}
        for one in judged["observations"]:
            if one["reader"] == reader:
                observations.setdefault((one["lesion"], one["timepoint"]), []).append(one)
        lesions = _carried(_lesions(judged["members"], results, reader), observations)
        fields_mm: dict[str, float] = {}
        for (track, _), rows in lesions.items():
            longest = max(float(row["long_axis_mm"]) for _, row in rows)
            field_mm = max(LEAST_FIELD_MM, _SURROUNDINGS * longest)
            fields_mm[track] = max(fields_mm.get(track, 0.0), field_mm)
        timepoints = tuple(str(row["timepoint"]) for row in responses)
        return cls(timepoints, tuple(headings), observations, lesions, fields_mm)

    @property
    def tracks(self) -> list[str]:
        """The lesions: targets first, then in order of their names."""
        kinds = {track: rows[0]["role"] for (track, _), rows in self.observations.items()}
        order = ("target", "non-target", "new", "marker")
        return sorted(kinds, key=lambda track: (order.index(kinds[track]), len(track), track))

    def shown_in(self, series: str) -> list[tuple[Key, list[Row]]]:
        """Return what a series shows: track and time point, and the parts that are drawn."""
        return [
            (key, [row for name, row in rows if name == series])
            for key, rows in self.lesions.items()
            if rows[0][0] == series and key in self.observations
        ]

    def row(self, track: str, images: "Mapping[Key, StripImage]") -> "StripRow":
        """Put together a lesion's row."""
        from lesionary.publish.response.strips import StripRow

        first = next(rows[0] for (name, _), rows in self.observations.items() if name == track)
        about = tuple(text for text in (first["organ"], first["role"]) if text)
        cells = [self._cell(track, name, images.get((track, name))) for name in self.timepoints]
        return StripRow(track, about, tuple(cells))

    def _cell(self, track: str, timepoint: str, image: "StripImage | None") -> "StripCell":
        from lesionary.publish.response.strips import StripCell

        seen = self.observations.get((track, timepoint), ())
        if not seen:
            return StripCell(None, NOT_YET if self._is_before(track, timepoint) else NOT_LOOKED_AT)
        sizes = [Decimal(one["diameter_mm"]) for one in seen if one["diameter_mm"] is not None]
        measured = f"{sum(sizes)} mm" if sizes else ""
        note = f"split in {len(seen)}" if len(seen) > 1 else ""
        if image is not None:
            return StripCell(image, diameter=measured, note=note)
        one = seen[0]
        if one["status"] == "merged":
            return StripCell(None, f"merged with {one['merged_into'] or 'another'}", note=note)
        return StripCell(None, _WORDS[one["status"]], measured, note)

    def _is_before(self, track: str, timepoint: str) -> bool:
        seen = [self.timepoints.index(when) for name, when in self.observations if name == track]
        return self.timepoints.index(timepoint) < min(seen)


def _carried(
    lesions: dict[Key, list[tuple[str, Row]]], observations: Mapping[Key, Sequence[Row]]
) -> dict[Key, list[tuple[str, Row]]]:
    """Hand the one lesion of a merger to the track that carries its diameter."""
    for (track, timepoint), seen in observations.items():
        carrier = seen[0]["merged_into"]
        own = lesions.pop((track, timepoint), None) if carrier else None
        if own:
            lesions.setdefault((carrier, timepoint), own)
    return lesions


def _lesions(
    members: Iterable[Row], results: "Sequence[SeriesResult]", reader: str
) -> dict[Key, list[tuple[str, Row]]]:
    """Return a reader's measured lesions by track and time point, the largest first.

    Of several series of a time point the one that shows the largest is taken.
    """
    by_series = {result.id: result for result in results}
    found: dict[Key, list[tuple[str, Row]]] = {}
    for member in members:
        result = by_series.get(member["series"])
        if result is None:
            continue
        row = next((one for one in result.lesions if one["lesion"] == member["lesion"]), None)
        if row is None or row["slice_index"] is None or (row["reader"] or "") != reader:
            continue
        key = (str(member["track"]), str(result.row["timepoint"]))
        found.setdefault(key, []).append((result.id, row))
    for rows in found.values():
        rows.sort(key=lambda one: (-float(one[1]["long_axis_mm"]), one[0], one[1]["lesion"]))
    return found
