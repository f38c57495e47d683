"""Clean-up rules against slow oracles, their counts, their undo, and how they are written."""

import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from lesionary.annotate.clean_up import (
    RULE_NAMES,
    Centremost,
    Context,
    Diameter,
    Intensity,
    Largest,
    MinVoxels,
    RuleError,
    Within,
    apply_rules,
    apply_to_layers,
    parse_rule,
    rule_of_table,
    table_of,
    text_of,
)
from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.measure.diameter import caliper

FULL = np.ones((3, 3, 3), dtype=bool)
SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=8)
VALUES = st.sampled_from([0, 0, 1, 1, 2, 3])
LABELS = hnp.arrays(np.uint16, SHAPES, elements=VALUES)


def a_map(array, spacing_mm=(1.0, 1.0, 1.0), labels=None):
    array = np.asarray(array, dtype=np.uint16)
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing_mm)[[2, 1, 0]]
    return LabelMap(array, Geometry(array.shape, affine), labels or {})


def an_image(array, of, quantity=Quantity.HU, modality="CT", invalid=None):
    return Volume(np.asarray(array), of.geometry, modality, quantity, invalid)


def a_row(*values):
    return a_map([[values]])


def cleaned(label_map, rule, **context):
    return apply_rules(label_map, [rule], Context(**context)).result.array


def caliper_mm(component, geometry):
    return caliper(component, geometry).long_axis_mm


# --- intensity ---------------------------------------------------------------------------------


def slow_intensity(array, image, low, high, labels):
    """Flood from outside through voxels out of bounds, one shell at a time."""
    inside = np.isin(array, list(labels)) if labels else array != 0
    is_out = inside & ((image < low) | (image > high))
    padded = np.pad(~inside, 1, constant_values=True)
    reached = ndimage.binary_dilation(padded, FULL) & np.pad(is_out, 1)
    while True:
        grown = ndimage.binary_dilation(reached, FULL) & np.pad(is_out, 1)
        if np.array_equal(grown, reached):
            break
        reached = grown
    return np.where(reached[1:-1, 1:-1, 1:-1], 0, array)


@given(st.data(), st.sampled_from([(), (1,), (1, 2)]))
def test_what_is_out_of_bounds_and_open_to_the_outside_goes(data, labels):
    drawn = a_map(data.draw(LABELS))
    shape = drawn.array.shape
    image = data.draw(hnp.arrays(np.int16, shape, elements=st.sampled_from([-301, -300, 500, 501])))
    rule = Intensity(low_hu=-300, high_hu=500, labels=labels)
    result = cleaned(drawn, rule, image=an_image(image, drawn))
    assert np.array_equal(result, slow_intensity(drawn.array, image, -300, 500, labels))


def a_tumour_with_gas():
    array = np.zeros((7, 7, 7))
    array[1:6, 1:6, 1:6] = 1
    hu = np.full(array.shape, 40)
    hu[3, 3, 3] = -900
    return a_map(array), hu


def test_gas_in_the_middle_of_a_tumour_belongs_to_it():
    drawn, hu = a_tumour_with_gas()
    image = an_image(hu, drawn)
    assert np.array_equal(cleaned(drawn, Intensity(low_hu=-300), image=image), drawn.array)
    emptied = cleaned(drawn, Intensity(low_hu=-300, keep_enclosed=False), image=image)
    assert np.argwhere(emptied != drawn.array).tolist() == [[3, 3, 3]]


@pytest.mark.parametrize("way_out", [[(2, 3, 3), (1, 3, 3)], [(2, 2, 2), (1, 1, 1)]])
def test_gas_that_reaches_the_rim_by_a_face_or_a_corner_goes_whole(way_out):
    drawn, hu = a_tumour_with_gas()
    for place in way_out:
        hu[place] = -900
    result = cleaned(drawn, Intensity(low_hu=-300), image=an_image(hu, drawn))
    assert np.array_equal(result == 0, (drawn.array == 0) | (hu == -900))


