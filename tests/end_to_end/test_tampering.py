"""One changed byte, wherever: ``verify`` finds it, says where, and never falls over it."""
# ruff: noqa: S311, S608 - chance and SQL here are a test's own

import random
import shutil
from pathlib import Path

import pytest

from lesionary.app.audit import anchor
from lesionary.app.study import Study
from lesionary.app.verify import VerifyOptions, VerifyReport, verify_target
from lesionary.app.verify.audit_trail import verify_audit
from lesionary.app.verify.releases import verify_release
from lesionary.app.verify.rows import verify_database, verify_rows
from lesionary.core.errors import LesionaryError, WorkflowError
from lesionary.io.object_survey import faulty_objects
from lesionary.io.objects import ObjectStore
from lesionary.io.registry import tables
from lesionary.io.registry.chain import GENESIS, Event
from lesionary.io.registry.checks import snapshot
from lesionary.io.registry.facts import AUDITED
from lesionary.io.release_files import file_digest
from tampering import SPEAKS_OF_ROWS, Intruder, content, copy_study, flipped, make_study

AUDIT = frozenset({"event_changed", "event_removed", "audit_truncated", "head_changed"})
LEFT_BEHIND = frozenset({"object_missing", "file_missing"})
"""What is told of a copy without objects and release."""

SLOW = pytest.mark.slow
TABLES = [*(audited.table for audited in AUDITED), tables.instance]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(tmp_path_factory.mktemp("sound"))
    assert verify_target(study.files.root).failed == []
    return study.files.root


@pytest.fixture
def study(sound: Path, tmp_path: Path) -> Path:
    return copy_study(sound, tmp_path / "study")


def codes(study: Path, **options: object) -> set[str]:
    return {row["code"] for row in found(study, **options)}


def found(study: Path, **options: object) -> list[dict[str, str]]:
    failed = verify_target(study, VerifyOptions(**options)).failed
    return [row for row in failed if row["code"] != "guard_missing"]


@pytest.fixture
def registry_only(sound: Path, tmp_path: Path) -> Path:
    """Return a copy without objects and release: its registry alone is looked at."""
    (tmp_path / "study" / "objects").mkdir(parents=True)
    for name in ("study.toml", "registry.db"):
        shutil.copy(sound / name, tmp_path / "study")
    return tmp_path / "study"


class Look:
    """What ``verify`` says of rows and events, without opening the study anew each time."""

    def __init__(self, study: Path) -> None:
        self._registry = Study.open(study).registry

    def __enter__(self) -> "Look":
        return self

    def __exit__(self, *_: object) -> None:
        self._registry.close()

    def faults(self) -> list[dict[str, str]]:
        report = VerifyReport()
        with snapshot(self._registry) as connection:
            verify_database(connection, report)
            verify_audit(connection, "", None, report)
            verify_rows(connection, report)
        return [row for row in report.failed if row["code"] != "guard_missing"]

    def codes(self) -> set[str]:
        return {row["code"] for row in self.faults()}


def faults_of_rows(study: Path) -> list[dict[str, str]]:
    return [row for row in found(study) if row["code"] not in LEFT_BEHIND]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_one_character_in_any_column_of_any_table_is_found(registry_only, table):
    rng = random.Random(table.name)
    with Intruder(registry_only) as intruder, Look(registry_only) as look:
        (whole, *_) = rng.sample(intruder.rows(table.name), 1)
        for column, before in whole.items():
            after = flipped(before, rng)
            intruder.replace(table.name, whole, whole | {column: after})
            assert look.codes() & SPEAKS_OF_ROWS, (column, before, after)
            intruder.replace(table.name, whole | {column: after}, whole)
        assert look.faults() == []


def test_one_character_in_any_column_of_any_event_is_found(registry_only):
    rng = random.Random(5)
    with Intruder(registry_only) as intruder, Look(registry_only) as look:
        first, *events, last = intruder.rows("event")
        for whole in (first, *rng.sample(events, 2), last):
            for column, before in whole.items():
                changed = whole | {column: flipped(before, rng)}
                intruder.replace("event", whole, changed)
                faults = look.faults()
                assert {fault["code"] for fault in faults} & AUDIT, (whole["seq"], column)
                if column != "seq":
                    assert f"event/{whole['seq']}" in {fault["unit"] for fault in faults}
                intruder.replace("event", changed, whole)
        assert look.faults() == []


