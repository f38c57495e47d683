"""The flow chart of a curation: how many series came, what each rule left out and why, what is in.

Boxes go down the page as papers print them; beside each step stands what it put out. Nothing is
cut: reasons beyond the largest are summed, and counts add up.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.wording import grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "curation-flow"
MOST_REASONS = 3
"""Reasons named in a box; the rest are summed."""

_WIDTH = 7.2
_LINE = 0.165
_PAD = 0.115
_GAP = 0.26
_LEFT, _RIGHT = (0.05, 3.05), (3.65, 7.15)
_LEFT_LETTERS, _RIGHT_LETTERS = 40, 46
_NUMBER, _SPACE = 0.42, 0.1
_FILL = "#f5f7f9"
_ONE = {"pairs": "pair", "studies": "study", "subjects": "subject"}


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One rule of the flow.

    Parameters
    ----------
    label : str
        What the rule asks for, in a few words.
    n_before, n_left : int
        Series that came to it and that it left.
    reasons : sequence of (str, int)
        Why series are out, the most frequent first; their counts add up to ``n_before - n_left``.
    n_unchecked : int
        Series that the rule left although it could not know.
    """

    label: str
    n_before: int
    n_left: int
    reasons: Sequence[tuple[str, int]]
    n_unchecked: int = 0


@dataclass(frozen=True, slots=True)
class CurationFlow:
    """How many series came to a study, whom each rule left out, and what is in its release.

    Parameters
    ----------
    n_considered : int
        Series that ever came.
    steps : tuple of FlowStep
        The gate first, then rules in their order, then what measuring left out.
    n_series, n_studies, n_subjects : int
        Of the release.
    has_rules : bool
        Whether the protocol has rules beyond its lists of modalities and regions.
    """

    n_considered: int
    steps: tuple[FlowStep, ...]
    n_series: int
    n_studies: int
    n_subjects: int
    has_rules: bool = False

    @property
    def is_told(self) -> bool:
        """Whether there is something to tell: rules, or series that were left out."""
        return self.has_rules or self.n_series < self.n_considered

    def picture(self, title: str) -> Picture:
        """Draw it."""
        left = {"series": self.n_series, "studies": self.n_studies, "subjects": self.n_subjects}
        return figure_flow(title, self.n_considered, self.steps, left)


@dataclass(frozen=True, slots=True)
class _Box:
    head: str
    lines: tuple[tuple[str, str], ...]
    """Number and words; the number stands to the right in a column of its own."""

    @property
    def height(self) -> float:
        return _LINE * (1 + len(self.lines)) + 2 * _PAD


def figure_flow(
    title: str, n_series: int, steps: Sequence[FlowStep], left: Mapping[str, int]
) -> Picture:
    """Draw the flow of a curation.

    Parameters
    ----------
    title : str
        Of the study.
    n_series : int
        Series before any rule.
    steps : sequence of FlowStep
        Rules in their order; a rule that left out nothing is named in the chart too.
    left : mapping of str to int
        What is in, by what is counted: ``{"series": 10, "subjects": 4}``.

    Returns
    -------
    Picture
        ``curation-flow.svg`` and ``curation-flow.png``; the same counts give the same bytes.
    """
    top = _Box(f"{grouped(n_series)} series considered", ())
    end = _end_box(left)
    rows = [(_step_box(step), _out_box(step)) for step in steps]
    heights = [max(box.height, out.height if out else 0.0) for box, out in rows]
    total = top.height + end.height + sum(heights) + _GAP * (len(rows) + 1) + 0.1
    with drawing((_WIDTH, total)) as (figure, axes):
        figure.set_layout_engine("none")
        axes.set_position((0, 0, 1, 1))
        axes.set(xlim=(0, _WIDTH), ylim=(0, total))
        axes.axis("off")
        y = total - 0.05
        bottom = _draw(axes, top, _LEFT, y, palette.INK)
        y = bottom
        for (box, out), height in zip(rows, heights, strict=True):
            y -= _GAP
            _arrow(axes, (_middle(_LEFT), bottom), (_middle(_LEFT), y))
            bottom = _draw(axes, box, _LEFT, y, palette.GREY)
            if out is not None:
                middle = y - min(box.height, out.height) / 2
                _arrow(axes, (_LEFT[1], middle), (_RIGHT[0], middle))
                _draw(axes, out, _RIGHT, y, palette.PALE)
            y -= height
        y -= _GAP
        _arrow(axes, (_middle(_LEFT), bottom), (_middle(_LEFT), y))
        _draw(axes, end, _LEFT, y, palette.BLUE)
        return picture_of(figure, NAME, f"Flow of series: {title}")


def _step_box(step: FlowStep) -> _Box:
    lines = textwrap.wrap(step.label, _LEFT_LETTERS, max_lines=3, placeholder=" …")
    head, *rest = lines or [""]
    left = f"{grouped(step.n_left)} left"
    if step.n_unchecked:
        left += f", {grouped(step.n_unchecked)} of them unchecked"
    return _Box(head, (*(("", line) for line in rest), ("", left)))


def _out_box(step: FlowStep) -> _Box | None:
    n_out = step.n_before - step.n_left
    if not n_out:
        return None
    lines: list[tuple[str, str]] = []
    for reason, n in step.reasons[:MOST_REASONS]:
        lines += _counted(reason, n)
    if rest := step.reasons[MOST_REASONS:]:
        n_rest = sum(n for _, n in rest)
        lines += _counted(f"{len(rest)} more reason{'s' if len(rest) > 1 else ''}", n_rest)
    return _Box(f"{grouped(n_out)} left out", tuple(lines))


def _counted(reason: str, n: int) -> list[tuple[str, str]]:
    first, *rest = textwrap.wrap(reason, _RIGHT_LETTERS)
    return [(grouped(n), first), *(("", line) for line in rest)]


def _end_box(left: Mapping[str, int]) -> _Box:
    (unit, n), *others = left.items()
    rest = ", ".join(_of(count, name) for name, count in others)
    return _Box(f"{_of(n, unit)} in the study", (("", rest),) if rest else ())


def _of(n: int, things: str) -> str:
    return f"{grouped(n)} {_ONE.get(things, things) if n == 1 else things}"


def _middle(columns: tuple[float, float]) -> float:
    return sum(columns) / 2


def _draw(axes: "Axes", box: _Box, columns: tuple[float, float], top: float, edge: str) -> float:
    from matplotlib.patches import FancyBboxPatch

    left, right = columns
    bottom = top - box.height
    is_strong = edge in {palette.INK, palette.BLUE}
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom),
            right - left,
            box.height,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor="white" if edge == palette.PALE else _FILL,
            edgecolor=edge,
            linewidth=1.3 if is_strong else 0.8,
            zorder=2,
        )
    )
    x, y = left + 0.12, top - _PAD - _LINE / 2
    words: dict[str, Any] = {"va": "center", "zorder": 3}
    axes.text(x, y, box.head, fontsize=8.6, fontweight="bold", color=palette.INK, **words)
    indent = _NUMBER if any(number for number, _ in box.lines) else 0.0
    for number, line in box.lines:
        y -= _LINE
        if number:
            axes.text(x + indent, y, number, ha="right", fontsize=8.0, color=palette.INK, **words)
        text_x = x + indent + (_SPACE if indent else 0.0)
        axes.text(text_x, y, line, fontsize=8.0, color=palette.GREY, **words)
    return bottom


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": palette.GREY, "linewidth": 1, "mutation_scale": 8}
    axes.annotate("", xy=end, xytext=start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})
