"""The flow chart of a curation: how many series came, what each rule left out and why, what is in.

Boxes go down the page as papers print them; beside each step stands what it put out. Nothing is
cut: reasons beyond the largest are summed, and counts add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.publish.comparison.picture import Picture, picture_of
from lesionary.publish.report import palette
from lesionary.publish.report.drawing import drawing
from lesionary.publish.report.lettering import fitted, width_inches
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
_HEAD_POINTS, _POINTS = 8.6, 8.0
_MARGIN, _SPACE = 0.12, 0.1
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
    columns: tuple[float, float]
    heads: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    """Number and words; the number stands to the right in a column of its own."""
    indent: float = 0.0
    """Width of that column."""

    @property
    def height(self) -> float:
        return _LINE * (len(self.heads) + len(self.lines)) + 2 * _PAD


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
    top = _box(_LEFT, f"{grouped(n_series)} series considered")
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
        bottom = _draw(axes, top, y, palette.INK)
        y = bottom
        for (box, out), height in zip(rows, heights, strict=True):
            y -= _GAP
            _arrow(axes, (_middle(_LEFT), bottom), (_middle(_LEFT), y))
            bottom = _draw(axes, box, y, palette.GREY)
            if out is not None:
                middle = y - min(box.height, out.height) / 2
                _arrow(axes, (_LEFT[1], middle), (_RIGHT[0], middle))
                _draw(axes, out, y, palette.PALE)
            y -= height
        y -= _GAP
        _arrow(axes, (_middle(_LEFT), bottom), (_middle(_LEFT), y))
        _draw(axes, end, y, palette.BLUE)
        return picture_of(figure, NAME, f"Flow of series: {title}")


def _step_box(step: FlowStep) -> _Box:
    left = f"{grouped(step.n_left)} left"
    if step.n_unchecked:
        left += f", {grouped(step.n_unchecked)} of them unchecked"
    return _box(_LEFT, step.label, [("", left)])


def _out_box(step: FlowStep) -> _Box | None:
    n_out = step.n_before - step.n_left
    if not n_out:
        return None
    rows = [(grouped(n), reason) for reason, n in step.reasons[:MOST_REASONS]]
    if rest := step.reasons[MOST_REASONS:]:
        n_rest = sum(n for _, n in rest)
        rows.append((grouped(n_rest), f"{len(rest)} more reason{'s' if len(rest) > 1 else ''}"))
    return _box(_RIGHT, f"{grouped(n_out)} left out", rows)


def _end_box(left: Mapping[str, int]) -> _Box:
    (unit, n), *others = left.items()
    rest = ", ".join(_of(count, name) for name, count in others)
    return _box(_LEFT, f"{_of(n, unit)} in the study", [("", rest)] if rest else ())


def _box(columns: tuple[float, float], head: str, rows: Sequence[tuple[str, str]] = ()) -> _Box:
    """Break a box's texts into lines that fit it."""
    room = columns[1] - columns[0] - 2 * _MARGIN
    indent = max((width_inches(number, _POINTS) for number, _ in rows), default=0.0)
    beside = room - indent - (_SPACE if indent else 0.0)
    lines: list[tuple[str, str]] = []
    for number, words in rows:
        first, *others = fitted(words, beside, _POINTS)
        lines += [(number, first), *(("", line) for line in others)]
    return _Box(
        columns, tuple(fitted(head, room, _HEAD_POINTS, is_bold=True)), tuple(lines), indent
    )


def _of(n: int, things: str) -> str:
    return f"{grouped(n)} {_ONE.get(things, things) if n == 1 else things}"


def _middle(columns: tuple[float, float]) -> float:
    return sum(columns) / 2


def _draw(axes: "Axes", box: _Box, top: float, edge: str) -> float:
    from matplotlib.patches import FancyBboxPatch

    left, right = box.columns
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
    x, y = left + _MARGIN, top - _PAD + _LINE / 2
    words: dict[str, Any] = {"va": "center", "zorder": 3}
    for line in box.heads:
        y -= _LINE
        style: dict[str, Any] = {"fontsize": _HEAD_POINTS, "fontweight": "bold"}
        axes.text(x, y, line, color=palette.INK, **style, **words)
    number_x = x + box.indent
    text_x = number_x + (_SPACE if box.indent else 0.0)
    for number, line in box.lines:
        y -= _LINE
        if number:
            ink = palette.INK
            axes.text(number_x, y, number, ha="right", fontsize=_POINTS, color=ink, **words)
        axes.text(text_x, y, line, fontsize=_POINTS, color=palette.GREY, **words)
    return bottom


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": palette.GREY, "linewidth": 1, "mutation_scale": 8}
    axes.annotate("", xy=end, xytext=start, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})
