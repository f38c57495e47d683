"""Swimmer plots: how long each subject was followed, and what each time point said."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.wording import shortened
from lesionary.publish.response import marks
from lesionary.publish.response.courses import Course
from lesionary.publish.response.sheets import sheets
from lesionary.publish.response.spider import set_time_axis, time_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LANES = 60
"""More subjects go on the next picture."""

_ONGOING = marks.Mark(palette.GREY, "", ">")


def figure_swimmers(name: str, courses: Sequence[Course]) -> tuple[Picture, ...]:
    """Draw one lane a subject, the longest on top.

    Parameters
    ----------
    name : str
        Of the picture; where it takes several, they are numbered.
    courses : sequence of Course
        Of one reader. An arrow says that nothing has progressed up to the last visit.

    Returns
    -------
    tuple of Picture
        Empty where no subject has a follow-up. Days are the axis where all visits have one, else
        time points.
    """
    followed = [course for course in courses if len(course.visits) > 1]
    is_dated = all(course.is_dated for course in followed)
    lanes = sorted(
        followed, key=lambda one: (-time_of(one.visits[-1], is_dated=is_dated), one.subject)
    )
    return tuple(
        _sheet(title, sheet, is_dated=is_dated) for title, sheet in sheets(name, lanes, MOST_LANES)
    )


def _sheet(name: str, lanes: Sequence[Course], *, is_dated: bool) -> Picture:
    with drawing((6.2, 1.25 + 0.235 * max(len(lanes), 2))) as (figure, axes):
        visits = [visit for course in lanes for visit in course.visits]
        set_time_axis(axes, visits, is_dated=is_dated)
        for at, course in enumerate(lanes):
            _lane(axes, at, course, is_dated=is_dated)
        axes.set_yticks(range(len(lanes)), [shortened(course.subject, 18) for course in lanes])
        axes.tick_params(axis="y", length=0, labelsize=7.5)
        axes.set_ylim(max(len(lanes), 2) - 0.4, -0.7)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        handles = marks.points(visit.response for c in lanes for visit in c.visits[1:])
        if any(visit.has_new_lesion for visit in visits):
            handles.append(marks.point("new lesion", marks.NEW_LESION))
        if not all(course.has_progressed for course in lanes):
            handles.append(marks.point("not progressed so far", _ONGOING))
        marks.add_key(figure, handles)
        return picture_of(figure, name, "Time under observation and responses, by subject")


def _lane(axes: "Axes", at: int, course: Course, *, is_dated: bool) -> None:
    end = time_of(course.visits[-1], is_dated=is_dated)
    axes.barh(at, end, 0.34, color="#e6e8eb", zorder=1)
    if not course.has_progressed:
        axes.annotate(
            "",
            (end, at),
            xytext=(17, 0),
            textcoords="offset points",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "<|-",
                "color": palette.GREY,
                "linewidth": 1.1,
                "shrinkA": 0,
                "shrinkB": 5,
            },
        )
    for visit in course.visits[1:]:
        mark = marks.mark_of(visit.response)
        time = time_of(visit, is_dated=is_dated)
        axes.scatter(
            time,
            at,
            marker=mark.marker,
            s=40,
            c=mark.colour,
            edgecolors=palette.INK,
            linewidths=0.7,
            zorder=3,
        )
        if visit.has_new_lesion:
            marks.star(axes, (time, at), above_points=7.5)
