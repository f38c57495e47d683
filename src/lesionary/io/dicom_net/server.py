"""The receiver's transport: pynetdicom's server, made fast and hard to hang.

``TCP_NODELAY`` on every connection, whole PDUs read at once into one buffer, a bound on what a PDU
may claim, a time after which a silent peer is dropped, and TLS handshakes outside the loop that
accepts connections: one peer that says nothing keeps nobody else waiting. The library has two
threads an association that look for work every millisecond; here the one that reads waits for
bytes instead, and works on the object that it has read itself: half the time per slice.
"""

import queue
import select
import socket
import ssl
import sys
from collections.abc import Callable
from socketserver import TCPServer
from typing import Any

from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.transport import (
    AssociationSocket,
    RequestHandler,
    ThreadedAssociationServer,
)

from lesionary.io.dicom_net.rejections import BUSY, Rejection, of_handshake

LONGEST_NEGOTIATION_BYTES = 1024 * 1024
"""An A-ASSOCIATE-RQ of 128 contexts with all syntaxes has some 300 KiB."""

PDU_HEAD_BYTES = 6
_TLS_HANDSHAKE = b"\x16\x03"
_WAIT_S = 0.005
"""How long a thread waits for bytes before it looks whether something is to be sent."""


class _Transport(AssociationSocket):
    """Waits for bytes instead of looking for them, and reads a PDU in one piece."""

    longest_bytes = LONGEST_NEGOTIATION_BYTES
    has_met_tls = False
    """Whether the peer began with TLS where plain DICOM is spoken."""

    _is_first = True

    @classmethod
    def instead_of(cls, plain: AssociationSocket, longest_bytes: int) -> "_Transport":
        """Return a transport for a connection that the plain one has announced already."""
        transport = cls.__new__(cls)
        transport.__dict__.update(plain.__dict__)
        transport.longest_bytes = longest_bytes
        return transport

    @property
    def ready(self) -> bool:
        """Whether there are bytes to read, now or in a moment."""
        if self.socket is None or not self._is_connected:
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        try:
            readable, _, _ = select.select([self.socket], [], [], _WAIT_S)
        except (OSError, ValueError):
            self.event_queue.put("Evt17")  # the connection is closed
            return False
        return bool(readable)

    def recv(self, nr_bytes: int) -> bytearray:
        """Read exactly so many bytes; fewer where the peer is gone.

        Raises
        ------
        OSError
            If more are claimed than a PDU may have, or none come for too long.
        """
        if nr_bytes > self.longest_bytes:
            raise OSError("the PDU is longer than was agreed")
        if self.socket is None:
            raise OSError("the connection is closed")
        buffer = bytearray(nr_bytes)
        n_read = 0
        with memoryview(buffer) as view:
            while n_read < nr_bytes:
                n_new = self.socket.recv_into(view[n_read:])
                if not n_new:
                    break
                n_read += n_new
        if self._is_first:
            self._is_first = False
            self.has_met_tls = buffer.startswith(_TLS_HANDSHAKE)
        return buffer if n_read == nr_bytes else buffer[:n_read]


class _Desk(queue.Queue[Any]):
    """Takes messages that are whole: objects are worked on at once, all others wait their turn."""

    def __init__(self, association: Association) -> None:
        super().__init__()
        self._association = association

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Work on an object, or queue a message."""
        association, (number, message) = self._association, item
        is_object = isinstance(message, C_STORE) and message.is_valid_request
        if is_object and number in association._accepted_cx and association.is_established:
            association._serve_request(message, number)
        else:
            super().put(item, block, timeout)


class Handler(RequestHandler):
    """Starts an association on a connection."""

    def handle(self) -> None:
        """Start it, and tell the server of it."""
        server = self.server
        association = self._create_association()
        dul = association.dul
        if isinstance(server, Server) and dul.socket is not None:
            dul.socket = _Transport.instead_of(dul.socket, server.longest_pdu_bytes)
            dul._run_loop_delay = 0
            association.dimse.msg_queue = _Desk(association)
            server.on_association(association)
        association.start()


class Server(ThreadedAssociationServer):
    """Accepts connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    on_association: Callable[[Association], None]
    on_failure: Callable[[Rejection | None], None]
    timeout_s = 60.0

    @property
    def longest_pdu_bytes(self) -> int:
        """What one PDU may claim."""
        return max(self.ae.maximum_pdu_size, LONGEST_NEGOTIATION_BYTES) + PDU_HEAD_BYTES

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; a TLS handshake is made by the connection's own thread."""
        if self.socket is None:
            raise OSError("the server is closed")
        connection, address = self.socket.accept()
        connection.settimeout(self.timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Turn a connection away where far too many are open."""
        has_room = len(self.active_associations) < self.ae.maximum_associations
        if not has_room:
            self.on_failure(BUSY)
        return has_room

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands where it is TLS, then start an association."""
        if isinstance(request, ssl.SSLSocket):
            request.do_handshake()
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Count a connection that came to nothing, and tell why where TLS was not agreed on."""
        self.on_failure(of_handshake(sys.exc_info()[1]))

    def shutdown(self) -> None:
        """Stop accepting."""
        TCPServer.shutdown(self)
        self.server_close()
