"""Whose image it is: the study's own hash of a patient, the vault's number, the shift of dates.

An image that ``listen`` took in carries the number already; its patient is the one that the number
was given to, and its dates have been shifted.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from lesionary.app.door import Identities
from lesionary.core.errors import WorkflowError
from lesionary.ingest.pseudonym import Pseudonymiser, moved

_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Patient:
    """What a study holds of a patient.

    Parameters
    ----------
    identity_hash : str
        Tells patients of this study apart.
    released_id : int, optional
        The vault's number; None where no vault is used.
    shift_days : int
        By how many days dates move back.
    """

    identity_hash: str
    released_id: int | None
    shift_days: int

    def shifted(self, date: dt.date) -> dt.date:
        """Return a date as it enters the study."""
        return moved(date, self.shift_days)


@dataclass(frozen=True, slots=True, repr=False)
class Patients:
    """Finds out whose images are.

    Parameters
    ----------
    pseudonyms : Pseudonymiser
    identities : Identities, optional
        The vault, where there is one.
    hashes : mapping of int to str
        Hashes of patients that are known by their number.
    are_received : bool
        All images came by ``listen``: where UIDs are kept, nothing in a file says so.
    """

    pseudonyms: Pseudonymiser
    identities: Identities | None = None
    hashes: Mapping[int, str] = field(default_factory=dict)
    are_received: bool = False

    def of(self, subject_key: str, study_uid: str | None) -> Patient:
        """Return the patient.

        Parameters
        ----------
        subject_key : str
            Patient ID, with ``^^^`` and the issuer where there is one.
        study_uid : str, optional
            As it stands in the file.
        """
        number = self._number_of_received(subject_key, study_uid)
        if number is not None:
            known = self.hashes.get(number)
            return Patient(known or self._hash(f"\x1fnumber\x1f{number}"), number, 0)
        shift_days = self.pseudonyms.shift_days(subject_key)
        if self.identities is None or not subject_key:
            return Patient(self._hash(subject_key), None, shift_days)
        patient_id, _, issuer = subject_key.rpartition("^^^")
        known_as = (patient_id, issuer) if patient_id else (subject_key, "")
        released_id = self.identities.number_of(*known_as)
        known = self.hashes.get(released_id)
        return Patient(known or self._hash(subject_key), released_id, shift_days)

    def _number_of_received(self, subject_key: str, study_uid: str | None) -> int | None:
        is_number = subject_key.isascii() and subject_key.isdigit() and len(subject_key) < _DIGITS
        if self.identities is None or not is_number:
            return None
        is_ours = self.are_received or self.pseudonyms.is_own(study_uid or "")
        number = int(subject_key)
        return number if is_ours and self.identities.knows(number) else None

    def _hash(self, subject_key: str) -> str:
        return self.pseudonyms.identity_hash(subject_key)


@contextmanager
def vault_if_there() -> Iterator[Identities | None]:
    """Open the user's vault; None where none was made, and patients get running numbers."""
    from lesionary.io.vault.database import Vault

    try:
        vault = Vault.open()
    except WorkflowError as error:
        if error.code != "vault_missing":
            raise
        yield None
        return
    with vault:
        yield vault
