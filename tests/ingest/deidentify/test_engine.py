"""The engine as a whole: what goes, what stays, what changes, at every level of a data set."""

import datetime as dt
import io

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SegmentationStorage

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.engine import Deidentifier, Released, Subject
from lesionary.ingest.deidentify.pixels import BlankingRule
from lesionary.ingest.deidentify.profile import Action, Option, Profile
from lesionary.ingest.deidentify.quarantine import Quarantined
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.io.dicom.tree import read_instance, write_instance

KEY = bytes(range(32))
SUBJECT = Subject("123456789", 100)
NAMES = Pseudonymiser(KEY)
WORDS = Words()


def slice_of_ct(**elements: object) -> Dataset:
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    given_elements = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": "1.2.3.4",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1",
        "PatientID": "ZX-1",
        "PatientName": "Quux^Zorblax",
        "Modality": "CT",
        "Rows": 2,
        "Columns": 2,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelData": np.arange(4, dtype="<u2").tobytes(),
    }
    for keyword, value in (given_elements | elements).items():
        setattr(data_set, keyword, value)
    return data_set


def file_of(data_set: Dataset) -> bytes:
    buffer = io.BytesIO()
    data_set.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def engine(*added: str, left_out: tuple[str, ...] = (), **options: object) -> Deidentifier:
    profile = Profile.default().with_changes(added=added, left_out=left_out)
    names = Pseudonymiser(KEY, keep_uids=Option.RETAIN_UIDS in profile.options)
    return Deidentifier(profile, names, WORDS, **options)


def released(data_set: Dataset, by: Deidentifier | None = None) -> Dataset:
    outcome = (by or engine()).apply(read_instance(file_of(data_set)), SUBJECT)
    assert isinstance(outcome, Released)
    return pydicom.dcmread(io.BytesIO(b"".join(write_instance(outcome.instance))))


def test_the_patient_becomes_a_number_and_the_file_says_what_was_done():
    made = released(slice_of_ct(PatientBirthDate="19570312"))
    assert (made.PatientID, made.PatientName) == ("123456789", "123456789")
    assert made.PatientBirthDate == ""
    assert made.PatientIdentityRemoved == "YES"
    assert made.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [code.CodeValue for code in made.DeidentificationMethodCodeSequence]
    assert codes[0] == "113100"
    assert {"113105", "113107", "113108", "113111"} <= set(codes)
    assert len(made.DeidentificationMethod) <= 64


def test_dates_move_together_and_times_stay():
    made = released(
        slice_of_ct(StudyDate="20200301", SeriesDate="20200303", StudyTime="101112.5",
                    AcquisitionDateTime="20200302120000.000000+0100")
    )  # fmt: skip
    moved = [dt.datetime.strptime(one, "%Y%m%d").date()  # noqa: DTZ007 - a date
             for one in (made.StudyDate, made.SeriesDate)]  # fmt: skip
    assert moved == [
        dt.date(2020, 3, 1) - dt.timedelta(100),
        dt.date(2020, 3, 3) - dt.timedelta(100),
    ]
    assert made.StudyTime == "101112.5"
    assert made.AcquisitionDateTime == "20191123120000.000000+0100"


def test_references_follow_the_objects_they_name():
    reference = Dataset()
    reference.ReferencedSOPClassUID = CTImageStorage
    reference.ReferencedSOPInstanceUID = "1.2.3.4"
    made = released(slice_of_ct(ReferencedImageSequence=[reference]))
    (found,) = made.ReferencedImageSequence
    assert found.ReferencedSOPInstanceUID == made.SOPInstanceUID == NAMES.uid("1.2.3.4")
    assert found.ReferencedSOPClassUID == CTImageStorage
    assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID


def test_uids_stay_where_they_are_chosen_to():
    made = released(slice_of_ct(), engine("retain_uids"))
    assert made.SOPInstanceUID == "1.2.3.4"


@pytest.mark.parametrize("depth", [1, 5, 20])
def test_what_is_nested_is_judged_like_what_is_not(depth):
    inner = Dataset()
    inner.PatientID, inner.StationName = "ZX-1", "ZORBLAX"
    inner.ImageComments = "Zorblax chest"
    inner.ReferencedSOPInstanceUID = "1.2.3.4"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedImageSequence = [inner]
        inner = outer
    made = file_of(released(slice_of_ct(ReferencedImageSequence=[inner])))
    assert b"ZX-1" not in made
    assert b"ORBLAX" not in made.upper()
    assert b"chest" in made