@pytest.mark.parametrize("column", [column.name for column in tables.head.columns])
def test_a_changed_end_of_the_chain_is_found(registry_only, column):
    with Intruder(registry_only) as intruder:
        ((before,),) = intruder.execute(f"SELECT {column} FROM head")
        intruder.execute(f"UPDATE head SET {column} = ?", flipped(before, random.Random(column)))
    assert codes(registry_only) & AUDIT


def test_an_end_of_the_chain_that_is_gone_or_is_two_is_found(registry_only):
    with Intruder(registry_only) as intruder:
        intruder.execute("INSERT INTO head SELECT 2, seq, hash, at FROM head")
        assert "head_changed" in codes(registry_only)
        intruder.execute("DELETE FROM head")
        assert "head_changed" in codes(registry_only)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_any_row_that_is_gone_is_found(registry_only, table):
    with Intruder(registry_only) as intruder, Look(registry_only) as look:
        for row in intruder.rows(table.name):
            intruder.remove(table.name, row)
            assert look.codes() & {"row_removed", "row_changed"}, row
            intruder.add(table.name, row)
        assert look.faults() == []


def test_a_row_that_nobody_told_of_is_found(registry_only):
    with Intruder(registry_only) as intruder, Look(registry_only) as look:
        intruder.add("box", intruder.rows("box")[0] | {"id": 77})
        assert ("box/77", "row_added") in {(row["unit"], row["code"]) for row in look.faults()}


def test_a_row_that_was_removed_rightly_and_put_back_is_found(registry_only):
    opened = Study.open(registry_only)
    with Intruder(registry_only) as intruder, Look(registry_only) as look:
        (unit,) = [row for row in intruder.rows("unit") if row["stage"] == "publish"]
        opened.registry.forget_units("publish", ["release"], why="for a test")
        opened.registry.close()
        assert look.faults() == []
        intruder.add("unit", unit)
        assert "row_added" in look.codes()


def cut(intruder: Intruder, n_events: int, *, fixes_head: bool) -> None:
    """Take the last events away, and say that the chain ends before them."""
    intruder.execute(f"DELETE FROM event WHERE seq > (SELECT MAX(seq) - {n_events} FROM event)")
    if fixes_head:
        last = "(SELECT {} FROM event ORDER BY seq DESC LIMIT 1)"
        values = ", ".join(f"{name} = {last.format(name)}" for name in ("seq", "hash", "at"))
        intruder.execute(f"UPDATE head SET {values}")


@pytest.mark.parametrize("n_events", [1, 2, 7])
def test_a_tail_that_was_cut_off_is_found(registry_only, n_events):
    with Intruder(registry_only) as intruder:
        cut(intruder, n_events, fixes_head=False)
    assert "audit_truncated" in codes(registry_only)


@pytest.mark.parametrize("n_events", [1, 2, 7])
def test_a_tail_that_was_cut_off_with_its_head_leaves_rows_that_nobody_told_of(
    registry_only, n_events
):
    with Intruder(registry_only) as intruder:
        cut(intruder, n_events, fixes_head=True)
    assert "row_added" in codes(registry_only)


def test_a_study_set_back_as_a_whole_is_found_by_the_anchor_alone(study, tmp_path):
    before = copy_study(study, tmp_path / "before")
    opened = Study.open(study)
    with opened.registry.writing() as told:
        told.forget_units("measure", ["ser-0001"], why="for a test")
    anchor(opened, tmp_path / "anchors.jsonl")
    opened.registry.close()
    shutil.rmtree(study)
    shutil.copytree(before, study)
    assert found(study) == []
    (fault,) = found(study, anchor=tmp_path / "anchors.jsonl")
    assert fault["code"] == "audit_truncated"


