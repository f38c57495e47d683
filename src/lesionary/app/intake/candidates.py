"""What may come in: every series with what curation knows of it, before its voxels are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lesionary.app.intake.images import NamedBySource, key_of_series
from lesionary.core.findings import Finding
from lesionary.core.volume import Geometry
from lesionary.ingest.curation import SeriesFacts
from lesionary.ingest.grouping import SeriesCandidate
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.series import ImageSeries, SeriesIdentity, SeriesSummary
from lesionary.io.limits import Limits
from lesionary.io.sources import SourceTree

Read: TypeAlias = Callable[[], ImageSeries | tuple[Finding, ...]]


@dataclass(slots=True, repr=False)
class Candidate:
    """A series on its way in.

    Parameters
    ----------
    number : int
        Of its first file.
    key : str
        Keyed name: the series' own where it has a UID.
    facts : SeriesFacts
        Under the same name; none where the gate refuses the series by its headers.
    read : callable
        Reads the volume; returns why not where that fails.
    named : NamedBySource
    n_instances : int
    is_pending : bool
        A file whose header is not read yet: the number of slices is still to come.
    sop_uids : tuple of str
        Keyed.
    refusal : tuple of Finding
        Why the gate lets it not in.
    summary : SeriesSummary, optional
        Of a DICOM series that the gate lets in, with keyed UIDs: where drawings may lie, also where
        a rule leaves the series out.
    names, folder : tuple of str, str
        What a ``boxes.csv`` may call it by, as of :class:`SeriesIdentity`; private.
    """

    number: int
    key: str
    facts: SeriesFacts | None
    read: Read
    named: NamedBySource = field(default_factory=NamedBySource)
    n_instances: int = 1
    is_pending: bool = False
    sop_uids: tuple[str, ...] = ()
    refusal: tuple[Finding, ...] = ()
    summary: SeriesSummary | None = None
    names: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class DicomIntake:
    """What the DICOM files of a tree hold."""

    candidates: tuple[Candidate, ...]
    references: tuple[InstanceHeader, ...]
    refused: tuple[tuple[int, Finding], ...]


def dicom_intake(
    tree: SourceTree, limits: Limits, pseudonyms: Pseudonymiser, *, subject: str | None
) -> DicomIntake:
    """Read all headers, group and judge them; no pixel is read unless two files claim one place."""
    from lesionary.io.dicom.series import group_images, scan_dicom

    scan = scan_dicom(tree.files, limits)
    candidates = tuple(
        _dicom_candidate(one, limits, pseudonyms, subject) for one in group_images(scan.images)
    )
    refused = tuple((found.number, found.finding) for found in scan.findings)
    return DicomIntake(candidates, scan.references, refused)


def _dicom_candidate(
    grouped: SeriesCandidate, limits: Limits, pseudonyms: Pseudonymiser, subject: str | None
) -> Candidate:
    from lesionary.io.dicom.series import judge_series

    judged = judge_series(grouped, limits, subject=subject)
    verdict, identity = judged.verdict, judged.identity
    key = key_of_series(identity, verdict.findings, pseudonyms)
    sop_uids = tuple(pseudonyms.uid(uid) for uid in dict.fromkeys(identity.sop_instance_uids))
    candidate = Candidate(
        grouped.number,
        key,
        None,
        judged.read,
        n_instances=grouped.n_instances,
        sop_uids=sop_uids,
        names=identity.names,
        folder=identity.folder,
    )
    if not verdict.is_admitted:
        candidate.refusal = verdict.findings
        return candidate
    from lesionary.ingest.curation.headers import facts_of_headers

    names = names_for_rules(key, identity, pseudonyms)
    frame_uid = identity.frame_of_reference_uid
    keyed_frame = pseudonyms.uid(frame_uid) if frame_uid else None
    candidate.facts = facts_of_headers(
        verdict.slices, judged.technical, frame_of_reference=keyed_frame, **names
    )
    if verdict.geometry is not None:
        keyed = SeriesIdentity(
            study_instance_uid=names["study"],
            series_instance_uid=key,
            frame_of_reference_uid=keyed_frame,
            sop_instance_uids=tuple(map(pseudonyms.uid, identity.sop_instance_uids)),
            frames=identity.frames,
            acquired=identity.acquired,
            folder=identity.folder,
        )
        grid = Geometry(verdict.geometry.shape, verdict.geometry.affine, keyed_frame)
        candidate.summary = SeriesSummary(keyed, grid, verdict.slices[0].modality)
    return candidate


def names_for_rules(
    key: str, identity: SeriesIdentity, pseudonyms: Pseudonymiser, *, visit: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what rules tell series, DICOM studies and subjects apart by: keyed names only.

    ``visit`` stands for the study of what names none.
    """
    subject = identity.subject_key or ""
    study = (
        pseudonyms.uid(identity.study_instance_uid)
        if identity.study_instance_uid
        else pseudonyms.new_uid("visit", subject, *visit)
    )
    return {"series": key, "study": study, "subject": pseudonyms.identity_hash(subject)}
