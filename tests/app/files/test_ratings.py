import json

import pytest

from lesionary.app.files.ratings import rating_summary
from lesionary.cli.file_ratings import ratings
from lesionary.core.errors import InputError

TABLE = (
    "Reviewer,Validation,Collection,PatientID,AISegmentation,LikertScore,CorrectedSegmentation\n"
    "ne1,TRUE,tcga,p1,ai_1.dcm,5,\n"
    "rad1,TRUE,tcga,p1,ai_1.dcm,4,\n"
    "ne1,TRUE,tcga,p2,ai_2.dcm,5,\n"
    "rad1,TRUE,tcga,p2,ai_2.dcm,5,\n"
)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("task", "first", "n", "tau", "exact", "kappa", "counts"),
    [
        ("breast-pet-ct", "ne2", 11, 0.578, 4 / 11, 0.18, [[0, 0, 6, 5, 0], [0, 2, 2, 3, 4]]),
        # The authors' notebook prints tau 0.70, p 0.03, 66.67 %, in an older version kappa 0.45.
        ("liver-ct", "ne1", 9, 0.699, 6 / 9, 0.45, [[0, 1, 2, 0, 6], [0, 0, 1, 3, 5]]),
        ("liver-mr", "ne1", 7, 0.690, 5 / 7, 0.55, [[0, 3, 0, 1, 3], [0, 2, 1, 0, 4]]),
    ],
)
def test_published_tables_give_the_published_tau(
    shared_data, task, first, n, tau, exact, kappa, counts
):
    table = shared_data / "aimi_qa" / f"aimi-{task}" / "qa-results" / "qa-results.csv"
    found = rating_summary(table)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"], pair["n"]) == (first, "rad1", n)
    assert pair["kendall_tau_b"] == pytest.approx(tau, abs=5e-4)
    assert pair["exact_agreement"] == pytest.approx(exact)
    assert pair["cohen_kappa"] == pytest.approx(kappa, abs=5e-3)
    assert "as_published" not in pair
    assert [list(row["counts"].values()) for row in found["counts"][:2]] == counts


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("task", "rows", "cases", "low", "best", "split"),
    [
        ("breast-pet-ct", 121, 110, 104, 0, 10),
        ("liver-ct", 98, 89, 46, 0, 6),
        ("liver-mr", 74, 67, 26, 1, 6),
    ],
)
def test_published_tables_break_their_own_rules(shared_data, task, rows, cases, low, best, split):
    table = shared_data / "aimi_qa" / f"aimi-{task}" / "qa-results" / "qa-results.csv"
    found = rating_summary(table, group_by="Collection")
    assert (found["rows"], len(found["cases"])) == (rows, cases)
    codes = [row["code"] for row in found["findings"]]
    assert codes.count("low_without_correction") == low
    assert codes.count("best_with_correction") == best
    assert codes.count("split_patient") == split
    assert len(codes) == low + best + split
    text = json.dumps({**found, "source": ""}, allow_nan=False)
    assert "TCGA-" not in text
    assert "QIN-BREAST" not in text


def test_a_file_is_read_whatever_its_bytes(tmp_path):
    path = tmp_path / "qa.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TABLE.replace("p2", "m\u00fcller").encode("latin-1"))
    found = rating_summary(path)
    assert found["source"] == str(path)
    assert [row["line"] for row in found["findings"] if row["code"] == "not_utf8"] == [4, 5]
    assert found["pairs"][0]["n"] == 2


def test_what_cannot_be_read_is_named_as_the_user_gave_it(tmp_path):
    path = tmp_path / "qa.csv"
    with pytest.raises(InputError, match="no such file") as missing:
        rating_summary(path)
    assert missing.value.source == str(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="Reviewer and LikertScore") as refused:
        rating_summary(path)
    assert (refused.value.source, refused.value.code) == (str(path), "bad_table")


def test_the_terminal_shows_counts_agreement_groups_and_findings(tmp_path, capsys):
    path = tmp_path / "qa.csv"
    path.write_text(TABLE)
    assert ratings(path, group_by="Collection", out=None, json=False) == 0
    text = capsys.readouterr().out
    assert "ne1 – rad1  validation  2" in text
    assert "ne1 never varies: 5 in all 2" in text
    assert "the notebook prints nan" in text
    assert "low_without_correction, 1 row: line 3" in text
    assert "tcga" in text
    assert "p1" not in text


def test_json_is_the_whole_document(tmp_path, capsys):
    path = tmp_path / "qa.csv"
    path.write_text(TABLE)
    ratings(path, group_by=None, out=None, json=True)
    document = json.loads(capsys.readouterr().out)
    assert document == rating_summary(path)
    assert document["cases"][0] == {
        "case": 1,
        "is_validation": True,
        "scores": {"ne1": 5, "rad1": 4},
    }


def test_a_table_without_any_rating_is_refused(tmp_path):
    path = tmp_path / "qa.csv"
    path.write_text(TABLE.splitlines()[0])
    with pytest.raises(InputError, match="no row holds a rating"):
        rating_summary(path)


def test_rows_that_do_not_count_make_the_exit_code_1(tmp_path, capsys):
    path = tmp_path / "qa.csv"
    path.write_text("Reviewer,LikertScore,AISegmentation\nne1,5,a\nne1,eleven,b\n")
    assert ratings(path, group_by=None, out=None, json=True) == 1
    codes = {row["code"] for row in json.loads(capsys.readouterr().out)["findings"]}
    assert "bad_score" in codes
