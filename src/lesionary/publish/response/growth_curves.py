"""Growth curves: every tumour's volume over the days, one panel an animal."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lesionary.publish.comparison.boxes import COLOURS
from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing, plain_log_ticks
from lesionary.publish.report.wording import rounded, shortened
from lesionary.publish.response.courses import Row
from lesionary.publish.response.endings import name_ends
from lesionary.publish.response.sheets import sheets

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 12
"""More animals go on the next picture."""
HUMANE_UL = ((1500.0, "endpoint", True), (2000.0, "limit", False))
"""Total burden of one mouse at which most protocols end, and that none may exceed; whether its name
stands below the line."""

ALL_TUMOURS = "all"

_MOST_NAMED = 6
_UL_PER_ML = 1000.0


def figure_growth(
    name: str, growth: Iterable[Row], *, is_animal: bool = False, is_log: bool = False
) -> tuple[Picture, ...]:
    """Draw volumes over days.

    Parameters
    ----------
    name : str
        Of the picture; where it takes several, they are numbered.
    growth : iterable of mapping
        Rows of ``respond``'s ``growth``: subject, days, tumours, burden.
    is_animal : bool
        Draw the humane endpoint and limit of the total burden, and count in µL; else in ml.
    is_log : bool
        Logarithmic volumes: exponential growth is a line. Volumes of 0 have no place there.

    Returns
    -------
    tuple of Picture
        One panel a row with two days or more, at most :data:`MOST_PANELS` a picture.
    """
    rows = [row for row in growth if len(row["days"]) > 1 and row["tumours"]]
    return tuple(
        _sheet(title, sheet, is_animal=is_animal, is_log=is_log)
        for title, sheet in sheets(name, rows, MOST_PANELS)
    )


def _sheet(name: str, rows: Sequence[Row], *, is_animal: bool, is_log: bool) -> Picture:
    n_columns = min(len(rows), 3)
    n_rows = -(-len(rows) // n_columns)
    with drawing((1.2 + 2.5 * n_columns, 0.7 + 2.2 * n_rows)) as (figure, axes):
        axes.remove()
        panels = list(
            figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).flat
        )
        for panel, row in zip(panels, rows, strict=False):
            _panel(panel, row, is_animal=is_animal, is_log=is_log)
        for spare in panels[len(rows) :]:
            spare.set_visible(False)
        _make_room(panels[0], is_animal=is_animal, is_log=is_log)
        for panel, row in zip(panels, rows, strict=False):
            name_ends(panel, _ends(row, is_animal=is_animal, is_log=is_log), size_points=7)
        figure.supxlabel("days since baseline", fontsize=9)
        figure.supylabel(f"volume ({'µL' if is_animal else 'ml'})", fontsize=9)
        return picture_of(figure, name, "Tumour volumes over time, by subject")


def _make_room(axes: "Axes", *, is_animal: bool, is_log: bool) -> None:
    """Set the limits that all panels share."""
    from matplotlib.ticker import MaxNLocator

    axes.margins(x=0.05)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _, high = axes.get_ylim()
    if is_animal:
        high = max(high, HUMANE_UL[-1][0] * 1.15)
    axes.set_ylim(top=high * (1.25 if is_log else 1.0))
    if is_log:
        plain_log_ticks(axes.yaxis)
    else:
        axes.set_ylim(bottom=0)


def _panel(axes: "Axes", row: Row, *, is_animal: bool, is_log: bool) -> None:
    if is_log:
        axes.set_yscale("log")
    if is_animal:
        for limit, word, is_below in HUMANE_UL:
            axes.axhline(limit, color=palette.VERMILLION, linewidth=0.9, linestyle=(0, (5, 3)))
            axes.annotate(
                f"{rounded(limit, 0)} µL {word}",
                (0.0, limit),
                xycoords=("axes fraction", "data"),
                xytext=(2, -2 if is_below else 1.5),
                textcoords="offset points",
                va="top" if is_below else "bottom",
                fontsize=6.5,
                color=palette.VERMILLION,
            )
    for n, (name, points) in enumerate(_lines(row, is_animal=is_animal, is_log=is_log)):
        style: dict[str, Any] = {"color": COLOURS[n % len(COLOURS)], "linewidth": 1.1, "zorder": 3}
        if name == ALL_TUMOURS:
            style = {"color": palette.INK, "linewidth": 1.8, "zorder": 4}
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, **style)
    axes.set_title(shortened(_who(row), 34), loc="left", fontsize=8.5)


def _lines(
    row: Row, *, is_animal: bool, is_log: bool
) -> list[tuple[str, list[tuple[float, float]]]]:
    """Return each tumour's line, and that of all together where there are several."""
    scale = _UL_PER_ML if is_animal else 1.0
    days = sorted(row["days"].values())  # stored objects sort their keys as text
    found = []
    for tumour in row["tumours"]:
        pairs = zip(days, tumour["volumes_ml"], strict=True)
        found.append((tumour["track"], [(day, ml * scale) for day, ml in pairs if ml is not None]))
    if len(row["tumours"]) > 1:
        total = [(one["day"], one["total_ul"] / _UL_PER_ML * scale) for one in row["burden"]]
        found.append((ALL_TUMOURS, total))
    if is_log:
        found = [(name, [point for point in line if point[1] > 0]) for name, line in found]
    return [(name, line) for name, line in found if line]


def _ends(row: Row, *, is_animal: bool, is_log: bool) -> list[tuple[str, float, float]]:
    lines = _lines(row, is_animal=is_animal, is_log=is_log)
    named = (
        lines if len(lines) <= _MOST_NAMED else [line for line in lines if line[0] == ALL_TUMOURS]
    )
    return [(name, *points[-1]) for name, points in named]


def _who(row: Row) -> str:
    return " · ".join(part for part in (row["subject"], row["reader"]) if part)
