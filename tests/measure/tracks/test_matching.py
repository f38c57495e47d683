import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesion_balls import grid, visit
from lesionary.core.errors import InputError
from lesionary.measure.tracks.likeness import MatchOptions
from lesionary.measure.tracks.matching import BEYOND_EARLIER_SCAN, CUT_OFF, match
from lesionary.measure.tracks.pairing import assign
from lesionary.measure.tracks.records import Relation, TrackStatus
from lesionary.measure.tracks.registration import RegistrationKind, Transform
from lesionary.phantoms.noise import rotation_about

STILL = Transform(np.eye(4))


def linked(before, after, transform=STILL, options=None):
    """Return (from, to, relation) of every link, None where there is no lesion."""
    return {
        (link.from_place.lesion, link.to_place.lesion, link.relation.value)
        for link in match(before, after, transform, options)
    }


def test_a_lesion_that_grows_stays_the_same():
    before = visit("1", [((0, 0, 0), 12, "m,liver")])
    after = visit("2", [((2, 1, 0), 25, "m,liver")])
    assert linked(before, after) == {(1, 1, "same")}


def test_of_two_neighbours_each_finds_its_own():
    before = visit("1", [((0, 0, 0), 14, "m,lung"), ((22, 0, 0), 14, "m,lung")])
    after = visit("2", [((24, 3, 0), 16, "m,lung"), ((3, 2, 0), 12, "m,lung")])
    assert linked(before, after) == {(1, 2, "same"), (2, 1, "same")}


def test_what_lies_far_off_is_gone_and_new():
    before = visit("1", [((0, 0, 0), 14, "m,lung")])
    after = visit("2", [((70, 0, 0), 14, "m,lung")])
    assert linked(before, after) == {(1, None, "gone"), (None, 1, "new")}


def test_another_organ_is_not_the_same_lesion_beside_it():
    before = visit("1", [((0, 0, 0), 12, "m,lung")])
    after = visit("2", [((9, 0, 0), 12, "m,liver")])
    assert linked(before, after) == {(1, None, "gone"), (None, 1, "new")}


def test_labels_without_text_go_with_any():
    before = visit("1", [((0, 0, 0), 12, "3")])
    after = visit("2", [((2, 0, 0), 12, "m,liver")])
    assert linked(before, after) == {(1, 1, "same")}


def test_a_lesion_in_two_pieces_has_split():
    before = visit("1", [((0, 0, 0), 34, "m,liver")])
    after = visit("2", [((-11, 0, 0), 12, "m,liver"), ((11, 0, 0), 14, "m,liver")])
    assert linked(before, after) == {(1, 1, "split"), (1, 2, "split")}


def test_two_lesions_in_one_have_merged():
    before = visit("1", [((-11, 0, 0), 14, "m,liver"), ((11, 0, 0), 12, "m,liver")])
    after = visit("2", [((0, 0, 0), 36, "m,liver")])
    assert linked(before, after) == {(1, 1, "merge"), (2, 1, "merge")}


def test_a_split_in_three_is_one_split():
    before = visit("1", [((0, 0, 0), 40, "m,liver")])
    pieces = [((-13, 0, 0), 10, "m,liver"), ((13, 0, 0), 10, "m,liver"), ((0, 13, 0), 9, "m,liver")]
    assert linked(before, visit("2", pieces)) == {(1, n, "split") for n in (1, 2, 3)}


def test_a_new_lesion_beside_an_old_one_is_no_split():
    before = visit("1", [((0, 0, 0), 20, "m,liver")])
    after = visit("2", [((0, 0, 0), 20, "m,liver"), ((26, 0, 0), 10, "m,liver")])
    assert linked(before, after) == {(1, 1, "same"), (None, 2, "new")}


def test_a_lesion_that_vanishes_beside_a_growing_one_is_no_merger():
    before = visit("1", [((0, 0, 0), 20, "m,liver"), ((28, 0, 0), 9, "m,liver")])
    after = visit("2", [((0, 0, 0), 24, "m,liver")])
    assert linked(before, after) == {(1, 1, "same"), (2, None, "gone")}


def test_a_fragment_does_not_pass_for_a_vanished_neighbour():
    before = visit("1", [((0, 0, 0), 34, "m,liver"), ((33, 0, 0), 12, "m,liver")])
    after = visit("2", [((-11, 0, 0), 14, "m,liver"), ((11, 0, 0), 11, "m,liver")])
    assert linked(before, after) == {(1, 1, "split"), (1, 2, "split"), (2, None, "gone")}