def test_a_history_written_anew_is_found_by_the_anchor_alone(registry_only, tmp_path):
    opened = Study.open(registry_only)
    anchor(opened, tmp_path / "anchors.jsonl")
    events = list(opened.registry.events())
    opened.registry.close()
    previous = GENESIS
    with Intruder(registry_only) as intruder:
        for event in events:
            fields = {name: getattr(event, name) for name in Event.__slots__}
            changed = Event(**fields | {"actor": "somebody else", "previous": previous})
            previous = changed.expected_hash
            intruder.execute(
                "UPDATE event SET actor = ?, previous = ?, hash = ? WHERE seq = ?",
                changed.actor, changed.previous, previous, changed.seq,
            )  # fmt: skip
        intruder.execute("UPDATE head SET hash = ?", previous)
    assert faults_of_rows(registry_only) == []
    faults = found(registry_only, anchor=tmp_path / "anchors.jsonl")
    assert {"event_changed"} == {f["code"] for f in faults} - LEFT_BEHIND


def test_two_events_that_changed_places_are_found(registry_only):
    with Intruder(registry_only) as intruder:
        for old, new in ((5, -1), (6, 5), (-1, 6)):
            intruder.execute(f"UPDATE event SET seq = {new} WHERE seq = {old}")
    units = {row["unit"] for row in found(registry_only) if row["code"] == "event_changed"}
    assert {"event/5", "event/6"} <= units


def test_an_event_that_was_taken_out_is_found_where_it_was(registry_only):
    with Intruder(registry_only) as intruder:
        intruder.execute("DELETE FROM event WHERE seq = 9")
    assert ("event/10", "event_removed") in {(f["unit"], f["code"]) for f in found(registry_only)}


@pytest.mark.parametrize("value", [b"\xff\x00", 9e999, float("-inf"), 2**62, "", "\x00"])
def test_values_that_no_column_should_hold_are_faults_and_not_crashes(registry_only, value):
    with Intruder(registry_only) as intruder, Look(registry_only) as look:
        for table, step in (("series", 3), ("box", 2), ("unit", 3), ("event", 1)):
            whole = intruder.rows(table)[0]
            numbers = {"id", "seq"} if table in {"event", "box"} else set()
            for column in sorted(whole.keys() - numbers)[::step]:
                changed = whole | {column: value}
                if changed != whole:
                    intruder.replace(table, whole, changed)
                    assert look.faults(), (table, column)
                    intruder.replace(table, changed, whole)
        assert look.faults() == []


def test_values_that_no_column_should_hold_do_not_stop_the_other_checks(registry_only):
    with Intruder(registry_only) as intruder:
        intruder.execute("UPDATE split SET part = 'nonsense'")
        intruder.execute("UPDATE declared_set SET kind = 'nonsense'")
        intruder.execute("UPDATE series SET object_id = 'nonsense'")
        intruder.execute("UPDATE unit SET output = 'nonsense'")
    assert {"row_changed", "row_added", "row_removed", "not_checked"} <= codes(registry_only)


def test_a_wrong_count_is_found(registry_only):
    with Intruder(registry_only) as intruder:
        intruder.execute("UPDATE tally SET n = n + 1 WHERE name = 'series'")
    assert "count_wrong" in codes(registry_only)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(n, marks=SLOW) for n in range(3, 20))])
def test_any_byte_of_the_registrys_file_is_found_or_changes_nothing(sound, tmp_path, seed):
    rng = random.Random(seed)
    clean = (sound / "registry.db").read_bytes()
    expected = content(sound / "registry.db")
    study = tmp_path / "study"
    study.mkdir()
    (study / "objects").mkdir()
    shutil.copy(sound / "study.toml", study)
    for _ in range(12):
        place = rng.randrange(len(clean))
        changed = bytearray(clean)
        changed[place] ^= 1 << rng.randrange(8)
        for leftover in study.glob("registry.db*"):
            leftover.unlink()
        (study / "registry.db").write_bytes(changed)
        try:
            failed = [row for row in verify_target(study).failed if row["code"] != "object_missing"]
        except WorkflowError as error:
            failed = [error.code]
        assert failed or means_the_same(content(study / "registry.db"), expected), place


def objects_of(study: Path) -> list[Path]:
    return sorted(path for path in (study / "objects").glob("*/*") if path.is_file())


