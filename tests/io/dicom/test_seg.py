import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from lesionary.core.errors import GeometryMismatchError, LesionaryError, UnreadableSeriesError
from lesionary.core.findings import Outcome
from lesionary.core.volume import Geometry
from lesionary.ingest.segmentation import SegKind
from lesionary.ingest.structures import Code
from lesionary.io.dicom.seg import read_seg
from lesionary.io.limits import Limits
from lesionary.io.nrrd import read_nrrd
from strategies import axis_orders, geometries
from structure_objects import (
    BACKGROUND,
    FRAME_UID,
    SERIES_UID,
    SOP_UIDS,
    code,
    contour,
    dataset,
    rtstruct,
    save_rtstruct,
    save_seg,
    seg,
    segment,
)

GRID = Geometry(
    (4, 5, 7), np.array([(0, 0, 0.8, -20), (0, 0.7, 0, 15), (3, 0, 0, -300), (0, 0, 0, 1.0)])
)
RNG = np.random.default_rng(7)
FRAMES = RNG.random((3, 5, 7)) < 0.4
TMP_IS_SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def refusal(path, **how):
    with pytest.raises(UnreadableSeriesError) as caught:
        read_seg(path, **how)
    assert str(path) not in str(caught.value)
    assert caught.value.source == str(path)
    return caught.value


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a segmentation."""

    def write(built, syntax=ExplicitVRLittleEndian):
        return save_seg(tmp_path / "seg.dcm", built, syntax)

    return write


def binary(**elements):
    """Three frames of two segments on slices 2, 0 and 2 of the grid."""
    return seg(FRAMES, [1, 1, 2], GRID, [2, 0, 2], **elements)


# ---- what other tools wrote ----


def nrrd(shared_data, name):
    return read_nrrd(shared_data / "dcmqi" / "segmentations" / name, limits=Limits())


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "masks"),
    [
        ("liver.dcm", [("liver_seg.nrrd", {1})]),
        ("24x38x3/seg/label.seg", [("24x38x3/nrrd/label.nrrd", {1})]),
        ("23x38x3/seg/label.seg", [("23x38x3/nrrd/label.nrrd", {1})]),
        (
            "partial_overlaps.dcm",
            [
                ("partial_overlaps-1.nrrd", {1, 4, 5}),
                ("partial_overlaps-2.nrrd", {2}),
                ("partial_overlaps-3.nrrd", {3}),
            ],
        ),
        ("sparse-labelmap-noppv.dcm", [("sparse_labelmap_noppv_seg.nrrd", {1})]),
        ("sparse-labelmap-ppv5.dcm", [("sparse_labelmap_ppv5_seg.nrrd", {1})]),
    ],
)
def test_segments_equal_what_dcmqi_makes_of_them(shared_data, name, masks):
    found = read_seg(shared_data / "dcmqi" / "segmentations" / name)
    assert {s.number for s in found.segments} == set().union(*(numbers for _, numbers in masks))
    for file, numbers in masks:
        expected = nrrd(shared_data, file)
        for number, mask in found.masks_on(expected.geometry).items():
            if number in numbers:
                assert np.array_equal(mask.array, expected.array == number)
                assert mask.n_voxels > 0


@pytest.mark.real_data
def test_every_shared_segmentation_equals_highdicoms_reading(shared_data):
    highdicom = pytest.importorskip("highdicom")
    paths = [
        *(shared_data / "small_dicom").glob("seg*.dcm"),
        *(shared_data / "dcmqi" / "segmentations").glob("*.dcm"),
        shared_data / "dcmqi" / "sr-example" / "seg.dcm",
    ]
    for path in paths:
        found = read_seg(path)
        oracle = highdicom.seg.segread(path)
        for number in found.frames_of:
            volume = oracle.get_volume(
                segment_numbers=[number], rescale_fractional=False, allow_missing_positions=True
            )
            grid = Geometry(volume.spatial_shape, volume.affine)
            half = oracle.get("MaximumFractionalValue", 1) / 2
            mask = found.mask_on(own_with(found, grid), number)
            assert np.array_equal(
                *on_common_grid(mask, volume.array[..., 0] >= max(half, 0.5), grid)
            )


def own_with(found, grid):
    """Return the segmentation's own grid, which holds all of the oracle's."""
    own = found.own_geometry(max_voxels=1 << 24)
    assert own.n_voxels >= grid.n_voxels
    return own


def on_common_grid(mask, array, grid):
    """Cut the mask to the oracle's grid, which may run the other way."""
    indices = np.stack(np.indices(grid.shape), axis=-1)
    places = np.rint(mask.geometry.to_index(grid.to_world(indices))).astype(int)
    return mask.array[tuple(np.moveaxis(places, -1, 0))], array


