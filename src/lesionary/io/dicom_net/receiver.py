"""A C-STORE receiver that hands on what comes as bytes in memory, and writes nothing itself.

Every object becomes a file's bytes (group 2 made from what the association agreed on) and goes to
``take``; the sender hears what ``take`` answers. Associations come and go in threads.
"""

import errno
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from lesionary.core.errors import InputError
from lesionary.io.dicom_net.conversations import Conversation, Conversations
from lesionary.io.dicom_net.file_head import as_file
from lesionary.io.dicom_net.rejections import (
    LIMIT_EXCEEDED,
    PRESENTATION,
    TRANSIENT,
    Rejection,
)
from lesionary.io.dicom_net.settings import ReceiverSettings
from lesionary.io.dicom_net.statuses import PROCESSING_FAILURE, Answer

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.events import Event

    from lesionary.io.dicom_net.server import Server

_TURN_S = 0.1
_LOOK_S = 0.02
_NEGOTIATION_S = 10.0
_CONNECTIONS_PER_ASSOCIATION = 3
_PAUSE_S = 0.001

Take = Callable[[bytes, Conversation], Answer]


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
    on_failure : callable, optional
        Hears why a connection never became an association, where that is known.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        take: Take,
        on_end: Callable[[Conversation], None] | None = None,
        on_failure: Callable[[Rejection], None] | None = None,
    ) -> None:
        self.settings = settings
        self.n_failed_connections = 0
        self._take = take
        self._on_failure = on_failure
        self._open = Conversations(on_end)
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
        return len(self._open)

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
        while self._open:
            self._open.end_idle(is_late=time.monotonic() > end)
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
        settings.require_titles()
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
        except (OSError, UnicodeError) as error:
            raise _cannot_listen(error) from None
        server.timeout_s = settings.timeout_s
        server.on_association = self._open.begin
        server.on_failure = self._failed
        return server

    def _failed(self, rejection: Rejection | None) -> None:
        self.n_failed_connections += 1
        if rejection is not None and self._on_failure is not None:
            self._on_failure(rejection)

    def _requested(self, event: "Event") -> None:
        from lesionary.io.dicom_net.contexts import contexts_for

        association = event.assoc
        self._open[association].is_requested = True
        if self._open.n_established >= self.settings.most_associations:
            association.acse.send_reject(TRANSIENT, PRESENTATION, LIMIT_EXCEEDED)
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
        conversation = self._open[event.assoc]
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

    def _look_after(self) -> None:
        """Tell of associations that ended, until all are over."""
        while not self._is_over.wait(_LOOK_S):
            self._open.sweep()


def _response(answer: Answer) -> "int | Dataset":
    if not answer.comment:
        return answer.status
    from pydicom.dataset import Dataset

    response = Dataset()
    response.Status = answer.status
    response.ErrorComment = answer.comment
    return response


def _cannot_listen(error: OSError | UnicodeError) -> InputError:
    if isinstance(error, (UnicodeError, socket.gaierror)):
        return InputError(
            "what --address names is no address of a machine",
            code="address",
            hint="--address takes an address of this machine, such as 127.0.0.1 or 0.0.0.0 for all",
        )
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
