"""Lesion evolution strips: one row a lesion, one column a time point, both axes drawn on the slice.

All pictures of a row have one scale, so what looks smaller is smaller.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import BoolArray
from lesionary.publish.comparison.picture import PNG_DPI, Picture
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing, svg_of
from lesionary.publish.report.gallery import Segment
from lesionary.publish.report.lettering import fitted
from lesionary.publish.report.panel import outline_loops
from lesionary.publish.report.wording import DASH, millimetres, rounded
from lesionary.publish.response.sheets import sheets

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MOST_ROWS = 4
"""So many fit on a sheet of paper with a heading; more lesions go on the next picture."""
SCALE_BAR_MM = 10.0

_NAME_INCHES, _CELL_INCHES, _TEXT_INCHES, _HEAD_INCHES = 1.0, 1.42, 0.46, 0.34
_GAP_INCHES = 0.08
_SMALL, _TINY = 7.5, 6.5


@dataclass(frozen=True, slots=True, eq=False)
class StripImage:
    """The section in which a lesion was measured, turned as a radiologist reads it.

    Parameters
    ----------
    pixels : uint8 array, shape (n, n)
        Windowed, the lesion in the middle.
    mask : bool array of the same shape
        The lesion in this section.
    pixel_mm : float
        Side of a pixel.
    long_axis, short_axis : Segment, optional
        Both ends in row and column; whole numbers are pixel centres.
    long_axis_mm, short_axis_mm : float, optional
        Their lengths.
    """

    pixels: NDArray[np.uint8]
    mask: BoolArray
    pixel_mm: float
    long_axis: Segment | None
    short_axis: Segment | None
    long_axis_mm: float | None
    short_axis_mm: float | None


@dataclass(frozen=True, slots=True, eq=False)
class StripCell:
    """One lesion at one time point.

    Parameters
    ----------
    image : StripImage, optional
        None where there is nothing to show.
    words : str
        In place of the picture, such as ``absent``; empty where there is one.
    diameter : str
        As recorded, such as ``44.7 mm``; of the parts of a split lesion their sum.
    note : str
        A word more, such as ``split in 2``.
    """

    image: StripImage | None
    words: str = ""
    diameter: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class StripRow:
    """One lesion through time: its name, what else is known of it, one cell a column."""

    track: str
    about: tuple[str, ...]
    cells: tuple[StripCell, ...]


def figure_strips(
    name: str, title: str, columns: Sequence[str], rows: Sequence[StripRow]
) -> tuple[Picture, ...]:
    """Draw lesions through time.

    Parameters
    ----------
    name : str
        Of the picture; where it takes several, they are numbered.
    title : str
        What somebody hears who does not see it.
    columns : sequence of str
        What stands above each column: time point, and day or shifted date in a second line.
    rows : sequence of StripRow
        With as many cells as there are columns.

    Returns
    -------
    tuple of Picture
        At most :data:`MOST_ROWS` lesions each; empty where there is no lesion.
    """
    return tuple(
        _sheet(file_name, title, columns, sheet)
        for file_name, sheet in sheets(name, rows, MOST_ROWS)
    )


def _sheet(name: str, title: str, columns: Sequence[str], rows: Sequence[StripRow]) -> Picture:
    width = _NAME_INCHES + len(columns) * (_CELL_INCHES + _GAP_INCHES)
    height = _HEAD_INCHES + len(rows) * (_CELL_INCHES + _TEXT_INCHES)
    with drawing((width, height)) as (figure, axes):
        axes.remove()
        figure.set_layout_engine("none")
        shown: list[AxesImage] = []
        for n, heading in enumerate(columns):
            left = _NAME_INCHES + n * (_CELL_INCHES + _GAP_INCHES) + _CELL_INCHES / 2
            figure.text(
                left / width,
                1 - 0.04 / height,
                heading,
                ha="center",
                va="top",
                fontsize=_SMALL,
                color=palette.INK,
                linespacing=1.25,
            )
        for at, row in enumerate(rows):
            top = height - _HEAD_INCHES - at * (_CELL_INCHES + _TEXT_INCHES)
            _name(figure, row, height, top)
            is_first = True
            for n, cell in enumerate(row.cells):
                left = _NAME_INCHES + n * (_CELL_INCHES + _GAP_INCHES)
                bottom = (top - _CELL_INCHES) / height
                box = (left / width, bottom, _CELL_INCHES / width, _CELL_INCHES / height)
                panel = figure.add_axes(box)
                shown += _cell(panel, cell, has_scale=is_first)
                is_first = is_first and cell.image is None
        svg = svg_of(figure, f"{name} {title}", title)
        for image in shown:
            # A browser smooths what it enlarges; the picture of pixels must be smoothed here.
            image.set_interpolation("bilinear")
        buffer = io.BytesIO()
        figure.savefig(
            buffer, format="png", dpi=PNG_DPI, facecolor="white", metadata={"Software": None}
        )
        return Picture(name, title, svg, buffer.getvalue(), width)


def _name(figure: "Figure", row: StripRow, height: float, top: float) -> None:
    """Write a lesion's name left of its pictures, and below it what else is known."""
    lines = [line for text in row.about for line in fitted(text, _NAME_INCHES - 0.1, _SMALL)]
    figure.text(0, top / height, row.track, va="top", fontsize=12, fontweight="bold")
    figure.text(
        0,
        (top - 0.22) / height,
        "\n".join(lines),
        va="top",
        fontsize=_SMALL,
        color=palette.GREY,
        linespacing=1.3,
    )


