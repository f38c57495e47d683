"""Clean-up of a mask file, and of a study whose protocol declares it."""

import csv
import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from lesionary import Study
from lesionary.app.files.cleaning import clean
from lesionary.app.protocol import parse_protocol
from lesionary.cli import file_clean
from lesionary.cli.main import run_command
from lesionary.core.errors import InputError
from lesionary.core.volume import AxisOrder, LabelMap, Volume
from lesionary.io.image_file import read_image_file
from lesionary.io.nifti import write_nifti
from lesionary.io.study_files import protocol_text
from small_scans import scan, write_scans

AIR = """[[annotate.clean_up]]
rule = "intensity"
low_hu = -300
"""


@pytest.fixture
def files(tmp_path):
    """Write a scan with two balls, the first with air at its rim; return the folder."""
    volume, truth = scan(0)
    write_nifti(tmp_path / "ct.nii.gz", Volume(with_air(volume, truth), volume.geometry, "CT"))
    write_nifti(tmp_path / "mask.nii.gz", truth)
    return tmp_path


def with_air(volume, truth):
    array = volume.array.copy()
    array[:, :, :13][truth.array[:, :, :13] == 1] = -900
    return array


def read(path):
    return read_image_file(path).as_label_map()[0]


# --- the file verb -------------------------------------------------------------------------------


def test_a_mask_is_cleaned_counted_and_what_went_is_written(files):
    result = clean(
        files / "mask.nii.gz",
        output=files / "clean.nii.gz",
        rules=["intensity:-300..500", "largest:1"],
        image=files / "ct.nii.gz",
        removed=files / "went.nii.gz",
    )
    before, after = read(files / "mask.nii.gz"), read(files / "clean.nii.gz")
    went = read(files / "went.nii.gz")
    n_air = np.count_nonzero(before.array[:, :, :13] == 1)
    assert after.geometry.is_same_grid(before.geometry)
    assert np.array_equal(after.array == 2, before.array == 2)
    assert not (after.array == 1).any()
    assert np.array_equal(went.array != 0, before.array != after.array)
    assert np.bincount(went.array.ravel())[1] == n_air > 0
    air, largest = result["steps"]
    first, second = air["labels"]
    assert (first["label"], first["voxels_before"] - first["voxels_after"]) == (1, n_air)
    assert second["voxels_before"] == second["voxels_after"] == result["voxels"]
    assert [row["components_after"] for row in largest["labels"]] == [0, 1]
    assert result["volume_ml"] == pytest.approx(result["voxels"] * 6.75 / 1000)
    assert result["removed_voxels"] == sum(step["removed_voxels"] for step in result["steps"])
    json.dumps(result, allow_nan=False)


def test_image_and_anatomy_in_another_axis_order_are_turned_to_the_mask(files):
    order = AxisOrder((2, 0, 1), (True, False, True))
    image = read_image_file(files / "ct.nii.gz")
    turned = Volume(np.ascontiguousarray(order.apply(image.array)), image.geometry.reordered(order))
    write_nifti(files / "turned.nii.gz", turned)
    mask = read(files / "mask.nii.gz")
    organ = (order.apply(mask.array) == 2).astype(np.uint16)
    write_nifti(files / "organ.nii.gz", LabelMap(organ, turned.geometry))
    rules = ["intensity:-300..", "within:dilate=0mm,labels=2"]
    written = []
    for name, anatomy in (("ct", "mask"), ("turned", "organ")):
        clean(
            files / "mask.nii.gz",
            output=files / f"of_{name}.nii.gz",
            rules=rules,
            image=files / f"{name}.nii.gz",
            anatomy=files / f"{anatomy}.nii.gz",
        )
        written.append(read(files / f"of_{name}.nii.gz").array)
    assert np.array_equal(*written)
    assert (written[0] == 2).sum() == (mask.array == 2).sum()