# ---- frames are placed by where they lie ----


@settings(deadline=None, max_examples=60, suppress_health_check=TMP_IS_SHARED)
@given(st.data())
def test_frames_in_any_order_along_any_axis_land_where_they_were_drawn(tmp_path, data):
    image = data.draw(geometries())
    order = data.draw(axis_orders())
    stack = image.reordered(order)
    slices = data.draw(st.permutations(range(stack.shape[0])))
    slices = slices[: data.draw(st.integers(1, len(slices)))]
    seed = data.draw(st.integers(0, 1000))
    frames = np.random.default_rng(seed).random((len(slices), *stack.shape[1:])) < 0.5
    path = save_seg(tmp_path / "seg.dcm", seg(frames, [1] * len(slices), stack, slices))
    mask = read_seg(path).mask_on(image, 1)
    expected = np.zeros(stack.shape, dtype=bool)
    expected[slices] = frames
    assert np.array_equal(order.apply(mask.array), expected)


def test_segments_may_overlap_and_stay_apart(save):
    masks = read_seg(save(binary())).masks_on(GRID)
    assert list(masks) == [1, 2]
    assert np.array_equal(masks[1].array[[0, 2]], FRAMES[[1, 0]])
    assert np.array_equal(masks[2].array[2], FRAMES[2])
    assert not masks[1].array[[1, 3]].any()
    assert read_seg(save(binary())).label_map_on(GRID) is None


def test_segments_that_do_not_overlap_make_a_label_map(save):
    built = seg(np.stack([FRAMES[0], ~FRAMES[0]]), [1, 300], GRID, [1, 1])
    label_map = read_seg(save(built)).label_map_on(GRID)
    assert np.array_equal(label_map.array[1], np.where(FRAMES[0], 1, 300))


def test_a_declared_segment_without_frames_is_empty(save):
    found = read_seg(save(binary(SegmentSequence=[segment(n) for n in (1, 2, 3)])))
    assert found.masks_on(GRID)[3].n_voxels == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3), (8, 16), (7, 31)])
def test_frames_of_bits_that_begin_inside_a_byte_are_unpacked(save, shape):
    grid = Geometry((6, *shape), np.diag([2.0, 1.0, 1.0, 1.0]))
    frames = np.random.default_rng(1).random((6, *shape)) < 0.2
    found = read_seg(save(seg(frames, [1] * 6, grid, range(6))))
    assert np.array_equal(found.mask_on(grid, 1).array, frames)


@pytest.mark.parametrize(
    ("shift_mm", "words"),
    [
        ((0, 0, 1.5), "mm from the nearest"),
        ((0, 0, 9.0), "beyond the image's slices"),
        ((0.4, 0, 0), "0.400 mm beside"),
        ((0, 0.02, 0), "0.020 mm beside"),
    ],
)
def test_frames_that_lie_beside_the_images_pixels_are_refused(save, shift_mm, words):
    affine = GRID.affine.copy()
    affine[:3, 3] -= shift_mm
    found = read_seg(save(binary()))
    image = Geometry(GRID.shape, affine)
    assert not found.lies_on(image)
    with pytest.raises(GeometryMismatchError, match=words):
        found.masks_on(image)


def test_frames_of_other_spacing_size_or_direction_are_refused(save):
    found = read_seg(save(binary()))
    scaled = GRID.affine @ np.diag([1, 1.01, 1, 1])
    turned = GRID.affine.copy()
    angle = np.deg2rad(0.5)
    turn = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    turned[:3, :3] = turn @ turned[:3, :3]
    for image in (
        Geometry(GRID.shape, scaled),
        Geometry(GRID.shape, turned),
        Geometry((4, 5, 8), GRID.affine),
        Geometry(GRID.shape, GRID.affine, "1.2.3.99"),
    ):
        with pytest.raises(GeometryMismatchError):
            found.masks_on(image)
    assert found.lies_on(Geometry(GRID.shape, GRID.affine, FRAME_UID))


