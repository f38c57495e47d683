"""The agreement of several readers about one image: the document of ``file agree`` (M6).

All foreground together, then tumour by tumour. A name that comes twice is one reader who read
twice: readers are compared by their first readings, and each reader's own readings among
themselves, as a document of the same form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lesionary.agree.labels import same_labels
from lesionary.agree.scores import Lengths, Scores, with_reason
from lesionary.agree.tumours import Tumour, tumours_of
from lesionary.agree.volumes import pair_key
from lesionary.core.components import Component
from lesionary.core.errors import GeometryMismatchError, InputError
from lesionary.core.readers.patterns import foreground_patterns
from lesionary.core.volume import Geometry, LabelArray, LabelMap

DiameterOf = Callable[[Component, Geometry], float | None]
"""Measures what one reader drew of a tumour, all pieces together, in mm; None where it cannot."""

Document = dict[str, Any]


@dataclass(frozen=True)
class TumourAgreement:
    """One tumour and how far readers agree about it.

    Parameters
    ----------
    label : str or int
        The label's text, else its value.
    tumour : Tumour
        Who drew what.
    scores : Scores
        Dice, kappa, volumes; of the whole image's domain.
    """

    label: str | int
    tumour: Tumour
    scores: Scores

    def to_json(self, readers: Sequence[str]) -> Document:
        """Return the contract's row; ``readers`` names who bridged whose pieces."""
        tumour = self.tumour
        row: Document = {
            "tumour": tumour.number,
            "label": self.label,
            "present": list(tumour.present),
            "n_missed": tumour.n_missed,
            "fused": tumour.is_fused,
            "pieces": list(tumour.n_pieces),
            "first_voxel": list(tumour.first),
        }
        if tumour.is_fused:
            row["fused_by"] = [
                {
                    "reader": readers[bridge.reader],
                    "position": bridge.reader + 1,
                    "joins": bridge.n_pieces,
                    "pieces_of": readers[bridge.other],
                    "pieces_of_position": bridge.other + 1,
                }
                for bridge in tumour.bridges
            ]
        return row | self.scores.to_json()


@dataclass(frozen=True)
class Agreement:
    """Several readers about one image.

    Parameters
    ----------
    readers : tuple of str
        Each once, in the order of their first readings: all lists and pairs follow it.
    foreground : Scores
        All labels together, whichever they are.
    tumours : tuple of TumourAgreement
        By label, then by volume of the union descending.
    readings : tuple of str
        The names as given: longer than ``readers`` where somebody read twice.
    intra_reader : tuple of IntraReader
        One for each reader who read more than once.
    """

    readers: tuple[str, ...]
    foreground: Scores
    tumours: tuple[TumourAgreement, ...]
    readings: tuple[str, ...]
    intra_reader: tuple["IntraReader", ...] = ()

    @property
    def n_missed(self) -> tuple[int, ...]:
        """How many tumours each reader missed."""
        missed = [[not is_there for is_there in t.tumour.present] for t in self.tumours]
        return tuple(np.sum(missed, axis=0, dtype=int).tolist()) if missed else self._none

    @property
    def n_fused(self) -> int:
        """Tumours that somebody drew as one piece and somebody else as several."""
        return sum(t.tumour.is_fused for t in self.tumours)

    @property
    def _none(self) -> tuple[int, ...]:
        return (0,) * len(self.readers)

    def to_json(self) -> Document:
        """Return the document of ``file agree``; never NaN, each null with its reason."""
        scores = self.foreground.to_json()
        reason = scores.pop("reason", {})
        document = {
            "readers": list(self.readers),
            **scores,
            "present": list(self.foreground.present),
            "n_tumours": len(self.tumours),
            "n_missed": list(self.n_missed),
            "n_fused": self.n_fused,
            "tumours": [tumour.to_json(self.readers) for tumour in self.tumours],
        }
        if self.intra_reader:
            document["readings"] = list(self.readings)
            document["repeats"] = [
                {"reader": repeat.reader, "readings": [n + 1 for n in repeat.places]}
                for repeat in self.intra_reader
            ]
            document["compared"] = "inter-reader figures use each reader's first reading only"
            document["intra_reader"] = [repeat.to_json() for repeat in self.intra_reader]
        return with_reason(document, reason)


