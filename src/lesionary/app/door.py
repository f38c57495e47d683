"""The door that every DICOM file comes in by: read whole, de-identified in memory, or refused.

``file deidentify``, ``listen`` and DICOMweb go through it. What it returns holds no original value;
what it was given is kept nowhere.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from lesionary.core.errors import InputError
from lesionary.io.limits import Limits
from lesionary.io.vault.identity import identity_of

if TYPE_CHECKING:
    from lesionary.ingest.deidentify.dropped import DroppedWords
    from lesionary.ingest.deidentify.elements import Buffer, DataSet, Instance
    from lesionary.ingest.deidentify.engine import ActionLog, Deidentifier, Subject
    from lesionary.ingest.deidentify.pixels import BlankingRule
    from lesionary.ingest.deidentify.profile import Profile
    from lesionary.ingest.deidentify.words import Words

_PATIENT_ID, _ISSUER = 0x00100020, 0x00100021
_DIGITS = 19
_FRAME_OF_REFERENCE, _TIMES_MODIFIED = 0x00200052, 0x00280303
_PATIENT_NAME, _METHOD = 0x00100010, 0x00120063
_SOP_CLASS, _SOP, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_PADDING, _UNDECODED = " \0\t\r\n", "\ufffd"


class Identities(Protocol):
    """Whoever turns patients into numbers: the vault."""

    def number_of(self, patient_id: str, issuer: str = "") -> int:
        """Return a patient's number, the same for ever."""
        ...

    def knows(self, number: int) -> bool:
        """Tell whether a number was given to somebody."""
        ...


class TakenAs(StrEnum):
    """What became of a file at the door."""

    RELEASED = "released"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, repr=False)
class Taken:
    """A file that came to the door.

    Parameters
    ----------
    outcome : TakenAs
    code, reason, hint : str
        Why it is not released; empty where it is.
    chunks : sequence of bytes-like
        The whole new file, in pieces; none where it is not released. Pieces may be views of the
        buffer that was taken.
    sop_class_uid, sop_instance_uid, series_instance_uid, study_instance_uid : str
        As they stand in the new file.
    transfer_syntax : str
        UID, of the new file.
    patient : str
        New patient ID.
    identity_hash : str
        The keyed hash of who it was; empty for a file that this key had treated before.
    log : ActionLog
        What was done, by tag.
    """

    outcome: TakenAs
    code: str = ""
    reason: str = ""
    hint: str = ""
    chunks: "Sequence[Buffer]" = ()
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    transfer_syntax: str = ""
    patient: str = ""
    identity_hash: str = ""
    log: "ActionLog" = field(default_factory=dict)


_TRUE_DATES = Taken(
    TakenAs.QUARANTINED,
    "true_dates",
    "it was de-identified before with its true dates: shift those of the original",
)


