"""What a segmenter is: anything that turns a box on a scan into a mask."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lesionary.annotate.prompts import BoxPrompt
from lesionary.core.volume import Mask, Volume


@dataclass(frozen=True, slots=True)
class SegmenterInfo:
    """Who drew a mask: this goes into provenance and the headers of what is published.

    Parameters
    ----------
    name : str
        Name of the entry point, such as ``contour``.
    version : str
        Changes whenever the same scan and box give another mask.
    modalities : tuple of str
        DICOM modalities the segmenter was made for; it may accept others.
    licence : str
        SPDX identifier of code and weights together.
    margin_voxels : tuple of int
        How far beyond the box it may write along ``(k, j, i)``, in voxels.
    """

    name: str
    version: str
    modalities: tuple[str, ...]
    licence: str
    margin_voxels: tuple[int, int, int] = (0, 0, 0)


@runtime_checkable
class Segmenter(Protocol):
    """Turns a box into a mask.

    ``tests/contracts/test_segmenters.py`` is what every segmenter promises, plug-ins included: the
    same input gives the same mask, on the volume's whole grid, never empty, never further beyond
    the box than ``info.margin_voxels``.
    """

    @property
    def info(self) -> SegmenterInfo:
        """Name, version, licence and margin."""
        ...

    def segment(self, volume: Volume, prompt: BoxPrompt) -> Mask:
        """Segment the lesion in the prompt's box.

        Raises
        ------
        InputError
            If the box does not lie on the volume's grid (code ``box``).
        """
        ...
