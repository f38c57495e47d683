"""Whole documents: fields of the contract, sums over labels, several references."""

import json

import numpy as np
import pytest

from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.volume import Geometry, LabelMap
from lesionary.evaluate.evaluation import evaluate, evaluate_against
from lesionary.evaluate.options import EvaluateOptions, MatchRule

GRID = Geometry((4, 6, 8), np.diag([2.0, 1.0, 1.0, 1.0]))
LEFT, RIGHT, FAR = np.s_[1:3, 1:4, 1:4], np.s_[1:3, 1:4, 4:7], np.s_[0, 5, 7]


def drawn(*parts, grid=GRID):
    array = np.zeros(grid.shape, dtype=np.uint16)
    for value, place in parts:
        array[place] = value
    return LabelMap(array, grid)


LABEL_FIELDS = {
    "label",
    "dsc",
    "nsd",
    "tolerance_mm",
    "hd95_mm",
    "hd95_reference_to_prediction_mm",
    "hd95_prediction_to_reference_mm",
    "mean_surface_distance_mm",
    "volume_difference_ml",
    "detection",
}
DETECTION_FIELDS = {
    "rule",
    "reference_lesions",
    "predicted_lesions",
    "true_positive",
    "false_negative",
    "false_positive",
    "sensitivity",
    "false_negative_rate",
    "precision",
    "f1",
}


def test_the_document_has_the_contracts_fields_and_is_json():
    document = evaluate(drawn((1, LEFT)), drawn((1, LEFT), (2, FAR))).to_json()
    assert {"labels", "detection", "self_compared", "as_published"} <= set(document)
    assert all(set(row) >= LABEL_FIELDS for row in document["labels"])
    assert set(document["detection"]) >= DETECTION_FIELDS
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_lesions_of_all_labels_add_up_and_those_of_composites_do_not_count_twice():
    options = EvaluateOptions(composites={"both": (1, 2)})
    reference, prediction = drawn((1, LEFT), (2, RIGHT)), drawn((1, LEFT), (2, FAR))
    document = evaluate(reference, prediction, options).to_json()
    sums = document["detection"]
    assert (sums["reference_lesions"], sums["predicted_lesions"], sums["true_positive"]) == (
        2,
        2,
        1,
    )
    both = document["labels"][2]["detection"]
    assert (both["reference_lesions"], both["predicted_lesions"]) == (1, 2)
    assert sum(one["n"] for one in document["by_size"]) == 2
    assert document["as_published"]["detection"]["false_negative"] == 1


def test_lesions_are_listed_one_by_one_with_what_hit_them():
    document = evaluate(drawn((1, LEFT), (2, RIGHT)), drawn((1, LEFT), (2, FAR))).to_json()
    rows = document["lesions"]["reference"]
    assert [(row["label"], row["hit"], row["dice"]) for row in rows] == [
        (1, True, 1.0),
        (2, False, 0.0),
    ]
    assert rows[0]["volume_ml"] == pytest.approx(18 * 2 / 1000)
    assert [row["hit"] for row in document["lesions"]["predicted"]] == [True, False]


def test_the_rule_is_named_and_obeyed():
    options = EvaluateOptions(match=MatchRule.parse("iou:0.9"))
    document = evaluate(drawn((1, LEFT)), drawn((1, np.s_[1:3, 1:4, 1:3])), options).to_json()
    assert document["detection"]["rule"] == "iou:0.9"
    assert document["detection"]["true_positive"] == 0
    assert document["as_published"]["detection"]["true_positive"] == 1
    assert "1 of 1 instead of 0 of 1" in document["as_published"]["differs"][0]


def test_another_grid_is_refused():
    other = Geometry(GRID.shape, np.diag([2.0, 1.0, 1.1, 1.0]))
    with pytest.raises(GeometryMismatchError):
        evaluate(drawn(), drawn(grid=other))
    with pytest.raises(GeometryMismatchError):
        evaluate(drawn(), drawn(grid=Geometry((4, 6, 9), np.eye(4))))


def test_several_references_give_each_their_mean_and_their_consensus():
    pytest.importorskip("lesionary.core.readers.consensus")
    readers = [("A", drawn((1, LEFT))), ("B", drawn((1, LEFT))), ("C", drawn((1, LEFT), (2, FAR)))]
    document = evaluate_against(readers, drawn((1, LEFT))).to_json()
    assert [one["reference"] for one in document["references"]] == ["A", "B", "C"]
    assert [one["self_compared"] for one in document["references"]] == [True, True, False]
    first, second = document["mean"]["labels"]
    assert (first["dsc"], first["n"]["dsc"]) == (1.0, 3)
    assert (second["dsc"], second["n"]["dsc"], second["n"]["hd95_mm"]) == (0.0, 1, 0)
    assert set(second["reason"]) >= {"hd95_mm", "hausdorff_mm"}
    assert document["mean"]["detection"]["sensitivity"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert document["mean"]["n_self_compared"] == 2
    assert document["consensus"]["method"] == "staple"
    assert document["consensus"]["labels"][0]["dsc"] == 1.0
    json.dumps(document, allow_nan=False)


def test_the_majority_of_three_leaves_out_what_one_alone_drew():
    pytest.importorskip("lesionary.core.readers.consensus")
    readers = [("A", drawn((1, LEFT))), ("B", drawn((1, LEFT))), ("C", drawn((1, RIGHT), (2, FAR)))]
    against = evaluate_against(readers, drawn((1, LEFT)), method="majority")
    assert against.consensus.is_self_compared
    assert against.to_json()["consensus"]["method"] == "majority"


def test_one_reference_has_no_consensus_and_says_so():
    document = evaluate_against([("A", drawn((1, LEFT)))], drawn((1, LEFT))).to_json()
    assert document["consensus"] is None
    assert "consensus" in document["reason"]
    assert document["mean"]["labels"][0]["dsc"] == 1.0


@pytest.mark.parametrize("names", [[], ["A", "A"], ["A", "mean"], ["consensus"]])
def test_references_need_names_that_tell_them_apart(names):
    with pytest.raises(InputError, match="name"):
        evaluate_against([(name, drawn()) for name in names], drawn())
