"""The recist layout: what its folders and file names say, and what its tables hold."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lesionary.core.errors import InputError
from lesionary.ingest.file_names import stem_of
from lesionary.ingest.sidecars import parse_json, read_table

Subset = Literal["train", "test"]

REGIONS = frozenset({"thorax", "abdomen", "thorax_abdomen", "other"})
"""Folders that make a layout by themselves; others need the layout's tables beside them."""

METADATA = {
    "metadata/patients.csv": "patients",
    "metadata/series.json": "series",
    "metadata/windows_mapping.json": "windows",
    "recist_measurements.csv": "measurements",
}

_PLACE = re.compile(
    r"(?P<root>(?:.*/)?)(?P<region>[^/]+)/(?P<subset>train|test)/(?P<role>images|masks|labels)/"
    r"(?P<base>[^/]+)"
)
_PATIENT = re.compile(r"(?P<patient>\d{3,})_(?P<uuid>.+)")


@dataclass(frozen=True, slots=True)
class RecistName:
    """A file's place in the recist layout.

    Parameters
    ----------
    root : str
        Where the layout begins, above ``images/`` where that level is there; ends with ``/`` or
        is empty.
    region : str
        Its region folder.
    subset : {"train", "test"}
        Its subset folder.
    role : str
        ``images``, ``masks`` or ``labels``.
    patient : str, optional
        The prefix of its name, at least three digits; None where the names have none.
    uuid : str
        The rest of its name: the series.
    """

    root: str
    region: str
    subset: Subset
    role: str
    patient: str | None
    uuid: str


def parse_recist_name(place: str) -> RecistName | None:
    """Take a place in the layout apart, or return None where it cannot be one.

    Examples
    --------
    >>> parse_recist_name("set/images/thorax/test/masks/007_1.2.3.nii.gz").uuid
    '1.2.3'
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        return None
    stem = stem_of(match["base"])
    prefix = _PATIENT.fullmatch(stem)
    return RecistName(
        root=re.sub(r"(^|/)images/$", r"\1", match["root"]),
        region=match["region"],
        subset="test" if match["subset"] == "test" else "train",
        role=match["role"],
        patient=prefix["patient"] if prefix else None,
        uuid=prefix["uuid"] if prefix else stem,
    )


def metadata_role(place: str) -> tuple[str, str] | None:
    """Return root and role of one of the layout's tables, or None.

    Examples
    --------
    >>> metadata_role("set/metadata/series.json")
    ('set/', 'series')
    """
    for name, role in METADATA.items():
        if place == name or place.endswith("/" + name):
            return place.removesuffix(name), role
    return None


@dataclass(frozen=True, slots=True)
class RecistTables:
    """Numbers of the tables of one recist layout, None where one is not there."""

    root: str
    patients: int | None = None
    series: int | None = None
    windows: int | None = None
    measurements: int | None = None

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """Those of all its tables."""
        return (self.patients, self.series, self.windows, self.measurements)


def recist_tables(numbered: Iterable[tuple[int, str]]) -> tuple[RecistTables, ...]:
    """Find the tables of all layouts among numbered places; one entry a layout."""
    layouts: dict[str, dict[str, int]] = {}
    for number, place in numbered:
        found = metadata_role(place)
        if found is not None:
            root, role = found
            layouts.setdefault(root, {})[role] = number
    return tuple(RecistTables(root, **numbers) for root, numbers in layouts.items())


@dataclass(frozen=True, slots=True)
class RecistSeries:
    """One entry of ``series.json``: whom a series belongs to."""

    uuid: str
    patient_id: str
    study_uuid: str
    study_date: str
    region: str


@dataclass(frozen=True, slots=True)
class RecistPatient:
    """One row of ``patients.csv``; ``subset`` is ``train``, ``test`` or empty."""

    patient_id: str
    subset: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecistMeasurement:
    """One row of ``recist_measurements.csv``: a diameter as the clinical report states it.

    ``line`` counts from 1 with the header; texts are as they stand.
    """

    line: int
    patient_id: str
    uuid: str
    study_uuid: str
    study_date: str
    study_order: str
    label_value: str
    label_alias: str
    measurement_mm: str


def parse_series(text: str) -> tuple[RecistSeries, ...]:
    """Read ``series.json``.

    Raises
    ------
    InputError
        If it is no list of objects with a ``uuid``.
    """
    content = parse_json(text)
    if not isinstance(content, list):
        raise InputError("series.json is one JSON list")
    series = []
    for number, entry in enumerate(content):
        if not isinstance(entry, dict) or not entry.get("uuid"):
            raise InputError(f"entry {number} of series.json has no uuid")
        names = ("uuid", "patient_id", "study_uuid", "study_date", "region")
        series.append(RecistSeries(*(_text(entry.get(name)) for name in names)))
    return tuple(series)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def parse_windows(text: str) -> dict[str, str]:
    """Read ``windows_mapping.json``: base name, without its ending, to the window's name.

    Raises
    ------
    InputError
        If it is no JSON object of texts.
    """
    content = parse_json(text)
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise InputError("windows_mapping.json is one JSON object of file names to windows")
    return {stem_of(name): window for name, window in content.items()}


def parse_patients(text: str) -> tuple[RecistPatient, ...]:
    """Read ``patients.csv``; the subset ``training`` is ``train``.

    Raises
    ------
    InputError
        If the column ``patient_id`` is missing, a row's is empty, or one is there twice.
    """
    patients: dict[str, RecistPatient] = {}
    for line, row in read_table(text, ["patient_id"]):
        name = row["patient_id"]
        if not name or name in patients:
            raise InputError(f"line {line}: the patient_id is {'there twice' if name else 'empty'}")
        subset = row.get("subset", "").lower()
        patients[name] = RecistPatient(name, "train" if subset == "training" else subset, row)
    return tuple(patients.values())


def parse_measurements(text: str) -> tuple[RecistMeasurement, ...]:
    """Read ``recist_measurements.csv``; a header alone gives none.

    Raises
    ------
    InputError
        If a column that tells lesions apart is missing.
    """
    needed = ("patient_id", "uuid", "lesion_label_value", "recist_measurement_mm")
    return tuple(
        RecistMeasurement(
            line,
            row["patient_id"],
            row["uuid"],
            row.get("study_uuid", ""),
            row.get("study_date", ""),
            row.get("study_order", ""),
            row["lesion_label_value"],
            row.get("lesion_label_alias", ""),
            row["recist_measurement_mm"],
        )
        for line, row in read_table(text, needed)
    )
