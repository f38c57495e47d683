"""``file convert``: what it reads stays, what it writes is whole, and memory holds one series."""

import weakref

import pytest

from dicom_factory import ct_series, pet_series, write_series
from lesionary.app import files
from lesionary.app.files import conversion
from lesionary.core.errors import InputError, WorkflowError
from lesionary.io import checked_images
from small_scans import write_scans


@pytest.fixture
def scans(tmp_path):
    write_series(ct_series(series=1), tmp_path / "scans" / "a")
    write_series(ct_series(series=2), tmp_path / "scans" / "b")
    return tmp_path / "scans"


def test_a_mask_beside_its_image_is_written_as_labels(tmp_path):
    folder = write_scans(tmp_path / "scans", 2, with_masks=True)
    rows = files.convert(folder, tmp_path / "out").rows
    assert [(row["modality"], row["quantity"]) for row in rows] == [
        ("CT", "hu"), ("SEG", "labels"), ("CT", "hu"), ("SEG", "labels"),
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "000_CT.nii.gz", "000_CT_mask.nii.gz", "001_CT.nii.gz", "001_CT_mask.nii.gz",
    }  # fmt: skip
    rows = files.convert(folder / "p0_ct_mask.nii.gz", tmp_path / "alone.nrrd").rows
    assert len(rows) == 1


def test_an_image_is_segmented_in_the_folder_it_shares_with_its_mask(tmp_path):
    folder = write_scans(tmp_path / "scans", 1, with_masks=True)
    done = files.segment(folder, box="10,20,9,19,5,11", output=tmp_path / "mask.nii.gz")
    assert done["voxels"] > 0


def test_a_failure_leaves_nothing_and_keeps_what_was_there(scans, tmp_path, monkeypatch):
    out = tmp_path / "out"
    files.convert(scans, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    write = checked_images.write_image_file
    written = []

    def full_disk(path, image):
        if written:
            raise OSError(28, "No space left on device")
        written.append(path)
        write(path, image)

    monkeypatch.setattr(checked_images, "write_image_file", full_disk)
    with pytest.raises(WorkflowError, match="No space left"):
        files.convert(scans, out)
    with pytest.raises(WorkflowError):
        files.convert(scans, tmp_path / "new")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"scans", "out"}
    assert written


def test_a_folder_without_any_suv_is_not_made(scans, tmp_path):
    with pytest.raises(InputError, match="no body-weight SUV"):
        files.convert(scans, tmp_path / "out", quantity="suvbw")
    assert not (tmp_path / "out").exists()


def test_a_folder_is_not_converted_over_itself(scans, tmp_path):
    files.convert(scans, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(InputError, match="one of the inputs"):
        files.convert(tmp_path / "out", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_one_series_is_named_by_number_or_uid(scans, tmp_path):
    write_series(pet_series(series=3), scans / "c")
    with pytest.raises(InputError, match="3 series"):
        files.convert(scans, tmp_path / "one.nii.gz")
    uids = [str(ct_series(series=n)[0].SeriesInstanceUID) for n in (1, 2)]
    for name in ("1", uids[1]):
        files.convert(scans, tmp_path / f"{name}.nrrd", series=name)
    for wrong in ("3", "1.2.3", "-1", "one"):
        with pytest.raises(InputError, match="no series goes by"):
            files.convert(scans, tmp_path / "one.nii.gz", series=wrong)
    (row,) = files.convert(scans, tmp_path / "out", series="2").rows
    assert row["output"] == str(tmp_path / "out" / "002_PT.nii.gz")


def test_a_series_named_by_uid_is_the_only_one_read(scans, tmp_path, monkeypatch):
    from lesionary.io.dicom import series as module

    read, load = [], module.load_series

    def counting(candidate, *arguments, **options):
        read.append(candidate.number)
        return load(candidate, *arguments, **options)

    monkeypatch.setattr(module, "load_series", counting)
    uid = str(ct_series(series=2)[0].SeriesInstanceUID)
    files.convert(scans, tmp_path / "one.nii.gz", series=uid)
    assert len(read) == 1


def test_volumes_are_forgotten_one_after_the_other(scans, tmp_path, monkeypatch):
    for number in range(3, 9):
        write_series(ct_series(series=number), scans / str(number))
    write, seen, most = conversion.write_checked, [], []

    def counting(path, image):
        seen.append(weakref.ref(image.array))
        most.append(sum(array() is not None for array in seen))
        write(path, image)

    monkeypatch.setattr(conversion, "write_checked", counting)
    files.convert(scans, tmp_path / "out")
    assert (len(seen), max(most)) == (8, 1)


def test_no_folder_is_made_under_the_name_of_a_file(scans, tmp_path):
    with pytest.raises(InputError, match="ending"):
        files.convert(scans, tmp_path / "scan.png")
    assert not (tmp_path / "scan.png").exists()
