"""Admit images: put each volume into the store and keep of it only what a study may hold."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lesionary.app.intake.journal import Journal
from lesionary.app.intake.patients import Patients
from lesionary.core.findings import Finding, Outcome
from lesionary.core.pixels import pixel_hash
from lesionary.core.volume import Geometry, Quantity
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.region import Region, region_of_lung
from lesionary.ingest.series import ImageSeries, Json, SeriesIdentity, SeriesSummary
from lesionary.io.objects import ObjectStore

_HELD_ALREADY = Finding(
    "duplicate_identical", Outcome.IGNORED, "the study holds this series already"
)
_OTHER_SUBJECT = Finding(
    "subject_conflict",
    Outcome.LEFT_OUT,
    "the study holds this series as another subject's",
    "find out whose scan it is: one series cannot be of two patients",
)
_SLICE_OF_ANOTHER = Finding(
    "sop_conflict",
    Outcome.LEFT_OUT,
    "slices of it go by the SOPInstanceUID of slices that another series of the study holds",
    "find out which of the two series is the true one",
)
_OTHER_CONTENT = Finding(
    "sop_conflict",
    Outcome.LEFT_OUT,
    "the study holds this series with other content",
    "a study never replaces an image: begin a new one, or leave this series out",
)


def _grown(n_more: int) -> Finding:
    """Say that a series which the study holds has more slices now."""
    slices = "slice" if n_more == 1 else "slices"
    return Finding(
        "series_grown",
        Outcome.LEFT_OUT,
        f"{n_more} more {slices} of this series came after the study had taken it without them",
        "a study never replaces an image, drawn on or not: for the whole series begin a new study,"
        " and send or ingest all of its slices there",
    )


@dataclass(frozen=True, slots=True)
class NamedBySource:
    """What file names or layouts say of an image beside its header, where they do.

    Parameters
    ----------
    region : Region, optional
    subset : str
        ``train`` or ``test``; empty where nobody said.
    timepoint : str, optional
        As ``--reader-from`` read it.
    below : str
        Path below the argument, of images without UIDs; hashed, stored nowhere.
    is_subject_from_file : bool
        One subject an image file, because nothing names a subject.
    """

    region: Region | None = None
    subset: str = ""
    timepoint: str | None = None
    below: str = ""
    is_subject_from_file: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Admitted:
    """An image that is in the object store, without its voxels and without original UIDs.

    ``summary`` carries keyed UIDs, as the registry does, so drawings can be matched to images of
    this and of earlier ingests alike. ``names`` are private: boxes and masks call images by them.
    ``is_new`` is False where the study, or this ingest, held the image before.
    """

    is_new: bool
    number: int
    key: str
    subject_hash: str
    released_id: int | None
    study_uid: str
    summary: SeriesSummary
    object_id: str
    pixel_hash: str
    quantity: Quantity
    region: Region
    technical: Mapping[str, Json]
    suv_factor: float | None
    suv_reason: str
    named: NamedBySource
    study_date: dt.date | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldImages:
    """The images of a study, as far as another one may be at odds with them.

    Parameters
    ----------
    images : dict of str to (str, str)
        Object and subject's keyed hash, by keyed series UID.
    sop_uids : set of str
        Keyed SOP UIDs of all slices.
    """

    images: dict[str, tuple[str, str]] = field(default_factory=dict)
    sop_uids: set[str] = field(default_factory=set)

    def conflict_with(
        self, summary: SeriesSummary, object_id: str, subject_hash: str
    ) -> Finding | None:
        """Return why an image cannot stand beside those held, or None."""
        identity = summary.identity
        held = self.images.get(str(identity.series_instance_uid))
        if held is None:
            is_shared = not self.sop_uids.isdisjoint(identity.sop_instance_uids)
            return _SLICE_OF_ANOTHER if is_shared else None
        if held[1] != subject_hash:
            return _OTHER_SUBJECT
        if held[0] == object_id:
            return None
        slices = set(identity.sop_instance_uids)
        n_more = len(slices - self.sop_uids)
        return _grown(n_more) if 0 < n_more < len(slices) else _OTHER_CONTENT

    def add(self, summary: SeriesSummary, object_id: str, subject_hash: str) -> None:
        """Hold one more image.

        The frames of one file may make several: grouping compared those of this ingest already.
        """
        self.images[str(summary.identity.series_instance_uid)] = (object_id, subject_hash)
        if not summary.identity.frames:
            self.sop_uids.update(summary.identity.sop_instance_uids)

    def discard(self, summary: SeriesSummary) -> None:
        """Hold an image no longer that came with this ingest."""
        del self.images[str(summary.identity.series_instance_uid)]
        self.sop_uids.difference_update(summary.identity.sop_instance_uids)


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets images into a study.

    Parameters
    ----------
    store : ObjectStore
        Where volumes go.
    pseudonyms : Pseudonymiser
        Keyed names.
    patients : Patients
        Whose images are.
    journal : Journal
        Where findings go.
    held : HeldImages
        What the study holds; grows with every image.
    """

    store: ObjectStore
    pseudonyms: Pseudonymiser
    patients: Patients
    journal: Journal
    held: "HeldImages"

    def admit(
        self, number: int, series: ImageSeries, named: NamedBySource, region: Region
    ) -> Admitted | Finding:
        """Store one image, or return why it cannot stand beside what the study holds.

        An image that the study holds already comes back too: what is new may be drawn on it.
        """
        identity, geometry = series.identity, self._pseudonymous_grid(series)
        object_id = self.store.put_volume(replace(series.volume, geometry=geometry))
        subject_key = identity.subject_key or ""
        if named.is_subject_from_file:
            # Files of one name in two folders are two subjects; one file is one, wherever it lies.
            subject_key = "\x1f".join((subject_key, object_id))
        summary = self._summary(series, geometry, subject_key, object_id, named)
        key = str(summary.identity.series_instance_uid)
        patient = self.patients.of(subject_key, identity.study_instance_uid)
        subject_hash = patient.identity_hash
        is_new = key not in self.held.images
        conflict = self.held.conflict_with(summary, object_id, subject_hash)
        if conflict is not None:
            return conflict
        self.held.add(summary, object_id, subject_hash)
        if is_new:
            self.journal.note(key, number, [*series.findings, *_subject_note(named)])
        elif not self.patients.are_received:  # all of what was received comes every time
            self.journal.refuse(number, [_HELD_ALREADY])
        return Admitted(
            is_new=is_new,
            number=number,
            key=key,
            subject_hash=subject_hash,
            released_id=patient.released_id,
            study_uid=str(summary.identity.study_instance_uid),
            summary=summary,
            object_id=object_id,
            pixel_hash=pixel_hash(series.volume.array, geometry.affine),
            quantity=series.volume.quantity,
            region=region,
            technical=series.technical,
            suv_factor=series.suv_factor,
            suv_reason=series.suv_reason,
            named=named,
            study_date=None
            if identity.acquired is None
            else patient.shifted(identity.acquired.date()),
            names=identity.names,
        )

    def _pseudonymous_grid(self, series: ImageSeries) -> Geometry:
        frame_uid = series.identity.frame_of_reference_uid
        grid = series.volume.geometry
        return Geometry(
            grid.shape, grid.affine, self.pseudonyms.uid(frame_uid) if frame_uid else None
        )

    def _summary(
        self,
        series: ImageSeries,
        geometry: Geometry,
        subject_key: str,
        object_id: str,
        named: NamedBySource,
    ) -> SeriesSummary:
        """Return the summary with keyed UIDs.

        Images without UIDs get keyed ones of their own: by whose they are, what they are called
        below the argument, and what they hold, never by where they lie.
        """
        identity, names = series.identity, self.pseudonyms
        own_name = "\x1f".join((subject_key, named.timepoint or "", named.below, object_id))
        series_uid = (
            key_of_series(identity, series.findings, names)
            if identity.series_instance_uid
            else names.new_uid("series", own_name)
        )
        study_uid = (
            names.uid(identity.study_instance_uid)
            if identity.study_instance_uid
            else names.new_uid("study", own_name)
        )
        keyed = SeriesIdentity(
            study_instance_uid=study_uid,
            series_instance_uid=series_uid,
            frame_of_reference_uid=geometry.frame_of_reference_uid,
            sop_instance_uids=tuple(names.uid(uid) for uid in identity.sop_instance_uids),
            frames=identity.frames,
            acquired=identity.acquired,
            folder=identity.folder,
        )
        return SeriesSummary(keyed, geometry, series.volume.modality)


