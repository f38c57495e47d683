"""One label, one value, however readers numbered their texts."""

import numpy as np
import pytest

from lesionary.agree.labels import same_labels
from lesionary.core.errors import InputError
from lesionary.core.volume import Geometry, LabelMap


def row(*values, **texts):
    """Return a label map of one row; texts as ``v1="m,liver"``."""
    array = np.array([[values]], dtype=np.uint16)
    labels = {int(name[1:]): text for name, text in texts.items()}
    return LabelMap(array, Geometry(array.shape, np.eye(4)), labels)


def test_values_without_texts_stay_as_they_are():
    first, second = row(1, 2), row(2, 1)
    arrays, texts = same_labels([first, second])
    assert arrays[0].base is first.array.base
    assert arrays[1].tolist() == second.array.tolist()
    assert texts == {}


def test_one_text_under_two_numbers_becomes_one_value():
    arrays, texts = same_labels([row(1, 2, v1="m,liver", v2="m,lung"), row(7, 9, v7="m,liver")])
    assert [a.tolist() for a in arrays] == [[[[1, 2]]], [[[1, 9]]]]
    assert texts == {1: "m,liver", 2: "m,lung"}


def test_numbers_that_changed_places_are_sorted_out():
    first, second = row(1, 2, v1="a", v2="b"), row(1, 2, v1="b", v2="a")
    arrays, texts = same_labels([first, second])
    named = [[texts[int(v)] for v in a.ravel()] for a in arrays]
    assert named == [["a", "b"], ["b", "a"]]


def test_case_and_spaces_do_not_tell_texts_apart_and_the_first_spelling_stays():
    _, texts = same_labels([row(1, v1="m, Liver"), row(1, v1="M,liver")])
    assert texts == {1: "m, Liver"}


def test_a_value_with_a_text_elsewhere_borrows_it():
    arrays, texts = same_labels([row(3, v3="m,liver"), row(3)])
    assert [a.tolist() for a in arrays] == [[[[3]]], [[[3]]]]
    assert texts == {3: "m,liver"}


def test_a_value_whose_meaning_is_unclear_is_refused():
    with pytest.raises(InputError, match="label 1 has different texts"):
        same_labels([row(1, v1="a"), row(1, v1="b"), row(1)])


def test_a_new_value_is_nobodys():
    readers = [row(1, 65535, v1="a"), row(1, 65534, v1="b")]
    arrays, texts = same_labels(readers)
    assert texts == {1: "a", 65533: "b"}
    assert [a.tolist() for a in arrays] == [[[[1, 65535]]], [[[65533, 65534]]]]
