"""What the user may call a value: a place in the release, a lesion, a voxel, or the number."""

import re
from dataclasses import dataclass
from decimal import Decimal

from lesionary.core.errors import InputError

FORMS = (
    "lesions.csv:LINE:COLUMN, lesions.json#/lesions/0/volume_ml, ser-0001/2/volume_ml,"
    " MASK.nii.gz, MASK.nii.gz@i,j,k, or a number as printed, such as 12.3 or '12.3 ml'"
)

UNITS = {
    "ml": "_ml",
    "mm": "_mm",
    "%": "_percent",
    "voxels": "voxels",
    "hu": "hu",
    "suvbw": "suvbw",
    "suv": "suvbw",
    "bq/ml": "bqml",
    "counts": "counts",
    "a.u.": "arbitrary",
}
"""Units that may follow a number, and how columns or quantities are named that have them."""

_BETWEEN_THOUSANDS = re.compile(r"(?<=\d)\u202f(?=\d{3})")
"""The thin space that the report writes there."""

_TABLE = re.compile(r"(?P<file>.+\.csv):(?P<line>\d+)(?::(?P<column>.+))?")
_JSON = re.compile(r"(?P<file>.+\.json)#(?P<pointer>.*)")
_IMAGE = re.compile(r"(?P<file>.+\.nii(?:\.gz)?)(?:@(?P<i>\d+),(?P<j>\d+),(?P<k>\d+))?")
_LESION = re.compile(r"(?P<series>ser-\d+)/(?P<lesion>\d+)(?:/(?P<field>\w+))?")
_NUMBER = re.compile(r"(?P<number>[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)\s*(?P<unit>\S*)")


@dataclass(frozen=True, slots=True)
class TablePlace:
    """A cell of a CSV, or a whole row: the line as an editor counts, the header is line 1."""

    file: str
    line: int
    column: str | None


@dataclass(frozen=True, slots=True)
class JsonPlace:
    """A value of a JSON file, by its pointer (RFC 6901)."""

    file: str
    pointer: str


@dataclass(frozen=True, slots=True)
class LesionPlace:
    """A measured lesion, or one field of it."""

    series: str
    lesion: int
    field: str | None


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """An image or mask, or one voxel of it.

    ``voxel`` counts from 0 in nibabel's order ``i, j, k``, which is the file's.
    """

    file: str
    voxel: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as somebody read it off a report or a terminal.

    Parameters
    ----------
    value : Decimal
    half_step : Decimal
        Half of its last digit: what lies this near rounds to it.
    unit : str, optional
        A key of :data:`UNITS`.
    """

    value: Decimal
    half_step: Decimal
    unit: str | None


Address = TablePlace | JsonPlace | LesionPlace | ImagePlace | PrintedNumber


def parse_address(text: str) -> Address:
    """Read what the user typed.

    Raises
    ------
    InputError
        Code ``usage``, if it is no form that is known.

    Examples
    --------
    >>> parse_address("lesions.csv:2:volume_ml")
    TablePlace(file='lesions.csv', line=2, column='volume_ml')
    >>> parse_address("12.3 ml")
    PrintedNumber(value=Decimal('12.3'), half_step=Decimal('0.05'), unit='ml')
    """
    plain = _BETWEEN_THOUSANDS.sub("", text.strip().replace("−", "-"))
    if found := _TABLE.fullmatch(plain):
        return TablePlace(found["file"], int(found["line"]), found["column"])
    if found := _JSON.fullmatch(plain):
        return JsonPlace(found["file"], found["pointer"])
    if found := _IMAGE.fullmatch(plain):
        voxel = None if found["i"] is None else (int(found["i"]), int(found["j"]), int(found["k"]))
        return ImagePlace(found["file"], voxel)
    if found := _LESION.fullmatch(plain):
        return LesionPlace(found["series"], int(found["lesion"]), found["field"])
    if found := _NUMBER.fullmatch(plain):
        return _printed(found["number"], found["unit"])
    raise InputError(
        "this is neither a place in the release nor a number",
        code="usage",
        hint=f"give {FORMS}",
        source=text,
    )


def _printed(number: str, unit: str) -> PrintedNumber:
    known = unit.lower() or None
    if known is not None and known not in UNITS:
        if known.startswith(","):
            raise InputError(
                "a number has a point before its decimals, and nothing between its thousands",
                code="usage",
                hint="write 1234.5, not 1,234.5 or 1234,5",
            )
        raise InputError(
            f"no unit `{unit}`", code="usage", hint=f"units: {', '.join(UNITS)}; or none"
        )
    value = Decimal(number)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - the pattern takes finite numbers only
    return PrintedNumber(value, Decimal(5).scaleb(exponent - 1), known)
