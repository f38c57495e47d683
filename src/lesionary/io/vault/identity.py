"""When two patient IDs are one: the canonical form that the vault indexes and encrypts.

DICOM pads values to an even length and lets blanks around an ID mean nothing (PS3.5, table 6.2-1),
so blanks, tabs, line ends and NULs at both ends are taken off. Composed and decomposed characters
are one (Unicode NFC). Nothing else is: case counts, ``007`` is not ``7``, blanks within stay, and
the same ID of two issuers is two identities. No issuer is an issuer of its own.
"""

import json
from typing import NamedTuple
from unicodedata import normalize

from lesionary.core.errors import InputError

_PADDING = " \0\t\r\n"
_BLOCK_CHARS = 192
"""Encrypted texts are filled up to a multiple of this, so that their lengths tell nothing."""


class Identity(NamedTuple):
    """A patient ID with its issuer, both canonical. Never shown by ``repr``."""

    patient_id: str
    issuer: str

    def __repr__(self) -> str:
        return "Identity(…)"

    @property
    def index_message(self) -> bytes:
        """What the blind index is made of; the length in front keeps issuer and ID apart."""
        text = f"{len(self.issuer)}:{self.issuer}{self.patient_id}"
        return text.encode("utf-8", "surrogatepass")

    def to_plaintext(self, number: int) -> bytes:
        """Return what is encrypted: with its number, so that no two can be exchanged unnoticed."""
        text = json.dumps([number, self.issuer, self.patient_id])
        return text.ljust(-(-len(text) // _BLOCK_CHARS) * _BLOCK_CHARS).encode("ascii")


def identity_of(patient_id: str, issuer: str = "") -> Identity:
    """Return the canonical form of a patient ID and its issuer.

    Raises
    ------
    InputError
        Code ``subject_missing`` if nothing is left of the ID: empty means missing, and all who
        have none are not one patient.
    """
    identity = Identity(_canonical(patient_id), _canonical(issuer))
    if not identity.patient_id:
        raise InputError(
            "there is no patient ID", code="subject_missing", hint="name the subject yourself"
        )
    return identity


def from_plaintext(plaintext: bytes) -> tuple[int, Identity]:
    """Read back what was encrypted: the number, and whose it is."""
    number, issuer, patient_id = json.loads(plaintext)
    return number, Identity(patient_id, issuer)


def _canonical(text: str) -> str:
    return normalize("NFC", text).strip(_PADDING)