def test_slices_as_uneven_as_the_gate_allows_are_met(save):
    affine = GRID.affine.copy()
    affine[2, 3] += 0.02
    assert read_seg(save(binary())).lies_on(Geometry(GRID.shape, affine))


def test_its_own_grid_spans_slices_without_frames(save):
    grid = read_seg(save(binary())).own_geometry(max_voxels=10_000)
    assert grid.is_same_grid(GRID.cropped((slice(0, 3), slice(0, 5), slice(0, 7))))


def test_its_own_grid_takes_the_smallest_gap_where_no_distance_is_stated(save):
    built = seg(FRAMES, [1] * 3, GRID, [3, 0, 1])
    del built.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices
    assert read_seg(save(built)).own_geometry(max_voxels=10_000).shape == (4, 5, 7)


def test_its_own_grid_stays_within_the_limit(save):
    built = binary()
    built.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence = [
        dataset(ImagePositionPatient=["0", "0", "900000"])
    ]
    with pytest.raises(LesionaryError) as caught:
        read_seg(save(built)).own_geometry(max_voxels=1_000_000)
    assert caught.value.code == "size_claim"


# ---- fractions and label maps ----


def test_half_of_the_maximum_and_more_is_inside(save):
    values = np.array([[[0, 1, 126], [127, 128, 254]]], dtype=np.uint8)
    grid = Geometry((1, 2, 3), np.eye(4))
    built = seg(values, [1], grid, [0], kind="FRACTIONAL", MaximumFractionalValue=254)
    found = read_seg(save(built))
    assert found.kind is SegKind.FRACTIONAL
    assert np.array_equal(found.mask_on(grid, 1).array[0], values[0] >= 127)
    (finding,) = found.findings
    assert (finding.code, finding.outcome) == ("mask_not_integer", Outcome.WARNED)
    assert "4 voxels lay between 0 and 254" in finding.reason


def test_an_odd_maximum_is_halved_exactly(save):
    values = np.array([[[127, 128]]], dtype=np.uint8)
    grid = Geometry((1, 1, 2), np.eye(4))
    found = read_seg(save(seg(values, [1], grid, [0], kind="FRACTIONAL")))
    assert found.mask_on(grid, 1).array.tolist() == [[[False, True]]]


def test_fractions_without_any_between_are_called_fixed(save):
    values = FRAMES.astype(np.uint8) * 255
    found = read_seg(save(seg(values, [1] * 3, GRID, [0, 1, 2], kind="FRACTIONAL")))
    assert np.array_equal(found.mask_on(GRID, 1).array[:3], FRAMES)
    assert found.findings[0].outcome is Outcome.FIXED


@pytest.mark.parametrize("maximum", [0, None, 100, 300])
def test_a_maximum_that_cannot_be_is_refused(save, maximum):
    values = FRAMES.astype(np.uint8) * 255
    elements = {"kind": "FRACTIONAL", "MaximumFractionalValue": maximum}
    assert refusal(save(seg(values, [1] * 3, GRID, [0, 1, 2], **elements))).code == "not_dicom"


SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


PLUGINS = {RLELossless: "pydicom", JPEGLSLossless: "pyjpegls", JPEG2000Lossless: "pylibjpeg"}


def label_map(values, grid=GRID, **elements):
    return seg(values, None, grid, [2, 0, 1], kind="LABELMAP", **elements)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_label_maps_are_read_in_every_lossless_syntax(tmp_path, syntax, dtype):
    labels = [0, 1, 2, 250] if dtype is np.uint8 else [0, 1, 2, 40_000]
    grid = Geometry((4, 33, 41), GRID.affine)  # encoders fail on a handful of pixels
    values = RNG.choice(np.array(labels, dtype=dtype), size=(3, 33, 41))
    path = save_compressed(tmp_path, label_map(values, grid), syntax)
    found = read_seg(path)
    assert found.kind is SegKind.LABELMAP
    assert [s.number for s in found.segments] == labels[1:]
    expected = np.zeros(grid.shape)
    expected[[2, 0, 1]] = values
    assert np.array_equal(found.label_map_on(grid).array, expected)
    for number, mask in found.masks_on(grid).items():
        assert np.array_equal(mask.array, expected == number)


