"""How files are read and named: what all ``file`` verbs share."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesionary.core.errors import InputError
from lesionary.ingest.file_gate import AffineChoice
from lesionary.io.limits import Limits

PathLike = str | os.PathLike[str]
IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs are read."""

    affine: AffineChoice | None = None
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, *, affine: AffineChoice | None, max_volume_bytes: int | None) -> "Reading":
        """Return the defaults with what the command line changes."""
        return cls(affine, Limits().with_changes(volume_bytes=max_volume_bytes))


def require_ending(path: PathLike) -> Path:
    """Return the path, or say which endings are written."""
    target = Path(path)
    if not target.name.lower().endswith(IMAGE_ENDINGS):
        raise InputError(
            "the output's ending names no format that is written",
            code="usage",
            hint=f"choose {', '.join(IMAGE_ENDINGS)}",
            source=str(path),
        )
    if not target.absolute().parent.is_dir():
        raise InputError("the output's folder does not exist", code="not_a_file", source=str(path))
    return target


def require_new(target: Path, inputs: Sequence[Path]) -> Path:
    """Return the output's path; refuse one that is among the inputs."""
    try:
        is_input = any(target.exists() and one.exists() and target.samefile(one) for one in inputs)
    except OSError as error:
        message = f"the output cannot have this name: {error.strerror}"
        raise InputError(message, code="usage", source=str(target)) from None
    if is_input:
        raise overwriting(target)
    return target


def overwriting(target: Path) -> InputError:
    """Return the error for an output that is an input."""
    return InputError(
        "the output is one of the inputs",
        code="usage",
        hint="name another file: an input is never written over",
        source=str(target),
    )


def read_texts(labels: str | None) -> dict[int, str]:
    """Read ``--labels``: JSON as it stands, or a file with it."""
    from lesionary.ingest.sidecars import parse_label_texts

    if labels is None:
        return {}
    is_json = labels.lstrip().startswith(("{", "[", '"'))
    try:
        text = labels if is_json else Path(labels).read_text(encoding="utf-8-sig")
        return parse_label_texts(text)
    except OSError as error:
        message = f"the labels cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        message = "the labels are not UTF-8 text"
    except InputError as error:
        message = error.message
    raise InputError(
        message,
        code="bad_labels",
        hint='give JSON such as {"1": "m,liver"}, or a file with it',
        source=None if is_json else labels,
    )
