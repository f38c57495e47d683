"""The shipped curation protocols, on the real index where it is installed."""

import re

import pytest

from lesionary.app.curation import read_curation
from lesionary.app.idc import find_series
from lesionary.core.errors import InputError, PluginUnavailableError
from lesionary.io.curation_text import curation_text, shipped_curations
from lesionary.io.idc.index import index_file

TASKS = {
    "idc-lung-fdg-pet-ct": 736,
    "idc-lung-ct": 433,
    "idc-breast-fdg-pet-ct": 110,
    "idc-kidney-ct": 156,
    "idc-prostate-mr": 347,
    "idc-liver-mr": 65,
    "idc-liver-ct": 89,
}
"""Counts as the paper prints them."""
LEAST_RECALL = 0.95


@pytest.fixture(scope="module")
def _real_index():
    pytest.importorskip("duckdb")
    try:
        index_file()
    except PluginUnavailableError:
        pytest.skip("no IDC index here: pip install idc-index-data")


def test_the_seven_tasks_are_shipped():
    assert set(shipped_curations()) == set(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_a_shipped_protocol_is_read_and_has_the_papers_count(name):
    protocol = read_curation(name)
    assert protocol.name == name
    assert protocol.published.count == TASKS[name]
    assert protocol.collections


def test_a_wrong_rule_of_a_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[[curate.rule]]\nrule = "modality"\nany_of = ["MRI"]\n')
    with pytest.raises(InputError) as caught:
        read_curation(str(path))
    assert caught.value.message.startswith("line 3: `curate.rule 1 (modality): any_of` should be")
    assert caught.value.message.endswith("did you mean 'MR'?")


@pytest.mark.parametrize("name", TASKS)
def test_rules_never_name_single_series(name):
    assert re.search(r"\d+\.\d+\.\d+|TCGA-|ProstateX-", curation_text(name)) is None


@pytest.mark.usefixtures("_real_index")
@pytest.mark.parametrize("name", TASKS)
def test_on_the_real_index_what_was_published_is_found_again(name):
    report = find_series(name)
    by_study, certain = report.recalls[:2]
    assert by_study.value >= LEAST_RECALL
    assert certain.value is None or certain.value >= LEAST_RECALL or certain.n_published < 10
    if len(report.recalls) == 2:
        assert any(one["table"] == "seg_index" for one in report.missing)
    assert sum(step.n_before - step.n_left for step in report.curation.steps) + len(
        report.found
    ) == len(report.considered)


@pytest.mark.usefixtures("_real_index")
def test_pairs_of_one_study_each_and_never_in_the_ct_task():
    pairs = find_series("idc-lung-fdg-pet-ct").curation.pairs
    assert len({pair.study for pair in pairs}) == len(pairs)
    others = set(find_series("idc-lung-ct").curation.kept)
    assert not others & {pair.ct for pair in pairs}


@pytest.mark.real_data
@pytest.mark.usefixtures("_real_index")
@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("idc-breast-fdg-pet-ct", "aimi-breast-pet-ct"),
        ("idc-liver-ct", "aimi-liver-ct"),
        ("idc-liver-mr", "aimi-liver-mr"),
    ],
)
def test_with_the_authors_own_links_recall_is_told_by_series(shared_data, name, folder):
    links = shared_data / "aimi_qa" / folder / "qa-results" / "qa-results.csv"
    exact = find_series(name, links=links).recalls[-1]
    assert exact.link == "given links"
    assert exact.value >= LEAST_RECALL
