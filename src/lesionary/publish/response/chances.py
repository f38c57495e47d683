"""How sure a response is: a small stacked bar of the probability of each category."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from lesionary.publish.report import palette
from lesionary.publish.report.wording import rounded
from lesionary.publish.response.courses import Row
from lesionary.publish.response.marks import in_order, mark_of

WIDTH, HEIGHT = 220.0, 16.0


@dataclass(frozen=True, slots=True)
class Chance:
    """One time point's bars, as drawing and as text, and the lesion that moves it most.

    The second bar, with any choice of targets, is empty where there is no other choice.
    """

    timepoint: str
    svg: str
    text: str
    any_targets_svg: str
    any_targets_text: str
    moved_most_by: str


def chances_of(rows: Sequence[Row]) -> list[Chance]:
    """Return the bars of the time points that have probabilities."""
    return [_chance(row) for row in rows if row.get("probability")]


def _chance(row: Row) -> Chance:
    any_targets = row.get("probability_any_targets")
    moved = row.get("moved_most_by")
    return Chance(
        timepoint=str(row["timepoint"]),
        svg=chance_svg(row["probability"]),
        text=chance_text(row["probability"]),
        any_targets_svg=chance_svg(any_targets, is_thin=True) if any_targets else "",
        any_targets_text=chance_text(any_targets) if any_targets else "",
        moved_most_by=str(moved) if moved else "",
    )


def chance_text(probability: Mapping[str, float]) -> str:
    """Write the probabilities, the best response first; what cannot be is left out.

    Examples
    --------
    >>> chance_text({"SD": 0.255, "PR": 0.745, "PD": 0.0})
    'PR 74.5 %, SD 25.5 %'
    """
    return ", ".join(f"{name} {_percent(share)}" for name, share in _shares(probability))


def chance_svg(probability: Mapping[str, float], *, is_thin: bool = False) -> str:
    """Draw one stacked bar; in one that is not thin, a share wide enough has its name inside."""
    height = HEIGHT / 2 if is_thin else HEIGHT
    parts = [
        f'<svg class="chance" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label={quoteattr(chance_text(probability))} xmlns="http://www.w3.org/2000/svg">'
    ]
    left = 0.0
    for name, share in _shares(probability):
        width = WIDTH * share
        colour = mark_of(name).colour
        ink = "#ffffff" if colour in {palette.BLUE, palette.VERMILLION} else palette.INK
        parts.append(
            f'<rect x="{left:.2f}" width="{width:.2f}" height="{height:g}" fill="{colour}" '
            f'stroke="{palette.INK}" stroke-width=".6"/>'
        )
        if not is_thin and width > 9 * len(name):
            parts.append(
                f'<text x="{left + width / 2:.2f}" y="11.6" font-size="10" text-anchor="middle" '
                f'fill="{ink}">{name}</text>'
            )
        left += width
    return "".join([*parts, "</svg>"])


def _shares(probability: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for name in in_order(probability):
        if probability[name] > 0:
            yield name, float(probability[name])


def _percent(share: float) -> str:
    if share < 0.001:
        return "< 0.1 %"
    return f"{rounded(100 * share, 1)} %"
