"""One file's header: what it becomes, and what is said of it."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_factory import (
    ct_series,
    encapsulated_document,
    encode,
    nested,
    pet_series,
    read_header,
    secondary_capture,
    set_pixels,
    source,
    uid,
)
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.header import InstanceHeader, InstanceKind, Padding
from lesionary.io.limits import Limits

STORAGE = "1.2.840.10008.5.1.4.1.1."


@pytest.fixture
def read(tmp_path):
    def _read(ds, limits=None):
        return read_header(source(encode(ds, tmp_path / "one.dcm")), limits)

    return _read


def finding(result) -> tuple[str, Outcome]:
    assert isinstance(result, Finding)
    return result.code, result.outcome


def fault_codes(header) -> dict[str, Outcome]:
    assert isinstance(header, InstanceHeader)
    return {fault.code: fault.outcome for fault in header.faults}


def test_a_sound_slice(read):
    header = read(ct_series()[2])
    assert header.kind is InstanceKind.IMAGE
    assert header.subject_key == "P-007"
    assert (header.series_instance_uid, header.sop_instance_uid) == (uid(1), uid(1, 2))
    assert header.position_mm == (-20.0, -30.0, 46.0)
    assert header.pixel_spacing_mm == (0.8, 0.7)
    assert header.rescale == (1.0, -1024.0)
    assert header.pixel_format.frame_bytes == header.pixels.length == 240
    assert header.faults == ()


def test_nothing_of_the_patient_is_in_its_repr_or_technical_elements(read):
    header = read(ct_series(patient="Secret")[0])
    assert "Secret" not in repr(header)
    assert "Planted" not in repr(header.technical)
    assert uid(1) not in repr(header.technical)


def test_an_issuer_tells_equal_patient_ids_apart(read):
    ds = ct_series()[0]
    ds.IssuerOfPatientID = "Ward 3"
    assert read(ds).subject_key == "P-007^^^Ward 3"


@pytest.mark.parametrize("text", ["", "  "])
def test_a_blank_patient_id_is_none(read, text):
    assert read(ct_series(patient=text)[0]).subject_key is None


@pytest.mark.parametrize("text", ["007", "NA", "nan", "null", "0"])
def test_odd_patient_ids_stay_text(read, text):
    assert read(ct_series(patient=text)[0]).subject_key == text


@pytest.mark.parametrize(
    ("charset", "name"), [("ISO_IR 100", "Jörg-1"), ("ISO_IR 192", "Łódź"), ("ISO_IR 144", "Иван")]
)
def test_patient_ids_are_read_by_their_character_set(read, charset, name):
    ds = ct_series(patient=name)[0]
    ds.SpecificCharacterSet = charset
    assert read(ds).subject_key == name


def test_an_empty_file(tmp_path):
    path = tmp_path / "one.dcm"
    path.touch()
    assert finding(read_header(source(path))) == ("empty_file", Outcome.LEFT_OUT)


@pytest.mark.parametrize("with_magic", [True, False])
def test_noise(tmp_path, with_magic):
    path = tmp_path / "one.dcm"
    noise = np.random.default_rng(3).bytes(5000)
    path.write_bytes(b"\0" * 128 + b"DICM" + noise if with_magic else noise)
    assert finding(read_header(source(path))) == ("not_dicom", Outcome.LEFT_OUT)


def test_a_header_cut_before_its_series_is_truncated(tmp_path):
    path = encode(ct_series()[0], tmp_path / "one.dcm")
    path.write_bytes(path.read_bytes()[:500])
    assert finding(read_header(source(path))) == ("truncated", Outcome.LEFT_OUT)


def test_a_header_cut_behind_its_series_is_a_fault_of_that_series(tmp_path):
    path = encode(ct_series()[0], tmp_path / "one.dcm")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"MONOCHROME2") + 4])
    assert fault_codes(read_header(source(path))) == {"truncated": Outcome.LEFT_OUT}


@pytest.mark.parametrize("left", range(590, 640))
def test_a_header_cut_between_its_elements_is_never_a_slice(tmp_path, left):
    path = encode(ct_series()[0], tmp_path / "one.dcm")
    path.write_bytes(path.read_bytes()[:-left])
    result = read_header(source(path))
    assert finding(result) in {
        ("truncated", Outcome.LEFT_OUT),
        ("no_pixels", Outcome.LEFT_OUT),
        ("not_dicom", Outcome.LEFT_OUT),
    }


@pytest.mark.parametrize("levels", [64, 90])
@pytest.mark.parametrize("is_open_ended", [True, False])
def test_too_deep_sequences_are_a_fault_of_the_series(read, levels, is_open_ended):
    ds = ct_series()[0]
    ds.update(nested(levels, is_open_ended=is_open_ended))
    assert fault_codes(read(ds)) == {"too_deep": Outcome.LEFT_OUT}


def test_the_depth_is_an_option(read):
    ds = ct_series()[0]
    ds.update(nested(5))
    assert fault_codes(read(ds)) == {}
    assert fault_codes(read(ds, Limits(nesting=5))) == {"too_deep": Outcome.LEFT_OUT}


def test_documents_and_screenshots_are_left_out(read):
    assert finding(read(encapsulated_document())) == ("encapsulated_document", Outcome.LEFT_OUT)
    assert finding(read(secondary_capture())) == ("secondary_capture", Outcome.LEFT_OUT)


def test_a_saved_screen_under_the_ct_class_is_a_screenshot(read):
    ds = ct_series()[0]
    ds.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    assert finding(read(ds)) == ("secondary_capture", Outcome.LEFT_OUT)


@pytest.mark.parametrize("end", ["2.1", "4.1", "130", "128.1"])
def test_enhanced_multi_frame_images_are_left_out(read, end):
    ds = ct_series()[0]
    ds.SOPClassUID = STORAGE + end
    ds.NumberOfFrames = "1"
    assert finding(read(ds)) == ("multiframe", Outcome.LEFT_OUT)


def test_many_frames_in_a_classic_image_are_left_out(read):
    ds = ct_series()[0]
    ds.NumberOfFrames = "20"
    assert finding(read(ds)) == ("multiframe", Outcome.LEFT_OUT)


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("481.3", InstanceKind.RTSTRUCT),
        ("66.4", InstanceKind.SEG),
        ("66.7", InstanceKind.SEG),
    ],
)
def test_references_are_recognised(read, end, kind):
    ds = ct_series()[0]
    ds.SOPClassUID = STORAGE + end
    assert read(ds).kind is kind


@pytest.mark.parametrize(
    ("end", "modality"), [("88.33", "SR"), ("11.1", "PR"), ("481.5", "RTPLAN")]
)
def test_what_is_no_image_is_ignored(read, end, modality):
    ds = ct_series()[0]
    ds.SOPClassUID, ds.Modality = STORAGE + end, modality
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(ds, keyword)
    assert finding(read(ds)) == ("not_an_image", Outcome.IGNORED)


def test_a_vendors_own_object_beside_the_images_is_ignored(read):
    ds = ct_series()[0]
    ds.SOPClassUID, ds.Modality = "1.3.12.2.1107.5.9.1", "MR"
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(ds, keyword)
    assert finding(read(ds)) == ("not_an_image", Outcome.IGNORED)


def test_a_header_that_says_nothing_of_its_kind_is_broken(read):
    ds = ct_series()[0]
    for keyword in ("PixelData", "Rows", "Columns", "SOPClassUID", "Modality"):
        delattr(ds, keyword)
    assert finding(read(ds)) == ("not_dicom", Outcome.LEFT_OUT)


def test_an_image_without_pixel_data_stays_with_its_series(read):
    ds = ct_series()[0]
    del ds.PixelData
    assert read(ds).pixels is None


def test_rows_written_as_text_are_still_rows_with_a_warning(read):
    ds = ct_series()[0]
    ds["Rows"].VR = "IS"
    header = read(ds)
    assert header.pixel_format.rows == 12
    assert fault_codes(header) == {"wrong_vr": Outcome.WARNED}
    assert "Rows" in header.faults[0].reason


def test_a_wrong_vr_of_nothing_needed_is_warned_of(read):
    ds = ct_series()[0]
    ds.add_new("PatientAge", "LO", "sixty-one")
    assert fault_codes(read(ds)) == {"wrong_vr": Outcome.WARNED}


def test_a_position_that_is_no_number_is_a_fault(tmp_path):
    path = encode(ct_series()[0], tmp_path / "one.dcm")
    data = path.read_bytes()
    path.write_bytes(data.replace(rb"-20.0\-30.0\40.0", rb"-20.0\-3o.0\40.0"))
    header = read_header(source(path))
    assert fault_codes(header) == {"wrong_vr": Outcome.LEFT_OUT}
    assert "ImagePositionPatient" in header.faults[0].reason


def test_no_reason_repeats_what_stood_in_the_header(tmp_path):
    path = encode(ct_series()[0], tmp_path / "one.dcm")
    path.write_bytes(path.read_bytes().replace(rb"-20.0\-30.0\40.0", rb"Mr Doe, 1956\02 "))
    assert "Doe" not in read_header(source(path)).faults[0].reason


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_padding_is_read_with_the_sign_of_the_pixels(read, syntax):
    ds = ct_series(syntax=syntax)[0]
    ds.PixelPaddingValue = -2000
    ds["PixelPaddingValue"].VR = "SS"
    assert read(ds).padding == Padding(-2000, -2000)


def test_padding_written_unsigned_beside_signed_pixels(read):
    ds = ct_series()[0]
    ds.add_new("PixelPaddingValue", "US", 63536)
    assert read(ds).padding == Padding(-2000, -2000)


def test_a_range_of_padding(read):
    ds = ct_series(np.zeros((1, 4, 4), dtype=np.uint16))[0]
    ds.add_new("PixelPaddingValue", "US", 5)
    ds.add_new("PixelPaddingRangeLimit", "US", 0)
    assert read(ds).padding == Padding(0, 5)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_the_pet_header(read, syntax):
    ds = pet_series(syntax=syntax)[3]
    ds.RadiopharmaceuticalInformationSequence[
        0
    ].RadiopharmaceuticalStartDateTime = "20200102100000.00"
    block = ds.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "0.000386")
    block.add_new(0x09, "DS", "1.5")
    scan = ds.private_block(0x0009, "GEMS_PETD_01", create=True)
    scan.add_new(0x0D, "DT", "20200102105900.00")
    pet = read(ds).pet
    assert (pet.units, pet.decay_correction) == ("BQML", "START")
    assert pet.corrections == ("DECY", "ATTN", "SCAT")
    assert (pet.weight_kg, pet.dose_bq, pet.half_life_s, pet.n_tracers) == (70, 3.7e8, 6586.2, 1)
    assert pet.series_at.isoformat() == "2020-01-02T11:00:00"
    assert pet.acquired_at.isoformat() == "2020-01-02T11:03:00"
    assert pet.injected_at.isoformat() == "2020-01-02T10:00:00"
    assert pet.injected_time.isoformat() == "10:00:00"
    assert pet.scan_at.isoformat() == "2020-01-02T10:59:00"
    assert (pet.philips_suv, pet.philips_bqml) == (0.000386, 1.5)


def test_two_tracers_are_counted(read):
    ds = pet_series()[0]
    ds.RadiopharmaceuticalInformationSequence.append(Dataset())
    assert read(ds).pet.n_tracers == 2


def test_a_modality_look_up_table_is_seen(read):
    ds = ct_series()[0]
    table = Dataset()
    table.ModalityLUTType = "HU"
    ds.ModalityLUTSequence = Items([table])
    assert read(ds).has_modality_lut


def test_a_colour_picture_keeps_its_samples_for_the_gate(read):
    ds = ct_series()[0]
    set_pixels(ds, np.zeros((4, 4), dtype=np.uint8))
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 3, "RGB"
    assert read(ds).pixel_format.samples == 3
