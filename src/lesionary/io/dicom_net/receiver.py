"""A C-STORE receiver that hands on what comes as bytes in memory, and writes nothing itself.

Every object becomes a file's bytes (group 2 made from what the association agreed on) and goes to
``take``; the sender hears what ``take`` answers. Associations come and go in threads.
"""

import errno
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from lesionary.core.errors import InputError
from lesionary.io.dicom_net.file_head import as_file
from lesionary.io.dicom_net.statuses import PROCESSING_FAILURE, Answer
from lesionary.io.dicom_net.tls import TlsSettings
from lesionary.io.limits import GIB, MIB

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association
    from pynetdicom.events import Event

    from lesionary.io.dicom_net.server import Server

LOOPBACK = "127.0.0.1"
_TURN_S = 0.1
_LOOK_S = 0.02
_NEGOTIATION_S = 10.0
_CONNECTIONS_PER_ASSOCIATION = 3
_TRANSIENT, _PRESENTATION, _LIMIT_EXCEEDED = 0x02, 0x03, 0x02
_PAUSE_S = 0.001


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """Where a receiver listens, and to whom.

    Parameters
    ----------
    port : int
        0 takes any free one.
    address : str
        Other machines reach it only where this is one of this machine's own.
    ae_title : str
        Senders must call it by this name.
    allowed_callers : tuple of str
        AE titles that may send; none means any.
    tls : TlsSettings, optional
    max_pdu_bytes : int
    most_associations : int
        At once; one more is turned away, and may come again.
    most_object_bytes : int
        A larger object ends its association.
    timeout_s : float
        After which a silent peer is dropped.
    """

    port: int = 11112
    address: str = LOOPBACK
    ae_title: str = "LESIONARY"
    allowed_callers: tuple[str, ...] = ()
    tls: TlsSettings | None = None
    max_pdu_bytes: int = 1 * MIB
    most_associations: int = 32
    most_object_bytes: int = 4 * GIB
    timeout_s: float = 60.0


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
    """

    number: int
    ending: str = ""
    is_requested: bool = False
    is_busy: bool = False


Take = Callable[[bytes, Conversation], Answer]


@dataclass(slots=True)
class _Open:
    """Associations that go on."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    conversations: "dict[Association, Conversation]" = field(default_factory=dict)


