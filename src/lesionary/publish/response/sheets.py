"""Pictures that would hold too much are cut into several, numbered."""

from collections.abc import Sequence
from typing import TypeVar

Shown = TypeVar("Shown")


def sheets(name: str, rows: Sequence[Shown], most: int) -> list[tuple[str, Sequence[Shown]]]:
    """Deal rows out to pictures.

    Parameters
    ----------
    name : str
        Of the picture.
    rows : sequence
    most : int
        Rows a picture.

    Returns
    -------
    list of (str, sequence)
        Each picture's name and rows. One picture keeps the name, several are numbered from 1;
        without rows there is none.

    Examples
    --------
    >>> sheets("spider", "abc", 2)
    [('spider-1', 'ab'), ('spider-2', 'c')]
    >>> sheets("spider", "ab", 2)
    [('spider', 'ab')]
    """
    parts = [rows[start : start + most] for start in range(0, len(rows), most)]
    if len(parts) < 2:
        return [(name, part) for part in parts]
    return [(f"{name}-{number}", part) for number, part in enumerate(parts, 1)]
