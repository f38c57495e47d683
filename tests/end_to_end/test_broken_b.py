"""What a sceptical auditor and a sceptical reviewer tried, and must be refused or found."""
# ruff: noqa: S608 - SQL here is a test's own

import hashlib
import json
import re
import sqlite3
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from dicom_factory import ct_series, stored_values, uid, write_series
from lesionary.app.audit import remark
from lesionary.app.explain.address import parse_address
from lesionary.app.explain.cells import cells_with
from lesionary.app.explain.published import Published
from lesionary.app.leakage import check_leakage
from lesionary.app.progress import Silent
from lesionary.app.release import publish_due
from lesionary.app.splits import SplitOptions, split_study
from lesionary.app.study import Study
from lesionary.app.verify import VerifyOptions, verify_target
from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.registry import tables
from tampering import Intruder, copy_study, make_study

TABLES = (
    "subject", "timepoint", "series", "finding", "annotation", "box", "review", "lesion", "track",
    "split", "declared_set", "run", "unit",
)  # fmt: skip
NAMED_BY = {
    "split": ("name", "subject_id"),
    "declared_set": ("name", "kind", "value"),
    "unit": ("stage", "name"),
}
TRUTHS = {"is_from_file", "by_rule"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("sound")).files.root


@pytest.fixture
def study(sound: Path, tmp_path: Path) -> Path:
    return copy_study(sound, tmp_path / "study")


def told(study: Path, **options: object) -> set[tuple[str, str]]:
    failed = verify_target(study, VerifyOptions(**options)).failed
    return {(row["unit"], row["code"]) for row in failed if row["code"] != "guard_missing"}


def sha256_of_json(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def forge(intruder: Intruder, action: str, name: str, fact: str | None) -> None:
    """Add an event as Lesionary would, with all its hashes right."""
    (head,) = intruder.rows("head")
    fields = [head["seq"] + 1, head["at"], "anna", action, name, "", fact, None, None, head["hash"]]
    sealed = sha256_of_json(fields)
    intruder.execute(f"INSERT INTO event VALUES ({', '.join('?' * 11)})", *fields, sealed)
    intruder.execute("UPDATE head SET seq = ?, hash = ?", fields[0], sealed)


def test_a_checker_written_from_the_manual_alone_agrees_with_verify(study):
    assert by_the_manual(study) == set()
    with Intruder(study) as intruder:
        intruder.execute("UPDATE box SET label = 'm,lung' WHERE id = 2")
        intruder.execute("UPDATE source_instance SET sop_uid = '1.9' WHERE k = 1")
        intruder.execute("DELETE FROM review")
    rows = {unit for unit, code in told(study) if code.startswith("row_")}
    assert by_the_manual(study) == rows == {"box/2", "series/ser-0099", f"review/{one_id(1)}"}


def one_id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012d}"


def by_the_manual(study: Path) -> set[str]:
    """Return the rows at fault by ``docs/reference/audit.md``, with nothing of ours."""
    connection = sqlite3.connect(study / "registry.db")
    connection.row_factory = sqlite3.Row
    last = dict(connection.execute("SELECT object, fact FROM event ORDER BY seq").fetchall())
    faults, seen = set(), set()
    for table in TABLES:
        for row in connection.execute(f"SELECT * FROM {table}"):
            values = dict(row)
            values |= {name: bool(values[name]) for name in TRUTHS & values.keys()}
            if table == "series":
                uids = "SELECT sop_uid FROM source_instance WHERE series_id = ? ORDER BY k"
                values["sop_uids"] = [one for (one,) in connection.execute(uids, (values["id"],))]
            names = [str(values[name]) for name in NAMED_BY.get(table, ("id",))]
            name = "/".join([table, *names])
            seen.add(name)
            if last.get(name) != sha256_of_json(values):
                faults.add(name)
    connection.close()
    gone = {name for name, fact in last.items() if fact and name.split("/")[0] in TABLES}
    return faults | (gone - seen)


def test_looking_twice_says_the_same_and_changes_no_file(study):
    with Intruder(study) as intruder:
        intruder.execute("UPDATE box SET label = 'm,lung' WHERE id = 2")
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    first = verify_target(study).document()
    assert verify_target(study).document() == first
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("table", ["annotation", "review", "lesion", "track"])
@pytest.mark.parametrize("is_removed", [False, True])
def test_a_forged_event_does_not_cover_what_became_of_a_persons_work(study, table, is_removed):
    with Intruder(study) as intruder:
        row = intruder.rows(table)[0]
        name = f"{table}/{row['id']}"
        if is_removed:
            intruder.remove(table, row)
            intruder.execute("UPDATE tally SET n = n - 1 WHERE name = ?", table)
            forge(intruder, "removed", name, None)
        else:
            column = "label" if table == "lesion" else "relation" if table == "track" else None
            column = column or ("reader" if table == "review" else "author")
            changed = row | {column: "somebody"}
            intruder.replace(table, row, changed)
            forge(intruder, "changed", name, sha256_of_json(changed))
    assert (name, "row_changed") in told(study)


def test_a_remark_on_a_persons_work_is_no_change_of_it(study):
    opened = Study.open(study)
    (mask, *_) = opened.registry.rows(tables.annotation)
    remark(opened, "looked at again", of=f"annotation/{mask['id']}")
    opened.registry.close()
    assert told(study) == set()


def test_repair_does_not_forget_that_somebody_changed_a_unit(study):
    with Intruder(study) as intruder:
        unit = next(row for row in intruder.rows("unit") if row["stage"] == "annotate")
        (named, *_) = re.findall("[0-9a-f]{64}", str(unit["output"]))
        output = str(unit["output"]).replace(named, "f" * 64)
        intruder.replace("unit", unit, unit | {"output": output})
    name = f"unit/annotate/{unit['name']}"
    report = verify_target(study, VerifyOptions(repair=True))
    assert (name, "row_changed") in told(study)
    assert any(name in row["done"] for row in report.repaired if row["unit"] == "f" * 12)