def test_the_border_of_the_image_counts_as_outside():
    drawn = a_map(np.ones((3, 3, 3)))
    hu = np.full((3, 3, 3), 40)
    hu[0, 1, 1] = hu[1, 1, 1] = 900
    result = cleaned(drawn, Intensity(high_hu=500), image=an_image(hu, drawn))
    assert np.argwhere(result == 0).tolist() == [[0, 1, 1], [1, 1, 1]]


def test_bounds_themselves_stay():
    drawn = a_row(1, 1, 1, 1)
    image = an_image([[[-301, -300, 500, 501]]], drawn)
    rule = parse_rule("intensity:-300..500")
    assert cleaned(drawn, rule, image=image).tolist() == [[[0, 1, 1, 0]]]


def test_voxels_without_a_measurement_stay():
    drawn = a_row(1, 1, 1, 1, 1)
    hu = np.array([[[np.nan, np.inf, -np.inf, -2000.0, -2000.0]]], dtype=np.float32)
    image = an_image(hu, drawn, invalid=np.array([[[0, 0, 0, 1, 0]]], dtype=bool))
    assert cleaned(drawn, Intensity(low_hu=-300), image=image).tolist() == [[[1, 1, 1, 1, 0]]]


@pytest.mark.parametrize(
    ("modality", "quantity", "is_skipped"),
    [
        ("CT", Quantity.HU, False),
        ("OT", Quantity.ARBITRARY, False),
        ("MR", Quantity.ARBITRARY, True),
        ("PT", Quantity.SUVBW, True),
    ],
)
def test_an_image_known_to_hold_no_hu_is_skipped_and_says_so(modality, quantity, is_skipped):
    drawn = a_row(1)
    image = an_image([[[-900]]], drawn, quantity, modality)
    (step,) = apply_rules(drawn, [Intensity(low_hu=-300)], Context(image=image)).steps
    assert (step.reason is not None, step.n_removed) == (is_skipped, int(not is_skipped))


# --- within ------------------------------------------------------------------------------------


@given(
    st.data(),
    st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 3.0])] * 3),
    st.sampled_from([0.0, 0.6, 1.0, 1.5, 2.9, 7.0]),
    st.booleans(),
)
def test_anatomy_grows_by_true_millimetres(data, spacing_mm, dilate_mm, by_component):
    drawn = a_map(data.draw(LABELS), spacing_mm)
    organs = a_map(data.draw(hnp.arrays(np.uint16, drawn.array.shape, elements=VALUES)), spacing_mm)
    rule = Within(structures=(2,), dilate_mm=dilate_mm, components=by_component, labels=(1, 2))
    result = cleaned(drawn, rule, anatomy=organs)
    is_organ = organs.array == 2
    if not is_organ.any():
        assert np.array_equal(result, drawn.array)
        return
    away_mm = ndimage.distance_transform_edt(~is_organ, sampling=spacing_mm)
    is_near = away_mm <= dilate_mm + 1e-6
    expected = drawn.array.copy()
    for value in (1, 2):
        if by_component:
            pieces, n = ndimage.label(drawn.array == value, FULL)
            for piece in range(1, n + 1):
                if not is_near[pieces == piece].any():
                    expected[pieces == piece] = 0
        else:
            expected[(drawn.array == value) & ~is_near] = 0
    assert np.array_equal(result, expected)


def test_growing_further_never_takes_more():
    rng = np.random.default_rng(5)
    drawn = a_map(rng.random((6, 20, 30)) < 0.3, (4.0, 0.9, 0.9))
    organs = a_map(rng.random((6, 20, 30)) < 0.01, (4.0, 0.9, 0.9))
    kept = [cleaned(drawn, Within(dilate_mm=mm), anatomy=organs) != 0 for mm in (0, 1, 2, 4, 9)]
    assert all((less <= more).all() for less, more in pairwise(kept))


def test_labels_of_the_map_itself_can_be_the_anatomy():
    drawn = a_row(1, 5, 1, 0, 1, 0, 1)
    rule = parse_rule("within:5,dilate=1mm,labels=1")
    assert cleaned(drawn, rule).tolist() == [[[1, 5, 1, 0, 0, 0, 0]]]


