"""Spider plots: how every subject's target sum went over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.response import marks
from lesionary.publish.response.courses import PROGRESSED, Course, Visit
from lesionary.publish.response.endings import name_ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

MOST_NAMED = 8
"""With more subjects their names would lie on each other."""
HIGHEST_PERCENT = 200.0
"""Lines leave the picture here, and the axis says so."""

_LINE_OF_STABLE = palette.OTHERS
_MARK: dict[str, Any] = {
    "markeredgecolor": palette.INK,
    "markeredgewidth": 0.6,
    "markersize": 7,
    "zorder": 5,
    "clip_on": False,
}


def figure_spider(name: str, courses: Sequence[Course]) -> Picture | None:
    """Draw one line a subject, coloured by its best response.

    Parameters
    ----------
    name : str
        Of the picture.
    courses : sequence of Course
        Of one reader. Days are the axis where every visit of every course has one, else time
        points.

    Returns
    -------
    Picture or None
        None where no subject has a follow-up with a complete sum. A line leaps over visits without
        a complete sum.
    """
    drawn = [(course, _seen(course)) for course in courses]
    drawn = [(course, seen) for course, seen in drawn if len(seen) > 1]
    if not drawn:
        return None
    is_dated = all(course.is_dated for course, _ in drawn)
    changes = [visit.change_percent or 0.0 for _, seen in drawn for visit in seen]
    with drawing((5.6, 4.0)) as (figure, axes):
        for course, seen in drawn:
            _line(axes, course, seen, is_dated=is_dated)
        for threshold in (marks.PARTIAL_PERCENT, marks.PROGRESSION_PERCENT):
            marks.threshold(axes, threshold)
        axes.axhline(0, color=palette.INK, linewidth=0.8)
        is_cut = max(changes) > HIGHEST_PERCENT
        top = HIGHEST_PERCENT if is_cut else max(30.0, max(changes) * 1.08)
        axes.set_ylim(min(-40.0, min(changes) - 6), top)
        cut = f", cut at +{HIGHEST_PERCENT:.0f}" if is_cut else ""
        axes.set_ylabel(f"change of the target sum (%{cut})")
        set_time_axis(axes, [visit for _, seen in drawn for visit in seen], is_dated=is_dated)
        if len(drawn) <= MOST_NAMED:
            name_ends(
                axes,
                [
                    (course.subject, time_of(seen[-1], is_dated=is_dated), _height(seen[-1]))
                    for course, seen in drawn
                ],
            )
        marks.add_key(figure, _key(drawn))
        return picture_of(figure, name, "Target sum over time, by subject")


def time_of(visit: Visit, *, is_dated: bool) -> float:
    """Return a visit's day, or its number."""
    return float(visit.day or 0) if is_dated else float(visit.place)


def set_time_axis(axes: "Axes", visits: Sequence[Visit], *, is_dated: bool) -> None:
    """Name the axis of time; numbers of time points are whole."""
    from matplotlib.ticker import MaxNLocator

    latest = max(time_of(visit, is_dated=is_dated) for visit in visits)
    axes.set_xlim(-0.02 * max(latest, 1.0), max(latest, 1.0) * 1.04)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.set_xlabel("days since baseline" if is_dated else "time point")


def _seen(course: Course) -> list[Visit]:
    return [visit for visit in course.visits if visit.change_percent is not None]


def _height(visit: Visit) -> float:
    """Return where a visit is drawn; one beyond the picture stays at its edge."""
    return min(visit.change_percent or 0.0, HIGHEST_PERCENT)


def _line(axes: "Axes", course: Course, seen: Sequence[Visit], *, is_dated: bool) -> None:
    colour = _colour(course.best)
    times = [time_of(visit, is_dated=is_dated) for visit in seen]
    changes = [visit.change_percent or 0.0 for visit in seen]
    axes.plot(times, changes, color=colour, linewidth=1.5, solid_joinstyle="round", zorder=3)
    axes.scatter(times[1:], changes[1:], s=11, c=colour, zorder=4, linewidths=0)
    for time, visit in zip(times, seen, strict=True):
        if visit.response in PROGRESSED:
            mark = marks.mark_of(visit.response)
            axes.plot(time, _height(visit), marker=mark.marker, color=mark.colour, **_MARK)
        if visit.has_new_lesion:
            marks.star(axes, (time, _height(visit)), above_points=8)


def _colour(response: str | None) -> str:
    """Return a line's colour; the pale one of bars would hardly be seen."""
    colour = marks.mark_of(response).colour
    return (
        _LINE_OF_STABLE if colour == palette.PALE else palette.GREY if response is None else colour
    )


def _key(drawn: Sequence[tuple[Course, Sequence[Visit]]]) -> "list[Line2D]":
    from matplotlib.lines import Line2D

    names = marks.in_order(course.best for course, _ in drawn)
    handles = [
        Line2D(
            [],
            [],
            color=_colour(None if n == marks.UNKNOWN else n),
            linewidth=2,
            label=f"best: {n}",
        )
        for n in names
    ]
    visits = [visit for _, seen in drawn for visit in seen]
    ends = [visit.response for visit in visits if visit.response in PROGRESSED]
    handles += marks.points(ends)
    if any(visit.has_new_lesion for visit in visits):
        handles.append(marks.point("new lesion", marks.NEW_LESION))
    return handles
