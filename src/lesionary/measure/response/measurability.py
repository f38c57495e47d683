"""What is large enough to be measured, and which organ it counts under (RECIST 1.1, section 3)."""

import re
from decimal import Decimal

from lesionary.core.terms import LYMPH_NODES, LesionKind, LesionType, parse_label

LEAST_TUMOUR_MM = Decimal(10)
LEAST_NODE_MM = Decimal(15)
THIN_SLICE_MM = Decimal(5)
"""Up to here 10 mm can be measured; beyond, twice the slice thickness."""

_BETWEEN = re.compile(r"[\s_,;:/().-]+")
_SIDES = frozenset({"left", "right", "bilateral", "both", "l", "r", "lt", "rt"})
_LOBES = frozenset({"lobe", "lobes"})
_OF_LUNG = frozenset({"upper", "middle", "lower"})
_WITHIN = _LOBES | _OF_LUNG | {
    "segment", "segments", "seg", "apex", "apical", "base", "basal", "dome", "hilum", "caudate",
    "quadrate", "of", "the", "in",
}  # fmt: skip
_SEGMENT = re.compile(r"s?\d{1,2}[ab]?|[ivx]{1,4}[ab]?")
"""Segments of lung or liver, by number."""


def least_measurable_mm(kind: LesionKind, slice_thickness_mm: Decimal | None = None) -> Decimal:
    """Return the smallest diameter that can be measured at baseline.

    Parameters
    ----------
    kind : LesionKind
        A node's short axis is 15 mm or more, a tumour's long axis 10 mm or more.
    slice_thickness_mm : Decimal, optional
        The thickness of a slice, not their distance. Above 5 mm a tumour's axis is twice as long
        or more; unknown, slices are taken for thin. A node's limit does not depend on it.

    Examples
    --------
    >>> least_measurable_mm(LesionKind.TUMOUR, Decimal("7.5"))
    Decimal('15.0')
    >>> least_measurable_mm(LesionKind.NODE, Decimal("7.5"))
    Decimal('15')
    """
    if kind is LesionKind.NODE:
        return LEAST_NODE_MM
    if slice_thickness_mm is None or slice_thickness_mm <= THIN_SLICE_MM:
        return LEAST_TUMOUR_MM
    return 2 * slice_thickness_mm


def is_measurable(
    kind: LesionKind, diameter_mm: Decimal | None, slice_thickness_mm: Decimal | None = None
) -> bool:
    """Tell whether a lesion may be a target by its size; what has none may not."""
    if diameter_mm is None:
        return False
    return diameter_mm >= least_measurable_mm(kind, slice_thickness_mm)


def counted_organ(kind: LesionKind, organ: str) -> str:
    """Return what an organ counts as where no more than two of one may be targets.

    All lymph nodes are one organ, all bones are, and so are paired organs. Sides, lobes and
    segments do not matter, wherever they are written, as long as the vocabulary knows the rest; an
    upper, middle or lower lobe of nothing is the lung's. A place that the vocabulary does not know
    counts by its own name, without side and capitals.

    Examples
    --------
    >>> counted_organ(LesionKind.TUMOUR, "Left lung")
    'lung'
    >>> counted_organ(LesionKind.TUMOUR, "liver, segment 4")
    'liver'
    >>> counted_organ(LesionKind.NODE, "axillary")
    'lymph nodes'
    """
    if kind is LesionKind.NODE:
        return LYMPH_NODES
    if known := _known_organ(organ):
        return known
    words = [word for word in _BETWEEN.split(organ.lower()) if word and word not in _SIDES]
    rest = [word for word in words if word not in _WITHIN and not _SEGMENT.fullmatch(word)]
    plain = " ".join(words)
    if known := _known_organ(plain) or _known_organ(" ".join(rest)):
        return known
    is_lobe_alone = not rest and bool(_LOBES & set(words)) and bool(_OF_LUNG & set(words))
    return "lung" if is_lobe_alone else plain


def _known_organ(place: str) -> str:
    label = parse_label(f"{LesionType.METASTASIS.value},{place}")
    return "" if label is None else label.organ
