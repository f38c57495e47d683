"""Lines of text that fit a width: measured in matplotlib's own font, so everywhere the same.

Letters differ: forty of them may take one inch or five.
"""

import re
from functools import cache

_FONT = "DejaVu Sans"
_POINTS_PER_INCH = 72.0
_EM_POINTS = 100.0
_ABSENT_EMS = 1.15
"""Of a letter that the font lacks: of the box in its place, and of Chinese in a browser."""
_FIXED_POINT = 65536.0
"""FreeType counts advances in 16.16."""
_BREAKS = re.compile(r"[ \t\r\n]+")
"""Not every blank: the narrow one within a number holds its digits together."""


def width_inches(text: str, size_points: float, *, is_bold: bool = False) -> float:
    """Return how wide a text is."""
    n_ems = sum(_advance_ems(letter, is_bold=is_bold) for letter in text)
    return n_ems * size_points / _POINTS_PER_INCH


def fitted(
    text: str, room_inches: float, size_points: float, *, is_bold: bool = False
) -> list[str]:
    """Break a text into lines that fit; a word that is too long for a line is broken too.

    Parameters
    ----------
    text : str
        Blanks in a row count as one.
    room_inches : float
        A line takes a letter at least, however narrow this is.
    size_points : float
    is_bold : bool

    Returns
    -------
    list of str
        At least one line, which is empty where the text is.

    Examples
    --------
    >>> fitted("Modality: CT", 10.0, 8.0)
    ['Modality: CT']
    """

    def fits(line: str) -> bool:
        return len(line) < 2 or width_inches(line, size_points, is_bold=is_bold) <= room_inches

    lines: list[str] = []
    line = ""
    for word in filter(None, _BREAKS.split(text)):
        if line and fits(f"{line} {word}"):
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in word:
            if fits(line + letter):
                line += letter
            else:
                lines.append(line)
                line = letter
    return [*lines, line]


@cache
def _advance_ems(letter: str, *, is_bold: bool) -> float:
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    weight = "bold" if is_bold else "normal"
    font = get_font(findfont(FontProperties(family=_FONT, weight=weight)))
    font.set_size(_EM_POINTS, _POINTS_PER_INCH)
    index = font.get_char_index(ord(letter))
    if not index:
        return _ABSENT_EMS
    glyph = font.load_glyph(index, flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / _FIXED_POINT / _EM_POINTS