def test_what_nobody_can_judge_goes():
    data_set = slice_of_ct()
    data_set.add_new(0x00991010, "LO", "Zorblax")
    data_set.add_new(0x00990010, "LO", "ZORBLAX SYSTEMS")
    data_set.add_new(0x00080FFF, "LO", "Zorblax")
    data_set.add_new(0x60003000, "OW", b"Zorblax!")
    data_set.add_new(0x60004000, "LT", "Zorblax")
    data_set.add_new(0x50003000, "OW", b"Zorblax!")
    data_set.add_new(0xFFFCFFFC, "OB", b"Zorblax!")
    icon = Dataset()
    icon.add_new(0x00281201, "OW", b"Zorblax!")
    data_set.IconImageSequence = [icon]
    assert b"orblax" not in file_of(released(data_set)).lower()


def test_preamble_meta_and_what_lies_behind_go():
    data_set = slice_of_ct()
    data_set.file_meta.SourceApplicationEntityTitle = "ZORBLAX"
    data_set.file_meta.PrivateInformationCreatorUID = "1.2.3.999"
    data_set.file_meta.PrivateInformation = b"Zorblax!"
    data_set.preamble = b"Zorblax!".ljust(128, b"\0")
    whole = file_of(data_set) + b"Zorblax!" * 3
    outcome = engine().apply(read_instance(whole), SUBJECT)
    made = b"".join(write_instance(outcome.instance))
    assert b"orblax" not in made.lower()
    assert made[:128] == bytes(128)


def test_a_safe_private_element_stays_with_its_creator():
    data_set = slice_of_ct(Modality="PT", SOPClassUID="1.2.840.10008.5.1.4.1.1.128")
    block = data_set.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "1.25")
    block.add_new(0x03, "ST", "zorblax")
    made = released(data_set)
    assert made.private_block(0x7053, "Philips PET Private Group")[0x00].value == 1.25
    assert b"orblax" not in file_of(made)
    without = released(data_set, engine(left_out=("retain_safe_private",)))
    assert not [one for one in without if one.tag.is_private]


def test_a_name_in_a_number_empties_it():
    instance = read_instance(file_of(slice_of_ct()))
    for tag, vr in ((0x00180050, "DS"), (0x00200013, "IS"), (0x00101010, "AS"), (0x00080060, "CS")):
        instance.data_set.put(Element(tag, vr, b"ZORBLAX^QUUX"))
    outcome = engine().apply(instance, SUBJECT)
    assert b"ZORBLAX" not in b"".join(write_instance(outcome.instance))


def test_a_name_as_a_uid_is_hashed_or_goes():
    instance = read_instance(file_of(slice_of_ct()))
    instance.data_set.put(Element(0x00200052, "UI", b"ZORBLAX^QUUX"))
    instance.data_set.put(Element(0x0020000E, "UI", b"1.2.3.999.19570312"))
    outcome = engine().apply(instance, SUBJECT)
    made = b"".join(write_instance(outcome.instance))
    assert b"ZORBLAX" not in made
    assert b"19570312" not in made


def test_an_element_of_another_representation_is_judged_by_the_standards():
    instance = read_instance(file_of(slice_of_ct()))
    instance.data_set.put(Element(0x00280010, "LO", b"ZORBLAX "))
    outcome = engine().apply(
        instance.__class__(instance.data_set, instance.transfer_syntax), SUBJECT
    )
    assert b"ZORBLAX" not in b"".join(write_instance(outcome.instance))


def test_labels_of_segments_keep_their_words_and_never_end_empty():
    segments = []
    for number, label in ((1, "Liver lesion"), (2, "Zorblax")):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, label
        segments.append(segment)
    data_set = slice_of_ct(
        SOPClassUID=SegmentationStorage, Modality="SEG", SegmentSequence=segments
    )
    made = released(data_set)
    assert [one.SegmentLabel for one in made.SegmentSequence] == ["Liver lesion", "REMOVED"]


def test_the_given_instance_stays_as_it_was():
    instance = read_instance(file_of(slice_of_ct(StudyDescription="Zorblax chest")))
    before = b"".join(write_instance(instance))
    engine().apply(instance, SUBJECT)
    assert b"".join(write_instance(instance)) == before


def test_twice_is_once():
    first = engine().apply(
        read_instance(
            file_of(slice_of_ct(StudyDescription="CT Zorblax chest", StudyDate="20200101"))
        ),
        SUBJECT,
    )
    once = b"".join(write_instance(first.instance))
    second = engine().apply(read_instance(once), Subject(SUBJECT.number, 0))
    assert b"".join(write_instance(second.instance)) == once


