"""Masks that may overlap, packed into few label maps.

Two contours, or a lesion's box that reaches into its neighbour's, may claim the same voxel.
Neither is cut: the second goes to another layer. Lesions are measured whole in their own layer.
"""

from dataclasses import dataclass, field

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.volume import BoolArray, Box, Geometry, LabelArray, LabelMap

MAX_VALUE = np.iinfo(np.uint16).max


@dataclass(slots=True)
class Layers:
    """Collects masks on one grid, each under a value of its own, counted from 1."""

    geometry: Geometry
    _arrays: list[LabelArray] = field(default_factory=list)
    _labels: list[dict[int, str]] = field(default_factory=list)
    _n_values: int = 0

    def add(self, crop: BoolArray, box: Box, label: str) -> int:
        """Add a mask, given inside its box, to the first layer where its voxels are free.

        Returns
        -------
        int
            The mask's value.

        Raises
        ------
        InputError
            Beyond 65535 masks on one image.
        """
        if self._n_values == MAX_VALUE:
            raise InputError(f"more than {MAX_VALUE} masks on one image", code="too_many_lesions")
        self._n_values += 1
        layer = self._layer_with_room(crop, box)
        self._arrays[layer][box][crop] = self._n_values
        self._labels[layer][self._n_values] = label
        return self._n_values

    def _layer_with_room(self, crop: BoolArray, box: Box) -> int:
        for number, array in enumerate(self._arrays):
            if not array[box][crop].any():
                return number
        self._arrays.append(np.zeros(self.geometry.shape, dtype=np.uint16))
        self._labels.append({})
        return len(self._arrays) - 1

    def label_maps(self) -> tuple[LabelMap, ...]:
        """Return the layers; none where nothing was added."""
        return tuple(
            LabelMap(array, self.geometry, labels)
            for array, labels in zip(self._arrays, self._labels, strict=True)
        )
