"""A figure as the release holds it: SVG and PNG; the same numbers give the same bytes."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.publish.report.drawing import svg_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG_DPI = 200


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
    width_inches : float
        At which its letters have the size they are meant to have.
    """

    name: str
    title: str
    svg: str
    png: bytes
    width_inches: float

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and bytes of both files."""
        yield f"{self.name}.svg", (self.svg + "\n").encode()
        yield f"{self.name}.png", self.png


def picture_of(figure: "Figure", name: str, title: str) -> Picture:
    """Write a finished figure, inside ``drawing``, in both forms."""
    svg = svg_of(figure, f"{name} {title}", title)  # unique within a page of several
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=PNG_DPI, facecolor="white", metadata={"Software": None}
    )
    return Picture(name, title, svg, buffer.getvalue(), float(figure.get_figwidth()))
