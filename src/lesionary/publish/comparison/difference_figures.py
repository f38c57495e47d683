"""Bland–Altman plots: difference against mean, with bias and limits of agreement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.core.volume import BoolArray, FloatArray
from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 15


@dataclass(frozen=True, slots=True, eq=False)
class PairedDifferences:
    """What one panel shows.

    Parameters
    ----------
    title : str
        Whose readings.
    means, differences : float array, shape (n,)
        Of the two readings of each tumour; differences are first minus second.
    is_missed : bool array, shape (n,)
        Where one of the two is the 0 of something missed: drawn hollow.
    limits : tuple of float or None
        Bias, lower and upper limit of agreement; None where undefined.
    """

    title: str
    means: FloatArray
    differences: FloatArray
    is_missed: BoolArray
    limits: tuple[float | None, float | None, float | None]


def figure_bland_altman(
    name: str,
    title: str,
    pairs: Sequence[PairedDifferences],
    quantity: tuple[str, str],
    unit: str,
    *,
    is_shared: bool = True,
) -> Picture:
    """Draw one panel a pair.

    Parameters
    ----------
    quantity : tuple of str
        What stands below, and its unit: ``("mean volume", "ml")``.
    unit : str
        Of the differences.
    is_shared : bool
        All panels have the same axes: for pairs of readers, not for labels of different sizes.
    """
    shown = list(pairs)[:MOST_PANELS]
    if len(shown) < len(pairs):
        title += f"; {len(shown)} of {len(pairs)}"
    n_columns = min(len(shown), 3)
    n_rows = -(-len(shown) // n_columns)
    with drawing((2.2 + 2.5 * n_columns, 0.8 + 2.5 * n_rows)) as (figure, axes):
        axes.remove()
        grid = figure.subplots(n_rows, n_columns, sharex=is_shared, sharey=is_shared, squeeze=False)
        panels = list(grid.flat)
        for panel, pair in zip(panels, shown, strict=False):
            _draw_differences(panel, pair)
        for panel in panels[:1] if is_shared else panels[: len(shown)]:
            _make_room(panel)
        for spare in panels[len(shown) :]:
            spare.set_visible(False)
        figure.supxlabel(f"{quantity[0]} ({quantity[1]})", fontsize=9)
        figure.supylabel(f"difference ({unit})", fontsize=9)
        return picture_of(figure, name, title)


def _draw_differences(axes: "Axes", pair: PairedDifferences) -> None:
    axes.axhline(0, color=palette.PALE, linewidth=0.9, zorder=1)
    for is_hollow in (False, True):
        chosen = pair.is_missed == is_hollow
        axes.scatter(
            pair.means[chosen],
            pair.differences[chosen],
            s=16,
            facecolors="none" if is_hollow else palette.BLUE,
            edgecolors=palette.BLUE,
            alpha=0.75,
            linewidths=0.8 if is_hollow else 0,
            zorder=3,
        )
    bias, lower, upper = pair.limits
    if bias is not None:
        axes.axhline(bias, color=palette.VERMILLION, linewidth=1.5, zorder=2)
        _say(axes, bias, f"bias {_short(bias)}", palette.VERMILLION)
    for limit, is_below in ((lower, True), (upper, False)):
        if limit is not None:
            axes.axhline(limit, color=palette.INK, linewidth=1, linestyle=(0, (5, 3)), zorder=2)
            _say(axes, limit, _short(limit), palette.INK, is_below=is_below)
    heading = f"{shortened(pair.title, 34)}   n = {pair.means.size}"
    axes.set_title(heading, loc="left", fontsize=8.5)


def _make_room(axes: "Axes") -> None:
    """Leave room for the numbers beyond the limits, once every panel that shares them is drawn."""
    low, high = axes.get_ylim()
    margin = 0.07 * (high - low)
    axes.set_ylim(low - margin, high + margin)


def _short(value: float) -> str:
    """Write a number with two significant digits, whole from ten up, and a real minus."""
    text = f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
    return text.replace("-", "−")


def _say(axes: "Axes", at: float, text: str, colour: str, *, is_below: bool = False) -> None:
    """Write a number at the right end of its line; the lower limit's stands below it."""
    axes.annotate(
        text,
        (1.0, at),
        xycoords=("axes fraction", "data"),
        xytext=(-2, -2 if is_below else 2),
        textcoords="offset points",
        ha="right",
        va="top" if is_below else "bottom",
        fontsize=7.5,
        color=colour,
    )
