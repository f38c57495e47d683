"""Elements that are judged otherwise than others of their representation, and why."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from lesionary.ingest.deidentify.chunks import is_b_value
from lesionary.ingest.deidentify.vocabulary import folded, package_sections, package_vocabulary

EQUIPMENT = frozenset({0x00080070, 0x00081090})
"""Manufacturer and model: there a maker's name is no person's."""

MAKERS = (
    "Accuray", "Acuson", "ADAC", "AG", "Agfa", "BioImagene", "Biosystems", "Bruker", "Canon",
    "Carestream", "CMS", "Confirma", "Corporation", "CPS", "CTI", "dcmqi", "Discovery",
    "Electronics", "Elekta", "Elscint", "Esaote", "Fonar", "Fuji", "Fujifilm", "GE", "GmbH",
    "Hamamatsu", "Health", "Healthcare", "Healthineers", "highdicom", "Hitachi", "Hologic",
    "Imaging", "Imatron", "IMPAC", "Inc", "Ingenia", "Ingenuity", "Konica", "Laboratories",
    "Leica", "LLC", "Lorad", "Ltd", "Marconi", "Medical", "Mediso", "Medtronic", "MILabs",
    "MIMvista", "Minolta", "Molecular", "Neurologica", "Neusoft", "Nihon", "PerkinElmer",
    "Philips", "Picker", "PixelMed", "Planmeca", "Plastimatch", "PMOD", "QIICR", "RareCyte",
    "RaySearch", "Rigaku", "Samsung", "Shimadzu", "Siemens", "Signa", "Skyscan", "SonoSite", "ST",
    "STE", "Systems", "Technologies", "TF", "Toshiba", "UIH", "United", "Varian", "VCT", "Vereos",
    "Xoran", "Zeiss", "Ziehm",
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

_RUNS = re.compile(r"[0-9]+|[^\W\d_]+")
_DATE = re.compile(r"(?<![0-9.])[0-9]{2}[._][0-9]{2}[._][0-9]{2}(?![0-9.])")
"""Three pairs of digits and nothing else: a day, whatever they count."""

_VOWELLESS = re.compile(
    r"(?!(?:VLK|PLCH|SRB|KRC|BRK|HRK|TRN|SMRZ)$)[B-DF-HJ-NP-TV-XZ]{3,4}", re.IGNORECASE
)
"""Letters that nobody else is called by, beside a number: ``NLX_1``, ``ct12lpm``."""

_PADDED = re.compile(r"00[0-9]|000[0-9]")
"""A small number that was filled up with zeros: ``SP0001``."""

_TYPE = re.compile(r"(?:2[1-9]|[3-9][0-9])00")
"""Hundreds that are no year."""

_HUMPS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")

_SHORT, _LONG = 2, 3
_REMEMBERED = 4096
_LONGEST_BYTES = 256


@dataclass(frozen=True, slots=True)
class Pieces(Container[bytes]):
    """Names of machines, versions, sequences: known words, and short runs of letters and digits.

    Parameters
    ----------
    section : str
        Of the package's list: names that stay whole, blanks as underscores, and words.
    marks : str
        Regular expression of what may stand between the runs, or around them.
    glued_digits : int
        How many digits a number may have that a letter touches.
    lone_digits : int
        How many digits a number may have that no letter touches and that has no point.
    most_digits : int
        How many digits there may be between two blanks, and twice as many in all.
    needs_word : bool
        Whether one of the section's words must be there.
    has_plain : bool
        Whether the words that stay anywhere stay here, too.
    has_humps : bool
        Whether known words may be written as one: ``SharpPlus``.
    has_types : bool
        Whether hundreds from 2100 on are types, behind a word of the section: ``CT 7500``.
    known_form : str
        Regular expression of a maker's own form, which stays whatever is in it.
    """

    section: str
    marks: str
    glued_digits: int
    lone_digits: int
    most_digits: int
    needs_word: bool
    has_plain: bool = True
    has_humps: bool = False
    has_types: bool = False
    known_form: str = ""

    def __contains__(self, value: object) -> bool:
        """Return whether each of several values stays as it is."""
        return _all_fit(value, lambda text: _is_pieced(self, text))


def _all_fit(value: object, is_fit: Callable[[str], object]) -> bool:
    if not isinstance(value, bytes) or not value.isascii() or len(value) > _LONGEST_BYTES:
        return False
    texts = [one.strip(" \0") for one in value.decode("ascii").split("\\")]
    return any(texts) and all(not one or is_fit(one) for one in texts)


@lru_cache(_REMEMBERED)
def _is_pieced(pieces: Pieces, text: str) -> bool:
    known = package_sections()[pieces.section]
    is_of_form = pieces.known_form and re.fullmatch(pieces.known_form, text)
    if is_of_form or folded(text).replace(" ", "_") in known:
        return True
    runs = _RUNS.findall(text)
    gaps = _RUNS.split(text)
    if _DATE.search(text) or not all(re.fullmatch(pieces.marks, gap) for gap in gaps if gap):
        return False
    if not runs or (pieces.needs_word and not any(_names(pieces, run) for run in runs)):
        return False
    lengths = [len(re.sub("[^0-9]", "", one)) for one in text.split()]
    if max(lengths) > pieces.most_digits or sum(lengths) > 2 * pieces.most_digits:
        return False
    return all(_is_piece(pieces, runs, gaps, at) for at in range(len(runs)))


def _is_piece(pieces: Pieces, runs: list[str], gaps: list[str], at: int) -> bool:
    run = runs[at]
    touching = [runs[at - 1]] if at and not gaps[at] else []
    touching += [runs[at + 1]] if at + 1 < len(runs) and not gaps[at + 1] else []
    if run.isalpha():
        is_bound = bool(touching) or "_" in gaps[at : at + 2]
        is_code = is_bound and (len(run) == 1 or _VOWELLESS.fullmatch(run) is not None)
        return is_code or _is_known(pieces, run) or (len(run) <= _SHORT and bool(touching))
    if any(one in {"b", "B"} for one in touching) and is_b_value(run):
        return True
    has_point = gaps[at].endswith(".") or gaps[at + 1].startswith(".")
    if has_point or any(_is_known(pieces, one) for one in touching):
        return len(run) <= _LONG or bool(_PADDED.fullmatch(run))
    if pieces.has_types and _TYPE.fullmatch(run) and at and _names(pieces, runs[at - 1]):
        return True
    most = pieces.glued_digits if touching else pieces.lone_digits
    return len(run) <= most or bool(touching and _PADDED.fullmatch(run))


def _is_known(pieces: Pieces, run: str) -> bool:
    """Return whether a run is a known word, or several as one."""
    known = package_sections()[pieces.section]
    others = package_vocabulary().plain if pieces.has_plain else frozenset()
    return all(word in known or word in others for word in _words_in(pieces, run))


def _names(pieces: Pieces, run: str) -> bool:
    """Return whether one of the section's own words is in a run."""
    return not package_sections()[pieces.section].isdisjoint(_words_in(pieces, run))


