"""What ingest holds of one image series between the gate and the registry."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from lesionary.core.findings import Finding
from lesionary.core.volume import Geometry, Volume

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, repr=False)
class SeriesIdentity:
    """Who and when: needed to group and number, **never stored, logged or shown**.

    What goes on from here are keyed hashes and shifted dates (``ingest/pseudonym.py``).

    Parameters
    ----------
    subject_key : str, optional
        What tells one subject from another: PatientID with its issuer, or a file's name.
    study_instance_uid, series_instance_uid, frame_of_reference_uid : str, optional
        As in the file; None for images that are not DICOM.
    sop_instance_uids : tuple of str
        One a slice, along ``k``; several slices share one where they are frames of one file.
    frames : tuple of int
        Number of each slice within its file, from 1; none where every slice is a file.
    acquired : datetime.datetime, optional
        Study date and time.
    folder : str
        Folder of the files as the user named it, for ties between images that fit equally.
    names : tuple of str
        Names that a ``boxes.csv`` may call this image by.
    """

    subject_key: str | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    frame_of_reference_uid: str | None = None
    sop_instance_uids: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()
    acquired: dt.datetime | None = None
    folder: str = ""
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "SeriesIdentity(…)"


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """An image without its voxels: what masks and boxes are matched against."""

    identity: SeriesIdentity
    geometry: Geometry
    modality: str


@dataclass(frozen=True, slots=True)
class ImageSeries:
    """One image that passed the gate.

    Parameters
    ----------
    volume : Volume
        In its native quantity: HU, BQML or SUV as stored, arbitrary for MR.
    identity : SeriesIdentity
        Who and when; stays in memory.
    technical : mapping of str to JSON values
        DICOM keyword to value, allow-listed elements only (``ingest/technical.py``).
    findings : tuple of Finding
        What was warned of or fixed.
    suv_factor : float, optional
        ``SUVbw = value × factor``; None where the series is no PET or the factor is unknown.
    suv_reason : str
        Why there is no factor.
    """

    volume: Volume
    identity: SeriesIdentity
    technical: Mapping[str, Json] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    suv_factor: float | None = None
    suv_reason: str = ""

    @property
    def summary(self) -> SeriesSummary:
        """The same without voxels."""
        return SeriesSummary(self.identity, self.volume.geometry, self.volume.modality)
