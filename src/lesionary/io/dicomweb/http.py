"""HTTP as DICOMweb needs it: one connection, verified TLS, a time limit, patience with a server.

The header that says who we are comes from the environment or from a file of the owner's alone,
never from the command line, where every user of the machine could read it.
"""

import http.client
import os
import random
import socket
import ssl
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from lesionary.core.errors import InputError, PrivacyError, WorkflowError

AUTH_VARIABLE = "LESIONARY_DICOMWEB_AUTH"
AUTH_FILE_VARIABLE = "LESIONARY_DICOMWEB_AUTH_FILE"

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSED = frozenset({401, 403})
_LOST = (http.client.HTTPException, OSError)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0

T = TypeVar("T")
Body = Sequence[bytes | memoryview]


@dataclass(frozen=True, slots=True)
class Server:
    """A DICOMweb server.

    Parameters
    ----------
    url : str
        ``http://HOST:PORT/PATH`` or ``https://…``, without a user or a password.
    authority : Path, optional
        PEM file of the authority of its certificate; by default the system's.
    timeout_s : float
        After which a silent server counts as gone.
    n_tries : int
        How often a request is made that the server is too busy for.
    """

    url: str
    authority: Path | None = None
    timeout_s: float = 60.0
    n_tries: int = 4
    authorization: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            is_fine = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            is_fine, parts = False, urlsplit("")
        if not is_fine or parts.username or parts.query or parts.fragment:
            raise InputError(
                "this is no address of a DICOMweb server",
                code="dicomweb_url",
                hint="such as http://127.0.0.1:8042/dicom-web; a password goes to"
                f" {AUTH_VARIABLE}, as the whole Authorization header",
            )


def authorization_from(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the Authorization header that the user set, or None.

    Raises
    ------
    PrivacyError
        If others may read the file that holds it.
    InputError
        Code ``dicomweb_auth``, if it cannot be read or is no header's value.
    """
    value = environment.get(AUTH_VARIABLE)
    named = environment.get(AUTH_FILE_VARIABLE)
    if value is None and named:
        value = _read_private(Path(named))
    if value is None:
        return None
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable():
        raise InputError(
            "what should be an Authorization header is none",
            code="dicomweb_auth",
            hint="one line, such as `Basic …` or `Bearer …`",
        )
    return value


def _read_private(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if os.name != "nt" and mode & 0o077:
            raise PrivacyError(
                "others may read the file with the server's password",
                hint="chmod 600 the file",
                source=str(path),
            )
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "the file with the server's password cannot be read",
            code="dicomweb_auth",
            source=str(path),
            hint=f"{AUTH_FILE_VARIABLE} names a file of mode 600 that holds the header, in ASCII",
        ) from None


class Session:
    """A connection to a server, made when it is first needed and again when it was lost."""

    def __init__(self, server: Server, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.server = server
        self._parts = urlsplit(server.url)
        self._pause = pause
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(
        self,
        path: str,
        read: Callable[[http.client.HTTPResponse], T],
        *,
        accept: str,
        body: Body | None = None,
        content_type: str = "",
    ) -> T:
        """Make a request, again where the server is busy or gone, and read its answer.

        Parameters
        ----------
        path : str
            Below the server's own, quoted.
        read : callable
            Reads the whole answer; it may be called again after a connection was lost, so it
            begins anew every time.
        accept : str
        body : sequence of bytes-like, optional
            Then the request is a POST.
        content_type : str
            Of the body.

        Raises
        ------
        WorkflowError
            Code ``dicomweb_refused`` (no permission), ``dicomweb_failed`` (any other answer) or
            ``dicomweb_gone``. Never with what the server said: it may name a patient.
        """
        pauses = _pauses(self.server.n_tries)
        while True:
            try:
                with self._answer(path, accept, body, content_type) as answer:
                    if answer.status not in _BUSY:
                        _require_good(answer)
                        return read(answer)
                    problem = _failed(answer.status)
            except ssl.SSLCertVerificationError:
                raise _unverified() from None
            except _LOST as error:
                problem = _gone(error)
            pause_s = next(pauses, None)
            if pause_s is None:
                raise problem
            self._pause(pause_s)

    @contextmanager
    def _answer(
        self, path: str, accept: str, body: Body | None, content_type: str
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request; the connection stays only where the answer was read to its end."""
        connection = self._connected()
        answer = None
        try:
            connection.putrequest(
                "GET" if body is None else "POST", self._parts.path.rstrip("/") + path
            )
            for name, value in self._headers(accept, body, content_type):
                connection.putheader(name, value)
            connection.endheaders()
            for piece in body or ():
                connection.send(piece)
            answer = connection.getresponse()
            yield answer
        finally:
            if answer is None or not answer.isclosed() or answer.will_close:
                self.close()

    def _headers(
        self, accept: str, body: Body | None, content_type: str
    ) -> Iterator[tuple[str, str]]:
        yield "Accept", accept
        if self.server.authorization:
            yield "Authorization", self.server.authorization
        if body is not None:
            yield "Content-Type", content_type
            yield "Content-Length", str(sum(len(piece) for piece in body))

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = str(self._parts.hostname), self._parts.port
            timeout_s = self.server.timeout_s
            if self._parts.scheme == "https":
                context = ssl.create_default_context(cafile=self.server.authority)
                self._connection = http.client.HTTPSConnection(
                    host, port, timeout=timeout_s, context=context
                )
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection


def _pauses(n_tries: int) -> Iterator[float]:
    """Yield longer and longer pauses, each somewhat by chance: many clients do not come at once."""
    pause_s = _FIRST_PAUSE_S
    for _ in range(n_tries - 1):
        yield pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)


def _require_good(answer: http.client.HTTPResponse) -> None:
    status = answer.status
    if status in _REFUSED:
        raise WorkflowError(
            f"the DICOMweb server does not let us in (HTTP {status})",
            code="dicomweb_refused",
            hint=f"set {AUTH_VARIABLE} or {AUTH_FILE_VARIABLE}, or ask its owner for the right",
        )
    if not 200 <= status < 300 and status != http.client.CONFLICT:
        raise _failed(status)


def _failed(status: int) -> WorkflowError:
    return WorkflowError(
        f"the DICOMweb server answers with HTTP {status}",
        code="dicomweb_failed",
        hint="is the address that of its DICOMweb service? See its log",
    )


def _gone(error: BaseException) -> WorkflowError:
    reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    return WorkflowError(
        f"the DICOMweb server cannot be reached, or hung up: {reason}",
        code="dicomweb_gone",
        hint="does it run, and is the address right?",
    )


def _unverified() -> WorkflowError:
    return WorkflowError(
        "the DICOMweb server's certificate is not one that is trusted here",
        code="dicomweb_tls",
        hint="name the authority that signed it with --tls-ca",
    )
