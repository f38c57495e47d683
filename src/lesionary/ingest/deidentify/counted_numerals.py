"""Roman numerals behind what they count: ``Segment VIII``, ``levels II-IV``, ``stage IIIB``."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesionary.ingest.deidentify.chunks import Chunk

# fmt: off
COUNTED = frozenset({
    "SEGMENT", "SEGMENTS", "SEGMENTE", "SEGMENTEN", "SEGMENTO", "SEGMENTOS", "SEGMENTI", "SEG",
    "LEBERSEGMENT", "LEBERSEGMENTE", "LUNGENSEGMENT", "COUINAUD", "LEVEL", "LEVELS", "NIVEAU",
    "NIVEL", "LIVELLO", "STATION", "ZONE", "ZONES", "ZONA", "GRADE", "GRADES", "GRAD", "GRADO",
    "STAGE", "STAGES", "STADIUM", "STADIO", "ESTADIO", "LOBE", "LOBES", "TYPE", "TYPES", "TYP",
    "TIPO", "CLASS", "KLASSE", "CATEGORY", "CATEGORIE", "COMPARTMENT", "REGION", "PHASE", "NERVE",
    "NERVUS", "FACTOR", "BOSNIAK", "NYHA", "FIGO", "AJCC", "RADS", "BIRADS", "PIRADS", "LIRADS",
    "TIRADS",
})
"""What stands before a numeral that counts: segments, levels of the neck, stages, grades."""
# fmt: on

JOINING = frozenset({"AND", "UND", "ET", "Y", "E", "EN", "TO", "BIS", "OR", "ODER"})

_ONE = "(?:VIII|VII|VI|V|IV|III|II|I)"
_NUMERAL = re.compile(rf"{_ONE}[A-Da-d]?|IX|XII?|X|{_ONE.lower()}[a-d]?|ix|xii?|x")
"""One to twelve, the first eight with a letter; capitals or not, but no ``Vi``, which is a name."""

_GAP = re.compile(r"[ _/,+&:–-]{1,3}")
_GLUED = re.compile(r"([A-Za-z]{2,}[a-z])([IVX]{1,4}[A-Da-d]?)")


def is_numeral(text: str) -> bool:
    """Return whether a run may be a Roman numeral from one to twelve, with a letter or not.

    Examples
    --------
    >>> [is_numeral(one) for one in ("VIII", "IVa", "viii", "Vi", "XIV")]
    [True, True, True, False, False]
    """
    return _NUMERAL.fullmatch(text) is not None


def without_numeral(text: str) -> str:
    """Return a run without the numeral that is glued to what it counts: ``SegmentIVa``."""
    found = _GLUED.fullmatch(text)
    is_counted = found is not None and is_numeral(found[2]) and found[1].upper() in COUNTED
    return found[1] if found is not None and is_counted else text


def counted_numerals(chunks: Sequence["Chunk"], gaps: Sequence[str]) -> list[int]:
    """Return the places of numerals behind what they count, and of those joined to them.

    Parameters
    ----------
    chunks : sequence of Chunk
    gaps : sequence of str
        What stands before the first, between any two, and behind the last.
    """
    found: list[int] = []
    for start, chunk in enumerate(chunks):
        if chunk.key not in COUNTED or (found and start < found[-1]):
            continue
        at = start + 1
        while at < len(chunks) and _is_joined(chunks, gaps, at):
            found.append(at)
            at += 1
            is_word = at + 1 < len(chunks) and chunks[at].key in JOINING
            at += is_word and chunks[at + 1].is_numeral
    return found


def _is_joined(chunks: Sequence["Chunk"], gaps: Sequence[str], at: int) -> bool:
    is_initial = len(chunks[at].key) == 1 and gaps[at + 1].startswith(".")
    return chunks[at].is_numeral and not is_initial and _GAP.fullmatch(gaps[at]) is not None
