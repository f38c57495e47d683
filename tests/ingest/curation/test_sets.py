"""Pairs of PET and CT, and one series of several."""

from lesionary.ingest.curation import SeriesFacts, curate, rules_of_tables


def one(series, modality, description=None, study="study", **known):
    return SeriesFacts(series, study, "a", modality=modality, description=description, **known)


def curated(series, *tables):
    return curate(series, rules_of_tables(tables))


def reasons(result):
    return {one.series: one.reason for one in result.decisions if one.rule}


PAIR = {"rule": "pet_ct_pair", "prefer_ct": ["ctac*", "ct fusion"]}


def test_the_corrected_pet_goes_with_its_ct():
    series = [
        one("ac", "PT", "PET AC", n_slices=200),
        one("nac", "PT", "PET NAC", n_slices=200),
        one("ctac", "CT", "CTAC", n_slices=300),
        one("chest", "CT", "Chest", n_slices=200),
    ]
    result = curated(series, PAIR)
    assert set(result.kept) == {"ac", "ctac"}
    assert [(pair.pet, pair.ct) for pair in result.pairs] == [("ac", "ctac")]
    assert reasons(result) == {
        "nac": "not corrected for attenuation",
        "chest": "another CT of its study",
    }


def test_a_ct_of_the_pets_frame_of_reference_goes_before_any_words():
    series = [
        one("pet", "PT", "PET AC", frame_of_reference="f"),
        one("ctac", "CT", "CTAC", frame_of_reference="g"),
        one("same", "CT", "Chest", frame_of_reference="f"),
    ]
    assert curated(series, PAIR).pairs[0].ct == "same"


def test_words_in_their_order_then_slices_then_the_first_choose_the_ct():
    pet = one("pet", "PT", "PET AC", n_slices=200)
    fusion = one("fusion", "CT", "CT FUSION", n_slices=200, series_number=1)
    ctac = one("ctac", "CT", "CTAC", n_slices=300, series_number=2)
    near = one("near", "CT", "CTAC std", n_slices=210, series_number=4)
    twin = one("twin", "CT", "CTAC std", n_slices=210, series_number=3)
    assert curated([pet, fusion, ctac], PAIR).pairs[0].ct == "ctac"
    assert curated([pet, fusion, ctac, near], PAIR).pairs[0].ct == "near"
    assert curated([pet, fusion, ctac, near, twin], PAIR).pairs[0].ct == "twin"


def test_pairs_never_reach_over_two_studies():
    series = [one("pet", "PT", "PET AC"), one("ct", "CT", "CTAC", study="other")]
    result = curated(series, PAIR)
    assert result.kept == ()
    assert reasons(result) == {
        "pet": "no CT in its DICOM study",
        "ct": "no corrected PET in its DICOM study",
    }


def test_pet_of_unknown_correction_pairs_only_where_the_rule_keeps_it():
    series = [one("pet", "PT", "PET WB"), one("ct", "CT", "CTAC")]
    assert curated(series, PAIR).kept == ()
    assert reasons(curated(series, PAIR))["pet"] == "attenuation correction is not known"
    kept = curated(series, {**PAIR, "missing": "keep"})
    assert set(kept.kept) == {"pet", "ct"}
    assert kept.steps[0].unchecked == (("attenuation correction is not known", 1),)


def test_uncorrected_pet_will_do_where_correction_is_not_asked_for():
    series = [one("pet", "PT", "PET NAC"), one("ct", "CT", "CTAC")]
    assert len(curated(series, {**PAIR, "corrected": False}).pairs) == 1


def test_set_rules_see_what_the_rules_before_have_left():
    series = [
        one("pet", "PT", "PET AC", n_slices=200),
        one("ctac", "CT", "CTAC", n_slices=3),
        one("chest", "CT", "Chest", n_slices=200),
    ]
    assert curated(series, {"rule": "slices", "at_least": 20}, PAIR).pairs[0].ct == "chest"


def test_a_pair_that_a_later_rule_breaks_is_no_pair():
    series = [one("pet", "PT", "PET AC"), one("ct", "CT", "CTAC")]
    result = curated(series, PAIR, {"rule": "modality", "any_of": ["CT"]})
    assert result.kept == ("ct",)
    assert result.pairs == ()


def test_pairs_are_excluded_elsewhere():
    series = [
        one("pet", "PT", "PET AC"),
        one("ctac", "CT", "CTAC"),
        one("chest", "CT", "Chest"),
        one("alone", "CT", "Chest", study="other"),
    ]
    rules = {**PAIR, "rule": "exclude_pairs"}, {"rule": "modality", "any_of": ["CT"]}
    result = curated(series, *rules)
    assert set(result.kept) == {"chest", "alone"}
    assert reasons(result)["ctac"] == "member of a PET/CT pair"
    assert result.pairs == ()


def test_one_series_of_each_study_or_subject():
    series = [
        one("first", "MR", "t2", series_number=2, n_slices=20),
        one("last", "MR", "t2", series_number=10, n_slices=19),
        one("unnumbered", "MR", "t2", n_slices=30),
        one("other", "MR", "t2 fs", study="other", series_number=1),
    ]
    assert set(curated(series, {"rule": "one_per"}).kept) == {"last", "other"}
    assert set(curated(series, {"rule": "one_per", "take": "first"}).kept) == {"first", "other"}
    most = curated(series, {"rule": "one_per", "take": "most_slices"})
    assert set(most.kept) == {"unnumbered", "other"}
    by_subject = curated(series, {"rule": "one_per", "of": "subject", "prefer": ["fs"]})
    assert by_subject.kept == ("other",)
    assert reasons(by_subject)["last"] == "another of its subject"
