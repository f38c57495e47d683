"""A subject's target sum over time, with the lines at which response changes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.response import marks
from lesionary.publish.response.courses import Row, days_since_first, overall_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PARTIAL, _PROGRESSION, _GROWTH_MM = 0.7, 1.2, 5.0


def figure_sum(name: str, rows: Sequence[Row]) -> Picture | None:
    """Draw one subject's sum, as one reader measured it.

    Parameters
    ----------
    name : str
        Of the picture, unique within a page.
    rows : sequence of mapping
        Responses in order of time; ``sum_interval_mm``, where a row has it, is drawn as its range.

    Returns
    -------
    Picture or None
        None where fewer than two time points have a complete sum, or the baseline has none.
    """
    if not rows or not rows[0]["sum_mm"]:
        return None
    days = days_since_first(row["date"] for row in rows)
    is_dated = all(day is not None for day in days)
    times = [float(day or 0) if is_dated else float(n) for n, day in enumerate(days)]
    known = [n for n, row in enumerate(rows) if row["sum_mm"] is not None]
    if len(known) < 2:
        return None
    with drawing((5.4, 2.4)) as (figure, axes):
        highest = _lines(axes, rows, times)
        sums = [float(rows[n]["sum_mm"]) for n in known]
        axes.plot([times[n] for n in known], sums, color=palette.INK, linewidth=1.5, zorder=3)
        for n in known:
            _point(axes, times[n], rows[n], is_baseline=n == 0)
        axes.set_ylim(0, 1.12 * max(*sums, highest))
        axes.set_xlim(-0.03 * max(times[-1], 1), max(times[-1], 1) * 1.05)
        axes.set_xlabel("days since baseline" if is_dated else "time point")
        axes.set_ylabel("sum of targets (mm)")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
        return picture_of(figure, name, "Sum of the targets over time")


def _lines(axes: "Axes", rows: Sequence[Row], times: Sequence[float]) -> float:
    """Draw where PR and, at each time point, PD begin; return the highest."""
    from matplotlib.ticker import MaxNLocator

    axes.axhline(
        _PARTIAL * float(rows[0]["sum_mm"]),
        color=marks.mark_of("PR").colour,
        linewidth=1.1,
        linestyle=(0, (5, 3)),
        label="PR from here down",
    )
    limits = [
        (time, max(_PROGRESSION * float(row["nadir_mm"]), float(row["nadir_mm"]) + _GROWTH_MM))
        for time, row in zip(times, rows, strict=True)
        if row["nadir_mm"] is not None
    ]
    axes.step(
        [times[0], *(time for time, _ in limits)],
        [limits[0][1], *(limit for _, limit in limits)],
        where="pre",
        color=marks.mark_of("PD").colour,
        linewidth=1.1,
        linestyle=(0, (5, 3)),
        label="PD from here up",
    )
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    return max(limit for _, limit in limits)


def _point(axes: "Axes", time: float, row: Row, *, is_baseline: bool) -> None:
    mark = marks.mark_of(None if is_baseline else overall_of(row))
    interval = row.get("sum_interval_mm")
    if interval:
        low, high = (float(end) for end in interval)
        axes.plot((time, time), (low, high), color=palette.GREY, linewidth=1.2, zorder=3)
    axes.scatter(
        time,
        float(row["sum_mm"]),
        marker=mark.marker,
        s=42,
        c="black" if is_baseline else mark.colour,
        edgecolors=palette.INK,
        linewidths=0.7,
        zorder=4,
    )
    if not is_baseline:
        axes.annotate(
            overall_of(row) or marks.UNKNOWN,
            (time, float(row["sum_mm"])),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            zorder=5,
        )
