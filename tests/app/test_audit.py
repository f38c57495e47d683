"""The audit as people use it: read, remarked on, written out, anchored elsewhere."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lesionary.app.audit import anchor, export_events, last_events, remark
from lesionary.app.study import Study
from lesionary.app.verify import VerifyOptions, verify_target
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.registry.chain import Event
from small_scans import write_scans
from tampering import Intruder

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "audit.md"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = Study.create(tmp_path / "study")
    made.ingest([write_scans(tmp_path / "scans", 1)])
    return made


def failed(study: Study) -> list[dict[str, str]]:
    return verify_target(study.files.root).failed


def test_the_last_events_come_in_their_order(study):
    page = last_events(study, last=3)
    head = study.registry.head()
    assert [event.seq for event in page.events] == [head.seq - 2, head.seq - 1, head.seq]
    assert page.n_events == head.seq
    assert page.events[-1].hash == head.hash


def test_the_events_of_one_object_are_its_own(study):
    page = last_events(study, of="series/ser-0001", last=40)
    assert [(event.action, event.why) for event in page.events] == [("added", "ingest 1")]


def test_an_object_that_no_event_names_is_unknown(study):
    with pytest.raises(InputError) as error:
        last_events(study, of="series/ser-9999", last=1)
    assert error.value.code == "object_unknown"
    with pytest.raises(InputError) as error:
        remark(study, "where is it?", "series/ser-9999")
    assert error.value.code == "object_unknown"


def test_every_null_has_its_reason(study):
    for row in last_events(study, last=999).document()["events"]:
        nulls = {name for name, value in row.items() if value is None}
        assert nulls == set(row.get("reason", ()))


def test_a_remark_stays_with_its_object_and_changes_nothing_of_it(study, monkeypatch):
    monkeypatch.setenv("LESIONARY_ACTOR", "anna")
    remark(study, "  the slice order\nlooks odd \x1b[31m ", "series/ser-0001")
    event = last_events(study, of="series/ser-0001", last=1).events[0]
    assert (event.actor, event.action) == ("anna", "remarked")
    assert event.why == "the slice order\nlooks odd \N{REPLACEMENT CHARACTER}[31m"
    assert failed(study) == []


def test_a_remark_does_not_make_a_changed_row_right(study):
    study.registry.close()
    with Intruder(study.files.root) as intruder:
        intruder.execute("UPDATE series SET region = 'abdomen'")
    remark(study, "all is well", "series/ser-0001")
    assert ("series/ser-0001", "row_changed") in {(f["unit"], f["code"]) for f in failed(study)}


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 10_001])
def test_a_remark_says_something(study, text):
    with pytest.raises(InputError) as error:
        remark(study, text)
    assert error.value.code == "usage"


def test_a_remark_of_half_a_character_can_be_stored(study):
    remark(study, "half \udc80 of one")
    assert failed(study) == []


def test_an_anchor_is_a_line_of_the_last_event(study, tmp_path):
    file = tmp_path / "anchors.jsonl"
    anchor(study, file)
    remark(study, "more")
    anchor(study, file)
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    head = study.registry.head()
    assert second == {
        "study": study.section.id,
        "seq": head.seq,
        "hash": head.hash,
        "at": head.at,
    }
    assert first["seq"] == head.seq - 1
    assert verify_target(study.files.root, VerifyOptions(anchor=file)).failed == []


def test_an_anchor_in_the_study_is_refused_however_it_is_named(study, tmp_path):
    (tmp_path / "link").symlink_to(study.files.root)
    for place in (
        study.files.root / "a",
        tmp_path / "link" / "a",
        study.files.objects / ".." / "a",
    ):
        with pytest.raises(InputError, match="within the study"):
            anchor(study, place)
    assert not (study.files.root / "a").exists()


def test_an_anchor_that_cannot_be_written_is_told(study, tmp_path):
    with pytest.raises(WorkflowError) as error:
        anchor(study, tmp_path / "nowhere" / "anchors.jsonl")
    assert error.value.code == "not_writable"


def test_a_chain_that_was_cut_is_not_anchored(study, tmp_path):
    study.registry.close()
    with Intruder(study.files.root) as intruder:
        intruder.execute("DELETE FROM event WHERE seq = (SELECT MAX(seq) FROM event)")
    with pytest.raises(WorkflowError) as error:
        anchor(study, tmp_path / "anchors.jsonl")
    assert error.value.code == "audit_truncated"


def test_exported_events_are_the_chain(study, tmp_path):
    remark(study, 'größer als · „zitiert“ \\ "so"')
    n_events = export_events(study, tmp_path / "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [Event(**json.loads(line)) for line in lines]
    assert len(events) == n_events == study.registry.head().seq
    assert events == list(study.registry.events())
    assert all(event.expected_hash == event.hash for event in events)


def program() -> str:
    """Return the program that the reference page gives to a stranger."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


def stranger_says(folder: Path) -> tuple[int, str]:
    finished = subprocess.run(
        [sys.executable, "-I", "-c", program(), "events.jsonl"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return finished.returncode, finished.stdout + finished.stderr


def test_a_stranger_can_check_the_chain_with_the_program_of_the_page(study, tmp_path):
    assert len(program().splitlines()) <= 20
    remark(study, 'größer als · „zitiert“ \\ "so" \x7f \u2028')
    n_events = export_events(study, tmp_path / "events.jsonl")
    code, text = stranger_says(tmp_path)
    assert code == 0, text
    assert f"{n_events} events" in text
    assert study.registry.head().hash in text
    whole = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    for broken in (
        whole.replace("ingest 1", "ingest 2", 1),
        "".join(lines[:3] + lines[4:]),
        "".join([lines[1], lines[0], *lines[2:]]),
    ):
        (tmp_path / "events.jsonl").write_text(broken, encoding="utf-8")
        assert stranger_says(tmp_path)[0] != 0


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = run_command([*map(str, words)])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out + err


def test_the_command_shows_a_table(study, capsys):
    remark(study, "odd\x07 and " + "long " * 40, "series/ser-0001")
    code, text = run(capsys, "audit", study.files.root, "--last", 2)
    assert code == 0
    header, *rows, more = text.splitlines()
    assert header.split() == ["event", "when", "who", "what", "on", "why"]
    assert len(rows) == 2
    assert "series/ser-0001" in rows[-1]
    assert rows[-1].endswith("…")
    assert "before: see --last" in more
    assert text.isprintable() or "\x07" not in text


def test_the_command_does_one_thing_at_a_time(study, capsys, tmp_path):
    for words in (
        ("--note", "a", "--anchor", tmp_path / "a"),
        ("--accept-clock",),
        ("--why", "no clock"),
        ("--last", 0),
    ):
        code, text = run(capsys, "audit", study.files.root, *words)
        assert (code, "error" in text) == (2, True)
    assert not (tmp_path / "a").exists()


def test_the_command_anchors_and_exports(study, capsys, tmp_path):
    code, text = run(capsys, "audit", study.files.root, "--anchor", tmp_path / "a", "--json")
    assert code == 0
    assert json.loads(text)["anchored"]["hash"] == study.registry.head().hash
    code, text = run(capsys, "audit", study.files.root, "--export", tmp_path / "e", "--json")
    assert json.loads(text) == {"exported": study.registry.head().seq}
