"""Content items of reports and contexts: what a concept says of its value.

The elements of a report are few, and anything can stand in them: the same ``NumericValue`` is a
diameter or an age, the same ``Date`` a day of a scan or of a birth. So an item is judged by its
concept name first, and what that decides overrules the profile's word on the element.

Sources: DICOM PS3.3 C.17.3 and 10.2 (content items), PS3.16 TID 1001-1007 (observation context).
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from lesionary.ingest.deidentify.chunks import OLDEST_YEARS
from lesionary.ingest.deidentify.concepts import Kind, canonical, is_standard, kind_of
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.options import Option
from lesionary.ingest.deidentify.table import Action

_CONCEPT_NAME, _CONCEPT_CODES = 0x0040A043, 0x0040A168
_CODE_VALUES, _SCHEME, _MEANING = (0x00080100, 0x00080119, 0x00080120), 0x00080102, 0x00080104
_TEXT, _MEASURED, _NUMBER, _UNITS = 0x0040A160, 0x0040A300, 0x0040A30A, 0x004008EA
_OTHER_NUMBERS = (0x0040A161, 0x0040A162, 0x0040A163)
"""The number as a binary one, or as a fraction."""

_DATES = (0x0040A120, 0x0040A121, 0x0040A122, 0x0040A13A)
"""A moment, a date, a time, moments of temporal coordinates."""

_NOTHING: Mapping[int, Action] = MappingProxyType({})
_WITHHELD: Mapping[int, Action] = MappingProxyType(
    {
        _TEXT: Action.DUMMY,
        0x0040A123: Action.DUMMY,  # a person's name
        _MEASURED: Action.EMPTY,  # a report may leave out a measurement,
        _NUMBER: Action.DUMMY,  # a context's item may not
        **dict.fromkeys(_OTHER_NUMBERS, Action.REMOVE),
        **dict.fromkeys(_DATES, Action.DUMMY),
    }
)
_UNDATED: Mapping[int, Action] = MappingProxyType(dict.fromkeys(_DATES, Action.DUMMY))

_ALLOWED_BY: Mapping[Kind, Option] = MappingProxyType(
    {
        Kind.AGE: Option.PATIENT_CHARACTERISTICS,
        Kind.CHARACTERISTIC: Option.PATIENT_CHARACTERISTICS,
        Kind.DEVICE: Option.DEVICE_IDENTITY,
        Kind.INSTITUTION: Option.INSTITUTION_IDENTITY,
    }
)

_PER_YEAR: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("a", "a_j", "a_g", "a_t", "y", "yr", "yrs", "year", "years"), 1),
        **dict.fromkeys(("mo", "mo_j", "mo_g", "mo_s", "mon", "month", "months"), 12),
        **dict.fromkeys(("wk", "week", "weeks"), 52.18),
        **dict.fromkeys(("d", "day", "days"), 365.25),
    }
)
_PER_YEAR_OF_CLOCKS: Mapping[str, float] = MappingProxyType(
    {"h": 8766, "hour": 8766, "hours": 8766, "min": 525_960, "s": 31_557_600}
)
_OLDEST = OLDEST_YEARS + 1
_SPEAKS_OF_AGE = re.compile(r"\b(?:age|aged|alter|âge|edad|età|idade|leeftijd|wiek)\b")


def report_item(item: DataSet, options: Collection[Option]) -> tuple[DataSet, Mapping[int, Action]]:
    """Judge a data set by its concept name.

    Parameters
    ----------
    item : DataSet
        Any; it is not changed.
    options : collection of Option

    Returns
    -------
    item : DataSet
        The same; or a copy whose age is at most 90 years, and whose coded value says "unknown"
        where it may not stay.
    actions : mapping of int to Action
        What overrules the profile in this very data set, not in the items within. Empty for what
        has no concept name.
    """
    if _CONCEPT_NAME not in item.elements:
        return item, _NOTHING
    actions = actions_of(concept_of(item), item, options)
    if actions.get(_MEASURED) is Action.EMPTY:
        return _with_unknown_code(item), actions
    return cap_age(item), actions


def concept_of(item: DataSet) -> str | None:
    """Return the concept of an item as ``scheme:code``; None where it has none.

    Codes of SNOMED RT come as those of SNOMED CT.
    """
    name = _first(item, _CONCEPT_NAME)
    return None if name is None else _code(name)


def is_of_birth(item: DataSet) -> bool:
    """Tell whether an item's value is a date of birth, by its concept."""
    concept = concept_of(item) if _CONCEPT_NAME in item.elements else None
    return concept is not None and kind_of(concept, _meaning(item)) is Kind.BIRTH


