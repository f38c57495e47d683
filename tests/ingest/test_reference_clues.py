"""What a drawing says beside UIDs decides only where it leaves one image."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.reference_clues import Clues, modality_of_words
from lesionary.ingest.references import Match, match
from lesionary.ingest.series import SeriesIdentity, SeriesSummary
from lesionary.ingest.structures import References, Roi, StructureSet

MORNING, NOON = dt.datetime(2001, 2, 3, 8), dt.datetime(2001, 2, 3, 12)  # noqa: DTZ001
STEP_MM = 3.27


def image(modality, *, study="A", acquired=NOON, start_mm=0.0, folder=""):
    affine = np.diag([1.0, 1.0, STEP_MM, 1.0])[:, [2, 1, 0, 3]]  # k runs along z
    affine[2, 3] = start_mm
    identity = SeriesIdentity(
        study_instance_uid=study,
        frame_of_reference_uid="F",
        acquired=acquired,
        folder=folder,
    )
    return SeriesSummary(identity, Geometry((9, 8, 8), affine), modality)


def structures(z_mm=STEP_MM, names=("GTV",)):
    square = np.array([[1, 1, z_mm], [5, 1, z_mm], [5, 5, z_mm]], dtype=np.float64)
    references = References(frame_of_reference_uids=frozenset({"F"}))
    rois = tuple(Roi(n, name, "", (square,), references) for n, name in enumerate(names))
    return StructureSet(rois, references)


def found(images, clues, drawn=None, folder=""):
    return match(drawn or structures(), images, folder=folder, clues=clues)


CT, PET = image("CT"), image("PT", start_mm=0.02)


@pytest.mark.parametrize(
    ("texts", "modality"),
    [
        ([["GTV_Mass_PET"], [""]], "PT"),
        ([["GTV"], ["RTstruct_CT"]], "CT"),
        ([["gtv-mr"], ["MRI"]], "MR"),
        ([["GTV_CT", "GTV_PET"]], None),
        ([["GTV_PET", "heart"]], None),
        ([["GTV_PET"], ["planning ct"]], None),
        ([["PETCT"]], None),
        ([["CTV"], ["PTV"], ["petrous bone"], ["GTV_pt"]], None),
        ([["AlignedT1toPET"]], None),
        ([], None),
        ([[]], None),
    ],
)
def test_words_name_a_modality_only_where_all_that_speak_agree(texts, modality):
    assert modality_of_words(texts) == modality


@pytest.mark.parametrize(("word", "chosen"), [("CT", 0), ("PET", 1)])
def test_a_modality_that_is_named_chooses_among_images_that_fit(word, chosen):
    verdict = found([CT, PET], Clues(((f"GTV_{word}",),)))
    assert isinstance(verdict, Match)
    assert verdict.image == chosen
    assert verdict.note is not None
    assert (verdict.note.code, verdict.note.outcome) == ("reference_by_clues", Outcome.INGESTED)


def test_words_never_move_a_drawing_from_the_one_image_that_fits():
    far = image("PT", start_mm=1.5)
    assert found([CT, far], Clues((("GTV_PET",),))) == Match(0)


def test_the_nearest_folder_goes_before_the_words():
    images = [image("CT", folder="p/ct/image"), image("PT", folder="p/pet/image")]
    assert found(images, Clues((("GTV_PET",),)), folder="p/ct/mask") == Match(0)


@pytest.mark.parametrize(
    ("images", "clues"),
    [
        ([CT, PET], Clues((("GTV_MR",),))),
        ([CT, PET], Clues((("GTV",),))),
        ([CT, PET], Clues()),
        ([CT, PET], None),
        ([CT, CT], Clues((("GTV_CT",),))),
        ([image("CT", study="A"), image("PT", study="B")], Clues((("PET",),), "A")),
        ([image("CT", acquired=NOON), image("CT", acquired=None)], Clues((), None, NOON)),
    ],
)
def test_what_leaves_none_or_several_stays_ambiguous(images, clues):
    verdict = found(images, clues)
    assert isinstance(verdict, Finding)
    assert verdict.code == "ambiguous_reference"


def test_the_study_and_its_time_choose_between_two_scans_of_one_kind():
    by_study = [image("MR", study="A"), image("MR", study="B")]
    assert found(by_study, Clues(study_instance_uid="B")).image == 1
    by_time = [image("MR", acquired=MORNING), image("MR", acquired=NOON)]
    assert found(by_time, Clues(studied_at=MORNING)).image == 0


def test_planes_to_the_micrometre_choose_between_scans_that_lie_nearly_alike():
    for z_mm, chosen in ((STEP_MM, 0), (STEP_MM + 0.02, 1)):
        drawn = structures(z_mm)
        assert found([CT, PET], Clues(offset_mm=drawn.offset_mm), drawn).image == chosen
    between = structures(STEP_MM + 0.01)
    assert isinstance(found([CT, PET], Clues(offset_mm=between.offset_mm), between), Finding)


def test_planes_and_words_that_contradict_each_other_choose_nothing():
    drawn = structures(STEP_MM)
    verdict = found([CT, PET], Clues((("GTV_PET",),), offset_mm=drawn.offset_mm), drawn)
    assert isinstance(verdict, Finding)


@given(st.permutations(range(3)), st.sampled_from(["CT", "PET", "MR"]))
def test_the_order_of_the_images_changes_no_choice(order, word):
    images = [image("CT"), image("PT"), image("MR")]
    shuffled = [images[n] for n in order]
    chosen = found(shuffled, Clues(((f"lesion {word}",),))).image
    assert shuffled[chosen].modality == {"PET": "PT"}.get(word, word)


def test_clues_show_nothing_of_what_they_hold():
    assert "DOE" not in repr(Clues((("DOE^JANE",),), "1.2.3"))
