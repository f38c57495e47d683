"""Places where nobody looks: nested, private, unknown, wrongly typed, beside the data set."""

import base64
import struct
from collections.abc import Callable
from urllib.parse import quote

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from .base import Person, Workshop, items
from .draft import Draft, element, implicit, item
from .images import ct, mr

LEVELS = 10


def nested(shop: Workshop, person: Person) -> Draft:
    """Return an MR with identity on ten levels of sequences."""
    draft = mr(shop, person, "nested/mr")
    draft.data_set.SOPInstanceUID = shop.uid(2, 11, 2)
    inner = Dataset()
    for level in range(LEVELS, 0, -1):
        inner.PatientName = draft.name(f"level {level}: name")
        inner.CodeMeaning = draft.word(f"level {level}: meaning")
        inner.CodeValue, inner.CodingSchemeDesignator = draft.number(f"level {level}: code"), "99X"
        inner.InstitutionAddress = draft.token(
            shop.mint.address(), "address", f"level {level}: address"
        )
        outer = Dataset()
        keyword = (
            "RequestAttributesSequence",
            "ConceptCodeSequence",
            "ProcedureCodeSequence",
            "ReferencedStudySequence",
            "AnatomicRegionSequence",
        )[level % 5]
        setattr(outer, keyword, Sequence([inner]))
        inner = outer
    draft.data_set.update(inner)
    return draft


def private(shop: Workshop, person: Person) -> Draft:
    """Return an MR with private elements, of creators known, unknown and none."""
    draft = mr(shop, person, "private/mr")
    ds, put = draft.data_set, draft.put
    ds.SeriesInstanceUID = shop.uid(2, 12)
    ds.SOPInstanceUID = shop.uid(2, 12, 1)
    plant = draft.word
    put(0x00090010, "LO", plant("creator's own name").encode())
    put(0x00091001, "LO", plant("unknown creator: LO").encode())
    put(0x00091002, "PN", plant("unknown creator: PN").encode())
    put(0x00091003, "OB", plant("unknown creator: OB").encode())
    put(0x00190010, "LO", b"SIEMENS MR HEADER ")
    put(0x0019100C, "IS", plant("safe element, wrong value").encode())
    put(0x00191008, "CS", plant("known creator: CS").encode())
    put(0x00290010, "LO", b"SIEMENS CSA HEADER")
    csa = b"SV10\4\3\2\1" + plant("CSA header").encode()
    put(0x00291010, "OB", csa)
    put(0x00291020, "OB", plant("CSA series header").encode())
    put(0x20010010, "LO", b"Philips Imaging DD 001")
    put(0x20011003, "FL", plant("Philips: FL").encode().ljust(16))
    put(0x20050010, "LO", b"Philips MR Imaging DD 005 ")
    inner = items(PatientName=draft.name("private sequence: name"))
    ds.add_new(0x2005140F, "SQ", inner)
    put(0x00431001, "LO", plant("no creator").encode())
    put(0x00110001, "LO", plant("below the creators").encode())
    put(0x00130010, "LO", b"GEMS_PATI_01")
    put(0x00131013, "UN", implicit_sequence(plant("private UN with a sequence")))
    put(0x00170010, "UN", plant("creator as UN").encode())
    return draft


def implicit_sequence(name: str) -> bytes:
    """Return what a UN holds that was a sequence once: implicit, little-endian."""
    value = item(implicit(0x00100010, name.encode()))
    return item(implicit(0x00400275, value)) + item(implicit(0x00080050, name.encode()))


def unknown(shop: Workshop, person: Person) -> Draft:
    """Return a CT with UN, unknown public elements, wrong VRs and group lengths."""
    draft = ct(shop, person, "unknown/ct", 0, series=61)
    put, plant = draft.put, draft.word
    put(0x00101090, "UN", plant("UN: medical record locator").encode())
    put(0x00401002, "UN", plant("UN: reason for procedure").encode())
    put(0x00400275, "UN", implicit_sequence(plant("UN holding a sequence")))
    put(0x00080F01, "LO", plant("unknown public").encode())
    put(0x00181234, "UN", plant("unknown public UN").encode())
    put(0x00107777, "PN", plant("unknown public PN").encode())
    put(0x40087777, "LT", plant("retired group").encode())
    put(0x00281101, "US", plant("retired US").encode())
    for tag, vr in (
        (0x00201208, "IS"),
        (0x00180088, "DS"),
        (0x00080201, "SH"),
        (0x00200052, "UI"),
        (0x00080022, "DA"),
        (0x00080032, "TM"),
        (0x0008002A, "DT"),
        (0x00101010, "AS"),
        (0x00180015, "CS"),
        (0x00400241, "AE"),
        (0x00080012, "DA"),
        (0x00280009, "AT"),
        (0x00189073, "FD"),
        (0x00281050, "DS"),
        (0x00200062, "CS"),
        (0x00180060, "DS"),
    ):
        put(tag, vr, plant(f"name in {vr} {tag:08x}").encode()[:16])
    put(0x00180087, "LO", plant("LO where DS belongs").encode())
    put(0x00080005 + 0x1C, "PN", plant("PN where DA belongs").encode())
    put(0x00180010, "PN", plant("PN where LO belongs").encode())
    put(0x00204000, "UT", plant("UT where LT belongs").encode())
    put(0x00080300, "LO", plant("LO where SQ belongs").encode())
    put(0x00081190, "UR", draft.token(shop.mint.url(), "url", "RetrieveURL").encode())
    put(0x0040E010, "UR", draft.token(shop.mint.url(), "url", "RetrieveURI").encode())
    draft.raw[0x00100000] = element(0x00100000, "UL", shop.mint.word().encode()[:4])
    return draft


