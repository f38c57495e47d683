"""Box plots by group and pair: a colour a group, a hatch a pair, as the mouse paper draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.publish.report import palette
from lesionary.publish.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HATCHES = ("", "////", "xxxx", "....", "\\\\\\\\", "++++", "oooo", "----")
"""One a pair; more pairs repeat them."""

COLOURS = (
    palette.SKY,
    palette.ORANGE,
    palette.GREEN,
    palette.PURPLE,
    palette.VERMILLION,
    palette.BLUE,
    "#F0E442",
    palette.OTHERS,
)
"""One a group; more groups repeat them."""

FEWEST_FOR_BOX = 5
"""Below this the values themselves are drawn."""

_LONGEST_NAME = 18
_WIDEST = 0.35
_KEY_INCHES, _LETTER_INCHES = 0.55, 0.078


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The values of one box.

    Parameters
    ----------
    group : str
        Data set; empty where there is only one.
    series : str
        Pair of readers, reader, or label.
    values : float array, shape (n,)
        Finite.
    """

    group: str
    series: str
    values: FloatArray


def draw_boxes(axes: "Axes", samples: Sequence[Sample], ylabel: str) -> None:
    """Draw one box a sample: median, quartiles, whiskers of 1.5 quartile ranges, outliers as dots.

    Samples of fewer than five values are drawn as points over their range. Under each group stands
    its number of values; where it differs between the pairs, the smallest and the largest.
    """
    groups = list(dict.fromkeys(sample.group for sample in samples))
    series = list(dict.fromkeys(sample.series for sample in samples))
    width = min(0.8 / len(series), _WIDEST)
    for sample in samples:
        g, s = groups.index(sample.group), series.index(sample.series)
        at = g + (s - (len(series) - 1) / 2) * width
        colour = COLOURS[(g if len(groups) > 1 else s) % len(COLOURS)]
        _draw(axes, sample.values, at, width * 0.82, (colour, HATCHES[s % len(HATCHES)]))
    axes.set_xticks(range(len(groups)), [_tick(name, samples) for name in groups])
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    everything = np.concatenate([sample.values for sample in samples])
    margin = max(0.06 * float(np.ptp(everything)), 1e-3 * float(np.abs(everything).max()), 1e-9)
    axes.set_ylim(everything.min() - margin, everything.max() + margin)
    axes.set_ylabel(ylabel)


def _draw(
    axes: "Axes", values: FloatArray, at: float, width: float, style: tuple[str, str]
) -> None:
    colour, hatch = style
    if values.size < FEWEST_FOR_BOX:
        extent = float(np.ptp(values))
        axes.bar(
            at,
            extent,
            width,
            bottom=values.min(),
            facecolor="none",
            edgecolor=palette.PALE,
            hatch=hatch,
            linewidth=0.8,
        )
        spots = at + (np.arange(values.size) - (values.size - 1) / 2) * width / 6
        axes.scatter(spots, values, s=22, c=colour, edgecolors=palette.INK, linewidths=0.6)
        return
    line = {"color": palette.INK, "linewidth": 0.9}
    box = axes.boxplot(
        values,
        positions=[at],
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "edgecolor": palette.INK, "linewidth": 0.9},
        whiskerprops=line,
        capprops=line,
        medianprops={"color": palette.INK, "linewidth": 1.8},
        flierprops={
            "marker": "o",
            "markersize": 2.6,
            "markerfacecolor": palette.GREY,
            "markeredgecolor": "none",
            "alpha": 0.8,
        },
        zorder=3,
    )
    box["boxes"][0].set_hatch(hatch)


def _tick(group: str, samples: Sequence[Sample]) -> str:
    sizes = sorted({sample.values.size for sample in samples if sample.group == group})
    counted = f"n = {sizes[0]}" if len(sizes) == 1 else f"n = {sizes[0]}–{sizes[-1]}"
    return f"{shortened(group, _LONGEST_NAME)}\n{counted}" if group else counted


def add_key(figure: "Figure", names: Sequence[str], *, is_coloured: bool) -> None:
    """Name hatches, and colours where they mean the same, above the axes in rows that fit."""
    from matplotlib.patches import Patch

    shown = [shortened(name, 30) for name in names]
    handles = [
        Patch(
            facecolor=COLOURS[n % len(COLOURS)] if is_coloured else "white",
            edgecolor=palette.INK,
            linewidth=0.8,
            hatch=HATCHES[n % len(HATCHES)],
            label=name,
        )
        for n, name in enumerate(shown)
    ]
    longest = _KEY_INCHES + _LETTER_INCHES * max(map(len, shown))
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=max(1, int((figure.get_figwidth() - 0.3) / longest)),
        borderaxespad=0.2,
        columnspacing=1.4,
    )
