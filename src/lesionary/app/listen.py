"""``listen``: a C-STORE receiver into a study, until somebody stops it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.door import TakenAs
from lesionary.app.reception import FAILED, Received, Reception, Tally
from lesionary.io.dicom_net.statuses import (
    CANNOT_UNDERSTAND,
    NOT_AUTHORIZED,
    PROCESSING_FAILURE,
    Answer,
    refusal,
)

if TYPE_CHECKING:
    from lesionary.io.dicom_net.conversations import Conversation
    from lesionary.io.dicom_net.rejections import Rejection
    from lesionary.io.dicom_net.settings import ReceiverSettings

_WAY = "C-STORE"
_LOOK_S = 0.1
_OTHERWISE = {
    TakenAs.QUARANTINED.value: NOT_AUTHORIZED,
    TakenAs.REFUSED.value: CANNOT_UNDERSTAND,
    FAILED: PROCESSING_FAILURE,
}


class Told:
    """Hears how listening goes; ``cli`` shows it."""

    def listening(self, address: str, port: int, ae_title: str) -> None:
        """Hear that senders may come now."""

    def ended(self, number: int, ending: str, tally: Tally) -> None:
        """Hear that an association ended on which objects could be sent."""

    def rejected(self, number: int | None, rejection: "Rejection") -> None:
        """Hear why nothing could be sent; without a number it never became an association."""


@dataclass(frozen=True, slots=True)
class Until:
    """When listening ends by itself; ``stop`` ends it at any time.

    Parameters
    ----------
    is_once : bool
        After the first association that brought anything.
    idle_s : float, optional
        After so many seconds in which nobody sends.
    """

    is_once: bool = False
    idle_s: float | None = None


@dataclass(frozen=True, slots=True)
class Listened:
    """What listening brought.

    Parameters
    ----------
    total : Tally
    n_associations, n_rejected, n_failed_connections : int
        Associations that were made, those turned away, and connections that never became one.
    rejections : Counter of str
        Codes of why nothing could be sent, where that is known.
    is_audited : bool
        Whether the audit could be written.
    """

    total: Tally
    n_associations: int
    n_rejected: int
    n_failed_connections: int
    rejections: Counter[str]
    is_audited: bool

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "associations": self.n_associations,
            "rejected_associations": self.n_rejected,
            "failed_connections": self.n_failed_connections,
            "rejections": dict(sorted(self.rejections.items())),
            "audited": self.is_audited,
            **self.total.document(),
        }


def listen(
    reception: Reception,
    settings: "ReceiverSettings",
    *,
    until: Until | None = None,
    stop: threading.Event | None = None,
    told: Told | None = None,
) -> Listened:
    """Receive into a study until it is over; objects on their way in are finished.

    Parameters
    ----------
    reception : Reception
    settings : ReceiverSettings
    until : Until, optional
        By default it ends only by ``stop``.
    stop : Event, optional
    told : Told, optional

    Raises
    ------
    InputError
        If it cannot be listened there, or a certificate cannot be used.
    """
    from lesionary.io.dicom_net.receiver import Receiver

    hall = _Hall(reception, told or Told())
    with Receiver(settings, hall.take, hall.end, hall.turn_away) as receiver:
        hall.told.listening(settings.address, receiver.port, settings.ae_title)
        _wait(hall, until or Until(), stop or threading.Event(), lambda: receiver.n_open)
    return Listened(
        reception.total,
        hall.n_associations,
        hall.n_rejected,
        receiver.n_failed_connections,
        hall.rejections,
        reception.say(),
    )


def answer_to(received: Received) -> Answer:
    """Return what a sender is told of an object.

    Examples
    --------
    >>> answer_to(Received("quarantined", "ultrasound", "an ultrasound image"))
    Answer(status=292, comment='ultrasound')
    """
    if received.is_stored:
        return Answer()
    return refusal(received.code, otherwise=_OTHERWISE[received.outcome])


class _Hall:
    """Keeps one tally an association."""

    def __init__(self, reception: Reception, told: Told) -> None:
        self.told = told
        self.n_associations = 0
        self.n_rejected = 0
        self.n_with_objects = 0
        self.rejections: Counter[str] = Counter()
        self.last_at = time.monotonic()
        self._reception = reception
        self._tallies: dict[int, Tally] = {}

    def take(self, content: bytes, conversation: "Conversation") -> Answer:
        tally = self._tallies.setdefault(conversation.number, Tally())
        received = self._reception.take(content, tally, conversation.number)
        self.last_at = time.monotonic()
        return answer_to(received)

    def end(self, conversation: "Conversation") -> None:
        tally = self._tallies.pop(conversation.number, Tally())
        rejection = conversation.rejection
        if not conversation.is_requested:
            if rejection is not None:
                self.turn_away(rejection)
            return
        self.last_at = time.monotonic()
        code = rejection.code if rejection else ""
        self._reception.end(tally, conversation.number, conversation.ending, _WAY, why=code)
        if conversation.ending == "rejected":
            self.n_rejected += 1
        else:
            self.n_associations += 1
        if rejection is None:
            self.told.ended(conversation.number, conversation.ending, tally)
        else:
            self.rejections[rejection.code] += 1
            self.told.rejected(conversation.number, rejection)
        self.n_with_objects += bool(tally.n_objects)

    def turn_away(self, rejection: "Rejection") -> None:
        """Say why a connection never became an association."""
        self.rejections[rejection.code] += 1
        self._reception.turn_away(rejection.code)
        self.told.rejected(None, rejection)


def _wait(hall: _Hall, until: Until, stop: threading.Event, n_open: Callable[[], int]) -> None:
    while not stop.wait(_LOOK_S):
        if until.is_once and hall.n_with_objects:
            return
        idle_s = time.monotonic() - hall.last_at
        if until.idle_s is not None and not n_open() and idle_s > until.idle_s:
            return