def test_a_node_inside_a_tumour_of_another_organ_is_no_part_of_it():
    before = visit("1", [((0, 0, 0), 40, "t,lung")])
    after = visit("2", [((0, 0, 0), 38, "t,lung"), ((12, 0, 0), 10, "n,mediastinum")])
    assert linked(before, after) == {(1, 1, "same"), (None, 2, "new")}


def test_gone_is_absent_where_the_place_was_scanned():
    before = visit("1", [((0, 0, 100), 12, "m,lung")])
    (link,) = match(before, visit("2", []), STILL)
    assert (link.relation, link.status) == (Relation.GONE, TrackStatus.ABSENT)


def test_gone_is_not_evaluable_where_the_place_was_not_scanned():
    before = visit("1", [((0, 0, 100), 12, "m,lung")])
    after = visit("2", [], geometry=grid(high=(150, 150, 60)))
    (link,) = match(before, after, STILL)
    assert (link.relation, link.status) == (Relation.GONE, TrackStatus.NOT_EVALUABLE)


def test_the_registered_place_decides_whether_it_was_scanned():
    before = visit("1", [((0, 0, 100), 12, "m,lung")])
    after = visit("2", [], geometry=grid(high=(150, 150, 60)))
    down = np.eye(4)
    down[2, 3] = -80
    (link,) = match(before, after, Transform(down))
    assert link.status is TrackStatus.ABSENT


def test_gone_is_not_evaluable_where_nobody_looked():
    before = visit("1", [((0, 0, 0), 12, "m,lung")])
    (link,) = match(before, visit("2", [], has_mask=False), STILL)
    assert link.status is TrackStatus.NOT_EVALUABLE


def test_gone_is_not_evaluable_where_the_scans_do_not_fit_at_all():
    before = visit("1", [((0, 0, 0), 12, "m,lung")])
    lost = Transform(np.eye(4), RegistrationKind.BODY_CENTRE, 0.07, "likeness is poor")
    (link,) = match(before, visit("2", []), lost)
    assert link.status is TrackStatus.NOT_EVALUABLE


def test_a_new_lesion_beyond_the_earlier_scan_says_so():
    before = visit("1", [], geometry=grid(high=(150, 150, 60)))
    inside, beyond = match(
        before, visit("2", [((0, 0, 0), 12, "m,lung"), ((0, 0, 100), 12, "m,lung")]), STILL
    )
    assert inside.note == ""
    assert beyond.note == BEYOND_EARLIER_SCAN


def test_a_lesion_cut_off_by_the_edge_of_a_scan_is_known_by_what_both_show():
    whole = visit("1", [((0, 0, 60), 50, "t,lung")])
    cut = visit("2", [((0, 0, 60), 50, "t,lung")], geometry=grid(high=(150, 150, 42)))
    assert cut.lesions[0].volume_ml < 0.15 * whole.lesions[0].volume_ml
    for before, after in ((whole, cut), (cut, whole)):
        (link,) = match(before, after, STILL)
        assert link.relation is Relation.SAME
        assert link.note == CUT_OFF
        assert link.score > 0.8


def test_empty_time_points_have_no_links():
    assert match(visit("1", []), visit("2", []), STILL) == ()


def test_new_and_gone_score_low_where_another_nearly_fits():
    before = visit("1", [((0, 0, 0), 10, "m,lung")])
    near = match(before, visit("2", [((23, 0, 0), 10, "m,lung")]), STILL)
    far = match(before, visit("2", [((80, 0, 0), 10, "m,lung")]), STILL)
    assert {link.relation for link in near} == {Relation.GONE, Relation.NEW}
    assert max(link.score for link in near) < min(link.score for link in far)


def test_neighbours_tell_what_registration_has_left_undone():
    """All lesions of a lung drift by 20 mm; a dense row would be linked one off without them."""
    places = [(0, 0, 0), (45, 0, 0), (0, 45, 0), (45, 45, 0), (20, 20, 40), (60, 20, 40)]
    before = visit("1", [((x, y, z), 10, "m,lung") for x, y, z in places])
    after = visit("2", [((x, y, z + 20), 10, "m,lung") for x, y, z in places])
    assert linked(before, after) == {(n, n, "same") for n in range(1, 7)}