def test_where_no_anatomy_is_there_no_lesion_is_lost():
    drawn = a_row(1, 0, 1)
    for rule, anatomy in ((Within(anatomy=(7,)), None), (Within(), a_row(0, 0, 0))):
        (step,) = apply_rules(drawn, [rule], Context(anatomy=anatomy)).steps
        assert (step.reason, step.n_removed) == ("no voxel of the anatomy is there", 0)


# --- rules about components ---------------------------------------------------------------------


def test_diameters_out_of_range_go_and_bounds_stay():
    """Rows of 2, 3 and 20 pixels of 4 × 3 mm: the caliper joins the midpoints of the far edges."""
    array = np.zeros((1, 9, 24))
    array[0, 1, 1:3] = array[0, 4, 1:4] = array[0, 7, 1:21] = 1
    drawn = a_map(array, (1.0, 3.0, 4.0))
    for rule, rows in (
        (Diameter(low_mm=12, high_mm=12), [4]),
        (Diameter(high_mm=12), [1, 4]),
        (Diameter(low_mm=12.001), [7]),
        (Diameter(low_mm=3, high_mm=30), [1, 4]),
    ):
        result = cleaned(drawn, rule, diameter_mm=caliper_mm)
        assert np.unique(np.nonzero(result)[1]).tolist() == rows


@given(LABELS, st.integers(1, 4), st.sampled_from([(), (1,), (1, 3)]))
def test_the_largest_pieces_of_a_union_stay(array, n, labels):
    drawn = a_map(array)
    result = cleaned(drawn, Largest(n=n, labels=labels))
    is_about = np.isin(array, labels) if labels else array != 0
    pieces, _ = ndimage.label(is_about, FULL)
    sizes = np.bincount(pieces.ravel())
    order = sorted(range(1, len(sizes)), key=lambda piece: (-sizes[piece], piece))
    assert np.array_equal(result, np.where(is_about & ~np.isin(pieces, order[:n]), 0, array))


def test_of_a_kidney_its_tumour_and_cyst_stay_with_it():
    drawn = a_row(1, 1, 2, 0, 3, 0, 1, 1, 1, 3, 0, 2, 2)
    assert cleaned(drawn, parse_rule("largest:2,labels=1+2+3")).tolist() == [
        [[1, 1, 2, 0, 0, 0, 1, 1, 1, 3, 0, 0, 0]]
    ]


@given(LABELS, st.integers(1, 6))
def test_crumbs_go_label_by_label(array, n):
    expected = array.copy()
    for value in (1, 2, 3):
        pieces, _ = ndimage.label(array == value, FULL)
        expected[(pieces > 0) & (np.bincount(pieces.ravel())[pieces] < n)] = 0
    assert np.array_equal(cleaned(a_map(array), MinVoxels(voxels=n)), expected)


def test_the_large_piece_in_the_middle_stays_and_a_small_one_nearer_does_not():
    array = np.zeros((1, 9, 21))
    array[0, 4, 10] = 1
    array[0, 3:6, 13:16] = 1
    array[0, 2:6, 1:5] = 1
    result = cleaned(a_map(array), Centremost())
    assert set(np.nonzero(result)[2].tolist()) == {13, 14, 15}
    assert np.nonzero(cleaned(a_map(array), Centremost(min_share=1)))[2].max() == 4
    assert np.argwhere(cleaned(a_map(array), Centremost(min_share=0.01))).tolist() == [[0, 4, 10]]


def test_of_equally_central_pieces_the_larger_stays_then_the_first():
    assert cleaned(a_row(1, 0, 0, 0, 1), Centremost()).tolist() == [[[1, 0, 0, 0, 0]]]
    equally_far = a_row(0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 0)
    assert np.nonzero(cleaned(equally_far, Centremost(min_share=0.3)))[2].tolist() == [7, 8, 9]


