from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.core.terms import LesionKind
from lesionary.measure.response.measurability import counted_organ, is_measurable
from lesionary.measure.response.records import Role
from lesionary.measure.response.selection import Candidate, Nature, propose_targets


def lesion(name, diameter, organ="liver", *, kind="tumour", **words):
    size = None if diameter is None else Decimal(diameter)
    thickness = words.pop("slice_thickness_mm", None)
    return Candidate(
        name, LesionKind(kind), organ, size, None if thickness is None else Decimal(thickness),
        **words,
    )  # fmt: skip


def roles(*lesions):
    return {one.lesion: one.role for one in propose_targets(lesions)}


def targets(*lesions):
    return {name for name, role in roles(*lesions).items() if role is Role.TARGET}


def only(one):
    (proposal,) = propose_targets([one])
    return proposal


def test_the_largest_two_of_an_organ_are_targets_and_the_rest_non_targets():
    found = roles(lesion("A", "12"), lesion("B", "30"), lesion("C", "20"))
    assert found == {"A": Role.NON_TARGET, "B": Role.TARGET, "C": Role.TARGET}


def test_at_most_five_targets_the_largest():
    organs = ("liver", "lung", "brain", "skin", "spleen", "kidney")
    six = [lesion(name, str(20 + place), organ)
           for place, (name, organ) in enumerate(zip("ABCDEF", organs, strict=True))]  # fmt: skip
    assert targets(*six) == set("BCDEF")


def test_all_nodes_are_one_organ_and_so_are_paired_organs():
    nodes = [lesion(name, "20", place, kind="node")
             for name, place in zip("ABC", ("neck", "iliac", "axillary"), strict=True)]  # fmt: skip
    assert targets(*nodes) == {"A", "B"}
    lungs = [lesion(name, "20", f"{side} lung")
             for name, side in zip("ABC", ("left", "right", "left"), strict=True)]  # fmt: skip
    assert targets(*lungs) == {"A", "B"}


@pytest.mark.parametrize(
    ("diameter", "role"),
    [("15", Role.TARGET), ("14.9", Role.NON_TARGET), ("10", Role.NON_TARGET), ("9.9", None)],
)
def test_nodes_by_their_short_axis(diameter, role):
    assert only(lesion("N", diameter, kind="node")).role is role


def test_thick_slices_ask_for_twice_their_thickness():
    assert only(lesion("A", "14", slice_thickness_mm="7.5")).role is Role.NON_TARGET
    assert only(lesion("A", "15", slice_thickness_mm="7.5")).role is Role.TARGET


def test_a_simple_cyst_is_no_lesion():
    found = only(lesion("A", "40", nature=Nature.CYST))
    assert (found.role, found.reason) == (None, "a simple cyst is no lesion")


@pytest.mark.parametrize("nature", [Nature.BLASTIC_BONE, Nature.EFFUSION, Nature.LYTIC_BONE])
def test_what_cannot_be_measured_is_non_target(nature):
    assert only(lesion("A", "40", nature=nature)).role is Role.NON_TARGET


def test_a_lytic_bone_lesion_with_soft_tissue_may_be_a_target():
    one = lesion("A", "40", "bone", nature=Nature.LYTIC_BONE, has_soft_tissue=True)
    assert only(one).role is Role.TARGET
    one = lesion("A", "40", "bone", nature=Nature.BLASTIC_BONE, has_soft_tissue=True)
    assert only(one).role is Role.NON_TARGET


def test_an_irradiated_lesion_is_a_target_only_once_it_progressed():
    assert only(lesion("A", "40", is_irradiated=True)).role is Role.NON_TARGET
    assert only(lesion("A", "40", is_irradiated=True, has_progressed=True)).role is Role.TARGET


def test_a_cystic_metastasis_comes_after_solid_lesions_of_its_organ():
    cystic = lesion("A", "50", nature=Nature.CYSTIC_METASTASIS)
    assert only(cystic).role is Role.TARGET
    assert targets(cystic, lesion("B", "20"), lesion("C", "20")) == {"B", "C"}


def test_a_lesion_without_diameter_is_non_target():
    assert only(lesion("A", None)).role is Role.NON_TARGET


def test_equal_diameters_go_by_name():
    assert targets(lesion("C", "20"), lesion("B", "20"), lesion("A", "20.0")) == {"A", "B"}


def test_every_proposal_says_why():
    found = propose_targets([lesion(name, "20") for name in "ABC"])
    assert [one.reason for one in found] == [
        "measurable: 20 mm",
        "measurable: 20 mm",
        "measurable, but liver has 2 targets already",
    ]


def test_lesions_of_one_name_and_faulty_diameters_are_refused():
    with pytest.raises(InputError, match="same name"):
        propose_targets([lesion("A", "20"), lesion("A", "30")])
    with pytest.raises(InputError, match="below 0"):
        propose_targets([lesion("A", "-1")])


@st.composite
def candidates(draw):
    n = draw(st.integers(0, 9))
    return [
        lesion(f"L{place}", str(draw(st.integers(5, 40))), draw(st.sampled_from("xyz")),
               kind=draw(st.sampled_from(["tumour", "node"])))
        for place in range(n)
    ]  # fmt: skip


@given(candidates(), st.randoms())
def test_the_rules_hold_and_order_does_not_matter(lesions, random):
    chosen = targets(*lesions)
    shuffled = list(lesions)
    random.shuffle(shuffled)
    assert targets(*shuffled) == chosen
    by_name = {one.lesion: one for one in lesions}
    organs = [counted_organ(by_name[name].kind, by_name[name].organ) for name in chosen]
    assert len(chosen) <= 5
    assert all(organs.count(organ) <= 2 for organ in organs)
    assert all(is_measurable(by_name[name].kind, by_name[name].diameter_mm) for name in chosen)
    left = [one for one in lesions
            if one.lesion not in chosen and is_measurable(one.kind, one.diameter_mm)]  # fmt: skip
    for one in left:  # nothing larger was left out while there was room for it
        same = [by_name[name] for name in chosen
                if counted_organ(by_name[name].kind, by_name[name].organ)
                == counted_organ(one.kind, one.organ)]  # fmt: skip
        rivals = same if len(same) == 2 else [by_name[name] for name in chosen]
        assert len(same) == 2 or len(chosen) == 5
        assert all(rival.diameter_mm >= one.diameter_mm for rival in rivals)