@dataclass(frozen=True, slots=True, repr=False)
class Door:
    """Takes files one by one; threads may share it.

    Parameters
    ----------
    deidentifier : Deidentifier
    identities : Identities
    limits : Limits
        How deep sequences may be nested, how large a deflated data set may be.
    subject : str, optional
        Whose files those are that name no patient.
    """

    deidentifier: "Deidentifier"
    identities: Identities
    limits: Limits = field(default_factory=Limits)
    subject: str | None = None

    def take(self, buffer: "Buffer") -> Taken:
        """De-identify one DICOM file that lies in memory.

        Parameters
        ----------
        buffer : bytes-like
            The file. Where it is a memory map, the result's chunks hold as long as it is open.

        Returns
        -------
        Taken
            Nothing in it repeats an original value, whatever the outcome.

        Raises
        ------
        WorkflowError, PrivacyError
            If the vault cannot be asked: no fault of the file's.
        """
        from lesionary.ingest.deidentify.quarantine import Quarantined
        from lesionary.io.dicom.tree import read_instance

        try:
            instance = read_instance(buffer, limits=self.limits).completed()
            subject = self._subject_of(instance.data_set)
            if subject is None:
                return _TRUE_DATES
            done = self.deidentifier.apply(instance, subject)
            if isinstance(done, Quarantined):
                return Taken(TakenAs.QUARANTINED, done.code, done.reason)
            return self._written(done.instance, subject, done.log)
        except InputError as error:
            return Taken(TakenAs.REFUSED, error.code, error.message, error.hint or "")

    def _written(self, instance: "Instance", subject: "Subject", log: "ActionLog") -> Taken:
        from lesionary.ingest.deidentify.quarantine import text_of
        from lesionary.io.dicom.tree import write_instance, written_syntax

        data_set = instance.data_set
        return Taken(
            TakenAs.RELEASED,
            chunks=write_instance(instance),
            sop_class_uid=text_of(data_set, _SOP_CLASS),
            sop_instance_uid=text_of(data_set, _SOP),
            series_instance_uid=text_of(data_set, _SERIES),
            study_instance_uid=text_of(data_set, _STUDY),
            transfer_syntax=written_syntax(instance),
            patient=subject.number,
            identity_hash=subject.identity_hash,
            log=log,
        )

    def _subject_of(self, data_set: "DataSet") -> "Subject | None":
        """Return what the patient becomes.

        A file that this key has treated before keeps number and dates; None where these are the
        true ones and the profile would say that they are shifted. One that names no patient
        belongs to ``subject``, else to a patient of its DICOM study's own.
        """
        from lesionary.ingest.deidentify.engine import Subject

        patient_id = _text(data_set, _PATIENT_ID)
        if self._was_treated(data_set, patient_id):
            return None if self._has_true_dates(data_set) else Subject(patient_id, 0)
        if not patient_id:
            patient_id, issuer = (self.subject or "").strip() or _stand_in(data_set), ""
        else:
            issuer = _text(data_set, _ISSUER)
        identity = identity_of(patient_id, issuer)
        key = "^^^".join(filter(None, identity))
        number, names = self.identities.number_of(*identity), self.deidentifier.pseudonyms
        return Subject(str(number), names.shift_days(key), names.identity_hash(key))

    def _was_treated(self, data_set: "DataSet", patient_id: str) -> bool:
        """Tell whether this key has treated a file: by its UIDs or, where these stay, its word."""
        from lesionary.ingest.deidentify.quarantine import text_of
        from lesionary.ingest.deidentify.statement import METHOD

        pseudonyms = self.deidentifier.pseudonyms
        is_ours = any(pseudonyms.is_own(text_of(data_set, tag)) for tag in (_STUDY, _SOP)) or (
            pseudonyms.keep_uids
            and text_of(data_set, _METHOD).rpartition("\\")[2].strip() == METHOD
            and text_of(data_set, _PATIENT_NAME) == patient_id
        )
        return is_ours and self._has_number(patient_id)

    def _has_true_dates(self, data_set: "DataSet") -> bool:
        """Tell whether dates stayed when a file was treated, and should be shifted now."""
        from lesionary.ingest.deidentify.profile import Option
        from lesionary.ingest.deidentify.quarantine import text_of
        from lesionary.ingest.deidentify.statement import UNMODIFIED

        shifts = Option.LONGITUDINAL_MODIFIED in self.deidentifier.profile.options
        return shifts and text_of(data_set, _TIMES_MODIFIED) == UNMODIFIED

    def _has_number(self, patient_id: str) -> bool:
        is_number = patient_id.isascii() and patient_id.isdigit() and len(patient_id) < _DIGITS
        return is_number and patient_id[0] != "0" and self.identities.knows(int(patient_id))


def _stand_in(data_set: "DataSet") -> str:
    """Return what stands for the patient ID of a file without one: its study or what is below."""
    from lesionary.ingest.deidentify.quarantine import text_of

    uids = (text_of(data_set, tag) for tag in (_STUDY, _SERIES, _FRAME_OF_REFERENCE, _SOP))
    return f"\x1fstudy\x1f{next(filter(None, uids), '')}"


def _text(data_set: "DataSet", tag: int) -> str:
    """Return a text without padding; bytes that its character set lacks each stay themselves."""
    from lesionary.ingest.deidentify.characters import decode
    from lesionary.ingest.deidentify.cleaning import charsets_of

    element = data_set.get(tag)
    if element is None or element.items is not None:
        return ""
    value = bytes(element.value)
    text = decode(value, charsets_of(data_set, ("",)))
    return (value.decode("latin-1") if _UNDECODED in text else text).strip(_PADDING)


def open_door(
    profile: "Profile",
    key: bytes,
    identities: Identities,
    *,
    extra_words: Collection[str] = (),
    blanking: "Collection[BlankingRule]" = (),
    limits: Limits | None = None,
    subject: str | None = None,
    dropped: "DroppedWords | None" = None,
) -> Door:
    """Open the door.

    Parameters
    ----------
    profile : Profile
        What stays and what goes.
    key : bytes
        The study's key, or the vault's for files of no study.
    identities : Identities
        The vault.
    extra_words : collection of str
        Words of the user's own that texts may keep.
    blanking : collection of BlankingRule
    limits : Limits, optional
    subject : str, optional
        Whose files those are that name no patient.
    dropped : DroppedWords, optional
        Is told which words texts lost.
    """
    from lesionary.ingest.deidentify.engine import Deidentifier
    from lesionary.ingest.deidentify.profile import Option
    from lesionary.ingest.pseudonym import Pseudonymiser

    pseudonyms = Pseudonymiser(
        key,
        keep_uids=Option.RETAIN_UIDS in profile.options,
        keep_dated_uids=Option.LONGITUDINAL_FULL in profile.options,
    )
    words = _words(tuple(sorted(extra_words)))
    engine = Deidentifier(profile, pseudonyms, words, blanking, dropped)
    return Door(engine, identities, limits or Limits(), subject)


@lru_cache(maxsize=4)
def _words(extra: tuple[str, ...]) -> "Words":
    from lesionary.ingest.deidentify.words import Words

    return Words(extra)
