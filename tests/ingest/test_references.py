from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.references import folder_distance, image_of
from lesionary.ingest.series import SeriesIdentity, SeriesSummary
from lesionary.ingest.structures import References

GRID = Geometry((4, 8, 8), np.diag([3.0, 1.0, 1.0, 1.0]))
OTHER_GRID = Geometry((4, 8, 8), np.diag([2.0, 1.0, 1.0, 1.0]))


@dataclass(frozen=True)
class Drawing:
    """Something drawn that lies on the grids named."""

    references: References
    grids: tuple[Geometry, ...] = (GRID,)

    def lies_on(self, geometry):
        return any(geometry is grid for grid in self.grids)


def image(folder="CT/image", *, sops=(), series=None, frame="F", grid=GRID):
    identity = SeriesIdentity(
        series_instance_uid=series,
        frame_of_reference_uid=frame,
        sop_instance_uids=tuple(sops),
        folder=folder,
    )
    return SeriesSummary(identity, grid, "CT")


def refers(sops=(), series=(), frames=("F",), last_frames=None, grids=(GRID,)):
    references = References(
        frozenset(sops), frozenset(series), frozenset(frames), last_frames or {}
    )
    return Drawing(references, tuple(grids))


def code_of(verdict):
    assert isinstance(verdict, Finding)
    assert verdict.outcome is Outcome.LEFT_OUT
    assert verdict.hint
    return verdict.code


def test_single_images_named_come_before_series_and_place():
    images = [image(series="S"), image(sops=["1", "2"], frame="G")]
    assert image_of(refers(["2", "9"], ["S"]), images, folder="") == 1


def test_a_reference_holds_even_where_the_planes_do_not_fit():
    images = [image(sops=["1"], grid=OTHER_GRID), image(sops=["5"])]
    assert image_of(refers(["1"]), images, folder="") == 0


def test_a_series_named_comes_before_place():
    images = [image(), image(series="S", frame="G", grid=OTHER_GRID)]
    assert image_of(refers(["9"], ["S"]), images, folder="") == 1


def test_without_a_known_uid_the_frame_of_reference_and_the_planes_decide():
    images = [image(frame="G"), image(grid=OTHER_GRID), image(), image(frame=None)]
    assert image_of(refers(["9"], ["T"]), images, folder="") == 2


def test_of_several_images_named_that_one_counts_whose_planes_fit():
    images = [image(sops=["1", "2", "3"], grid=OTHER_GRID), image(sops=["4"])]
    assert image_of(refers(["1", "2", "3", "4"]), images, folder="") == 1


def test_of_several_that_fit_the_one_with_most_images_named_counts():
    images = [image(sops=["1"]), image(sops=["2", "3"])]
    assert image_of(refers(["1", "2", "3"]), images, folder="") == 1


def test_two_parts_of_one_series_are_told_apart_by_their_planes():
    images = [image(series="S", grid=OTHER_GRID), image(series="S")]
    assert image_of(refers([], ["S"]), images, folder="") == 1


def test_ties_go_to_the_nearest_folder():
    images = [image("STS/PET/dicom/image"), image("STS/CT/dicom/image")]
    assert image_of(refers(), images, folder="STS/CT/dicom/mask") == 1
    assert image_of(refers(), images, folder="STS/PET/dicom/mask") == 0


def test_images_that_fit_equally_are_ambiguous():
    images = [image("a/one"), image("a/two")]
    verdict = image_of(refers(), images, folder="a/mask")
    assert code_of(verdict) == "ambiguous_reference"
    assert "2 images fit equally" in verdict.reason


@pytest.mark.parametrize(
    "images", [[], [image(frame="G")], [image(grid=OTHER_GRID)], [image(frame=None)]]
)
def test_what_fits_no_image_is_an_orphan(images):
    verdict = image_of(refers(["1"], ["S"]), images, folder="")
    assert code_of(verdict) == "orphan_reference"
    assert f"none of the {len(images)} images" in verdict.reason


def test_no_frame_of_reference_at_all_is_no_common_one():
    assert code_of(image_of(refers(frames=()), [image(frame=None)], folder="")) == (
        "orphan_reference"
    )


def test_findings_quote_no_uid():
    verdict = image_of(refers(["1.2.840.77"], ["1.2.840.78"]), [image(frame="G")], folder="x/y")
    assert "1.2.840" not in verdict.reason + verdict.hint
    assert "x/y" not in verdict.reason + verdict.hint


def test_a_frame_that_an_image_does_not_have_is_no_reference_to_it():
    images = [image(sops=["1"], frame="G")]
    assert image_of(refers(["1"], last_frames={"1": 4}), images, folder="") == 0
    too_far = refers(["1"], last_frames={"1": 5})
    assert code_of(image_of(too_far, images, folder="")) == "orphan_reference"


@given(st.permutations(range(4)))
def test_the_order_of_the_images_does_not_matter(order):
    images = [
        image("p/CT/image"),
        image("p/PET/image"),
        image("p/CT/image", grid=OTHER_GRID),
        image("p/CT/image", frame="G"),
    ]
    shuffled = [images[n] for n in order]
    verdict = image_of(refers(), shuffled, folder="p/CT/mask")
    assert shuffled[verdict] is images[0]


folders = st.lists(st.sampled_from("abc"), max_size=4).map("/".join)


@given(folders, folders, folders)
def test_folder_distance_is_a_distance(one, two, three):
    assert folder_distance(one, one) == 0
    assert folder_distance(one, two) == folder_distance(two, one)
    assert folder_distance(one, three) <= folder_distance(one, two) + folder_distance(two, three)


def test_empty_and_dotted_parts_are_no_steps():
    assert folder_distance("./a//b/", "/a/b") == 0


def test_images_without_a_uid_match_no_reference_without_one():
    bare = replace(image(frame=None).identity, series_instance_uid=None)
    drawn = refers(series=(), frames=())
    summary = SeriesSummary(bare, GRID, "CT")
    assert code_of(image_of(drawn, [summary], folder="")) == "orphan_reference"


def with_frames(summary, frames):
    return replace(summary, identity=replace(summary.identity, frames=tuple(frames)))


def test_a_frame_counts_by_its_number_in_the_file_not_by_the_slices_of_a_part():
    upper = with_frames(image(sops=["1"] * 4), range(21, 25))
    lower = with_frames(image(sops=["1"] * 4, grid=OTHER_GRID), range(1, 5))
    meant = refers(["1"], last_frames={"1": 24})
    assert image_of(meant, [lower, upper], folder="") == 1


def test_of_two_parts_of_one_file_the_planes_decide():
    parts = [
        with_frames(image(sops=["1"] * 4, grid=OTHER_GRID), (1, 3, 5, 7)),
        with_frames(image(sops=["1"] * 4), (2, 4, 6, 8)),
    ]
    assert image_of(refers(["1"], last_frames={"1": 6}), parts, folder="") == 1
