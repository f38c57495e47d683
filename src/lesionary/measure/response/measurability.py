"""What is large enough to be measured, and which organ it counts under (RECIST 1.1, section 3)."""

from decimal import Decimal

from lesionary.core.terms import LYMPH_NODES, LesionKind, LesionType, parse_label

LEAST_TUMOUR_MM = Decimal(10)
LEAST_NODE_MM = Decimal(15)
THIN_SLICE_MM = Decimal(5)
"""Up to here 10 mm can be measured; beyond, twice the slice thickness."""

_SIDES = ("left ", "right ", "bilateral ")


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

    All lymph nodes are one organ, all bones are, and so are paired organs. A place that the
    vocabulary does not know counts by its own name, without side and capitals.

    Examples
    --------
    >>> counted_organ(LesionKind.TUMOUR, "Left lung")
    'lung'
    >>> counted_organ(LesionKind.NODE, "axillary")
    'lymph nodes'
    """
    if kind is LesionKind.NODE:
        return LYMPH_NODES
    label = parse_label(f"{LesionType.METASTASIS.value},{organ}")
    if label is not None:
        return label.organ
    plain = " ".join(organ.lower().replace("_", " ").replace("-", " ").split())
    for side in _SIDES:
        plain = plain.removeprefix(side)
    return plain
