"""A study by rules: who comes in, who does not and why, over several ingests, up to the release."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dicom_factory import ct_series, mr_series, pet_series, uid, write_series
from lesionary.app.ingest import ingest_paths
from lesionary.app.study import Study
from lesionary.cli.main import run_command
from lesionary.core.volume import Geometry, LabelMap
from lesionary.io.nifti import write_nifti
from lesionary.io.registry import tables
from lesionary.io.study_files import protocol_text
from small_scans import AFFINE, SHAPE, scan
from structure_objects import FRAME_UID, SERIES_UID, contour, rtstruct, save_rtstruct

PLANTED = "DOE^JANE 1962"

RULES = """
[[curate.rule]]
rule = "age_years"
at_least = 18
missing = "keep"

[[curate.rule]]
rule = "slice_thickness_mm"
at_most = 5
label = "No thick slices"

[[curate.rule]]
rule = "description"
exclude = ["scout*"]
missing = "keep"

[[curate.rule]]
rule = "pet_ct_pair"
"""
KILLED = (
    "import os, signal, sys, lesionary.app.ingest as module\n"
    "module.write_rows = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    "from lesionary.cli.main import run_command\n"
    "run_command(sys.argv[1:])\n"
)


def protocol(rules: str, *, keep_uids: bool = False) -> str:
    head, bracket, tail = protocol_text("general").partition("[labels]")
    text = f"{head}{rules}\n{bracket}{tail}"
    return text.replace("keep_uids = false", "keep_uids = true") if keep_uids else text


def of_study(slices, number: int, *, description: str = "", age: str = "060Y", thickness=None):
    """Put a series into a DICOM study of its own number, with what rules look at."""
    for ds in slices:
        ds.StudyInstanceUID = uid(700, number)
        ds.FrameOfReferenceUID = uid(701, number)
        ds.SeriesDescription, ds.PatientAge = f"{description} {PLANTED}".strip(), age
        if thickness is not None:
            ds.SliceThickness = str(thickness)
    return slices


def archive(folder):
    """Write a PET/CT pair with a diagnostic CT beside it, and for each rule what it leaves out."""
    series = {
        "pair/pet": of_study(pet_series(series=1), 1, description="PET AC"),
        "pair/ct": of_study(ct_series(series=2), 1, description="CTAC"),
        "pair/thick": of_study(ct_series(series=3), 1, thickness=8),
        "pair/uncorrected": of_study(pet_series(series=4), 1, description="PET NAC"),
        "child/pet": of_study(pet_series(series=5, patient="P-2"), 2, age="012Y"),
        "child/ct": of_study(ct_series(series=6, patient="P-2"), 2, age="012Y"),
        "alone/ct": of_study(ct_series(series=7, patient="P-3"), 3),
        "alone/scout": of_study(ct_series(series=8, patient="P-3"), 3, description="SCOUT"),
        "mr/t2": of_study(mr_series(series=9, patient="P-4"), 4),
        "broken/ct": of_study(ct_series(series=10, patient="P-5"), 5),
    }
    for ds in series["pair/uncorrected"]:
        ds.CorrectedImage = ["DECY"]
    del series["broken/ct"][4]  # a slice is missing
    for name, slices in series.items():
        write_series(slices, folder / name)
    return folder


OUT = {
    "gate": 1,  # broken/ct
    "age_years": 2,
    "slice_thickness_mm": 1,
    "description": 1,
    "pet_ct_pair": 3,  # uncorrected; a CT without a PET; neither
}


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.toml").write_text(protocol(RULES))

    def command(*arguments) -> tuple[int, dict]:
        capsys.readouterr()
        code = run_command([*(str(argument) for argument in arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


def made(run, rules: str | None = None) -> None:
    if rules is not None:
        Path("rules.toml").write_text(protocol(rules), encoding="utf-8")
    assert run("new", "study", "--protocol", "rules.toml")[0] == 0


def table(name: str = "curation.csv") -> list[dict[str, str]]:
    text = Path(f"study/release/{name}").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def counts(rows) -> dict[str, int]:
    found = [row["rule"] for row in rows if row["outcome"] == "out"]
    return {rule: found.count(rule) for rule in sorted(set(found))}


def test_every_series_is_in_or_out_with_the_rule_and_its_reason(run, tmp_path):
    made(run)
    code, ingested = run("ingest", "study", archive(tmp_path / "scans"))
    assert code == 1  # the broken one alone: rules are no faults
    assert sorted(row["modality"] for row in ingested["series"]) == ["CT", "PT"]
    by_rule = [row for row in ingested["left_out"] if row["by_rule"]]
    assert {row["code"] for row in by_rule} == {f"rule_{rule}" for rule in OUT if rule != "gate"}
    flow = ingested["curation"]
    assert (flow["considered"], flow["kept"]) == (10, 2)
    assert [step["left"] for step in flow["steps"]] == [9, 9, 9, 7, 6, 5, 2]
    assert run("run", "study")[0] == 0
    rows = table()
    assert counts(rows) == OUT
    assert sum(row["outcome"] == "in" for row in rows) == 2
    assert all(row["reason"] for row in rows if row["outcome"] == "out")
    assert {row["series"] for row in rows} == {"", "ser-0001", "ser-0002"}


def test_no_word_of_a_description_and_no_age_is_kept(run, tmp_path):
    made(run)
    run("ingest", "study", archive(tmp_path / "scans"))
    run("run", "study")
    for path in (tmp_path / "study").rglob("*"):
        if path.is_file() and path.suffix not in {".zst", ".lv"}:
            assert b"DOE" not in path.read_bytes(), path.name
    assert not any("12" in row["reason"] for row in table() if row["rule"] == "age_years")


def test_volumes_of_series_that_a_header_rules_out_are_never_read(run, tmp_path, monkeypatch):
    from lesionary.io.dicom.series import JudgedSeries

    read, true_read = [], JudgedSeries.read

    def counting(judged):
        read.append(judged.identity.series_instance_uid)
        return true_read(judged)

    monkeypatch.setattr(JudgedSeries, "read", counting)
    made(run)
    run("ingest", "study", archive(tmp_path / "scans"))
    assert len(read) == 2
    assert len(list(Study.open("study").objects.list_ids())) == 2


def test_a_series_that_came_twice_counts_once_and_what_is_held_stays(run, tmp_path):
    made(run)
    scans = archive(tmp_path / "scans")
    run("ingest", "study", scans)
    run("run", "study")
    first = table()
    code, again = run("ingest", "study", scans)
    assert code == 1
    assert {row["code"] for row in again["ignored"]} == {"duplicate_identical"}
    run("run", "study")
    assert table() == first
    assert run("status", "study")[1]["curation"]["considered"] == 10


def test_a_ct_that_is_held_is_the_partner_of_a_pet_that_comes_now(run, tmp_path):
    made(run, "")
    write_series(of_study(ct_series(series=2), 1), tmp_path / "a")
    run("ingest", "study", "a")
    path = tmp_path / "study" / "study.toml"
    head, bracket, tail = path.read_text().partition("[labels]")
    path.write_text(f"{head}{RULES}\n{bracket}{tail}")
    write_series(of_study(pet_series(series=1), 1), tmp_path / "b" / "its")
    write_series(of_study(pet_series(series=5, patient="P-9"), 9), tmp_path / "b" / "other")
    code, later = run("ingest", "study", "b")
    assert code == 0
    assert [row["modality"] for row in later["series"]] == ["PT"]
    assert [row["reason"] for row in later["left_out"]] == ["no CT in its DICOM study"]
    assert len(run("status", "study")[1]["series"]) == 2


def test_what_was_out_comes_in_once_the_rules_allow_it(run, tmp_path):
    made(run)
    scans = archive(tmp_path / "scans")
    run("ingest", "study", scans)
    path = tmp_path / "study" / "study.toml"
    path.write_text(path.read_text().replace("at_least = 18", "at_least = 10"))
    _, later = run("ingest", "study", scans)
    assert len(later["series"]) == 4  # the two that are held, and the child's pair
    run("run", "study")
    assert counts(table()) == {name: n for name, n in OUT.items() if name != "age_years"}
    assert run("verify", "study")[0] == 0


def test_a_pet_whose_pixels_cannot_be_read_takes_its_ct_with_it(run, tmp_path):
    made(run)
    pet = of_study(pet_series(series=1), 1)
    for ds in pet:
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
        ds.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00none"
        ds["PixelData"].is_undefined_length = True
    write_series(pet, tmp_path / "scans" / "pet")
    write_series(of_study(ct_series(series=2), 1), tmp_path / "scans" / "ct")
    _, ingested = run("ingest", "study", "scans")
    assert ingested["series"] == []
    assert {row["code"] for row in ingested["left_out"] if row["by_rule"]} == {"rule_pet_ct_pair"}
    assert {row["by_rule"] for row in ingested["left_out"]} == {True, False}
    assert run("verify", "study")[0] == 0


def test_files_in_whatever_order_and_folder_give_the_same_decisions(run, tmp_path):
    scans = archive(tmp_path / "scans")
    decided = []
    for seed in range(2):
        names = sorted(scans.rglob("*.dcm"))
        names = names if seed else names[::-1]
        mixed = tmp_path / f"mixed{seed}"
        mixed.mkdir()
        for number, path in enumerate(names):
            os.link(path, mixed / f"{number:04d}.dcm")
        run("new", f"study{seed}", "--protocol", "rules.toml")
        run("ingest", f"study{seed}", mixed)
        rows = Study.open(f"study{seed}").registry.rows(tables.curation)
        decided.append(sorted((row["outcome"], row["rule"], row["reason"]) for row in rows))
    assert decided[0] == decided[1]


def test_a_killed_ingest_leaves_no_decision_and_the_next_one_all(run, tmp_path):
    made(run)
    scans = archive(tmp_path / "scans")
    command = [sys.executable, "-c", KILLED, "ingest", "study", str(scans)]
    assert subprocess.run(command, check=False, cwd=tmp_path).returncode == -signal.SIGKILL
    assert run("status", "study")[1]["curation"] == {"considered": 0, "left_out": []}
    run("ingest", "study", scans)
    run("run", "study")
    assert counts(table()) == OUT


def test_weighting_and_thickness_select_mr(run, tmp_path):
    made(
        run,
        '[[curate.rule]]\nrule = "sequence_type"\nany_of = ["T2"]\n'
        '[[curate.rule]]\nrule = "slices"\nat_least = 6\ncomplete = true\n'
        '[[curate.rule]]\nrule = "one_per"\nof = "study"\ntake = "last"\n',
    )
    t1 = of_study(mr_series(series=1), 1)
    for ds in t1:
        ds.EchoTime, ds.RepetitionTime = "12", "500"
    short = of_study(mr_series(np.zeros((4, 12, 10), np.int16), series=2), 2)
    first, last = (of_study(mr_series(series=number), 3) for number in (3, 4))
    for number, slices in ((1, first), (2, last)):
        for ds in slices:
            ds.SeriesNumber = number
    for name, slices in {"t1": t1, "short": short, "first": first, "last": last}.items():
        write_series(slices, tmp_path / "scans" / name)
    code, ingested = run("ingest", "study", "scans")
    assert code == 0
    assert len(ingested["series"]) == 1
    assert {row["code"]: row["reason"] for row in ingested["left_out"]} == {
        "rule_sequence_type": "T1, not T2: by TE 12 ms, TR 500 ms",
        "rule_slices": "number of slices below 6: 4",
        "rule_one_per": "another of its study",
    }


def test_drawings_on_images_that_a_rule_left_out_are_no_faults(run, tmp_path):
    made(run, '[[curate.rule]]\nrule = "slice_thickness_mm"\nat_most = 2\nmissing = "keep"\n')
    slices = ct_series()
    for ds in slices:
        ds.SeriesInstanceUID, ds.FrameOfReferenceUID = SERIES_UID, FRAME_UID
    write_series(slices, tmp_path / "scans" / "ct")
    square = [(-18, -28, 40), (-15, -28, 40), (-15, -25, 40), (-18, -25, 40)]
    built = rtstruct({1: [contour(square)]}, names={1: "GTV"})
    save_rtstruct(tmp_path / "scans" / "structures.dcm", built)
    code, ingested = run("ingest", "study", "scans")
    assert code == 0
    assert {row["by_rule"] for row in ingested["left_out"]} == {True}


def balls(run, tmp_path, radii_mm) -> None:
    """Write one scan a radius, each with the mask of a ball of it, and run the study."""
    grid = np.stack(np.indices(SHAPE), axis=-1)
    spacing = np.linalg.norm(AFFINE[:3, :3], axis=0)
    (tmp_path / "scans").mkdir()
    for number, radius in enumerate(radii_mm):
        distance = np.linalg.norm((grid - (12, 20, 22)) * spacing, axis=-1)
        truth = LabelMap((distance <= radius).astype(np.uint16), Geometry(SHAPE, AFFINE))
        write_nifti(tmp_path / "scans" / f"p{number}_ct_image.nii.gz", scan(number)[0])
        write_nifti(tmp_path / "scans" / f"p{number}_ct_mask.nii.gz", truth)
    assert run("ingest", "study", "scans")[0] == 0
    assert run("run", "study")[0] == 0


LESIONS = '[[curate.rule]]\nrule = "lesion_mm"\nat_least = 10\n'


def test_a_rule_on_lesions_waits_for_their_measures(run, tmp_path):
    made(run, LESIONS)
    balls(run, tmp_path, (12.0, 4.0))
    assert len({row["series"] for row in table("lesions.csv")}) == 1
    (out,) = [row for row in table() if row["outcome"] == "out"]
    assert (out["rule"], bool(out["series"])) == ("lesion_mm", True)
    assert out["reason"].startswith("largest lesion below 10 mm: ")
    (left_out,) = table("left_out.csv")
    assert (left_out["code"], left_out["by_rule"]) == ("rule_lesion_mm", "true")
    assert left_out["reason"] == out["reason"]
    assert len(run("status", "study")[1]["series"]) == 2  # the study keeps it


def test_taking_the_rule_out_publishes_what_it_left_out(run, tmp_path):
    made(run, LESIONS)
    balls(run, tmp_path, (12.0, 4.0))
    path = tmp_path / "study" / "study.toml"
    path.write_text(path.read_text().replace("at_least = 10", "at_least = 1"))
    assert run("run", "study")[0] == 0
    assert counts(table()) == {}


def test_the_release_has_the_flow_chart_and_its_numbers_agree(run, tmp_path):
    made(run)
    run("ingest", "study", archive(tmp_path / "scans"))
    run("run", "study")
    release = tmp_path / "study" / "release"
    page = (release / "report.html").read_text()
    assert 'id="curation"' in page
    assert (release / "figures" / "curation-flow.png").read_bytes().startswith(b"\x89PNG")
    assert (release / "figures" / "curation-flow.svg").read_text().rstrip() in page
    rows = [row for row in table("summary.csv") if row["section"] == "curation"]
    named = {(row["group"], row["measure"]): int(row["value"]) for row in rows}
    assert named["", "series_considered"] == 10
    assert named["", "series_published"] == 2
    assert named["No thick slices", "series_left_out"] == 1
    assert named["No thick slices – slice thickness above 5 mm", "series_left_out"] == 1


def test_publishing_again_gives_the_same_bytes(run, tmp_path):
    made(run)
    run("ingest", "study", archive(tmp_path / "scans"))
    run("run", "study")
    sums = (tmp_path / "study" / "release" / "SHA256SUMS").read_bytes()
    Study.open("study").publish(tmp_path / "other")
    assert (tmp_path / "other" / "SHA256SUMS").read_bytes() == sums


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("summary.csv:{slices}:value", "1"),
        ("curation.csv:2:source", None),
        ("left_out.csv:2:instances", None),
    ],
)
def test_explain_finds_where_a_number_of_the_flow_comes_from(run, tmp_path, address, value):
    made(run)
    run("ingest", "study", archive(tmp_path / "scans"))
    run("run", "study")
    lines = (tmp_path / "study" / "release" / "summary.csv").read_text().splitlines()
    (slices,) = [
        number
        for number, line in enumerate(lines, start=1)
        if line.startswith("curation,No thick slices,series_left_out,")
    ]
    code, told = run("explain", "study", address.format(slices=slices))
    assert code == 0, told
    assert value is None or value in json.dumps(told)
    assert "finding/" in json.dumps(told)


def test_explain_walks_from_a_rule_on_lesions_to_the_measures(run, tmp_path):
    made(run, LESIONS)
    balls(run, tmp_path, (12.0, 4.0))
    for address in ("left_out.csv:2:instances", "curation.csv:3:source"):
        code, told = run("explain", "study", address)
        assert code == 0, told
        assert "unit/measure/" in json.dumps(told)


def test_people_read_the_flow_at_the_terminal(run, tmp_path, capsys):
    made(run)
    archive(tmp_path / "scans")
    run_command(["ingest", "study", "scans"])
    shown = capsys.readouterr().out
    assert "No thick slices" in shown
    run_command(["status", "study"])
    assert "Curation: 10 series came, 8 are out" in capsys.readouterr().out


def test_a_shipped_task_of_the_archive_makes_a_study(run, tmp_path):
    assert run("new", "study", "--protocol", "idc-lung-fdg-pet-ct")[0] == 0
    pet, ct = (
        of_study(make(np.zeros((45, 6, 5), np.int16) + 9, series=number), 1, description=words)
        for number, make, words in ((1, pet_series, "PET AC"), (2, ct_series, "CTAC"))
    )
    write_series(pet, tmp_path / "scans" / "pet")
    write_series(ct, tmp_path / "scans" / "ct")
    code, ingested = run("ingest", "study", "scans")
    assert (code, len(ingested["series"])) == (0, 2)
    uids = {row["series_uid"] for row in Study.open("study").registry.all_series()}
    assert uids == {pet[0].SeriesInstanceUID, ct[0].SeriesInstanceUID}  # they link back


def test_the_recist_protocol_takes_adults_and_those_whose_age_nobody_knows(run, tmp_path):
    run("new", "study", "--protocol", "recist-ct")
    for number, age in enumerate(("017Y", "018Y", "")):
        slices = of_study(ct_series(series=number, patient=f"P-{number}"), number, age=age)
        for ds in slices:
            ds.BodyPartExamined = "CHEST"
        write_series(slices, tmp_path / "scans" / str(number))
    code, ingested = run("ingest", "study", "scans")
    assert (code, len(ingested["series"])) == (0, 2)
    assert [row["code"] for row in ingested["left_out"]] == ["rule_age_years"]
    steps = {step["asks"]: step["unchecked"] for step in ingested["curation"]["steps"]}
    assert steps["Age: at least 18 years"] == 1


def test_a_wrong_rule_names_its_line(run, tmp_path):
    text = protocol(RULES.replace("at_most = 5", "at_mst = 5"))
    (tmp_path / "wrong.toml").write_text(text)
    line = text[: text.index("at_mst")].count("\n") + 1
    code, told = run("new", "other", "--protocol", "wrong.toml")
    assert code == 2
    assert f"line {line}" in json.dumps(told)
    assert "`curate.rule 2 (slice_thickness_mm): at_mst` is no key" in json.dumps(told)
    assert "did you mean 'at_most'?" in json.dumps(told)


def test_on_a_database_server_the_decisions_are_the_same(run, tmp_path, postgres_url):
    made(run)
    scans = archive(tmp_path / "scans")
    run("ingest", "study", scans)
    code, _ = run("new", "served", "--protocol", "rules.toml", "--registry", postgres_url)
    assert code == 0
    run("ingest", "served", scans)
    assert run("status", "served")[1]["curation"] == run("status", "study")[1]["curation"]
    rows = [Study.open(name).registry.rows(tables.curation) for name in ("study", "served")]
    said = [[(row["source"], row["rule"], row["reason"]) for row in one] for one in rows]
    assert said[0] == said[1]
    assert run("verify", "served")[0] == 0


@pytest.mark.real_data
def test_contours_of_an_image_that_a_rule_left_out_lie_on_no_other(shared_data, tmp_path):
    patient = shared_data / "sts_dicom" / "STS_003"
    study = Study.create(tmp_path / "study")
    text = study.files.read_protocol()
    rule = '\n[[curate.rule]]\nrule = "modality"\nany_of = ["PT"]\n'
    study.files.protocol.write_text(text.replace("\n[labels]", f"{rule}\n[labels]"))
    study = Study.open(study.files.root)
    report = ingest_paths(study, sorted(path for path in patient.glob("*/dicom")))
    study.registry.close()
    assert [row["modality"] for row in report.series] == ["PT"]
    assert len(report.masks) == 1
    drawn = [row for row in report.left_out if row["code"] == "orphan_reference"]
    assert len(drawn) == 2
    assert all(row["by_rule"] for row in drawn)
