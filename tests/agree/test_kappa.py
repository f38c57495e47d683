"""Kappa and alpha against statsmodels, krippendorff, exact fractions and published examples."""

from fractions import Fraction

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats import inter_rater

from lesionary.agree.kappa import (
    ALL_DRAWN,
    NO_VOXELS,
    NOTHING_DRAWN,
    ONE_READER,
    Domain,
    fleiss_kappa,
    krippendorff_alpha,
)
from lesionary.core.errors import InputError
from lesionary.core.readers.patterns import ReaderPatterns


def patterns_of(drawings):
    """Count patterns of a bool table (readers, voxels) one voxel after the other."""
    drawings = np.asarray(drawings, dtype=bool)
    words = np.zeros(drawings.shape[1], dtype=np.uint64)
    for reader, drawn in enumerate(drawings):
        words |= drawn.astype(np.uint64) << np.uint64(reader)
    patterns, counts = np.unique(words, return_counts=True)
    return ReaderPatterns(len(drawings), patterns, counts.astype(np.int64))


@st.composite
def drawings(draw, most_readers=7):
    n = draw(st.integers(2, most_readers))
    rows = st.lists(st.booleans(), min_size=n, max_size=n)
    return np.array(draw(st.lists(rows, min_size=1, max_size=40))).T


def varies(table):
    return table.any() and not table.all()


@given(drawings().filter(varies))
def test_kappa_equals_statsmodels_to_nine_digits(table):
    ratings, _ = inter_rater.aggregate_raters(table.T.astype(int))
    expected = inter_rater.fleiss_kappa(ratings)
    assert fleiss_kappa(patterns_of(table)).value == pytest.approx(expected, abs=1e-9)


@given(drawings().filter(varies))
def test_alpha_equals_the_krippendorff_package_to_nine_digits(table):
    expected = krippendorff.alpha(table.astype(int), level_of_measurement="nominal")
    assert krippendorff_alpha(patterns_of(table)).value == pytest.approx(expected, abs=1e-9)


@given(drawings().filter(varies))
def test_kappa_is_the_rounded_exact_fraction_of_its_definition(table):
    n, n_voxels = table.shape
    drawing = table.sum(axis=0).tolist()
    agreed = [Fraction(k * (k - 1) + (n - k) * (n - k - 1), n * (n - 1)) for k in drawing]
    share = Fraction(sum(drawing), n * n_voxels)
    observed, chance = sum(agreed) / n_voxels, share**2 + (1 - share) ** 2
    assert fleiss_kappa(patterns_of(table)).value == float((observed - chance) / (1 - chance))


@given(drawings().filter(varies), st.randoms(use_true_random=False))
def test_neither_depends_on_the_order_of_readers(table, random):
    order = list(range(len(table)))
    random.shuffle(order)
    for measure in (fleiss_kappa, krippendorff_alpha):
        assert measure(patterns_of(table)) == measure(patterns_of(table[order]))


@given(drawings().filter(varies))
def test_both_are_the_same_where_drawn_and_not_drawn_change_places(table):
    for measure in (fleiss_kappa, krippendorff_alpha):
        assert measure(patterns_of(table)) == measure(patterns_of(~table))


@given(drawings().filter(varies))
def test_neither_exceeds_one_and_one_means_no_discord(table):
    is_unanimous = bool((table == table[0]).all())
    for measure in (fleiss_kappa, krippendorff_alpha):
        value = measure(patterns_of(table)).value
        assert value <= 1
        assert (value == 1) is is_unanimous


def test_a_whole_body_of_voxels_loses_no_digit():
    counts = np.array([2**45 - 7, 3, 5, 2**20 + 1])
    found = fleiss_kappa(ReaderPatterns(2, np.array([0, 1, 2, 3], np.uint64), counts))
    judgements, drawn = 2 * int(counts.sum()), 8 + 2 * (2**20 + 1)
    exact = 1 - Fraction(judgements * 8, drawn * (judgements - drawn))
    assert found.value == float(exact)


@given(drawings().filter(varies), st.integers(0, 10**9))
def test_a_crop_restores_the_value_of_the_whole_image_exactly(table, background):
    n_voxels = table.shape[1] + background
    whole = patterns_of(table).with_domain(n_voxels)
    for measure in (fleiss_kappa, krippendorff_alpha):
        of_crop = measure(patterns_of(table), Domain("image", n_voxels))
        assert of_crop == measure(whole)


def test_kappa_moves_with_the_background_from_box_to_whole_image():
    """Two readers draw 6 × 6 × 6 cubes one voxel apart: Dice 5/6 whatever is around them."""
    image = np.zeros((2, 20, 40, 40), dtype=bool)
    image[0, 5:11, 10:16, 10:16] = image[1, 5:11, 10:16, 11:17] = True
    box = patterns_of(image[:, 5:11, 10:16, 10:17].reshape(2, -1))
    whole = patterns_of(image.reshape(2, -1))
    assert box.dice(0, 1) == whole.dice(0, 1) == pytest.approx(5 / 6)
    of_box = fleiss_kappa(box, Domain("box", box.n_voxels))
    of_image = fleiss_kappa(whole)
    assert of_box.value == pytest.approx(-1 / 6)
    assert of_image.value == float(1 - Fraction(64000 * 72, 432 * (64000 - 432)))
    assert fleiss_kappa(box, Domain("image", whole.n_voxels)) == of_image
    values = [fleiss_kappa(box, Domain("box", n)).value for n in (252, 500, 1000, 10**4, 10**7)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(5 / 6, abs=1e-4)


def test_whoever_prints_a_coefficient_prints_its_domain():
    found = fleiss_kappa(patterns_of([[1, 1, 0, 0], [1, 0, 0, 0]]))
    assert str(found) == "Fleiss' kappa 0.467 (image, 4 voxels; 2 readers)"
    nothing = krippendorff_alpha(patterns_of([[0, 0], [0, 0]]), Domain("box", 9))
    assert str(nothing) == (
        f"Krippendorff's alpha undefined, {NOTHING_DRAWN} (box, 9 voxels; 2 readers)"
    )


@pytest.mark.parametrize("measure", [fleiss_kappa, krippendorff_alpha])
@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([[1, 0]], ONE_READER),
        ([[0, 0], [0, 0]], NOTHING_DRAWN),
        ([[1, 1], [1, 1]], ALL_DRAWN),
        (np.zeros((2, 0)), NO_VOXELS),
    ],
)
def test_what_is_undefined_says_why(measure, table, reason):
    found = measure(patterns_of(table))
    assert (found.value, found.reason) == (None, reason)


def test_full_drawings_are_defined_once_there_is_background():
    assert fleiss_kappa(patterns_of([[1, 1], [1, 1]]), Domain("image", 3)).value == 1


def test_one_who_drew_all_against_one_who_drew_nothing():
    found = patterns_of([[1, 1, 1, 1], [0, 0, 0, 0]])
    assert fleiss_kappa(found).value == -1
    assert krippendorff_alpha(found).value == pytest.approx(-0.75)


def test_a_domain_smaller_than_what_was_drawn_is_refused():
    with pytest.raises(InputError, match="3 drawn voxels in a domain of 2"):
        fleiss_kappa(patterns_of([[1, 1, 0], [0, 1, 1]]), Domain("box", 2))


def test_krippendorffs_binary_example_of_two_observers():
    """Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example A: 0.095."""
    meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(patterns_of([meg, owen])).value == pytest.approx(0.095, abs=5e-4)
