"""Image files on their way in: whose they are, by names and by the tables of known layouts."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lesionary.app.intake.candidates import Candidate, names_for_rules
from lesionary.app.intake.images import NamedBySource
from lesionary.app.intake.journal import Journal
from lesionary.app.intake.overlay import as_finding
from lesionary.core.errors import LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.identity import digest
from lesionary.core.volume import Quantity
from lesionary.ingest.curation import SeriesFacts, technical_facts
from lesionary.ingest.file_gate import AffineChoice
from lesionary.ingest.header import combine, parse_date
from lesionary.ingest.modality import modality_of_name
from lesionary.ingest.pairing import ImageEntry, Pairing
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.recist_names import (
    REGIONS,
    RecistPatient,
    RecistSeries,
    parse_patients,
    parse_series,
)
from lesionary.ingest.series import ImageSeries, Json, SeriesIdentity
from lesionary.ingest.technical import allow
from lesionary.io.limits import Limits
from lesionary.io.opening import opened
from lesionary.io.sources import SourceFile

_HEAD_BYTES = 1 << 20
_CODED = {"thorax": "CHEST", "abdomen": "ABDOMEN", "thorax_abdomen": "CHESTABDOMEN"}
"""A layout's regions as body parts, for rules that ask for a place."""

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class FileReading:
    """How image files are read and named.

    Parameters
    ----------
    sources : mapping of int to SourceFile
        By number.
    pseudonyms : Pseudonymiser
    limits : Limits
    affine : {"sform", "qform"}, optional
        Which orientation of a NIfTI counts where its two disagree.
    subject : str, optional
        Subject of images that name none.
    """

    sources: Mapping[int, SourceFile]
    pseudonyms: Pseudonymiser
    limits: Limits
    affine: AffineChoice | None = None
    subject: str | None = None

    def candidates(self, pairing: Pairing, journal: Journal) -> Iterator[Candidate]:
        """Yield every image file with what its name and its layout say."""
        tables = RecistRows.of(pairing, self.sources, journal)
        for entry in pairing.images:
            yield self._candidate(entry, tables)

    def _candidate(self, entry: ImageEntry, tables: "RecistRows") -> Candidate:
        source = self.sources[entry.number]
        identity, named = self._identify(entry, source, tables)
        technical = tables.technical_of(identity)
        modality = "CT" if entry.uuid is not None else modality_of_name(source.below)

        def read() -> ImageSeries | tuple[Finding, ...]:
            return self._read(source, identity, technical, modality)

        key = self._key(source, identity, named)
        names = names_for_rules(key, identity, self.pseudonyms, visit=[entry.timepoint or ""])
        region = named.region or (None if modality == "CT" else "other")
        part = {"body_part": _CODED[named.region]} if named.region in _CODED else {}
        facts = {**technical_facts(technical), **part, "modality": modality, "region": region}
        return Candidate(
            entry.number,
            key,
            SeriesFacts(**names, **facts),
            read,
            named,
            is_pending=True,
            names=identity.names,
            folder=identity.folder,
        )

    def _read(
        self,
        source: SourceFile,
        identity: SeriesIdentity,
        technical: Mapping[str, Json],
        modality: str,
    ) -> ImageSeries | tuple[Finding, ...]:
        from lesionary.io.image_file import read_image_file

        quantity = Quantity.HU if modality == "CT" else Quantity.ARBITRARY
        try:
            read = read_image_file(source.path, limits=self.limits, affine=self.affine)
            volume = read.as_volume(modality, quantity)
        except LesionaryError as error:
            return (as_finding(error),)
        return ImageSeries(volume, identity, technical, findings=read.findings)

    def _key(self, source: SourceFile, identity: SeriesIdentity, named: NamedBySource) -> str:
        """Name a file that may have no UID: by whose it is, what it is called, how it begins."""
        if identity.series_instance_uid:
            return self.pseudonyms.uid(identity.series_instance_uid)
        own = (identity.subject_key or "", named.timepoint or "", named.below)
        return self.pseudonyms.new_uid("file", *own, _beginning(source.path))

    def _identify(
        self, entry: ImageEntry, source: SourceFile, tables: "RecistRows"
    ) -> tuple[SeriesIdentity, NamedBySource]:
        row = tables.series.get(entry.uuid or "")
        subject = entry.subject or (row.patient_id if row else None) or self.subject
        timepoint = entry.timepoint
        date = parse_date(row.study_date) if row else None
        if date is None and (date := _date_of_name(timepoint)) is not None:
            timepoint = None  # a date enters shifted, never as it is
        identity = SeriesIdentity(
            subject_key=subject or f"file:{source.below}",
            study_instance_uid=(row.study_uuid or None) if row else None,
            series_instance_uid=entry.uuid,
            acquired=combine(date, None),
            folder=source.place.rpartition("/")[0],
            names=entry.names,
        )
        named = NamedBySource(
            region=entry.region if entry.region in REGIONS else None,  # type: ignore[arg-type]
            subset=entry.subset or "",
            timepoint=timepoint,
            below=source.below,
            is_subject_from_file=subject is None,
        )
        return identity, named


@dataclass(slots=True)
class RecistRows:
    """What the tables of recist layouts say, by series and by patient."""

    series: dict[str, RecistSeries] = field(default_factory=dict)
    patients: dict[str, RecistPatient] = field(default_factory=dict)

    @classmethod
    def of(
        cls, pairing: Pairing, sources: Mapping[int, SourceFile], journal: Journal
    ) -> "RecistRows":
        """Read the layouts' tables; one that cannot be read is noted."""
        rows = cls()
        for layout in pairing.recist:
            for series in _read_table(layout.series, parse_series, sources, journal):
                rows.series[series.uuid] = series
            for patient in _read_table(layout.patients, parse_patients, sources, journal):
                rows.patients[patient.patient_id] = patient
        return rows

    def technical_of(self, identity: SeriesIdentity) -> dict[str, Json]:
        """Return sex and age of an image's patient, where a table has them."""
        patient = self.patients.get(identity.subject_key or "")
        if patient is None:
            return {}
        age = patient.values.get("age", "")
        years = [f"{int(age):03d}Y"] if re.fullmatch("[0-9]{1,3}", age) else []
        return allow({"PatientSex": [patient.values.get("sex", "")], "PatientAge": years})


def _read_table(
    number: int | None,
    parse: Callable[[str], Iterable[_Row]],
    sources: Mapping[int, SourceFile],
    journal: Journal,
) -> list[_Row]:
    if number is None:
        return []
    try:
        return list(parse(sources[number].path.read_text(encoding="utf-8-sig")))
    except UnicodeDecodeError:
        finding = Finding("bad_table", Outcome.LEFT_OUT, "the table is not UTF-8 text")
    except LesionaryError as error:
        finding = as_finding(error, code="bad_table")
    journal.refuse(number, [finding])
    return []


def _date_of_name(timepoint: str | None) -> dt.date | None:
    """Return the date that a time point is named by: ``2020-03-14``, ``20200314``."""
    return parse_date(re.sub("[-_]", "", timepoint or ""))


def _beginning(path: Path) -> str:
    """Return a hash of a file's size and first bytes; of one that cannot be read, of nothing."""
    try:
        with opened(path) as file:
            head = file.read(_HEAD_BYTES)
        return digest([str(path.stat().st_size).encode(), head])
    except (LesionaryError, OSError):
        return ""