def test_the_log_tells_actions_and_no_values():
    outcome = engine().apply(read_instance(file_of(slice_of_ct(StationName="ZORBLAX"))), SUBJECT)
    assert outcome.log[0x00100010, Action.EMPTY] == 1
    assert outcome.log[0x00081010, Action.REMOVE] == 1
    assert "ORBLAX" not in repr(outcome.log).upper()
    assert "ORBLAX" not in repr(outcome).upper()


def test_a_rule_blanks_what_would_be_quarantined():
    data_set = slice_of_ct(
        BurnedInAnnotation="YES", Rows=4, Columns=3, PixelData=np.full((4, 3), 7, "<u2").tobytes()
    )
    against = engine().apply(read_instance(file_of(data_set)), SUBJECT)
    assert isinstance(against, Quarantined)
    assert against.code == "burned_in_annotation"
    rule = BlankingRule("CT", 4, 3, ((0, 0, 1, 3),))
    made = released(data_set, engine(blanking=[rule]))
    assert made.pixel_array.tolist() == [[0, 0, 0]] + [[7, 7, 7]] * 3
    assert made.BurnedInAnnotation == "NO"
    assert "113101" in [code.CodeValue for code in made.DeidentificationMethodCodeSequence]


NUMBERS = st.integers(0, 2**16 - 1)


