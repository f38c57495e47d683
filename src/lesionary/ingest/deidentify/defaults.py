"""What happens to the elements that the standard's table does not name.

The standard keeps them. A table of names cannot say that nobody ever wrote a name into an
attribute that it does not list, so here every element goes by its kind of value: numbers stay,
text, codes, dates are cleaned, UIDs are replaced, names are emptied, and bytes go unless they are
numbers that an image cannot do without. What the dictionary does not know goes.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lesionary.ingest.deidentify.dictionary import standard_vr
from lesionary.ingest.deidentify.table import Action

_NUMBERS = frozenset({"DS", "IS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV", "AT"})
_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "CS", "AE", "AS"})
TEMPORAL = frozenset({"DA", "DT", "TM"})
BYTES = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})

BY_VR: Mapping[str, Action] = MappingProxyType(
    {
        **dict.fromkeys(_NUMBERS, Action.KEEP),
        **dict.fromkeys(_TEXT | TEMPORAL, Action.CLEAN),
        **dict.fromkeys(BYTES | {"UR"}, Action.REMOVE),
        "UI": Action.UID,
        "PN": Action.EMPTY,
        "SQ": Action.RECURSE,
    }
)
"""What a kind of value meets; a link (``UR``) leads somewhere, and no word of it is harmless."""

NEEDED_BYTES = frozenset(
    {
        0x00181638,  # vertices of a polygonal outline
        *range(0x00281200, 0x00281205),  # lookup tables: grey, red, green, blue, alpha
        *range(0x00281211, 0x00281214),  # large palettes
        *range(0x00281221, 0x00281225),  # segmented palettes
        0x00281408,  # blending lookup table
        0x00283006,  # lookup table of a modality, a window, a presentation
        0x003A032E,  # lookup table of a filter
        0x00640009,  # vectors of a deformable registration
        0x00660016,  # points of a surface, as single and as double numbers
        0x00660022,
        0x00660021,  # vectors of a surface
        *range(0x00660023, 0x00660026),  # indices of triangles, edges, vertices (retired)
        0x00660029,
        *range(0x00660040, 0x00660044),  # the same today
        0x00660103,  # colours of tracts
        0x00660125,  # values along a tract
        0x00660129,  # points of a tract
        0x006A0011,  # indices of annotations
        0x0070150D,  # points of a curve in a volume
        0x00701A07,  # directions of a curve in a volume
        0x300A0664,  # thickness of a compensator, proximal
        0x300A0665,  # thickness of a compensator, distal
        0x300A066B,  # edge of a block
        0x56000010,  # phase correction of a spectrum
        0x56000020,  # a spectrum
        0x7FE00001,  # where frames begin in compressed pixel data
        0x7FE00002,  # how long they are
    }
)
"""Bytes that are plain numbers of the image, its display or its geometry, by the standard.