def save_compressed(tmp_path, built, syntax):
    path = tmp_path / "seg.dcm"
    if syntax == ExplicitVRBigEndian and built.BitsAllocated == 16:
        built.PixelData = np.frombuffer(built.PixelData, "<u2").astype(">u2").tobytes()
    if not syntax.is_compressed or syntax == DeflatedExplicitVRLittleEndian:
        return save_seg(path, built, syntax)
    save_seg(path, built)
    built.compress(syntax, encoding_plugin=PLUGINS[syntax], generate_instance_uid=False)
    built.save_as(path)
    return path


def test_words_of_a_big_endian_file_are_turned(tmp_path):
    octets = np.packbits(FRAMES.ravel(), bitorder="little")
    built = binary(PixelData=octets.view(np.uint16).byteswap().tobytes())
    path = save_seg(tmp_path / "seg.dcm", built)
    built["PixelData"].VR = "OW"
    built.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    built.save_as(path, little_endian=False, implicit_vr=False)
    assert np.array_equal(read_seg(path).masks_on(GRID)[2].array[2], FRAMES[2])


def test_a_palette_does_not_change_what_a_label_says(save):
    values = FRAMES.astype(np.uint8)
    lut = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [2, 0, 8]), ("Data", b"\x00\xff"))
    }
    found = read_seg(save(label_map(values, PhotometricInterpretation="PALETTE COLOR", **lut)))
    assert found.masks_on(GRID)[1].n_voxels == FRAMES.sum()


def test_padding_and_declared_background_are_no_segments(save):
    values = np.zeros((3, 5, 7), dtype=np.uint8)
    values[0], values[1] = 5, 3
    nothing = segment(0, SegmentedPropertyTypeCodeSequence=code(*BACKGROUND))
    built = label_map(values, SegmentSequence=[nothing, segment(3)], PixelPaddingValue=5)
    found = read_seg(save(built))
    assert {n: m.n_voxels for n, m in found.masks_on(GRID).items()} == {3: 35}


def test_a_zero_that_is_declared_as_tissue_is_a_segment(save):
    values = np.ones((3, 5, 7), dtype=np.uint8)
    values[0] = 0
    found = read_seg(save(label_map(values, SegmentSequence=[segment(0)], PixelPaddingValue=1)))
    assert {n: m.n_voxels for n, m in found.masks_on(GRID).items()} == {0: 35}
    assert found.label_map_on(GRID) is None


def test_a_label_that_is_not_declared_is_refused(save):
    values = np.full((3, 5, 7), 2, dtype=np.uint8)
    error = refusal(save(label_map(values, SegmentSequence=[segment(1)])))
    assert error.code == "not_dicom"
    assert "segment 2, which is not declared" in str(error)


# ---- what the segments say ----


def test_descriptions_are_read(save):
    described = segment(
        1,
        "m, liver",
        AnatomicRegionSequence=code("10200004", "SCT", "Liver"),
        SegmentAlgorithmType="AUTOMATIC",
        SegmentAlgorithmName="net",
        TrackingID="A",
        TrackingUID="1.2.3",
    )
    (found,) = read_seg(save(seg(FRAMES[:1], [1], GRID, [0], segments=[described]))).segments
    assert (found.label, found.algorithm_type, found.algorithm_name) == (
        "m, liver",
        "AUTOMATIC",
        "net",
    )
    assert (found.tracking_id, found.tracking_uid) == ("A", "1.2.3")
    assert found.category == Code("49755003", "SCT")
    assert found.type.meaning == "Neoplasm"
    assert found.anatomy == (Code("10200004", "SCT"),)
    assert "liver" not in repr(found)


def test_long_codes_are_read(save):
    described = segment(1)
    described.SegmentedPropertyTypeCodeSequence = [
        dataset(LongCodeValue="1234567890123456789", CodingSchemeDesignator="SCT")
    ]
    (found,) = read_seg(save(seg(FRAMES[:1], [1], GRID, [0], segments=[described]))).segments
    assert found.type == Code("1234567890123456789", "SCT")


