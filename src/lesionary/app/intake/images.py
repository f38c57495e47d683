"""Admit images: put each volume into the store and keep of it only what a study may hold."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lesionary.app.intake.journal import Journal
from lesionary.core.findings import Finding, Outcome
from lesionary.core.volume import Geometry, Quantity
from lesionary.ingest.curate import CurationRules, rule_against
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.region import Region, region_of_lung, region_of_words
from lesionary.ingest.series import ImageSeries, Json, SeriesIdentity, SeriesSummary
from lesionary.io.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class NamedBySource:
    """What file names or layouts say of an image beside its header, where they do.

    Parameters
    ----------
    region : Region, optional
    subset : str
        ``train`` or ``test``.
    timepoint : str, optional
        As ``--reader-from`` read it.
    description : str
        SeriesDescription; read for words, stored nowhere.
    is_subject_from_file : bool
        One subject an image file, because nothing names a subject.
    """

    region: Region | None = None
    subset: str = "train"
    timepoint: str | None = None
    description: str = ""
    is_subject_from_file: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Admitted:
    """An image that is in the object store, without its voxels and without original UIDs.

    ``summary`` carries keyed UIDs, as the registry does, so drawings can be matched to images of
    this and of earlier ingests alike. ``names`` are private: boxes and masks call images by them.
    """

    number: int
    key: str
    subject_hash: str
    study_uid: str
    summary: SeriesSummary
    object_id: str
    quantity: Quantity
    region: Region
    technical: Mapping[str, Json]
    suv_factor: float | None
    suv_reason: str
    named: NamedBySource
    study_date: dt.date | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets images into a study.

    Parameters
    ----------
    store : ObjectStore
        Where volumes go.
    pseudonyms : Pseudonymiser
        Keyed names.
    rules : CurationRules
        What the protocol takes.
    journal : Journal
        Where findings go.
    """

    store: ObjectStore
    pseudonyms: Pseudonymiser
    rules: CurationRules
    journal: Journal

    def admit(
        self, number: int, series: ImageSeries, named: NamedBySource, *, n_instances: int
    ) -> Admitted | None:
        """Store one image, or note why a rule leaves it out."""
        region = region_of(series, named)
        against = rule_against(series.volume.modality, region, self.rules)
        if against is not None:
            self.journal.refuse(number, [against], n_instances=n_instances, by_rule=True)
            return None
        summary = self._pseudonymous(series)
        geometry = summary.geometry
        object_id = self.store.put_volume(replace(series.volume, geometry=geometry))
        key = str(summary.identity.series_instance_uid)
        self.journal.note(key, number, [*series.findings, *_subject_note(named)])
        identity = series.identity
        subject_key = identity.subject_key or ""
        return Admitted(
            number=number,
            key=key,
            subject_hash=self.pseudonyms.identity_hash(subject_key),
            study_uid=str(summary.identity.study_instance_uid),
            summary=summary,
            object_id=object_id,
            quantity=series.volume.quantity,
            region=region,
            technical=series.technical,
            suv_factor=series.suv_factor,
            suv_reason=series.suv_reason,
            named=named,
            study_date=None
            if identity.acquired is None
            else self.pseudonyms.shifted(identity.acquired.date(), subject_key),
            names=identity.names,
        )

    def _pseudonymous(self, series: ImageSeries) -> SeriesSummary:
        """Return the summary with keyed UIDs; images without UIDs get keyed ones of their own."""
        identity, names = series.identity, self.pseudonyms
        subject = identity.subject_key or ""
        own_name = "\x1f".join((subject, identity.folder, *identity.names))
        series_uid = (
            names.uid(identity.series_instance_uid)
            if identity.series_instance_uid
            else names.new_uid("series", own_name)
        )
        study_uid = (
            names.uid(identity.study_instance_uid)
            if identity.study_instance_uid
            else names.new_uid("study", own_name)
        )
        frame_uid = identity.frame_of_reference_uid
        keyed = SeriesIdentity(
            study_instance_uid=study_uid,
            series_instance_uid=self._split_uid(series_uid, series),
            frame_of_reference_uid=names.uid(frame_uid) if frame_uid else None,
            sop_instance_uids=tuple(names.uid(uid) for uid in identity.sop_instance_uids),
            folder=identity.folder,
        )
        old = series.volume.geometry
        geometry = Geometry(old.shape, old.affine, keyed.frame_of_reference_uid)
        return SeriesSummary(keyed, geometry, series.volume.modality)

    def _split_uid(self, series_uid: str, series: ImageSeries) -> str:
        """Tell the parts of a series apart that holds two grids: each is a series of its own."""
        if not any(finding.code == "split_geometry" for finding in series.findings):
            return series_uid
        return self.pseudonyms.new_uid("split", series_uid, *series.identity.sop_instance_uids[:1])


def region_of(series: ImageSeries, named: NamedBySource) -> Region:
    """Return an image's region: as its layout or header names it, else by the lungs of a CT."""
    if named.region is not None:
        return named.region
    body_part = series.technical.get("BodyPartExamined")
    words = region_of_words(str(body_part or ""), named.description)
    if words is not None:
        return words
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
