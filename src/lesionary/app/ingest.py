"""Ingest: scans, masks and boxes become part of a study, whole or with a reason why not.

Files are opened, told apart, grouped, judged; volumes go to the object store one at a time; at the
end one transaction writes all rows. A process killed before that leaves nothing but objects that no
row names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesionary.app.curation import ingest_rules, wording
from lesionary.app.intake.candidates import Candidate, dicom_intake
from lesionary.app.intake.curated_rows import held_series, ruled_out_before
from lesionary.app.intake.curating import Selection
from lesionary.app.intake.drawings import DrawingTable
from lesionary.app.intake.file_candidates import FileReading
from lesionary.app.intake.images import Admission, Admitted
from lesionary.app.intake.journal import Journal
from lesionary.app.intake.known_rejects import KnownRejects
from lesionary.app.intake.left_out_images import (
    RULED_OUT,
    STILL_ARRIVING,
    UNSOUND,
    LeftOutImages,
)
from lesionary.app.intake.named_images import NamedImages
from lesionary.app.intake.patients import Patients, vault_if_there
from lesionary.app.intake.rows import held_images, known_images, numbered_patients, write_rows
from lesionary.app.progress import Progress, Silent
from lesionary.app.study import Study
from lesionary.app.study_names import names_of
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.curation.verdict import SeriesRule
from lesionary.ingest.file_gate import AffineChoice
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.labels import LabelRules
from lesionary.ingest.pairing import Pairing, pair
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.reader_pattern import parse_pattern
from lesionary.io.limits import Limits
from lesionary.io.sources import SourceFile, SourceTree, open_sources

STAGE = "ingest"

_UNUSED = Finding("not_a_file", Outcome.IGNORED, "a table or text that belongs to no image")


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
    are_received : bool
        The paths hold what ``listen`` stored: numbers and dates are as they shall be.
    arriving : sequence of Path
        Received files of series that are not whole yet: they wait for a later ingest.
    """

    subject: str | None = None
    reader_from: str | None = None
    affine: AffineChoice | None = None
    limits: Limits = field(default_factory=Limits)
    are_received: bool = False
    arriving: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What came in and what did not.

    ``sources`` pairs the stored numbers with the names the user knows: for a terminal or a source
    map, never for the study. ``curation`` counts the series that came, and whom each rule left out.
    ``new`` counts what the study did not hold before, ``again`` what came once more: of received
    objects also those that are left out as they were before. ``arriving`` counts what waits because
    its series is not whole yet.
    """

    number: int
    series: tuple[dict[str, Any], ...]
    left_out: tuple[dict[str, Any], ...]
    ignored: tuple[dict[str, Any], ...]
    masks: tuple[dict[str, Any], ...]
    n_boxes: int
    stages: tuple[dict[str, Any], ...]
    sources: tuple[tuple[str, str], ...]
    curation: dict[str, Any] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)
    arriving: dict[str, int] = field(default_factory=dict)

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
            "curation": self.curation,
            "new": self.new,
            "again": self.again,
            "arriving": self.arriving,
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
        pseudonyms = names_of(study)
        admission = Admission(
            store=study.objects,
            pseudonyms=pseudonyms,
            patients=Patients(
                pseudonyms, vault, numbered_patients(study), are_received=options.are_received
            ),
            journal=journal,
            held=held_images(study),
        )
        selection = _selection(study, admission, shown)
        intake = _Intake(tree, pairing, selection, options, shown)
        references = intake.take_images()
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
            left_out=(*_left_out_images(study, selection), _on_its_way(options, pseudonyms)),
        )
        for header in references:
            table.place_dicom(header)
        intake.place_masks(table)
        ids = {row["id"]: row["series_uid"] for row in study.registry.all_series()}
        named = NamedImages(intake.images, known, ids, pseudonyms)
        for number in pairing.boxes:
            table.place_boxes(intake.sources[number], named)
        study.home.require()  # rows must not name objects that went elsewhere
        received = KnownRejects(dict(_names(tree))) if options.are_received else None
        written = write_rows(study, journal, intake.images, table, selection.curated, received)
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
        selection.flow(),
        written.new,
        written.again,
        _arriving(options),
    )


def _arriving(options: IngestOptions) -> dict[str, int]:
    series = {path.parent for path in options.arriving}
    return {"series": len(series), "objects": len(options.arriving)}


def _on_its_way(options: IngestOptions, pseudonyms: Pseudonymiser) -> LeftOutImages:
    """Return the images that are still being received; their files bear their names."""
    return LeftOutImages(
        STILL_ARRIVING,
        series=frozenset(pseudonyms.uid(path.parent.name) for path in options.arriving),
        slices=frozenset(pseudonyms.uid(path.stem) for path in options.arriving),
    )


def _selection(study: Study, admission: Admission, progress: Progress) -> Selection:
    rules = ingest_rules(study.protocol.curate)
    are_compared = not all(isinstance(rule, SeriesRule) for rule in rules)
    return Selection(
        admission,
        rules,
        [wording(rule) for rule in rules],
        held_series(study, are_compared=are_compared),
        lambda: progress.advance(STAGE),
    )


def _left_out_images(study: Study, selection: Selection) -> tuple[LeftOutImages, LeftOutImages]:
    """Return what rules left out, now or before, and what is unsound; what is held is in."""
    held = selection.held.images
    unsound = [one for one in selection.unsound if one.key not in held]
    earlier = ruled_out_before(study)
    return (
        LeftOutImages.of(selection.ruled_out, earlier, by_rule=True),
        LeftOutImages.of(unsound, by_rule=False),
    )


def _names(tree: SourceTree) -> list[tuple[int, str]]:
    named = [(file.number, file.name) for file in tree.files]
    named += [(refused.number, refused.name) for refused in tree.findings]
    return sorted(named)


@dataclass(slots=True)
class _Intake:
    """Everything on its way in."""

    tree: SourceTree
    pairing: Pairing
    selection: Selection
    options: IngestOptions
    progress: Progress
    sources: dict[int, SourceFile] = field(init=False)
    _candidates: list[Candidate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources = {file.number: file for file in self.tree.files}

    @property
    def images(self) -> list[Admitted]:
        """Images that came in, in the order of their candidates."""
        admitted = self.selection.admitted
        return [admitted[place] for place in sorted(admitted)]

    def take_images(self) -> tuple[InstanceHeader, ...]:
        """Admit every image that gate and rules let in; return RTSTRUCT and SEG headers."""
        journal, pseudonyms = self.selection.admission.journal, self.selection.admission.pseudonyms
        limits, subject = self.options.limits, self.options.subject
        dicom = dicom_intake(self.tree, limits, pseudonyms, subject=subject)
        for number, finding in (*dicom.refused, *self.pairing.problems):
            journal.refuse(number, [finding])
        for number in self.pairing.unused:
            journal.refuse(number, [_UNUSED])
        reading = FileReading(self.sources, pseudonyms, limits, self.options.affine, subject)
        files = reading.candidates(self.pairing, journal)
        self._candidates = [*dicom.candidates, *files]
        self.progress.start(STAGE, len(self._candidates))
        self.selection.admit(self._candidates)
        return dicom.references

    def place_masks(self, table: DrawingTable) -> None:
        """Lay every mask file on its image; where the image was left out, the mask is too."""
        by_number = {image.number: image for image in self.images}
        ruled_out = {candidate.number for candidate in self.selection.ruled_out}
        for entry in self.pairing.masks:
            image = by_number.get(entry.image)
            if image is None:
                is_ruled_out = entry.image in ruled_out
                finding = RULED_OUT if is_ruled_out else UNSOUND
                self.selection.admission.journal.refuse(
                    entry.number, [finding], by_rule=is_ruled_out
                )
                continue
            table.place_file(entry, self.sources, image)
