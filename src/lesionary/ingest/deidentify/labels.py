"""Labels that tell the parts of an object apart: what lost its words still has to differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.quarantine import text_of

_GRAPHIC_LAYER, _ROI_NAME = 0x00700002, 0x30060026
_NUMBER_OF_ROI = 0x30060022
_STAND_INS: Mapping[int, str] = MappingProxyType(
    {
        _GRAPHIC_LAYER: "OTHER",
        0x00209056: "REMOVED",  # stack of a frame
        0x00620005: "REMOVED",  # a segment
        0x00620020: "REMOVED",  # what is tracked
        _ROI_NAME: "REMOVED",
    }
)
_ROI_DIGITS = 3


@dataclass(slots=True, repr=False)
class Labels:
    """The stand-ins of one instance: the same for the same label, wherever it is referred to."""

    _given: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    _taken: set[tuple[int, bytes]] = field(default_factory=set)

    def told_apart(self, element: Element, cleaned: bytes, item: DataSet) -> bytes:
        """Return what a label becomes.

        Parameters
        ----------
        element : Element
            As it came in.
        cleaned : bytes
            What the rules left of it: nothing, or a stand-in that others have too.
        item : DataSet
            The one that holds it.

        Returns
        -------
        bytes
            ``cleaned`` where words of it stayed, or there were none; else a stand-in of its own:
            the number of its ROI where it has one, else the next one.
        """
        tag = element.tag
        stand_in = _STAND_INS.get(tag)
        original = bytes(element.value).strip(b" \0")
        if stand_in is None or not original:
            return cleaned
        if cleaned and (cleaned != stand_in.encode() or original == cleaned):
            self._taken.add((tag, cleaned))
            return cleaned
        key = (tag, original)
        if key not in self._given:
            self._given[key] = self._new(tag, stand_in, item)
        return self._given[key]

    def _new(self, tag: int, stand_in: str, item: DataSet) -> bytes:
        number = text_of(item, _NUMBER_OF_ROI) if tag == _ROI_NAME else ""
        label = stand_in.encode()
        if number.isdigit() and len(number) <= _ROI_DIGITS:
            label = f"ROI {int(number)}".encode()
        joint = "" if tag == _GRAPHIC_LAYER else " "
        n = 1
        while (tag, label) in self._taken:
            n += 1
            label = f"{stand_in}{joint}{n}".encode()
        self._taken.add((tag, label))
        return label
