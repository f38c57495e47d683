"""A study with a row in every table, made by hand in a fraction of a second, and its travels."""

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from lesionary.app.portable import export_study, import_study
from lesionary.app.study import Study
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.registry import tables
from lesionary.io.registry.records import RunRecord, UnitRecord
from lesionary.io.release_files import ReleaseWriter
from lesionary.io.study_archive.layout import CHECKSUMS
from lesionary.io.study_archive.tar import TarWriter
from registry_rows import a_decision, a_reported_diameter, a_role_decision

GRID = Geometry((2, 3, 4), np.diag([2.0, 0.7, 0.7, 1.0]), "2.25.9")


def make_study(root: Path, registry: str | None = None) -> Study:
    """Make a study of two subjects, three series, six objects, and a release."""
    study = Study.create(root, title="Größe – µ", registry=registry)
    volumes = [study.objects.put_volume(_volume(seed)) for seed in range(3)]
    masks = [study.objects.put_label_map(_mask(seed)) for seed in range(3)]
    with study.registry.ingest() as ingest:
        ingest.insert(tables.subject, [_subject(1), _subject(2)])
        ingest.insert(tables.timepoint, [_timepoint(1), _timepoint(2)])
        for number, object_id in enumerate(volumes, start=1):
            ingest.insert_series(_series(number, object_id), [f"2.25.{number}{k}" for k in (1, 0)])
        ingest.insert(tables.curation, [_curation(1), _curation(2)])
        ingest.insert(tables.finding, [_finding(1), _finding(2)])
        # By key the correction comes before what it corrects.
        ingest.insert(tables.annotation, [_annotation("b", masks[0], None)])
        ingest.insert(tables.annotation, [_annotation("a", masks[1], "b")])
        ingest.insert(tables.box, [_box(1)])
    with study.registry.writing(why="by hand") as transaction:
        _insert_what_people_say(transaction)
    study.registry.add_run(
        RunRecord("r", "measure", 1, {"x": 1}, "1.0", "2" * 64, "none", "anna", "2020-01-31")
    )
    output = {"mask": masks[0], "layers": [masks[2]], "dropped": [], "object": volumes[0]}
    done = UnitRecord("measure", "ser-0001", "k", "done", output, run_id="r", seed=2**31 - 1)
    failed = UnitRecord("measure", "ser-0002", "k", "failed", code="c", reason="é", hint="h")
    study.registry.record_units([done, failed], {})
    _publish(study)
    return study


def _insert_what_people_say(transaction: Any) -> None:
    review = {"id": "1", "annotation_id": "a", "reader": "anna", "verdict": "good", "likert": 4}
    transaction.insert(tables.review, [review | {"comment": "line\none", "seconds": 0.1 + 0.2}])
    lesion = {"id": "l", "subject_id": "sub-0001", "name": "A", "label": "tumour"}
    transaction.insert(tables.lesion, [lesion])
    track = {"id": "t", "lesion_id": "l", "from_series_id": "ser-0001", "from_lesion": 1}
    track |= {"to_series_id": None, "to_lesion": None, "relation": "gone", "reader": None}
    transaction.insert(tables.track, [track])
    transaction.insert(tables.decision, [a_decision()])
    transaction.insert(tables.role_decision, [a_role_decision()])
    # By key the one that is replaced comes last.
    first = a_reported_diameter(2, timepoint_id="tp-1")
    transaction.insert(tables.reported_diameter, [first])
    again = a_reported_diameter(1, timepoint_id="tp-1", diameter_mm="12.4", replaces=2)
    transaction.insert(tables.reported_diameter, [again])
    split = {"name": "s", "subject_id": "sub-0002", "part": "test", "fold": None}
    transaction.insert(tables.split, [split | {"origin": "drawn", "seed": 7}])
    declared = {"name": "d", "kind": "pixels", "value": "9" * 64, "role": "pretraining"}
    transaction.insert(tables.declared_set, [declared | {"label": "1"}])


def _volume(seed: int) -> Volume:
    array = np.random.default_rng(seed).integers(-1000, 1000, GRID.shape).astype(np.int16)
    return Volume(array, GRID, "CT", Quantity.HU)


def _mask(seed: int) -> LabelMap:
    array = np.random.default_rng(seed).integers(0, 2, GRID.shape).astype(np.uint16)
    return LabelMap(array, GRID, {1: "tumour"})


