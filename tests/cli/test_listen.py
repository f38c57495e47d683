"""``lesionary listen`` with real senders: whole objects are stored, and nobody is named."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydicom import dcmread

from dicom_factory import ct_series, encapsulated_document, write_series
from lesionary.app.study import Study
from lesionary.cli.listen import rejection_text
from lesionary.cli.main import run_command
from lesionary.io.dicom_net.rejections import CALLING
from lesionary.io.durable import PARTIAL
from lesionary.io.kept_objects import KeptObjects
from lesionary.io.vault.database import Vault
from planted import TOKEN, identified
from servers import dcmtk
from servers.certificates import Authority
from servers.listening import Listening
from servers.processes import kill_all, wait_until
from servers.requirements import require

N_SLICES = 8


@pytest.fixture(scope="module", autouse=True)
def _has_dcmtk() -> None:
    lack = dcmtk.what_is_missing()
    require("dcmtk", not lack, lack)


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans") / "ct"
    write_series(identified(ct_series()), folder)
    return folder


@pytest.fixture(scope="module")
def large_scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans") / "large"
    array = np.random.default_rng(1).integers(0, 2000, (60, 256, 256)).astype(np.int16)
    write_series(identified(ct_series(array, series=2)), folder)
    return folder


@pytest.fixture
def study(tmp_path) -> Path:
    return made(tmp_path / "study")


def made(folder: Path) -> Path:
    Study.create(folder).registry.close()
    return folder


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lesionary", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def stored(study: Path) -> dict[str, bytes]:
    """Return all received files by name; fail on anything else that lies among them."""
    found = {}
    for path in sorted((study / "received").rglob("*")):
        if path.is_file():
            assert path.suffix == ".dcm"
            assert not path.name.startswith(".")
            found[f"{path.parent.name}/{path.name}"] = path.read_bytes()
    return found


def assert_silent(*places: Path | str) -> None:
    for place in places:
        if isinstance(place, str):
            assert TOKEN not in place
            continue
        for path in place.rglob("*"):
            assert TOKEN not in path.name
            if path.is_file():
                assert TOKEN.encode() not in path.read_bytes(), path.name


def n_successes(said: str) -> int:
    """Count successes in what ``storescu`` says, with ``--verbose`` or with ``--debug``."""
    return said.count("Received Store Response (Success)") or said.count(": 0x0000: Success")


def test_a_series_is_stored_deidentified_and_nothing_is_said_of_the_patient(study, scans, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    with Listening(study, "--once", environment={"TMPDIR": str(spool)}) as receiver:
        sent = dcmtk.send(receiver.port, [scans])
        code, document = receiver.wait()
    assert sent.returncode == 0
    assert n_successes(sent.stdout) == N_SLICES
    assert (code, document["released"], document["failed"]) == (0, N_SLICES, 0)
    files = stored(study)
    assert len(files) == N_SLICES
    assert_silent(study, spool, receiver.errors, receiver.output)
    assert list(spool.iterdir()) == []
    first = dcmread(next((study / "received").rglob("*.dcm")))
    assert first.PatientIdentityRemoved == "YES"
    originals = {dcmread(path).PixelData for path in scans.iterdir()}
    assert {dcmread(path).PixelData for path in (study / "received").rglob("*.dcm")} == originals


def test_what_is_sent_again_is_there_already_and_stays_as_it_is(study, scans):
    with Listening(study) as receiver:
        dcmtk.send(receiver.port, [scans])
        before = stored(study)
        again = dcmtk.send(receiver.port, [scans], "--propose-implicit")
        code, document = receiver.end()
    assert n_successes(again.stdout) == N_SLICES
    assert (code, document["released"], document["duplicate"]) == (0, N_SLICES, N_SLICES)
    assert stored(study) == before


def test_another_content_under_the_same_uid_is_told_the_sender(study, scans, tmp_path):
    changed = identified(ct_series())[:1]
    changed[0].PixelData = bytes(len(changed[0].PixelData))
    write_series(changed, tmp_path / "changed")
    with Listening(study) as receiver:
        dcmtk.send(receiver.port, [scans])
        before = stored(study)
        sent = dcmtk.send(receiver.port, [tmp_path / "changed"], "--debug")
        _, document = receiver.end()
    assert "0x0111" in sent.stdout.lower()
    assert document["codes"] == {"sop_conflict": 1}
    assert stored(study) == before


def test_dcmsend_and_echoscu_are_served(study, scans):
    with Listening(study) as receiver:
        port = str(receiver.port)
        assert dcmtk.run("echoscu", "-aec", "LESIONARY", "127.0.0.1", port).returncode == 0
        options = ("-aec", "LESIONARY", "--scan-directories", "127.0.0.1", port)
        assert dcmtk.run("dcmsend", *options, scans).returncode == 0
        code, document = receiver.end(signal.SIGINT)
    assert (code, document["associations"], document["released"]) == (0, 2, N_SLICES)


def test_the_audit_counts_and_names_nobody(study, scans):
    with Listening(study) as receiver:
        dcmtk.send(receiver.port, [scans])
        dcmtk.run("echoscu", "-aec", "LESIONARY", "127.0.0.1", str(receiver.port))
        receiver.end()
    events = [one for one in Study(study).registry.events() if one.action == "received"]
    assert len(events) == 1, "a C-ECHO brings nothing and needs no event"
    details = json.loads(events[0].details)
    assert (details["way"], details["released"], details["ending"]) == (
        "C-STORE",
        N_SLICES,
        "released",
    )
    assert run("verify", study).returncode == 0
    lines = (study / "logs" / "study.jsonl").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(line) for line in lines if '"object"' in line]
    assert [one["outcome"] for one in objects] == ["released"] * N_SLICES


def test_a_wrong_ae_title_is_turned_away(study, scans):
    with Listening(study, "--allow", "SCANNER", "--allow", "ARCHIVE") as receiver:
        wrong_name = dcmtk.send(receiver.port, [scans], called="ELSEWHERE")
        stranger = dcmtk.send(receiver.port, [scans])
        port = str(receiver.port)
        friend = dcmtk.run("echoscu", "-aet", "ARCHIVE", "-aec", "LESIONARY", "127.0.0.1", port)
        code, document = receiver.end()
    assert "Called AE Title Not Recognized" in wrong_name.stdout
    assert "Calling AE Title Not Recognized" in stranger.stdout
    assert wrong_name.returncode
    assert stranger.returncode
    assert not friend.returncode
    assert (code, document["rejected_associations"], document["associations"]) == (0, 2, 1)
    assert document["rejections"] == {"called_title": 1, "calling_title": 1}
    assert stored(study) == {}
    said = [line for line in receiver.errors.splitlines() if "rejected" in line]
    assert [line.split(":")[0] for line in said] == [f"association {k} rejected" for k in (1, 2)]
    assert "--ae-title" in said[0]
    assert "--allow" in said[1]
    log = (study / "logs" / "study.jsonl").read_text(encoding="utf-8")
    assert '"code": "calling_title"' in log
    for title in ("SENDER", "ELSEWHERE"):
        assert title not in receiver.errors + receiver.output + log


def test_the_wrong_title_is_shown_on_a_terminal_only_and_commands_it_nothing():
    stranger = replace(CALLING, title="WARD\x1b[31m 7")
    assert "WARD" not in rejection_text(stranger, is_named=False)
    shown = rejection_text(stranger, is_named=True)
    assert "WARD" in shown
    assert shown.isprintable()


def test_what_is_quarantined_or_damaged_is_told_the_sender_without_its_values(
    study, scans, tmp_path
):
    document_ = encapsulated_document()
    identified([document_])
    write_series([document_], tmp_path / "odd")
    with Listening(study, "--keep-quarantined") as receiver:
        sent = dcmtk.send(receiver.port, [tmp_path / "odd", scans], "--debug")
        code, document = receiver.end()
    assert "0x0124" in sent.stdout.lower()
    comments = [line for line in sent.stdout.splitlines() if "0000,0902" in line]
    assert "encapsulated_document" in sent.stdout
    assert all(TOKEN not in line for line in comments)
    assert (code, document["quarantined"], document["released"]) == (0, 1, N_SLICES)
    assert_silent(study, receiver.errors, receiver.output)
    with Vault.open() as vault:
        kept = KeptObjects(vault)
        contents = [kept.read(name) for name in kept.names()]
        assert any(TOKEN.encode() in content for content in contents)
        assert_silent(kept.folder)


def test_without_the_option_nothing_of_a_quarantined_object_is_kept(study, tmp_path):
    with Vault.create(tmp_path / "vault"):
        pass
    document_ = encapsulated_document()
    write_series(identified([document_]), tmp_path / "odd")
    with Listening(study, "--vault", tmp_path / "vault") as receiver:
        dcmtk.send(receiver.port, [tmp_path / "odd"])
        receiver.end()
    assert stored(study) == {}
    assert not (tmp_path / "vault" / "quarantine").exists()


def test_a_sender_killed_midway_leaves_whole_objects_only(study, large_scans):
    with Listening(study) as receiver:
        sender = dcmtk.start(
            "storescu", "-aec", "LESIONARY", "+sd", "127.0.0.1", str(receiver.port), large_scans
        )
        assert wait_until(lambda: len(stored_names(study)) >= 5, 30, pause_s=0.005)
        kill_all([psutil.Process(sender.pid)])
        sender.communicate()
        assert wait_until(lambda: "association 1 " in receiver.errors, 30)
        part = stored(study)
        again = dcmtk.send(receiver.port, [large_scans])
        code, document = receiver.end()
    assert code == 0
    assert n_successes(again.stdout) == 60
    assert document["released"] == 60
    whole = stored(study)
    assert len(whole) == 60
    assert part.items() <= whole.items()
    assert all(len(content) > 256 * 256 * 2 for content in whole.values())


def test_a_receiver_killed_midway_is_started_again_and_ends_with_the_same_bytes(
    study, large_scans, tmp_path
):
    with Listening(study) as receiver:
        sender = dcmtk.start(
            "storescu", "-aec", "LESIONARY", "+sd", "127.0.0.1", str(receiver.port), large_scans
        )
        assert wait_until(lambda: len(stored_names(study)) >= 5, 30, pause_s=0.005)
        receiver.kill()
        sender.communicate()
    part = {
        path.name: path.read_bytes()
        for path in (study / "received").rglob("*.dcm")
        if not path.name.startswith(PARTIAL)
    }
    assert 5 <= len(part) < 60
    assert all(content[128:132] == b"DICM" for content in part.values())
    (study / "received" / next((study / "received").iterdir()).name / f"{PARTIAL}left.dcm").touch()
    with Listening(study) as receiver:
        again = dcmtk.send(receiver.port, [large_scans])
        code, document = receiver.end()
    assert code == 0
    assert n_successes(again.stdout) == 60
    assert document["duplicate"] >= len(part)
    whole = stored(study)
    assert len(whole) == 60
    assert part.items() <= {Path(name).name: content for name, content in whole.items()}.items()


def stored_names(study: Path) -> list[Path]:
    return list((study / "received").glob("*/[0-9]*.dcm"))


def test_a_signal_lets_the_object_on_its_way_end(study, large_scans):
    with Listening(study) as receiver:
        sender = dcmtk.start(
            "storescu", "-v", "-aec", "LESIONARY", "+sd",
            "127.0.0.1", str(receiver.port), large_scans,
        )  # fmt: skip
        assert wait_until(lambda: len(stored_names(study)) >= 5, 30, pause_s=0.005)
        code, document = receiver.end()
        said, _ = sender.communicate(timeout=60)
    assert code == 0
    assert document["released"] == n_successes(said) == len(stored(study))


def test_two_senders_at_once_bring_all_of_both(study, scans, large_scans):
    with Listening(study) as receiver:
        sent = []
        threads = [
            threading.Thread(
                target=lambda path=path: sent.append(dcmtk.send(receiver.port, [path]))
            )
            for path in (scans, large_scans, large_scans)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _, document = receiver.end()
    assert [one.returncode for one in sent] == [0, 0, 0]
    assert (document["released"], document["duplicate"]) == (N_SLICES + 60, 60)
    assert len(stored(study)) == N_SLICES + 60


@pytest.mark.slow
def test_other_commands_go_on_beside_it(study, scans, tmp_path):
    write_series(ct_series(series=5), tmp_path / "other")
    with Listening(study) as receiver:
        dcmtk.send(receiver.port, [scans])
        assert run("ingest", study, tmp_path / "other").returncode == 0
        assert run("status", study).returncode == 0
        assert dcmtk.send(receiver.port, [scans]).returncode == 0
        code, _ = receiver.end()
    assert code == 0
    assert len(stored(study)) == N_SLICES


def test_a_full_disk_is_told_the_sender_and_nothing_is_half_stored(small_disk, large_scans):
    disk = small_disk(24)
    study = made(disk.path / "study")
    with Listening(study) as receiver:
        disk.fill(leave_bytes=2_500_000)
        full = dcmtk.send(receiver.port, [large_scans], "--debug")
        assert "0xa700" in full.stdout.lower()
        n_before = len(stored(study))
        assert 0 < n_before == n_successes(full.stdout) < 60
        disk.relieve()
        again = dcmtk.send(receiver.port, [large_scans])
        code, document = receiver.end()
    assert n_successes(again.stdout) == 60
    assert (code, document["audited"]) == (1, True)
    assert len(stored(study)) == 60
    assert run("verify", study).returncode == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Iterator[Authority]:
    return Authority(tmp_path_factory.mktemp("certificates"))


def test_only_senders_with_a_certificate_of_the_authority_come_in(
    study, scans, authority, tmp_path
):
    server, client = authority.sign("server"), authority.sign("client")
    foreign = Authority(tmp_path, "foreign").sign("stranger")
    options = ("--tls-cert", server.certificate, "--tls-key", server.key)
    with Listening(study, *options, "--tls-ca", authority.certificate) as receiver:

        def send(*how: str | Path):
            trusted = ("+cf", str(authority.certificate))
            return dcmtk.send(receiver.port, [scans], *map(str, how), *trusted)

        anonymous = send("+tla")
        stranger = send("+tls", foreign.key, foreign.certificate)
        plain = dcmtk.send(receiver.port, [scans])
        assert stored(study) == {}
        friend = send("+tls", client.key, client.certificate)
        code, document = receiver.end()
    assert anonymous.returncode
    assert stranger.returncode
    assert plain.returncode
    assert friend.returncode == 0, friend.stdout
    assert (code, document["released"]) == (0, N_SLICES)
    assert document["failed_connections"] >= 2
    assert document["rejections"] == {"foreign_certificate": 1, "no_certificate": 1, "no_tls": 1}
    for hint in ("--tls-ca names", "without --tls-cert"):
        assert hint in receiver.errors


@pytest.mark.slow
def test_noise_on_the_port_keeps_nobody_out(study, scans):
    rng = np.random.default_rng(3)
    with Listening(study, "--timeout-s", "5") as receiver:
        held = []
        for k in range(60):
            noise = rng.integers(0, 256, int(rng.integers(0, 3000)), dtype=np.uint8).tobytes()
            start = bytes([k % 9, 0]) + int(rng.integers(0, 2**32)).to_bytes(4, "big")
            connection = socket.create_connection(("127.0.0.1", receiver.port), timeout=10)
            connection.sendall(start + noise if k % 2 else noise)
            if k % 3:
                connection.close()
            else:
                held.append(connection)
        for connection in held:
            connection.close()
        time.sleep(0.2)
        sent = dcmtk.send(receiver.port, [scans])
        code, document = receiver.end()
    assert sent.returncode == 0
    assert (code, document["released"]) == (0, N_SLICES)
    assert "Traceback" not in receiver.errors


def refused(capsys, *arguments: str | Path) -> str:
    assert run_command(["listen", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_a_port_that_is_taken_is_said_in_words(study, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = refused(capsys, study, "--port", str(taken.getsockname()[1]))
    assert "another program listens on this port" in said


@pytest.mark.parametrize("address", ["nonsense..x", "no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_none_of_this_machine_is_said_in_words(study, capsys, address):
    assert "--address takes" in refused(capsys, study, "--port", "0", "--address", address)


def test_a_vault_that_is_made_on_the_way_is_told(study, tmp_path):
    for said in (True, False):
        with Listening(study, "--idle-s", "0.1", "--vault", tmp_path / "new") as receiver:
            receiver.wait()
        assert ("a new vault was made" in receiver.errors) is said


def test_tls_without_a_key_and_bad_titles_are_refused(study, tmp_path, capsys):
    (tmp_path / "cert.pem").write_text("none", encoding="ascii")
    certificate = ("--tls-cert", tmp_path / "cert.pem")
    assert "a certificate and its key" in refused(capsys, study, *certificate)
    assert "cannot be used" in refused(capsys, study, *certificate, "--tls-key", tmp_path / "x")
    assert "1 to 16" in refused(capsys, study, "--ae-title", "MUCH_TOO_LONG_A_TITLE")


def test_it_ends_by_itself_when_nobody_comes(study):
    with Listening(study, "--idle-s", "0.2") as receiver:
        code, document = receiver.wait()
    assert (code, document["associations"], document["codes"]) == (0, 0, {})


@pytest.mark.real_data
def test_real_scans_come_through(study, shared_data):
    files = sorted(shared_data.glob("sts_dicom/**/*"))
    files = [path for path in files if path.is_file() and path.suffix in {"", ".dcm"}][:60]
    with Listening(study) as receiver:
        sent = dcmtk.send(receiver.port, files)
        code, document = receiver.end()
    n_answered = sent.stdout.count("Received Store Response")
    assert code == 0
    assert document["released"] == n_successes(sent.stdout) == len(stored(study)) > 0
    assert document["released"] + document["quarantined"] + document["refused"] == n_answered
