"""The words of a lesion's label: kind and place, from an allow-list (R6).

A label is ``kind,place``: ``t`` primary tumour, ``m`` metastasis or ``n`` enlarged lymph node, then
an organ or a nodal region. Text from files may hold anything, a name too, so nothing is stored but
what this vocabulary, or the protocol's own additions, spell out.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LESION = "lesion"
"""Label of a tumour whose own text is not in the vocabulary."""

STRUCTURE = "structure"
"""Label of anything else: kept and counted, out of measures and sums."""

LYMPH_NODES = "lymph nodes"
"""RECIST 1.1 counts all of them as one organ."""

# fmt: off
ORGANS = frozenset({
    "abdominal wall", "adrenal", "anus", "appendix", "bile duct", "bladder", "bone", "brain",
    "breast", "cervix", "chest wall", "colon", "diaphragm", "duodenum", "esophagus", "femur",
    "gallbladder", "heart", "humerus", "kidney", "larynx", "liver", "lung", "mesentery", "muscle",
    "omentum", "ovary", "pancreas", "parotid", "pelvic bone", "penis", "pericardium", "peritoneum",
    "pharynx", "pleura", "prostate", "rectum", "rib", "sacrum", "scapula", "skin", "skull",
    "small bowel", "soft tissue", "spinal cord", "spleen", "sternum", "stomach", "subcutaneous",
    "suprarenal", "testis", "thymus", "thyroid", "tongue", "tonsil", "trachea", "ureter",
    "uterus", "vagina", "vertebra", "vulva",
})
"""Places of tumours."""

NODAL_REGIONS = frozenset({
    "abdomen", "abdominal wall", "aortocaval", "axillary", "celiac", "cervical", "hepatic hilum",
    "iliac", "infraclavicular", "inguinal", "internal mammary", "mediastinum", "mesenteric",
    "neck", "obturator", "paracaval", "paratracheal", "pelvis", "periaortic", "peripancreatic",
    "presacral", "pulmonary hilum", "retrocrural", "retroperitoneal", "splenic hilum",
    "subcarinal", "supraclavicular", "suprarenal", "thorax",
})
"""Places of lymph nodes."""

SYNONYMS: Mapping[str, str] = MappingProxyType({
    "adrenal gland": "adrenal", "adrenals": "adrenal", "adrenal glands": "adrenal",
    "suprarenal gland": "suprarenal", "aorto caval": "aortocaval", "axilla": "axillary",
    "bones": "bone", "bowel": "small bowel", "coeliac": "celiac", "groin": "inguinal",
    "hepatic": "liver", "hepatic hilus": "hepatic hilum", "hilum of liver": "hepatic hilum",
    "porta hepatis": "hepatic hilum", "iliacal": "iliac", "kidneys": "kidney", "renal": "kidney",
    "lungs": "lung", "pulmonary": "lung", "mediastinal": "mediastinum", "mesenterial": "mesenteric",
    "oesophagus": "esophagus", "ovaries": "ovary", "ovarian": "ovary", "para aortic": "periaortic",
    "paraaortic": "periaortic", "peri aortic": "periaortic", "pancreatic": "pancreas",
    "pelvic": "pelvis", "peritoneal": "peritoneum", "pleural": "pleura",
    "retroperitoneum": "retroperitoneal", "ribs": "rib", "splenic": "spleen",
    "subcutis": "subcutaneous", "urinary bladder": "bladder", "vertebrae": "vertebra",
    "vertebral body": "vertebra",
})
"""Other words for the same places, British spelling among them."""

_SAME_ORGAN: Mapping[str, str] = MappingProxyType({
    "suprarenal": "adrenal", "femur": "bone", "humerus": "bone", "pelvic bone": "bone",
    "rib": "bone", "sacrum": "bone", "scapula": "bone", "skull": "bone", "sternum": "bone",
    "vertebra": "bone",
})
# fmt: on

_SIDES = ("left ", "right ", "bilateral ")


class LesionKind(StrEnum):
    """How RECIST measures a lesion: tumours by the long axis, nodes by the short one."""

    TUMOUR = "tumour"
    NODE = "node"


class LesionType(StrEnum):
    """The letter before the comma."""

    PRIMARY = "t"
    METASTASIS = "m"
    ADENOPATHY = "n"


@dataclass(frozen=True, slots=True)
class LesionLabel:
    """A label that passed the vocabulary.

    Parameters
    ----------
    type : LesionType
        Primary tumour, metastasis or adenopathy.
    place : str
        Organ or nodal region, in the vocabulary's spelling.

    Examples
    --------
    >>> str(LesionLabel(LesionType.METASTASIS, "liver"))
    'm,liver'
    """

    type: LesionType
    place: str

    def __str__(self) -> str:
        return f"{self.type.value},{self.place}"

    @property
    def kind(self) -> LesionKind:
        """Tumour or node."""
        return LesionKind.NODE if self.type is LesionType.ADENOPATHY else LesionKind.TUMOUR

    @property
    def organ(self) -> str:
        """What counts as one organ when targets are chosen: all nodes do, and all bones (R10)."""
        if self.kind is LesionKind.NODE:
            return LYMPH_NODES
        return _SAME_ORGAN.get(self.place, self.place)

    @property
    def window(self) -> str:
        """Name of the window this lesion is looked at in: ``lung`` for the lung, else ``abdomen``.

        Nodes are soft tissue wherever they lie.
        """
        return "lung" if self.organ == "lung" else "abdomen"


def parse_label(text: str, additions: Collection[str] = ()) -> LesionLabel | None:
    """Read a label, or return None where it says anything the vocabulary does not.

    Case, spaces, underscores and hyphens do not matter; a side (``right lung``) is dropped, because
    RECIST counts paired organs as one.

    Parameters
    ----------
    text : str
        As it came.
    additions : collection of str
        Places that the protocol allows beyond the vocabulary.

    Examples
    --------
    >>> parse_label(" N , Hepatic  hilum")
    LesionLabel(type=<LesionType.ADENOPATHY: 'n'>, place='hepatic hilum')
    >>> parse_label("m,right Lungs")
    LesionLabel(type=<LesionType.METASTASIS: 'm'>, place='lung')
    >>> parse_label("m,liver John Doe") is None
    True
    """
    letter, comma, rest = text.partition(",")
    letter = letter.strip().lower()
    if not comma or letter not in set(LesionType):
        return None
    place = _known_place(_plain(rest), frozenset(map(_plain, additions)))
    return None if place is None else LesionLabel(LesionType(letter), place)


def stored_label(text: str, *, is_lesion: bool, additions: Collection[str] = ()) -> str:
    """Return the only text that may be stored of a label.

    Parameters
    ----------
    text : str
        As it came.
    is_lesion : bool
        Whether something beside the text says that this is a tumour, such as an interpreted type
        GTV or a mask handed over as one.
    additions : collection of str
        Places that the protocol allows beyond the vocabulary.

    Returns
    -------
    str
        The label in the vocabulary's spelling, else :data:`LESION` or :data:`STRUCTURE`.
    """
    label = parse_label(text, additions)
    if label is not None:
        return str(label)
    return LESION if is_lesion or text.strip().lower() == LESION else STRUCTURE


def kind_of_text(text: str) -> LesionKind:
    """Return what a label's text makes of a lesion: ``n,…`` is a node, all else a tumour.

    The place need not be in the vocabulary: a single file is measured as its user labels it.
    """
    letter, comma, _ = text.partition(",")
    is_node = bool(comma) and letter.strip().lower() == LesionType.ADENOPATHY
    return LesionKind.NODE if is_node else LesionKind.TUMOUR


def _plain(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", text.strip().lower())).strip()


def _known_place(place: str, additions: frozenset[str]) -> str | None:
    known = ORGANS | NODAL_REGIONS | additions
    for side in ("", *_SIDES):
        if side and not place.startswith(side):
            continue
        bare = place.removeprefix(side)
        if bare in known:
            return bare
        if bare in SYNONYMS:
            return SYNONYMS[bare]
    return None
