"""What comparisons print on a terminal: nothing undefined stops them, domains are named."""

import json

import pytest

from lesionary.app.files.agreement import agree
from lesionary.app.files.consensus import consensus
from lesionary.cli.comparison_text import (
    agreed_cases_text,
    agreement_text,
    consensus_text,
    evaluation_text,
    scores_text,
)
from lesionary.cli.main import run_command
from tiny_masks import EMPTY, SHIFTED, TUMOUR, TWO_LABELS, TWO_SHIFTED, drawn, write_mask


@pytest.fixture
def masks(tmp_path):
    """Write arrays as masks; return their paths."""

    def write(*arrays):
        return [write_mask(tmp_path / f"m{n}.nii.gz", one) for n, one in enumerate(arrays)]

    return write


@pytest.fixture
def said(capsys):
    """Return ``said(*words) -> (exit code, stdout, stderr)``."""

    def run(*words):
        code = run_command([*map(str, words)])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "None" not in out
        assert "nan" not in out
        return code, out, err

    return run


def test_kappa_is_printed_with_its_domain(masks):
    text = agreement_text(agree(masks(TUMOUR, SHIFTED)))
    assert "Fleiss' kappa 0.7273 over the whole image, 720 voxels" in text


def test_readers_are_named_where_they_have_names(masks):
    text = agreement_text(agree(masks(TUMOUR, SHIFTED), readers=["anna", "ben"]))
    assert "1-2  anna vs. ben" in text


def test_who_missed_a_tumour_is_said(masks):
    text = agreement_text(agree(masks(TUMOUR, EMPTY), readers=["anna", "ben"]))
    assert "Tumour 1 of label 1 (missed by ben)" in text


def test_a_fused_tumour_is_said_to_be_one(masks):
    two = drawn((1, "1:4,2:4,2:4"), (1, "1:4,2:4,6:8"))
    assert "(fused)" in agreement_text(agree(masks(two, drawn((1, "1:4,2:4,2:8")))))


def test_undefined_values_are_dashes_with_their_reasons_below(masks):
    text = agreement_text(agree(masks(EMPTY, EMPTY)))
    assert "Fleiss' kappa – over" in text
    assert "fleiss_kappa: nobody drew anything" in text


def test_more_tumours_than_fit_are_counted(masks):
    boxes = [(n, f"{k}:{k + 1},{j}:{j + 1},{i}:{i + 1}") for n, (k, j, i) in enumerate(
        ((k, j, i) for k in (0, 2, 4) for j in (0, 2, 4, 6) for i in (0, 2, 4, 6)), start=1
    )]  # fmt: skip
    assert "… and 8 more" in agreement_text(agree(masks(*[drawn(*boxes)] * 2)))


def test_repeats_of_a_reader_stand_at_the_end(masks):
    text = agreement_text(agree(masks(TUMOUR, SHIFTED), readers=["anna", "anna"]))
    assert "anna against own earlier reading" in text


def test_a_consensus_names_method_and_readers(masks, tmp_path):
    found = consensus(masks(TUMOUR, EMPTY), output=tmp_path / "c.nii.gz", method="majority")
    text = consensus_text(found)
    assert "0 voxels, 0.000 ml by majority" in text
    assert "–" in text


@pytest.mark.parametrize(
    ("reference", "prediction"),
    [(EMPTY, EMPTY), (EMPTY, TUMOUR), (TUMOUR, EMPTY), (TUMOUR, TUMOUR), (TUMOUR, SHIFTED)],
)
@pytest.mark.parametrize("n_references", [1, 2])
def test_every_evaluation_can_be_printed(said, masks, reference, prediction, n_references):
    paths = masks(prediction, *[reference] * n_references)
    words = [word for path in paths[1:] for word in ("--reference", path)]
    code, out, err = said("file", "evaluate", *words, "--prediction", paths[0])
    assert (code, err) == (0, "")
    assert "lesions (overlap)" in out


def test_honest_and_published_values_stand_side_by_side(said, masks):
    first, second = masks(TUMOUR, EMPTY)
    _, out, _ = said("file", "evaluate", "--reference", first, "--prediction", second)
    assert "as published: 1: a distance is not finite" in out
    _, out, _ = said("file", "evaluate", "--reference", first, "--prediction", first)
    assert "one is compared with itself" in out


def test_the_mean_and_the_consensus_of_references_are_printed(said, masks):
    first, second, model = masks(TWO_LABELS, TWO_SHIFTED, TWO_LABELS)
    words = ("--reference", first, "--reference", second, "--prediction", model)
    _, out, _ = said("file", "evaluate", *words)
    assert "Mean over references" in out
    assert "Consensus (staple)" in out


def test_many_cases_print_their_counts_and_the_domain(said, tmp_path):
    for case, second in (("p0", SHIFTED), ("p1", EMPTY)):
        write_mask(tmp_path / "d" / case / "anna.nii.gz", TUMOUR)
        write_mask(tmp_path / "d" / case / "ben.nii.gz", second)
    write_mask(tmp_path / "d" / "p2" / "anna.nii.gz", TUMOUR)
    code, out, err = said(
        "file", "agree", tmp_path / "d", "--reader-from", "{subject}/{reader}.nii.gz"
    )
    assert code == 1
    assert out.startswith("2 cases")
    assert "Domain of kappa and alpha: the whole image, 720 voxels." in out
    assert "left out: p2" in err


def test_folders_without_a_single_tumour_can_be_printed(said, tmp_path):
    for reader in ("anna", "ben"):
        write_mask(tmp_path / "d" / "p0" / f"{reader}.nii.gz", EMPTY)
    words = ("file", "agree", tmp_path / "d", "--reader-from", "{subject}/{reader}.nii.gz")
    code, out, _ = said(*words)
    assert code == 0
    assert "No tumour." in out


@pytest.mark.parametrize(("first", "second"), [(TUMOUR, SHIFTED), (EMPTY, EMPTY), (TUMOUR, EMPTY)])
def test_folders_of_predictions_are_printed_with_what_was_left_out(said, tmp_path, first, second):
    write_mask(tmp_path / "r" / "p0.nii.gz", first)
    write_mask(tmp_path / "r" / "p1.nii.gz", first)
    write_mask(tmp_path / "m" / "p0.nii.gz", second)
    words = ("--reference", tmp_path / "r", "--prediction", tmp_path / "m")
    code, out, err = said("file", "evaluate", *words)
    assert code == 1
    assert "sensitivity" in out
    assert "left out: p1: there is no prediction" in err


def test_an_error_names_every_file_it_is_about(said, tmp_path, masks):
    (first,) = masks(TUMOUR)
    second = write_mask(tmp_path / "small.nii.gz", TUMOUR[1:])
    code, out, err = said("file", "agree", first, second)
    assert (code, out) == (2, "")
    assert str(first) in err
    assert str(second) in err


def test_summaries_without_cases_have_a_text(masks):
    nothing = {"summary": [], "cases": []}
    assert "No tumour." in agreed_cases_text({"cases": [], "summary": nothing})
    assert "No label." in scores_text({"scores": [], "detection": []})


def test_texts_and_documents_say_the_same(said, masks):
    paths = masks(TUMOUR, SHIFTED)
    words = ("file", "evaluate", "--reference", paths[0], "--prediction", paths[1])
    _, out, _ = said(*words)
    _, document, _ = said(*words, "--json")
    assert evaluation_text(json.loads(document)) in out
