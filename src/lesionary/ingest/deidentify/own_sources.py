"""Where a header tells who its people are: names, numbers, birth dates, places, at every level."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from lesionary.ingest.deidentify.characters import decode
from lesionary.ingest.deidentify.cleaning import charsets_of
from lesionary.ingest.deidentify.elements import DataSet
from lesionary.ingest.deidentify.own_tokens import OwnTokens
from lesionary.ingest.deidentify.own_told import Source, tokens_of

_MOST_BYTES = 512
_MOST_TOLD = 512
"""More than so many names and numbers no header tells; the rest is only cleaned like any text."""

# fmt: off
_SOURCES: Mapping[int, Source] = MappingProxyType({
    **dict.fromkeys((
        0x00100010, 0x00101001, 0x00101005, 0x00101060,  # the patient's names, the mother's
        0x00080090, 0x0008009C, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00321032,
        0x00400006, 0x00401010, 0x0040A075, 0x0040A123, 0x00102297,
    ), Source.NAME),
    **dict.fromkeys((
        0x00100020, 0x00101000, 0x00101050, 0x00101090, 0x00102154, 0x00102155,  # the patient's
        0x00100218, 0x00100219, 0x00080094, 0x00401103, 0x00401104,  # telephones
        0x00080050, 0x00200010, 0x00380010, 0x00380060, 0x00380014,
        0x00120040, 0x00120042, 0x0040A088,
    ), Source.IDENTITY),
    **dict.fromkeys((
        0x00401001, 0x00400009, 0x00400253, 0x00402016, 0x00402017, 0x00402006, 0x00402007,
        0x00321000,
    ), Source.ORDER),
    **dict.fromkeys((
        0x00181000, 0x00181004, 0x00181005, 0x00181007, 0x0018700A, 0x30080105, 0x0040050A,
        0x00081010, 0x00400010, 0x00400241, 0x00080055, 0x00400001, 0x00400242,  # stations
    ), Source.DEVICE),
    **dict.fromkeys((
        0x00080080, 0x00080081, 0x00081040, 0x00080092, 0x00101040, 0x00100021, 0x00321033,
        0x00321020, 0x00321021, 0x00401102, 0x00120030, 0x00120031, 0x00120060, 0x00380300,
        0x00380400, 0x00380061, 0x00380062, 0x00400011, 0x00400243, 0x00400244,
    ), Source.PLACE),
    0x00100030: Source.BIRTH,
})
# fmt: on


def own_tokens_of(data_set: DataSet, number: str) -> OwnTokens:
    """Return the tokens of all levels of a data set.

    Parameters
    ----------
    data_set : DataSet
        As it came in.
    number : str
        What the patient becomes.
    """
    return tokens_of(_told_by(data_set, _no_one), number)


def tokens_beside(
    data_set: DataSet, number: str, excused: Collection[Source], is_kept: Callable[[int], bool]
) -> OwnTokens:
    """Return the tokens of what a data set tells elsewhere than where it may stay.

    Parameters
    ----------
    data_set : DataSet
        As it came in.
    number : str
        What the patient becomes.
    excused : collection of Source
        What may stay, wherever it is told.
    is_kept : callable
        Whether the element of a tag stays as it is.
    """
    told = _told_by(data_set, is_kept)
    return tokens_of(frozenset(one for one in told if one[0] not in excused), number)


def _no_one(_: int) -> bool:
    return False


def _told_by(data_set: DataSet, is_kept: Callable[[int], bool]) -> frozenset[tuple[Source, str]]:
    told: set[tuple[Source, str]] = set()
    waiting: list[tuple[DataSet, tuple[str, ...]]] = [(data_set, ("",))]
    while waiting and len(told) < _MOST_TOLD:
        one, inherited = waiting.pop()
        charsets = charsets_of(one, inherited)
        for element in one.elements.values():
            if element.items is not None:
                waiting.extend((item, charsets) for item in element.items)
                continue
            source = Source.NAME if element.vr == "PN" else _SOURCES.get(element.tag)
            if source is None or not element.value or is_kept(element.tag):
                continue
            text = decode(bytes(element.value[:_MOST_BYTES]), charsets)
            told.update((source, part.strip()) for part in text.split("\\") if part.strip())
    return frozenset(told)
