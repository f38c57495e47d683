"""``file deidentify`` on the command line: what is said, how it ends, and hard times."""

import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dicom_factory import ct_series, secondary_capture, stored_values, uid, write_series
from lesionary.app.study import Study
from lesionary.cli.file_deidentify import ranges
from lesionary.cli.main import run_command
from warm_process import AFTER, BEFORE, Crash, WarmProcess

DONE, PARTLY, UNUSABLE = 0, 1, 2
N_SLICES = 6


@pytest.fixture(autouse=True)
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LESIONARY_VAULT_KEY", "LESIONARY_VAULT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    return tmp_path / "vault"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    write_series(ct_series(stored_values((N_SLICES, 8, 8))), tmp_path / "scans")
    return tmp_path / "scans"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command; no traceback may show, and no planted name."""

    def run(*words: object) -> tuple[int, str, str]:
        code = run_command(["file", "deidentify", *map(str, words)])
        out, err = capsys.readouterr()
        for hidden in ("Traceback", "Planted", "P-007", uid()):
            assert hidden not in out + err
        return code, out, err

    return run


@pytest.fixture
def ask(say: Any) -> Callable[..., tuple[int, Any]]:
    def run(*words: object) -> tuple[int, Any]:
        code, out, _ = say(*words, "--json")
        return code, json.loads(out, parse_constant=pytest.fail)

    return run


def error_of(answer: tuple[int, Any]) -> dict[str, Any]:
    """Return an error that is whole."""
    code, document = answer
    assert code == UNUSABLE, document
    assert document["error"]["message"]
    assert document["error"]["hint"]
    return document["error"]


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_document_is_the_contracts(ask: Any, scans: Path, tmp_path: Path) -> None:
    code, document = ask(scans, tmp_path / "out")
    assert code == DONE
    assert (document["released"], document["quarantined"], document["refused"]) == (N_SLICES, 0, 0)
    for number, row in enumerate(document["files"]):
        assert row["source"] == number
        assert (row["outcome"], row["code"], row["reason"]) == ("released", None, None)
        assert (tmp_path / "out" / row["output"]).is_file()
    by_tag = {row["tag"]: row for row in document["actions"]}
    assert by_tag["0010,0010"]["keyword"] == "PatientName"
    assert by_tag["0010,0010"]["count"] == N_SLICES
    assert {"tag", "keyword", "action", "count"} == set(by_tag["0010,0010"])


def test_the_text_tells_each_reason_once(say: Any, scans: Path, tmp_path: Path) -> None:
    for number in range(3):
        (scans / f"x{number}.dcm").write_bytes(b"")
    secondary_capture().save_as(scans / "y.dcm", enforce_file_format=True)
    code, out, err = say(scans, tmp_path / "out")
    assert code == PARTLY
    first, header, *rows = out.splitlines()
    assert first == f"{tmp_path / 'out'}: 6 files released, 1 quarantined, 3 refused"
    assert header.split() == ["outcome", "files", "code", "reason", "sources"]
    assert [row.split()[:3] for row in rows] == [
        ["quarantined", "1", "secondary_capture"],
        ["refused", "3", "empty_file"],
    ]
    assert [row.rpartition("  ")[2] for row in rows] == ["9", "6–8"]
    at = header.index("reason")
    assert all(row[at - 1] == " " != row[at] for row in rows), "columns stand below each other"
    assert "a new vault was made" in err
    assert say(scans, tmp_path / "out")[2].count("vault") == 0


def test_where_all_is_well_there_is_one_line(say: Any, scans: Path, tmp_path: Path) -> None:
    _, out, _ = say(scans, tmp_path / "out")
    assert out == f"{tmp_path / 'out'}: {N_SLICES} files released, 0 quarantined, 0 refused\n"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([4], "4"), ([0, 1], "0–1"), ([0, 1, 3], "0–1, 3"), ([1, 3, 5, 7, 9], "1, 3, 5, 7, …")],
)
def test_numbers_are_told_in_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


class TestExitCodes:
    """0 done, 1 something faulty, 2 nothing usable."""

    def test_quarantine_and_clutter_are_no_fault(
        self, ask: Any, scans: Path, tmp_path: Path
    ) -> None:
        secondary_capture().save_as(scans / "y.dcm", enforce_file_format=True)
        (scans / "Thumbs.db").write_bytes(b"Planted")
        assert ask(scans, tmp_path / "out")[0] == DONE

    def test_all_quarantined_is_done(self, ask: Any, tmp_path: Path) -> None:
        secondary_capture().save_as(tmp_path / "y.dcm", enforce_file_format=True)
        assert ask(tmp_path / "y.dcm", tmp_path / "out")[0] == DONE
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("content", [None, b"", b"Planted"])
    def test_nothing_usable(self, content: bytes | None, ask: Any, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        if content is not None:
            (tmp_path / "in" / "scan.dcm").write_bytes(content)
        code, document = ask(tmp_path / "in", tmp_path / "out")
        assert (code, document["released"]) == (UNUSABLE, 0)
        assert not (tmp_path / "out").exists()

    def test_what_is_no_dicom_is_never_copied(self, ask: Any, scans: Path, tmp_path: Path) -> None:
        (scans / "patients.csv").write_text("name\nPlanted\n")
        code, document = ask(scans, tmp_path / "out")
        assert code == PARTLY
        assert document["files"][-1]["code"] == "not_dicom"
        assert all(name.endswith(".dcm") for name in content_of(tmp_path / "out"))

    def test_one_file_will_do(self, ask: Any, scans: Path, tmp_path: Path) -> None:
        assert ask(scans / "0003.dcm", tmp_path / "out")[0] == DONE
        assert len(content_of(tmp_path / "out")) == 1


class TestWrongInput:
    """A clear error, and nothing is made."""

    @pytest.fixture(autouse=True)
    def _nothing_made(self, tmp_path: Path) -> Iterator[None]:
        yield
        assert not (tmp_path / "out").exists()

    def test_no_such_input(self, ask: Any, tmp_path: Path) -> None:
        missing = tmp_path / "nothing"
        error = error_of(ask(missing, tmp_path / "out"))
        assert (error["code"], error["source"]) == ("not_a_file", str(missing))

    @pytest.mark.parametrize("target", ["scans", "scans/out"])
    def test_output_inside_input(
        self, target: str, ask: Any, scans: Path, tmp_path: Path, vault: Path
    ) -> None:
        before = content_of(scans)
        assert error_of(ask(scans, tmp_path / target))["code"] == "usage"
        assert content_of(scans) == before
        assert not vault.exists()

    def test_the_output_is_a_file(self, ask: Any, scans: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"mine")
        assert error_of(ask(scans, tmp_path / "file"))["code"] == "usage"
        assert (tmp_path / "file").read_bytes() == b"mine"

    def test_the_output_lies_in_a_study(self, ask: Any, scans: Path, tmp_path: Path) -> None:
        Study.create(tmp_path / "study").registry.close()
        for place in ("", "objects", "release/images"):
            assert error_of(ask(scans, tmp_path / "study" / place))["code"] == "usage"

    def test_the_output_lies_in_the_vault(self, ask: Any, scans: Path, vault: Path) -> None:
        assert error_of(ask(scans, vault / "keys"))["code"] == "privacy"

    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            (("--option", "retain_uid"), "did you mean retain_uids"),
            (("--without", "shrink"), "Options: "),
            (("--option", "retain_full_dates", "--option", "retain_modified_dates"), ""),
        ],
    )
    def test_unknown_or_contradicting_options(
        self, options: tuple[str, ...], hint: str, ask: Any, scans: Path, tmp_path: Path,
        vault: Path,
    ) -> None:  # fmt: skip
        error = error_of(ask(scans, tmp_path / "out", *options))
        assert error["code"] == "profile"
        assert hint in error["hint"]
        assert not vault.exists()


class TestSourceMap:
    """The only place that names files."""

    def test_it_names_every_source_and_only_the_owner_reads_it(
        self, ask: Any, scans: Path, tmp_path: Path
    ) -> None:
        place = tmp_path / "map.tsv"
        _, document = ask(scans, tmp_path / "out", "--source-map", place)
        rows = [line.split("\t") for line in place.read_text().splitlines()]
        assert [int(number) for number, _ in rows] == [row["source"] for row in document["files"]]
        assert [Path(name).name for _, name in rows] == [f"{n:04d}.dcm" for n in range(N_SLICES)]
        assert stat.S_IMODE(place.stat().st_mode) == 0o600

    @pytest.mark.parametrize("place", ["out/map.tsv", "out", "nowhere/map.tsv"])
    def test_it_never_lies_where_it_would_be_given_away(
        self, place: str, ask: Any, scans: Path, tmp_path: Path
    ) -> None:
        answer = ask(scans, tmp_path / "out", "--source-map", tmp_path / place)
        assert error_of(answer)["source"] == str(tmp_path / place)
        assert not (tmp_path / "out").exists()


class TestDroppedWords:
    """The only place that tells which words texts lost."""

    def test_it_tells_them_to_the_owner_alone(
        self, ask: Any, say: Any, scans: Path, tmp_path: Path
    ) -> None:
        first = next(scans.rglob("*.dcm"))
        described = pydicom.dcmread(first)
        described.SeriesDescription = "Liver zyxomab"
        described.save_as(first)
        place = tmp_path / "words.tsv"
        code, out, err = say(scans, tmp_path / "out", "--dropped-words", place)
        header, *rows = [line.split("\t") for line in place.read_text().splitlines()]
        assert code == DONE
        assert header == ["attribute", "word", "count", "outcome"]
        assert ["SeriesDescription", "ZYXOMAB", "1", "not_listed"] in rows
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert "zyxomab" not in (out + err).lower()
        ask(scans, tmp_path / "again", "--dropped-words", place, "--word", "zyxomab")
        assert "ZYXOMAB" not in place.read_text()

    @pytest.mark.parametrize("place", ["out/words.tsv", "out", "nowhere/words.tsv", "map.tsv"])
    def test_it_never_lies_where_it_would_be_given_away(
        self, place: str, ask: Any, scans: Path, tmp_path: Path
    ) -> None:
        options = ("--dropped-words", tmp_path / place, "--source-map", tmp_path / "map.tsv")
        answer = ask(scans, tmp_path / "out", *options)
        assert error_of(answer)["source"] == str(tmp_path / place)
        assert not (tmp_path / "out").exists()


class TestVault:
    """Where the numbers come from."""

    def test_one_that_is_named_is_used(self, ask: Any, scans: Path, tmp_path: Path) -> None:
        own = tmp_path / "own"
        ask(scans, tmp_path / "out", "--vault", own)
        (number,) = os.listdir(tmp_path / "out")  # noqa: PTH208 - names only
        assert (own / "database" / "vault.db").is_file()
        from lesionary.io.vault.database import Vault

        with Vault.open(own) as opened:
            assert opened.find("P-007") == int(number)

    def test_one_without_its_key(self, ask: Any, scans: Path, tmp_path: Path, vault: Path) -> None:
        ask(scans, tmp_path / "first")
        shutil.rmtree(vault / "keys")
        assert error_of(ask(scans, tmp_path / "out"))["code"] == "vault_key"
        assert not (tmp_path / "out").exists()
        assert not (vault / "keys").exists(), "a new key would make everybody a new patient"

    def test_one_with_the_key_of_another(
        self, ask: Any, scans: Path, tmp_path: Path, vault: Path
    ) -> None:
        ask(scans, tmp_path / "first")
        ask(scans, tmp_path / "second", "--vault", tmp_path / "other")
        shutil.copy(tmp_path / "other" / "keys" / "vault.key", vault / "keys" / "vault.key")
        assert error_of(ask(scans, tmp_path / "out"))["code"] == "wrong_key"
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("name", ["keys/vault.key", "database/vault.db"])
    def test_one_that_others_may_read(
        self, name: str, ask: Any, scans: Path, tmp_path: Path, vault: Path
    ) -> None:
        ask(scans, tmp_path / "first")
        (vault / name).chmod(0o644)
        assert error_of(ask(scans, tmp_path / "out"))["code"] == "privacy"
        assert not (tmp_path / "out").exists()

    def test_one_that_cannot_be_written_stops_it_all(
        self, ask: Any, scans: Path, tmp_path: Path, vault: Path, read_only: Any
    ) -> None:
        """It is no fault of the files': they are not refused one by one."""
        ask(scans / "0000.dcm", tmp_path / "first")
        other = tmp_path / "new"
        write_series(ct_series(patient="P-008"), other)
        with read_only(vault):
            assert error_of(ask(other, tmp_path / "out"))["code"] == "not_writable"
        assert not (tmp_path / "out").exists()