@pytest.mark.parametrize("seed", range(2))
def test_any_byte_of_an_object_is_found_or_changes_nothing_of_what_it_holds(study, seed):
    rng = random.Random(seed)
    store = Study.open(study).objects
    for path in objects_of(study):
        whole = path.read_bytes()
        name = path.parent.name + path.name
        places = {0, 9, 20, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(12))}
        for place in places:
            changed = bytearray(whole)
            changed[place] ^= 1 << rng.randrange(8)
            path.write_bytes(changed)
            faults = list(faulty_objects(store, [name]))
            assert faults or holds_the_same(store, path, whole, bytes(changed)), place
        path.write_bytes(whole)
        assert list(faulty_objects(store, [name])) == []


def holds_the_same(store: ObjectStore, path: Path, whole: bytes, changed: bytes) -> bool:
    """Tell whether two files are the same object: gzip's own header has bytes that say nothing."""
    held = []
    for content_of_file in (whole, changed):
        path.write_bytes(content_of_file)
        try:
            one = store.get_label_map(path.parent.name + path.name)
        except LesionaryError:
            one = store.get_volume(path.parent.name + path.name)
        held.append((one.array.tobytes(), one.geometry.affine.tobytes()))
    return held[0] == held[1]


def test_objects_cut_emptied_exchanged_renamed_removed_and_added_are_all_named(study):
    paths = objects_of(study)
    names = [path.parent.name + path.name for path in paths]
    paths[0].write_bytes(paths[0].read_bytes()[:-7])
    paths[1].write_bytes(b"")
    paths[2].write_bytes(paths[3].read_bytes())
    paths[4].unlink()
    renamed = paths[5].with_name("0" * 62)
    paths[5].rename(renamed)
    paths[6].write_bytes(paths[6].read_bytes() + b"more")
    noise = study / "objects" / "ff" / ("f" * 62)
    noise.parent.mkdir(exist_ok=True)
    noise.write_bytes(b"noise")
    (study / "objects" / "Meier, Hans.nii").write_bytes(b"")
    (paths[3].parent / "Meier, Hans.nii").write_bytes(b"")
    report = verify_target(study)
    told = {(row["unit"], row["code"]) for row in report.failed}
    for place in (0, 1, 2, 6):
        assert (names[place][:12], "object_changed") in told
    for place in (4, 5):
        assert (names[place][:12], "object_missing") in told
    assert ((paths[5].parent.name + "0" * 62)[:12], "object_changed") in told
    assert ("f" * 12, "object_changed") in told
    assert ("objects", "foreign_file") in told
    assert (f"objects/{paths[3].parent.name}", "foreign_file") in told
    assert "Meier" not in str(report.document())


def test_any_byte_of_any_file_of_the_release_is_found(study):
    rng = random.Random(1)
    for path in sorted(path for path in (study / "release").rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for _ in range(8 if path.name in {"release.json", "SHA256SUMS"} else 1):
            changed = bytearray(whole)
            changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
            path.write_bytes(changed)
            report = VerifyReport()
            verify_release(study / "release", report)
            assert report.failed, path.name
        path.write_bytes(whole)
    assert found(study) == []


def test_a_file_changed_together_with_its_checksums_is_found_by_the_audit(study):
    release = study / "release"
    table = release / "lesions.csv"
    before = file_digest(table)
    table.write_text(table.read_text().replace("liver", "liver "))
    for listing in (release / "release.json", release / "SHA256SUMS"):
        old = file_digest(listing)
        listing.write_text(listing.read_text().replace(before, file_digest(table)))
        sums = release / "SHA256SUMS"
        sums.write_text(sums.read_text().replace(old, file_digest(listing)))
    alone = VerifyReport()
    verify_release(release, alone)
    assert alone.failed == []
    assert codes(study) == {"release_changed"}


def test_files_beside_those_that_were_published_are_counted_and_not_named(study):
    (study / "release" / "Meier.csv").write_text("")
    (study / "release" / "images" / "Meier").mkdir()
    (study / "release" / "images" / "Meier" / "Hans.csv").write_text("")
    faults = found(study)
    assert [(row["unit"], row["code"]) for row in faults] == [
        ("release", "file_added"),
        ("images", "file_added"),
    ]
    assert "Meier" not in str(faults)


def means_the_same(dump: list[str] | None, expected: list[str] | None) -> bool:
    """Tell whether two registries say the same, but for settings of the moment."""
    if dump is None or expected is None:
        return False
    said = set(dump) ^ set(expected)
    return all("claim" in one or '"meta"' in one for one in said)