def key_of_series(
    identity: SeriesIdentity, findings: Iterable[Finding], pseudonyms: Pseudonymiser
) -> str:
    """Return the study's name for a DICOM series.

    The parts of one that holds two grids are told apart: each is a series of its own.
    """
    uid = identity.series_instance_uid
    key = pseudonyms.uid(uid) if uid else pseudonyms.new_uid("no uid", identity.subject_key or "")
    if uid and not any(finding.code == "split_geometry" for finding in findings):
        return key
    first = (*identity.sop_instance_uids[:1], *map(str, identity.frames[:1]))
    return pseudonyms.new_uid("split", key, *first)


def region_by_lungs(series: ImageSeries) -> Region:
    """Return an image's region where no word tells it: by the lungs of a CT."""
    if series.volume.quantity is not Quantity.HU:
        return "other"
    from lesionary.prepare.lung import lung_extent

    lungs = lung_extent(series.volume)
    return region_of_lung(lungs.share, has_apex=lungs.has_apex)


def _subject_note(named: NamedBySource) -> Iterator[Finding]:
    if named.is_subject_from_file:
        yield Finding(
            "subject_from_file",
            Outcome.INGESTED,
            "no subject is named: this image counts as a subject of its own",
            "name it with --subject or --reader-from",
        )