def test_distance_from_the_centre_is_in_the_axial_plane_of_any_axis_order():
    array = np.zeros((9, 5, 5))
    array[0, 2, 2] = array[4, 2, 3] = 1
    assert np.argwhere(cleaned(a_map(array), Centremost())).tolist() == [[0, 2, 2]]
    turned = LabelMap(
        np.ascontiguousarray(array.astype(np.uint16).transpose(1, 2, 0)),
        Geometry((5, 5, 9), np.eye(4)),
    )
    assert np.argwhere(cleaned(turned, Centremost())).tolist() == [[2, 2, 0]]


# --- steps, counts, undo ------------------------------------------------------------------------

RULES = [
    MinVoxels(voxels=2),
    Largest(n=2, labels=(1, 2)),
    Intensity(low_hu=-300, labels=(1, 3)),
    Centremost(labels=(3,)),
    Within(anatomy=(2,), dilate_mm=2.0, labels=(1,)),
]


@settings(max_examples=60)
@given(st.data(), st.permutations(RULES), st.integers(0, len(RULES)))
def test_any_number_of_last_steps_is_undone_voxel_for_voxel(data, rules, n):
    drawn = a_map(data.draw(LABELS), (2.0, 1.0, 1.0))
    hu = data.draw(hnp.arrays(np.int16, drawn.array.shape, elements=st.sampled_from([-900, 0])))
    context = Context(image=an_image(hu, drawn))
    done = apply_rules(drawn, rules, context)
    back = done.undo(n)
    kept = rules[: len(rules) - n]
    assert np.array_equal(back.result.array, apply_rules(drawn, kept, context).result.array)
    assert [step.rule for step in back.steps] == kept
    assert np.array_equal(done.undo(len(rules)).result.array, drawn.array)


@settings(max_examples=40)
@given(LABELS, st.permutations([RULES[0], RULES[1], RULES[3], RULES[4]]), st.integers(1, 4))
def test_without_a_step_the_others_are_as_if_it_had_never_been(array, rules, number):
    drawn = a_map(array)
    others = rules[: number - 1] + rules[number:]
    less, never = apply_rules(drawn, rules).without(number), apply_rules(drawn, others)
    assert np.array_equal(less.result.array, never.result.array)
    assert [step.to_json() for step in less.steps] == [step.to_json() for step in never.steps]


@given(LABELS, st.permutations([RULES[0], RULES[1], RULES[3], RULES[4]]))
def test_counts_and_the_map_of_what_went_agree_with_the_voxels(array, rules):
    drawn = a_map(array, (2.0, 0.5, 0.5), {1: "a"})
    done = apply_rules(drawn, rules)
    now = array
    for step in done.steps:
        went = done.removed_map.array == step.number
        then = np.where(went, 0, now)
        assert step.n_removed == np.count_nonzero(went) == np.count_nonzero(now != then)
        for value in step.before:
            for counts, labels in ((step.before, now), (step.after, then)):
                pieces = ndimage.label(labels == value, FULL)[1]
                n = np.count_nonzero(labels == value)
                assert counts[value].voxels == n
                assert counts[value].components == pieces
                assert counts[value].volume_ml == pytest.approx(n * 0.5 / 1000)
        untouched = ~np.isin(now, [0, *step.before])
        assert np.array_equal(now[untouched], then[untouched])
        now = then
    assert np.array_equal(done.result.array, now)
    assert done.result.labels == {1: "a"}


def test_a_rule_twice_does_nothing_the_second_time():
    rng = np.random.default_rng(2)
    drawn = a_map(rng.integers(0, 4, (6, 7, 8)))
    for rule in RULES[:2] + RULES[3:]:
        assert apply_rules(drawn, [rule, rule]).steps[1].n_removed == 0


def test_nothing_drawn_gives_steps_that_say_so():
    (step,) = apply_rules(a_row(0, 0), [Largest()]).steps
    assert step.to_json() == {
        "step": 1, "rule": "largest:1", "removed_voxels": 0, "labels": [],
        "reason": {"rule": "none of these labels is there"},
    }  # fmt: skip


