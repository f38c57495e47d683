"""Figures as SVG text: the same numbers give the same bytes.

Every lesion is drawn, outliers too. A scatter of many points is one picture inside the drawing.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lesionary.core.volume import FloatArray, Quantity
from lesionary.publish.report import palette
from lesionary.publish.report.burden import BurdenPoint
from lesionary.publish.report.data import TruthRow
from lesionary.publish.report.drawing import add_legend, drawing, plain_log_ticks, svg_of
from lesionary.publish.report.groups import Group, has_features, has_sizes
from lesionary.publish.report.statistics import density
from lesionary.publish.report.wording import grouped, shortened, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_VECTOR_POINTS = 1500
"""A figure with more points draws them as a picture."""
FEWEST_FOR_DENSITY = 10
FEWEST_FOR_BOX = 5
MOST_NAMED_SUBJECTS = 6
LARGEST_AREA, SMALLEST_AREA = 480.0, 7.0
"""Square points of the largest lesion, and of those that would vanish."""

_WIDE_INCHES = (5.2, 4.1)
_SLIM_INCHES = 3.7


def figure_features(groups: Sequence[Group], quantity: Quantity) -> str:
    """Draw diameter against mean intensity; the area of a point is its volume.

    Parameters
    ----------
    groups : sequence of Group
        At least one lesion with diameter, volume and an intensity of ``quantity``.
    quantity : Quantity
        Lesions whose intensities count something else are left out.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    with drawing(_WIDE_INCHES) as (figure, axes):
        is_many = sum(len(group.lesions) for group in groups) > MOST_VECTOR_POINTS
        everything = []
        largest_ml = max(float(np.nanmax(group.volumes_ml, initial=0.0)) for group in groups)
        for n, group in enumerate(groups):
            x, y, volume = group.diameters_mm, group.intensities(quantity), group.volumes_ml
            shown = has_features(group, quantity)
            order = np.flatnonzero(shown)[np.argsort(-volume[shown], kind="stable")]
            everything.append(x[order])
            _points(axes, n, group, (x[order], y[order]), _area(volume[order], largest_ml), is_many)
        axes.margins(0.09)
        diameters = np.concatenate(everything)
        if diameters.min() > 0 and diameters.max() / diameters.min() > 10:
            axes.set_xscale("log")
            plain_log_ticks(axes.xaxis)
        axes.set(xlabel="diameter (mm)", ylabel=f"mean intensity ({unit_of(quantity)})")
        _add_volume_key(axes, figure, largest_ml)
        add_legend(axes, [(g, int(np.count_nonzero(has_features(g, quantity)))) for g in groups])
        return svg_of(
            figure,
            f"features-{quantity}",
            "Diameter, mean intensity and volume of the lesions",
        )


