"""Bad input does no harm: each row of ``bad_inputs.ROWS`` through the command line, and only it."""

import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bad_inputs import FOLDER, LEFT_OUT, PLANTED, ROWS, BadInput
from dicom_factory import ct_series, write_series
from lesionary.app.study import Study
from lesionary.cli.main import run_command
from lesionary.core.findings import Outcome

GOOD_SERIES = 500
DONE, PARTLY, UNUSABLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Ran:
    """A command's exit code and its two streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out, parse_constant=pytest.fail)


Command = Callable[..., Ran]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """Return an empty study, a good series, and the object that it becomes when it comes alone."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONARY_VAULT", str(folder / "vault"))
        Study.create(folder / "study").registry.close()
        write_series(ct_series(series=GOOD_SERIES, patient="Good-1"), folder / "good")
        shutil.copytree(folder / "study", folder / "alone")
        assert run_command(["ingest", str(folder / "alone"), str(folder / "good")]) == DONE
        yield folder / "study", folder / "good", objects_of(folder / "alone")[0]


@pytest.fixture
def study(
    template: tuple[Path, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Copy the empty study; afterwards nothing may be left over in it or in the scratch folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    copy = tmp_path / "study"
    shutil.copytree(template[0], copy)
    yield copy
    assert list(scratch.iterdir()) == []
    assert list(copy.rglob(".partial-*")) == []
    assert not (tmp_path / "state").exists(), "the log of our own faults"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs a command line as ``--json``; no traceback may show."""

    def _run(*arguments: object) -> Ran:
        code = run_command([*map(str, arguments), "--json"])
        ran = Ran(code, *capsys.readouterr())
        assert "Traceback" not in ran.out + ran.err
        return ran

    return _run


def objects_of(study: Path) -> list[str]:
    opened = Study.open(study)
    try:
        rows = opened.registry.all_series()
        for row in rows:
            opened.objects.verify(row["object_id"])
        return [row["object_id"] for row in rows]
    finally:
        opened.registry.close()


def content_of(study: Path) -> Iterator[bytes]:
    """Yield every file of a study, and what is packed in it, with its name."""
    for path in study.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield path.name.encode() + b"\0" + content
            if (packed := content.find(b"\x1f\x8b\x08")) >= 0 and "objects" in path.parts:
                yield gzip.decompress(content[packed:])


def found_in(content: bytes, words: tuple[str, ...]) -> list[str]:
    """Return the words that stand in some bytes, in whatever letters and encoding."""
    folded = content.lower()
    return [
        word
        for word in words
        if any(word.lower().encode(charset) in folded for charset in ("utf-8", "utf-16-le"))
    ]


def require_silence(ran: Ran, study: Path, *folders: Path) -> None:
    """Check that neither streams nor study hold a planted word or a path of the user's."""
    words = (*PLANTED, *map(str, folders))
    assert found_in((ran.out + ran.err).encode(), words) == []
    assert [
        found_in(content, words) for content in content_of(study) if found_in(content, words)
    ] == []


def rows_about(document: Any, row: BadInput) -> list[dict[str, Any]]:
    """Return the document's entries with a row's code, where its outcome puts them."""
    if row.outcome is LEFT_OUT:
        entries = document["left_out"]
    elif row.outcome is Outcome.IGNORED:
        entries = document["ignored"]
    else:
        entries = [note for series in document["series"] for note in series["notes"]]
    return [entry for entry in entries if entry["code"] == row.code]


def require_told(document: Any, row: BadInput, n_good: int) -> None:
    """Check that a document says of a row what the contract says."""
    assert len(document["series"]) == row.n_series + n_good
    if not row.code:
        assert document["left_out"] == []
        return
    told = rows_about(document, row)
    assert told, document
    assert all(len(entry["reason"].split()) >= 3 for entry in told)
    if row.outcome is LEFT_OUT:
        assert all(entry["hint"] and entry["instances"] >= 1 for entry in told)
        assert {entry["code"] for entry in document["left_out"]} == {row.code}
    else:
        assert document["left_out"] == []
    if row.outcome in {Outcome.FIXED, Outcome.WARNED}:
        assert row.outcome in {series["outcome"] for series in document["series"]}
    sources = [entry["source"] for part in ("series", "left_out") for entry in document[part]]
    assert all(re.fullmatch(r"1#\d+", source) for source in sources)


ALL = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)


@ALL
def test_it_comes_with_a_good_series_which_stays_unharmed(
    row: BadInput, template: tuple[Path, Path, str], study: Path, run: Command, tmp_path: Path
) -> None:
    bad = tmp_path / FOLDER
    row.write(bad)
    ran = run("ingest", study, template[1], bad, *row.options)
    assert ran.code == (PARTLY if row.outcome is LEFT_OUT else DONE)
    require_told(ran.document, row, n_good=1)
    assert template[2] in objects_of(study)
    require_silence(ran, study, bad, template[1])


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.code != "archive_limit"], ids=lambda row: row.what
)
def test_it_comes_alone(row: BadInput, study: Path, run: Command, tmp_path: Path) -> None:
    bad = tmp_path / FOLDER
    row.write(bad)
    ran = run("ingest", study, bad, *row.options)
    if row.n_series:
        assert ran.code == (PARTLY if row.outcome is LEFT_OUT else DONE)
    else:
        assert ran.code == UNUSABLE
    require_told(ran.document, row, n_good=0)
    assert len(objects_of(study)) == row.n_series
    require_silence(ran, study, bad)


