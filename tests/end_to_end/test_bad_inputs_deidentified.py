"""Bad input at the door: each row of ``bad_inputs.ROWS`` through ``file deidentify``."""

import io
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest

from bad_inputs import FOLDER, PATIENT, PLANTED, ROWS, BadInput
from dicom_factory import ct_series, write_series
from lesionary.cli.main import run_command

GOOD_SERIES, N_GOOD = 500, 8
DONE, PARTLY, UNUSABLE = 0, 1, 2
CLUTTER = {"not_a_file", "dicomdir"}
IMAGE_FILE = re.compile(r"\.(nii\.gz|nrrd|nhdr|mha|mhd)$")

SAID = {
    "the same file twice": {"duplicate_identical": 1},
    "one UID, two contents": {"sop_conflict": 1},
    "one UID, two places": {"sop_conflict": 1},
    "cut pixel data": {"truncated": 1},
    "cut header": {"truncated": 1},
    "cut code stream": {"truncated": 1},
    "60,000 rows claimed": {"size_claim": 8},
    "2³¹ frames claimed": {"size_claim": 1},
    "cine": {"size_claim": 1},
    "3,000 sequences deep": {"too_deep": 1},
    "a PDF inside": {"encapsulated_document": 1},
    "a screenshot": {"secondary_capture": 1},
    "zero bytes": {"empty_file": 1},
    "noise": {"not_dicom": 1},
    "noise with magic": {"not_dicom": 1},
    "zip with ../ and a scan": {"path_outside": 1, "not_dicom": 1},
    "an archive of zeros": {"archive_limit": 1},
    "links in a circle": {"not_a_file": 3},
}
"""How many files of a row have which code; of the others see :func:`said_of`."""

OUTCOMES = {
    "duplicate_identical": "released",
    "sop_conflict": "quarantined",
    "encapsulated_document": "quarantined",
    "secondary_capture": "quarantined",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """A command's exit code and its two streams."""

    code: int
    out: str
    err: str

    @property
    def files(self) -> list[dict[str, Any]]:
        """The document's rows."""
        return json.loads(self.out, parse_constant=pytest.fail)["files"]


def deidentify(source: Path, target: Path, *options: str) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_command(["file", "deidentify", str(source), str(target), *options, "--json"])
    return Ran(code, out.getvalue(), err.getvalue())


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    """Return what becomes of a good series when it comes alone."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONARY_VAULT", str(folder / "vault"))
        write_good(folder / "scans")
        assert deidentify(folder / "scans", folder / "out").code == DONE
        yield content_of(folder / "out")


def write_good(folder: Path) -> None:
    write_series(ct_series(series=GOOD_SERIES, patient="Good-1"), folder)


@pytest.fixture(autouse=True)
def _nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "state").exists(), "the log of our own faults"


def said_of(row: BadInput, folder: Path) -> Counter[str]:
    """Return how many files of a row get which code; those without one are simply released."""
    if row.what in SAID:
        return Counter(SAID[row.what])
    names = [path.name for path in folder.iterdir()]
    if any(map(IMAGE_FILE.search, names)):
        return Counter({"not_dicom": len(names)})
    return Counter({row.code: 1}) if row.code in {"path_outside", "not_a_file"} else Counter()


def options_of(row: BadInput) -> tuple[str, ...]:
    return row.options if "--subject" in row.options else ()


def exit_code_of(said: Counter[str], *, has_usable: bool) -> int:
    if not has_usable:
        return UNUSABLE
    is_faulty = any(code not in OUTCOMES and code not in CLUTTER for code in said)
    return PARTLY if is_faulty else DONE


def require_told(ran: Ran, said: Counter[str]) -> None:
    coded = [row for row in ran.files if row["code"]]
    assert Counter(row["code"] for row in coded) == said
    assert [row["source"] for row in ran.files] == list(range(len(ran.files)))
    for row in ran.files:
        assert row["outcome"] == OUTCOMES.get(row["code"], "refused" if row["code"] else "released")
        assert (row["output"] is not None) == (row["outcome"] == "released")
        assert bool(row["code"]) == bool(row["reason"])
        assert not row["reason"] or len(row["reason"].split()) >= 3


def require_clean(ran: Ran, target: Path, source: Path) -> None:
    """Check that the output is what the document says, whole, and that nothing planted is left."""
    written = content_of(target)
    assert set(written) == {row["output"] for row in ran.files if row["output"]}
    for name, content in written.items():
        number, *_ = name.split("/")
        read = pydicom.dcmread(io.BytesIO(content))
        assert (read.PatientID, read.PatientName) == (number, number)
        assert read.PatientIdentityRemoved == "YES"
    for text in (ran.out, ran.err, *written, *map(lower_latin, written.values())):
        assert [word for word in (*PLANTED, str(source)) if word.lower() in text.lower()] == []
    folders = [path for path in target.rglob("*") if path.is_dir()]
    assert all(any(folder.iterdir()) for folder in folders), "no empty or hidden folder"


def lower_latin(content: bytes) -> str:
    return content.decode("latin-1")


ALL = pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=pytest.mark.slow if row.code == "archive_limit" else ())
        for row in ROWS
    ],
    ids=lambda row: row.what,
)


@ALL
def test_it_comes_beside_a_good_series_which_stays_unharmed(
    row: BadInput, good: dict[str, bytes], tmp_path: Path
) -> None:
    scans, target = tmp_path / "scans", tmp_path / "out"
    write_good(scans / "good")
    row.write(scans / FOLDER)
    said = said_of(row, scans / FOLDER)
    ran = deidentify(scans, target, *options_of(row))
    assert ran.code == exit_code_of(said, has_usable=True)
    require_told(ran, said)
    assert good.items() <= content_of(target).items()
    require_clean(ran, target, scans)


ALONE = [row for row in ROWS if row.code != "archive_limit"]


@pytest.mark.parametrize("row", ALONE, ids=lambda row: row.what)
def test_it_comes_alone_and_again(row: BadInput, good: Any, tmp_path: Path) -> None:
    source, target = tmp_path / FOLDER, tmp_path / "out"
    row.write(source)
    said = said_of(row, source)
    ran = deidentify(source, target, *options_of(row))
    has_usable = any(file["outcome"] != "refused" for file in ran.files)
    assert ran.code == exit_code_of(said, has_usable=has_usable)
    require_told(ran, said)
    if not any(file["outcome"] == "released" for file in ran.files):
        assert not target.exists(), "nothing came out: no folder either"
        return
    require_clean(ran, target, source)
    once = content_of(target)
    assert deidentify(source, target, *options_of(row)) == ran
    assert content_of(target) == once


def test_there_is_a_row_for_all_that_is_said_here() -> None:
    assert set(SAID) <= {row.what for row in ROWS}


def test_a_patient_named_by_option_is_the_patient_of_that_id(tmp_path: Path, good: Any) -> None:
    for name, patient in (("named", PATIENT), ("nameless", "")):
        built = ct_series(patient=patient, series=1 + bool(patient))
        write_series(built, tmp_path / "scans" / name)
    ran = deidentify(tmp_path / "scans", tmp_path / "out", "--subject", PATIENT)
    assert ran.code == DONE
    assert len(os.listdir(tmp_path / "out")) == 1  # noqa: PTH208 - names only
