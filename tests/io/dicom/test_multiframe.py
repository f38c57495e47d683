"""Enhanced multi-frame images: the same series as their frames one by one, and what is refused."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from dicom_factory import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    copied,
    ct_series,
    encode,
    mr_series,
    pet_series,
    set_pixels,
    source,
    stored_values,
    uid,
    write_series,
)
from enhanced_factory import LEGACY, enhanced, item, mapping
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Quantity
from lesionary.ingest.series import ImageSeries
from lesionary.io.dicom.headers import read_headers
from lesionary.io.dicom.series import group_images, load_series, scan_dicom
from lesionary.io.limits import Limits

SHUFFLED = random.Random(5)  # noqa: S311
OBLIQUE = (0.9541666, -0.2080757, 0.2151061, 0.2785886, 0.880128, -0.3843997)
MAKERS = [ct_series, mr_series, pet_series]
NATIVE = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
COMPRESSED = [JPEG2000Lossless, JPEGLSLossless, RLELossless]


def all_of(datasets, folder: Path, **options) -> list[ImageSeries | tuple[Finding, ...]]:
    """Write data sets and read back every series they make."""
    candidates = group_images(scan_dicom(write_series(datasets, folder)).images)
    return [load_series(candidate, **options) for candidate in candidates]


def series_of(datasets, folder: Path, **options) -> ImageSeries:
    (series,) = all_of(datasets, folder, **options)
    assert isinstance(series, ImageSeries), series
    return series


def refusals(datasets, folder: Path, **options) -> set[str]:
    (findings,) = all_of(datasets, folder, **options)
    assert isinstance(findings, tuple), findings
    return {f.code for f in findings if f.outcome is Outcome.LEFT_OUT}


def frames(ds):
    return ds.PerFrameFunctionalGroupsSequence


def put_frames(ds, groups) -> None:
    ds.PerFrameFunctionalGroupsSequence = Items(groups)
    ds.NumberOfFrames = len(groups)


def assert_same(one: ImageSeries, other: ImageSeries) -> None:
    assert np.array_equal(one.volume.array, other.volume.array)
    assert one.volume.array.dtype == other.volume.array.dtype
    assert np.array_equal(one.volume.geometry.affine, other.volume.geometry.affine)
    assert one.volume.quantity is other.volume.quantity
    assert one.volume.modality == other.volume.modality
    assert one.identity.frame_of_reference_uid == other.identity.frame_of_reference_uid
    if other.suv_factor is None:
        assert one.suv_factor is None
    else:
        assert one.suv_factor == pytest.approx(other.suv_factor, rel=1e-6)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("are_shared", [True, False])
def test_frames_are_read_as_the_slices_they_were(tmp_path, make, are_shared):
    slices = make()
    single = series_of(slices, tmp_path / "single")
    multi = series_of([enhanced(slices, are_shared=are_shared)], tmp_path / "multi")
    assert_same(multi, single)
    assert multi.findings == ()
    assert multi.technical["SliceThickness"] == single.technical["SliceThickness"]
    if are_shared:
        assert multi.technical["BodyPartExamined"] == "CHEST"


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("syntax", NATIVE)
def test_every_uncompressed_syntax_is_read(tmp_path, make, syntax):
    slices = make()
    single = series_of(slices, tmp_path / "single")
    assert_same(series_of([enhanced(slices, syntax=syntax)], tmp_path / "multi"), single)


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("table", ["basic", "extended", "none"])
def test_every_compressed_syntax_is_read_whatever_table_it_has(tmp_path, syntax, table):
    slices = ct_series(stored_values((5, 40, 32)))
    single = series_of(slices, tmp_path / "single")
    ds = enhanced(slices)
    ds.compress(syntax, generate_instance_uid=False, encapsulate_ext=table == "extended")
    if table == "none":
        from pydicom.encaps import encapsulate, generate_frames

        pieces = list(generate_frames(ds.PixelData, number_of_frames=5))
        ds.PixelData = encapsulate(pieces, has_bot=False)
    assert_same(series_of([ds], tmp_path / "multi"), single)


@pytest.mark.parametrize("table", ["basic", "none"])
def test_a_frame_in_several_fragments_is_joined(tmp_path, table):
    from pydicom.encaps import encapsulate, generate_frames

    slices = ct_series(stored_values((5, 40, 32)))
    ds = enhanced(slices)
    ds.compress(JPEGLSLossless, generate_instance_uid=False)
    pieces = list(generate_frames(ds.PixelData, number_of_frames=5))
    ds.PixelData = encapsulate(pieces, fragments_per_frame=3, has_bot=table == "basic")
    single = series_of(slices, tmp_path / "single")
    assert_same(series_of([ds], tmp_path / "multi"), single)


def test_fragments_that_nothing_tells_apart_are_left_out(tmp_path):
    from pydicom.encaps import encapsulate, generate_frames

    ds = enhanced(ct_series(stored_values((5, 40, 32))))
    ds.compress(RLELossless, generate_instance_uid=False)
    pieces = list(generate_frames(ds.PixelData, number_of_frames=5))
    ds.PixelData = encapsulate(pieces, fragments_per_frame=2, has_bot=False)
    assert refusals([ds], tmp_path) == {"unsupported_pixels"}


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 6, 4)])
def test_frames_of_odd_sizes_and_all_widths(tmp_path, syntax, dtype, shape):
    slices = ct_series()[: shape[0]]
    for ds, frame in zip(slices, stored_values(shape, high=100).astype(dtype), strict=True):
        set_pixels(ds, frame)
    single = series_of(slices, tmp_path / "single")
    assert_same(series_of([enhanced(slices, syntax=syntax)], tmp_path / "multi"), single)


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, OBLIQUE])
def test_any_orientation(tmp_path, orientation):
    slices = ct_series(orientation=orientation)
    single = series_of(slices, tmp_path / "single")
    assert_same(series_of([enhanced(slices)], tmp_path / "multi"), single)


@settings(max_examples=15)
@given(st.permutations(range(8)))
def test_the_order_of_frames_means_nothing(tmp_path_factory, order):
    slices = pet_series()
    folder = tmp_path_factory.mktemp("order")
    single = series_of(slices, folder / "single")
    multi = series_of([enhanced([slices[n] for n in order])], folder / "multi")
    assert_same(multi, single)
    assert [order[frame - 1] for frame in multi.identity.frames] == list(range(8))


def legacy_of(slices, **changes):
    """Convert slices as highdicom does."""
    from highdicom import legacy

    made = {
        "CT": legacy.LegacyConvertedEnhancedCTImage,
        "MR": legacy.LegacyConvertedEnhancedMRImage,
        "PT": legacy.LegacyConvertedEnhancedPETImage,
    }
    for k, ds in enumerate(slices):
        for keyword in ("AccessionNumber", "PatientBirthDate", "ReferringPhysicianName", "StudyID"):
            setattr(ds, keyword, "")
        ds.SeriesNumber, ds.Manufacturer, ds.LossyImageCompression = "1", "GE MEDICAL", "00"
        ds.AcquisitionDate, ds.AcquisitionTime = "20200102", f"11{k:02d}00"
        ds.WindowCenter, ds.WindowWidth = "40", "400"
    return made[slices[0].Modality](
        slices,
        series_instance_uid=uid(5),
        series_number=1,
        sop_instance_uid=uid(5, 5),
        instance_number=1,
        **changes,
    )


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.filterwarnings("ignore")
def test_what_highdicom_converts_is_read_as_its_sources(tmp_path, make):
    slices = make()
    converted = legacy_of(copied(slices))
    single = series_of(slices, tmp_path / "single")
    multi = series_of([converted], tmp_path / "multi")
    assert_same(multi, single)
    for keyword in ("KVP", "EchoTime", "Units", "RadionuclideTotalDose", "BodyPartExamined"):
        assert multi.technical.get(keyword) == single.technical.get(keyword)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("is_extended", [True, False])
def test_what_highdicom_compresses_is_read(tmp_path, syntax, is_extended):
    slices = ct_series(stored_values((5, 40, 32)))
    for ds in slices:
        ds.PixelRepresentation = 0
    converted = legacy_of(
        copied(slices), transfer_syntax_uid=syntax, use_extended_offset_table=is_extended
    )
    single = series_of(slices, tmp_path / "single")
    assert_same(series_of([converted], tmp_path / "multi"), single)


@pytest.mark.filterwarnings("ignore")
def test_highdicom_reads_the_same_volume(tmp_path):
    import highdicom

    ds = enhanced(ct_series(orientation=OBLIQUE))
    series = series_of([ds], tmp_path)
    theirs = highdicom.imread(tmp_path / "0000.dcm").get_volume()
    geometry = series.volume.geometry
    inside = np.array([[0, 0, 0], [7, 0, 0], [3, 5, 2], [7, 11, 9]])
    world = inside @ theirs.affine[:3, :3].T + theirs.affine[:3, 3]
    ours = np.round(geometry.to_index(world)).astype(int)
    assert geometry.to_world(ours) == pytest.approx(world, abs=1e-3)
    for mine, its in zip(ours, inside, strict=True):
        assert series.volume.array[tuple(mine)] == theirs.array[tuple(its)]


# --- identity


def test_all_frames_share_the_files_uid_and_have_their_numbers(tmp_path):
    slices = ct_series()
    identity = series_of([enhanced(slices[::-1])], tmp_path).identity
    assert identity.sop_instance_uids == (uid(1, 9000),) * 8
    assert identity.frames == (8, 7, 6, 5, 4, 3, 2, 1)
    assert series_of(slices, tmp_path / "single").identity.frames == ()


def test_a_copy_of_the_file_changes_nothing(tmp_path):
    ds = enhanced(ct_series())
    once = series_of([ds], tmp_path / "once")
    twice = series_of([ds, ds], tmp_path / "twice")
    assert np.array_equal(once.volume.array, twice.volume.array)
    assert {f.code: f.outcome for f in twice.findings} == {"duplicate_identical": Outcome.FIXED}


def test_one_uid_for_two_contents_is_left_out(tmp_path):
    ds = enhanced(ct_series())
    other = enhanced(ct_series(stored_values((8, 12, 10), seed=3)))
    assert "sop_conflict" in refusals([ds, other], tmp_path / "pixels")
    part = enhanced(ct_series()[:5])
    assert "sop_conflict" in refusals([ds, part], tmp_path / "frames")


def test_no_name_of_a_patient_is_in_what_is_said(tmp_path):
    ds = enhanced(ct_series(patient="Secret"))
    frames(ds)[3].FrameContentSequence[0].FrameComments = "Secret"
    frames(ds)[3].FrameContentSequence[0].StackID = "Secret"
    series = series_of([ds], tmp_path)
    (candidate,) = group_images(scan_dicom([source(tmp_path / "0000.dcm")]).images)
    assert "Secret" not in repr(series) + repr(series.technical) + repr(candidate)


# --- geometry


def test_a_missing_frame_leaves_the_series_out(tmp_path):
    slices = ct_series()
    del slices[4]
    assert refusals([enhanced(slices)], tmp_path) == {"missing_slice"}


def test_a_shifted_frame_leaves_the_series_out(tmp_path):
    ds = enhanced(ct_series())
    frames(ds)[3].PlanePositionSequence[0].ImagePositionPatient[2] += 0.5
    assert refusals([ds], tmp_path) == {"uneven_spacing"}


def test_tilted_frames_are_left_out(tmp_path):
    ds = enhanced(ct_series())
    for k, group in enumerate(frames(ds)):
        group.PlanePositionSequence[0].ImagePositionPatient[1] += 0.5 * k
    assert refusals([ds], tmp_path) == {"gantry_tilt"}


def test_two_orientations_are_two_series(tmp_path):
    axial = ct_series()
    coronal = ct_series(stored_values((6, 12, 10)), orientation=CORONAL)
    ds = enhanced([*axial, *coronal], are_shared=False)
    first, second = sorted(all_of([ds], tmp_path), key=lambda one: -len(one.volume.array))
    assert (first.volume.geometry.shape[0], second.volume.geometry.shape[0]) == (8, 6)
    assert {f.code for f in (*first.findings, *second.findings)} == {"split_geometry"}
    assert set(first.identity.frames) == set(range(1, 9))
    assert set(second.identity.frames) == set(range(9, 15))


def stacked(first, second):
    ds = enhanced([*first, *second])
    for group in list(frames(ds))[len(first) :]:
        group.FrameContentSequence[0].StackID = "2"
    return ds


def test_two_stacks_apart_are_two_series(tmp_path):
    lower = ct_series()
    upper = ct_series(stored_values((5, 12, 10), seed=2), origin_mm=(-20.0, -30.0, 200.0))
    parts = all_of([stacked(lower, upper)], tmp_path)
    assert sorted(len(part.volume.array) for part in parts) == [5, 8]
    assert {f.code for part in parts for f in part.findings} == {"split_geometry"}


def test_two_stacks_at_one_place_are_two_series(tmp_path):
    early, late = ct_series(), ct_series(stored_values((8, 12, 10), seed=2))
    parts = all_of([stacked(early, late)], tmp_path)
    assert [len(part.volume.array) for part in parts] == [8, 8]
    assert not np.array_equal(parts[0].volume.array, parts[1].volume.array)


def test_two_stacks_that_make_one_volume_are_one_series(tmp_path):
    slices = ct_series()
    series = series_of([stacked(slices[:4], slices[4:])], tmp_path / "stacks")
    assert_same(series, series_of(slices, tmp_path / "single"))


def test_two_places_far_apart_in_one_stack_are_left_out(tmp_path):
    lower = ct_series()
    upper = ct_series(stored_values((5, 12, 10)), origin_mm=(-20.0, -30.0, 200.5))
    assert refusals([enhanced([*lower, *upper])], tmp_path) == {"uneven_spacing"}


def test_frames_to_plan_by_are_dropped(tmp_path):
    scout = ct_series(stored_values((1, 12, 10), seed=4), orientation=CORONAL)
    ds = enhanced([*ct_series(), *scout], are_shared=False)
    frames(ds)[8].CTImageFrameTypeSequence = item(
        FrameType=["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]
    )
    series = series_of([ds], tmp_path)
    assert len(series.volume.array) == 8
    assert {f.code: f.outcome for f in series.findings} == {"localizer": Outcome.FIXED}


# --- phases


@pytest.mark.parametrize(
    ("macro", "keyword", "name", "values"),
    [
        ("MREchoSequence", "EffectiveEchoTime", "EchoTime", (10.0, 90.0)),
        ("MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue", (0.0, 800.0)),
        ("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier", (1, 2)),
        ("MRModifierSequence", "InversionTimes", "InversionTime", ([100.0], [900.0])),
        (
            "CardiacSynchronizationSequence",
            "NominalPercentageOfCardiacPhase",
            "NominalPercentageOfCardiacPhase",
            (40.0, 75.0),
        ),
    ],
)
def test_phases_at_one_place_are_left_out_and_told_apart(tmp_path, macro, keyword, name, values):
    early, late = mr_series(), mr_series(stored_values((8, 12, 10), seed=2))
    ds = enhanced([*early, *late])
    for number, group in enumerate(frames(ds)):
        setattr(group, macro, item(**{keyword: values[number // 8]}))
    (findings,) = all_of([ds], tmp_path)
    (refusal,) = (f for f in findings if f.outcome is Outcome.LEFT_OUT)
    assert refusal.code == "duplicate_slice"
    assert f"told apart by {name}" in refusal.reason


def test_one_file_a_phase_is_judged_alike(tmp_path):
    early, late = mr_series(), mr_series(stored_values((8, 12, 10), seed=2))
    files = [enhanced(early), enhanced(late, instance=1)]
    for ds, value in zip(files, (10.0, 90.0), strict=True):
        for group in frames(ds):
            group.MREchoSequence[0].EffectiveEchoTime = value
    (findings,) = all_of(files, tmp_path)
    assert "told apart by EchoTime (10.0, 90.0)" in findings[0].reason


# --- several files


def in_parts(slices, sizes, *, n_parts=None):
    files, at = [], 0
    for number, size in enumerate(sizes):
        ds = enhanced(slices[at : at + size], instance=number)
        ds.ConcatenationUID, ds.InConcatenationNumber = uid(77), number + 1
        ds.ConcatenationFrameOffsetNumber = at
        if n_parts is not None:
            ds.InConcatenationTotalNumber = n_parts
        files.append(ds)
        at += size
    return files


@pytest.mark.parametrize("make", MAKERS)
def test_a_concatenation_is_one_series(tmp_path, make):
    slices = make()
    files = in_parts(slices, [3, 4, 1], n_parts=3)
    SHUFFLED.shuffle(files)
    series = series_of(files, tmp_path / "parts")
    assert_same(series, series_of(slices, tmp_path / "single"))
    assert series.identity.frames == (1, 2, 3, 1, 2, 3, 4, 1)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_part_that_is_missing_leaves_the_series_out(tmp_path, lost):
    files = in_parts(ct_series(), [3, 4, 1], n_parts=3)
    del files[lost]
    assert "missing_slice" in refusals(files, tmp_path)


def test_enhanced_files_of_one_frame_each_are_one_series(tmp_path):
    slices = ct_series()
    files = [enhanced([one], instance=k) for k, one in enumerate(slices)]
    series = series_of(files, tmp_path / "enhanced")
    assert_same(series, series_of(slices, tmp_path / "single"))


def test_a_file_counts_once_however_many_frames_it_has(tmp_path):
    files = write_series([enhanced(ct_series())], tmp_path)
    (candidate,) = group_images(scan_dicom(files).images)
    assert (len(candidate.slices), candidate.n_instances) == (8, 1)


# --- PET


def test_an_enhanced_pet_has_the_suv_of_its_slices(tmp_path):
    slices = pet_series()
    single = series_of(slices, tmp_path / "single")
    multi = series_of([enhanced(slices)], tmp_path / "multi")
    assert multi.volume.quantity is Quantity.BQML
    assert multi.suv_factor == pytest.approx(single.suv_factor, rel=1e-6)
    assert multi.technical["RadionuclideTotalDose"] == 370_000_000


def test_the_moment_of_decay_correction_counts_not_the_frames_clock(tmp_path):
    slices = pet_series()
    for ds in slices:
        ds.AcquisitionTime = "103000"
    expected = series_of(pet_series(), tmp_path / "single").suv_factor
    assert series_of([enhanced(slices)], tmp_path / "multi").suv_factor == pytest.approx(expected)


def test_values_corrected_to_the_injection_refer_to_it(tmp_path):
    ds = enhanced(pet_series())
    ds.DecayCorrectionDateTime = "20200102100000.00"
    assert series_of([ds], tmp_path).suv_factor == pytest.approx(70e3 / 370e6)


def test_a_dose_written_in_bq_is_no_dose_in_mbq(tmp_path):
    ds = enhanced(pet_series())
    expected = series_of([ds], tmp_path / "mbq").suv_factor
    ds.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = "370000000"
    assert series_of([ds], tmp_path / "bq").suv_factor == pytest.approx(expected)


@pytest.mark.parametrize(
    ("unit", "scale", "quantity"),
    [
        ("kBq/ml", 1000.0, Quantity.BQML),
        ("g/ml{SUVbw}", 1.0, Quantity.SUVBW),
        ("{SUVbw}g/ml", 1.0, Quantity.SUVBW),
        ("g/ml{SUVlbm}", 1.0, Quantity.ARBITRARY),
        ("{counts}", 1.0, Quantity.COUNTS),
        ("furlong", None, Quantity.ARBITRARY),
    ],
)
def test_the_unit_is_the_mappings(tmp_path, unit, scale, quantity):
    stored = stored_values((8, 12, 10))
    ds = enhanced(pet_series(stored))
    for group in frames(ds):
        group.RealWorldValueMappingSequence = mapping(unit, 0.25, 3.0)
    series = series_of([ds], tmp_path)
    expected = stored if scale is None else (stored * 0.25 + 3.0) * scale
    assert series.volume.array == pytest.approx(expected, rel=1e-6)
    assert series.volume.quantity is quantity
    if quantity is Quantity.SUVBW:
        assert series.suv_factor == 1.0
    if quantity is Quantity.ARBITRARY:
        assert series.suv_factor is None
        assert series.suv_reason


def test_activity_is_taken_where_a_mapping_to_suv_stands_beside_it(tmp_path):
    ds = enhanced(pet_series())
    for group in frames(ds):
        both = [mapping("g/ml{SUVbw}", 1e-4)[0], group.RealWorldValueMappingSequence[0]]
        group.RealWorldValueMappingSequence = Items(both)
    single = series_of(pet_series(), tmp_path / "single")
    assert_same(series_of([ds], tmp_path / "multi"), single)


def test_two_mappings_to_one_unit_are_none(tmp_path):
    ds = enhanced(pet_series())
    for group in frames(ds):
        both = [mapping("Bq/ml", 2.0)[0], group.RealWorldValueMappingSequence[0]]
        group.RealWorldValueMappingSequence = Items(both)
    series = series_of([ds], tmp_path)
    assert (series.volume.quantity, series.suv_factor) == (Quantity.ARBITRARY, None)


def test_a_shared_mapping_holds_for_frames_without_one(tmp_path):
    ds = enhanced(pet_series())
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.RealWorldValueMappingSequence = mapping("Bq/ml", 9.0)
    stored = stored_values((8, 12, 10))
    for group in frames(ds):
        del group.RealWorldValueMappingSequence
    assert series_of([ds], tmp_path).volume.array == pytest.approx(stored * 9.0)


def test_frames_in_different_units_are_left_out(tmp_path):
    ds = enhanced(pet_series())
    del frames(ds)[3].RealWorldValueMappingSequence
    assert refusals([ds], tmp_path) == {"rescale_mixed"}


@pytest.mark.parametrize("keyword", ["DecayCorrected", "AttenuationCorrected"])
def test_a_correction_that_was_not_made_gives_no_suv(tmp_path, keyword):
    ds = enhanced(pet_series())
    setattr(ds, keyword, "NO")
    series = series_of([ds], tmp_path)
    assert series.suv_factor is None
    assert "not corrected" in series.suv_reason


# --- values


def test_slope_and_intercept_are_the_frames_own(tmp_path):
    slices = ct_series()
    for k, ds in enumerate(slices):
        ds.RescaleSlope, ds.RescaleIntercept = str(1 + k), str(-1000 - k)
    single = series_of(slices, tmp_path / "single")
    assert_same(series_of([enhanced(slices)], tmp_path / "multi"), single)


def test_frames_without_slopes_are_left_out(tmp_path):
    ds = enhanced(ct_series())
    del frames(ds)[2].PixelValueTransformationSequence
    assert refusals([ds], tmp_path / "one") == {"rescale_mixed"}
    ds = enhanced(ct_series())
    for group in frames(ds):
        del group.PixelValueTransformationSequence
    ds.RescaleSlope, ds.RescaleIntercept = "1", "0"
    assert refusals([ds], tmp_path / "all") == {"rescale_missing"}


def test_padding_and_overlay_bits_are_found_in_frames(tmp_path):
    slices = ct_series()
    for ds in slices:
        ds.BitsStored, ds.HighBit, ds.PixelPaddingValue = 12, 11, 5
        ds.PixelData = (np.full((12, 10), 5, np.int16) | 0x4000).tobytes()
    series = series_of([enhanced(slices)], tmp_path)
    assert {f.code for f in series.findings} == {"padding", "overlay_bits"}


# --- what is refused


@pytest.mark.parametrize("macro", ["PlanePositionSequence", "PixelValueTransformationSequence"])
def test_a_frame_without_a_group_leaves_the_series_out(tmp_path, macro):
    ds = enhanced(ct_series())
    delattr(frames(ds)[5], macro)
    ds.ImagePositionPatient = [0, 0, 0]
    assert refusals([ds], tmp_path) <= {"no_orientation", "rescale_mixed"}


@pytest.mark.parametrize("macro", ["PlaneOrientationSequence", "PixelMeasuresSequence"])
def test_frames_without_orientation_or_spacing_are_left_out(tmp_path, macro):
    ds = enhanced(ct_series())
    delattr(ds.SharedFunctionalGroupsSequence[0], macro)
    assert refusals([ds], tmp_path) == {"no_orientation"}


@pytest.mark.parametrize("orientation", [[0] * 6, [1, 0, 0, 1, 0, 0], [1, 0, 0, 0.5, 0.5, 0]])
def test_an_orientation_that_is_none_is_refused_in_two_stacks(tmp_path, orientation):
    ds = stacked(ct_series()[:4], ct_series()[4:])
    plane = ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    plane.ImageOrientationPatient = orientation
    assert refusals([ds], tmp_path) & {"no_orientation", "sheared"}


def test_a_position_that_is_no_number_is_a_fault(tmp_path):
    path = encode(enhanced(ct_series()), tmp_path / "one.dcm")
    path.write_bytes(path.read_bytes().replace(rb"-20.0\-30.0\43.0", rb"-20.0\-3o.0\43.0"))
    (candidate,) = group_images(scan_dicom([source(path)]).images)
    findings = load_series(candidate)
    assert {f.code for f in findings} == {"wrong_vr"}
    assert "ImagePositionPatient" in findings[0].reason


@pytest.mark.parametrize("claimed", [0, 1, 7, 9, 2**31 - 1, -1])
def test_another_number_of_frames_than_described_is_left_out(tmp_path, claimed):
    ds = enhanced(ct_series())
    ds.NumberOfFrames = claimed
    assert refusals([ds], tmp_path) == {"size_claim"}


def test_more_frames_than_pixels_are_left_out(tmp_path):
    ds = enhanced(ct_series())
    ds.PixelData = ds.PixelData[:-200]
    assert refusals([ds], tmp_path / "native") == {"size_claim"}
    ds = enhanced(ct_series())
    ds.compress(RLELossless, generate_instance_uid=False)
    put_frames(ds, [*frames(ds), frames(ds)[7]])
    assert refusals([ds], tmp_path / "packed") == {"size_claim"}


def test_a_claim_over_the_limit_is_refused_before_anything_is_allocated(tmp_path):
    ds = enhanced(ct_series(stored_values((2, 12, 10))))
    ds.compress(RLELossless, generate_instance_uid=False)
    ds.Rows = ds.Columns = 65_535
    assert "size_claim" in refusals([ds], tmp_path / "large")
    small = Limits(volume_bytes=1000)
    assert "size_claim" in refusals([enhanced(ct_series())], tmp_path / "small", limits=small)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *COMPRESSED])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_anywhere_is_never_a_series(tmp_path, syntax, share):
    ds = enhanced(ct_series(stored_values((5, 40, 32))))
    if syntax in COMPRESSED:
        ds.compress(syntax, generate_instance_uid=False)
    path = encode(ds, tmp_path / "one.dcm")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    scan = scan_dicom([source(path)])
    found = [one.finding for one in scan.findings]
    for candidate in group_images(scan.images):
        result = load_series(candidate)
        assert isinstance(result, tuple)
        found += result
    assert {f.code for f in found} == {"truncated"}


def test_a_frame_that_does_not_decode_leaves_the_series_out(tmp_path):
    ds = enhanced(ct_series(stored_values((5, 40, 32))))
    ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    data = bytearray(ds.PixelData)
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    at = data.index(b"\xff\x4f\xff\x51", len(data) // 2)
    data[at : at + 4] = bytes(4)
    ds.PixelData = bytes(data)
    assert refusals([ds], tmp_path) == {"truncated"}


def test_an_image_without_pixels_is_left_out(tmp_path):
    ds = enhanced(ct_series())
    del ds.PixelData
    assert refusals([ds], tmp_path) == {"no_pixels"}


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_an_enhanced_image_without_groups_says_so(tmp_path, modality):
    for number, sop_class in enumerate((LEGACY[modality], "1.2.840.10008.5.1.4.1.1.4.1")):
        ds = enhanced(ct_series())
        del ds.PerFrameFunctionalGroupsSequence
        del ds.SharedFunctionalGroupsSequence
        ds.SOPClassUID = sop_class
        found = read_headers(source(encode(ds, tmp_path / f"{number}.dcm")))
        assert (found.code, found.outcome) == ("multiframe", Outcome.LEFT_OUT)
        assert "functional groups" in found.reason


@pytest.mark.parametrize(
    ("end", "code"),
    [("20", "multiframe"), ("4.3", "multiframe"), ("481.2", "multiframe"),
     ("12.1.1", "burned_in_annotation"), ("13.1.3", "burned_in_annotation")],
)  # fmt: skip
def test_frames_of_other_kinds_are_left_out(tmp_path, end, code):
    ds = enhanced(ct_series())
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1." + end
    found = read_headers(source(encode(ds, tmp_path / "one.dcm")))
    assert isinstance(found, Finding)
    assert (found.code, found.outcome) == (code, Outcome.LEFT_OUT)


def test_no_group_replaces_identity_or_layout(tmp_path):
    ds = enhanced(ct_series())
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.UnassignedSharedConvertedAttributesSequence = item(
        PatientID="other", SeriesInstanceUID=uid(99), Rows=3, Modality="PT", RescaleSlope="5"
    )
    frames(ds)[2].FrameContentSequence[0].SOPInstanceUID = uid(98)
    series = series_of([ds], tmp_path)
    assert series.identity.subject_key == "P-007"
    assert series.identity.series_instance_uid == uid(1)
    assert_same(series, series_of(ct_series(), tmp_path / "single"))


def damaged(data: bytes, seed: int) -> bytes:
    """Change, lose and repeat some bytes behind the preamble."""
    rng = random.Random(seed)  # noqa: S311
    damage = bytearray(data)
    for _ in range(rng.choice((1, 2, 5, 20))):
        at, size = rng.randrange(132, len(damage)), rng.randrange(1, 40)
        kind = rng.random()
        if kind < 0.6:
            damage[at] = rng.choice((0, 255, 0x30 + rng.randrange(10), rng.randrange(256)))
        elif kind < 0.8:
            del damage[at : at + size]
        else:
            other = rng.randrange(132, len(damage))
            damage[at : at + size] = damage[other : other + size]
    return bytes(damage)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("syntax", [*NATIVE[:3], JPEGLSLossless])
def test_damaged_files_give_series_or_reasons(tmp_path, make, syntax):
    ds = enhanced(make(stored_values((4, 10, 8))), syntax=syntax if syntax in NATIVE else NATIVE[0])
    if syntax not in NATIVE:
        ds.compress(syntax, generate_instance_uid=False)
    path = encode(ds, tmp_path / "one.dcm")
    whole = path.read_bytes()
    for seed in range(60):
        path.write_bytes(damaged(whole, seed))
        scan = scan_dicom([source(path)])
        results = [load_series(candidate) for candidate in group_images(scan.images)]
        assert len(results) + len(scan.findings) >= 1
        assert all(isinstance(result, ImageSeries) or result for result in results)


def test_elements_outside_of_all_items_are_passed_over(tmp_path):
    path = encode(enhanced(ct_series(), syntax=ImplicitVRLittleEndian), tmp_path / "one.dcm")
    data = path.read_bytes()
    at = data.index(bytes.fromhex("00523092")) + 4
    stray = bytes.fromhex("10001000 04000000") + b"abcd"
    length = int.from_bytes(data[at : at + 4], "little")
    assert length < 0xFFFFFFFF
    grown = (length + len(stray)).to_bytes(4, "little")
    path.write_bytes(data[:at] + grown + stray + data[at + 4 :])
    (candidate,) = group_images(scan_dicom([source(path)]).images)
    assert_same(load_series(candidate), series_of(ct_series(), tmp_path / "single"))
