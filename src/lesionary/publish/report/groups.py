"""Kinds of lesions that figures and tables compare: by organ, lymph nodes together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lesionary.core.terms import LYMPH_NODES, LesionKind, parse_label
from lesionary.core.volume import BoolArray, FloatArray, Quantity
from lesionary.publish.report import palette
from lesionary.publish.report.data import LesionRow

MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True, slots=True)
class Group:
    """Lesions of one kind, with the colour and marker they have in every figure."""

    name: str
    lesions: tuple[LesionRow, ...]
    colour: str
    marker: str

    @property
    def diameters_mm(self) -> FloatArray:
        """Shape (n,); NaN where undefined."""
        return _array([row.diameter_mm for row in self.lesions])

    @property
    def volumes_ml(self) -> FloatArray:
        """Shape (n,); NaN where undefined."""
        return _array([row.volume_ml for row in self.lesions])

    def intensities(self, quantity: Quantity) -> FloatArray:
        """Return mean intensities, shape (n,); NaN where undefined or of another quantity."""
        return _array(
            [row.mean_intensity if row.quantity == quantity else None for row in self.lesions]
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of these lesions, sorted: several in the group of what is left over."""
        return tuple(sorted({kind_of(row) for row in self.lesions}))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the mean intensities of these lesions count, in the order of :class:`Quantity`."""
        present = {row.quantity for row in self.lesions if row.mean_intensity is not None}
        return tuple(quantity for quantity in Quantity if quantity in present)


def groups_of(lesions: Sequence[LesionRow]) -> tuple[Group, ...]:
    """Split lesions by kind, the most frequent first; what is left over is the last group.

    As many kinds as there are colours get a group of their own. An empty input has no groups.
    """
    by_name: dict[str, list[LesionRow]] = defaultdict(list)
    for row in lesions:
        by_name[kind_of(row)].append(row)
    ranked = sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0]))
    n_own = len(palette.GROUPS)
    groups = [
        Group(name, tuple(rows), colour, marker)
        for (name, rows), colour, marker in zip(ranked, palette.GROUPS, MARKERS, strict=False)
    ]
    rest = [row for _, rows in ranked[n_own:] for row in rows]
    if rest:
        n_other = len(ranked) - n_own
        name = f"{n_other} other kinds" if n_other > 1 else ranked[-1][0]
        groups.append(Group(name, tuple(rest), palette.OTHERS, "P"))
    return tuple(groups)


def has_features(group: Group, quantity: Quantity) -> BoolArray:
    """Tell which lesions have diameter, volume and a mean intensity of ``quantity``, shape (n,)."""
    finite: BoolArray = (
        np.isfinite(group.diameters_mm)
        & np.isfinite(group.volumes_ml)
        & np.isfinite(group.intensities(quantity))
    )
    return finite


def has_sizes(group: Group) -> BoolArray:
    """Tell which lesions have a diameter and a volume above zero, shape (n,)."""
    positive: BoolArray = (group.diameters_mm > 0) & (group.volumes_ml > 0)
    return positive


def kind_of(row: LesionRow) -> str:
    """Name the kind of a lesion: its organ, ``lymph nodes``, or the label where it has no organ."""
    if row.kind is LesionKind.NODE:
        return LYMPH_NODES
    label = parse_label(row.label)
    if label is not None:
        return label.organ
    _, _, place = row.label.partition(",")
    return place.strip() or row.label


def _array(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
