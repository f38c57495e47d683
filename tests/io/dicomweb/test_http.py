"""HTTP with patience: what is asked again, what is not, and what is never said."""

import http.client
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lesionary.core.errors import InputError, LesionaryError, PrivacyError, WorkflowError
from lesionary.io.dicom_net.tls import TlsSettings
from lesionary.io.dicomweb.client import DicomWeb, RemoteSeries
from lesionary.io.dicomweb.http import (
    AUTH_FILE_VARIABLE,
    AUTH_VARIABLE,
    Server,
    Session,
    authorization_from,
)
from servers.certificates import Authority

TOKEN = "ZQXPLANTED"  # noqa: S105 - no password


class Script:
    """Answers one after another, ``(status, type, body)``; the last one for ever."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(script, tls=None):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def _serve(self):
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.requests.append((self.command, self.path, headers, content))
            status, kind, body = script.next()
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815 - the library's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    scheme = "http" if tls is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}/dicom-web/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(url, **changes):
    pauses = []
    session = Session(Server(url, **changes), pause=pauses.append)
    try:
        return session.ask("/studies", http.client.HTTPResponse.read, accept="x/y"), pauses
    finally:
        session.close()


GOOD = (200, "application/dicom+json", b"[]")


@pytest.mark.parametrize("bad", [(503, "text/plain", b"busy"), (0, "", b""), (429, "", b"")])
def test_a_server_that_is_busy_or_hangs_up_is_asked_again(bad):
    script = Script(bad, bad, GOOD)
    with serving(script) as url:
        content, pauses = asked(url)
    assert content == b"[]"
    assert len(script.requests) == 3
    assert len(pauses) == 2
    assert 0 < pauses[0] <= 0.5
    assert 0 < pauses[1] <= 1.0


def test_it_is_asked_no_more_than_it_may(monkeypatch):
    script = Script((503, "text/plain", TOKEN.encode()))
    with serving(script) as url, pytest.raises(WorkflowError) as caught:
        asked(url, n_tries=3)
    assert len(script.requests) == 3
    assert caught.value.code == "dicomweb_failed"


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "dicomweb_refused"), (403, "dicomweb_refused"), (404, "dicomweb_failed"), (302, "")],
)
def test_a_refusal_is_final_and_the_servers_words_are_not_repeated(status, code):
    script = Script((status, "text/plain", f"no study of {TOKEN}".encode()))
    with serving(script) as url, pytest.raises(WorkflowError) as caught:
        asked(url)
    assert len(script.requests) == 1
    assert caught.value.code == (code or "dicomweb_failed")
    assert TOKEN not in f"{caught.value!r} {caught.value} {caught.value.hint}"


def test_a_server_that_is_not_there_is_said_in_words():
    with serving(Script(GOOD)) as url:
        pass
    with pytest.raises(WorkflowError) as caught:
        asked(url, n_tries=2)
    assert caught.value.code == "dicomweb_gone"


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(WorkflowError) as caught:
            asked(f"http://127.0.0.1:{port}/", timeout_s=0.2, n_tries=2)
    assert caught.value.code == "dicomweb_gone"


def test_the_header_of_the_environment_is_sent_and_never_shown():
    script = Script(GOOD)
    header = authorization_from({AUTH_VARIABLE: f"Bearer {TOKEN}"})
    with serving(script) as url:
        asked(url, authorization=header)
        assert TOKEN not in repr(Server(url, authorization=header))
    assert script.requests[0][2]["authorization"] == f"Bearer {TOKEN}"
    assert script.requests[0][1] == "/dicom-web/studies"


def test_a_password_file_is_the_owners_alone(tmp_path):
    path = tmp_path / "auth"
    path.write_text("Basic abc\n", encoding="ascii")
    path.chmod(0o644)
    environment = {AUTH_FILE_VARIABLE: str(path)}
    with pytest.raises(PrivacyError):
        authorization_from(environment)
    path.chmod(0o600)
    assert authorization_from(environment) == "Basic abc"
    path.write_text("two\nlines", encoding="ascii")
    for bad in (environment, {AUTH_FILE_VARIABLE: str(tmp_path / "none")}, {AUTH_VARIABLE: " "}):
        with pytest.raises(InputError):
            authorization_from(bad)
    assert authorization_from({}) is None


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8042", "ftp://x/", "http://", "http://u:p@x/", "http://x/?q", "http://x:y/"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InputError) as caught:
        Server(url)
    assert caught.value.code == "dicomweb_url"


def test_only_a_certificate_of_the_authority_is_trusted(tmp_path):
    authority = Authority(tmp_path)
    pair = authority.sign("server")
    stranger = Authority(tmp_path, "stranger")
    tls = TlsSettings(pair.certificate, pair.key).server_context()
    with serving(Script(GOOD), tls) as url:
        assert asked(url, authority=authority.certificate)[0] == b"[]"
        for wrong in (None, stranger.certificate):
            with pytest.raises(WorkflowError) as caught:
                asked(url, authority=wrong)
            assert caught.value.code == "dicomweb_tls"


SERIES = RemoteSeries("1.2", "1.3")
ANSWERS = [
    (*GOOD[:2], b"{"),
    (*GOOD[:2], b'{"a": 1}'),
    (*GOOD[:2], b'[{"00080018": {"Value": ["../../etc"]}}]'),
    (*GOOD[:2], b'[{"00080018": {"Value": []}}]'),
    (*GOOD[:2], b'[{"00080018": 5}]'),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none_is_refused(answer):
    with (
        serving(Script(answer)) as url,
        DicomWeb(Server(url)) as client,
        pytest.raises(LesionaryError) as caught,
    ):
        client.instances(SERIES)
    assert caught.value.code == "dicomweb"


def test_pages_are_turned_until_there_are_no_more():
    rows = [f'{{"00080018": {{"vr": "UI", "Value": ["1.2.{k}"]}}}}' for k in range(450)]
    pages = [rows[:200], rows[200:400], rows[400:]]
    answers = [(*GOOD[:2], f"[{','.join(page)}]".encode()) for page in pages]
    script = Script(*answers)
    with serving(script) as url, DicomWeb(Server(url)) as client:
        assert len(client.instances(SERIES)) == 450
    assert [path.split("offset=")[1] for _, path, *_ in script.requests] == ["0", "200", "400"]


def test_a_server_that_knows_no_pages_is_asked_twice_at_most():
    rows = ",".join(f'{{"00080018": {{"Value": ["1.2.{k}"]}}}}' for k in range(300))
    script = Script((*GOOD[:2], f"[{rows}]".encode()))
    with serving(script) as url, DicomWeb(Server(url)) as client:
        assert len(client.instances(SERIES)) == 300
    assert len(script.requests) == 2


def test_an_answer_of_several_objects_for_one_is_refused():
    body = b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
    script = Script((200, "multipart/related; boundary=b", body))
    with (
        serving(script) as url,
        DicomWeb(Server(url)) as client,
        pytest.raises(LesionaryError) as caught,
    ):
        client.fetch(SERIES, "1.4")
    assert caught.value.code == "dicomweb"
