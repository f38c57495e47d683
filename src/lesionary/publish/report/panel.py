"""Draw one gallery picture as SVG: pixels, outline, both axes, a scale bar.

Units of the drawing are millimetres of the patient, so voxels that are not square come out right.
"""

import math
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from lesionary.core.volume import BoolArray, FloatArray
from lesionary.publish.report.gallery import GalleryItem, Segment
from lesionary.publish.report.palette import LONG_AXIS, OUTLINE, SHORT_AXIS
from lesionary.publish.report.png import data_uri

MOST_PIXELS = 256
"""A picture with more pixels a side is thinned: nobody sees them at the size it is shown."""


def panel_svg(item: GalleryItem, description: str) -> str:
    """Draw a picture with its outline and axes.

    Parameters
    ----------
    item : GalleryItem
        What to draw.
    description : str
        What somebody hears who does not see it.

    Returns
    -------
    str
        One ``<svg>`` element, as wide as its container.
    """
    rows, columns = item.pixels.shape
    height, width = rows * item.spacing_mm[0], columns * item.spacing_mm[1]
    field = max(height, width)
    parts = [
        f'<svg class="panel" viewBox="0 0 {_mm(width)} {_mm(height)}" role="img" '
        f'aria-label={quoteattr(description)} xmlns="http://www.w3.org/2000/svg">',
        f'<image width="{_mm(width)}" height="{_mm(height)}" preserveAspectRatio="none" '
        f'href="{data_uri(_thinned(item.pixels))}"/>',
        _outline(item, field / 190),
        _axis(item.short_axis, item.spacing_mm, SHORT_AXIS, field),
        _axis(item.long_axis, item.spacing_mm, LONG_AXIS, field),
        _scale_bar(width, height),
        _side(width, height),
        "</svg>",
    ]
    return "".join(parts)


def _mm(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _thinned(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average blocks of pixels until no side is longer than ``MOST_PIXELS``; edges are repeated."""
    step = math.ceil(max(pixels.shape) / MOST_PIXELS)
    if step == 1:
        return pixels
    padded = np.pad(pixels, [(0, -n % step) for n in pixels.shape], mode="edge")
    rows, columns = (n // step for n in padded.shape)
    blocks = padded.reshape(rows, step, columns, step).mean(axis=(1, 3))
    thinned: NDArray[np.uint8] = np.rint(blocks).astype(np.uint8)
    return thinned


def outline_loops(mask: BoolArray) -> list[FloatArray]:
    """Trace the outline through the midpoints of the voxels' edges, as the calipers measure it.

    Returns
    -------
    list of float array, shape (n, 2)
        Closed loops of row and column; whole numbers are voxel centres. Voxels that touch at a
        corner belong together.
    """
    from skimage.measure import find_contours

    loops = find_contours(np.pad(mask, 1).astype(np.float64), 0.5, fully_connected="high")
    return [loop - 1.0 for loop in loops]


def _outline(item: GalleryItem, stroke: float) -> str:
    scale = np.array(item.spacing_mm)
    loops = [
        "M" + "L".join(f"{_mm(x)} {_mm(y)}" for y, x in ((loop[:-1] + 0.5) * scale).tolist()) + "Z"
        for loop in outline_loops(item.mask)
    ]
    return (
        f'<path class="outline" d="{"".join(loops)}" fill="{OUTLINE}" fill-opacity=".1" '
        f'fill-rule="evenodd" stroke="{OUTLINE}" stroke-width="{_mm(stroke)}" '
        'stroke-linejoin="round"/>'
    )


def _axis(
    segment: Segment | None, spacing_mm: tuple[float, float], colour: str, field: float
) -> str:
    """Draw a caliper: a dark edge below, the colour above."""
    if segment is None:
        return ""
    ends = [((c + 0.5) * spacing_mm[1], (r + 0.5) * spacing_mm[0]) for r, c in segment]
    path = "M" + "L".join(f"{_mm(x)} {_mm(y)}" for x, y in ends)
    return (
        f'<path d="{path}" stroke="#000" stroke-opacity=".55" stroke-width="{_mm(field / 55)}" '
        'stroke-linecap="round"/>'
        f'<path d="{path}" stroke="{colour}" stroke-width="{_mm(field / 110)}" '
        'stroke-linecap="round"/>'
    )


def _scale_bar(width: float, height: float) -> str:
    """Draw 10 mm, or 50 mm where the picture is so wide that 10 would be a dot."""
    length = 10 if width < 150 else 50
    inset, size = width * 0.05, width * 0.05
    left, bottom = inset, height - inset
    bar = f"M{_mm(left)} {_mm(bottom)}h{length}"
    return (
        f'<path d="{bar}" stroke="#000" stroke-opacity=".6" stroke-width="{_mm(width / 60)}"/>'
        f'<path d="{bar}" stroke="#fff" stroke-width="{_mm(width / 110)}"/>'
        f'<text x="{_mm(left)}" y="{_mm(bottom - size * 0.45)}" font-size="{_mm(size)}">'
        f"{length} mm</text>"
    )


def _side(width: float, height: float) -> str:
    """Name the patient's right, which is on the viewer's left."""
    size = width * 0.055
    return (
        f'<text class="side" x="{_mm(width * 0.03)}" y="{_mm(height / 2 + size / 3)}" '
        f'font-size="{_mm(size)}">R</text>'
    )
