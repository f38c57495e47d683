"""Masks find their images by name, and only where there is no doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.file_names import parse_name
from lesionary.ingest.pairing import FileRole, NamedFile, Pairing, pair
from lesionary.ingest.reader_pattern import parse_pattern


def paired(*places: str, pattern: str | None = None, below: str = "") -> Pairing:
    """Pair files of these places; the argument is the folder ``below``."""
    files = [
        NamedFile(number, place, place.removeprefix(below), role_of(place))
        for number, place in enumerate(places)
    ]
    return pair(files, parse_pattern(pattern) if pattern else None)


def role_of(place: str) -> FileRole:
    ending = place.lower().rpartition(".")[2]
    return "json" if ending == "json" else "table" if ending == "csv" else "image"


def names_of(found: Pairing, places: list[str]) -> dict[str, str]:
    """Return mask → image, or mask → code."""
    pairs = {places[mask.number]: places[mask.image] for mask in found.masks}
    return pairs | {places[number]: finding.code for number, finding in found.problems}


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("a/X.nii.gz", "a/X_mask.nii.gz"),
        ("a/X.nii.gz", "a/X_seg.nii.gz"),
        ("a/X.nii.gz", "a/X_label.nrrd"),
        ("a/X.nii.gz", "a/X_segmentation.mha"),
        ("a/X_image.nii.gz", "a/X_mask.nii.gz"),
        ("a/X.nrrd", "a/X.seg.nrrd"),
        ("X.nii.gz", "X-label.nii"),
        ("001_CT_image.nii.gz", "001_CT_mask.nii.gz"),
        ("lung1_image_crop.nii.gz", "lung1_label_crop.nii.gz"),
        ("a/image.nii.gz", "a/mask.nii.gz"),
        ("a/image_7.nii.gz", "a/Mask_7.nii.gz"),
        ("a/ct.nii.gz", "a/mask.nii.gz"),
        ("a/images/7.nii.gz", "a/masks/7.nii.gz"),
        ("a/images/7.nii.gz", "a/labels/7.nii.gz"),
        ("a/image/7.nii.gz", "a/mask/7_mask.nii.gz"),
        ("images/s1/7.nii.gz", "labels/s1/7.nii.gz"),
        ("a/image/image.nii.gz", "a/mask/mask.nii.gz"),
        ("a/image/phantom.nii.gz", "a/mask/roi.nii.gz"),
        ("scans.zip/images/7.nii.gz", "scans.zip/masks/7.nii.gz"),
    ],
)
def test_names_that_belong_together(image: str, mask: str) -> None:
    found = paired(image, mask)
    assert [entry.number for entry in found.images] == [0]
    assert [(entry.number, entry.image) for entry in found.masks] == [(1, 0)]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("places", "code"),
    [
        (["a/X_mask.nii.gz"], "orphan_reference"),
        (["a/Y.nii.gz", "a/X_mask.nii.gz"], "orphan_reference"),
        (["b/X.nii.gz", "a/X_mask.nii.gz"], "orphan_reference"),
        (["a/x.nii.gz", "a/X_mask.nii.gz"], "orphan_reference"),
        (["example_ct.nii.gz", "example_seg.nii.gz"], "orphan_reference"),
        (["a/images/7.nii.gz", "a/masks/8.nii.gz", "a/masks/7.nii.gz"], "orphan_reference"),
        (["a/images/7.nii.gz", "a/images/9.nii.gz", "a/masks/8.nii.gz"], "orphan_reference"),
        (["images/s1/7.nii.gz", "images/s2/7.nii.gz", "labels/7.nii.gz"], "orphan_reference"),
        (["X.nii.gz", "X_image.nii.gz", "X_mask.nii.gz"], "ambiguous_reference"),
        (["X.nii.gz", "X.nrrd", "X_mask.nii.gz"], "ambiguous_reference"),
        (["ct.nii.gz", "pet.nii.gz", "mask.nii.gz"], "ambiguous_reference"),
        (["images/7.nii.gz", "images/7.nrrd", "masks/7.nii.gz"], "ambiguous_reference"),
    ],
)
def test_in_doubt_a_mask_is_left_out(places: list[str], code: str) -> None:
    found = paired(*places)
    assert code in names_of(found, places).values()
    assert all("mask" not in places[e.number] and "label" not in places[e.number]
               for e in found.images)  # fmt: skip


@pytest.mark.parametrize("name", ["unmasked.nii.gz", "segment1.nii.gz", "labelled.nii.gz"])
def test_a_word_within_a_word_makes_no_mask(name: str) -> None:
    assert not parse_name(name).is_mask


def test_several_masks_of_one_image() -> None:
    places = ["X.nii.gz", "X_mask.nii.gz", "X_seg.nii.gz"]
    assert set(names_of(paired(*places), places)) == {"X_mask.nii.gz", "X_seg.nii.gz"}


@pytest.mark.parametrize(
    "places",
    [
        ["X.nii.gz", "X_mask.nii.gz", "X_mask.json"],
        ["a/X.nii.gz", "a/X_mask.nii.gz", "a/labels/X.json"],
        ["a/images/X.nii.gz", "a/masks/X.nii.gz", "a/labels/X.json"],
        ["a/images/s/X.nii.gz", "a/masks/s/X.nii.gz", "a/labels/s/X.json"],
        ["images/X.nii.gz", "masks/X_mask.nii.gz", "labels/X.json"],
    ],
)
def test_label_texts_are_found(places: list[str]) -> None:
    found = paired(*places)
    assert [mask.labels_file for mask in found.masks] == [2]
    assert found.unused == ()


def test_what_belongs_to_nothing_is_told() -> None:
    found = paired("X.nii.gz", "notes.json", "table.csv", "boxes.csv", "a/BOXES.csv")
    assert found.unused == (1, 2)
    assert found.boxes == (3, 4)


def test_boxes_may_call_an_image_by_several_names() -> None:
    (image,) = paired("data/s/X_image.nii.gz", below="data/").images
    assert image.names == ("s/X_image.nii.gz", "X_image.nii.gz", "X_image", "X")


def test_readers_are_read_from_names() -> None:
    places = [
        "d/007/0/image.nii.gz", "d/007/0/anna_tumour.nii.gz", "d/007/0/ben_tumour.nii.gz",
        "d/8/1/image.nii.gz", "d/8/1/anna_tumour.nii.gz",
    ]  # fmt: skip
    found = paired(*places, pattern="{subject}/{timepoint}/{reader}_*.nii.gz", below="d/")
    assert [(m.number, m.image, m.reader) for m in found.masks] == [
        (1, 0, "anna"), (2, 0, "ben"), (4, 3, "anna"),
    ]  # fmt: skip
    assert [(i.subject, i.timepoint) for i in found.images] == [("007", "0"), ("8", "1")]


def test_a_modality_is_no_reader() -> None:
    places = [
        f"Dataset 1/M01M02/M02_8d/{who}_M02_8d.nii.gz" for who in ("CT", "Annotator_A", "STAPLE")
    ]
    pattern = "**/{subject}_{timepoint}/{reader}_{subject}_{timepoint}.nii.gz"
    found = paired(*places, pattern=pattern)
    assert [(m.reader, m.image) for m in found.masks] == [("Annotator_A", 0), ("STAPLE", 0)]
    assert [(i.subject, i.timepoint) for i in found.images] == [("M02", "8d")]


def test_readers_with_folders_of_their_own() -> None:
    places = ["images/1.nii.gz", "images/2.nii.gz", "anna/1.nii.gz", "ben/1.nii.gz", "ben/3.nii.gz"]
    found = paired(*places, pattern="{reader}/*.nii.gz")
    assert names_of(found, places)["anna/1.nii.gz"] == "images/1.nii.gz"
    assert names_of(found, places)["ben/3.nii.gz"] == "orphan_reference"
    assert {m.reader for m in found.masks} == {"anna", "ben"}


def test_labels_from_names_and_two_images_of_one_visit() -> None:
    places = [
        "7/0/a_image.nii.gz", "7/0/b_image.nii.gz", "7/0/a_seg-anna-liver.nii.gz",
        "7/0/x_seg-anna-liver.nii.gz",
    ]  # fmt: skip
    found = paired(*places, pattern="{subject}/{timepoint}/*seg-{reader}-{label}.nii.gz")
    assert names_of(found, places)[places[3]] == "ambiguous_reference"
    assert [(m.reader, m.label) for m in found.masks] in ([], [("anna", "liver")])


def test_a_pattern_without_reader_tells_subject_and_time_point() -> None:
    found = paired(
        "s1/0/ct.nii.gz", "s1/0/ct_mask.nii.gz", pattern="{subject}/{timepoint}/*.nii.gz"
    )
    assert [(i.subject, i.timepoint) for i in found.images] == [("s1", "0")]
    assert [(m.image, m.reader) for m in found.masks] == [(0, None)]


@pytest.mark.parametrize("level", ["", "images/"])
@pytest.mark.parametrize("image", ["007_1.2.3", "1.2.3"])
@pytest.mark.parametrize("mask", ["007_1.2.3", "1.2.3"])
def test_the_recist_layout_with_and_without_prefix_and_level(
    level: str, image: str, mask: str
) -> None:
    folder = f"set/{level}thorax/test"
    places = [
        f"{folder}/images/{image}.nii.gz", f"{folder}/masks/{mask}.nii.gz",
        f"{folder}/labels/{mask}.json", f"set/{level}thorax/train/images/{image}.nii.gz",
        "set/metadata/patients.csv", "set/metadata/series.json",
        "set/metadata/windows_mapping.json", "set/recist_measurements.csv",
    ]  # fmt: skip
    found = paired(*places)
    (entry,) = found.masks
    assert (entry.image, entry.labels_file) == (0, 2)
    test, train = found.images
    assert (test.region, test.subset, test.uuid) == ("thorax", "test", "1.2.3")
    assert (train.region, train.subset) == ("thorax", "train")
    assert test.subject == ("007" if image.startswith("007") else None)
    (tables,) = found.recist
    assert (tables.root, tables.patients, tables.series) == ("set/", 4, 5)
    assert (tables.windows, tables.measurements) == (6, 7)
    assert found.unused == ()


def test_other_regions_count_only_beside_the_tables() -> None:
    places = ["set/pelvis/train/images/007_1.2.nii.gz", "set/pelvis/train/masks/007_1.2.nii.gz"]
    assert paired(*places).images[0].region is None
    assert paired(*places, "set/metadata/series.json").images[0].region == "pelvis"
    assert len(paired(*places).masks) == 1


@given(st.permutations(range(5)))
def test_the_order_of_files_does_not_matter(order: list[int]) -> None:
    places = ["X.nii.gz", "X_mask.nii.gz", "images/7.nii.gz", "masks/7.nii.gz", "boxes.csv"]
    files = [
        NamedFile(number, place, place, "table" if place.endswith("csv") else "image")
        for number, place in enumerate(places)
    ]
    assert pair([files[number] for number in order]) == pair(files)


def test_nothing_pairs_to_nothing() -> None:
    assert pair([]) == Pairing((), (), (), (), (), ())