def test_references_name_images_series_and_frame(save):
    references = read_seg(save(binary())).references
    assert references.sop_instance_uids == set(SOP_UIDS[:3])
    assert references.series_instance_uids == {SERIES_UID}
    assert references.frame_of_reference_uids == {FRAME_UID}


def test_without_a_list_of_images_each_frames_source_counts(save):
    built = binary(ReferencedSeriesSequence=[])
    for n, group in enumerate(built.PerFrameFunctionalGroupsSequence, start=1):
        source = dataset(ReferencedSOPInstanceUID=SOP_UIDS[0], ReferencedFrameNumber=n)
        group.DerivationImageSequence = [dataset(SourceImageSequence=[source])]
    references = read_seg(save(built)).references
    assert references.sop_instance_uids == {SOP_UIDS[0]}
    assert references.last_frames == {SOP_UIDS[0]: 3}


# ---- files that contradict themselves ----


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"NumberOfFrames": 2**31 - 1}, "size_claim"),
        ({"NumberOfFrames": 4}, "size_claim"),
        ({"NumberOfFrames": 2}, "size_claim"),
        ({"NumberOfFrames": -1}, "no_pixels"),
        ({"Rows": 65535, "Columns": 65535}, "size_claim"),
        ({"Rows": 0}, "no_pixels"),
        ({"PixelData": b"\0" * 12}, "size_claim"),
        ({"PixelData": b"\0" * 18}, "size_claim"),
        ({"PixelData": b""}, "no_pixels"),
        ({"BitsAllocated": 8}, "not_dicom"),
        ({"SamplesPerPixel": 3}, "not_dicom"),
        ({"SegmentationType": "FUZZY"}, "not_dicom"),
        ({"SegmentSequence": [segment(1)]}, "not_dicom"),
        ({"SegmentSequence": [segment(1), segment(2), segment(2)]}, "not_dicom"),
        ({"DimensionOrganizationType": "TILED_FULL"}, "grid_mismatch"),
        ({"TotalPixelMatrixRows": 5}, "grid_mismatch"),
    ],
)
def test_a_header_that_contradicts_the_file_refuses_it(save, elements, code):
    assert refusal(save(binary(**elements))).code == code


def test_claims_are_compared_before_memory_is_asked_for(save):
    values = np.zeros((3, 5, 7), dtype=np.uint16)
    built = label_map(values, SegmentSequence=[segment(1)], Rows=60_000, Columns=60_000)
    assert refusal(save(built)).code == "size_claim"
    assert "more than the limit" in str(refusal(save(built)))


def group_without(keyword):
    built = binary()
    holder = built.PerFrameFunctionalGroupsSequence[1]
    if keyword not in holder:
        holder = built.SharedFunctionalGroupsSequence[0]
    del holder[keyword]
    return built


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        ("PlanePositionSequence", "no_orientation"),
        ("PlaneOrientationSequence", "no_orientation"),
        ("PixelMeasuresSequence", "no_orientation"),
        ("SegmentIdentificationSequence", "not_dicom"),
    ],
)
def test_a_frame_without_its_place_or_segment_is_refused(save, keyword, code):
    assert refusal(save(group_without(keyword))).code == code


@pytest.mark.parametrize(
    ("cosines", "code"),
    [
        (["1", "0", "0", "0.1", "1", "0"], "sheared"),
        (["2", "0", "0", "0", "1", "0"], "sheared"),
        (["1", "0", "0", "1", "0", "0"], "sheared"),
        (["0", "0", "0", "0", "0", "0"], "sheared"),
        (["1", "0", "0", "0", "1"], "no_orientation"),
    ],
)
def test_axes_that_are_not_perpendicular_are_refused(save, cosines, code):
    built = binary()
    shared = built.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence = [dataset(ImageOrientationPatient=cosines)]
    assert refusal(save(built)).code == code


def test_frames_of_several_orientations_are_refused(save):
    built = binary()
    del built.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    cosines = itertools.cycle([["1", "0", "0", "0", "1", "0"], ["0", "1", "0", "0", "0", "1"]])
    for group in built.PerFrameFunctionalGroupsSequence:
        group.PlaneOrientationSequence = [dataset(ImageOrientationPatient=next(cosines))]
    assert refusal(save(built)).code == "grid_mismatch"


