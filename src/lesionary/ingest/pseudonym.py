"""Keyed names: what enters a study in the place of identities, UIDs and dates."""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lesionary.ingest.dated_uids import HASH_DIGITS, is_random_by_root, tells_a_date

_SHIFT_DAYS = 10 * 365
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_OWN_UID = re.compile(r"2\.25\.([1-9][0-9]{0,38})")
_HASH_BYTES, _SEAL_BYTES = 10, 6
_GLUED_DIGITS = 7


STAND_INS = frozenset(
    {dt.date(1, 1, 1), dt.date(1900, 1, 1), dt.date(1970, 1, 1), dt.date(9999, 12, 31)}
)
"""Dates that writers put where there is none. Moved, they would tell by how much."""


def moved(date: dt.date, days_back: int) -> dt.date:
    """Move a date back by a number of days.

    A date so early that it cannot be moved stays at the calendar's first day; one that stands for
    none stays what it is.
    """
    if date in STAND_INS:
        return date
    ordinal = date.toordinal() - days_back
    return dt.date.fromordinal(min(max(1, ordinal), dt.date.max.toordinal()))


def has_number(uid: str, numbers: AbstractSet[str]) -> bool:
    """Tell whether a number is a component of a UID or, of seven digits and more, within one.

    Within hashes nothing is looked for: among so many digits a number is found by chance.

    Parameters
    ----------
    uid : str
    numbers : set of str
        Without leading zeros.

    Examples
    --------
    >>> has_number("1.2.00481.3", {"481"}), has_number("1.2.14810.3", {"481"})
    (True, False)
    """
    components = [one for one in uid.split(".") if len(one) < HASH_DIGITS]
    if any(one.lstrip("0") in numbers for one in components):
        return True
    long = [number for number in numbers if len(number) >= _GLUED_DIGITS]
    return any(number in one for number in long for one in components)


@dataclass(frozen=True, slots=True, repr=False)
class Pseudonymiser:
    """Hashes and shifts under a study's key: the same input, the same pseudonym, in every run.

    Parameters
    ----------
    key : bytes
        The study's secret key.
    keep_uids : bool
        Pass DICOM UIDs through; for public archives, where others look series up by them.
    keep_dated_uids : bool
        Pass those through as well in which a day can be read: where dates stay.
    numbers : set of str
        The patient's own, without leading zeros. A UID that has one for a component does not stay.
    """

    key: bytes
    keep_uids: bool = False
    keep_dated_uids: bool = False
    numbers: AbstractSet[str] = frozenset()

    def identity_hash(self, subject_key: str) -> str:
        """Return what tells subjects apart without telling who they are."""
        return self._mac("subject", subject_key).hex()

    def uid(self, uid: str) -> str:
        """Return the study's name for a DICOM UID: ``2.25.`` and 128 keyed bits (PS3.5 B.2).

        What is no UID is never passed through: it may be a name, or a path. A UID that this key
        made stays what it is, so what was done once is not done again.
        """
        return uid if self.keeps(uid) or self.is_own(uid) else self.new_uid("uid", uid)

    def keeps(self, uid: str) -> bool:
        """Tell whether a UID that is none of ours may stay.

        What decides is the UID and the patient, nothing else of a file: a reference in another
        file meets the same end.
        """
        if not (self.keep_uids and _UID.fullmatch(uid)):
            return False
        if not self.keep_dated_uids and tells_a_date(uid):
            return False
        return not (self.numbers and self._holds_a_number(uid))

    def _holds_a_number(self, uid: str) -> bool:
        return not is_random_by_root(uid) and has_number(uid, self.numbers)

    def new_uid(self, *parts: str) -> str:
        """Return a UID for something that has none of its own: 80 bits of hash, 48 of seal."""
        hashed = self._mac(*parts)[:_HASH_BYTES]
        return f"2.25.{int.from_bytes(hashed + self._seal(hashed))}"

    def is_own(self, uid: str) -> bool:
        """Tell whether a UID was made under this key: its seal fits, once in 10¹⁴ by chance."""
        match = _OWN_UID.fullmatch(uid)
        if match is None or (number := int(match[1])) >> 128:
            return False
        made = number.to_bytes(_HASH_BYTES + _SEAL_BYTES)
        return hmac.compare_digest(made[_HASH_BYTES:], self._seal(made[:_HASH_BYTES]))

    def shift_days(self, subject_key: str) -> int:
        """Return by how many days a subject's dates move back: 1 to 3650."""
        return int.from_bytes(self._mac("shift", subject_key)[:8]) % _SHIFT_DAYS + 1

    def shifted(self, date: dt.date, subject_key: str) -> dt.date:
        """Move a date back by the subject's own number of days: intervals stay exact."""
        return moved(date, self.shift_days(subject_key))

    def _seal(self, hashed: bytes) -> bytes:
        return hmac.digest(self.key, b"seal\x1f" + hashed, hashlib.sha256)[:_SEAL_BYTES]

    def _mac(self, *parts: str) -> bytes:
        message = "\x1f".join(parts).encode("utf-8", "surrogateescape")
        return hmac.digest(self.key, message, hashlib.sha256)