def test_a_rule_that_cannot_say_anything_is_shown_as_skipped(files):
    result = clean(
        files / "mask.nii.gz", output=files / "clean.nii.gz", rules=["within:9,dilate=3mm"]
    )
    (step,) = result["steps"]
    assert step["reason"] == {"rule": "no voxel of the anatomy is there"}
    assert result["removed_voxels"] == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rules": []}, "no rule"),
        ({"rules": ["largst"]}, "'largest'"),
        ({"rules": ["intensity:-300..500"]}, "needs the image"),
        ({"rules": ["within:dilate=3"]}, "needs an anatomy"),
        ({"output": "mask.nii.gz"}, "one of the inputs"),
        ({"removed": "mask.nii.gz"}, "one of the inputs"),
        ({"image": "ct.nii.gz", "output": "ct.nii.gz"}, "one of the inputs"),
        ({"removed": "clean.nii.gz"}, "cannot be one file"),
        ({"output": "clean.png"}, "ending"),
        ({"anatomy": "small.nii.gz", "rules": ["within"]}, "40 × 44"),
        ({"image": "small.nii.gz"}, "not the image's"),
        ({"mask": "gone.nii.gz"}, "."),
    ],
)
def test_wrong_use_is_an_error_and_changes_no_file(files, change, says):
    mask = read(files / "mask.nii.gz")
    box = (slice(0, 2), slice(0, 3), slice(0, 4))
    small = LabelMap(np.ones((2, 3, 4), np.uint16), mask.geometry.cropped(box))
    write_nifti(files / "small.nii.gz", small)
    before = {path: path.read_bytes() for path in files.iterdir()}
    options = {"mask": "mask.nii.gz", "output": "clean.nii.gz", "rules": ["largest"]} | change
    named = {key: value if key == "rules" else files / value for key, value in options.items()}
    with pytest.raises(InputError, match=says):
        clean(named.pop("mask"), **named)
    assert {path: path.read_bytes() for path in files.iterdir()} == before


def test_the_command_prints_counts_and_one_json_document(files):
    app = typer.Typer()
    app.command()(file_clean.clean)
    arguments = [
        str(files / "mask.nii.gz"), "-o", str(files / "clean.nii.gz"),
        "--rule", "largest", "--rule", "within:9",
    ]  # fmt: skip
    shown = CliRunner().invoke(app, arguments).output
    assert "largest:1" in shown
    assert "1 → 0" in shown
    assert "skipped, no voxel" in shown
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert [step["step"] for step in document["steps"]] == [1, 2]


# --- a study -------------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Ingest a scan with a mask of unknown making that reaches into air; return the study."""
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    return ingested(tmp_path)


def ingested(tmp_path, *options):
    scans = write_scans(tmp_path / "scans" / "p0" / "0", 1, with_masks=True)
    volume, truth = scan(0)
    write_nifti(
        scans / "p0_ct_image.nii.gz", Volume(with_air(volume, truth), volume.geometry, "CT")
    )
    assert run_command(["new", str(tmp_path / "study")]) == 0
    assert run_command(["ingest", str(tmp_path / "study"), str(tmp_path / "scans"), *options]) == 0
    return tmp_path / "study"


def run_with(study, rules):
    """Run the study with these rules in its protocol; return its release's tables."""
    protocol = study / "study.toml"
    text = protocol.read_text()
    start, stop = text.index("# Rules that take"), text.index("[measure]")
    protocol.write_text(text[:start] + "# Rules that take\n" + rules + text[stop:])
    assert run_command(["run", str(study)]) == 0
    return [
        list(csv.DictReader((study / "release" / name).read_text().splitlines()))
        for name in ("lesions.csv", "clean_up.csv")
    ]


def annotated(study):
    opened = Study.open(study)
    (record,) = opened.registry.units("annotate").values()
    return opened, record.output


def test_a_protocols_rule_is_applied_counted_published_and_undone(study):
    plain, nothing = run_with(study, "")
    assert nothing == []
    cleaned, table = run_with(study, AIR)
    (row,) = table
    n_air = int(row["voxels_before"]) - int(row["voxels_after"])
    assert (row["step"], row["rule"], row["label"]) == ("1", "intensity:-300..", "lesion")
    assert sum(int(lesion["voxels"]) for lesion in plain) == int(row["voxels_before"])
    assert sum(int(lesion["voxels"]) for lesion in cleaned) == int(row["voxels_after"])
    assert n_air == np.count_nonzero(scan(0)[1].array[:, :, :13] == 1)
    again, nothing = run_with(study, "")
    assert (again, nothing) == (plain, [])