def test_what_readers_drew_is_left_to_rules_that_say_so():
    drawn = a_row(1, 0, 2, 0, 2, 2)
    context = Context(of_readers={2})
    left = apply_rules(drawn, [MinVoxels(voxels=2)], context)
    assert left.result.array.tolist() == [[[0, 0, 2, 0, 2, 2]]]
    both = apply_rules(drawn, [MinVoxels(voxels=2, readers=True)], context)
    assert both.result.array.tolist() == [[[0, 0, 0, 0, 2, 2]]]
    (step,) = apply_rules(drawn, [MinVoxels(voxels=2, labels=(2,))], context).steps
    assert "reader" in step.reason


def test_labels_are_named_by_text_and_counted_together():
    drawn = a_map([[[1, 0, 2, 2, 0, 3]]], labels={1: "m,liver", 2: "m,liver", 3: "n,neck"})
    (step,) = apply_rules(drawn, [MinVoxels(voxels=2, labels=("m,liver",))]).steps
    (row,) = step.rows(drawn.labels)
    assert (row["label"], row["voxels_before"], row["voxels_after"]) == ("m,liver", 3, 2)
    assert (row["components_before"], row["components_after"]) == (2, 1)


def test_lesions_that_overlap_are_cleaned_in_their_own_layers_and_undone_there():
    first, second = a_row(1, 1, 1, 0, 0, 0, 3), a_row(0, 0, 2, 2, 0, 0, 0)
    done = apply_to_layers((first, second), [Largest(), MinVoxels(voxels=3)])
    arrays = [layer.array.tolist() for layer in done.layers]
    assert arrays == [[[[1, 1, 1, 0, 0, 0, 0]]], [[[0, 0, 0, 0, 0, 0, 0]]]]
    assert [part.array.max() for part in done.removed_maps] == [1, 2]
    back = [layer.array.tolist() for layer in done.undo(2).layers]
    assert back == [first.array.tolist(), second.array.tolist()]
    with pytest.raises(InputError, match="2 layers"):
        _ = done.result


def test_no_layers_and_no_rules_are_no_error():
    assert apply_to_layers((), [Largest()]).steps[0].reason is not None
    assert apply_rules(a_row(1), []).result.array.tolist() == [[[1]]]


def test_inputs_are_never_changed():
    drawn = a_row(1, 0, 2, 2)
    before = drawn.array.copy()
    apply_rules(drawn, [Largest(), MinVoxels(voxels=9)]).undo(2)
    assert np.array_equal(drawn.array, before)


@pytest.mark.parametrize("rule", [Intensity(low_hu=0), Within(), Diameter(low_mm=1)])
def test_a_rule_that_lacks_what_it_judges_by_is_an_error(rule):
    with pytest.raises(InputError, match=f"the rule {rule.name} needs"):
        apply_rules(a_row(1), [rule])


def test_an_image_on_another_grid_is_refused():
    with pytest.raises(GeometryMismatchError):
        cleaned(a_row(1, 1), Intensity(low_hu=0), image=an_image([[[0]]], a_row(1)))


@pytest.mark.parametrize("n", [-1, 2])
def test_steps_that_are_not_there_cannot_be_undone(n):
    with pytest.raises(InputError):
        apply_rules(a_row(1), [Largest()]).undo(n)


# --- how rules are written ----------------------------------------------------------------------

numbers = st.floats(-1e4, 1e4).map(lambda x: x + 0.0)
some_labels = st.lists(
    st.integers(1, 65535) | st.sampled_from(["m,liver", "lesion", "a+b=c", "7"]), max_size=3
).map(tuple)
common = {"labels": some_labels, "readers": st.booleans()}


def ranges(make, low, high, **more):
    two = st.tuples(numbers, numbers).map(sorted)
    kept = st.sampled_from([(True, True), (True, False), (False, True)])
    return st.builds(
        lambda ends, keep, rest: make(
            **{low: ends[0] if keep[0] else None, high: ends[1] if keep[1] else None}, **rest
        ),
        two,
        kept,
        st.fixed_dictionaries(common | more),
    )


