"""Ingest: scans, masks and boxes become part of a study, whole or with a reason why not.

Files are opened, told apart, grouped, judged; volumes go to the object store one at a time; at the
end one transaction writes all rows. A process killed before that leaves nothing but objects that no
row names.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lesionary.app.intake.drawings import DrawingTable, NamedImages
from lesionary.app.intake.images import Admission, Admitted, NamedBySource
from lesionary.app.intake.journal import Journal
from lesionary.app.intake.overlay import as_finding
from lesionary.app.intake.patients import Patients, vault_if_there
from lesionary.app.intake.rows import held_images, known_images, numbered_patients, write_rows
from lesionary.app.progress import Progress, Silent
from lesionary.app.study import Study
from lesionary.core.errors import LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Quantity
from lesionary.ingest.curate import CurationRules
from lesionary.ingest.file_gate import AffineChoice
from lesionary.ingest.labels import LabelRules
from lesionary.ingest.modality import modality_of_name
from lesionary.ingest.pairing import ImageEntry, Pairing, pair
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.reader_pattern import parse_pattern
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
from lesionary.io.sources import SourceFile, SourceTree, open_sources

STAGE = "ingest"

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What the user may say beside the paths.

    Parameters
    ----------
    subject : str, optional
        Subject of images that name none.
    reader_from : str, optional
        ``{subject}/{timepoint}/{reader}_*.nii.gz``.
    affine : {"sform", "qform"}, optional
        Which orientation of a NIfTI counts where its two disagree.
    limits : Limits
        What an input may ask of this machine.
    """

    subject: str | None = None
    reader_from: str | None = None
    affine: AffineChoice | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What came in and what did not.

    ``sources`` pairs the stored numbers with the names the user knows: for a terminal or a source
    map, never for the study.
    """

    number: int
    series: tuple[dict[str, Any], ...]
    left_out: tuple[dict[str, Any], ...]
    ignored: tuple[dict[str, Any], ...]
    masks: tuple[dict[str, Any], ...]
    n_boxes: int
    stages: tuple[dict[str, Any], ...]
    sources: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "ingest": self.number,
            "series": list(self.series),
            "left_out": list(self.left_out),
            "ignored": list(self.ignored),
            "masks": list(self.masks),
            "boxes": self.n_boxes,
            "stages": list(self.stages),
        }


def ingest_paths(
    study: Study,
    paths: Sequence[Path],
    options: IngestOptions | None = None,
    *,
    progress: Progress | None = None,
) -> IngestReport:
    """Take everything below the given paths into the study.

    Raises
    ------
    InputError
        If a path does not exist, or ``reader_from`` is no pattern. What is wrong with a file is a
        row of the report, not an error.
    """
    options = options or IngestOptions()
    shown = progress or Silent()
    pattern = parse_pattern(options.reader_from) if options.reader_from else None
    with study.working(), vault_if_there() as vault, open_sources(paths, options.limits) as tree:
        journal = Journal(int(study.registry.meta("ingests") or 0) + 1)
        for refused in tree.findings:
            journal.refuse(refused.number, [refused.finding])
        pairing = pair(tree.named_files(), pattern)
        pseudonyms = Pseudonymiser(study.key, keep_uids=study.protocol.ingest.keep_uids)
        admission = Admission(
            store=study.objects,
            pseudonyms=pseudonyms,
            patients=Patients(pseudonyms, vault, numbered_patients(study)),
            rules=CurationRules(study.protocol.curate.modalities, study.protocol.curate.regions),
            journal=journal,
            held=held_images(study),
        )
        intake = _Intake(tree, pairing, admission, options, shown)
        references = intake.take_dicom()
        intake.take_files()
        summaries = {image.key: image.summary for image in intake.images}
        known = known_images(study) if references or pairing.boxes else {}
        if references:
            summaries = known | summaries
        table = DrawingTable(
            images=list(summaries.values()),
            store=study.objects,
            pseudonyms=pseudonyms,
            rules=LabelRules(
                study.protocol.labels.extra_places, study.protocol.labels.lesion_names
            ),
            journal=journal,
            limits=options.limits,
        )
        for header in references:
            table.place_dicom(header)
        intake.place_masks(table)
        ids = {row["id"]: row["series_uid"] for row in study.registry.all_series()}
        named = NamedImages(intake.images, known, ids, pseudonyms)
        for number in pairing.boxes:
            table.place_boxes(intake.sources[number], named)
        study.home.require()  # rows must not name objects that went elsewhere
        written = write_rows(study, journal, intake.images, table)
        shown.finish(STAGE)
    return IngestReport(
        journal.ingest,
        written.series,
        written.left_out,
        written.ignored,
        written.masks,
        len(table.boxes),
        tuple(study.status()["stages"]),
        tuple((journal.token(number), name) for number, name in _names(tree)),
    )


def _names(tree: SourceTree) -> list[tuple[int, str]]:
    named = [(file.number, file.name) for file in tree.files]
    named += [(refused.number, refused.name) for refused in tree.findings]
    return sorted(named)


@dataclass(slots=True)
class _Intake:
    """Images on their way in."""

    tree: SourceTree
    pairing: Pairing
    admission: Admission
    options: IngestOptions
    progress: Progress
    images: list[Admitted] = field(default_factory=list)
    _by_number: dict[int, Admitted] = field(default_factory=dict)
    sources: dict[int, SourceFile] = field(init=False)

    def __post_init__(self) -> None:
        self.sources = {file.number: file for file in self.tree.files}

    def take_dicom(self) -> tuple[Any, ...]:
        """Admit every DICOM series that passes the gate; return RTSTRUCT and SEG headers."""
        from lesionary.io.dicom.series import group_images, load_series, scan_dicom

        limits, subject = self.options.limits, self.options.subject
        scan = scan_dicom(self.tree.files, limits)
        journal = self.admission.journal
        for refused in scan.findings:
            journal.refuse(refused.number, [refused.finding])
        candidates = group_images(scan.images)
        self.progress.start(STAGE, len(candidates) + len(self.pairing.images))
        for candidate in candidates:
            loaded = load_series(candidate, limits, subject=subject)
            if isinstance(loaded, tuple):
                journal.refuse(candidate.number, loaded, n_instances=candidate.n_instances)
            else:
                named = NamedBySource(description=candidate.slices[0].series_description)
                self._admit(candidate.number, loaded, named, candidate.n_instances)
            self.progress.advance(STAGE)
        return scan.references

    def take_files(self) -> None:
        """Admit every image file that passes the gate."""
        from lesionary.io.image_file import read_image_file

        journal = self.admission.journal
        for number, finding in self.pairing.problems:
            journal.refuse(number, [finding])
        for number in self.pairing.unused:
            unused = Finding(
                "not_a_file", Outcome.IGNORED, "a table or text that belongs to no image"
            )
            journal.refuse(number, [unused])
        tables = self._recist_tables()
        for entry in self.pairing.images:
            source = self.sources[entry.number]
            try:
                read = read_image_file(
                    source.path, limits=self.options.limits, affine=self.options.affine
                )
                identity, named = self._identify(entry, source, tables)
                volume = read.as_volume(*_meaning(entry, source))
                series = ImageSeries(
                    volume, identity, tables.technical_of(identity), findings=read.findings
                )
            except LesionaryError as error:
                journal.refuse(entry.number, [as_finding(error)])
            else:
                self._admit(entry.number, series, named, 1)
            self.progress.advance(STAGE)

    def place_masks(self, table: DrawingTable) -> None:
        """Lay every mask file on its image; where the image was left out, the mask is too."""
        for entry in self.pairing.masks:
            image = self._by_number.get(entry.image)
            if image is None:
                finding = Finding(
                    "orphan_reference", Outcome.LEFT_OUT, "the image of this mask was left out"
                )
                self.admission.journal.refuse(entry.number, [finding])
                continue
            table.place_file(entry, self.sources, image)

    def _admit(
        self, number: int, series: ImageSeries, named: NamedBySource, n_instances: int
    ) -> None:
        image = self.admission.admit(number, series, named, n_instances=n_instances)
        if image is not None:
            self.images.append(image)
            self._by_number[number] = image

    def _recist_tables(self) -> "_RecistRows":
        """Read the layouts' tables; one that cannot be read is noted."""
        rows = _RecistRows()
        for layout in self.pairing.recist:
            for series in self._read_table(layout.series, parse_series):
                rows.series[series.uuid] = series
            for patient in self._read_table(layout.patients, parse_patients):
                rows.patients[patient.patient_id] = patient
        return rows

    def _read_table(self, number: int | None, parse: Callable[[str], Iterable[_Row]]) -> list[_Row]:
        if number is None:
            return []
        try:
            return list(parse(self.sources[number].path.read_text(encoding="utf-8-sig")))
        except UnicodeDecodeError:
            finding = Finding("bad_table", Outcome.LEFT_OUT, "the table is not UTF-8 text")
        except LesionaryError as error:
            finding = as_finding(error, code="bad_table")
        self.admission.journal.refuse(number, [finding])
        return []

    def _identify(
        self, entry: ImageEntry, source: SourceFile, tables: "_RecistRows"
    ) -> tuple[SeriesIdentity, NamedBySource]:
        from lesionary.ingest.header import combine, parse_date

        row = tables.series.get(entry.uuid or "")
        subject = entry.subject or (row.patient_id if row else None) or self.options.subject
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
class _RecistRows:
    """What the tables of recist layouts say, by series and by patient."""

    series: dict[str, RecistSeries] = field(default_factory=dict)
    patients: dict[str, RecistPatient] = field(default_factory=dict)

    def technical_of(self, identity: SeriesIdentity) -> dict[str, Json]:
        """Return sex and age of an image's patient, where a table has them."""
        patient = self.patients.get(identity.subject_key or "")
        if patient is None:
            return {}
        age = patient.values.get("age", "")
        years = [f"{int(age):03d}Y"] if re.fullmatch("[0-9]{1,3}", age) else []
        return allow({"PatientSex": [patient.values.get("sex", "")], "PatientAge": years})


def _date_of_name(timepoint: str | None) -> dt.date | None:
    """Return the date that a time point is named by: ``2020-03-14``, ``20200314``."""
    from lesionary.ingest.header import parse_date

    return parse_date(re.sub("[-_]", "", timepoint or ""))


def _meaning(entry: ImageEntry, source: SourceFile) -> tuple[str, Quantity]:
    """Return modality and quantity: CT in the recist layout, else what the name tells."""
    modality = "CT" if entry.uuid is not None else modality_of_name(source.below)
    return modality, Quantity.HU if modality == "CT" else Quantity.ARBITRARY
