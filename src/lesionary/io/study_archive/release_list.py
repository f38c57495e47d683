"""The list of hashes of a release, which says what of its folder travels and in which order."""

from collections.abc import Iterator
from pathlib import Path

from lesionary.io.member_names import PathOutsideError, steps_of
from lesionary.io.release_files import CHECKSUMS
from lesionary.io.study_archive.layout import RELEASE, changed


def listed_files(sums: Path) -> Iterator[tuple[str, str]]:
    """Yield hash and path of what a release lists.

    Raises
    ------
    InputError
        Unless the paths ascend and lead nowhere else.
    """
    last, is_list = "", True
    with sums.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            digest, _, name = line.removesuffix("\n").partition("  ")
            try:
                is_list = name > last and "/".join(steps_of(name)) == name
            except PathOutsideError:
                is_list = False
            if not is_list or name == CHECKSUMS:
                raise changed(RELEASE + CHECKSUMS, "it is no list that a release has")
            last = name
            yield digest, name