class TestHardTimes:
    """A full disk, no permission, a killed process: nothing half, and the same command goes on."""

    @pytest.fixture
    def calm(self, ask: Any, scans: Path, tmp_path: Path) -> dict[str, bytes]:
        assert ask(scans, tmp_path / "calm")[0] == DONE
        return content_of(tmp_path / "calm")

    @pytest.mark.parametrize("room", [0, 8 << 10, 16 << 10])
    def test_a_full_disk(
        self, room: int, ask: Any, scans: Path, calm: dict[str, bytes], small_disk: Any
    ) -> None:
        disk = small_disk(1)
        target = disk.path / "out"
        disk.fill(leave_bytes=room)
        error = error_of(ask(scans, target))
        assert error["code"] == "not_writable"
        assert "free" in error["hint"]
        assert content_of(target).items() < calm.items()
        disk.relieve()
        assert ask(scans, target)[0] == DONE
        assert content_of(target) == calm

    def test_an_output_that_takes_no_writing(
        self, ask: Any, scans: Path, calm: dict[str, bytes], tmp_path: Path, read_only: Any
    ) -> None:
        target = tmp_path / "out"
        target.mkdir()
        with read_only(target):
            assert error_of(ask(scans, target))["code"] == "not_writable"
        assert list(target.iterdir()) == []
        assert ask(scans, target)[0] == DONE
        assert content_of(target) == calm

    def test_killed_at_any_moment_and_run_again(
        self, scans: Path, calm: dict[str, bytes], tmp_path: Path
    ) -> None:
        with WarmProcess() as process:
            assert process.warm_up("file", "deidentify", scans, tmp_path / "warm", "--json") == DONE
            for n in range(0, 14, 2):
                for when in (BEFORE, AFTER):
                    target = tmp_path / f"out-{n}-{when}"
                    words = ("file", "deidentify", scans, target, "--json")
                    process.do(*words, crash=Crash(n, when))
                    whole = {
                        name: content
                        for name, content in content_of(target).items()
                        if not name.startswith(".partial-")
                    }
                    assert whole.items() <= calm.items()
                    assert process.do(*words).code == DONE
                    assert content_of(target) == calm
                    assert [p for p in target.iterdir() if p.name.startswith(".")] == []