Not among them: pixel data (the engine judges those of the image itself; any other are an image
within the image), ICC profiles (they hold text and may name a device), overlays, curves, waveforms,
icons, bitmaps, documents, signatures, record keys.
"""

_STRUCTURAL_UIDS = frozenset(
    {
        0x00080016,  # SOP class
        0x0008001A,  # related general SOP class
        0x0008001B,  # original specialized SOP class
        0x00080062,  # SOP classes in study
        0x0008010C,  # coding scheme
        0x00080117,  # context group
        0x00080118,  # mapping resource
        0x0008040E,  # transfer syntax of a stored instance
        0x00081150,  # referenced SOP class
        0x0008115A,  # SOP classes supported
        0x00083002,  # available transfer syntax
        0x00340003,  # transfer syntax of a flow
        0x3010001F,  # segmentation template
        0x30100052,  # SOP classes of a study
        0x30100053,  # SOP classes of a series
    }
)
"""UIDs that name a kind of thing, not a thing: replaced, an object would mean nothing."""

UNSHIFTED = frozenset(
    {
        0x00080106,  # edition of a context group
        0x00080107,
        0x00080404,  # when an inventory was taken, of all patients at once
        0x00080416,  # until when a copy is kept
        0x00120086,  # what an ethics committee approved, from when to when
        0x00120087,
        0x00141020,  # a component goes out of date
        0x00143076,  # calibration of a detector's gain
        0x00143077,
        0x00144076,  # an inspection's procedure: written, out of date, last changed
        0x00144078,
        0x0014407A,
        0x0014407C,  # calibration of a device
        0x0014407E,
        0x00181200,
        0x00181201,
        0x00181202,
        0x00181203,
        0x00181204,  # a device was made, installed
        0x00181205,
        0x0018700C,  # calibration of a detector
        0x0018700E,
        0x0040DB06,  # edition of a template
        0x0040DB07,
        0x0040E004,  # a document of another system, a product's label among them
        0x00440004,  # approval of a substance
        0x0044000B,  # a lot goes out of date
        0x00440105,  # an assertion goes out of date
        0x00686226,  # edition of an implant's template
        0x00686270,
        0x0072000A,  # a hanging protocol was written, and the values that it asks for
        0x00720061,
        0x00720063,
        0x0072006B,
        0x300A022C,  # strength of a source was measured
        0x300A022E,
    }
)
"""Dates and times of things, lots, templates, public documents: the same for every patient, and
often known to anybody, so that shifted they would tell the shift. Everything else that is a date
is of an act on the patient or on what was made of the scan."""

_GONE = frozenset(
    {
        0x00080051,  # issuer of the accession number
        0x00080109,  # where a coding scheme is found: links
        0x00080300,  # says which private elements are safe: they have gone, or are on our list
        0x00081100,  # results
        0x00081125,  # visit
        0x00100024,  # issuer of the patient ID
        0x00100026,  # groups of patients
        0x00100027,
        0x00100033,  # birth in another calendar, written as text
        0x00100034,  # death in another calendar
        0x00100035,
        0x00102295,  # number of one animal in a breed's register
        0x00181803,  # address of a time server
        0x00321031,  # requesting physician's codes
        0x00321034,
        0x00380044,  # diagnosis at discharge
        0x00380100,  # documents and resources about the patient
        0x00380101,
        0x00380102,
        0x00380502,  # trials the patient took part in
        0x00400026,  # identifiers of an order
        0x00400027,
        0x00400031,  # who issued an identifier, and where
        0x00400032,
        0x00400033,
        0x00400036,
        0x00400039,
        0x0040003A,
        0x00400100,  # scheduled step
        0x00400270,
        0x00401006,  # order numbers
        0x00401007,
        0x00402006,
        0x00402007,
        0x00404009,  # performer's codes
        0x00404070,  # where output was sent
        0x00404071,
        0x00404072,
        0x00404074,
        0x0040A028,  # identifiers of documents, authors, observers
        0x0040A066,
        0x0040A068,
        0x0040A070,
        0x0040A076,
        0x0040A090,
        0x0040A390,  # documents of another system
        0x0040E001,
        0x0040E011,  # where to fetch the object from
        0x0040E021,
        0x0040E022,
        0x0040E023,
        0x0040E024,
        0x0040E025,
        0x0040E030,
        0x0040E031,
        0x04000401,  # of digital signatures
        0x04000500,  # encrypted attributes: the originals
        0x04000510,
        0x21000160,  # who printed
        0x4FFE0001,  # parameters of message authentication codes
    }
)
"""Attributes whose only meaning is a person, an order, an address, or what has gone already."""

_GONE_GROUPS = frozenset({0x0000, 0x0002, 0x0004, 0x0006, 0x5400, 0xFFFE})
"""Messages, file meta information, directories, waveforms, markers: none belongs in a data set."""

_EXCEPTIONS: Mapping[int, Action] = MappingProxyType(
    {
        **dict.fromkeys(NEEDED_BYTES | _STRUCTURAL_UIDS, Action.KEEP),
        **dict.fromkeys(_GONE, Action.REMOVE),
        0x00080120: Action.CLEAN,  # a code written as a URN
        0x00102294: Action.EMPTY,  # a breed's register: animals must have the sequence
    }
)


def default_action(tag: int, vr: str) -> Action:
    """Return what happens to an element of the standard that its table does not name.

    Parameters
    ----------
    tag : int
        ``0xGGGGEEEE``.
    vr : str
        One of those that the dictionary allows for the tag.

    Returns
    -------
    Action
        ``REMOVE`` too for what the dictionary does not know, for another VR than it allows (a name
        is emptied all the same), for group lengths, private elements, overlays and curves.
    """
    group = tag >> 16
    allowed = standard_vr(tag)
    if not allowed or group & 1 or group in _GONE_GROUPS or _is_repeated(group):
        return Action.REMOVE
    if "PN" in allowed:
        return Action.EMPTY
    if vr not in allowed:
        return Action.REMOVE
    return _EXCEPTIONS.get(tag, BY_VR.get(vr, Action.REMOVE))


def _is_repeated(group: int) -> bool:
    """Return whether a group is a curve, an overlay, or pixel data beside the image's own."""
    return group >> 8 in {0x50, 0x60} or (group >> 8 == 0x7F and group != 0x7FE0)
