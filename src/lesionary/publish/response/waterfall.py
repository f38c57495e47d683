"""Waterfall plots: each subject's best change since the baseline, the worst on the left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.lettering import width_inches
from lesionary.publish.report.wording import rounded, shortened
from lesionary.publish.response import marks
from lesionary.publish.response.courses import Course
from lesionary.publish.response.sheets import sheets

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_BARS = 60
"""More subjects go on the next picture."""
HIGHEST_PERCENT = 150.0
"""A taller bar is cut off, and says how tall it is."""

_MOST_NUMBERED = 30
_MOST_LISTED = 24
_SMALL = 7.5
_NUMBER_POINTS = 6.5
_GAP_POINTS = 2.5
"""Between a bar and what is written at its end."""

NO_FOLLOW_UP = "no follow-up"
NO_SUM = "no complete sum"
NO_VOLUME = "no volume"


@dataclass(frozen=True, slots=True)
class Bar:
    """One subject: its best change in percent, its best response, whether a lesion was new."""

    subject: str
    percent: float
    response: str | None
    has_new_lesion: bool


def bars_of(
    courses: Sequence[Course], *, by_volume: bool = False
) -> tuple[list[Bar], list[tuple[str, str]]]:
    """Return the bars from the largest growth to the largest shrinkage, and who has none, and why.

    The best change is the smallest up to and including the first progression.
    """
    found: list[Bar] = []
    without: list[tuple[str, str]] = []
    for course in courses:
        visits = course.until_progression
        changes = [
            change
            for visit in visits
            for change in [visit.volume_change_percent if by_volume else visit.change_percent]
            if change is not None
        ]
        if changes:
            has_new = any(visit.has_new_lesion for visit in visits)
            found.append(Bar(course.subject, min(changes), course.best, has_new))
        else:
            why = (NO_VOLUME if by_volume else NO_SUM) if visits else NO_FOLLOW_UP
            without.append((course.subject, why))
    return sorted(found, key=lambda bar: (-bar.percent, bar.subject)), sorted(without)


def figure_waterfalls(
    name: str, courses: Sequence[Course], *, by_volume: bool = False
) -> tuple[Picture, ...]:
    """Draw one bar a subject.

    Parameters
    ----------
    name : str
        Of the picture; where it takes several, they are numbered.
    courses : sequence of Course
        Of one reader.
    by_volume : bool
        The targets' volume instead of the sum of their diameters.

    Returns
    -------
    tuple of Picture
        At most :data:`MOST_BARS` bars a picture; empty where no subject has a follow-up with a
        change. Who has no change is listed beside the last one.
    """
    bars, without = bars_of(courses, by_volume=by_volume)
    dealt = sheets(name, bars, MOST_BARS)
    return tuple(
        _sheet(title, sheet, without if sheet is dealt[-1][1] else [], by_volume=by_volume)
        for title, sheet in dealt
    )


def _sheet(
    name: str, bars: Sequence[Bar], without: Sequence[tuple[str, str]], *, by_volume: bool
) -> Picture:
    what = "target volume" if by_volume else "target sum"
    lines = _listed(without)
    beside = max((width_inches(line, _SMALL) for line in lines), default=0.0)
    width = max(4.2, 1.4 + 0.24 * len(bars)) + beside + (0.5 if lines else 0.0)
    with drawing((width, 3.9)) as (figure, axes):
        for at, bar in enumerate(bars):
            _draw(axes, at, bar, is_numbered=len(bars) <= _MOST_NUMBERED)
        _limits(axes, bars, by_volume=by_volume)
        axes.set_xticks(range(len(bars)), [shortened(bar.subject, 14) for bar in bars], rotation=90)
        axes.tick_params(axis="x", length=0, labelsize=_SMALL)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(f"best change of the {what} (%)")
        handles: list[Artist] = [*marks.patches(bar.response for bar in bars)]
        if any(bar.has_new_lesion for bar in bars):
            handles.append(marks.point("new lesion", marks.NEW_LESION))
        marks.add_key(figure, handles)
        if lines:
            axes.annotate(
                "\n".join(lines),
                (1.0, 1.0),
                xycoords="axes fraction",
                xytext=(28, 0),
                textcoords="offset points",
                va="top",
                fontsize=_SMALL,
                color=palette.GREY,
                annotation_clip=False,
            )
        return picture_of(figure, name, f"Best change of the {what} from baseline, by subject")


def _draw(axes: "Axes", at: int, bar: Bar, *, is_numbered: bool) -> None:
    mark = marks.mark_of(bar.response)
    height = min(bar.percent, HIGHEST_PERCENT)
    axes.bar(
        at,
        height,
        0.78,
        facecolor=mark.colour,
        edgecolor=palette.INK,
        hatch=mark.hatch,
        linewidth=0.7,
        zorder=3,
    )
    side = 1 if height >= 0 else -1
    away = _GAP_POINTS
    if is_numbered or bar.percent > HIGHEST_PERCENT:
        axes.annotate(
            rounded(bar.percent, 0),
            (at, height),
            xytext=(0, side * away),
            textcoords="offset points",
            ha="center",
            va="bottom" if side > 0 else "top",
            fontsize=_NUMBER_POINTS,
            color=palette.INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            zorder=4,
        )
        away += _NUMBER_POINTS + 2
    if bar.has_new_lesion:
        marks.star(axes, (at, height), above_points=side * (away + 3))


def _limits(axes: "Axes", bars: Sequence[Bar], *, by_volume: bool) -> None:
    """Draw the thresholds, and leave room for what is written at the bars' ends."""
    thresholds = (
        (marks.PARTIAL_VOLUME_PERCENT, marks.PROGRESSION_VOLUME_PERCENT)
        if by_volume
        else (marks.PARTIAL_PERCENT, marks.PROGRESSION_PERCENT)
    )
    for threshold in thresholds:
        marks.threshold(axes, threshold, is_beside=True)
    axes.axhline(0, color=palette.INK, linewidth=0.8, zorder=3)
    heights = [min(bar.percent, HIGHEST_PERCENT) for bar in bars]
    low, high = min(thresholds[0], *heights), max(thresholds[1], *heights)
    axes.set_ylim(low - 0.13 * (high - low), high + 0.13 * (high - low))
    axes.set_xlim(-0.7, max(len(bars), 6) - 0.3)


def _listed(without: Sequence[tuple[str, str]]) -> list[str]:
    if not without:
        return []
    shown = [f"{shortened(subject, 20)}: {why}" for subject, why in without[:_MOST_LISTED]]
    n_more = len(without) - len(shown)
    return ["Without a change:", *shown, *([f"and {n_more} more"] if n_more else [])]
