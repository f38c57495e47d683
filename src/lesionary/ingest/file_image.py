"""One image file in memory: its numbers, its grid, and what the gate noticed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lesionary.core.findings import Finding
from lesionary.core.volume import (
    AnyArray,
    BoolArray,
    Geometry,
    LabelMap,
    Quantity,
    Volume,
    read_only,
)
from lesionary.ingest.file_gate import invalid_voxels, to_labels


@dataclass(frozen=True, slots=True, eq=False)
class FileImage:
    """What a NIfTI, NRRD or MetaImage file holds, before it is known what it means.

    Parameters
    ----------
    array : array, shape (slices, rows, columns)
        In the file's own voxel order.
    geometry : Geometry
        Where the voxels lie. These formats know no frame of reference.
    labels : mapping of int to str
        Names that the file itself gives to its values, as segmentations of 3D Slicer do.
    """

    array: AnyArray
    geometry: Geometry
    labels: Mapping[int, str] = field(default_factory=dict)
    invalid: BoolArray | None = field(init=False)
    findings: tuple[Finding, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", read_only(self.array))
        invalid, findings = invalid_voxels(self.array)
        object.__setattr__(self, "invalid", invalid)
        object.__setattr__(self, "findings", findings)

    @property
    def is_integer(self) -> bool:
        """Whether the numbers are stored as integers."""
        return self.array.dtype.kind in "iub"

    def as_volume(self, modality: str = "OT", quantity: Quantity = Quantity.ARBITRARY) -> Volume:
        """Take the numbers as intensities; what :attr:`findings` warns of is marked invalid."""
        return Volume(self.array, self.geometry, modality, quantity, self.invalid)

    def as_label_map(self) -> tuple[LabelMap, tuple[Finding, ...]]:
        """Take the numbers as labels.

        Returns
        -------
        LabelMap
        tuple of Finding
            ``mask_not_integer``, fixed, where numbers had to be rounded.

        Raises
        ------
        InputError
            ``mask_not_integer`` where they are no labels.
        """
        labels, findings = to_labels(self.array)
        texts = {value: text for value, text in self.labels.items() if value}
        return LabelMap(np.asarray(labels), self.geometry, texts), findings
