"""A study's splits: stored once, held against what its user declared, on both databases."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dicom_factory import ct_series, stored_values, uid, write_series
from lesionary.app.declared_sets import declare_set
from lesionary.app.identities import parse_list
from lesionary.app.ingest import IngestOptions
from lesionary.app.leakage import check_leakage
from lesionary.app.splits import SplitOptions, published_subsets, split_study
from lesionary.app.study import Study
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError, WorkflowError
from lesionary.core.pixels import pixel_hash
from lesionary.core.volume import AxisOrder, Volume
from lesionary.io.nifti import write_nifti
from lesionary.io.registry import tables
from lesionary.learn.members import Kind, LeakageError, Role
from registry_rows import faults_of

PATIENTS = tuple(f"Planted-{n:03d}" for n in range(12))
SHAPE = (3, 6, 5)
NO_FOLDS = SplitOptions(test=4, folds=0)


def write_patients(folder: Path, numbers: Sequence[int] = range(12), *, series: int = 1) -> Path:
    """Write one scan of each patient, every one in a DICOM study of its own."""
    for number in numbers:
        write_scan(folder, number, series=10 * number + series)
    return folder


def write_scan(
    folder: Path, number: int, *, series: int, seed: int | None = None, patient: str | None = None
) -> None:
    array = stored_values(SHAPE, seed=series if seed is None else seed)
    slices = ct_series(array, series=series + 1, patient=patient or PATIENTS[number])
    for ds in slices:
        ds.StudyInstanceUID = uid(5000, series)
        ds.FrameOfReferenceUID = uid(6000, series)
    write_series(slices, folder / f"s{series}")


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patients(tmp_path_factory.mktemp("scans"))


@pytest.fixture(params=["sqlite", "postgres"])
def study(request: pytest.FixtureRequest, tmp_path: Path, scans: Path) -> Study:
    """Return a study of twelve patients on either database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    created = Study.create(tmp_path / "study", registry=url)
    created.ingest([scans])
    yield created
    created.registry.close()


@pytest.fixture
def small(tmp_path: Path, scans: Path) -> Study:
    """Return the same on SQLite alone, for what no database decides."""
    created = Study.create(tmp_path / "study")
    created.ingest([scans])
    yield created
    created.registry.close()


