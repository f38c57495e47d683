"""Figures of agreement and evaluation, as SVG and PNG: the same numbers give the same bytes."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.volume import FloatArray
from lesionary.publish.comparison.boxes import COLOURS, HATCHES, Sample, add_key, draw_boxes
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing, svg_of
from lesionary.publish.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PNG_DPI = 200
MOST_BINS = 30
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_HEIGHT_INCHES = 3.6
_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure, ready to be written.

    Parameters
    ----------
    name : str
        Of the files.
    title : str
        What it shows.
    svg : str
        One ``<svg>`` element, which a page can hold and a browser opens.
    png : bytes
        The same at 200 dots per inch on white.
    """

    name: str
    title: str
    svg: str
    png: bytes

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and bytes of both files."""
        yield f"{self.name}.svg", (self.svg + "\n").encode()
        yield f"{self.name}.png", self.png


@dataclass(frozen=True, slots=True, eq=False)
class PairedDifferences:
    """What one Bland–Altman panel shows.

    Parameters
    ----------
    title : str
        Whose readings.
    means, differences : float array, shape (n,)
        Of the two readings of each tumour; differences are first minus second.
    bias, lower, upper : float or None
        Mean difference and limits of agreement; None where undefined.
    """

    title: str
    means: FloatArray
    differences: FloatArray
    bias: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Mean:
    """One point of a figure of means: its value over ``n`` cases, with its interval if known."""

    group: str
    series: str
    value: float
    low: float | None
    high: float | None
    n: int


def figure_boxes(name: str, title: str, samples: Sequence[Sample], ylabel: str) -> Picture:
    """Draw box plots by group and pair; at least one sample must hold a value."""
    kept = [sample for sample in samples if sample.values.size]
    groups = list(dict.fromkeys(sample.group for sample in kept))
    series = list(dict.fromkeys(sample.series for sample in kept))
    width_inches = 1.5 + len(groups) * max(0.36 * len(series) + 0.3, 0.9)
    least_inches = 5.0 if len(series) > 2 else 2.6
    size = float(np.clip(width_inches, least_inches, 11.0)), _HEIGHT_INCHES
    with drawing(size) as (figure, axes):
        draw_boxes(axes, kept, ylabel)
        if len(series) > 1:
            add_key(figure, series, is_coloured=len(groups) == 1)
        return _picture(figure, name, title)


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
        return _picture(figure, name, title)


def figure_histogram(name: str, title: str, samples: Sequence[Sample], xlabel: str) -> Picture:
    """Draw one histogram a sample, one below the other, over common bins."""
    from matplotlib.ticker import MaxNLocator

    kept = [sample for sample in samples if sample.values.size]
    everything = np.concatenate([sample.values for sample in kept])
    n_bins = int(np.clip(np.ceil(2 * np.cbrt(everything.size)), 5, MOST_BINS))
    edges = np.histogram_bin_edges(everything, bins=n_bins)
    with drawing((5.2, 0.9 + 1.25 * len(kept))) as (figure, axes):
        panels = _stacked(figure, axes, len(kept))
        for n, (panel, sample) in enumerate(zip(panels, kept, strict=True)):
            panel.hist(
                sample.values,
                bins=list(edges),
                color=COLOURS[n % len(COLOURS)],
                edgecolor=palette.INK,
                linewidth=0.6,
                hatch=HATCHES[n % len(HATCHES)],
            )
            median = float(np.median(sample.values))
            panel.axvline(median, color=palette.INK, linewidth=1.6)
            panel.set_ylabel("count")
            panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
            who = " · ".join(part for part in (sample.group, sample.series) if part)
            said = f"n = {sample.values.size}, median {median:.3g}"
            panel.set_title(f"{shortened(who, 40)}   {said}".strip(), loc="left", fontsize=8.5)
        panels[-1].set_xlabel(xlabel)
        return _picture(figure, name, title)


def figure_bland_altman(
    name: str, title: str, pairs: Sequence[PairedDifferences], quantity: str
) -> Picture:
    """Draw difference against mean, one panel a pair, with bias and limits of agreement.

    Parameters
    ----------
    quantity : str
        What is compared, with its unit: ``volume (ml)``.
    """
    n_columns = min(len(pairs), 3)
    n_rows = -(-len(pairs) // n_columns)
    with drawing((2.2 + 2.5 * n_columns, 0.8 + 2.5 * n_rows)) as (figure, axes):
        axes.remove()
        grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for panel, pair in zip(panels, pairs, strict=False):
            _draw_differences(panel, pair)
        for spare in panels[len(pairs) :]:
            spare.set_visible(False)
        unit = quantity.partition(" ")[2]
        figure.supxlabel(f"mean {quantity}", fontsize=9)
        figure.supylabel(f"difference {unit}", fontsize=9)
        return _picture(figure, name, title)


def figure_counts(
    name: str, title: str, counts: Sequence[tuple[str, Sequence[int]]], xlabels: Sequence[str]
) -> Picture:
    """Draw bars of counts side by side: one colour and hatch for each of ``counts``."""
    width = 0.8 / max(len(counts), 1)
    with drawing((5.2, _HEIGHT_INCHES)) as (figure, axes):
        for n, (who, values) in enumerate(counts):
            at = np.arange(len(values)) + (n - (len(counts) - 1) / 2) * width
            bars = axes.bar(
                at,
                values,
                width * 0.92,
                label=shortened(who, _LONGEST_NAME),
                color=COLOURS[n % len(COLOURS)],
                edgecolor=palette.INK,
                linewidth=0.7,
                hatch=HATCHES[n % len(HATCHES)],
            )
            axes.bar_label(bars, fontsize=8, padding=1.5, color=palette.INK)
        axes.set_xticks(range(len(xlabels)), list(xlabels))
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("cases")
        axes.margins(y=0.12)
        figure.legend(loc="outside upper left", ncols=3, borderaxespad=0.2)
        return _picture(figure, name, title)


def _draw_differences(axes: "Axes", pair: PairedDifferences) -> None:
    axes.axhline(0, color=palette.PALE, linewidth=0.9, zorder=1)
    axes.scatter(
        pair.means, pair.differences, s=16, c=palette.BLUE, alpha=0.7, linewidths=0, zorder=3
    )
    if pair.bias is not None:
        axes.axhline(pair.bias, color=palette.VERMILLION, linewidth=1.5, zorder=2)
        _say(axes, pair.bias, f"bias {_short(pair.bias)}", palette.VERMILLION)
    for limit in (pair.lower, pair.upper):
        if limit is not None:
            axes.axhline(limit, color=palette.INK, linewidth=1, linestyle=(0, (5, 3)), zorder=2)
            _say(axes, limit, _short(limit), palette.INK)
    heading = f"{shortened(pair.title, 34)}   n = {pair.means.size}"
    axes.set_title(heading, loc="left", fontsize=8.5)


def _short(value: float) -> str:
    """Write a number with two significant digits and a real minus."""
    return f"{value:.2g}".replace("-", "−")


def _say(axes: "Axes", at: float, text: str, colour: str) -> None:
    """Write a number at the right end of its line."""
    axes.annotate(
        text,
        (1.0, at),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7.5,
        color=colour,
    )


def _stacked(figure: "Figure", axes: "Axes", n: int) -> "list[Axes]":
    axes.remove()
    return list(figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0])


def _picture(figure: "Figure", name: str, title: str) -> Picture:
    svg = svg_of(figure, name, title)
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=PNG_DPI, facecolor="white", metadata={"Software": None}
    )
    return Picture(name, title, svg, buffer.getvalue())
