"""What the authors print, against a plain retelling of their counts, beside the honest value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from lesionary.core.volume import Geometry, LabelMap
from lesionary.evaluate.as_published import PublishedDetection, printed
from lesionary.evaluate.evaluation import evaluate
from lesionary.evaluate.options import EvaluateOptions
from strategies import geometries, label_maps

FULL = np.ones((3, 3, 3))


def row(text):
    values = [int(letter) if letter != "." else 0 for letter in text]
    return LabelMap(np.array([[values]], dtype=np.uint16), Geometry((1, 1, len(text)), np.eye(4)))


def document_of(reference, prediction):
    return evaluate(row(reference), row(prediction)).to_json()


def test_the_breast_notebooks_counts_give_the_papers_table_5():
    """6 hits, 3 false positives, 8 misses: sensitivity 0.43, false negative rate 0.57, F1 0.52."""
    counts = PublishedDetection(true_positive=6, false_positive=3, false_negative=8)
    rates = counts.sensitivity, counts.false_negative_rate, counts.f1
    assert [printed(rate) for rate in rates] == ["0.43", "0.57", "0.52"]


@given(st.data())
def test_tumours_are_counted_on_two_masks_as_the_notebooks_do(data):
    grid = data.draw(geometries())
    one, other = (data.draw(label_maps(st.just(grid), largest=1)) for _ in range(2))
    reference, prediction = (ndimage.label(side.array, FULL)[0] for side in (one, other))
    hits = set(prediction[reference > 0].tolist()) - {0}
    seen = set(reference[prediction > 0].tolist()) - {0}
    published = evaluate(one, other).to_json()["as_published"]["detection"]
    assert published["true_positive"] == len(hits)
    assert published["false_positive"] == prediction.max() - len(hits)
    assert published["false_negative"] == reference.max() - len(seen)


def test_two_crumbs_in_one_lesion_raise_the_published_sensitivity_and_it_says_so():
    document = document_of("11111..1", "11.11...")
    assert document["detection"]["sensitivity"] == 0.5
    assert document["as_published"]["detection"]["sensitivity"] == pytest.approx(2 / 3)
    (text,) = document["as_published"]["differs"]
    assert "2 of 3 instead of 1 of 2" in text


def test_a_missed_tumour_is_dropped_where_it_honestly_counts_nought():
    document = document_of("11.22", "11...")
    missed = document["as_published"]["labels"][1]
    assert document["labels"][1]["dsc"] == 0.0
    assert (missed["dropped"], missed["dsc"], missed["hd95_mm"]) == (True, None, None)
    assert set(missed["reason"]) == {name for name, value in missed.items() if value is None}
    assert any("dropped" in text for text in document["as_published"]["differs"])


def test_a_mask_that_is_its_own_reference_counts_and_its_nsd_is_printed_as_nought():
    document = document_of("11.2", "11.2")
    for shown, honest in zip(document["as_published"]["labels"], document["labels"], strict=True):
        assert (shown["dsc"], shown["hd95_mm"]) == (1.0, 0.0)
        assert (honest["nsd"], printed(shown["nsd"])) == (1.0, "0.00")
        assert len(shown["differs"]) == 2
    assert any("itself" in text for text in document["as_published"]["differs"])


def test_the_papers_words_give_a_directed_distance_and_the_notebooks_the_larger_one():
    document = document_of("1111....", "11......")
    (shown,), (honest,) = document["as_published"]["labels"], document["labels"]
    assert shown["hd95_mm"] == honest["hd95_mm"] == honest["hd95_reference_to_prediction_mm"]
    assert shown["hd95_directed_mm"] == honest["hd95_prediction_to_reference_mm"] < shown["hd95_mm"]
    assert "one direction" in shown["differs"][0]


def test_a_made_up_tumour_where_there_is_none_prints_an_f1_of_nought():
    document = document_of("...", ".1.")
    assert document["detection"]["f1"] is None
    assert document["as_published"]["detection"]["f1"] == 0.0
    assert any("F1 is printed as 0.00" in text for text in document["as_published"]["differs"])


def test_where_nothing_differs_nothing_is_said():
    document = document_of(".111..", "..111.")
    assert document["as_published"]["differs"] == []
    assert document["as_published"]["labels"][0]["differs"] == []


def test_empty_masks_print_no_rates_and_say_why():
    published = document_of("...", "...")["as_published"]
    assert published["labels"] == []
    assert set(published["detection"]["reason"]) == {"sensitivity", "false_negative_rate", "f1"}
    assert printed(None) == "nan"


def test_a_label_that_alone_is_identical_is_not_called_a_mask_compared_with_itself():
    same, other = document_of("11.22", "11.2.")["as_published"]["labels"]
    assert same["differs"][0].startswith("this label's voxels are the same on both sides")
    assert not any("itself" in text for text in [*same["differs"], *other["differs"]])


def test_only_the_counts_that_differ_are_named():
    """Two lesions, two hits on either counting; one predicted crumb is too small to be made up."""
    options = EvaluateOptions(min_voxels=2)
    document = evaluate(row("11.11.."), row("11.11.1"), options).to_json()
    (text,) = document["as_published"]["differs"]
    assert "1 instead of 0 false positives" in text
    assert "lesions found" not in text