def beside(shop: Workshop, person: Person) -> Draft:
    """Return a CT with identity in the preamble and the file meta information."""
    draft = ct(shop, person, f"beside/{draft_name(shop)}.dcm", 0, series=62)
    draft.token(draft.path.removeprefix("beside/").removesuffix(".dcm"), "name", "file's name")
    tiff = b"II*\0" + struct.pack("<L", 8)
    draft.preamble = (tiff + draft.word("preamble, TIFF").encode()).ljust(128, b"\0")
    draft.meta = b"".join(
        (
            element(0x00020013, "SH", draft.word("meta: version name").encode()[:16]),
            element(0x00020016, "AE", draft.word("meta: source AE title").encode()[:16]),
            element(0x00020017, "AE", draft.word("meta: sending AE title").encode()[:16]),
            element(0x00020026, "UR", draft.token(shop.mint.url(), "url", "meta: URL").encode()),
            element(0x00020100, "UI", b"1.2.826.0.1." + draft.number("meta: creator").encode()),
            element(0x00020102, "OB", draft.word("meta: private information").encode()),
        )
    )
    return draft


def draft_name(shop: Workshop) -> str:
    """Return a file's name that is a person's."""
    return shop.mint.word()


def people(shop: Workshop, person: Person) -> Draft:
    """Return a CT with everything that a registration desk knows."""
    draft = ct(shop, person, "people/ct", 0, ImplicitVRLittleEndian, series=63)
    ds, mint, token = draft.data_set, shop.mint, draft.token
    for keyword in (
        "OtherPatientNames",
        "PatientBirthName",
        "PatientMotherBirthName",
        "ResponsiblePerson",
        "RequestingPhysician",
        "OperatorsName",
        "PhysiciansOfRecord",
        "PerformingPhysicianName",
        "NameOfPhysiciansReadingStudy",
        "ConsultingPhysicianName",
        "ScheduledPerformingPhysicianName",
        "HumanPerformerName",
        "PersonName",
        "NamesOfIntendedRecipientsOfResults",
    ):
        setattr(ds, keyword, token(mint.western(), "name", keyword))
    ds.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (
        "OtherPatientIDs",
        "AdmissionID",
        "MedicalRecordLocator",
        "PerformedProcedureStepID",
        "RequestedProcedureID",
        "FillerOrderNumberImagingServiceRequest",
        "PlateID",
        "DetectorID",
        "GantryID",
        "CassetteID",
        "InsurancePlanIdentification",
    ):
        setattr(ds, keyword, token(mint.code()[:16], "number", keyword))
    ds.PatientAddress = token(mint.address(), "address", "PatientAddress")
    ds.InstitutionAddress = token(mint.address(), "address", "InstitutionAddress")
    ds.PatientTelephoneNumbers = token(mint.phone(), "phone", "PatientTelephoneNumbers")
    ds.PatientTelecomInformation = token(mint.email(), "email", "PatientTelecomInformation")
    for keyword in (
        "InstitutionalDepartmentName",
        "CountryOfResidence",
        "RegionOfResidence",
        "Occupation",
        "PatientReligiousPreference",
        "MilitaryRank",
        "BranchOfService",
        "EthnicGroup",
        "RequestingService",
        "CurrentPatientLocation",
        "PatientInstitutionResidence",
        "ReasonForStudy",
        "AdmittingDiagnosesDescription",
        "RequestedProcedureDescription",
        "PerformedProcedureStepDescription",
        "ScheduledProcedureStepDescription",
        "Allergies",
        "MedicalAlerts",
        "SpecialNeeds",
        "PatientState",
        "AcquisitionComments",
        "DerivationDescription",
        "AcquisitionProtocolDescription",
        "ContrastBolusAgent",
        "SoftwareVersions",
        "ManufacturerModelName",
        "ImageComments",
        "StudyComments",
        "InterpretationText",
        "Impressions",
        "ClinicalTrialSponsorName",
        "ClinicalTrialSiteName",
        "ClinicalTrialProtocolName",
        "ClinicalTrialSubjectID",
        "FilterType",
    ):
        word = token(mint.word(), "name", keyword)
        setattr(
            ds, keyword, word.upper()[:16] if keyword in {"EthnicGroup", "FilterType"} else word
        )
    free = f"Please call {token(mint.word(), 'name', 'free text')} at"
    free += f" {token(mint.phone(), 'phone', 'free text')},"
    free += f" {token(mint.email(), 'email', 'free text')},"
    free += f" MRN {draft.number('free text')}, born {token(mint.birth(), 'date', 'free text')},"
    free += f" lives {token(mint.address(), 'address', 'free text')};"
    free += f" {token(mint.url(), 'url', 'free text')} {token(mint.site(), 'site', 'free text')}"
    ds.PatientComments = free + " 5 mm nodule in the left lung"
    ds.PatientBirthTime, ds.PatientAge = "031500", "097Y"
    return draft


