import pytest

from lesionary.ingest.curate import listed_rules
from lesionary.ingest.curation import SeriesFacts, curate
from lesionary.ingest.modality import modality_of_name
from lesionary.ingest.region import region_of_lung, region_of_words


@pytest.mark.parametrize(
    ("body_part", "description", "region"),
    [
        ("CHEST", "", "thorax"),
        ("CHEST", "CT ABDOMEN PORTAL", "thorax"),
        ("abdomen", "", "abdomen"),
        ("ABDOMEN PELVIS", "", "abdomen"),
        ("CHESTABDPELVIS", "", "thorax_abdomen"),
        ("EXTREMITY", "thorax", "other"),
        ("", "CT Thorax/Abdomen", "thorax_abdomen"),
        ("", "TORAX_SIN_CONTRASTE", "thorax"),
        ("", "Liver 3 phases", "abdomen"),
        ("", "AXIAL 5.0 B31f", None),
        ("", "", None),
    ],
)
def test_the_coded_part_goes_before_the_words(body_part, description, region):
    assert region_of_words(body_part, description) == region


@pytest.mark.parametrize(
    ("share", "has_apex", "region"),
    [
        (0.0, True, "other"),
        (0.2, False, "abdomen"),
        (0.5, False, "abdomen"),
        (0.4, True, "thorax_abdomen"),
        (0.8, False, "thorax"),
        (0.8, True, "thorax"),
    ],
)
def test_lungs_tell_the_region_where_words_do_not(share, has_apex, region):
    assert region_of_lung(share, has_apex=has_apex) == region


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("001_CT_image.nii.gz", "CT"),
        ("STS_002/PET/nifti/image/image.nii.gz", "PT"),
        ("p1/mr.t1/scan.nrrd", "MR"),
        ("CTRL01/scan.nii.gz", "OT"),
        ("pet_on_ct.nii.gz", "OT"),
        ("scan.nii.gz", "OT"),
    ],
)
def test_only_a_word_of_its_own_names_a_modality(name, modality):
    assert modality_of_name(name) == modality


@pytest.mark.parametrize(
    ("modality", "region", "rule"),
    [
        ("CT", "thorax", ""),
        ("MR", "other", "modality"),
        ("CT", "other", "region"),
        ("CT", None, ""),
    ],
)
def test_the_lists_of_a_protocol_are_its_first_rules(modality, region, rule):
    facts = SeriesFacts("s", "study", "subject", modality=modality, region=region)
    assert curate([facts], listed_rules(["CT"], ["thorax"])).decisions[0].rule == rule