rules = st.one_of(
    ranges(Intensity, "low_hu", "high_hu", keep_enclosed=st.booleans()),
    ranges(Diameter, "low_mm", "high_mm"),
    st.builds(Largest, n=st.integers(1, 10**6), **common),
    st.builds(MinVoxels, voxels=st.integers(1, 10**6), **common),
    st.builds(Centremost, min_share=st.floats(0, 1, exclude_min=True), **common),
    st.builds(
        Within,
        anatomy=some_labels,
        structures=some_labels,
        dilate_mm=st.floats(0, 1e3),
        components=st.booleans(),
        **common,
    ),
)


@given(rules)
def test_a_rule_reads_back_from_its_line_and_from_its_table(rule):
    assert parse_rule(text_of(rule)) == rule
    assert rule_of_table(json.loads(json.dumps(table_of(rule)))) == rule
    assert pickle.loads(pickle.dumps(rule)) == rule  # noqa: S301 - workers get rules this way


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("intensity:-300..500", Intensity(low_hu=-300, high_hu=500)),
        ("intensity:..500 HU, keep_enclosed=no", Intensity(high_hu=500, keep_enclosed=False)),
        ("within:1+2,dilate=3mm", Within(anatomy=(1, 2), dilate_mm=3)),
        ("within:dilate=3,components=yes", Within(dilate_mm=3, components=True)),
        ("diameter:3..30mm", Diameter(low_mm=3, high_mm=30)),
        ("largest", Largest()),
        ('largest:n=2,labels=1+"m,liver"+lesion', Largest(n=2, labels=(1, "m,liver", "lesion"))),
        ("centremost", Centremost()),
    ],
)
def test_lines_as_people_write_them(text, rule):
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("", "rule", "'intensity', 'within'"),
        ("largst:2", "rule", "'largest'"),
        ("intensity", "low_hu", "should be given"),
        ("intensity:500..-300", "low_hu", "not be above"),
        ("intensity:300", "300", "range"),
        ("within:x=3", "x", "`anatomy`, `structures`"),
        ("within:dilate=-1", "dilate_mm", "at least 0 mm"),
        ("within:dilate=3cm", "dilate_mm", "number"),
        ("within:0", "anatomy", "from 1 to 65535"),
        ("within:1+", "anatomy", "from 1 to 65535"),
        ("largest:labels=", "labels", "not ''"),
        ("largest:labels=70000", "labels", "from 1 to 65535"),
        ("largest:0", "n", "at least 1"),
        ("largest:1.5", "n", "whole number"),
        ("largest:2,n=3", "n", "twice"),
        ("largest:2,3", "3", "name=value"),
        ("centremost:1.5", "min_share", "at most 1"),
        ("min_voxels", "voxels", "missing"),
        ("within:components=maybe", "components", "true or false"),
    ],
)
def test_a_wrong_line_names_the_key_and_what_is_allowed(text, key, says):
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert caught.value.key == key
    assert says in caught.value.message


@given(st.text(max_size=30) | st.from_regex(r"(intensity|within|largest):[0-9.,=+\"a-z]*"))
def test_no_line_whatever_is_more_than_a_wrong_rule(text):
    try:
        rule = parse_rule(text)
    except RuleError:
        return
    assert rule.name in RULE_NAMES


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({}, "rule"),
        ({"rule": "diameter", "low_mm": "3"}, "low_mm"),
        ({"rule": "diameter", "low_mm": True}, "low_mm"),
        ({"rule": "intensity", "low_hu": float("nan")}, "low_hu"),
        ({"rule": "largest", "n": 2.0}, "n"),
        ({"rule": "largest", "labels": "m,liver"}, "labels"),
        ({"rule": "largest", "labels": []}, "labels"),
        ({"rule": "largest", "readers": 1}, "readers"),
        ({"rule": ["largest"]}, "rule"),
    ],
)
def test_a_wrong_table_names_its_key(table, key):
    with pytest.raises(RuleError) as caught:
        rule_of_table(table)
    assert caught.value.key == key
