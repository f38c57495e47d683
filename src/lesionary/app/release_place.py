"""Where a release may lie: in the study's own ``release``, or where nothing of ours is."""

from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.core.errors import InputError
from lesionary.io.release_files import KIND, read_manifest, resolved
from lesionary.io.study_files import PROTOCOL_FILE, StudyFiles
from lesionary.io.vault import vault_folder

if TYPE_CHECKING:
    from lesionary.app.study import Study

_ELSEWHERE = "name a folder outside the study, or none: then it is STUDY/release"


def release_place(study: "Study", target: Path) -> Path:
    """Return the folder that is meant, behind all links.

    Raises
    ------
    InputError
        If it is the study or lies in it, in any other study, in a release or in the vault: what
        Lesionary keeps there would be mixed with what it gives away.
    """
    place, root = resolved(target), resolved(study.files.root)
    if place == root / study.files.release.name:
        return place
    if place == root:
        raise _misplaced("the release would lie where the study itself does", target)
    if any(map(_is_study, place.parents)):
        raise _misplaced("the release would lie in a study, among what Lesionary keeps", target)
    if any(map(_is_release, place.parents)):
        raise _misplaced("the release would lie within another release", target)
    if place.is_relative_to(resolved(vault_folder(study.files.root))):
        raise _misplaced("the release would lie in the vault, beside the keys", target)
    return place


def _misplaced(message: str, target: Path) -> InputError:
    return InputError(message, code="usage", hint=_ELSEWHERE, source=str(target))


def _is_study(folder: Path) -> bool:
    return _is_there(folder / PROTOCOL_FILE) and _is_there(StudyFiles(folder).objects)


def _is_release(folder: Path) -> bool:
    return (read_manifest(folder) or {}).get("kind") == KIND


def _is_there(path: Path) -> bool:
    """Tell whether something is there; where nobody may look, nothing of ours is."""
    try:
        return path.exists()
    except OSError:
        return False
