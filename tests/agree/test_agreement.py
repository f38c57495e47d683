"""The document of ``file agree``: its fields, its undefined cases, what it does not depend on."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lesionary.agree.agreement import agreement
from lesionary.agree.kappa import ALL_DRAWN, NOTHING_DRAWN
from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.identity import canonical_json
from lesionary.core.volume import AxisOrder, Geometry, LabelMap
from strategies import geometries

GRID = Geometry((1, 1, 10), np.diag([5.0, 2.0, 10.0, 1.0]))  # a voxel has 0.1 ml
SCORES = (
    "domain",
    "dice",
    "fleiss_kappa",
    "krippendorff_alpha",
    "volume_ml",
    "volume_difference_ml",
    "volume_rmse_ml",
    "volume_rmse_percent",
    "consensus",
)


def drawn(text, **labels):
    """Return a label map of one row of ten voxels: digits are labels, a dot is background."""
    row = [0 if letter == "." else int(letter) for letter in text.ljust(10, ".")]
    texts = {int(name[1:]): text for name, text in labels.items()}
    return LabelMap(np.array([[row]], dtype=np.uint16), GRID, texts)


def agree(*texts, names=None, **options):
    names = names or [chr(ord("A") + n) for n in range(len(texts))]
    return agreement([drawn(text) for text in texts], names, **options).to_json()


def voxels_long(component, geometry):
    return component.n_voxels * geometry.spacing_mm[2]


@st.composite
def readings(draw, most=7):
    grid = draw(geometries(hnp.array_shapes(min_dims=3, max_dims=3, max_side=5)))
    values = st.sampled_from([0, 0, 0, 1, 1, 2])
    n = draw(st.integers(2, most))
    return [
        LabelMap(draw(hnp.arrays(np.uint16, grid.shape, elements=values)), grid) for _ in range(n)
    ]


def nulls_without_a_reason(value, reason=None):
    """List the fields that are null, or hold a null, without a text in ``reason``."""
    if isinstance(value, dict):
        own = value.get("reason", {})
        for name, held in value.items():
            plain = list(held.values()) if isinstance(held, dict) else held
            is_list = isinstance(plain, list) and not any(isinstance(x, dict | list) for x in plain)
            if (held is None or (is_list and None in plain)) and not own.get(name):
                yield name
            if not is_list:
                yield from nulls_without_a_reason(held)
    elif isinstance(value, list):
        for held in value:
            yield from nulls_without_a_reason(held)


@given(readings(), st.booleans())
def test_every_document_is_json_and_gives_a_reason_for_each_null(readers, has_diameters):
    names = [str(n) for n in range(len(readers))]
    found = agreement(readers, names, diameters=voxels_long if has_diameters else None).to_json()
    assert json.loads(canonical_json(found)) == found
    assert list(nulls_without_a_reason(found)) == []
    assert set(SCORES) <= set(found)
    for row in found["tumours"]:
        assert {*SCORES, "tumour", "label", "present", "fused"} <= set(row)


@given(readings(), st.randoms(use_true_random=False))
def test_the_order_of_readers_changes_no_figure(readers, random):
    order = list(range(len(readers)))
    random.shuffle(order)
    names = [str(n) for n in order]
    given_order = agreement(readers, [str(n) for n in range(len(readers))])
    shuffled = agreement([readers[n] for n in order], names)
    pairs = [
        (given_order.foreground, shuffled.foreground),
        *zip(
            (t.scores for t in given_order.tumours),
            (t.scores for t in shuffled.tumours),
            strict=True,
        ),
    ]
    for one, other in pairs:
        assert one.kappa == other.kappa
        assert one.alpha == other.alpha
        assert one.volumes.rmse_voxels == other.volumes.rmse_voxels
        for (a, b), dice in other.dice.items():
            assert dice == one.patterns.dice(order[a], order[b])


def figures(found):
    """Return what must not depend on the order of voxels: all but first voxels and ties."""
    rows = [
        (t.label, s.dice, s.kappa.value, s.alpha.value, s.volumes.voxels, t.tumour.bridges)
        for t in found.tumours
        for s in [t.scores]
    ]
    whole = found.foreground
    return whole.dice, whole.kappa, whole.alpha, sorted(map(repr, rows))


@given(readings(most=4), st.sampled_from(AxisOrder.all()))
def test_listing_the_voxels_in_another_order_changes_no_figure(readers, order):
    names = [str(n) for n in range(len(readers))]
    turned = [
        LabelMap(np.ascontiguousarray(order.apply(r.array)), r.geometry.reordered(order))
        for r in readers
    ]
    assert figures(agreement(turned, names)) == figures(agreement(readers, names))


@given(readings(most=4))
def test_other_numbers_for_the_labels_change_no_figure(readers):
    names = [str(n) for n in range(len(readers))]
    table = np.array([0, 500, 65535], dtype=np.uint16)
    renamed = agreement([r.with_array(table[r.array]) for r in readers], names)
    kept = agreement(readers, names)
    assert [t.label for t in renamed.tumours] == [int(table[t.label]) for t in kept.tumours]
    for one, other in zip(kept.tumours, renamed.tumours, strict=True):
        assert one.scores.dice == other.scores.dice
        assert one.tumour.number == other.tumour.number
    assert kept.foreground.dice == renamed.foreground.dice


def test_a_worked_example_field_by_field():
    found = agree(".1111.....", "..111....1", "..11......")
    assert found["readers"] == ["A", "B", "C"]
    assert found["domain"] == {"kind": "image", "voxels": 10}
    assert found["dice"] == {"1-2": 0.75, "1-3": pytest.approx(2 / 3), "2-3": pytest.approx(2 / 3)}
    assert found["volume_ml"] == pytest.approx([0.4, 0.4, 0.2])
    assert found["volume_difference_ml"] == pytest.approx({"1-2": 0, "1-3": 0.2, "2-3": 0.2})
    assert found["volume_rmse_ml"] == pytest.approx(0.0942809)
    assert found["volume_rmse_percent"] == pytest.approx(100 * 0.0942809 / (1 / 3))
    assert found["fleiss_kappa"] == pytest.approx(1 - 30 * 6 / (2 * 10 * 20))
    assert found["krippendorff_alpha"] == pytest.approx(1 - 29 * 6 / (2 * 10 * 20))
    assert (found["n_tumours"], found["n_missed"], found["n_fused"]) == (2, [1, 0, 1], 0)
    large, small = found["tumours"]
    assert (large["tumour"], large["label"], large["present"]) == (1, 1, [True, True, True])
    assert large["dice"] == pytest.approx({"1-2": 6 / 7, "1-3": 2 / 3, "2-3": 0.8})
    assert (small["tumour"], small["present"], small["n_missed"]) == (2, [False, True, False], 2)
    assert small["dice"] == {"1-2": 0, "1-3": None, "2-3": 0}
    assert small["reason"] == {"dice": "1-3: neither of the two drew it"}
    assert small["volume_ml"] == pytest.approx([0, 0.1, 0])
    assert small["fleiss_kappa"] == pytest.approx(1 - 30 * 2 / (2 * 1 * 29))
    assert small["domain"] == {"kind": "image", "voxels": 10}
    assert "reason" not in found


def test_a_mask_against_itself_agrees_perfectly():
    found = agree("11..2.....", "11..2.....")
    for scores in (found, *found["tumours"]):
        assert scores["dice"] == {"1-2": 1}
        assert scores["fleiss_kappa"] == scores["krippendorff_alpha"] == 1
        assert scores["volume_rmse_ml"] == scores["volume_rmse_percent"] == 0


def test_empty_against_empty_is_undefined_with_reasons():
    found = agree("", "")
    assert (found["dice"], found["tumours"]) == ({"1-2": None}, [])
    assert found["fleiss_kappa"] is found["krippendorff_alpha"] is None
    assert found["volume_rmse_percent"] is None
    assert (found["volume_ml"], found["volume_rmse_ml"]) == ([0, 0], 0)
    assert found["reason"]["fleiss_kappa"] == NOTHING_DRAWN
    assert set(found["reason"]) == {
        "dice",
        "fleiss_kappa",
        "krippendorff_alpha",
        "volume_rmse_percent",
    }


def test_empty_against_full_is_as_bad_as_can_be():
    found = agree("", "1111111111")
    assert (found["dice"], found["fleiss_kappa"]) == ({"1-2": 0}, -1)
    assert found["n_missed"] == [1, 0]
    assert found["volume_rmse_percent"] == 100


def test_the_consensus_says_how_each_reader_stands_to_it():
    found = agree("111.......", "1111......", "11111.....", diameters=voxels_long)
    assert found["consensus"]["voxels"] == 4
    assert found["consensus"]["volume_ml"] == pytest.approx(0.4)
    assert found["consensus"]["sensitivity"] == pytest.approx([0.75, 1, 1], abs=0.01)
    assert found["consensus"]["specificity"] == pytest.approx([1, 1, 5 / 6], abs=0.01)
    assert found["consensus"] == found["tumours"][0]["consensus"]
    nothing = agree("", "")["consensus"]
    assert (nothing["voxels"], nothing["sensitivity"]) == (0, None)
    assert set(nothing["reason"]) == {"sensitivity"}


def test_full_against_full_agrees_by_necessity():
    found = agree("1111111111", "1111111111")
    assert (found["dice"], found["fleiss_kappa"]) == ({"1-2": 1}, None)
    assert found["reason"]["fleiss_kappa"] == ALL_DRAWN


def test_one_voxel_at_the_border():
    found = agree("1.........", "1.........", ".1........")
    assert found["dice"] == {"1-2": 1, "1-3": 0, "2-3": 0}
    assert found["n_tumours"] == 1


def test_all_foreground_is_taken_together_whatever_the_labels():
    found = agree("11........", "22........")
    assert found["dice"] == {"1-2": 1}
    assert [(t["label"], t["dice"]["1-2"]) for t in found["tumours"]] == [(1, 0), (2, 0)]


def test_two_labels_that_touch_are_two_tumours():
    found = agree("1122......", "1122......")
    assert [(t["label"], t["tumour"]) for t in found["tumours"]] == [(1, 1), (2, 1)]


def test_seven_readers_have_twenty_one_pairs():
    found = agree(*(["11........"] * 6), "1.........")
    assert len(found["dice"]) == len(found["volume_difference_ml"]) == 21
    assert found["dice"]["6-7"] == pytest.approx(2 / 3)
    assert found["fleiss_kappa"] == pytest.approx(1 - 70 * 6 / (6 * 13 * 57))


def test_fused_tumours_say_who_joined_whose_pieces():
    (tumour,) = agree("11..11....", "111111....")["tumours"]
    assert (tumour["fused"], tumour["pieces"]) == (True, [2, 1])
    assert tumour["fused_by"] == [
        {
            "reader": "B",
            "position": 2,
            "joins": 2,
            "pieces_of": "A",
            "pieces_of_position": 1,
        }
    ]


def test_labels_go_by_their_texts():
    first = drawn("11..2.....", v1="m,liver", v2="n,abdomen")
    second = drawn("33..4.....", v3="M, liver", v4="n,abdomen")
    found = agreement([first, second], ["A", "B"]).to_json()
    assert [(t["label"], t["dice"]["1-2"]) for t in found["tumours"]] == [
        ("m,liver", 1),
        ("n,abdomen", 1),
    ]


def test_diameters_are_asked_for_what_each_reader_drew():
    found = agree("11..11....", "11111.....", "", diameters=voxels_long)
    assert "diameter_mm" not in found
    (tumour,) = found["tumours"]
    assert tumour["diameter_mm"] == [40, 50, None]
    assert tumour["diameter_difference_mm"] == {"1-2": -10, "1-3": None, "2-3": None}
    assert tumour["diameter_rmse_mm"] == 5
    assert tumour["reason"]["diameter_mm"] == "3: missed: nothing was drawn to measure"
    assert tumour["reason"]["diameter_difference_mm"].startswith("1-3, 2-3: ")


def test_what_cannot_be_measured_has_no_diameter():
    (tumour,) = agree("1.........", "1.........", diameters=lambda *_: None)["tumours"]
    assert (tumour["diameter_mm"], tumour["diameter_rmse_mm"]) == ([None, None], None)
    assert "no diameter" in tumour["reason"]["diameter_mm"]


def test_repeats_are_compared_within_their_reader_and_only_first_readings_between():
    found = agree("11........", "1111......", "111.......", names=["anna", "ben", "anna"])
    assert found["readers"] == ["anna", "ben"]
    assert found["readings"] == ["anna", "ben", "anna"]
    assert found["repeats"] == [{"reader": "anna", "readings": [1, 3]}]
    assert found["dice"] == {"1-2": pytest.approx(2 / 3)}
    assert found["volume_ml"] == pytest.approx([0.2, 0.4])
    assert "first reading only" in found["compared"]
    (anna,) = found["intra_reader"]
    assert (anna["reader"], anna["readings"], anna["pairs"]) == ("anna", [1, 3], {"1-2": [1, 3]})
    assert anna["dice"] == {"1-2": 0.8}
    assert anna["volume_difference_ml"] == pytest.approx({"1-2": -0.1})
    assert [t["dice"] for t in anna["tumours"]] == [{"1-2": 0.8}]


def test_a_repeat_adds_no_tumour_between_readers():
    found = agree("11........", "11........", "11.....111", names=["anna", "ben", "anna"])
    assert found["n_tumours"] == 1
    assert found["intra_reader"][0]["n_tumours"] == 2


def test_one_reader_read_twice_and_nobody_else():
    found = agree("11........", "111.......", names=["anna", "anna"])
    assert (found["readers"], found["dice"], found["fleiss_kappa"]) == (["anna"], {}, None)
    assert found["intra_reader"][0]["dice"] == {"1-2": 0.8}
    assert list(nulls_without_a_reason(found)) == []


def test_one_mask_is_refused():
    with pytest.raises(InputError, match="two masks or more"):
        agree("1")


def test_a_name_for_each_mask():
    with pytest.raises(InputError, match="1 names for 2 masks"):
        agree("1", "1", names=["anna"])


def test_another_grid_is_refused_by_position():
    shifted = Geometry(GRID.shape, GRID.affine + np.eye(4, k=3) * 0.1)
    masks = [drawn("1"), drawn("1"), LabelMap(drawn("1").array, shifted)]
    with pytest.raises(GeometryMismatchError, match="masks 1 and 3"):
        agreement(masks, ["A", "B", "C"])


@given(readings(most=3))
def test_crops_restore_the_figures_of_the_whole_image_exactly(readers):
    names = [str(n) for n in range(len(readers))]
    union = np.any([r.array > 0 for r in readers], axis=0)
    whole = Geometry(tuple(n + 4 for n in union.shape), readers[0].geometry.affine)
    padded = [LabelMap(np.pad(r.array, 2), whole) for r in readers]
    of_crop = agreement(readers, names, n_voxels=whole.n_voxels).to_json()
    of_whole = agreement(padded, names).to_json()
    for document in (of_crop, of_whole):
        for row in document["tumours"]:
            del row["first_voxel"]
    assert of_crop == of_whole


def test_a_whole_smaller_than_its_crop_is_refused():
    with pytest.raises(InputError, match="a crop of 10 voxels in an image of 9"):
        agree("1", "1", n_voxels=9)