def _curation(number: int) -> dict[str, Any]:
    is_in = number == 1
    row = {"id": number, "series_key": f"k{number}", "ingest": 1, "source": f"1#{number}"}
    row |= {"series_id": "ser-0001" if is_in else None, "outcome": "in" if is_in else "out"}
    row |= {"rule": "" if is_in else "modality", "label": "modality CT", "reason": "modality é"}
    return row | {"shared_reason": "", "unchecked": [["age", "no age"]], "version": 1}


def _subject(number: int) -> dict[str, Any]:
    row = {"id": f"sub-{number:04d}", "number": number, "identity_hash": f"{number:064x}"}
    return row | {"sex": "F", "age": None, "is_from_file": number == 2, "released_id": None}


def _timepoint(number: int) -> dict[str, Any]:
    row = {"id": f"tp-{number}", "subject_id": f"sub-{number:04d}", "number": 0, "version": 1}
    return row | {"study_date": "2020-01-31", "name": None}


def _series(number: int, object_id: str) -> dict[str, Any]:
    subject = 2 if number == 3 else 1
    return {
        "id": f"ser-{number:04d}",
        "number": number,
        "ingest": 1,
        "subject_id": f"sub-{subject:04d}",
        "timepoint_id": f"tp-{subject}",
        "study_uid": "2.25.1",
        "series_uid": f"2.25.2.{number}",
        "frame_uid": None,
        "modality": "CT",
        "quantity": "hu",
        "region": "thorax",
        "subset": "train",
        "shape": [2, 3, 4],
        "spacing_mm": [2.0, 0.7, 0.7],
        "affine": [2.0, 0.1 + 0.2, -0.0, 1e-17],
        "technical": {"KVP": 120, "Ärzte": "½\u2028"},
        "suv_factor": 1 / 3,
        "suv_reason": "not a PET",
        "object_id": object_id,
        "pixel_hash": None,
        "source": f"1#{number}",
        "outcome": "ingested",
    }


def _finding(number: int) -> dict[str, Any]:
    row = {"id": number, "ingest": 1, "source": f"1#{number}", "series_id": None}
    row |= {"code": "x", "outcome": "left_out", "reason": "", "hint": "", "instances": 1}
    return row | {"by_rule": number == 1}


def _annotation(name: str, object_id: str, parent: str | None) -> dict[str, Any]:
    row = {"id": name, "series_id": "ser-0001", "object_id": object_id, "parent_id": parent}
    row |= {"author": "anna", "role": "reader", "version": None, "generation": None}
    return row | {"method": None, "review_state": "unreviewed", "ingest": 1, "source": None}


def _box(number: int) -> dict[str, Any]:
    row = {"id": number, "ingest": 1, "series_id": "ser-0001", "name": "1", "label": "tumour"}
    return row | {"bounds": [0, 1, 0, 2, 0, 3], "source": "1#9"}


def _publish(study: Study) -> None:
    writer = ReleaseWriter(study.files.release)
    writer.add_text("lesions.csv", "series,lesion\nser-0001,1\n")
    writer.add_bytes("train/images/one.bin", bytes(range(256)) * 5)
    writer.settle({"images": 1})


def exported(study: Study, archive: Path) -> bytes:
    """Export a study, let go of it, and return the archive's bytes."""
    export_study(study, archive)
    study.registry.close()
    return archive.read_bytes()


def imported(archive: Path, root: Path, **options: Any) -> Study:
    """Import an archive and open what came of it."""
    import_study(archive, root, **options)
    return Study.open(root)


def schemas_of(url: str) -> set[str]:
    """Return the schemas of studies that a database holds."""
    engine = sa.create_engine(url)
    try:
        return {name for name in sa.inspect(engine).get_schema_names() if "study" in name}
    finally:
        engine.dispose()


def members_of(archive: Path) -> dict[str, bytes]:
    """Return an archive's members in their order, as any program of tar files finds them."""
    with tarfile.open(archive) as file:
        return {info.name: file.extractfile(info).read() for info in file}


def pack(archive: Path, members: dict[str, bytes]) -> Path:
    """Write members with headers and a list of hashes that are right."""
    with archive.open("wb") as file:
        writer = TarWriter(file, io.BytesIO())
        for name, content in members.items():
            if name != CHECKSUMS:
                writer.add_bytes(name, content)
        writer.finish()
    return archive
