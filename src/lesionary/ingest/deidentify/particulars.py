"""Elements that are judged otherwise than others of their representation, and why."""

from collections.abc import Mapping
from types import MappingProxyType

EQUIPMENT = frozenset({0x00080070, 0x00081090})
"""Manufacturer and model: there a maker's name is no person's."""

MAKERS = (
    "Accuray", "ADAC", "Agfa", "Bruker", "Canon", "Carestream", "Corporation", "CTI",
    "Discovery", "Elekta", "Elscint", "Esaote", "Fonar", "Fuji", "Fujifilm", "GE", "Healthcare",
    "Healthineers", "Hitachi", "Hologic", "Imatron", "Ingenia", "Ingenuity", "Konica", "Marconi",
    "Medical", "Mediso", "Medtronic", "MILabs", "Minolta", "Neurologica", "Neusoft", "Nihon",
    "PerkinElmer", "Philips", "Picker", "Planmeca", "Rigaku", "Samsung", "Shimadzu",
    "Siemens", "Signa", "Skyscan", "ST", "STE", "Systems", "TF", "Toshiba", "UIH", "United",
    "Imaging", "Varian", "VCT", "Vereos", "Xoran", "Ziehm",
)  # fmt: skip

NEVER_EMPTY = frozenset(
    {
        0x00080070,  # manufacturer, model, version: enhanced objects must have them
        0x00081090,
        0x00181020,
        0x0040A160,  # text of a report's item
        0x00620005,  # label of a segment, its algorithm, its name through time
        0x00620009,
        0x00620020,
        0x00700001,  # annotation, layer and text of a presentation state
        0x00700002,
        0x00700006,
        0x00700080,  # label of a presentation state, registration, segmentation
        0x30060002,  # label of a structure set
        0x300A0002,  # label of a plan
    }
)
"""Texts that their objects must have: where no word may stay, a stand-in does."""

TERMS: Mapping[int, frozenset[bytes]] = MappingProxyType(
    {
        0x00281054: frozenset(
            {b"OD REL", *b"HU US OD MGML Z_EFF ED EDW HU_MOD PCT BQML SUV SUVBW CNTS".split()}
        ),
        0x00283004: frozenset(b"HU US OD MGML PCT".split()),
        0x0070030C: frozenset(b"RIGID RIGID_SCALE AFFINE".split()),
        0x00189054: frozenset(b"ILOPS PRESS SLIM STEAM NONE".split()),
        0x00080112: frozenset({b"HL7"}),
    }
)
"""Defined terms, where some of them would be names elsewhere: units of rescaled values, kinds of a
matrix, ways to select a volume, a registry of coding schemes."""

COUNTS = frozenset(
    {
        0x00180036,  # of an intervention
        0x00181074,  # dose in Bq
        0x00181077,
        0x00181152,  # exposure, also in µAs
        0x00181153,
        0x00181242,  # duration of a frame in ms
        0x00280008,  # frames
        0x00541300,  # time of a frame in ms
        0x00541310,  # counts
        0x00541311,
        0x0040A30A,  # a measurement of a report
    }
)
"""Whole numbers that may have many digits; anywhere else they are a record's or a date."""

RECORD_DIGITS: Mapping[str, int] = MappingProxyType({"IS": 8, "DS": 8})
"""From so many digits on a number is taken for a record's, by representation."""
