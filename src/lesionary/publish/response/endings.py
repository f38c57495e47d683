"""Names at the ends of lines, pushed apart where they would touch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lesionary.publish.report import palette
from lesionary.publish.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_NAME = 16


def spread(places: Sequence[float], step: float) -> list[float]:
    """Move places upwards until each is at least ``step`` above the one below it.

    Parameters
    ----------
    places : sequence of float
        In any order; equal ones keep theirs.
    step : float

    Returns
    -------
    list of float
        In the given order.

    Examples
    --------
    >>> spread([0.5, 0.0, 0.1], 0.2)
    [0.5, 0.0, 0.2]
    """
    found = list(places)
    last = float("-inf")
    for index in sorted(range(len(found)), key=lambda n: found[n]):
        last = found[index] = max(found[index], last + step)
    return found


def name_ends(
    axes: "Axes", ends: Sequence[tuple[str, float, float]], *, size_points: float = 7.5
) -> None:
    """Write names to the right of the axes, each tied to its line's last point.

    Parameters
    ----------
    axes : Axes
        With its final limits.
    ends : sequence of (str, float, float)
        Name, and the line's last point in data.
    size_points : float
    """
    to_axes = axes.transScale + axes.transLimits
    heights = [min(float(to_axes.transform((x, y))[1]), 1.0) for _, x, y in ends]
    height_points = axes.get_position().height * axes.get_figure().get_figheight() * 72  # type: ignore[union-attr]
    step = 1.15 * size_points / max(height_points, 1.0)
    placed = spread(heights, step)
    beyond = max([0.0, *placed]) - 1.0
    for (name, x, y), at in zip(ends, placed, strict=True):
        axes.annotate(
            shortened(name, _LONGEST_NAME),
            (x, y),
            xytext=(1.015, at - max(beyond, 0.0)),
            textcoords="axes fraction",
            va="center",
            fontsize=size_points,
            color=palette.INK,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": palette.PALE,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 2,
            },
        )