def test_a_position_that_is_no_place_is_refused(save):
    built = binary()
    position = dataset(ImagePositionPatient=["0", "0", "1e30"])
    built.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence = [position]
    assert refusal(save(built)).code == "no_orientation"


def test_pixels_without_a_size_are_refused(save):
    built = binary()
    measures = built.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.PixelSpacing = ["0", "1"]
    assert refusal(save(built)).code == "no_orientation"


def test_equal_frames_on_one_plane_are_taken_once(save):
    frames = FRAMES[[0, 0, 1]]
    found = read_seg(save(seg(frames, [1, 1, 1], GRID, [2, 2, 0])))
    assert np.array_equal(found.mask_on(GRID, 1).array[[2, 0]], FRAMES[:2])
    assert [f.code for f in found.findings] == ["duplicate_identical"]
    assert found.findings[0].outcome is Outcome.FIXED


def test_different_frames_on_one_plane_are_refused(save):
    assert refusal(save(seg(FRAMES, [1, 1, 1], GRID, [2, 2, 0]))).code == "duplicate_slice"


def test_a_lossy_or_unknown_compression_is_refused(save):
    built = label_map(FRAMES.astype(np.uint8))
    built["PixelData"].is_undefined_length = True
    from pydicom.encaps import encapsulate

    built.PixelData = encapsulate([b"\xff\xd8" * 8] * 3)
    assert refusal(save(built, JPEGBaseline8Bit)).code == "unsupported_syntax"


def broken_stream(tmp_path, change):
    path = save_compressed(tmp_path, label_map(FRAMES.astype(np.uint8)), JPEGLSLossless)
    octets = path.read_bytes()
    path.write_bytes(change(octets))
    return path


def test_a_compressed_frame_that_claims_another_size_is_refused(tmp_path):
    def enlarge(octets):
        header = octets.index(b"\xff\xf7")
        return octets[: header + 5] + b"\xff\xff\xff\xff" + octets[header + 9 :]

    assert refusal(broken_stream(tmp_path, enlarge)).code == "size_claim"


def test_a_compressed_frame_that_is_noise_is_refused(tmp_path):
    error = refusal(broken_stream(tmp_path, lambda o: o.replace(b"\xff\xd8\xff\xf7", b"\0" * 4)))
    assert error.code == "truncated"


def test_a_stream_that_cannot_be_decoded_is_refused(tmp_path):
    error = refusal(broken_stream(tmp_path, lambda o: o.replace(b"\xff\xda", b"\xff\xdd")))
    assert error.code == "truncated"


def test_fewer_compressed_frames_than_claimed_are_refused(tmp_path):
    built = label_map(FRAMES.astype(np.uint8))
    path = save_compressed(tmp_path, built, RLELossless)
    built.NumberOfFrames = 4
    built.PerFrameFunctionalGroupsSequence.append(built.PerFrameFunctionalGroupsSequence[0])
    built.save_as(path)
    assert refusal(path).code in {"size_claim", "not_dicom"}


def test_other_objects_are_refused(tmp_path):
    points = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    path = save_rtstruct(tmp_path / "rs.dcm", rtstruct({1: [contour(points)]}))
    assert "no segmentation or label map segmentation" in str(refusal(path))


@settings(deadline=None, max_examples=60, suppress_health_check=TMP_IS_SHARED)
@given(st.data())
def test_a_file_cut_short_is_refused(tmp_path, data):
    path = save_seg(tmp_path / "seg.dcm", binary())
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UnreadableSeriesError):
        read_seg(path)


@settings(deadline=None, max_examples=100, suppress_health_check=TMP_IS_SHARED)
@given(st.data())
def test_a_broken_byte_is_read_or_refused_and_nothing_else(tmp_path, data):
    path = save_seg(tmp_path / "seg.dcm", binary())
    octets = bytearray(path.read_bytes())
    octets[data.draw(st.integers(128, len(octets) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(octets)
    try:
        read_seg(path).own_geometry(max_voxels=1 << 20)
    except LesionaryError:
        return