@pytest.mark.parametrize("change", ["UPDATE head SET seq = seq - 5", "DELETE FROM head"])
def test_nothing_is_added_to_a_chain_whose_end_somebody_moved(study, change):
    with Intruder(study) as intruder:
        intruder.execute(change)
    opened = Study.open(study)
    with pytest.raises(WorkflowError) as caught:
        remark(opened, "hello")
    opened.registry.close()
    assert caught.value.code == "head_changed"


def reseal(release: Path, *, key: str | None = None) -> None:
    """Make manifest and checksums fit whatever lies there."""
    manifest = json.loads((release / "release.json").read_text())
    manifest["files"] = {name: digest(release / name) for name in manifest["files"]}
    if key is not None:
        manifest["key"] = key
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (release / "release.json").write_text(text)
    names = [line.split("  ", 1)[1] for line in (release / "SHA256SUMS").read_text().splitlines()]
    lines = [f"{digest(release / name)}  {name}\n" for name in names]
    (release / "SHA256SUMS").write_text("".join(lines))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("key", [None, "ab" * 32])
def test_a_release_resealed_under_any_key_is_not_what_was_published(study, key):
    table = study / "release" / "lesions.csv"
    table.write_text(table.read_text().replace("liver", "lung"))
    reseal(study / "release", key=key)
    assert told(study) == {("release/published", "release_changed")}


def test_a_release_that_is_gone_is_missed(study):
    (study / "release").rename(study.parent / "elsewhere")
    assert told(study) == {("release/published", "file_missing")}


def test_an_older_release_put_back_is_not_the_last_one(study):
    aside = copy_study(study / "release", study.parent / "older")
    protocol = study / "study.toml"
    protocol.write_text(re.sub(r'title = ".*"', 'title = "Another title"', protocol.read_text()))
    opened = Study.open(study)
    publish_due(opened, Silent(), "none")
    opened.registry.close()
    assert told(study) == set()
    (study / "release").rename(study.parent / "newer")
    aside.rename(study / "release")
    assert told(study) == {("release/published", "release_changed")}


def test_a_release_that_its_process_could_not_tell_of_is_no_forgery(study, monkeypatch):
    protocol = study / "study.toml"
    protocol.write_text(re.sub(r'title = ".*"', 'title = "Another title"', protocol.read_text()))
    monkeypatch.setattr("lesionary.app.release._record", lambda *_, **__: None)
    opened = Study.open(study)
    publish_due(opened, Silent(), "none")
    opened.registry.close()
    assert told(study) == set()


def test_a_rounded_number_is_found_where_another_cell_holds_it_exactly(study):
    opened = Study.open(study)
    release = Published.of(opened, None)
    texts = {row["volume_ml"] for _, _, row in release.rows("lesions.csv")}
    opened.registry.close()
    for text in texts:
        printed = f"{float(text):.1f}"
        found = {cell.text for cell in cells_with(release, parse_address(f"{printed} ml"))}
        assert {one for one in texts if f"{float(one):.1f}" == printed} <= found


def test_a_number_with_a_comma_is_told_how_to_be_written():
    with pytest.raises(InputError, match="a point before its decimals"):
        parse_address("0,901")


ARRAYS = {n: stored_values((3, 6, 5), seed=n) for n in range(6)}


def patients(folder: Path) -> Path:
    for number, array in ARRAYS.items():
        slices = ct_series(array, series=number + 1, patient=f"Planted-{number}")
        for ds in slices:
            ds.StudyInstanceUID = uid(9, number)
        write_series(slices, folder / f"{number}")
    return folder


def write_twin(folder: Path, array: np.ndarray) -> Path:
    """Write a scan's voxels as another program would: float32, other axes, no identity."""
    folder.mkdir()
    voxels = np.transpose(array.astype(np.float32) - 1024, (2, 1, 0))[::-1]
    affine = np.diag([0.7, -0.8, 3.0, 1.0])
    nib.save(nib.Nifti1Image(np.ascontiguousarray(voxels), affine), folder / "x_ct_image.nii.gz")
    return folder


def test_a_twin_that_came_after_the_split_is_not_published_for_training(tmp_path):
    study = Study.create(tmp_path / "study")
    study.ingest([patients(tmp_path / "scans")])
    report = split_study(study, SplitOptions(test=2, folds=0))
    tested = min(name for name, one in report.assigned.items() if one.part == "test")
    (scan,) = study.registry.rows(tables.series, subject_id=tested)
    (array,) = [one for one in ARRAYS.values() if has_voxels(scan, one)]
    study.ingest([write_twin(tmp_path / "twin", array)])
    (leaks,) = check_leakage(study).splits
    (leak,) = leaks.leaks.shown
    assert leak.document()["same"] == "pixels"
    assert "not assigned yet" in leak.sentence()
    with pytest.raises(WorkflowError) as caught:
        study.run()
    assert caught.value.code == "leakage"
    assert not study.files.release.exists()
    assert any(row["code"] == "leakage" for row in verify_target(study.files.root).failed)
    split_study(study, SplitOptions(test=2, folds=0))
    assert check_leakage(study).n_pairs == 0
    study.registry.close()


def has_voxels(scan: dict[str, object], array: np.ndarray) -> bool:
    from lesionary.core.pixels import pixel_hash

    affine = np.diag([3.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    return scan["pixel_hash"] == pixel_hash(array - 1024, affine)
