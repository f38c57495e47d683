"""What a study costs beside the work: every measurement in a tiny form, and the page."""

import itertools
import shutil

import pytest
import sqlalchemy as sa
from benchmarks.scale.__main__ import Sizes, measure
from benchmarks.scale.million import all_parts, counts, fill, fill_slices
from benchmarks.scale.page import BEGIN, END, generated, replaced
from benchmarks.scale.queries import STATUS, answers
from benchmarks.scale.scans import READERS, scan, write_scans
from benchmarks.scale.thousand import STAGES

from lesionary.app.study import Study
from lesionary.io.registry import health, tables
from lesionary.io.registry.facts import BY_TABLE, facts

N_SERIES = 40


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    study = Study.create(tmp_path / "study", registry=url)
    fill(study.registry, N_SERIES)
    yield study
    study.registry.close()


def test_scans_differ_and_every_reader_draws(tmp_path):
    write_scans(tmp_path / "scans", 2)
    assert len(list((tmp_path / "scans" / "p00001").iterdir())) == 1 + len(READERS)
    assert (tmp_path / "scans" / "boxes.csv").read_text().count("\n") == 2
    (first, truth), (second, _) = scan(0), scan(1)
    assert (first.array != second.array).any()
    assert set(truth.labels or {}) == set()
    assert sorted(set(truth.array.flat)) == [0, 1, 2, 3]


def test_a_filled_registry_is_as_the_code_would_leave_it(filled):
    with filled.registry.reading() as connection:
        assert list(health.damages(connection)) == []
        assert list(health.dangling(connection)) == []
        assert health.missing_guards(connection) == []
        assert health.true_counts(connection) == health.kept_counts(connection)
        n_facts = sum(sum(1 for _ in facts(connection, audited)) for audited in BY_TABLE.values())
        indexes = {
            index["name"]
            for table in tables.metadata.sorted_tables
            for index in sa.inspect(connection).get_indexes(table.name)
        }
    wanted = {index.name for table in tables.metadata.sorted_tables for index in table.indexes}
    assert wanted <= indexes
    events = list(filled.registry.events())
    assert [event.seq for event in events] == list(range(1, n_facts + 1))
    assert len({event.object for event in events}) == n_facts
    assert all(one.hash == after.previous for one, after in itertools.pairwise(events))
    assert filled.registry.head().seq == n_facts


def test_its_events_name_its_rows(filled):
    named = {event.object for event in filled.registry.events()}
    with filled.registry.reading() as connection:
        for audited in BY_TABLE.values():
            for name, _ in facts(connection, audited):
                assert name in named


def test_both_databases_hold_the_same(tmp_path, postgres_url):
    studies = [
        Study.create(tmp_path / name, registry=url)
        for name, url in (("sqlite", None), ("postgresql", postgres_url))
    ]
    found = []
    for study in studies:
        fill(study.registry, N_SERIES)
        fill_slices(study.registry, 1)
        found.append(
            [
                study.registry.rows(table, order_by=[key.name for key in table.primary_key])
                for table in (tables.subject, tables.timepoint, tables.series, tables.unit)
            ]
        )
        assert len(study.registry.sop_uids()) == 320
        study.registry.close()
    for ours, theirs in zip(*found, strict=True):
        plain = [{k: v for k, v in row.items() if k != "started_at"} for row in ours]
        assert plain == [{k: v for k, v in row.items() if k != "started_at"} for row in theirs]


def test_every_question_has_an_answer(filled):
    found = {answer.name: answer for answer in answers(filled, N_SERIES)}
    assert found[STATUS].first_s > 0
    assert found["a page of series"].n_items == N_SERIES // 2
    assert found["check events"].n_items > N_SERIES
    assert found["hash units"].n_items == 3 * N_SERIES
    assert found["plan a page of measure"].per_second > 0
    measured = filled.registry.units("measure", ["ser-0040"])["ser-0040"]
    assert measured.version == 2


def test_status_counts_what_was_filled(filled):
    status = filled.status()
    assert status["counts"]["series"] == N_SERIES
    assert status["counts"]["left_out"] == counts(N_SERIES)["finding:left_out"]
    done = {row["stage"]: row["done"] for row in status["stages"]}
    assert [done[stage] for stage in STAGES] == [N_SERIES] * 3 + [0, 0]


def test_there_is_one_event_a_row():
    parts = all_parts(N_SERIES)
    n_events = sum(part.n_rows for part in parts if part.table is tables.event)
    assert n_events == sum(part.n_rows for part in parts) - n_events


def test_only_the_generated_part_of_the_page_is_replaced():
    page = f"# Title\n\n{BEGIN}\nold\n{END}\n\nprose\n"
    assert replaced(page, "new") == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\nprose\n"
    assert replaced(replaced(page, "new"), "new") == replaced(page, "new")
    with pytest.raises(ValueError, match="lacks"):
        replaced("# Title\n", "new")


@pytest.mark.slow
def test_the_whole_in_its_tiny_form(tmp_path):
    sizes = Sizes(series=6, few=3, driven=(4, 8), through_dask=4, rows=N_SERIES)
    found = measure(tmp_path, sizes)
    assert {run.n_workers for run in found.workers} == {0, 1, 2}
    assert len({run.checksums for run in found.workers}) == 1
    assert set(STAGES) < set(found.one.run.phases)
    assert set(STAGES) < set(found.one.work.phases)
    text = generated(found)
    assert "### Reckoned from that" in text
    assert "all releases are the same bytes" in text
    assert len(found.registries) == 1 + (shutil.which("initdb") is not None)
