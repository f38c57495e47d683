"""Distributions: box plots by group and pair, histograms one below the other."""

from collections.abc import Sequence

import numpy as np

from lesionary.publish.comparison.boxes import COLOURS, HATCHES, Sample, add_key, draw_boxes
from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.wording import shortened

MOST_BINS = 30
_HEIGHT_INCHES = 3.6


def figure_boxes(name: str, title: str, samples: Sequence[Sample], ylabel: str) -> Picture:
    """Draw box plots by group and pair; at least one sample must hold a value.

    There are as many hatches as series that can be told apart; of more, those with most values are
    drawn, and the title says so.
    """
    kept, said = _told_apart(samples)
    title += said
    groups = list(dict.fromkeys(sample.group for sample in kept))
    series = list(dict.fromkeys(sample.series for sample in kept))
    width_inches = 1.5 + len(groups) * max(0.36 * len(series) + 0.3, 0.9)
    least_inches = 5.0 if len(series) > 2 else 2.6
    size = float(np.clip(width_inches, least_inches, 11.0)), _HEIGHT_INCHES
    with drawing(size) as (figure, axes):
        draw_boxes(axes, kept, ylabel)
        if len(series) > 1:
            add_key(figure, series, is_coloured=len(groups) == 1)
        return picture_of(figure, name, title)


def figure_histogram(
    name: str,
    title: str,
    samples: Sequence[Sample],
    xlabel: str,
    *,
    within: tuple[float, float] | None = None,
) -> Picture:
    """Draw one histogram a sample, one below the other, over common bins and counts.

    Parameters
    ----------
    within : tuple of float, optional
        Ends of the axis, such as 0 and 1; by default those of the values.
    """
    from matplotlib.ticker import MaxNLocator

    kept, said = _told_apart(samples)
    title += said
    everything = np.concatenate([sample.values for sample in kept])
    n_bins = int(np.clip(np.ceil(2 * np.cbrt(everything.size)), 5, MOST_BINS))
    edges = np.histogram_bin_edges(everything, bins=20 if within else n_bins, range=within)
    with drawing((5.2, 0.9 + 1.25 * len(kept))) as (figure, axes):
        axes.remove()
        grid = figure.subplots(len(kept), 1, sharex=True, sharey=True, squeeze=False)
        panels = list(grid[:, 0])
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
            said = f"n = {sample.values.size}, median {median:.3f}"
            panel.set_title(f"{shortened(who, 40)}   {said}".strip(), loc="left", fontsize=8.5)
        panels[-1].set_xlabel(xlabel)
        return picture_of(figure, name, title)


def _told_apart(samples: Sequence[Sample]) -> tuple[list[Sample], str]:
    """Keep samples with values, of no more series than there are hatches; say what is left out."""
    kept = [sample for sample in samples if sample.values.size]
    sizes: dict[str, int] = {}
    for sample in kept:
        sizes[sample.series] = sizes.get(sample.series, 0) + sample.values.size
    if len(sizes) <= len(HATCHES):
        return kept, ""
    chosen = set(sorted(sizes, key=lambda name: -sizes[name])[: len(HATCHES)])
    said = f"; {len(HATCHES)} of {len(sizes)}, the tables have all"
    return [sample for sample in kept if sample.series in chosen], said