PEAK = """
import sys
from pathlib import Path
from lesionary.cli.main import run_command
code = run_command(sys.argv[1:])
lines = Path("/proc/self/status").read_text().splitlines()
print([line.split()[1] for line in lines if line.startswith("VmHWM:")][0], file=sys.stderr)
sys.exit(code)
"""


def peak_kib(source: Path, target: Path) -> int:
    command = [sys.executable, "-c", PEAK, "file", "deidentify", str(source), str(target)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == DONE, ran.stderr
    return int(ran.stderr.split()[-1])


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's high-water mark")
def test_memory_does_not_grow_with_the_folder(tmp_path: Path) -> None:
    """3,000 files of 130 KB take hardly more than 100 of them: what is kept of each is its row."""
    ds = ct_series(stored_values((1, 256, 256)))[0]
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(1, 10000)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    for name, count in (("few", 100), ("many", 3_000)):
        (tmp_path / name).mkdir()
        for number in range(count):
            own = uid(1, 10000 + number).encode()
            content = buffer.getvalue().replace(uid(1, 10000).encode(), own)
            (tmp_path / name / f"{number}.dcm").write_bytes(content)
    few, many = (peak_kib(tmp_path / name, tmp_path / f"out-{name}") for name in ("few", "many"))
    assert many - few < 24 << 10, "KiB: 8 a file"
    assert len(content_of(tmp_path / "out-many")) == 3_000