def actions_of(
    concept: str | None, item: DataSet, options: Collection[Option]
) -> Mapping[int, Action]:
    """Return what a concept decides about the elements of its item's value.

    Parameters
    ----------
    concept : str or None
        As ``concept_of`` returns it.
    item : DataSet
        Its meaning decides where the code is not known; so do the digits of an age in words.
    options : collection of Option
        Patient characteristics let ages and the like stay; device and institution identity keep
        names and serial numbers as they are. Names, identifiers, dates of birth never stay.

    Returns
    -------
    mapping of int to Action
        By tag; empty where the profile decides alone.
    """
    kind = None if concept is None else kind_of(concept, _meaning(item))
    if kind is None:
        return _NOTHING
    if kind is Kind.THING:
        return _NOTHING if Option.LONGITUDINAL_FULL in options else _UNDATED
    if _ALLOWED_BY.get(kind) not in options:
        return _WITHHELD
    if kind in {Kind.DEVICE, Kind.INSTITUTION}:
        return {_TEXT: Action.KEEP}
    if kind is Kind.AGE and not _is_plain_age(_value(item, _TEXT)):
        return {_TEXT: Action.DUMMY}
    return _NOTHING


def cap_age(item: DataSet) -> DataSet:
    """Return an item with its age at most 90 years, in the unit it has.

    An item is of an age if its concept says so, or if a concept that no public scheme defines has
    a value in years, months, weeks or days. A number whose unit nobody knows goes if it could be
    an age above 89. Other writings of an age's number go: they would say it once more.

    Parameters
    ----------
    item : DataSet
        It is not changed; the number stands in it (a context) or in its measured value (a report).
    """
    concept = concept_of(item)
    if concept is None:
        return item
    meaning = _meaning(item).casefold()
    is_age = kind_of(concept, meaning) is Kind.AGE
    if not is_age and is_standard(concept) and not _SPEAKS_OF_AGE.search(meaning):
        return item
    capped = _capped(item, is_age=is_age, or_nothing=b"0")
    measured = item.get(_MEASURED)
    if measured is None or not measured.items:
        return capped
    items = [_capped(one, is_age=is_age, or_nothing=None) for one in measured.items]
    items = [one for one in items if one.elements]
    return _with(capped, Element(_MEASURED, "SQ", items=items))


def _capped(holder: DataSet, *, is_age: bool, or_nothing: bytes | None) -> DataSet:
    """Return the data set that holds a number and its unit, capped; empty if it may not stay."""
    numbers = [tag for tag in (_NUMBER, *_OTHER_NUMBERS) if tag in holder.elements]
    if not numbers:
        return holder
    per_year = _per_year(_first(holder, _UNITS), is_age=is_age)
    if per_year is None and not is_age:
        return holder
    made = DataSet(
        {tag: one for tag, one in holder.elements.items() if tag not in _OTHER_NUMBERS},
        holder.private_creators,
    )
    most = OLDEST_YEARS if per_year is None else _OLDEST * per_year
    values = [_number(one) for one in _value(holder, _NUMBER).split("\\")]
    if all(value < most or (per_year is None and value == most) for value in values):
        return made
    if per_year is not None and _value(holder, _NUMBER):
        return _with(made, Element(_NUMBER, "DS", b"%d" % math.ceil(most)))
    return DataSet() if or_nothing is None else _with(made, Element(_NUMBER, "DS", or_nothing))


def _per_year(unit: DataSet | None, *, is_age: bool) -> float | None:
    if unit is None:
        return None
    known = {**_PER_YEAR, **(_PER_YEAR_OF_CLOCKS if is_age else {})}
    names = [*(_value(unit, tag) for tag in _CODE_VALUES), _value(unit, _MEANING)]
    return next((known[name.lower()] for name in names if name.lower() in known), None)


def _number(text: str) -> float:
    """Return a number; one that is none is as large as can be."""
    try:
        value = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(value) else value


def _is_plain_age(text: str) -> bool:
    """Tell whether a text is one number of at most 89, with a unit or not; or is not there."""
    found = re.findall(r"[0-9]+", text)
    return not text or (len(found) == 1 and int(found[0][:9]) <= OLDEST_YEARS)


def _with_unknown_code(item: DataSet) -> DataSet:
    if _CONCEPT_CODES not in item.elements:
        return item
    unknown = DataSet()
    unknown.put(Element(_CODE_VALUES[0], "SH", b"261665006"))
    unknown.put(Element(_SCHEME, "SH", b"SCT"))
    unknown.put(Element(_MEANING, "LO", b"Unknown"))
    return _with(item, Element(_CONCEPT_CODES, "SQ", items=[unknown]))


def _with(item: DataSet, element: Element) -> DataSet:
    return replace(item, elements={**item.elements, element.tag: element})


def _first(item: DataSet, tag: int) -> DataSet | None:
    sequence = item.get(tag)
    return sequence.items[0] if sequence is not None and sequence.items else None


def _code(code: DataSet) -> str:
    value = next((value for tag in _CODE_VALUES if (value := _value(code, tag))), "")
    return canonical(_value(code, _SCHEME), value)


def _meaning(item: DataSet) -> str:
    name = _first(item, _CONCEPT_NAME)
    return "" if name is None else _value(name, _MEANING)


def _value(item: DataSet, tag: int) -> str:
    element = item.get(tag)
    if element is None or element.items is not None:
        return ""
    value = bytes(element.value)
    try:
        return value.decode().strip(" \0")
    except UnicodeDecodeError:
        return value.decode("latin-1").strip(" \0")
