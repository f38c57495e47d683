import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesion_balls import ball, grid, still
from lesionary.core.errors import InputError
from lesionary.measure.tracks.following import follow
from lesionary.measure.tracks.records import Place, View
from lesionary.measure.tracks.visits import SeriesLesions, timepoint_lesions
from lesionary.measure.tracks.weaving import Member

THIN, THICK = grid(spacing_mm=(1.5, 1.5, 1.5)), grid(spacing_mm=(6.0, 1.5, 1.5))
PET = grid(spacing_mm=(4.0, 4.0, 4.0))
TWO = [((0, 0, 0), 20, "m,liver"), ((60, 60, 90), 14, "m,lung")]


def series(timepoint, name, balls, geometry=THIN, modality="CT", *, has_mask=True):
    lesions = [ball(Place(timepoint, name, n), b, geometry) for n, b in enumerate(balls, 1)]
    return SeriesLesions(View(name, geometry, modality, has_mask), tuple(lesions))


def test_thin_and_thick_slices_of_one_study_show_each_lesion_once():
    both = timepoint_lesions(
        "s", "0", [series("0", "thick", TWO, THICK), series("0", "thin", TWO[::-1])]
    )
    assert [lesion.place.series for lesion in both.lesions] == ["thin", "thin"]
    assert both.twins == {
        Place("0", "thick", 1): Place("0", "thin", 2),
        Place("0", "thick", 2): Place("0", "thin", 1),
    }


def test_a_hot_spot_at_a_known_lesion_is_that_lesion():
    hot = [((3, -2, 4), 26, "m,liver")]
    both = timepoint_lesions("s", "0", [series("0", "pet", hot, PET, "PT"), series("0", "ct", TWO)])
    assert [lesion.place for lesion in both.lesions] == [Place("0", "ct", 1), Place("0", "ct", 2)]
    assert both.twins == {Place("0", "pet", 1): Place("0", "ct", 1)}


def test_what_only_one_series_shows_is_kept():
    chest, belly = grid(low=(-150, -150, 40)), grid(high=(150, 150, 30))
    both = timepoint_lesions(
        "s", "0", [series("0", "b", TWO[:1], belly), series("0", "a", TWO[1:], chest)]
    )
    assert [lesion.place.series for lesion in both.lesions] == ["a", "b"]
    assert both.twins == {}


def test_two_pieces_on_the_pet_of_one_lesion_are_both_its_twins():
    pieces = [((-11, 0, 0), 12, "m,liver"), ((11, 0, 0), 12, "m,liver")]
    both = timepoint_lesions(
        "s",
        "0",
        [series("0", "ct", [((0, 0, 0), 36, "m,liver")]), series("0", "pet", pieces, PET, "PT")],
    )
    assert set(both.twins.values()) == {Place("0", "ct", 1)}
    assert len(both.twins) == 2


def test_twins_get_the_track_of_their_original():
    first = timepoint_lesions(
        "s", "0", [series("0", "ct", TWO), series("0", "pet", TWO, PET, "PT")]
    )
    second = timepoint_lesions("s", "1", [series("1", "thick", TWO[::-1], THICK)])
    tracks = follow((first, second), still(first, second))
    assert tracks.names == ("A", "B")
    assert tracks.members[Place("0", "pet", 2)] == Member("B")
    assert tracks.members[Place("1", "thick", 1)] == Member("B")
    assert all(link.from_place.series == "ct" for link in tracks.links)


def test_a_series_that_nobody_looked_through_does_not_speak_for_the_time_point():
    both = timepoint_lesions(
        "s", "0", [series("0", "a", [], has_mask=False), series("0", "b", TWO, THICK)]
    )
    assert [view.series for view in both.views] == ["b", "a"]


@given(st.permutations(range(3)))
def test_the_order_of_the_series_does_not_matter(order):
    three = [
        series("0", "thick", TWO, THICK),
        series("0", "thin", TWO),
        series("0", "pet", TWO[:1], PET, "PT"),
    ]
    first = timepoint_lesions("s", "0", three)
    again = timepoint_lesions("s", "0", [three[n] for n in order])
    assert again.twins == first.twins
    assert [a.place for a in again.lesions] == [b.place for b in first.lesions]


def test_the_same_series_twice_is_refused():
    with pytest.raises(InputError, match="same name"):
        timepoint_lesions("s", "0", [series("0", "ct", TWO), series("0", "ct", [])])


def test_without_a_series_there_is_no_time_point():
    with pytest.raises(InputError, match="no series"):
        timepoint_lesions("s", "0", [])


def test_volumes_do_not_depend_on_the_grid_much():
    thin, thick = (ball(Place("0", "ct", 1), TWO[0], g) for g in (THIN, THICK))
    np.testing.assert_allclose(thin.volume_ml, thick.volume_ml, rtol=0.1)
