"""How responses look: a colour, a hatch and a shape each, so that none hangs on colour alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.publish.report import palette
from lesionary.publish.report.lettering import width_inches
from lesionary.publish.report.wording import rounded

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

UNKNOWN = "not judged"
"""Stands for a response that nobody could give."""

PARTIAL_PERCENT, PROGRESSION_PERCENT = -30.0, 20.0
"""RECIST's thresholds of the sum: from the baseline, and from the smallest sum."""

PARTIAL_VOLUME_PERCENT, PROGRESSION_VOLUME_PERCENT = -65.7, 72.8
"""The same carried over to the volume of a ball: 0.7³ and 1.2³."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one response is drawn."""

    colour: str
    hatch: str
    marker: str


_KEY_INCHES, _KEY_POINTS = 0.5, 8.5

_COMPLETE = Mark(palette.BLUE, "", "o")
_PARTIAL = Mark(palette.SKY, "////", "D")
_STABLE = Mark(palette.PALE, "", "s")
_NON_TARGET = Mark(palette.PALE, "....", "p")
_PROGRESSION = Mark(palette.VERMILLION, "\\\\\\\\", "X")
_UNCONFIRMED = Mark(palette.ORANGE, "xxxx", "P")
_NOTHING = Mark("#ffffff", "", "d")

NEW_LESION = Mark("#a3507f", "", "*")
"""A new lesion, whatever the response is: the palette's purple, dark enough for a small star."""

_MARKS = {
    "CR": _COMPLETE,
    "iCR": _COMPLETE,
    "PR": _PARTIAL,
    "iPR": _PARTIAL,
    "SD": _STABLE,
    "iSD": _STABLE,
    "NON-CR/NON-PD": _NON_TARGET,
    "NON-iCR/NON-iUPD": _NON_TARGET,
    "iUPD": _UNCONFIRMED,
    "PD": _PROGRESSION,
    "iCPD": _PROGRESSION,
    "NE": _NOTHING,
}
ORDER = tuple(_MARKS)
"""From the best to the worst."""


def mark_of(response: str | None) -> Mark:
    """Return how a response is drawn; None is drawn as not evaluable."""
    return _MARKS.get(response or "NE", _NOTHING)


def in_order(responses: Iterable[str | None]) -> list[str]:
    """Name every response once, from the best to the worst, what is not judged last."""
    names = {response or UNKNOWN for response in responses}
    return sorted(names, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def patches(responses: Iterable[str | None]) -> "list[Patch]":
    """Return a legend's entries for bars."""
    from matplotlib.patches import Patch

    return [
        Patch(
            facecolor=mark_of(name).colour,
            edgecolor=palette.INK,
            hatch=mark_of(name).hatch,
            linewidth=0.7,
            label=name,
        )
        for name in in_order(responses)
    ]


def points(responses: Iterable[str | None]) -> "list[Line2D]":
    """Return a legend's entries for points."""
    return [point(name, mark_of(name)) for name in in_order(responses)]


def point(name: str, mark: Mark) -> "Line2D":
    """Return one legend's entry for a point."""
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        linestyle="",
        marker=mark.marker,
        markersize=6,
        markerfacecolor=mark.colour,
        markeredgecolor=palette.INK if mark is not NEW_LESION else mark.colour,
        markeredgewidth=0.7,
        label=name,
    )


def star(axes: "Axes", spot: tuple[float, float], *, above_points: float) -> None:
    """Mark a new lesion above a point, or below it where ``above_points`` is negative."""
    axes.annotate(
        "★",
        spot,
        xytext=(0, above_points),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=8.5,
        color=NEW_LESION.colour,
        zorder=6,
        annotation_clip=False,
    )


def threshold(axes: "Axes", percent: float, *, is_beside: bool = False) -> None:
    """Draw a threshold across the axes, and write what it is inside them or to their right."""
    axes.axhline(percent, color=palette.GREY, linewidth=0.9, linestyle=(0, (5, 3)), zorder=2)
    sign = "+" if percent > 0 else ""
    axes.annotate(
        f"{sign}{rounded(percent, 0 if percent == int(percent) else 1)}",
        (1.0 if is_beside else 0.0, percent),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0) if is_beside else (2, 1.5),
        textcoords="offset points",
        va="center" if is_beside else "bottom",
        fontsize=6.5,
        color=palette.GREY,
        annotation_clip=False,
    )


def add_key(figure: "Figure", handles: "Sequence[Artist]") -> None:
    """Put the legend above the axes, in rows that fit."""
    widths = [
        _KEY_INCHES + width_inches(str(handle.get_label()), _KEY_POINTS) for handle in handles
    ]
    room = figure.get_figwidth() - 0.2
    n_columns = len(handles) if sum(widths) <= room else max(1, int(room / max(widths)))
    figure.legend(
        handles=list(handles),
        loc="outside upper left",
        ncols=n_columns,
        borderaxespad=0.2,
        columnspacing=1.2,
        handletextpad=0.5,
    )
