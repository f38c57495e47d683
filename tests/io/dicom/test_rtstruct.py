import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lesionary.core.errors import LesionaryError, UnreadableSeriesError
from lesionary.core.findings import Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.references import image_of
from lesionary.ingest.series import SeriesIdentity, SeriesSummary
from lesionary.io.dicom.rtstruct import read_rtstruct
from lesionary.io.limits import Limits
from lesionary.io.nifti import read_nifti
from lesionary.prepare.contours import draw
from structure_objects import (
    FRAME_UID,
    SERIES_UID,
    SOP_UIDS,
    contour,
    dataset,
    rtstruct,
    save_rtstruct,
    save_seg,
    seg,
)

TRIANGLE = np.array([(1.5, -2.25, 30.0), (10.0, 4.0, 30.0), (3.125, 9.5, 30.0)])
STS = [f"STS_{n}/{kind}" for n in ("002", "003") for kind in ("CT", "PET", "MR_T1")]


def refusal(path, **how):
    with pytest.raises(UnreadableSeriesError) as caught:
        read_rtstruct(path, **how)
    assert str(path) not in str(caught.value)
    assert caught.value.source == str(path)
    return caught.value


@pytest.fixture
def saved(tmp_path):
    """Return a function that writes a structure set of one structure."""

    def save(*contours, **how):
        syntax = how.pop("syntax", ExplicitVRLittleEndian)
        return save_rtstruct(tmp_path / "rs.dcm", rtstruct({1: contours}, **how), syntax)

    return save


@pytest.mark.real_data
@pytest.mark.parametrize("case", STS)
def test_shared_structures_give_the_masks_beside_them_voxel_for_voxel(shared_data, case):
    folder = shared_data / "sts_dicom" / case
    structures = read_rtstruct(folder / "dicom" / "mask" / "RS.dcm")
    expected = read_nifti(folder / "nifti" / "mask" / "mask.nii.gz", limits=Limits())
    (roi,) = structures.rois
    drawing = draw(roi.outlines_mm, expected.geometry)
    assert roi.interpreted_type == "GTV"
    assert np.array_equal(drawing.mask.array, expected.array != 0)
    assert drawing.findings == ()


def summary_of(folder, shared_data):
    """Describe a shared image: UIDs from its slices, the grid from the mask beside it."""
    slices = [dcmread(file, stop_before_pixels=True) for file in folder.glob("dicom/image/*")]
    identity = SeriesIdentity(
        series_instance_uid=slices[0].SeriesInstanceUID,
        frame_of_reference_uid=slices[0].FrameOfReferenceUID,
        sop_instance_uids=tuple(image.SOPInstanceUID for image in slices),
        folder=(folder / "dicom" / "image").relative_to(shared_data).as_posix(),
    )
    mask = read_nifti(folder / "nifti" / "mask" / "mask.nii.gz", limits=Limits())
    return SeriesSummary(identity, mask.geometry, slices[0].Modality)


@pytest.mark.real_data
def test_shared_structures_belong_to_the_image_beside_them(shared_data):
    folders = [shared_data / "sts_dicom" / case for case in STS]
    images = [summary_of(folder, shared_data) for folder in folders]
    for expected, folder in enumerate(folders):
        structures = read_rtstruct(folder / "dicom" / "mask" / "RS.dcm")
        for image in images:
            uids = structures.references.sop_instance_uids
            assert uids.isdisjoint(image.identity.sop_instance_uids)
        beside = (folder / "dicom" / "mask").relative_to(shared_data).as_posix()
        assert image_of(structures, images, folder=beside) == expected


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_points_and_names_come_as_written(saved, syntax):
    path = saved(contour(TRIANGLE), names={1: "Tumor"}, types={1: "gtv"}, syntax=syntax)
    (roi,) = read_rtstruct(path).rois
    assert (roi.number, roi.name, roi.interpreted_type) == (1, "Tumor", "GTV")
    assert np.array_equal(roi.outlines_mm[0], TRIANGLE)
    assert not roi.outlines_mm[0].flags.writeable


def test_a_file_without_a_preamble_is_read(saved):
    path = saved(contour(TRIANGLE))
    path.write_bytes(path.read_bytes()[132:])
    assert len(read_rtstruct(path).rois) == 1


