"""Turn what a human called a structure into the only texts that may be stored.

A name in a file may hold anything, a patient's name too. What comes out of here is a label of the
vocabulary (``m,liver``), ``lesion`` or ``structure``, whatever went in.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from lesionary.core.findings import Finding, Outcome
from lesionary.core.terms import LESION, STRUCTURE, parse_label, stored_label
from lesionary.ingest.structures import Code, Roi, Segment

TUMOUR_TYPES = frozenset({"GTV"})
"""RTROIInterpretedType of a tumour itself; CTV and PTV hold healthy tissue around it."""

ALTERED_STRUCTURES = frozenset({Code("49755003", "SCT"), Code("M-01000", "SRT")})
"""Category of morphologically altered structures (PS3.16 CID 7150)."""

_LETTERS: Mapping[Code, str] = MappingProxyType(
    {
        Code("86049000", "SCT"): "t",
        Code("M-80003", "SRT"): "t",
        Code("14799000", "SCT"): "m",
        Code("M-80006", "SRT"): "m",
        Code("30746006", "SCT"): "n",
    }
)
"""Primary neoplasm, secondary neoplasm, lymphadenopathy (PS3.16 CID 7159; SNOMED CT)."""


@dataclass(frozen=True, slots=True)
class LabelRules:
    """What a protocol adds to the vocabulary.

    Parameters
    ----------
    extra_places : collection of str
        Organs or nodal regions that labels may name besides the built-in ones.
    lesion_names : collection of str
        Shell patterns, such as ``GTV*``, of names that mean a lesion; case does not matter.
    """

    extra_places: Collection[str] = ()
    lesion_names: Collection[str] = ()


def label_of(text: str, *, is_tumour: bool, rules: LabelRules) -> str:
    """Return the text that may be stored for a name.

    Parameters
    ----------
    text : str
        As a human typed it.
    is_tumour : bool
        Whether the object says so by something other than this text.
    rules : LabelRules
        From the protocol.

    Returns
    -------
    str
        ``t|m|n,place`` in the vocabulary's spelling, else ``lesion`` where it is a tumour or the
        name matches the protocol's, else ``structure``.

    Examples
    --------
    >>> rules = LabelRules(lesion_names=("*tumour*",))
    >>> label_of("M, Liver", is_tumour=False, rules=rules)
    'm,liver'
    >>> label_of("tumour of John Doe", is_tumour=False, rules=rules)
    'lesion'
    >>> label_of("John Doe", is_tumour=False, rules=rules)
    'structure'
    """
    is_lesion = is_tumour or _is_named_lesion(text, rules)
    return stored_label(text, is_lesion=is_lesion, additions=rules.extra_places)


def is_known(text: str, rules: LabelRules) -> bool:
    """Tell whether vocabulary or protocol know what a name says; an empty one says nothing.

    Examples
    --------
    >>> rules = LabelRules(lesion_names=("GTV*",))
    >>> [is_known(text, rules) for text in ("m,liver", "GTV_1", "", "lesion", "left lobe")]
    [True, True, True, True, False]
    """
    plain = text.strip().lower()
    if plain in {"", LESION, STRUCTURE} or parse_label(text, rules.extra_places) is not None:
        return True
    return _is_named_lesion(text, rules)


def unknown_labels(kept_as: Iterable[str]) -> tuple[Finding, ...]:
    """Return what is said of names that nothing knows: how many, never what they are.

    Parameters
    ----------
    kept_as : iterable of str
        ``lesion`` or ``structure``, once for each such name.
    """
    counts = sorted(Counter(kept_as).items())
    return tuple(
        Finding(
            "label_unknown",
            Outcome.WARNED,
            f"{n} label{'s' if n > 1 else ''} beyond the vocabulary: kept as `{label}`"
            + _MEANING.get(label, ""),
            _HINTS[label],
        )
        for label, n in counts
    )


_MEANING = {STRUCTURE: ", which is counted and never measured"}
_HINTS = {
    LESION: "write t, m or n, a comma, and a known place; [labels] extra_places adds places",
    STRUCTURE: "write t, m or n, a comma, and a known place; in study.toml [labels] lesion_names"
    " says which names mean a lesion, and extra_places adds places",
}


def _is_named_lesion(text: str, rules: LabelRules) -> bool:
    return any(fnmatchcase(text.lower(), name.lower()) for name in rules.lesion_names)


def roi_label(roi: Roi, rules: LabelRules) -> str:
    """Return the label of a contoured structure: its name, else its interpreted type."""
    return label_of(roi.name, is_tumour=roi.interpreted_type in TUMOUR_TYPES, rules=rules)


def segment_label(segment: Segment, rules: LabelRules) -> str:
    """Return the label of a segment: SegmentLabel, else type and anatomy, else its category."""
    for text in (segment.label, _coded(segment)):
        if parse_label(text, rules.extra_places) is not None:
            return label_of(text, is_tumour=True, rules=rules)
    return label_of(segment.label, is_tumour=segment.category in ALTERED_STRUCTURES, rules=rules)


def is_known_roi(roi: Roi, rules: LabelRules) -> bool:
    """Tell whether vocabulary or protocol know a contoured structure's name."""
    return is_known(roi.name, rules)


def is_known_segment(segment: Segment, rules: LabelRules) -> bool:
    """Tell whether vocabulary or protocol know a segment by its name or by its codes."""
    if parse_label(_coded(segment), rules.extra_places) is not None:
        return True
    return is_known(segment.label, rules)


def _coded(segment: Segment) -> str:
    """Write kind and place of a segment's codes as a label, to be read with the vocabulary."""
    letter = "" if segment.type is None else _LETTERS.get(segment.type, "")
    places = [code.meaning for code in segment.anatomy]
    return f"{letter},{places[0]}" if places else ""
