"""Figures of ratings: bars of counts, and means with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionary.publish.comparison.boxes import COLOURS, HATCHES
from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.wording import shortened

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_HEIGHT_INCHES = 3.6
_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Mean:
    """One point of a figure of means: its value over ``n`` cases, with its interval if known."""

    group: str
    series: str
    value: float
    low: float | None
    high: float | None
    n: int


def figure_counts(
    name: str,
    title: str,
    counts: Sequence[tuple[str, Sequence[int]]],
    xlabels: Sequence[str],
    axis: str,
) -> Picture:
    """Draw bars of counts side by side: one colour and hatch for each of ``counts``.

    ``xlabels`` stand below the bars, ``axis`` says what they are.
    """
    width = 0.8 / max(len(counts), 1)
    with drawing((5.2, _HEIGHT_INCHES)) as (figure, axes):
        for n, (who, values) in enumerate(counts):
            at = np.arange(len(values)) + (n - (len(counts) - 1) / 2) * width
            bars = axes.bar(
                at,
                values,
                width * 0.92,
                label=f"{shortened(who, _LONGEST_NAME)}, n = {sum(values)}",
                color=COLOURS[n % len(COLOURS)],
                edgecolor=palette.INK,
                linewidth=0.7,
                hatch=HATCHES[n % len(HATCHES)],
            )
            axes.bar_label(bars, fontsize=8, padding=1.5, color=palette.INK)
        axes.set_xticks(range(len(xlabels)), list(xlabels))
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set(xlabel=axis, ylabel="cases")
        axes.margins(y=0.12)
        figure.legend(loc="outside upper left", ncols=3, borderaxespad=0.2)
        return picture_of(figure, name, title)


def figure_means(name: str, title: str, means: Sequence[Mean], ylabel: str) -> Picture:
    """Draw means with their intervals, by group, one colour and marker a series."""
    groups = list(dict.fromkeys(mean.group for mean in means))
    series = list(dict.fromkeys(mean.series for mean in means))
    with drawing((1.6 + 0.95 * len(groups), _HEIGHT_INCHES)) as (figure, axes):
        for mean in means:
            g, s = groups.index(mean.group), series.index(mean.series)
            at = g + (s - (len(series) - 1) / 2) * 0.18
            colour = COLOURS[s % len(COLOURS)]
            if mean.low is not None and mean.high is not None:
                axes.plot([at, at], [mean.low, mean.high], color=colour, linewidth=1.6, zorder=2)
            first = mean.series not in {one.series for one in means[: means.index(mean)]}
            axes.plot(
                at,
                mean.value,
                MARKERS[s % len(MARKERS)],
                markersize=7,
                markerfacecolor=colour,
                markeredgecolor=palette.INK,
                label=shortened(mean.series, _LONGEST_NAME) if first else None,
                zorder=3,
            )
            axes.annotate(
                f"{mean.n}",
                (at, mean.value),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=palette.GREY,
            )
        axes.set_xticks(range(len(groups)), [shortened(group, 16) for group in groups])
        axes.set_xlim(-0.6, len(groups) - 0.4)
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(ylabel)
        figure.legend(loc="outside upper left", ncols=3, borderaxespad=0.2)
        return picture_of(figure, name, title)
