"""What the name of an image file says: image or mask, and which of them belong together."""

import re
from dataclasses import dataclass

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".json")

_MASK_WORD = re.compile(
    r"(?:^|[_\-. ])(masks?|segs?|labels?|segmentations?)(?=$|[_\-. ])", re.IGNORECASE
)
_IMAGE_WORD = re.compile(r"(?:^|[_\-. ])(images?)(?=$|[_\-. ])", re.IGNORECASE)
_IMAGE_FOLDERS = frozenset({"image", "images"})
_MASK_FOLDERS = frozenset({"mask", "masks", "label", "labels"})


@dataclass(frozen=True, slots=True)
class FileName:
    """The parts of a file's place that pairing compares.

    Parameters
    ----------
    folder : str
        Everything ahead of the file's own name.
    stem : str
        The name without its ending.
    key : str
        The stem without the word that says image or mask: ``lung1_crop`` for ``lung1_image_crop``
        and ``lung1_label_crop``. Two files of one folder and one key belong together.
    says_mask, says_image : bool
        Whether the name itself holds such a word; mask goes first.
    root, below : str
        Of a file below a folder named ``images``, ``masks``, ``labels`` or in the singular: what
        lies above that folder, and the folders below it. Empty otherwise.
    in_images, in_masks : bool
        Which of the two kinds of folder it is, if any.
    """

    folder: str
    stem: str
    key: str
    says_mask: bool
    says_image: bool
    root: str = ""
    below: str = ""
    in_images: bool = False
    in_masks: bool = False

    @property
    def is_mask(self) -> bool:
        """Whether it is named as a mask, by itself or by its folder."""
        return self.says_mask or self.in_masks


def parse_name(place: str) -> FileName:
    """Take a place such as ``data/images/001_image.nii.gz`` apart.

    Examples
    --------
    >>> parse_name("a/lung1_label_crop.nii.gz").key
    'lung1_crop'
    >>> parse_name("data/masks/s1/7.nii.gz").root
    'data'
    """
    folder, _, name = place.rpartition("/")
    stem = stem_of(name)
    mask_key, image_key = _without(stem, _MASK_WORD), _without(stem, _IMAGE_WORD)
    steps = folder.split("/")
    kinds = [step.lower() in _IMAGE_FOLDERS | _MASK_FOLDERS for step in steps]
    at = len(kinds) - 1 - kinds[::-1].index(True) if any(kinds) else None
    return FileName(
        folder=folder,
        stem=stem,
        key=mask_key if mask_key is not None else image_key if image_key is not None else stem,
        says_mask=mask_key is not None,
        says_image=mask_key is None and image_key is not None,
        root="" if at is None else "/".join(steps[:at]),
        below="" if at is None else "/".join(steps[at + 1 :]),
        in_images=at is not None and steps[at].lower() in _IMAGE_FOLDERS,
        in_masks=at is not None and steps[at].lower() in _MASK_FOLDERS,
    )


def stem_of(name: str) -> str:
    """Return a file's name without its folder and its ending."""
    name = name.rpartition("/")[2]
    ending = next((e for e in ENDINGS if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]


def _without(stem: str, word: re.Pattern[str]) -> str | None:
    """Return ``stem`` without the last such word, or None where there is none."""
    matches = list(word.finditer(stem))
    if not matches:
        return None
    rest = stem[: matches[-1].start()] + stem[matches[-1].end() :]
    return rest if matches[-1].start() else rest.lstrip("_-. ")