def write_list(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def subject_of(study: Study, series: int) -> str:
    """Return the subject that a series of the factory came in as."""
    from lesionary.ingest.pseudonym import Pseudonymiser

    key = Pseudonymiser(study.key).uid(uid(series + 1))
    return next(
        row["subject_id"] for row in study.registry.all_series() if row["series_uid"] == key
    )


def stored_split(study: Study, name: str = "default") -> dict[str, tuple[str, int | None]]:
    rows = study.registry.rows(tables.split, name=name)
    return {row["subject_id"]: (row["part"], row["fold"]) for row in rows}


def test_every_subject_is_assigned_once_and_for_good(study, tmp_path):
    first = split_study(study, SplitOptions(test=0.25, folds=3))
    stored = stored_split(study)
    assert Counter(part for part, _ in stored.values()) == {"train": 9, "test": 3}
    assert Counter(fold for _, fold in stored.values()) == {0: 3, 1: 3, 2: 3, None: 3}
    assert len(first.new) == 12
    again = split_study(study, SplitOptions(test=0.25, folds=3))
    assert not again.new
    assert again.assigned == first.assigned
    for number in range(4):
        write_scan(tmp_path / "more", 0, series=900 + number, patient=f"Later-{number}")
    study.ingest([tmp_path / "more"])
    assert check_leakage(study).splits[0].n_unassigned == 4
    later = split_study(study, SplitOptions(test=0.25, folds=3))
    assert {name: stored_split(study)[name] for name in stored} == stored
    assert later.document()["sizes"] == {"train": 12, "test": 4, "holdout": 0}
    assert check_leakage(study).splits[0].n_unassigned == 0


def test_two_splits_of_one_study_stand_side_by_side(study):
    split_study(study, NO_FOLDS)
    split_study(study, SplitOptions(name="other", test=4, folds=0, seed=1))
    assert stored_split(study) != stored_split(study, "other")
    assert [one.split for one in check_leakage(study).splits] == ["default", "other"]
    assert Counter(published_subsets(study).values()) == {"train": 8, "test": 4}


def test_every_assignment_is_told_in_the_audit(study):
    split_study(study, NO_FOLDS)
    told = [one.object for one in study.registry.events() if one.object.startswith("split/")]
    assert sorted(told) == sorted(f"split/default/{name}" for name in stored_split(study))
    assert faults_of(study.registry) == []


def test_nothing_is_stored_of_a_split_that_cannot_be(small):
    with pytest.raises(InputError, match="13 of 12 subjects"):
        split_study(small, SplitOptions(test=13, folds=0))
    assert stored_split(small) == {}
    with pytest.raises(InputError, match="a name has"):
        split_study(small, SplitOptions(name="a b"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("patient_id", PATIENTS[7]),
        ("study_uid", uid(5000, 71)),
        ("series_uid", uid(72)),
        ("sop_uid", uid(72, 1)),
    ],
)
def test_an_identity_on_a_list_is_the_one_that_came_in(small, tmp_path, column, value):
    split_study(small, SplitOptions(test=11, folds=0))
    path = write_list(tmp_path / "list.csv", [{column: "1.2.3"}, {column: value}])
    declare_set(small, "msd", Role.PRETRAINING, path)
    found = [leak for one in check_leakage(small).splits for leak in one.leaks.shown]
    subject = subject_of(small, 71)
    part, _ = stored_split(small)[subject]
    assert len(found) == (part == "test")
    declare_set(small, "msd", Role.HOLDOUT, path)
    (leak,) = (leak for one in check_leakage(small).splits for leak in one.leaks.shown)
    assert leak.first == "line 3"
    assert leak.first_set == "declared holdout set msd"
    assert leak.second_set == part
    kind = column.replace("_id", "")
    assert leak.kind.value == kind
    series = {row["id"]: row["subject_id"] for row in small.registry.all_series()}
    assert series.get(leak.second, leak.second) == subject


def test_voxels_on_a_list_are_those_that_came_in(small, tmp_path):
    row = small.registry.all_series()[3]
    volume = small.objects.get_volume(row["object_id"])
    value = pixel_hash(volume.array, volume.geometry.affine).upper()
    declare_set(small, "x", Role.TEST, write_list(tmp_path / "x.csv", [{"pixel_hash": value}]))
    (one,) = check_leakage(small).splits
    assert one.split is None
    assert [(leak.kind, leak.second) for leak in one.leaks.shown] == [(Kind.PIXELS, row["id"])]


def test_an_issuer_is_part_of_a_patient(small, tmp_path):
    slices = ct_series(stored_values(SHAPE, seed=99), series=99, patient="P1")
    for ds in slices:
        ds.IssuerOfPatientID = "Ward"
        ds.StudyInstanceUID = uid(5000, 99)
    write_series(slices, tmp_path / "in")
    small.ingest([tmp_path / "in"])
    plain = [{"patient_id": "P1"}]
    declare_set(small, "plain", Role.TEST, write_list(tmp_path / "a.csv", plain))
    assert check_leakage(small).n_pairs == 0
    issued = [{"patient_id": "P1", "issuer_of_patient_id": "Ward"}]
    declare_set(small, "issued", Role.TEST, write_list(tmp_path / "b.csv", issued))
    assert check_leakage(small).n_pairs == 1


def test_what_pretrained_trains_and_what_tests_elsewhere_tests(study, tmp_path):
    lists = {Role.PRETRAINING: range(4), Role.TEST: (5,), Role.HOLDOUT: (6, 7)}
    for role, numbers in lists.items():
        rows = [{"patient_id": PATIENTS[number]} for number in numbers]
        declare_set(study, role.value, role, write_list(tmp_path / f"{role}.csv", rows))
    split_study(study, SplitOptions(test=3, holdout=2, folds=2))
    stored = stored_split(study)
    expected = {Role.PRETRAINING: "train", Role.TEST: "test", Role.HOLDOUT: "holdout"}
    for role, numbers in lists.items():
        parts = {stored[subject_of(study, 10 * number + 1)][0] for number in numbers}
        assert parts == {expected[role]}
    assert check_leakage(study).n_pairs == 0


def test_one_scan_under_two_patients_goes_one_way(study, tmp_path):
    for number in range(3):
        write_scan(
            tmp_path / "twins",
            number,
            series=800 + number,
            seed=10 * number + 1,
            patient=f"Alias-{number}",
        )
    study.ingest([tmp_path / "twins"])
    for seed in range(4):
        name = f"seed{seed}"
        split_study(study, SplitOptions(name=name, test=0.5, folds=2, seed=seed))
        stored = stored_split(study, name)
        for number in range(3):
            one, other = (subject_of(study, n) for n in (10 * number + 1, 800 + number))
            assert one != other
            assert stored[one] == stored[other]
    assert check_leakage(study).n_pairs == 0


def test_a_twin_that_comes_later_follows_the_first(small, tmp_path):
    split_study(small, NO_FOLDS)
    write_scan(tmp_path / "twin", 4, series=840, seed=41, patient="Alias")
    small.ingest([tmp_path / "twin"])
    split_study(small, NO_FOLDS)
    stored = stored_split(small)
    assert stored[subject_of(small, 840)] == stored[subject_of(small, 41)]


def test_a_leak_inside_a_split_is_found_by_voxels(small, tmp_path):
    """A scan that reached the study as another patient's NIfTI, in another axis order."""
    split_study(small, NO_FOLDS)
    stored = stored_split(small)
    row = next(row for row in small.registry.all_series() if stored[row["subject_id"]][0] == "test")
    volume = small.objects.get_volume(row["object_id"])
    order = AxisOrder((2, 0, 1), (True, False, True))
    turned = Volume(order.apply(volume.array), volume.geometry.reordered(order))
    write_nifti(tmp_path / "copy_ct.nii.gz", turned)
    small.ingest([tmp_path / "copy_ct.nii.gz"], IngestOptions(subject="Alias"))
    twin = small.registry.all_series()[-1]
    with small.registry.writing(why="as an older version might have") as transaction:
        values = {"name": "default", "part": "train", "fold": None, "origin": "drawn", "seed": 0}
        transaction.insert(tables.split, [values | {"subject_id": twin["subject_id"]}])
    report = check_leakage(small)
    (leak,) = report.splits[0].leaks.shown
    assert (leak.kind, {leak.first, leak.second}) == (Kind.PIXELS, {row["id"], twin["id"]})
    with pytest.raises(LeakageError, match=r"split default: .* share the voxels"):
        report.require_none()
    with pytest.raises(WorkflowError):
        report.require_none()


def test_a_folder_of_dicom_tells_patients_uids_and_voxels(study, tmp_path):
    write_scan(tmp_path / "theirs", 3, series=31)
    report = declare_set(study, "theirs", Role.HOLDOUT, tmp_path / "theirs")
    assert report.counts == {
        "patient": 1,
        "study_uid": 1,
        "series_uid": 1,
        "sop_uid": SHAPE[0],
        "pixels": 1,
    }
    leaks = check_leakage(study).splits[0].leaks
    assert set(leaks.by_kind) == set(Kind)
    assert {leak.first for leak in leaks.shown} == {"item 0"}


def test_a_folder_of_image_files_tells_voxels(small, tmp_path):
    row = small.registry.all_series()[0]
    write_nifti(tmp_path / "x_image.nii.gz", small.objects.get_volume(row["object_id"]))
    (tmp_path / "broken_image.nii.gz").write_bytes((tmp_path / "x_image.nii.gz").read_bytes()[:90])
    report = declare_set(small, "files", Role.HOLDOUT, tmp_path)
    assert report.counts == {"pixels": 1}
    leaks = check_leakage(small).splits[0].leaks
    assert [leak.second for leak in leaks.shown] == [row["id"]]
    unseen = {one.kind for one in leaks.unchecked if one.in_set == "declared holdout set files"}
    assert unseen == set(Kind) - {Kind.PIXELS}


def test_a_set_declared_again_takes_its_own_place(study, tmp_path):
    rows = [{"patient_id": name} for name in PATIENTS[:3]]
    first = declare_set(study, "msd", Role.TEST, write_list(tmp_path / "a.csv", rows))
    assert (first.n_added, first.n_removed) == (3, 0)
    again = declare_set(study, "msd", Role.TEST, write_list(tmp_path / "a.csv", rows))
    assert (again.n_added, again.n_removed) == (0, 0)
    fewer = declare_set(study, "msd", Role.TEST, write_list(tmp_path / "a.csv", rows[:2]))
    assert (fewer.n_added, fewer.n_removed) == (0, 1)
    assert check_leakage(study).n_pairs == 2
    other = declare_set(study, "msd", Role.TRAIN, write_list(tmp_path / "a.csv", rows[:2]))
    assert (other.n_added, other.n_removed) == (2, 2)
    assert check_leakage(study).n_pairs == 0


def test_subjects_known_by_their_file_are_said_to_be_unseen(small, tmp_path):
    volume = small.objects.get_volume(small.registry.all_series()[0]["object_id"])
    write_nifti(tmp_path / "own_ct.nii.gz", volume.with_array(volume.array[::-1].copy()))
    small.ingest([tmp_path / "own_ct.nii.gz"])
    split_study(small, NO_FOLDS)
    unseen = list(check_leakage(small).splits[0].leaks.unchecked)
    by_kind = {one.kind: one.n_members for one in unseen}
    assert by_kind == {Kind.PATIENT: 1, Kind.SOP_UID: 1}


def test_a_layouts_folders_are_kept_and_the_rest_is_drawn(small, tmp_path):
    volume = small.objects.get_volume(small.registry.all_series()[0]["object_id"])
    for number, part in enumerate(("train", "train", "test")):
        folder = tmp_path / "set" / "images" / "thorax" / part / "images"
        folder.mkdir(parents=True, exist_ok=True)
        scan = volume.with_array(volume.array + number + 1)
        write_nifti(folder / f"{number:03d}_{uid(700, number)}.nii.gz", scan)
    small.ingest([tmp_path / "set"])
    assigned = split_study(small, SplitOptions(test=4, folds=0)).assigned
    assert Counter((one.part.value, one.origin) for one in assigned.values()) == {
        ("train", "given"): 2,
        ("test", "given"): 1,
        ("train", "drawn"): 9,
        ("test", "drawn"): 3,
    }


def test_no_identity_of_a_list_stays(small, tmp_path):
    rows = [{"patient_id": "Somebody^Else", "sop_uid": "1.2.777.555"}]
    declare_set(small, "msd", Role.TEST, write_list(tmp_path / "Somebody.csv", rows))
    split_study(small, NO_FOLDS)
    small.registry.close()
    held = b"".join(path.read_bytes() for path in small.files.root.rglob("*") if path.is_file())
    for planted in (b"Somebody", b"1.2.777.555", b"Planted"):
        assert planted not in held


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no rows"),
        ("patient_id\n", "no rows"),
        ("name\nx\n", "none of the columns"),
        ("patient_id,patient_id\na,b\n", "column twice"),
        ("patient_id,x\nA,\n,B\n", "line 3: names nothing"),
        ("pixel_hash\nabc\n", "line 2: a pixel_hash has 64"),
        ("series_uid\n1.2 3\n", "line 2: series_uid holds no UID"),
        (f"sop_uid\n{'1' * 65}\n", "line 2: sop_uid holds no UID"),
        ("patient_id,issuer_of_patient_id,study_uid\n,W,1.2\n", "line 2: an issuer without"),
        ("pixel_hash\n" + "abc\n" * 9, "line 6: .*and 4 more lines"),
    ],
)
def test_a_wrong_list_names_its_lines_and_no_values(text, problem):
    with pytest.raises(InputError, match=problem) as caught:
        parse_list(text)
    assert caught.value.code == "bad_table"
    assert "abc" not in caught.value.message