class Receiver:
    """Listens until it is stopped; use as a context manager.

    Parameters
    ----------
    settings : ReceiverSettings
    take : callable
        Gets a file's bytes and the conversation it came by, in the association's own thread;
        returns what the sender is told. It must not raise.
    on_end : callable, optional
        Hears of every association that ended, once its last object is answered.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        take: Take,
        on_end: Callable[[Conversation], None] | None = None,
    ) -> None:
        self.settings = settings
        self.n_failed_connections = 0
        self._take = take
        self._on_end = on_end
        self._open = _Open()
        self._numbers = itertools.count(1)
        self._server: Server | None = None
        self._threads: list[threading.Thread] = []
        self._is_over = threading.Event()
        self._stack = ExitStack()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1]) if self._server else self.settings.port

    @property
    def n_open(self) -> int:
        """How many associations go on."""
        return len(self._open.conversations)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen.

        Raises
        ------
        InputError
            Code ``port_taken``, ``address`` or ``ae_title``, or ``tls``.
        """
        from lesionary.io.dicom_net.quiet import quiet_libraries

        with ExitStack() as stack:
            stack.enter_context(quiet_libraries())
            self._server = self._make_server()
            self._stack = stack.pop_all()
        self._is_over.clear()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(_TURN_S,), daemon=True),
            threading.Thread(target=self._look_after, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, *, grace_s: float = 10.0) -> None:
        """Stop accepting, let what is being received end, and close.

        Parameters
        ----------
        grace_s : float
            An object that takes longer is not taken; its sender is told so by an abort.
        """
        if self._server is None:
            return
        self._server.shutdown()
        end = time.monotonic() + grace_s
        while self._open.conversations:
            self._end_idle(is_late=time.monotonic() > end)
            time.sleep(_PAUSE_S)
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self._server = None
        self._stack.close()

    def _make_server(self) -> "Server":
        from pynetdicom import AE, evt

        from lesionary.io.dicom_net.contexts import VERIFICATION
        from lesionary.io.dicom_net.server import Handler, Server

        settings = self.settings
        _require_titles(settings)
        entity = AE(ae_title=settings.ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(settings.allowed_callers)
        entity.maximum_pdu_size = settings.max_pdu_bytes
        entity.maximum_associations = _CONNECTIONS_PER_ASSOCIATION * settings.most_associations
        entity.network_timeout = entity.dimse_timeout = settings.timeout_s
        entity.acse_timeout = min(settings.timeout_s, _NEGOTIATION_S)
        entity.add_supported_context(VERIFICATION)
        try:
            server = Server(
                entity,
                (settings.address, settings.port),
                settings.ae_title,
                entity.supported_contexts,
                ssl_context=settings.tls.server_context() if settings.tls else None,
                evt_handlers=[
                    (evt.EVT_REQUESTED, self._requested),
                    (evt.EVT_PDU_RECV, self._bounded),
                    (evt.EVT_C_STORE, self._stored),
                ],
                request_handler=Handler,
            )
        except OSError as error:
            raise _cannot_listen(error) from None
        server.timeout_s = settings.timeout_s
        server.on_association = self._begun
        server.on_failure = self._failed
        return server

    def _begun(self, association: "Association") -> None:
        with self._open.lock:
            self._open.conversations[association] = Conversation(next(self._numbers))

    def _failed(self) -> None:
        self.n_failed_connections += 1

    def _requested(self, event: "Event") -> None:
        from lesionary.io.dicom_net.contexts import contexts_for

        association = event.assoc
        self._open.conversations[association].is_requested = True
        with self._open.lock:
            n_established = sum(one.is_established for one in self._open.conversations)
        if n_established >= self.settings.most_associations:
            association.acse.send_reject(_TRANSIENT, _PRESENTATION, _LIMIT_EXCEEDED)
            association.kill()
            return
        request = association.requestor.primitive
        if request is not None:
            proposed = request.presentation_context_definition_list
            association.acceptor.supported_contexts = contexts_for(proposed)

    def _bounded(self, event: "Event") -> None:
        message = event.assoc.dimse.message
        data_set = message.data_set if message is not None else None
        if data_set is not None and data_set.tell() > self.settings.most_object_bytes:
            event.assoc.abort()

    def _stored(self, event: "Event") -> "int | Dataset":
        conversation = self._open.conversations[event.assoc]
        conversation.is_busy = True
        try:
            request: Any = event.request
            content = as_file(
                request.DataSet.getvalue() if request.DataSet else b"",
                sop_class_uid=str(event.context.abstract_syntax),
                transfer_syntax=str(event.context.transfer_syntax),
            )
            request.DataSet = None
            return _response(self._take(content, conversation))
        except Exception:  # noqa: BLE001 - else the library would log the stack with its values
            return _response(Answer(PROCESSING_FAILURE, "failed"))
        finally:
            conversation.is_busy = False

    def _end_idle(self, *, is_late: bool) -> None:
        """End associations that are between two objects; drop connections that never became one."""
        with self._open.lock:
            going = list(self._open.conversations.items())
        for association, conversation in going:
            if not _is_alive(association):
                continue
            if not association.is_established:
                _hang_up(association)
            elif is_late or not (conversation.is_busy or _is_receiving(association)):
                association.abort()

    def _look_after(self) -> None:
        """Tell of associations that ended, until all are over."""
        while not self._is_over.wait(_LOOK_S):
            self._sweep()

    def _sweep(self) -> None:
        with self._open.lock:
            going = list(self._open.conversations)
        for association in going:
            if _is_left(association):
                _wake(association)
        ended = [one for one in going if one.ident is not None and not _is_alive(one)]
        for association in ended:
            conversation = self._open.conversations[association]
            conversation.ending = _ending(association)
            if self._on_end is not None:
                self._on_end(conversation)
            with self._open.lock:
                del self._open.conversations[association]


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


def _response(answer: Answer) -> "int | Dataset":
    if not answer.comment:
        return answer.status
    from pydicom.dataset import Dataset

    response = Dataset()
    response.Status = answer.status
    response.ErrorComment = answer.comment
    return response


def _require_titles(settings: ReceiverSettings) -> None:
    for title in (settings.ae_title, *settings.allowed_callers):
        is_text = title.isascii() and title.isprintable() and "\\" not in title
        if not is_text or not title.strip() or len(title) > 16:
            raise InputError(
                "an AE title has 1 to 16 printable ASCII characters and no backslash",
                code="ae_title",
                hint="--ae-title and --allow take the names that the sender is set up with",
            )


def _cannot_listen(error: OSError) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(
            "another program listens on this port",
            code="port_taken",
            hint="name another with --port, or end that program",
        )
    return InputError(
        f"cannot listen here: {error.strerror or type(error).__name__}",
        code="address",
        hint="--address takes an address of this machine; ports below 1024 need a right",
    )
