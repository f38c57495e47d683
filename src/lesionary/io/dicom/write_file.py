"""Elements by keyword, saved as a DICOM file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.core.volume import AnyArray, FloatArray

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
"""Transfer syntax that every reader knows."""

_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_UNCOMPRESSED = {"1.2.840.10008.1.2", EXPLICIT_LITTLE, _EXPLICIT_BIG, "1.2.840.10008.1.2.1.99"}


def decimal(value: float) -> str:
    """Write a number in the 16 characters that DICOM allows."""
    text = repr(float(value))
    digits = 16
    while len(text) > 16:
        digits -= 1
        text = f"{value:.{digits}g}"
    return text


def decimals(values: FloatArray) -> list[str]:
    """Write numbers one after another, as elements of several values want them."""
    return [decimal(float(value)) for value in values]


def save(
    path: Path, elements: Mapping[str, object], pixels: AnyArray | None, transfer_syntax_uid: str
) -> None:
    """Write a file.

    Parameters
    ----------
    path : Path
        Its folder is there.
    elements : mapping of str to value
        By keyword; a list of mappings is a sequence.
    pixels : array, optional
        One slice, in the type that its elements tell.
    transfer_syntax_uid : str
        Uncompressed, or one pydicom can compress to.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    dataset = _dataset(elements)
    is_compressed = transfer_syntax_uid not in _UNCOMPRESSED
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(
        EXPLICIT_LITTLE if is_compressed else transfer_syntax_uid
    )
    if pixels is not None:
        is_big = transfer_syntax_uid == _EXPLICIT_BIG
        ordered = pixels.astype(pixels.dtype.newbyteorder(">" if is_big else "<"))
        dataset.add_new("PixelData", "OW", ordered.tobytes())
    if is_compressed:
        dataset.compress(UID(transfer_syntax_uid), generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


def _dataset(elements: Mapping[str, object]) -> "Dataset":
    from pydicom.dataset import Dataset

    dataset = Dataset()
    for keyword, value in elements.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            setattr(dataset, keyword, [_dataset(item) for item in value])
        else:
            setattr(dataset, keyword, value)
    return dataset