def obfuscated(shop: Workshop, person: Person) -> Draft:
    """Return a CT whose texts hide names from whoever searches for them."""
    draft = ct(shop, person, "obfuscated/ct", 0, series=64)
    ds = draft.data_set
    draft.kept.clear()
    draft.forget(*_DISGUISES)
    for keyword, hide in _DISGUISES.items():
        name = shop.mint.word()
        hidden = hide(name)
        setattr(ds, keyword, hidden[:64] if keyword != "ImageComments" else hidden)
        draft.token(hidden[:64], "name", f"{keyword}: disguised", is_obfuscated=True)
        draft.token(name, "name", f"{keyword}: in disguise", is_obfuscated=True)
    draft.put(0x00104000, "LT", shop_utf16(draft, shop))
    return draft


def shop_utf16(draft: Draft, shop: Workshop) -> bytes:
    """Return a name in UTF-16, in a text that is none."""
    return draft.token(shop.mint.word(), "name", "UTF-16", is_obfuscated=True).encode("utf-16le")


def _turned(name: str) -> str:
    return name[::-1]


_DISGUISES: dict[str, Callable[[str], str]] = {
    "SeriesDescription": lambda name: ".".join(name.lower()),
    "StudyDescription": lambda name: base64.b64encode(name.encode()).decode(),
    "ProtocolName": lambda name: name.encode().hex(),
    "ImageComments": _turned,
    "RequestedProcedureDescription": lambda name: quote(name, safe="").replace("a", "%61"),
    "AcquisitionComments": " ".join,
    "DerivationDescription": lambda name: name[:4] + "-" + name[4:],
    "ContrastBolusAgent": lambda name: name.replace("e", "3").replace("o", "0"),
    "PerformedProcedureStepDescription": lambda name: name.upper() + "CT",
    "InstitutionalDepartmentName": lambda name: name[:5] + "\\" + name[5:],
    "FilterMaterial": lambda name: name.swapcase()[:16],
    "AdditionalPatientHistory": lambda name: "liver" + name.lower() + "mass",
    "StudyComments": lambda name: name[:3] + "\n" + name[3:],
}


def codes(shop: Workshop, person: Person) -> Draft:
    """Return a CT whose codes are names."""
    draft = ct(shop, person, "codes/ct", 0, series=65)
    ds = draft.data_set
    plant, number = draft.word, draft.number
    values = Dataset()
    values.CodeValue, values.CodeMeaning = plant("CodeValue")[:16], plant("CodeMeaning")
    values.CodingSchemeDesignator = plant("CodingSchemeDesignator")[:16]
    values.CodingSchemeVersion, values.MappingResource = plant("version")[:16], "DCMR"
    values.ContextGroupExtensionFlag = "N"
    long = Dataset()
    long.LongCodeValue, long.CodingSchemeDesignator = number("LongCodeValue", 12), "SCT"
    long.CodeMeaning = f"Liver {plant('meaning beside a sound scheme')}"
    urn = Dataset()
    urn.URNCodeValue, urn.CodeMeaning = f"urn:oid:1.2.{number('URN')}", plant("URN meaning")
    sound = Dataset()
    sound.CodeValue, sound.CodingSchemeDesignator = number("DCM code", 9), "DCM"
    sound.CodeMeaning = plant("sound?")
    ds.ProcedureCodeSequence = Sequence([values, long, urn, sound])
    ds.AnatomicRegionSequence = items(
        CodeValue="10200004", CodingSchemeDesignator="SCT", CodeMeaning="Liver"
    )
    ds.CodingSchemeIdentificationSequence = items(
        CodingSchemeDesignator=plant("scheme")[:16],
        CodingSchemeName=plant("scheme's name"),
        CodingSchemeResponsibleOrganization=plant("organization"),
    )
    return draft
