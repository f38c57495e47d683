"""The archive's index, read with DuckDB."""

import pytest

import idc_index as tiny
from lesionary.core.errors import InputError, PluginUnavailableError
from lesionary.ingest.curation import curate, rules_of_tables

pytest.importorskip("duckdb")


@pytest.fixture
def folder(tmp_path):
    return tiny.write_index(tmp_path / "index", tiny.PAIRED)


def opened(folder):
    from lesionary.io.idc.index import open_index

    return open_index(folder)


def test_original_series_come_in_order_and_results_of_others_do_not(folder):
    series = opened(folder).series()
    names = [one.facts.series for one in series]
    assert names == ["ct-1", "ct-2", "ct-3", "far", "mr-1", "pet-1", "pet-2"]


def test_collections_limit_what_is_read(folder):
    assert [one.facts.series for one in opened(folder).series(["elsewhere"])] == ["far"]
    assert opened(folder).series([]) == []


def test_a_row_becomes_facts(tmp_path):
    known = {"PatientAge": "065Y", "PatientSex": "F", "SeriesNumber": "4", "StudyDescription": "x"}
    folder = tiny.write_index(
        tmp_path, [tiny.row("s", "CT", "d", BodyPartExamined="CHEST", **known)]
    )
    (one,) = opened(folder).series()
    assert one.s3_url == "s3://bucket/s/*"
    facts = one.facts
    assert (facts.study, facts.subject, facts.collection) == ("study-1", "patient-1", "tiny")
    assert (facts.age_years, facts.sex, facts.series_number) == (65.0, "F", 4)
    assert (facts.n_slices, facts.size_bytes, facts.licence) == (50, 1_500_000, "CC BY 4.0")
    assert (facts.body_part, facts.description, facts.study_description) == ("CHEST", "d", "x")
    assert facts.slice_thickness_mm is None
    assert facts.has_contrast is None
    assert opened(folder).version == 7


def test_tables_beside_the_index_tell_what_it_lacks(tmp_path):
    folder = tiny.write_index(
        tmp_path, [tiny.row("ct", "CT"), tiny.row("mr", "MR"), tiny.row("pt", "PT")]
    )
    uid = {"SeriesInstanceUID": "VARCHAR"}
    tiny.write_parquet(
        folder / "ct_index.parquet",
        uid | {"SliceThickness": "DOUBLE", "ImageType": "VARCHAR[]"},
        [{"SeriesInstanceUID": "ct", "SliceThickness": 2.5, "ImageType": ["ORIGINAL", "AXIAL"]}],
    )
    tiny.write_parquet(
        folder / "mr_index.parquet",
        uid
        | {"SliceThickness": "DOUBLE", "ScanningSequence": "VARCHAR[]"}
        | {"EchoTime": "DOUBLE[]", "RepetitionTime": "DOUBLE"},
        [
            {"SeriesInstanceUID": "mr", "SliceThickness": 3.0, "ScanningSequence": ["SE"],
             "EchoTime": [101.0], "RepetitionTime": 4000.0},
        ],
    )  # fmt: skip
    tiny.write_parquet(
        folder / "pt_index.parquet",
        uid | {"SliceThickness": "DOUBLE", "CorrectedImage": "VARCHAR[]", "Units": "VARCHAR"},
        [{"SeriesInstanceUID": "pt", "CorrectedImage": ["ATTN"], "Units": "BQML"}],
    )
    tiny.write_parquet(
        folder / "contrast_index.parquet",
        uid | {"ContrastBolusAgent": "VARCHAR[]"},
        [{"SeriesInstanceUID": "ct", "ContrastBolusAgent": ["yes"]}],
    )
    tiny.write_parquet(
        folder / "volume_geometry_index.parquet",
        uid | {"uniform_slice_spacing": "BOOLEAN", "unique_slice_positions": "BOOLEAN"},
        [
            {
                "SeriesInstanceUID": "mr",
                "uniform_slice_spacing": True,
                "unique_slice_positions": False,
            }
        ],
    )
    index = opened(folder)
    facts = {one.facts.series: one.facts for one in index.series()}
    assert len(index.tables) == 5
    assert (facts["ct"].slice_thickness_mm, facts["ct"].image_type) == (2.5, ("ORIGINAL", "AXIAL"))
    assert [facts[name].has_contrast for name in ("ct", "mr", "pt")] == [True, None, None]
    assert [facts[name].is_complete for name in ("ct", "mr", "pt")] == [None, False, None]
    assert (facts["pt"].corrections, facts["pt"].units) == (("ATTN",), "BQML")
    assert facts["mr"].slice_thickness_mm == 3.0
    rules = rules_of_tables([{"rule": "sequence_type", "any_of": ["T2"]}])
    assert curate(list(facts.values()), rules).kept == ("mr",)


def test_an_index_of_an_older_release_may_lack_columns(tmp_path):
    columns = dict.fromkeys(tiny.COLUMNS[:5], "VARCHAR")
    tiny.write_parquet(tmp_path / "idc_index.parquet", columns, [tiny.row("s", "CT")])
    (one,) = opened(tmp_path).series(["tiny"])
    assert (one.s3_url, one.size_bytes) == ("", 0)
    assert opened(tmp_path).version is None


def test_what_is_no_index_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such index"):
        opened(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(InputError, match="no parquet"):
        opened(tmp_path / "text.parquet")
    other = tiny.write_parquet(tmp_path / "other.parquet", {"a": "VARCHAR"}, [{"a": "b"}])
    with pytest.raises(InputError, match="lacks SeriesInstanceUID"):
        opened(other)


def test_a_path_with_a_quote_is_a_path(tmp_path):
    folder = tiny.write_index(tmp_path / "it's", tiny.PAIRED)
    assert len(opened(folder).series()) == 7


def test_without_the_package_the_way_to_it_is_told(monkeypatch):
    import importlib.util

    from lesionary.io.idc import index

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(PluginUnavailableError) as caught:
        index.index_file()
    assert "pip install 'lesionary[idc]'" in caught.value.hint
