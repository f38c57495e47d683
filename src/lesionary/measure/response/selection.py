"""Which lesions to take for targets at baseline, proposed by the guideline; the reader decides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.response.amounts import fault_of_mm
from lesionary.measure.response.baselines import MOST_AN_ORGAN, MOST_TARGETS
from lesionary.measure.response.measurability import (
    counted_organ,
    is_measurable,
    least_measurable_mm,
)
from lesionary.measure.response.records import Role
from lesionary.measure.response.sightings import NORMAL_NODE_MM


class Nature(StrEnum):
    """What a lesion is made of, as far as it matters to measuring it."""

    SOLID = "solid"
    CYST = "cyst"
    CYSTIC_METASTASIS = "cystic_metastasis"
    BLASTIC_BONE = "blastic_bone"
    LYTIC_BONE = "lytic_bone"
    EFFUSION = "effusion"


NOT_MEASURABLE = {
    Nature.BLASTIC_BONE: "a blastic bone lesion is not measurable",
    Nature.EFFUSION: "an effusion is not measurable",
    Nature.LYTIC_BONE: "a lytic bone lesion without soft tissue is not measurable",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lesion at baseline.

    Parameters
    ----------
    lesion : str
    kind : LesionKind
    organ : str
    diameter_mm : Decimal or None
        Long axis of a tumour, short axis of a node; None where it cannot be measured.
    slice_thickness_mm : Decimal or None
    nature : Nature
    has_soft_tissue : bool
        Of a lytic bone lesion: whether it has a part in soft tissue that is measured.
    is_irradiated, has_progressed : bool
        Whether it was irradiated, and has progressed since.
    """

    lesion: str
    kind: LesionKind
    organ: str
    diameter_mm: Decimal | None
    slice_thickness_mm: Decimal | None = None
    nature: Nature = Nature.SOLID
    has_soft_tissue: bool = False
    is_irradiated: bool = False
    has_progressed: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a lesion is proposed to be.

    Parameters
    ----------
    lesion : str
    role : Role or None
        Target or non-target; None where it is no lesion at all.
    reason : str
        One clause.
    """

    lesion: str
    role: Role | None
    reason: str


def propose_targets(lesions: Sequence[Candidate]) -> tuple[Proposal, ...]:
    """Propose targets: the largest that can be measured, at most 5, at most 2 an organ.

    All lymph nodes are one organ, paired organs are one. Of equal diameters solid lesions come
    before cystic ones, then the name decides, so the order of the lesions never matters. What is
    disease and no target is non-target.

    Parameters
    ----------
    lesions : sequence of Candidate
        All lesions of one subject at baseline.

    Returns
    -------
    tuple of Proposal
        One a lesion, in the order given.

    Raises
    ------
    InputError
        If two lesions have one name, or a diameter is none.

    References
    ----------
    .. [1] Eisenhauer et al., RECIST 1.1, Eur J Cancer 45, 228-247 (2009), sections 3 and 4.
    """
    names = [one.lesion for one in lesions]
    if len(set(names)) < len(names):
        raise InputError("two lesions have the same name")
    for one in lesions:
        if one.diameter_mm is not None and (why := fault_of_mm(one.diameter_mm)):
            raise InputError(f"a diameter is {why}")
    found = {one.lesion: proposal for one in lesions if (proposal := _unfit(one)) is not None}
    fit = [one for one in lesions if one.lesion not in found]
    per_organ: Counter[str] = Counter()
    for one in sorted(fit, key=_rank):
        organ = counted_organ(one.kind, one.organ)
        found[one.lesion] = _placed(one, organ, per_organ)
        if found[one.lesion].role is Role.TARGET:
            per_organ[organ] += 1
    return tuple(found[name] for name in names)


def _rank(one: Candidate) -> tuple[bool, Decimal, str]:
    """Cystic metastases come after all solid lesions; the guideline prefers these."""
    return one.nature is Nature.CYSTIC_METASTASIS, -(one.diameter_mm or Decimal(0)), one.lesion


def _placed(one: Candidate, organ: str, per_organ: Counter[str]) -> Proposal:
    if per_organ.total() >= MOST_TARGETS:
        why = f"measurable, but there are {MOST_TARGETS} larger or preferred targets"
    elif organ and per_organ[organ] >= MOST_AN_ORGAN:
        why = f"measurable, but {organ} has {MOST_AN_ORGAN} targets already"
    else:
        return Proposal(one.lesion, Role.TARGET, f"measurable: {one.diameter_mm} mm")
    return Proposal(one.lesion, Role.NON_TARGET, why)


def _unfit(one: Candidate) -> Proposal | None:
    """Return what a lesion is that cannot be a target; None where it can."""
    if one.nature is Nature.CYST:
        return Proposal(one.lesion, None, "a simple cyst is no lesion")
    size = one.diameter_mm
    if one.kind is LesionKind.NODE and size is not None and size < NORMAL_NODE_MM:
        why = f"a node with a short axis below {NORMAL_NODE_MM} mm is normal"
        return Proposal(one.lesion, None, why)
    why = _why_not_measurable(one)
    return Proposal(one.lesion, Role.NON_TARGET, why) if why else None


def _why_not_measurable(one: Candidate) -> str:
    if one.nature in NOT_MEASURABLE and not (
        one.nature is Nature.LYTIC_BONE and one.has_soft_tissue
    ):
        return NOT_MEASURABLE[one.nature]
    if one.is_irradiated and not one.has_progressed:
        return "irradiated, and not known to have progressed since"
    if one.diameter_mm is None:
        return "it has no diameter"
    if not is_measurable(one.kind, one.diameter_mm, one.slice_thickness_mm):
        least = least_measurable_mm(one.kind, one.slice_thickness_mm)
        return f"{one.diameter_mm} mm, measurable from {least} mm on"
    return ""
