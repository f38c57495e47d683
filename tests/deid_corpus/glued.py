"""Identifiers of the header that texts repeat in other spellings, glued to words; and look-alikes.

Each is made from a form: ``@`` is a letter, ``#`` a digit from 1 to 9, anything else is itself.
"""

import re

from .base import Person, Workshop, code
from .draft import Kept
from .identities import Mint
from .images import ct, mr

LETTERS = "AEGKQUZ"
"""Of no term of technique: a vertebra, a weighting, a b-value with a number looks like an ID."""

FORMS = (
    ("PatientID", "##-###"), ("PatientID", "@##"), ("PatientID", "@0#"), ("PatientID", "###.##"),
    ("PatientID", "Case #"), ("PatientID", "LUNG#-0##"), ("PatientID", "0#-##-@"),
    ("AccessionNumber", "@@####"), ("AccessionNumber", "##-###"), ("AccessionNumber", "#####"),
    ("StudyID", "@##"), ("StudyID", "####/##"), ("OtherPatientIDs", "Subject ##"),
    ("OtherPatientIDs", "@_##_##"), ("OtherPatientIDs", "#### #### ##"),
    ("DeviceSerialNumber", "@@-####-@@"), ("DeviceSerialNumber", "@@^#####"),
)  # fmt: skip
"""Where an identifier stands, and what it looks like."""

SERIES = 95
_GAPS = ("-", "_", " ", ".", "/")
_RUNS = re.compile(r"[A-Za-z]+|[0-9]+")


def glued(shop: Workshop) -> None:
    """Make a slice for each form of an identifier, its texts full of it."""
    for number, (keyword, form) in enumerate(FORMS):
        identifier = made(shop.mint, form)
        person = shop.person()
        if keyword == "PatientID":
            person = Person(person.name, identifier, person.birth)
        draft = ct(shop, person, f"glued/{number:02d}", number, series=SERIES, study=95)
        ds = draft.data_set
        draft.forget(keyword)
        setattr(ds, keyword, identifier)
        draft.token(identifier, "identifier", keyword)
        runs = _RUNS.findall(identifier)
        spaced = shop.mint.random.choice(_GAPS).join(runs)
        closed = "".join(runs)
        draft.kept.clear()
        draft.forget("StudyDescription", "SeriesDescription")
        for target, text in {
            "SeriesDescription": f"liver CT{identifier} axial",
            "StudyDescription": f"thorax {spaced} contrast",
            "ProtocolName": f"{identifier.lower()} chest",
            "ImageComments": f"lesion {identifier} mm; nodule qq{closed}qq; mass MRI{closed}",
            "AcquisitionProtocolDescription": f"arterial ({spaced}), venous",
        }.items():
            setattr(ds, target, text)
        for target, words in {
            "SeriesDescription": "liver axial", "StudyDescription": "thorax contrast",
            "ProtocolName": "chest", "ImageComments": "lesion nodule mass",
            "AcquisitionProtocolDescription": "arterial venous",
        }.items():  # fmt: skip
            draft.kept.append(Kept(int(ds.data_element(target).tag), tuple(words.split())))


def made(mint: Mint, form: str) -> str:
    """Return an identifier of a form that nobody has."""
    signs = {"@": LETTERS, "#": "123456789"}
    while True:
        pick = mint.random.choice
        text = "".join(pick(signs[one]) if one in signs else one for one in form)
        if text.casefold() not in mint.taken:
            mint.taken.add(text.casefold())
            return text


def lookalikes(shop: Workshop) -> None:
    """Make slices of people and things that are called like terms, which have to stay."""
    mint = shop.mint
    for number, (identifier, station, operator) in enumerate(
        [("T2", "Skyra", "SE"), ("L4", "SKYRA", "AX"), ("T1W", "MR1", "Se^Ax"), ("12", "MR01", "M")]
    ):
        person = Person(f"Lung^{mint.word()}", identifier, mint.birth())
        path = f"lookalikes/{number}"
        draft = mr(shop, person, path)
        ds = draft.data_set
        ds.SOPInstanceUID, ds.SeriesInstanceUID = shop.uid(96, 1, number), shop.uid(96, 1)
        ds.StudyInstanceUID = shop.uid(96, number)
        draft.forget("PatientName", "PatientID", "StationName")
        ds.StationName, ds.OperatorsName = station, operator
        ds.ManufacturerModelName, ds.SequenceName = "Skyra", "*se2d1_9"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.BodyPartExamined = "LUNG"
        ds.AnatomicRegionSequence = code("39607008", "SCT", "Lung")
        draft.text("AcquisitionProtocolDescription", "T2 FLAIR L4 12 mm T1W {} 3.0 mm 24 slices")
        for keyword, words in {
            "ManufacturerModelName": "Skyra", "SequenceName": "*se2d1_9", "ImageType": "AXIAL",
            "BodyPartExamined": "LUNG",
        }.items():  # fmt: skip
            draft.kept.append(Kept(int(ds.data_element(keyword).tag), (words,)))
        draft.kept.append(Kept(0x00080104, ("Lung",)))