def test_a_list_is_read_with_bom_crlf_and_columns_in_any_order():
    text = "\ufeffcomment,series_uid,patient_id\r\nx,1.2.3,007\r\n\r\n,,NA\r\n"
    entries = [(one.kind, one.value, one.label) for one in parse_list(text)]
    assert entries == [
        (Kind.PATIENT, "007", "line 2"),
        (Kind.SERIES_UID, "1.2.3", "line 2"),
        (Kind.PATIENT, "NA", "line 4"),
    ]


def test_what_is_no_list_and_no_image_is_refused(small, tmp_path):
    (tmp_path / "latin.csv").write_bytes("patient_id\nM\xfcller\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        declare_set(small, "x", Role.TEST, tmp_path / "latin.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="nothing here is an image"):
        declare_set(small, "x", Role.TEST, tmp_path / "empty")
    with pytest.raises(InputError):
        declare_set(small, "x", Role.TEST, tmp_path / "absent")


@pytest.fixture
def on_disk(small: Study) -> Path:
    small.registry.close()
    return small.files.root


def test_the_command_splits_checks_and_declares(command: Callable, on_disk, tmp_path):
    code, document = command("split", on_disk, "--test", "0.25", "--folds", "3")
    assert code == 0
    assert document["sizes"] == {"train": 9, "test": 3, "holdout": 0}
    assert document["asked"] == {"test": 3, "holdout": 0, "folds": 3}
    code, document = command("split", on_disk, "--check")
    assert (code, document["splits"][0]["leaks"]) == (0, 0)
    path = write_list(tmp_path / "l.csv", [{"patient_id": name} for name in PATIENTS])
    code, document = command("split", on_disk, "--declare", f"old={path}", "--role", "pretraining")
    assert (code, document["values"]) == (0, {"patient": 12})
    code, document = command("split", on_disk, "--check")
    assert code == 2
    assert document["error"]["code"] == "leakage"
    assert document["n_pairs"] == 3
    assert {pair["same"] for pair in document["pairs"]} == {"patient"}
    assert all(name not in json.dumps(document) for name in PATIENTS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--test", "half"], "usage"),
        (["--test", "1.5"], "split_impossible"),
        (["--folds", "1"], "split_impossible"),
        (["--test", "0", "--folds", "13"], "split_impossible"),
        (["--declare", "nothing"], "usage"),
        (["--declare", "test/=x.csv"], "usage"),
        (["--by", "colour"], "usage"),
        (["--check", "--name", "other"], "no_split"),
    ],
)
def test_a_wrong_command_says_so(command: Callable, on_disk, words, code):
    status, document = command("split", on_disk, *words)
    assert (status, document["error"]["code"]) == (2, code)


def test_the_command_says_what_it_did_and_could_not_see(on_disk, tmp_path, capsys):
    assert run_command(["split", str(on_disk), "--folds", "2", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "Split default: 12 subjects, 12 new, 2 folds" in out
    assert "Split default: no leak found" in out
    path = write_list(tmp_path / "l.csv", [{"patient_id": "Nobody"}])
    words = ["split", str(on_disk), "--declare", f"old={path}", "--role", "test"]
    assert run_command(words) == 0
    assert "test set old: 1 patient (1 added, 0 removed)" in capsys.readouterr().out
    assert run_command(["split", str(on_disk), "--check"]) == 0
    assert "not checked: by the voxels, in declared test set old" in capsys.readouterr().out
