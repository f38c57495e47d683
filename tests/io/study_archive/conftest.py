"""An archive of a small study, and what asks for one to be refused."""

import pytest

from lesionary.app.portable import import_study
from lesionary.core.errors import InputError, LesionaryError, WorkflowError
from portable_study import exported, make_study, members_of, pack


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    exported(make_study(folder / "study"), folder / "study.tar")
    return folder / "study.tar"


@pytest.fixture(scope="session")
def members(archive):
    return members_of(archive)


@pytest.fixture(scope="session")
def refused(tmp_path_factory):
    """Return what asks for an import, sees it refused, and nothing left behind."""

    def ask(content, kind=LesionaryError, **options):
        folder = tmp_path_factory.mktemp("refused")
        file = folder / "study.tar"
        file.write_bytes(content)
        with pytest.raises(kind) as error:
            import_study(file, folder / "study", **options)
        assert sorted(p.name for p in folder.iterdir()) == ["study.tar"]
        assert error.value.source or isinstance(error.value, WorkflowError)
        return error.value

    return ask


@pytest.fixture
def refused_members(refused, tmp_path):
    """Return the same for members whose headers and hashes are all right."""

    def ask(members, kind=InputError, **options):
        return refused(pack(tmp_path / "packed.tar", members).read_bytes(), kind, **options)

    return ask