def test_what_was_there_before_and_what_went_stay_in_the_study(study):
    run_with(study, "")
    opened, output = annotated(study)
    layers, clean_up = output["layers"], output["clean_up"]
    assert clean_up is None
    run_with(study, AIR)
    opened, output = annotated(study)
    assert output["clean_up"]["before"] == layers != output["layers"]
    (before, after, went) = (
        opened.objects.get_label_map(ids[0]).array
        for ids in (layers, output["layers"], output["clean_up"]["removed"])
    )
    assert np.array_equal(went == 1, before != after)
    assert run_command(["verify", str(study)]) == 0


def test_a_readers_mask_is_left_alone_unless_the_rule_says_readers(tmp_path, monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", str(tmp_path / "vault"))
    study = ingested(tmp_path, "--reader-from", "{subject}/{timepoint}/{reader}_ct_mask.nii.gz")
    plain, _ = run_with(study, "")
    assert {row["reader"] for row in plain} == {"p0"}
    left, table = run_with(study, AIR)
    assert left == plain
    assert "reader" in table[0]["reason"]
    taken, table = run_with(study, AIR + "readers = true\n")
    assert table[0]["reason"] == ""
    assert sum(int(row["voxels"]) for row in taken) < sum(int(row["voxels"]) for row in plain)


def test_a_rule_about_the_anatomy_is_skipped_where_none_was_drawn(study):
    lesions, (row,) = run_with(study, '[[annotate.clean_up]]\nrule = "within"\ndilate_mm = 3\n')
    assert row["reason"] == "no voxel of the anatomy is there"
    assert len(lesions) == 2


def test_a_lesion_that_a_rule_takes_whole_is_no_lesion(study):
    rule = '[[annotate.clean_up]]\nrule = "diameter"\nlow_mm = 20\n'
    lesions, (row,) = run_with(study, rule)
    assert len(lesions) == 1
    assert (row["components_before"], row["components_after"]) == ("2", "1")


def test_rules_that_are_unchanged_are_not_applied_again(study, capsys):
    run_with(study, AIR)
    capsys.readouterr()
    assert run_command(["run", str(study), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == []


# --- the protocol --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "line", "says"),
    [
        ('rule = "largst"', 2, "`annotate.clean_up.1.rule` should be 'intensity', 'within'"),
        ('rule = "largest"\nm = 3', 3, "`annotate.clean_up.1.m` is no key of largest, which has"),
        ('rule = "largest"\nn = 0', 3, "`annotate.clean_up.1.n` should be a whole number"),
        ('rule = "largest"\nlabels = 1', 3, "`annotate.clean_up.1.labels` should be a list"),
        ('rule = "min_voxels"', 1, "`annotate.clean_up.1.voxels` is missing"),
        ("n = 2", 1, "`annotate.clean_up.1.rule` is missing: it should be"),
    ],
)
def test_a_wrong_rule_is_named_with_its_key_its_line_and_what_is_allowed(wrong, line, says):
    head, tail = protocol_text("general").split("[measure]")
    text = f"{head}{AIR}\n[[annotate.clean_up]]\n{wrong}\n\n[measure]{tail}"
    first = text[: text.rindex("[[annotate.clean_up]]")].count("\n") + 1
    with pytest.raises(InputError) as caught:
        parse_protocol(text, source="study.toml")
    assert says in caught.value.message
    assert f"line {first + line - 1}:" in caught.value.message


def test_a_rule_that_is_no_table_is_an_error_with_its_line():
    text = protocol_text("general").replace("[measure]", "clean_up = [3]\n[measure]")
    with pytest.raises(InputError, match=r"line \d+: `annotate.clean_up.0`"):
        parse_protocol(text, source="study.toml")


@pytest.mark.parametrize("name", ["general", "recist-ct"])
def test_the_shipped_example_is_a_rule_once_its_comment_is_taken_off(name):
    text = protocol_text(name)
    example = text[text.index("# [[annotate.clean_up]]") : text.index("# The others:")]
    bare = example.replace("# [[", "[[").replace("\n# ", "\n")
    protocol = parse_protocol(text.replace(example, bare), source=name)
    (rule,) = protocol.annotate.clean_up
    assert rule == {"rule": "intensity", "low_hu": -300, "high_hu": 500}