def test_references_come_from_contours_first(saved):
    image = dataset(ReferencedSOPInstanceUID=SOP_UIDS[0], ReferencedFrameNumber=[2, 7])
    other = dataset(ReferencedSOPInstanceUID=SOP_UIDS[1])
    path = saved(contour(TRIANGLE, ContourImageSequence=[image]), contour(TRIANGLE), images=[other])
    structures = read_rtstruct(path)
    (roi,) = structures.rois
    assert roi.references.sop_instance_uids == {SOP_UIDS[0]}
    assert roi.references.last_frames == {SOP_UIDS[0]: 7}
    assert structures.references.sop_instance_uids == set(SOP_UIDS[:2])
    for references in (roi.references, structures.references):
        assert references.series_instance_uids == {SERIES_UID}
        assert references.frame_of_reference_uids == {FRAME_UID}


def test_a_structure_whose_contours_name_no_image_takes_the_sets(saved):
    path = saved(
        contour(TRIANGLE), images=[dataset(ReferencedSOPInstanceUID=uid) for uid in SOP_UIDS]
    )
    (roi,) = read_rtstruct(path).rois
    assert roi.references.sop_instance_uids == set(SOP_UIDS)


def test_a_structure_that_was_never_drawn_is_kept_empty(saved):
    (roi,) = read_rtstruct(saved()).rois
    assert roi.outlines_mm == ()


def test_values_that_break_their_vr_are_neither_warned_of_nor_logged(saved, caplog):
    image = dataset(ReferencedSOPInstanceUID="Doe^John")
    path = saved(contour(TRIANGLE, ContourImageSequence=[image]), names={1: "Doe^John" * 20})
    assert read_rtstruct(path).rois[0].name == "Doe^John" * 20
    assert caplog.text == ""


@pytest.mark.parametrize("kind", ["CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"])
def test_contours_for_exclusive_or_are_read(saved, kind):
    (roi,) = read_rtstruct(saved(contour(TRIANGLE, kind))).rois
    assert len(roi.outlines_mm) == 1


def test_contours_that_enclose_nothing_are_passed_over_with_a_finding(saved):
    structures = read_rtstruct(
        saved(
            contour(TRIANGLE),
            contour(TRIANGLE, "OPEN_PLANAR"),
            contour(TRIANGLE[:1], "POINT"),
            contour(TRIANGLE[:2]),
        )
    )
    assert len(structures.rois[0].outlines_mm) == 1
    (finding,) = structures.findings
    assert (finding.code, finding.outcome) == ("open_contour", Outcome.WARNED)
    assert "1 × OPEN_PLANAR, 1 × POINT, 1 × fewer than three points" in finding.reason


@pytest.mark.parametrize(
    ("broken", "code", "words"),
    [
        (contour(TRIANGLE, NumberOfContourPoints=4), "size_claim", "claims 4 points and has 3"),
        (contour(TRIANGLE, NumberOfContourPoints=2**31 - 1), "size_claim", "claims 2147483647"),
        (contour(TRIANGLE, ContourData=["1"] * 8), "truncated", "8 coordinates"),
        (contour(TRIANGLE, ContourData=None), "truncated", "has no points"),
        (contour(TRIANGLE, "SPIRAL"), "not_dicom", "no known type"),
        (contour(TRIANGLE * 1e6), "wrong_vr", "no place in a patient"),
    ],
)
def test_a_bad_contour_refuses_the_file(saved, broken, code, words):
    error = refusal(saved(contour(TRIANGLE), broken))
    assert error.code == code
    assert "contour 2 of structure 1" in str(error)
    assert words in str(error)


@pytest.mark.parametrize(
    ("word", "code"),
    [(b"nan ", "wrong_vr"), (b"inf ", "wrong_vr"), (b"1_0 ", "wrong_vr"), (b"x.y ", "wrong_vr")],
)
def test_a_coordinate_that_is_no_number_refuses_the_file(saved, word, code):
    path = saved(contour(TRIANGLE, ContourData=["8888", *map(str, range(8))]))
    path.write_bytes(path.read_bytes().replace(b"8888", word))
    assert refusal(path).code == code


def test_an_empty_coordinate_refuses_the_file(saved):
    path = saved(contour(TRIANGLE, ContourData=["8", *map(str, range(8))]))
    path.write_bytes(path.read_bytes().replace(b"8\\0\\", b"8\\\\0"))
    assert refusal(path).code == "wrong_vr"