def figure_volume_by_diameter(groups: Sequence[Group]) -> str:
    """Draw volume against diameter on logarithmic axes, beside the line of a sphere.

    Points below the line are flatter than a ball, or measured by their short axis. At least one
    lesion must have both numbers, and both above zero.
    """
    with drawing(_WIDE_INCHES) as (figure, axes):
        is_many = sum(len(group.lesions) for group in groups) > MOST_VECTOR_POINTS
        everything = []
        for n, group in enumerate(groups):
            shown = has_sizes(group)
            x, y = group.diameters_mm[shown], group.volumes_ml[shown]
            everything.append(x)
            _points(axes, n, group, (x, y), 22, is_many)
        diameters = np.concatenate(everything)
        ends = np.array([diameters.min() / 1.15, diameters.max() * 1.15])
        axes.plot(ends, np.pi / 6000 * ends**3, color=palette.GREY, linewidth=1, zorder=1.5)
        axes.annotate(
            "sphere",
            (ends[1], np.pi / 6000 * ends[1] ** 3),
            xytext=(-8, 1),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=palette.GREY,
            fontsize=8.5,
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain_log_ticks(axes.xaxis)
        plain_log_ticks(axes.yaxis)
        axes.set(xlabel="diameter (mm)", ylabel="volume (ml)")
        add_legend(axes, [(g, int(np.count_nonzero(has_sizes(g)))) for g in groups])
        return svg_of(figure, "volume-by-diameter", "Volume against diameter of the lesions")


def figure_diameters(groups: Sequence[Group]) -> str:
    """Draw every lesion's diameter, with a box per group of five or more."""
    samples = [group.diameters_mm for group in groups]
    return _boxes(groups, samples, "diameter (mm)", "diameters", is_log=False)


def figure_volumes(groups: Sequence[Group]) -> str:
    """Draw every lesion's volume on a logarithmic axis, with a box per group of five or more."""
    samples = [np.where(group.volumes_ml > 0, group.volumes_ml, np.nan) for group in groups]
    return _boxes(groups, samples, "volume (ml)", "volumes", is_log=True)


def figure_intensities(groups: Sequence[Group], quantity: Quantity) -> str:
    """Draw the distribution of mean intensities of each group.

    Groups of ten or more get a density (Gaussian kernels, all of the same area); every lesion is a
    tick below it, or a point where there is no density.
    """
    samples = [group.intensities(quantity) for group in groups]
    samples = [sample[np.isfinite(sample)] for sample in samples]
    kept = [(g, s) for g, s in zip(groups, samples, strict=True) if s.size]
    everything = np.concatenate([s for _, s in kept])
    reach = max(float(np.ptp(everything)) * 0.12, 1e-9)
    at = np.linspace(everything.min() - reach, everything.max() + reach, 256)
    curves = [density(s, at) if s.size >= FEWEST_FOR_DENSITY else None for _, s in kept]
    highest = max((float(c.max()) for c in curves if c is not None), default=1.0)
    with drawing((_SLIM_INCHES, _slim_height(len(kept)))) as (figure, axes):
        for row, ((group, sample), curve) in enumerate(zip(kept, curves, strict=True)):
            if curve is not None:
                top = row + 0.22 - 0.72 * curve / highest
                axes.fill_between(at, row + 0.22, top, color=group.colour, alpha=0.25, linewidth=0)
                axes.plot(at, top, color=group.colour, linewidth=1.3)
            strip = row + (_strip(sample.size) if curve is None else np.full(sample.size, 0.34))
            axes.scatter(
                sample,
                strip,
                s=9 if curve is None else 26,
                c=group.colour,
                marker="o" if curve is None else "|",
                alpha=0.6,
                linewidths=0 if curve is None else 0.7,
                rasterized=everything.size > MOST_VECTOR_POINTS,
                gid=f"points-{row}",
            )
        _rows(axes, [(group, sample.size) for group, sample in kept])
        axes.set_xlabel(f"mean intensity ({unit_of(quantity)})")
        return svg_of(figure, f"intensities-{quantity}", "Mean intensities by kind of lesion")


def figure_burden(points: Sequence[BurdenPoint], modality: str) -> str:
    """Draw the sum of all volumes per subject over the time points, one line a subject.

    A hollow point is incomplete: not every series of that time point has a mask, or a volume is
    undefined. Few subjects are named at the end of their line.
    """
    by_subject: dict[str, list[BurdenPoint]] = {}
    for point in points:
        by_subject.setdefault(point.subject, []).append(point)
    is_named = len(by_subject) <= MOST_NAMED_SUBJECTS
    with drawing(_WIDE_INCHES) as (figure, axes):
        for n, (subject, line) in enumerate(by_subject.items()):
            colour = (*palette.GROUPS, palette.SKY)[n] if is_named else palette.BLUE
            x = [point.timepoint for point in line]
            y = [point.volume_ml for point in line]
            axes.plot(x, y, color=colour, linewidth=1.6, alpha=1 if is_named else 0.45, zorder=2)
            axes.scatter(
                x,
                y,
                s=26,
                facecolors=[colour if point.is_complete else "white" for point in line],
                edgecolors=colour,
                linewidths=1.2,
                zorder=3,
                gid=f"points-{n}",
            )
            if is_named:
                axes.annotate(
                    subject,
                    (x[-1], y[-1]),
                    xytext=(7, 0),
                    textcoords="offset points",
                    va="center",
                    color=palette.INK,
                    fontsize=8.5,
                    annotation_clip=False,
                )
        axes.set_ylim(bottom=0)
        axes.set_xticks(sorted({point.timepoint for point in points}))
        axes.set(xlabel="time point", ylabel="sum of volumes (ml)")
        axes.margins(x=0.12)
        return svg_of(figure, f"burden-{modality}", f"Sum of lesion volumes over time, {modality}")


def figure_truth(rows: Sequence[TruthRow]) -> str:
    """Draw measured against true volume beside the line of equality; the colour is Dice.

    Missed lesions are crosses at the foot of the axis. At least one true volume is above zero.
    """
    found = [row for row in rows if row.volume_ml and row.true_volume_ml > 0]
    missed = [row for row in rows if not row.volume_ml and row.true_volume_ml > 0]
    with drawing(_WIDE_INCHES) as (figure, axes):
        true = np.array([row.true_volume_ml for row in found + missed])
        measured = np.array([row.volume_ml or np.nan for row in found])
        both = np.concatenate([true, measured])
        low, high = float(np.nanmin(both)) / 1.6, float(np.nanmax(both)) * 1.6
        axes.plot([low, high], [low, high], color=palette.GREY, linewidth=1, zorder=1)
        dots = axes.scatter(
            true[: len(found)],
            measured,
            c=[np.nan if row.dice is None else row.dice for row in found],
            cmap="viridis",
            vmin=0,
            vmax=1,
            s=34,
            linewidths=0.5,
            edgecolors="white",
            zorder=3,
            plotnonfinite=True,
            gid="points-found",
        )
        axes.scatter(
            true[len(found) :],
            np.full(len(missed), low * 1.12),
            marker="x",
            s=30,
            c=palette.VERMILLION,
            zorder=3,
            gid="points-missed",
        )
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
        plain_log_ticks(axes.xaxis)
        plain_log_ticks(axes.yaxis)
        axes.set(xlabel="true volume (ml)", ylabel="measured volume (ml)")
        bar = figure.colorbar(dots, ax=axes, shrink=0.75, pad=0.02, label="Dice")
        bar.outline.set_visible(False)
        return svg_of(figure, "truth", "Measured against true volume")


def _boxes(
    groups: Sequence[Group], samples: Sequence[FloatArray], label: str, name: str, *, is_log: bool
) -> str:
    finite = [sample[np.isfinite(sample)] for sample in samples]
    kept = [(g, s) for g, s in zip(groups, finite, strict=True) if s.size]
    is_many = sum(s.size for _, s in kept) > MOST_VECTOR_POINTS
    with drawing((_SLIM_INCHES, _slim_height(len(kept)))) as (figure, axes):
        for row, (group, sample) in enumerate(kept):
            axes.scatter(
                sample,
                row + _strip(sample.size),
                s=9,
                c=group.colour,
                alpha=0.5,
                linewidths=0,
                rasterized=is_many,
                gid=f"points-{row}",
            )
            if sample.size >= FEWEST_FOR_BOX:
                _box(axes, sample, row)
        if is_log:
            axes.set_xscale("log")
            plain_log_ticks(axes.xaxis)
        else:
            axes.set_xlim(left=0)
        _rows(axes, [(group, sample.size) for group, sample in kept])
        axes.set_xlabel(label)
        return svg_of(figure, name, f"{label.partition(' (')[0].capitalize()} by kind of lesion")


def _box(axes: "Axes", sample: FloatArray, row: int) -> None:
    """Draw quartiles, and whiskers to the last lesion within 1.5 quartile ranges."""
    line = {"color": palette.INK, "linewidth": 1.0}
    axes.boxplot(
        sample,
        positions=[row],
        widths=0.5,
        orientation="horizontal",
        showfliers=False,
        manage_ticks=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": palette.INK, "linewidth": 2.0},
        zorder=3,
    )


def _strip(n: int) -> FloatArray:
    """Spread points evenly across a row: the golden ratio never lines them up."""
    turns: FloatArray = np.arange(n, dtype=np.float64) * 0.6180339887498949
    return (turns % 1.0 - 0.5) * 0.42


def _rows(axes: "Axes", rows: Sequence[tuple[Group, int]]) -> None:
    """Name the rows of a slim figure, the first on top."""
    names = [f"{shortened(group.name, 16)}\nn = {grouped(n)}" for group, n in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.45, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _slim_height(n_rows: int) -> float:
    return 0.75 + 0.62 * max(n_rows, 2)


def _points(
    axes: "Axes",
    n: int,
    group: Group,
    at: tuple[FloatArray, FloatArray],
    area: FloatArray | float,
    is_many: bool,
) -> None:
    """Draw the lesions of the n-th group."""
    axes.scatter(
        *at,
        s=area,
        c=group.colour,
        marker=group.marker,
        alpha=0.75,
        linewidths=0.5,
        edgecolors="white",
        rasterized=is_many,
        gid=f"points-{n}",
    )


def _area(volumes_ml: FloatArray, largest_ml: float) -> FloatArray:
    """Area of a point in square points: as a ball of that volume looks, but never invisible."""
    share = np.abs(volumes_ml) / max(largest_ml, 1e-12)
    area: FloatArray = np.maximum(LARGEST_AREA * np.cbrt(share) ** 2, SMALLEST_AREA)
    return area


def _add_volume_key(axes: "Axes", figure: "Figure", largest_ml: float) -> None:
    """Explain the areas below the axes, by powers of ten up to the largest lesion."""
    top = math.floor(math.log10(max(largest_ml, 1e-12)))
    keys = [10.0**power for power in range(top - 3, top + 1)]
    sizes = _area(np.array(keys), largest_ml)
    figure.legend(
        handles=[axes.scatter([], [], s=s, c="none", edgecolors=palette.GREY) for s in sizes],
        labels=[f"{key:g}" for key in keys],
        title="volume (ml)",
        title_fontsize=8.5,
        loc="outside lower center",
        ncols=4,
        handletextpad=0.6,
        columnspacing=2.2,
        borderpad=0.4,
    )