def _words_in(pieces: Pieces, run: str) -> list[str]:
    word = folded(run)
    if not pieces.has_humps or word in package_sections()[pieces.section]:
        return [word]
    return [folded(hump) for hump in _HUMPS.findall(run)] or [word]


@dataclass(frozen=True, slots=True)
class Shaped(Container[bytes]):
    """Values that are of one shape, one or several.

    Parameters
    ----------
    is_fit : callable
        Of one value, without padding.
    """

    is_fit: Callable[[str], object]

    def __contains__(self, value: object) -> bool:
        """Return whether each of several values is of the shape."""
        return _all_fit(value, self.is_fit)


def _is_kernel(text: str) -> bool:
    return _KERNEL.fullmatch(text) is not None or _is_pieced(_KERNELS, text)


_KERNELS = Pieces("kernels", r" ?[ _+.,()-] ?|\)", 2, 2, 4, needs_word=True, has_humps=True)


_KERNEL = re.compile(
    r"[A-Z][a-z]?[0-9]{2}[a-z]{1,2}|[0-9]{1,2}|F[CL][0-9]{2}(?:-[0-9H])?|[A-GL]|[YESU][A-D]"
    r"|[A-Z]{1,2}_(?:SOFT|SHARP|MEDIUM|VSOFT|VSHARP)_[A-C]{1,2}"
)
"""``B30f``, ``Br40d``; ``FC13``; ``YA``, ``EB``; ``B_SOFT_B``; a strength or a scale."""

