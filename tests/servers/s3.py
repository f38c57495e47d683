"""A bucket on loopback: just enough of S3 for s5cmd to list and to fetch, and to be let down.

Objects live in memory. Requests are counted, and an object can be made slow, cut short, corrupt or
absent, as a network and an archive may be.
"""

import hashlib
import threading
import time
import urllib.parse
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from servers.processes import LOOPBACK

LIST_PAGE = 3
"""Objects a page of a listing: few, so that tests turn pages."""


class Bucket:
    """What a server holds, by ``bucket/key``."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.slow_s: dict[str, float] = {}
        self.cut: set[str] = set()
        self.corrupt: set[str] = set()
        self.refused: set[str] = set()
        self.requests: Counter[str] = Counter()

    def put(self, bucket: str, key: str, content: bytes, *, etag: str | None = None) -> None:
        """Store an object; its ETag is the MD5 of its bytes unless another is given."""
        self.objects[f"{bucket}/{key}"] = content
        self.etags[f"{bucket}/{key}"] = etag or hashlib.md5(content).hexdigest()  # noqa: S324

    def n_fetched(self, name: str) -> int:
        """Return how often an object was asked for."""
        return self.requests[f"GET {name}"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self._answer(has_body=False)

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def _answer(self, *, has_body: bool) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        name = urllib.parse.unquote(url.path).lstrip("/")
        if "list-type" in query:
            self._send(200, self._listing(name.rstrip("/"), query), {"Content-Type": "text/xml"})
            return
        self.bucket.requests[f"{self.command} {name}"] += 1
        content = self.bucket.objects.get(name)
        if content is None or name in self.bucket.refused:
            code = 403 if name in self.bucket.refused else 404
            self._send(code, b"<Error><Code>AccessDenied</Code></Error>" if has_body else b"", {})
            return
        self._send_object(name, content, has_body=has_body)

    def _send_object(self, name: str, content: bytes, *, has_body: bool) -> None:
        first, last = 0, len(content) - 1
        status = 200
        headers = {"ETag": f'"{self.bucket.etags[name]}"', "Accept-Ranges": "bytes"}
        if wanted := self.headers.get("Range"):
            low, _, high = wanted.removeprefix("bytes=").partition("-")
            first, last = int(low), min(int(high or last), last)
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        part = content[first : last + 1]
        if name in self.bucket.corrupt:
            part = bytes(len(part))
        time.sleep(self.bucket.slow_s.get(name, 0.0) if has_body else 0.0)
        is_cut = name in self.bucket.cut and has_body
        self._send(status, part, headers, n_sent=len(part) // 2 if is_cut else None, body=has_body)

    def _listing(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", [""])[0]
        start = f"{bucket}/{prefix}"
        names = sorted(name for name in self.bucket.objects if name.startswith(start))
        names = [name for name in names if name > after]
        page, rest = names[:LIST_PAGE], names[LIST_PAGE:]
        contents = "".join(
            f"<Contents><Key>{escape(name.removeprefix(bucket + '/'))}</Key>"
            f"<LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{self.bucket.etags[name]}&quot;</ETag>"
            f"<Size>{len(self.bucket.objects[name])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for name in page
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(page)}</KeyCount><MaxKeys>{LIST_PAGE}</MaxKeys>"
            f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>{more}{contents}"
            "</ListBucketResult>"
        ).encode()

    def _send(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str],
        *,
        n_sent: int | None = None,
        body: bool = True,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content if n_sent is None else content[:n_sent])
        if n_sent is not None:
            self.close_connection = True


class S3Server:
    """The server; use as a context manager."""

    def __init__(self) -> None:
        self.bucket = Bucket()
        handler = type("Handler", (_Handler,), {"bucket": self.bucket})
        self._server = ThreadingHTTPServer((LOOPBACK, 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Return the endpoint's address."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
