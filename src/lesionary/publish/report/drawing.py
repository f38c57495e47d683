"""What every figure shares: one style, plain ticks, a legend, and SVG that fits inside a page.

Fonts are named, not embedded, and drawings are laid out with the metrics of matplotlib's own font,
so nothing depends on what a machine has installed or a user has set.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from lesionary.publish.report import palette
from lesionary.publish.report.groups import Group
from lesionary.publish.report.wording import grouped, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_LONGEST_NAME = 20
_METADATA = ("Creator", "Date", "Format", "Type")
"""What the SVG writer would add of itself."""
_STYLE = {
    "svg.hashsalt": "lesionary",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.labelcolor": palette.INK,
    "axes.edgecolor": palette.GREY,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "text.parse_math": False,
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": palette.GREY,
    "ytick.color": palette.GREY,
    "xtick.labelcolor": palette.INK,
    "ytick.labelcolor": palette.INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


@contextmanager
def drawing(size_inches: tuple[float, float]) -> "Iterator[tuple[Figure, Axes]]":
    """Lend a figure with one pair of axes, in our style whatever the user's settings are."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    skipped = {"backend", "backend_fallback", "interactive", "toolbar", "timezone"}
    defaults = {k: v for k, v in mpl.rcParamsDefault.items() if k not in skipped}
    settings: dict[Any, Any] = {**defaults, **_STYLE}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # Letters that the font lacks are boxes in PNG; in SVG a browser has a font for them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size_inches, dpi=180, layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        yield figure, axes


def svg_of(figure: "Figure", name: str, title: str) -> str:
    """Write a figure as one element that can stand inside a page: no dates, no clashing ids.

    Parameters
    ----------
    figure : Figure
        What to write; inside :func:`drawing`.
    name : str
        Unique within the page; prefixes all ids.
    title : str
        What somebody hears who does not see it.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(_METADATA))
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    key = re.sub(r"[^a-z0-9]+", "-", name.lower())
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = text.replace("url(#", f"url(#{key}-").replace('href="#', f'href="#{key}-')
    text = re.sub(r'(<svg [^>]*?)width="[^"]*pt" height="[^"]*pt"', r"\1", text, count=1)
    heading = f'<title id="{key}-title">{escape(title)}</title>'
    opening = f'<svg class="chart" role="img" aria-labelledby="{key}-title" '
    text = text.replace("<svg ", opening, 1)
    return re.sub(r"(<svg [^>]*>)", rf"\1{heading}", text, count=1).strip()


def plain_log_ticks(axis: "Axis") -> None:
    """Write 0.1, 1, 10 rather than powers; 2 and 5 too where there are few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    few = np.log10(max(high, 1e-12) / max(low, 1e-12)) < 2.5
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def add_legend(axes: "Axes", counts: Sequence[tuple[Group, int]]) -> None:
    """Name the groups above the axes."""
    from matplotlib.lines import Line2D

    named = [(group, n) for group, n in counts if n]
    axes.legend(
        [
            Line2D([], [], linestyle="", marker=g.marker, color=g.colour, markeredgecolor="white")
            for g, _ in named
        ],
        [f"{shortened(g.name, _LONGEST_NAME)}, n = {grouped(n)}" for g, n in named],
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2,
        handletextpad=0.2,
        columnspacing=1.2,
        borderaxespad=0.2,
    )