def test_a_transform_that_fell_back_allows_more():
    before = visit("1", [((0, 0, 0), 12, "m,lung")])
    after = visit("2", [((26, 0, 0), 12, "m,lung")])
    assert (1, 1, "same") not in linked(before, after)
    centred = Transform(np.eye(4), RegistrationKind.BODY_CENTRE, 0.1, "likeness is poor")
    (link,) = match(before, after, centred)
    assert link.relation is Relation.SAME
    assert link.registration is RegistrationKind.BODY_CENTRE


@st.composite
def scattered(draw):
    """Draw balls on a lattice, so that none touches another."""
    cells = draw(st.lists(st.integers(0, 26), min_size=0, max_size=8, unique=True))
    return [
        (
            (80 * (c % 3 - 1), 80 * (c // 3 % 3 - 1), 80 * (c // 9 - 1)),
            draw(st.integers(8, 30)),
            draw(st.sampled_from(["m,lung", "m,liver", "n,thorax"])),
        )
        for c in cells
    ]


@settings(max_examples=25, deadline=None)
@given(scattered())
def test_a_scan_matched_with_itself_is_the_same_throughout(balls):
    once = visit("1", balls)
    links = match(once, visit("2", balls), STILL)
    assert all(link.relation is Relation.SAME and link.score > 0.99 for link in links)
    assert [link.from_place.lesion for link in links] == [link.to_place.lesion for link in links]


@settings(max_examples=25, deadline=None)
@given(scattered(), scattered(), st.randoms(use_true_random=False))
def test_the_order_of_lesions_does_not_matter(one, two, random):
    """The same balls are linked whatever their numbers."""
    links = match(visit("1", one), visit("2", two), STILL)
    shuffled = list(two)
    random.shuffle(shuffled)
    again = match(visit("1", one), visit("2", shuffled), STILL)

    def pairs(links, later):
        return {
            (link.from_place.lesion, link.to_place.lesion and later[link.to_place.lesion - 1])
            for link in links
        }

    assert pairs(links, two) == pairs(again, shuffled)


@settings(max_examples=25, deadline=None)
@given(scattered(), scattered(), st.floats(-15, 15), st.integers(-30, 30))
def test_moving_the_patient_changes_no_link(one, two, degrees, shift_mm):
    """Moving the later scan and telling the transform leads to the same links."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_about(np.array([0.0, 0.6, 0.8]), degrees)
    matrix[:3, 3] = shift_mm
    moved = Transform(matrix)
    wide = grid((-400, -400, -400), (400, 400, 400))
    balls = [(moved.apply(np.array(centre)), size, label) for centre, size, label in two]
    here = linked(visit("1", one, geometry=wide), visit("2", two, geometry=wide))
    there = linked(visit("1", one, geometry=wide), visit("2", balls, geometry=wide), moved)
    assert here == there


@settings(max_examples=25, deadline=None)
@given(scattered(), scattered())
def test_every_lesion_is_in_a_link_and_every_score_in_its_range(one, two):
    links = match(visit("1", one), visit("2", two), STILL)
    assert {link.from_place.lesion for link in links} - {None} == set(range(1, len(one) + 1))
    assert {link.to_place.lesion for link in links} - {None} == set(range(1, len(two) + 1))
    assert all(0 <= link.score <= 1 for link in links)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_the_assignment_is_the_likeliest_of_all(n, m, seed):
    """Against every way to pair them."""
    scores = np.random.default_rng(seed).uniform(0.01, 1, (n, m))
    least = 0.3

    def worth(partners):
        pairs = [(row, c) for row, c in enumerate(partners) if c is not None]
        alone = n + m - 2 * len(pairs)
        return sum(np.log(scores[p]) for p in pairs) + alone * 0.5 * np.log(least)

    def ways(row, free):
        if row == n:
            yield []
            return
        for choice in (None, *free):
            for rest in ways(row + 1, free - {choice}):
                yield [choice, *rest]

    best = max((worth(way) for way in ways(0, frozenset(range(m)))), default=0.0)
    assert worth(assign(scores, least)) == pytest.approx(best)


@pytest.mark.parametrize("name", ["least_score", "least_share"])
@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_options_outside_their_range_are_refused(name, value):
    with pytest.raises(InputError, match=name):
        MatchOptions(**{name: value})