_VERSION_FORMS = (
    r"(?:(?:[0-9]{2}LX_)?MR Software release:)?[A-Z]{0,2}[0-9]{1,2}\.[0-9]"
    r"_[MR][0-9]{1,2}_[0-9]{4}\.[a-z]{1,2}"
    r"|syngo(?: [A-Z]{2})? 20[0-3][0-9][A-Z]"
)
"""How makers write a version with a build or a year: ``15.0_M4_0910.a``, ``syngo CT 2012B``,
``DV26.0_R03_1831.b``."""

_SEQUENCE_FORM = r"\*[A-Za-z]{1,2}[23][dD][0-9]{1,3}[a-z]?(?:_[0-9]{1,3}(?:ns|fs)?)?"
"""An asterisk, two letters, how many dimensions, echoes: ``*qD2d1``; a name is no part of that."""

_COLOUR = re.compile(r"(?:(?:LIGHT|DARK|PALE|BRIGHT)[ _]?)?([A-Z]{3,9})(?:[ _]?[0-9]{1,2})?")


def _is_colour(text: str) -> bool:
    found = _COLOUR.fullmatch(text.upper()) if text.isupper() or text.islower() else None
    return found is not None and found[1] in package_sections()["colours"]


_ATTENUATION = re.compile(
    r"(?:(?:measured|calculated|uniform|segmented|none|CT|CTAC|MRAC|ACTM|Chang)?,{0,2} ?){1,2}"
    r"[0-9]\.[0-9]{1,6} ?(?:cm-1|/cm|1/cm),?",
    re.IGNORECASE,
)

TERMS: Mapping[int, Container[bytes]] = MappingProxyType(
    {
        0x00081090: Pieces("models", r" ?[ _./+-] ?", 3, 3, 7, needs_word=True, has_types=True),
        0x00181020: Pieces(
            "versions",
            r" ?[ _.] ?|[ -]|:",
            2,
            2,
            7,
            needs_word=False,
            known_form=_VERSION_FORMS,
        ),
        0x00181160: Pieces("filters", r" ?[ _-] ?", 2, 1, 2, needs_word=True, has_plain=False),
        0x00620005: Shaped(_is_colour),
        0x00620009: Pieces(
            "algorithms", r" ?[ _+.-] ?|\+\+", 3, 2, 6, needs_word=True, has_humps=True
        ),
        0x00180024: Pieces(
            "sequences",
            r"[*#_. ]",
            3,
            3,
            6,
            needs_word=True,
            has_plain=False,
            known_form=_SEQUENCE_FORM,
        ),
        0x00181210: Shaped(_is_kernel),
        0x00201040: frozenset(b"OM SN XY IC BB VX XP NA".split()),
        0x00541103: Pieces("reconstructions", r" ?[ _+.,()/-] ?|\)", 2, 2, 6, needs_word=True),
        0x00541101: Shaped(_ATTENUATION.fullmatch),
        0x00281054: frozenset(
            {b"OD REL", *b"HU US OD MGML Z_EFF ED EDW HU_MOD PCT BQML SUV SUVBW CNTS".split()}
        ),
        0x00283004: frozenset(b"HU US OD MGML PCT".split()),
        0x0070030C: frozenset(b"RIGID RIGID_SCALE AFFINE".split()),
        0x00189054: frozenset(b"ILOPS PRESS SLIM STEAM NONE".split()),
        0x00080112: frozenset({b"HL7"}),
    }
)
"""Values that would be names or numbers elsewhere, and stay whole: models, versions, sequences,
kernels, ways of reconstruction, marks of a position, units of rescaled values, kinds of a matrix,
ways to select a volume, a registry of coding schemes."""

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
