"""Objects of the corpus that speak of images: masks, contours, reports, presentations, plans."""

from collections.abc import Sequence as Many

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .base import CT, Person, Workshop, code, items, pixels, reference
from .draft import QUARANTINED, Draft

_STORAGE = "1.2.840.10008.5.1.4.1.1."


def all_objects(shop: Workshop, person: Person, images: Many[Draft]) -> None:
    """Make one object of every kind; each refers to all of the images."""
    uids = [str(image.data_set.SOPInstanceUID) for image in images]
    seg(shop, person, uids)
    rtstruct(shop, person, uids)
    report(shop, person, uids)
    presentation(shop, person, uids)
    key_objects(shop, person, uids)
    dose(shop, person, uids)
    plan(shop, person)
    registration(shop, person, uids)
    real_world_map(shop, person, uids)
    spectrum(shop, person)
    waveform(shop, person)


def _referenced(shop: Workshop, uids: Many[str]) -> Sequence:
    return items(
        SeriesInstanceUID=shop.uid(1, 1),
        ReferencedInstanceSequence=Sequence([reference(CT, uid) for uid in uids]),
    )


def seg(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a segmentation of one lesion."""
    draft = shop.draft("objects/seg", _STORAGE + "66.4", "SEG", person, 41)
    ds, plant = draft.data_set, draft.word
    ds.ImageType, ds.SegmentationType = ["DERIVED", "PRIMARY"], "BINARY"
    ds.ContentLabel = plant("ContentLabel").upper()[:16]
    draft.text("ContentDescription", "liver tumor {}")
    ds.ContentCreatorName = draft.name("ContentCreatorName")
    ds.FrameOfReferenceUID = shop.uid(1, "frame")
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentAlgorithmType = 1, "SEMIAUTOMATIC"
    segment.SegmentAlgorithmName = f"AI {plant('SegmentAlgorithmName')}"
    draft.text("SegmentLabel", "Liver {}", segment)
    draft.text("SegmentDescription", "metastasis {} left", segment)
    segment.TrackingID, segment.TrackingUID = plant("TrackingID"), shop.uid(1, "tracked")
    segment.SegmentedPropertyCategoryCodeSequence = code("49755003", "SCT", "Morphology")
    segment.SegmentedPropertyTypeCodeSequence = code("4147007", "SCT", "Mass")
    ds.SegmentSequence = Sequence([segment])
    ds.ReferencedSeriesSequence = _referenced(shop, uids)
    frames = []
    for k, uid in enumerate(uids):
        source = reference(CT, uid)
        source.PurposeOfReferenceCodeSequence = code("121322", "DCM", "Source image")
        frame = Dataset()
        frame.DerivationImageSequence = items(
            SourceImageSequence=Sequence([source]),
            DerivationCodeSequence=code("113076", "DCM", "Segmentation"),
        )
        frame.FrameContentSequence = items(DimensionIndexValues=[1, k + 1])
        frame.PlanePositionSequence = items(
            ImagePositionPatient=["-20.5", "-30.25", f"{40 + 3 * k}"]
        )
        frame.SegmentIdentificationSequence = items(ReferencedSegmentNumber=1)
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    ds.SharedFunctionalGroupsSequence = items(
        PixelMeasuresSequence=items(PixelSpacing=["0.8", "0.7"], SliceThickness="3"),
        PlaneOrientationSequence=items(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"]),
    )
    pixels(draft, (len(uids), 8, 8), bits=8, stored=1)
    ds.BitsAllocated = 1
    ds.PixelData = np.packbits(np.arange(len(uids) * 64) % 3 == 0, bitorder="little").tobytes()
    return draft


def rtstruct(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a structure set."""
    draft = shop.draft("objects/rtstruct", _STORAGE + "481.3", "RTSTRUCT", person, 42)
    ds, plant = draft.data_set, draft.word
    ds.StructureSetLabel = plant("StructureSetLabel")[:16]
    draft.text("StructureSetName", "thorax {}")
    draft.text("StructureSetDescription", "planning CT {}")
    ds.StructureSetDate, ds.StructureSetTime = "20170304", "120000"
    ds.OperatorsName = draft.name("OperatorsName")
    roi = items(ROINumber=1, ReferencedFrameOfReferenceUID=shop.uid(1, "frame"))
    roi[0].ROIGenerationAlgorithm = "MANUAL"
    draft.text("ROIName", "GTV {}", roi[0])
    draft.text("ROIDescription", "left lung {}", roi[0])
    ds.StructureSetROISequence = roi
    observation = items(ObservationNumber=1, ReferencedROINumber=1, RTROIInterpretedType="GTV")
    observation[0].ROIInterpreter = draft.name("ROIInterpreter")
    observation[0].ROIObservationLabel = plant("ROIObservationLabel")[:16]
    ds.RTROIObservationsSequence = observation
    contours = []
    for k, uid in enumerate(uids):
        contour = Dataset()
        contour.ContourImageSequence = Sequence([reference(CT, uid)])
        contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 3
        z = str(40 + 3 * k)
        contour.ContourData = ["-19", "-29", z, "-15", "-29", z, "-15", "-24.5", z]
        contours.append(contour)
    ds.ROIContourSequence = items(ReferencedROINumber=1, ContourSequence=Sequence(contours))
    series = items(
        SeriesInstanceUID=shop.uid(1, 1),
        ContourImageSequence=Sequence([reference(CT, uid) for uid in uids]),
    )
    study = items(ReferencedSOPInstanceUID=shop.uid(1), RTReferencedSeriesSequence=series)
    study[0].ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    ds.ReferencedFrameOfReferenceSequence = items(
        FrameOfReferenceUID=shop.uid(1, "frame"), RTReferencedStudySequence=study
    )
    return draft


def _content(kind: str, concept: tuple[str, str, str], **values: object) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = "CONTAINS", kind
    ds.ConceptNameCodeSequence = code(*concept)
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def report(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a measurement report (TID 1500)."""
    draft = shop.draft("objects/sr", _STORAGE + "88.33", "SR", person, 43)
    ds, plant = draft.data_set, draft.word
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED"
    ds.ConceptNameCodeSequence = code("126000", "DCM", "Imaging Measurement Report")
    ds.ContentTemplateSequence = items(MappingResource="DCMR", TemplateIdentifier="1500")
    ds.VerifyingObserverSequence = items(
        VerifyingObserverName=draft.name("VerifyingObserverName"),
        VerifyingOrganization=plant("VerifyingOrganization"),
        VerificationDateTime="20170304101500",
    )
    ds.AuthorObserverSequence = items(
        ObserverType="PSN",
        PersonName=draft.name("AuthorObserver"),
        InstitutionName=plant("author's"),
    )
    ds.PredecessorDocumentsSequence = items(
        StudyInstanceUID=shop.uid(1), ReferencedSeriesSequence=_referenced_sops(shop, uids)
    )
    text = _content("TEXT", ("121106", "DCM", "Comment"))
    draft.text("TextValue", "lesion in the left lung {}", text)
    person_item = _content("PNAME", ("121008", "DCM", "Person Observer Name"))
    person_item.PersonName = draft.name("PNAME")
    tracked = _content("UIDREF", ("112040", "DCM", "Tracking Unique Identifier"))
    tracked.UID = shop.uid(1, "tracked")
    label = _content("TEXT", ("112039", "DCM", "Tracking Identifier"))
    label.TextValue = plant("Tracking Identifier")
    coded = _content("CODE", ("121071", "DCM", "Finding"))
    coded.ConceptCodeSequence = code(
        draft.number("CodeValue"), "99" + plant("scheme").upper()[:14], plant("CodeMeaning")
    )
    date = _content("DATE", ("121060", "DCM", "History"), Date="20170301")
    moment = _content("DATETIME", ("111526", "DCM", "DateTime Started"), DateTime="20170302091530")
    number = _content("NUM", ("410668003", "SCT", "Length"))
    number.MeasuredValueSequence = items(
        NumericValue="12.5", MeasurementUnitsCodeSequence=code("mm", "UCUM", "millimeter")
    )
    image = _content("IMAGE", ("121112", "DCM", "Source of Measurement"))
    image.ReferencedSOPSequence = Sequence([reference(CT, uids[0])])
    group = _content(
        "CONTAINER", ("125007", "DCM", "Measurement Group"), ContinuityOfContent="SEPARATE"
    )
    group.ContentSequence = Sequence([label, tracked, number, image, coded, text])
    ds.ContentSequence = Sequence([person_item, date, moment, group])
    ds.CurrentRequestedProcedureEvidenceSequence = items(
        StudyInstanceUID=shop.uid(1), ReferencedSeriesSequence=_referenced_sops(shop, uids)
    )
    return draft


def _referenced_sops(shop: Workshop, uids: Many[str]) -> Sequence:
    return items(
        SeriesInstanceUID=shop.uid(1, 1),
        ReferencedSOPSequence=Sequence([reference(CT, uid) for uid in uids]),
    )


def presentation(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a presentation state with a graphic annotation."""
    draft = shop.draft("objects/pr", _STORAGE + "11.1", "PR", person, 44)
    ds, plant = draft.data_set, draft.word
    ds.ContentLabel, ds.ContentCreatorName = (
        plant("pr: label").upper()[:16],
        draft.name("pr: creator"),
    )
    draft.text("ContentDescription", "lung window {}")
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20170303", "120000"
    ds.ReferencedSeriesSequence = items(
        SeriesInstanceUID=shop.uid(1, 1),
        ReferencedImageSequence=Sequence([reference(CT, uid) for uid in uids]),
    )
    text = items(UnformattedTextValue=f"lesion {plant('UnformattedTextValue')}")
    text[0].AnchorPoint, text[0].AnchorPointVisibility = [5.0, 5.0], "Y"
    text[0].AnchorPointAnnotationUnits = "PIXEL"
    drawing = items(GraphicAnnotationUnits="PIXEL", GraphicDimensions=2, NumberOfGraphicPoints=2)
    drawing[0].GraphicData, drawing[0].GraphicType = [1.0, 1.0, 4.0, 4.0], "POLYLINE"
    drawing[0].GraphicFilled = "N"
    ds.GraphicAnnotationSequence = items(
        GraphicLayer=plant("GraphicLayer").upper()[:16],
        ReferencedImageSequence=Sequence([reference(CT, uids[0])]),
        TextObjectSequence=text,
        GraphicObjectSequence=drawing,
    )
    ds.GraphicLayerSequence = items(
        GraphicLayer="LAYER", GraphicLayerOrder=1, GraphicLayerDescription=plant("layer")
    )
    ds.PresentationLUTShape = "IDENTITY"
    return draft


def key_objects(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a key object selection."""
    draft = shop.draft("objects/ko", _STORAGE + "88.59", "KO", person, 45)
    ds = draft.data_set
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = code("113000", "DCM", "Of Interest")
    text = _content("TEXT", ("113012", "DCM", "Key Object Description"))
    text.TextValue = f"see {draft.word('key object description')}"
    image = Dataset()
    image.RelationshipType, image.ValueType = "CONTAINS", "IMAGE"
    image.ReferencedSOPSequence = Sequence([reference(CT, uids[0])])
    ds.ContentSequence = Sequence([text, image])
    ds.CurrentRequestedProcedureEvidenceSequence = items(
        StudyInstanceUID=shop.uid(1), ReferencedSeriesSequence=_referenced_sops(shop, uids[:1])
    )
    return draft


def dose(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a dose in 32 bits."""
    draft = shop.draft("objects/rtdose", _STORAGE + "481.2", "RTDOSE", person, 46)
    ds = draft.data_set
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    ds.DoseComment = draft.word("DoseComment")
    ds.DoseGridScaling, ds.FrameOfReferenceUID = "0.000001", shop.uid(1, "frame")
    ds.GridFrameOffsetVector = ["0", "3"]
    ds.ReferencedRTPlanSequence = items(
        ReferencedSOPClassUID=_STORAGE + "481.5", ReferencedSOPInstanceUID=shop.uid(1, 47, 1)
    )
    pixels(draft, (2, 5, 6), bits=16)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 32, 32, 31
    ds.PixelData = np.arange(60, dtype="<u4").tobytes()
    ds["PixelData"].VR = "OW"
    return draft


def plan(shop: Workshop, person: Person) -> Draft:
    """Return a treatment plan."""
    draft = shop.draft("objects/rtplan", _STORAGE + "481.5", "RTPLAN", person, 47)
    ds, plant = draft.data_set, draft.word
    ds.RTPlanLabel, ds.RTPlanName = plant("RTPlanLabel")[:16], plant("RTPlanName")
    ds.RTPlanDescription, ds.RTPlanDate, ds.RTPlanTime = (
        plant("RTPlanDescription"),
        "20170305",
        "09",
    )
    ds.RTPlanGeometry, ds.TreatmentSites = "PATIENT", plant("TreatmentSites")
    ds.BeamSequence = items(
        BeamNumber=1, BeamName=plant("BeamName"), BeamDescription=plant("BeamDescription"),
        TreatmentMachineName=plant("TreatmentMachineName")[:16], BeamType="STATIC",
        RadiationType="PHOTON",
    )  # fmt: skip
    ds.ReferencedStructureSetSequence = items(
        ReferencedSOPClassUID=_STORAGE + "481.3", ReferencedSOPInstanceUID=shop.uid(1, 42, 1)
    )
    ds.ApprovalStatus, ds.ReviewerName = "APPROVED", draft.name("ReviewerName")
    return draft


def registration(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a spatial registration."""
    draft = shop.draft("objects/reg", _STORAGE + "66.1", "REG", person, 48)
    ds = draft.data_set
    ds.ContentLabel, ds.ContentCreatorName = "REGISTRATION", draft.name("reg: creator")
    ds.ContentDescription = draft.word("reg: description")
    ds.FrameOfReferenceUID = shop.uid(1, "frame")
    matrix = items(FrameOfReferenceTransformationMatrixType="RIGID")
    matrix[0].FrameOfReferenceTransformationMatrix = [str(float(v)) for v in np.eye(4).ravel()]
    ds.RegistrationSequence = items(
        FrameOfReferenceUID=shop.uid(1, "frame"),
        ReferencedImageSequence=Sequence([reference(CT, uid) for uid in uids]),
        MatrixRegistrationSequence=items(
            MatrixSequence=matrix, FrameOfReferenceTransformationComment=draft.word("reg: comment")
        ),
    )
    return draft


def real_world_map(shop: Workshop, person: Person, uids: Many[str]) -> Draft:
    """Return a real world value mapping."""
    draft = shop.draft("objects/rwv", _STORAGE + "67", "RWV", person, 49)
    ds = draft.data_set
    ds.ContentLabel, ds.ContentCreatorName = "RWV", draft.name("rwv: creator")
    mapping = items(
        RealWorldValueIntercept=0.0, RealWorldValueSlope=0.5, LUTLabel="SUV",
        LUTExplanation=f"SUV {draft.word('LUTExplanation')}",
        RealWorldValueFirstValueMapped=0, RealWorldValueLastValueMapped=4095,
        MeasurementUnitsCodeSequence=code("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value"),
    )  # fmt: skip
    for keyword in ("RealWorldValueFirstValueMapped", "RealWorldValueLastValueMapped"):
        mapping[0][keyword].VR = "US"
    ds.ReferencedImageRealWorldValueMappingSequence = items(
        ReferencedImageSequence=Sequence([reference(CT, uid) for uid in uids]),
        RealWorldValueMappingSequence=mapping,
    )
    return draft


def spectrum(shop: Workshop, person: Person) -> Draft:
    """Return a spectrum."""
    draft = shop.draft("objects/spectrum", _STORAGE + "4.2", "MR", person, 50, study=2)
    ds = draft.data_set
    ds.ImageType, ds.Rows, ds.Columns = ["ORIGINAL", "PRIMARY", "SPECTROSCOPY", "NONE"], 1, 1
    ds.DataPointRows, ds.DataPointColumns, ds.DataRepresentation = 1, 8, "COMPLEX"
    ds.SignalDomainColumns, ds.NumberOfFrames = "TIME", 1
    ds.SpectroscopyData = np.arange(16, dtype="<f4").tobytes()
    draft.put(0x0018_9098, "FD", b"\0\0\0\0\0\0\x4f\x40")
    ds.VolumeLocalizationTechnique = "PRESS"
    ds.ImageComments = draft.word("spectrum: comments")
    return draft


def waveform(shop: Workshop, person: Person) -> Draft:
    """Return an ECG: samples of a body, and texts that no rule reads."""
    draft = shop.draft("objects/ecg", _STORAGE + "9.1.1", "ECG", person, 51, outcome=QUARANTINED)
    ds = draft.data_set
    channel = items(
        ChannelLabel=draft.word("ChannelLabel"), WaveformBitsStored=16,
        ChannelSourceSequence=code("2:1", "MDC", "Lead I"),
    )  # fmt: skip
    wave = items(
        MultiplexGroupLabel=draft.word("MultiplexGroupLabel"), NumberOfWaveformChannels=1,
        NumberOfWaveformSamples=4, SamplingFrequency="500", ChannelDefinitionSequence=channel,
        WaveformBitsAllocated=16, WaveformSampleInterpretation="SS", WaveformOriginality="ORIGINAL",
    )  # fmt: skip
    draft.put(0x54001010, "OW", b"\1\0\2\0\3\0\4\0", wave[0])
    ds.WaveformSequence = wave
    ds.WaveformAnnotationSequence = items(
        UnformattedTextValue=draft.word("WaveformAnnotation"), ReferencedWaveformChannels=[1, 1]
    )
    ds.AcquisitionContextSequence = items(ValueType="TEXT", TextValue=draft.word("context"))
    return draft