@settings(max_examples=30)
@given(st.lists(NUMBERS, min_size=4, max_size=4), st.integers(0, 9))
def test_pixels_pass_as_they_are_and_what_follows_them_goes(values, n_more):
    pixels = np.array(values, dtype="<u2").tobytes()
    more = b"Zorblax!!!"[: n_more // 2 * 2]
    instance = read_instance(file_of(slice_of_ct(PixelData=pixels + more)))
    outcome = engine().apply(instance, SUBJECT)
    assert bytes(outcome.instance.pixels.native) == pixels


def test_an_empty_data_set_is_no_object():
    from lesionary.ingest.deidentify.elements import Instance

    against = engine().apply(Instance(DataSet(), ExplicitVRLittleEndian), SUBJECT)
    assert against == Quarantined(against.code, against.reason)
    assert against.code == "unknown_object"


@pytest.mark.parametrize(
    ("keyword", "value", "stays"),
    [("InstanceNumber", "1041", True), ("InstanceNumber", "19570312", False),
     ("SeriesNumber", "6564013", True),
        ("SeriesNumber", "47110815", False), ("PatientWeight", "81.5", True),
     ("PatientWeight", "19570312", False), ("ActualFrameDuration", "1800000", True),
     ("SliceLocation", "-1234567.125", True)],
)  # fmt: skip
def test_a_number_is_kept_as_long_as_it_counts_something(keyword, value, stays):
    made = released(slice_of_ct(**{keyword: value}))
    kept = getattr(made, keyword)
    assert (float(kept) == float(value)) if stays else kept is None


@pytest.mark.parametrize("keyword", ["SeriesNumber", "PatientWeight", "SliceLocation"])
@pytest.mark.parametrize("value", ["482137", "0482137", "120364", "5551234"])
def test_a_number_of_the_header_goes_wherever_it_stands(keyword, value):
    made = released(
        slice_of_ct(PatientID="482137", PatientBirthDate="19640312",
                    PatientTelephoneNumbers="212 555-1234", **{keyword: value})
    )  # fmt: skip
    assert getattr(made, keyword) is None


def test_an_image_keeps_the_numbers_it_needs_beside_a_short_patient_id():
    made = released(
        slice_of_ct(PatientID="1024", RescaleIntercept="-1024", RescaleSlope="1",
                    SeriesNumber="1024", InstanceNumber="102")
    )  # fmt: skip
    assert made.RescaleIntercept == -1024
    assert (made.SeriesNumber, made.InstanceNumber) == (None, 102)


@pytest.mark.parametrize("name", ["Swan", "Colon", "Brain", "Free", "Testa", "Groß"])
def test_a_name_that_is_a_word_goes_from_texts_codes_and_code_strings(name):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99LOCAL", name
    nested = Dataset()
    nested.ImageComments = f"{name} chest"
    made = released(
        slice_of_ct(
            SpecificCharacterSet="ISO_IR 192",
            PatientName=f"{name}^Zorblax",
            StudyDescription=f"CT {name} {name.upper()}chest",
            SeriesDescription=f"ct_{name.lower()}_thorax",
            ScanOptions=["HELICAL MODE", name.upper().replace("ß", "SS")],
            ProcedureCodeSequence=[code],
            ReferencedImageSequence=[nested],
        )
    )
    text = str(made).casefold()
    assert name.casefold() not in text
    assert "gross" not in text
    assert "chest" in made.ReferencedImageSequence[0].ImageComments
    assert "thorax" in made.SeriesDescription
    assert made.ProcedureCodeSequence[0].CodeMeaning == "REMOVED"


def twice(data_set: Dataset, by: Deidentifier | None = None) -> Dataset:
    """Return what is released, after a second pass that must change nothing."""
    by = by or engine()
    once = b"".join(write_instance(by.apply(read_instance(file_of(data_set)), SUBJECT).instance))
    second = by.apply(read_instance(once), Subject(SUBJECT.number, 0))
    assert b"".join(write_instance(second.instance)) == once
    return pydicom.dcmread(io.BytesIO(once))


def test_labels_that_lose_all_words_still_differ_and_references_follow():
    layers = [Dataset() for _ in range(3)]
    for layer, name in zip(layers, ("ZORBLAX", "QUUXA", "ZORBLAX"), strict=True):
        layer.GraphicLayer = name
    rois = [Dataset() for _ in range(3)]
    for number, roi in enumerate(rois, 7):
        roi.ROINumber, roi.ROIName = number, ("Liver", "Zorblax", "Quux Zorblax")[number - 7]
    segments = [Dataset() for _ in range(2)]
    for number, segment in enumerate(segments, 1):
        segment.SegmentNumber, segment.SegmentLabel = number, f"Zorblax{'xyz'[number]}"
    made = twice(
        slice_of_ct(
            GraphicLayerSequence=layers[:2],
            GraphicAnnotationSequence=layers[2:],
            StructureSetROISequence=rois,
            SegmentSequence=segments,
        )
    )
    names = [one.GraphicLayer for one in made.GraphicLayerSequence]
    assert len(set(names)) == 2
    assert made.GraphicAnnotationSequence[0].GraphicLayer == names[names.index("OTHER2") - 1]
    assert [one.ROIName for one in made.StructureSetROISequence] == ["Liver", "ROI 8", "ROI 9"]
    assert [one.SegmentLabel for one in made.SegmentSequence] == ["REMOVED", "REMOVED 2"]


def test_what_others_had_done_before_stays_said():
    codes = [Dataset() for _ in range(4)]
    for code, value in zip(codes, ("113100", "113101", "113106", "4711"), strict=True):
        code.CodeValue, code.CodeMeaning = value, "Zorblax"
        code.CodingSchemeDesignator = "DCM" if value != "4711" else "99ZORBLAX"
    made = twice(
        slice_of_ct(
            DeidentificationMethod=["Zorblax", "DICOM PS 3.15"],
            DeidentificationMethodCodeSequence=codes,
        )
    )
    values = [code.CodeValue for code in made.DeidentificationMethodCodeSequence]
    assert values[0] == "113100"
    assert values.count("113100") == values.count("113101") == 1
    assert not {"113106", "4711"} & set(values)
    assert made.DeidentificationMethod[-1].startswith("Lesionary")
    assert "DICOM" in made.DeidentificationMethod[0]


def test_a_named_and_numbered_file_is_the_same_after_a_second_pass():
    made = twice(
        slice_of_ct(
            PatientName="Swan^Bella", PatientID="482137", InstitutionName="Pool Clinic",
            StationName="CT4711", DeviceSerialNumber="48213", OperatorsName="Free^Paul",
            StudyDescription="CT swan 482137 chest pool free", SeriesNumber="482137",
            SeriesDescription="5 swan 12.3 chest 4 5", BodyPartExamined="CHEST",
        )
    )  # fmt: skip
    assert "CHEST" in made.StudyDescription.upper()
    assert made.BodyPartExamined == "CHEST"


@pytest.mark.parametrize("number", ["1234", "5000", "100000", "180000"])
def test_an_image_never_loses_a_measure_that_is_somebodys_number(number):
    measures = {
        "SliceThickness": number, "ReconstructionDiameter": number, "RescaleSlope": number,
        "WindowWidth": number, "TableHeight": number, "SpacingBetweenSlices": number,
        "ImagePositionPatient": [number, "0", number], "PixelSpacing": [number, "1"],
    }  # fmt: skip
    made = released(slice_of_ct(PatientID=number, StudyID=number, **measures))
    kept = {keyword: getattr(made, keyword) for keyword in measures}
    assert all(value is not None and value != [] for value in kept.values())
    assert [float(one) for one in kept["ImagePositionPatient"]] == [float(number), 0, float(number)]
