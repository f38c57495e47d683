"""What an object says of itself that decides whether it is set aside."""

from collections.abc import Iterable
from dataclasses import dataclass

from lesionary.ingest.deidentify.elements import DataSet, Instance

SOP_CLASS, IMAGE_TYPE, MODALITY = 0x00080016, 0x00080008, 0x00080060
BURNED_IN, SAMPLES, CONVERSION_TYPE = 0x00280301, 0x00280002, 0x00080064
BODY_PART, PHOTOMETRIC, RECOGNIZABLE = 0x00180015, 0x00280004, 0x00280302
SERIES_DESCRIPTION, PROTOCOL_NAME = 0x0008103E, 0x00181030
DOCUMENT = (0x00420011, 0x00420012)
BITS_STORED, MODALITY_LUT = 0x00280101, 0x00283000
INTERCEPT, SLOPE = 0x00281052, 0x00281053


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What decides whether an object is set aside; all texts in capitals.

    Parameters
    ----------
    sop_class : str
        UID.
    modality, conversion_type, burned_in : str
    image_type : frozenset of str
    n_samples : int
        Samples per pixel; 1 where there are no pixels.
    has_document, has_pixels, has_faces : bool
        It names a MIME type, or holds a document; it holds pixels; its header says that they may
        be recognised, or fails to say that they may not.
    body_part : str
    transfer_syntax : str
        UID.
    series_description, protocol_name : str
    photometric : str
        Empty where there are no pixels.
    n_bits : int
        Bits stored of a sample; 0 where nothing says so.
    is_rescaled : bool
        A slope, an intercept or a table turns what is stored into other values.
    """

    sop_class: str
    modality: str = ""
    conversion_type: str = ""
    burned_in: str = ""
    image_type: frozenset[str] = frozenset()
    n_samples: int = 1
    has_document: bool = False
    has_pixels: bool = False
    body_part: str = ""
    transfer_syntax: str = ""
    series_description: str = ""
    protocol_name: str = ""
    photometric: str = ""
    has_faces: bool = False
    n_bits: int = 0
    is_rescaled: bool = False

    @property
    def is_original(self) -> bool:
        """Whether the image says that it is an original and primary one."""
        return {"ORIGINAL", "PRIMARY"} <= self.image_type


def facts_of(instance: Instance) -> ObjectFacts:
    """Gather the facts of an instance."""
    data_set = instance.data_set
    n_samples = _integer(data_set, SAMPLES) if instance.pixels is not None else 0
    return ObjectFacts(
        sop_class=text_of(data_set, SOP_CLASS),
        modality=text_of(data_set, MODALITY).upper(),
        conversion_type=text_of(data_set, CONVERSION_TYPE).upper(),
        burned_in=text_of(data_set, BURNED_IN).upper(),
        image_type=frozenset(words_of(data_set, IMAGE_TYPE)),
        n_samples=n_samples or 1,
        has_document=any(data_set.get(tag) is not None for tag in DOCUMENT),
        has_pixels=instance.pixels is not None,
        body_part=text_of(data_set, BODY_PART).upper(),
        transfer_syntax=instance.transfer_syntax,
        series_description=text_of(data_set, SERIES_DESCRIPTION).upper(),
        protocol_name=text_of(data_set, PROTOCOL_NAME).upper(),
        photometric=text_of(data_set, PHOTOMETRIC).upper() if instance.pixels is not None else "",
        has_faces=text_of(data_set, RECOGNIZABLE).upper() not in {"", "NO"},
        n_bits=_integer(data_set, BITS_STORED),
        is_rescaled=is_rescaled(text_of(data_set, SLOPE), text_of(data_set, INTERCEPT))
        or data_set.get(MODALITY_LUT) is not None,
    )


def is_rescaled(slope: str, intercept: str) -> bool:
    """Tell whether slope and intercept, as they are written, change what is stored.

    Examples
    --------
    >>> is_rescaled("1.0", "-1024"), is_rescaled("1", "0"), is_rescaled("", "")
    (True, False, False)
    """
    return not (slope.strip("0. +") in {"", "1"} and intercept.strip("0. +-") == "")


def _integer(data_set: DataSet, tag: int) -> int:
    element = data_set.get(tag)
    is_there = element is not None and element.items is None
    return int.from_bytes(element.value[:2], "little") if element and is_there else 0


def text_of(data_set: DataSet, tag: int) -> str:
    """Return the text of an element of plain characters; the empty text where there is none."""
    element = data_set.get(tag)
    if element is None or element.items is not None:
        return ""
    return bytes(element.value).decode("latin-1").strip(" \0")


def words_of(data_set: DataSet, tag: int) -> Iterable[str]:
    """Return the values of a multi-valued element of plain characters, upper case."""
    return (word.strip().upper() for word in text_of(data_set, tag).split("\\"))