def _cell(axes: "Axes", cell: StripCell, *, has_scale: bool) -> "list[AxesImage]":
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    below = [cell.diameter, *_lengths(cell)] if cell.image else [cell.diameter, cell.note]
    below = [text for text in below if text]
    for n, text in enumerate(below):
        axes.annotate(
            text,
            (0.0, 0.0),
            xycoords="axes fraction",
            xytext=(0, -3 - 10 * n),
            textcoords="offset points",
            va="top",
            fontsize=_SMALL if n == 0 else _TINY,
            fontweight="bold" if n == 0 and cell.diameter else "normal",
            color=palette.INK if n == 0 else palette.GREY,
            annotation_clip=False,
        )
    if cell.image is None:
        axes.set_facecolor("#f1f2f4")
        words = "\n".join(fitted(cell.words, _CELL_INCHES - 0.2, 8.5))
        axes.text(
            0.5,
            0.5,
            words,
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=8.5,
            color=palette.GREY,
        )
        return []
    return [_picture(axes, cell.image, has_scale=has_scale)]


def _lengths(cell: StripCell) -> list[str]:
    """Name both axes' lengths, and what else there is to say."""
    image = cell.image
    if image is None or image.long_axis_mm is None:
        return [cell.note]
    lengths = f"{millimetres(image.long_axis_mm)} × {millimetres(image.short_axis_mm)}"
    return [" · ".join(text for text in (lengths, cell.note) if text and DASH not in text[:1])]


def _picture(axes: "Axes", image: StripImage, *, has_scale: bool) -> "AxesImage":
    from matplotlib.collections import LineCollection

    n_rows, n_columns = image.pixels.shape
    axes.set_facecolor("black")
    drawn = axes.imshow(
        image.pixels, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto"
    )
    loops = [loop[:, ::-1] for loop in outline_loops(image.mask)]
    axes.add_collection(LineCollection(loops, colors=palette.OUTLINE, linewidths=0.9))
    for segment, colour in (
        (image.short_axis, palette.SHORT_AXIS),
        (image.long_axis, palette.LONG_AXIS),
    ):
        if segment is not None:
            (r0, c0), (r1, c1) = segment
            caps: dict[str, Any] = {"solid_capstyle": "round"}
            axes.plot((c0, c1), (r0, r1), color="black", alpha=0.55, linewidth=2.0, **caps)
            axes.plot((c0, c1), (r0, r1), color=colour, linewidth=1.1, **caps)
    axes.set_xlim(-0.5, n_columns - 0.5)
    axes.set_ylim(n_rows - 0.5, -0.5)
    if has_scale:
        _scale_bar(axes, SCALE_BAR_MM / image.pixel_mm / n_columns)
    return drawn


def _scale_bar(axes: "Axes", share: float) -> None:
    """Draw the bar and name the patient's right."""
    from matplotlib.patheffects import withStroke

    for colour, width in (("black", 3.0), ("white", 1.6)):
        axes.plot(
            (0.06, 0.06 + share),
            (0.06, 0.06),
            transform=axes.transAxes,
            color=colour,
            linewidth=width,
            solid_capstyle="butt",
        )
    said: dict[str, Any] = {
        "transform": axes.transAxes,
        "color": "white",
        "fontsize": _TINY,
        "path_effects": [withStroke(linewidth=1.2, foreground="black", alpha=0.6)],
    }
    axes.text(0.06, 0.09, f"{rounded(SCALE_BAR_MM, 0)} mm", va="bottom", **said)
    axes.text(0.03, 0.5, "R", va="center", **said)
