"""Associations that go on, by numbers: who calls is not remembered."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.io.dicom_net.rejections import TLS_UNWANTED, Rejection, of_association

if TYPE_CHECKING:
    from pynetdicom.association import Association


@dataclass(slots=True, eq=False)
class Conversation:
    """One association, by a number: who calls is not remembered.

    Parameters
    ----------
    number : int
    ending : str
        ``released``, ``aborted``, ``rejected``, ``lost``; empty while it goes on.
    is_requested : bool
        Whether a peer asked for an association, not only opened a connection.
    is_busy : bool
        Whether an object of it is worked on.
    rejection : Rejection, optional
        Why nothing could be sent on it; known when it has ended.
    """

    number: int
    ending: str = ""
    is_requested: bool = False
    is_busy: bool = False
    rejection: Rejection | None = None


class Conversations:
    """Those that go on; threads share it.

    Parameters
    ----------
    on_end : callable, optional
        Hears of every association that ended, once its last object is answered.
    """

    def __init__(self, on_end: Callable[[Conversation], None] | None = None) -> None:
        self._on_end = on_end
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._going: dict[Association, Conversation] = {}

    def __len__(self) -> int:
        return len(self._going)

    def __getitem__(self, association: "Association") -> Conversation:
        return self._going[association]

    @property
    def n_established(self) -> int:
        """How many were agreed on, and go on."""
        with self._lock:
            return sum(one.is_established for one in self._going)

    def begin(self, association: "Association") -> None:
        """Give a new one its number."""
        with self._lock:
            self._going[association] = Conversation(next(self._numbers))

    def end_idle(self, *, is_late: bool) -> None:
        """End those that are between two objects; drop connections that never became one.

        Parameters
        ----------
        is_late : bool
            Whether those amid an object are ended too.
        """
        with self._lock:
            going = list(self._going.items())
        for association, conversation in going:
            if not _is_alive(association):
                continue
            if not association.is_established:
                _hang_up(association)
            elif is_late or not (conversation.is_busy or _is_receiving(association)):
                association.abort()

    def sweep(self) -> None:
        """Tell of those that ended, and forget them."""
        with self._lock:
            going = list(self._going)
        for association in going:
            if _is_left(association):
                _wake(association)
        ended = [one for one in going if one.ident is not None and not _is_alive(one)]
        for association in ended:
            conversation = self._going[association]
            conversation.ending = _ending(association)
            conversation.rejection = _rejection(association)
            if self._on_end is not None:
                self._on_end(conversation)
            with self._lock:
                del self._going[association]


def _is_alive(association: "Association") -> bool:
    return association.is_alive() or association.dul.is_alive()


def _hang_up(association: "Association") -> None:
    """Close a connection on which no association stands, and end what waits for one."""
    if association.dul.socket is not None:
        association.dul.socket.close()
    _wake(association)


def _is_left(association: "Association") -> bool:
    """Tell whether the peer hung up before it asked for anything: a thread still waits for it."""
    is_over = association.dul.ident is not None and not association.dul.is_alive()
    return is_over and association.requestor.primitive is None


def _wake(association: "Association") -> None:
    """End the wait for a peer's request."""
    association.dul.to_user_queue.put(None)


def _is_receiving(association: "Association") -> bool:
    """Tell whether a message is on its way in, waits to be worked on, or is being answered."""
    dul = association.dul
    return bool(
        association.dimse.message is not None
        or association.dimse.msg_queue.qsize()
        or dul.to_provider_queue.qsize()
        or (dul.socket is not None and dul.socket.ready)
    )


def _ending(association: "Association") -> str:
    for name in ("rejected", "aborted", "released"):
        if getattr(association, f"is_{name}"):
            return name
    return "lost"


def _rejection(association: "Association") -> Rejection | None:
    if getattr(association.dul.socket, "has_met_tls", False):
        return TLS_UNWANTED
    return of_association(association)