@dataclass(frozen=True)
class IntraReader:
    """One reader's readings among themselves.

    Parameters
    ----------
    reader : str
        Who.
    places : tuple of int
        Which of the readings given, from 0.
    agreement : Agreement
        Of the readings as if they were readers; pairs count them from 1.
    """

    reader: str
    places: tuple[int, ...]
    agreement: Agreement

    def to_json(self) -> Document:
        """Return ``{"reader", "readings", "dice", …}``: positions count the given masks from 1."""
        document = self.agreement.to_json()
        del document["readers"]
        return {
            "reader": self.reader,
            "readings": [place + 1 for place in self.places],
            "pairs": {
                pair_key((a, b)): [self.places[a] + 1, self.places[b] + 1]
                for a, b in self.agreement.foreground.pairs
            },
            **document,
        }


def agreement(
    readers: Sequence[LabelMap],
    names: Sequence[str],
    *,
    diameters: DiameterOf | None = None,
    n_voxels: int | None = None,
    is_one_tumour: bool = False,
) -> Agreement:
    """Compare several readings of one image.

    Parameters
    ----------
    readers : sequence of LabelMap
        Two to 64 on one grid; any may be empty. Labels are one by text, else by value.
    names : sequence of str
        Who drew each. Equal names are repeats of one reader.
    diameters : callable, optional
        ``(component, geometry) -> mm`` or None, asked for what each reader drew of each tumour,
        several pieces as one object.
    n_voxels : int, optional
        Voxels of the whole image where the maps are crops that hold all that was drawn: kappa and
        alpha are then exactly those of the whole image. By default the maps are the image.
    is_one_tumour : bool
        All that bears one label is one tumour, in however many pieces: for maps of one lesion.

    Returns
    -------
    Agreement
        Where nobody drew anything: no tumours, and null with a reason for Dice, kappa, alpha and
        the percentage. A mask against itself: Dice, kappa and alpha exactly 1. Empty against full:
        Dice 0, kappa at or below 0. One reader read twice and nobody else: no inter-reader pairs.

    Raises
    ------
    InputError
        If there are fewer than two readings or more than 64, not one name for each, or more voxels
        in a crop than in the whole.
    GeometryMismatchError
        If two grids differ; the message names their positions, from 1.
    """
    if len(readers) < 2:
        raise InputError(f"agreement needs two masks or more, not {len(readers)}")
    if len(names) != len(readers):
        raise InputError(f"{len(names)} names for {len(readers)} masks")
    _require_one_grid(readers)
    geometry = readers[0].geometry
    whole = geometry.n_voxels if n_voxels is None else n_voxels
    if whole < geometry.n_voxels:
        raise InputError(f"a crop of {geometry.n_voxels} voxels in an image of {whole}")
    arrays, texts = same_labels(readers)
    comparison = _Comparison(geometry, whole, texts, diameters, is_one_tumour)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    repeats = tuple(
        IntraReader(name, tuple(own), comparison.of(arrays, own, (name,) * len(own)))
        for name, own in places.items()
        if len(own) > 1
    )
    found = comparison.of(arrays, [own[0] for own in places.values()], tuple(places))
    return replace(found, readings=tuple(names), intra_reader=repeats)


@dataclass(frozen=True)
class _Comparison:
    """What is the same for all readings of one image."""

    geometry: Geometry
    n_voxels: int
    texts: dict[int, str]
    diameters: DiameterOf | None
    is_one_tumour: bool

    def of(
        self, arrays: Sequence[LabelArray], places: Sequence[int], names: tuple[str, ...]
    ) -> Agreement:
        """Compare some of the readings, each as if it were a reader."""
        chosen = [arrays[place] for place in places]
        mm3 = self.geometry.voxel_volume_mm3
        foreground = Scores(foreground_patterns(chosen).with_domain(self.n_voxels), mm3)
        tumours = tuple(
            TumourAgreement(
                label=self.texts.get(tumour.value, tumour.value),
                tumour=tumour,
                scores=Scores(
                    tumour.patterns.with_domain(self.n_voxels), mm3, self._lengths(tumour)
                ),
            )
            for tumour in tumours_of(chosen, is_one_tumour=self.is_one_tumour)
        )
        return Agreement(names, foreground, tumours, names)

    def _lengths(self, tumour: Tumour) -> Lengths | None:
        if self.diameters is None:
            return None
        drawn = [tumour.component(reader) for reader in range(len(tumour.n_pieces))]
        return tuple(
            None if part is None else self.diameters(part, self.geometry) for part in drawn
        )


def _require_one_grid(readers: Sequence[LabelMap]) -> None:
    for place, reader in enumerate(readers[1:], start=2):
        try:
            readers[0].geometry.require_same_grid(reader.geometry)
        except GeometryMismatchError as error:
            message = f"masks 1 and {place} lie on different grids: {error.message}"
            raise GeometryMismatchError(message, hint=error.hint) from error
