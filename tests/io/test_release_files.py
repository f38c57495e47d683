import pytest

from lesionary.io import release_files
from lesionary.io.durable import exchange
from lesionary.io.release_files import replace_folder


@pytest.fixture(params=["exchange", "two steps"], autouse=True)
def _way(request, monkeypatch):
    """Both ways to put a folder in another's place."""
    if request.param == "two steps":
        monkeypatch.setattr(release_files, "exchange", lambda _one, _other: False)


@pytest.fixture
def new(tmp_path):
    folder = tmp_path / ".partial-new"
    folder.mkdir()
    (folder / "release.json").write_text("new")
    return folder


def test_a_folder_takes_the_place_of_another(tmp_path, new):
    target = tmp_path / "release"
    (target / "images").mkdir(parents=True)
    (target / "release.json").write_text("old")
    replace_folder(new, target)
    assert list(tmp_path.iterdir()) == [target]
    assert [path.name for path in target.iterdir()] == ["release.json"]
    assert (target / "release.json").read_text() == "new"


def test_a_folder_takes_a_place_where_nothing_is(tmp_path, new):
    replace_folder(new, tmp_path / "release")
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_where_names_can_be_exchanged_something_is_always_in_place(tmp_path, new, monkeypatch):
    target = tmp_path / "release"
    target.mkdir()

    def watched(one, other):
        is_done = exchange(one, other)
        if not is_done:
            pytest.skip("this system or this disk cannot exchange names")
        assert (target / "release.json").read_text() == "new"
        return is_done

    def refused(_old, _new):
        raise AssertionError("a name was given up")

    monkeypatch.setattr(release_files, "exchange", watched)
    monkeypatch.setattr("os.replace", refused)
    replace_folder(new, target)
