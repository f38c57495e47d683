"""What a user points at: a box around one lesion."""

import re
from dataclasses import dataclass

from lesionary.core.errors import InputError
from lesionary.core.volume import Box, Geometry

_HINT = "give six whole numbers i0,i1,j0,j1,k0,k1: first index and one past the last, from 0"


@dataclass(frozen=True, slots=True)
class BoxPrompt:
    """A box around one lesion.

    Parameters
    ----------
    box : Box
        Half-open index ranges along ``(k, j, i)``, at least one voxel each.
    label : str, optional
        What the lesion is called, such as ``m,liver``.

    Raises
    ------
    InputError
        If a range is empty, negative or has a step (code ``box``).
    """

    box: Box
    label: str | None = None

    def __post_init__(self) -> None:
        if len(self.box) != 3:
            raise InputError(f"a box has three ranges, not {len(self.box)}", code="box", hint=_HINT)
        for axis, indices in zip("kji", self.box, strict=True):
            if indices.start is None or indices.stop is None or indices.step not in {None, 1}:
                raise InputError(
                    f"the box needs a first and a last index along {axis}", code="box", hint=_HINT
                )
            if not 0 <= indices.start < indices.stop:
                raise InputError(
                    f"the box runs from {indices.start} to {indices.stop} along {axis}: "
                    "no voxel lies in it",
                    code="box",
                    hint=_HINT,
                )

    def require_inside(self, geometry: Geometry) -> None:
        """Raise :class:`InputError` (code ``box``) unless the box lies on this grid."""
        for axis, indices, size in zip("kji", self.box, geometry.shape, strict=True):
            if indices.stop > size:
                raise InputError(
                    f"the box ends at {indices.stop} along {axis}, the scan at {size}",
                    code="box",
                    hint=_HINT,
                )


def parse_box(text: str) -> Box:
    """Read ``i0,i1,j0,j1,k0,k1``, as ``--box`` takes it, into ranges along ``(k, j, i)``.

    Raises
    ------
    InputError
        If these are not six whole numbers of at least one voxel (code ``box``).

    Examples
    --------
    >>> parse_box("10,20,30,40,5,6")
    (slice(5, 6, None), slice(30, 40, None), slice(10, 20, None))
    """
    parts = text.split(",")
    if len(parts) != 6 or not all(re.fullmatch(r"\s*-?[0-9]{1,9}\s*", part) for part in parts):
        raise InputError(f"{text!r} is not a box", code="box", hint=_HINT)
    i0, i1, j0, j1, k0, k1 = (int(part) for part in parts)
    return BoxPrompt((slice(k0, k1), slice(j0, j1), slice(i0, i1))).box