def test_contradictions_refuse_the_file(tmp_path):
    doubled = rtstruct({1: [contour(TRIANGLE)], 2: []})
    doubled.StructureSetROISequence[1].ROINumber = 1
    undeclared = rtstruct({1: [contour(TRIANGLE)]})
    undeclared.ROIContourSequence[0].ReferencedROINumber = 9
    drawn_twice = rtstruct({1: [contour(TRIANGLE)], 2: []})
    drawn_twice.ROIContourSequence[1].ReferencedROINumber = 1
    for built in (doubled, undeclared, drawn_twice):
        assert refusal(save_rtstruct(tmp_path / "rs.dcm", built)).code == "not_dicom"


def test_declared_structures_without_the_list_of_contours_are_refused(tmp_path):
    built = rtstruct({1: [contour(TRIANGLE)]})
    del built.ROIContourSequence
    assert refusal(save_rtstruct(tmp_path / "rs.dcm", built)).code == "truncated"


def test_frame_zero_is_referenced_by_no_sound_file(saved):
    image = dataset(ReferencedSOPInstanceUID=SOP_UIDS[0], ReferencedFrameNumber=0)
    path = saved(contour(TRIANGLE, ContourImageSequence=[image]))
    assert refusal(path).code == "not_dicom"


def test_other_objects_are_refused(tmp_path):
    grid = Geometry((1, 2, 2), np.eye(4))
    path = save_seg(tmp_path / "seg.dcm", seg(np.ones((1, 2, 2)), [1], grid, [0]))
    error = refusal(path)
    assert (error.code, error.message) == ("not_dicom", "this is no RT structure set")


@pytest.mark.parametrize(("data", "code"), [(b"", "empty_file"), (b"noise" * 99, "not_dicom")])
def test_what_is_not_dicom_is_refused(tmp_path, data, code):
    path = tmp_path / "x.dcm"
    path.write_bytes(data)
    assert refusal(path).code == code


def test_a_file_above_the_limit_is_refused(saved):
    path = saved(contour(TRIANGLE))
    assert refusal(path, limits=Limits(volume_bytes=100)).code == "size_claim"


def test_sequences_nested_too_deep_are_refused(tmp_path):
    built = rtstruct({1: [contour(TRIANGLE)]})
    for _ in range(70):
        built = dataset(StructureSetROISequence=[built])
    assert refusal(save_rtstruct(tmp_path / "rs.dcm", built)).code == "too_deep"


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_file_cut_short_is_never_read_in_part(tmp_path, data):
    images = [dataset(ReferencedSOPInstanceUID=uid) for uid in SOP_UIDS]
    built = rtstruct({1: [contour(TRIANGLE)] * 3, 2: [contour(TRIANGLE)]}, images=images)
    path = save_rtstruct(tmp_path / "rs.dcm", built)
    whole = path.read_bytes()
    n_kept = data.draw(st.integers(1, len(whole) - 1))
    path.write_bytes(whole[:n_kept])
    try:
        rois = read_rtstruct(path).rois
    except UnreadableSeriesError:
        return
    assert [len(roi.outlines_mm) for roi in rois] in ([3, 1], [])


@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_broken_byte_is_read_or_refused_and_nothing_else(tmp_path, data):
    path = save_rtstruct(tmp_path / "rs.dcm", rtstruct({1: [contour(TRIANGLE)]}, types={1: "GTV"}))
    octets = bytearray(path.read_bytes())
    at = data.draw(st.integers(128, len(octets) - 1))
    octets[at] = data.draw(st.integers(0, 255))
    path.write_bytes(octets)
    with contextlib.suppress(LesionaryError):
        read_rtstruct(path)


def test_a_contour_of_many_points_is_read_in_pieces(saved):
    n_points = 100_000
    angles = np.linspace(0, 6.28, n_points)
    points = np.column_stack([np.sin(angles), np.cos(angles), np.zeros(n_points)]).round(4)
    text = "\\".join(map(str, points.ravel().tolist())).encode()
    data = RawDataElement(Tag("ContourData"), "DS", len(text), text, 0, True, True)
    long = contour(TRIANGLE, NumberOfContourPoints=n_points)
    long[Tag("ContourData")] = data
    (roi,) = read_rtstruct(saved(long, syntax=ImplicitVRLittleEndian)).rois
    assert np.array_equal(roi.outlines_mm[0], points)
