"""The folder of released files: nothing overwritten, nothing written behind a link."""

from pathlib import Path

import pytest

from lesionary.core.errors import WorkflowError
from lesionary.io.released_files import ReleasedFiles

PLACE = Path("100000001", "1.2", "1.3", "1.4.dcm")


def put(root: Path, place: Path, content: bytes) -> bool:
    folder = ReleasedFiles(root)
    with folder.open():
        return folder.put(place, [content]).result()


def test_a_file_is_written_once_and_never_over_another(tmp_path: Path) -> None:
    assert put(tmp_path / "out", PLACE, b"one")
    assert put(tmp_path / "out", PLACE, b"one")
    assert not put(tmp_path / "out", PLACE, b"other")
    assert (tmp_path / "out" / PLACE).read_bytes() == b"one"


@pytest.mark.parametrize("n_levels", [1, 2, 3, 4])
@pytest.mark.parametrize("is_broken", [False, True])
def test_no_link_is_followed_at_any_level(n_levels: int, is_broken: bool, tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    link = root.joinpath(*PLACE.parts[:n_levels])
    link.parent.mkdir(parents=True)
    if not is_broken and n_levels == 4:
        elsewhere.write_bytes(b"theirs")
    elif not is_broken:
        elsewhere.mkdir()
    link.symlink_to(elsewhere)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WorkflowError) as caught:
        put(root, PLACE, b"mine")
    assert caught.value.code == "not_writable"
    assert PLACE.parts[n_levels - 1] in caught.value.message
    assert caught.value.hint
    assert sorted(tmp_path.rglob("*")) == before
    assert is_broken or n_levels < 4 or elsewhere.read_bytes() == b"theirs"


def test_what_lies_behind_a_link_is_none_of_the_folders_files(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", PLACE, b"theirs")
    root = tmp_path / "out"
    put(root, PLACE.with_name("1.5.dcm"), b"mine")
    (root / "100000002").symlink_to(tmp_path / "elsewhere" / PLACE.parts[0])
    assert set(ReleasedFiles(root).instances()) == {"1.5"}


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    assert put(tmp_path / "out", PLACE, b"one")
    assert (tmp_path / "disk" / PLACE).read_bytes() == b"one"
    assert set(ReleasedFiles(tmp_path / "out").instances()) == {"1.4"}


def test_other_links_in_the_folder_are_nobodys_business(tmp_path: Path) -> None:
    root = tmp_path / "out"
    root.mkdir()
    (root / "notes").symlink_to(tmp_path)
    assert put(root, PLACE, b"one")
    assert (root / "notes").is_symlink()