UNREADABLE = [
    row
    for row in ROWS
    if row.outcome is LEFT_OUT
    and not row.n_series
    and not row.study_only
    and row.code != "archive_limit"
]


@pytest.mark.parametrize("row", UNREADABLE, ids=lambda row: row.what)
def test_the_file_verbs_refuse_it_by_name_and_leave_no_output(
    row: BadInput, study: Path, run: Command, tmp_path: Path
) -> None:
    bad = tmp_path / FOLDER
    row.write(bad)
    given = next(bad.iterdir()) if len(list(bad.iterdir())) == 1 else bad
    target = tmp_path / "out.nii.gz"
    for command in (
        ("convert", given, target),
        ("convert", given, tmp_path / "out"),
        ("segment", given, "--box", "1,3,1,3,1,3", "-o", target),
        ("measure", given, given),
    ):
        ran = run("file", *command)
        assert ran.code == UNUSABLE
        error = ran.document["error"]
        assert (error["code"], error["source"]) == (row.code, str(given))
        assert error["message"]
        assert error["hint"]
        assert not target.exists()
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("row", [row for row in ROWS if row.has_mask], ids=lambda row: row.what)
def test_measure_refuses_or_takes_a_mask_as_ingest_does(
    row: BadInput, study: Path, run: Command, tmp_path: Path
) -> None:
    bad = tmp_path / FOLDER
    row.write(bad)
    mask = bad / "scan_mask.nii.gz"
    ran = run("file", "measure", bad / "scan_image.nii.gz", mask, "--min-voxels", 1)
    if row.outcome is not LEFT_OUT:
        assert ran.code == DONE
        assert ran.document["lesions"]
        return
    assert ran.code == UNUSABLE
    error = ran.document["error"]
    assert (error["code"], error["source"]) == (row.code, str(mask))


CLAIMANTS = [row for row in ROWS if row.code in {"size_claim", "archive_limit"}]

PEAK = """
import sys
from pathlib import Path
from lesionary.cli.main import run_command
code = run_command(sys.argv[1:])
(peak,) = [
    line.split()[1]
    for line in Path("/proc/self/status").read_text().splitlines()
    if line.startswith("VmHWM:")
]
print(peak, file=sys.stderr)
sys.exit(code)
"""
"""Prints the process's own peak: ru_maxrss would begin with that of the process it came from."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's high-water mark")
def test_claims_and_bombs_take_no_memory(study: Path, template: Any, tmp_path: Path) -> None:
    """All at once, in a process of its own: within 1 GiB."""
    for number, row in enumerate(CLAIMANTS):
        row.write(tmp_path / FOLDER / str(number))
    command = [sys.executable, "-c", PEAK, "ingest", str(study), str(tmp_path / FOLDER), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == UNUSABLE, ran.stderr
    assert {row["code"] for row in json.loads(ran.stdout)["left_out"]} == {
        "size_claim",
        "archive_limit",
    }
    assert int(ran.stderr.split()[-1]) < 1 << 20, "KiB"
